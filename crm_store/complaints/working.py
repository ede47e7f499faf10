"""What members of staff do with a complaint, besides deciding it (`crm_store.complaints.resolution`)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints import due
from crm_store.complaints.models import (
    ACKNOWLEDGED,
    OPEN_STATES,
    RECEIVED,
    WAITING,
    WITHDRAWN,
    Complaint,
)
from crm_store.complaints.priority import give_priority
from crm_store.complaints.problems import look_for_problem
from crm_store.complaints.states import Said, check_move, lock, move
from crm_store.complaints.telling import tell_customer, tell_member_of
from crm_store.complaints.timeline import note_event
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.rules import Rules
from crm_store.sla import clocks
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import COMPLAINT, INTERNAL, NOTE, PRIORITIES, QUESTION, TicketNote
from crm_store.tickets.notes import add_note


def assign(
    session: Session,
    complaint: Complaint,
    *,
    staff_id: int,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> Complaint:
    """Give a complaint to a member of staff, who is told; one that nobody had taken on yet is acknowledged.

    Args:
        actor: who does it, ``operator`` or ``staff:<id>``; who takes it up is the same as the assignee.

    Raises:
        NotFound: there is no such member of staff, or they no longer work here.
        InvalidTransition: nobody has to work on the complaint any more.
    """
    now = now or utcnow()
    lock(session, complaint)
    member = session.get(StaffMember, staff_id)
    if member is None or member.disabled_at is not None:
        raise NotFound("there is no such member of staff")
    _check_open(complaint)
    if complaint.assignee_id == staff_id:
        return complaint
    former, complaint.assignee_id = complaint.assignee_id, staff_id
    data = {"staff_id": staff_id, "former": former}
    entry = note_event(session, complaint, "assigned", actor=actor, now=now, data=data)
    if complaint.state == RECEIVED:
        move(session, complaint, to=ACKNOWLEDGED, actor=actor, rules=rules, reason="assigned", now=now)
    if actor != f"staff:{staff_id}":
        tell_member_of(
            session,
            complaint,
            staff_id,
            "utter_staff_complaint_assigned",
            key=f"complaint-assigned:{entry.id}",
            rules=rules,
        )
    return complaint


def ask_customer(
    session: Session,
    complaint: Complaint,
    *,
    text: str,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> TicketNote:
    """Ask the customer something in chat; until the answer comes the clocks stand still.

    Raises:
        InvalidInput: there is no question.
        InvalidTransition: nobody has to work on the complaint any more.
    """
    now = now or utcnow()
    lock(session, complaint)
    if complaint.state != WAITING:
        check_move(complaint, to=WAITING, actor=actor)
    question = _note(session, complaint, QUESTION, text=text, actor=actor, now=now)
    clocks.responded(session, rules=rules, subject_type=COMPLAINT, subject_id=complaint.id, now=now)
    said = Said("utter_complaint_question", {"question": question.text})
    if complaint.state == WAITING:
        key = f"complaint-note:{question.id}"
        tell_customer(session, complaint, said.response, key=key, **said.params)
    else:
        move(
            session,
            complaint,
            to=WAITING,
            actor=actor,
            rules=rules,
            reason="question",
            now=now,
            said=said,
        )
    due.plan_reminder(session, complaint, note_id=question.id, now=now)
    return question


def write_to_customer(
    session: Session,
    complaint: Complaint,
    *,
    text: str,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> TicketNote:
    """Write to the customer in chat, without a question; it counts as an answer to what they wrote.

    Raises:
        InvalidInput: there is nothing to say.
        InvalidTransition: the complaint was taken back.
    """
    now = now or utcnow()
    lock(session, complaint)
    if complaint.state == WITHDRAWN:
        raise InvalidTransition("the complaint was taken back", state=complaint.state)
    note = _note(session, complaint, NOTE, text=text, actor=actor, now=now)
    tell_customer(
        session,
        complaint,
        "utter_complaint_message",
        key=f"complaint-note:{note.id}",
        message=note.text,
    )
    if complaint.state in OPEN_STATES:
        clocks.responded(session, rules=rules, subject_type=COMPLAINT, subject_id=complaint.id, now=now)
    return note


def note_internally(
    session: Session,
    complaint: Complaint,
    *,
    text: str,
    actor: str,
    rules: Rules,  # noqa: ARG001  # all that the staff do is asked alike
    now: datetime | None = None,
) -> TicketNote:
    """Keep something for the staff only.

    Raises:
        InvalidInput: there is nothing to keep.
    """
    lock(session, complaint)
    return _note(session, complaint, INTERNAL, text=text, actor=actor, now=now or utcnow())


def set_priority(
    session: Session,
    complaint: Complaint,
    *,
    priority: str,
    reason: str,
    actor: str,
    rules: Rules,  # noqa: ARG001  # all that the staff do is asked alike
    now: datetime | None = None,
) -> Complaint:
    """Correct a priority, with the reason. What was promised before stays promised.

    Raises:
        InvalidInput: there is no such priority, or no reason.
        InvalidTransition: nobody has to work on the complaint any more.
    """
    now = now or utcnow()
    lock(session, complaint)
    if priority not in PRIORITIES:
        raise InvalidInput(f"there is no priority {priority}")
    if not reason.strip():
        raise InvalidInput("a priority needs a reason")
    _check_open(complaint)
    former = complaint.priority
    give_priority(complaint, priority, {"reason": "staff", "by": actor, "why": reason.strip()})
    data = {"from": former, "to": priority, "reason": reason.strip()}
    note_event(session, complaint, "priority_set", actor=actor, now=now, data=data)
    return complaint


def set_cause(
    session: Session,
    complaint: Complaint,
    *,
    cause: str,
    actor: str,
    rules: Rules,
    now: datetime | None = None,
) -> Complaint:
    """Note why it happened; others with the same cause may be one problem with it.

    Raises:
        InvalidInput: the business knows no such cause.
        InvalidTransition: the complaint was taken back.
    """
    now = now or utcnow()
    lock(session, complaint)
    check_cause(cause, rules)
    if complaint.state == WITHDRAWN:
        raise InvalidTransition("the complaint was taken back", state=complaint.state)
    if complaint.root_cause != cause:
        former, complaint.root_cause = complaint.root_cause, cause
        data = {"from": former, "to": cause}
        note_event(session, complaint, "cause_set", actor=actor, now=now, data=data)
    look_for_problem(session, complaint, rules=rules, now=now)
    return complaint


def check_cause(cause: str, rules: Rules) -> None:
    """Look whether the business knows a root cause.

    Raises:
        InvalidInput: it does not; the message names those that it knows.
    """
    known = [one.key for one in rules.business.complaints.root_causes]
    if cause not in (known or [""]):
        raise InvalidInput(f"unknown root cause {cause}; known are: {', '.join(known) or 'none at all'}")


def _check_open(complaint: Complaint) -> None:
    if complaint.state not in OPEN_STATES:
        raise InvalidTransition("nobody works on this complaint any more", state=complaint.state)


def _note(
    session: Session, complaint: Complaint, kind: str, *, text: str, actor: str, now: datetime
) -> TicketNote:
    """Keep words of the staff's, with their place in the timeline."""
    if not text.strip():
        raise InvalidInput("there are no words")
    note = add_note(
        session,
        subject_type=COMPLAINT,
        subject_id=complaint.id,
        kind=kind,
        author=actor,
        text=text,
        now=now,
    )
    event = {QUESTION: "asked", NOTE: "written_to", INTERNAL: "noted"}[kind]
    note_event(session, complaint, event, actor=actor, now=now, data={"note": note.id})
    return note
