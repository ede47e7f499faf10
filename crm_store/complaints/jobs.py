"""The automatic work of complaints: closing what is settled, and calling open questions to mind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.complaints.due import CLOSE, REMIND, TELL
from crm_store.complaints.models import CLOSED, RESOLVED, WAITING, Complaint
from crm_store.complaints.states import CUSTOMER, SYSTEM, move
from crm_store.complaints.telling import tell_assignee, tell_customer
from crm_store.complaints.timeline import note_event
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import Handler, take
from crm_store.rules import Rules
from crm_store.tickets.models import COMPLAINT, TicketNote
from crm_store.tickets.notes import open_questions


def handlers(rules: Callable[[], Rules]) -> dict[str, Handler]:
    """What does the jobs of complaints, by their kinds.

    Args:
        rules: gives the rules as they are when a job is done.
    """

    def close(session: Session, job: ScheduledJob, now: datetime) -> None:
        complaint = take(session, Complaint, job.data["complaint_id"])
        if complaint is not None and complaint.state == RESOLVED:
            reason = "no_answer" if _has_written(session, complaint) else "no_word"
            move(session, complaint, to=CLOSED, actor=SYSTEM, rules=rules(), reason=reason, now=now)

    def remind(session: Session, job: ScheduledJob, now: datetime) -> None:
        complaint = take(session, Complaint, job.data["complaint_id"])
        if complaint is not None and complaint.state == WAITING:
            _remind(session, complaint, job, now)

    def tell(session: Session, job: ScheduledJob, now: datetime) -> None:  # noqa: ARG001  # jobs are done alike
        complaint = take(session, Complaint, job.data["complaint_id"])
        if complaint is not None and complaint.state == WAITING and _questions(session, complaint):
            key = f"complaint-unanswered:{job.data['note_id']}"
            tell_assignee(session, complaint, "utter_staff_complaint_unanswered", key=key, rules=rules())

    return {CLOSE: close, REMIND: remind, TELL: tell}


def _has_written(session: Session, complaint: Complaint) -> bool:
    """Whether the customer wrote something since the decision, without saying if it is solved."""
    written = select(TicketNote.id).where(
        TicketNote.subject_type == COMPLAINT,
        TicketNote.subject_id == complaint.id,
        TicketNote.author == CUSTOMER,
        TicketNote.created_at >= complaint.resolved_at,
    )
    return session.scalar(written.limit(1)) is not None


def _questions(session: Session, complaint: Complaint) -> list[TicketNote]:
    return open_questions(session, subject_type=COMPLAINT, subject_id=complaint.id)


def _remind(session: Session, complaint: Complaint, job: ScheduledJob, now: datetime) -> None:
    questions = _questions(session, complaint)
    if not questions:
        return
    tell_customer(
        session,
        complaint,
        "utter_complaint_question_reminder",
        key=f"complaint-reminder:{job.data['note_id']}",
        question=[question.text for question in questions],
    )
    note_event(session, complaint, "reminded", actor=SYSTEM, now=now, data={"questions": len(questions)})
