"""The automatic work of complaints: closing what is settled, and calling open questions to mind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.complaints.due import CLOSE, REMIND
from crm_store.complaints.models import CLOSED, RESOLVED, WAITING, Complaint
from crm_store.complaints.states import SYSTEM, move
from crm_store.complaints.telling import tell_customer
from crm_store.complaints.timeline import note_event
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import Handler, take
from crm_store.rules import Rules
from crm_store.tickets.models import COMPLAINT
from crm_store.tickets.notes import open_questions


def handlers(rules: Callable[[], Rules]) -> dict[str, Handler]:
    """What does the jobs of complaints, by their kinds.

    Args:
        rules: gives the rules as they are when a job is done.
    """

    def close(session: Session, job: ScheduledJob, now: datetime) -> None:
        complaint = take(session, Complaint, job.data["complaint_id"])
        if complaint is not None and complaint.state == RESOLVED:
            move(session, complaint, to=CLOSED, actor=SYSTEM, rules=rules(), reason="no_word", now=now)

    def remind(session: Session, job: ScheduledJob, now: datetime) -> None:
        complaint = take(session, Complaint, job.data["complaint_id"])
        if complaint is not None and complaint.state == WAITING:
            _remind(session, complaint, job, now)

    return {CLOSE: close, REMIND: remind}


def _remind(session: Session, complaint: Complaint, job: ScheduledJob, now: datetime) -> None:
    questions = open_questions(session, subject_type=COMPLAINT, subject_id=complaint.id)
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
