"""Complaints: filing one, and telling how it stands."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from actions import handoff_waiting
from actions.base import Event, Reply, StoreAction, clear_slots, environment, tell_staff
from actions.complaint_answers import DRAFT, draft_of
from actions.complaint_form import SLOTS
from actions.customers import customer_of_turn
from actions.texts import Rich, fragment
from actions.turn import Turn
from crm_store.base import utcnow
from crm_store.complaints import drafting, service
from crm_store.complaints.models import RESOLVED, WAITING, Complaint
from crm_store.complaints.telling import priority_text
from crm_store.drafts import OPEN
from crm_store.errors import NotFound
from crm_store.persian import (
    deadline_text,
    to_jalali_text,
    to_persian_digits,
)
from crm_store.sla.clocks import open_clock
from crm_store.sla.models import FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION
from crm_store.staff.telling import tell_role
from crm_store.terms import term
from crm_store.tickets.expecting import ANSWER, SOLVED
from crm_store.tickets.models import COMPLAINT, URGENT
from crm_store.tickets.notes import open_question

#: What is told of a promise, the nearest first.
DUE_TIMES = {
    FIRST_RESPONSE: "utter_complaint_answer_due",
    NEXT_RESPONSE: "utter_complaint_answer_due",
    RESOLUTION: "utter_complaint_decision_due",
}


class ActionFileComplaint(StoreAction):
    """Files the confirmed draft and tells the tracking code."""

    def name(self) -> str:
        return "action_file_complaint"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        heard = DRAFT.heard(turn, session)
        complaint = service.file_complaint(
            session,
            conversation_id=turn.conversation_id,
            inbox_id=turn.inbox_id,
            rules=environment().rules,
        )
        _tell_of_new(session, turn, complaint)
        reply.utter("utter_complaint_filed", code=to_persian_digits(complaint.code))
        tell_due_time(session, reply, complaint)
        if complaint.related_to_id is not None:
            reply.utter("utter_complaint_related")
        why: dict[str, Any] = {
            "intent": "complaint_file",
            "category": complaint.category,
            "complaint_filed": True,
        }
        if not handoff_waiting.hand_over(turn, session, reply, **why):
            handoff_waiting.offer_call_instead(turn, session, reply, heard=heard, **why)
        return clear_slots(SLOTS)


def _tell_of_new(session: Session, turn: Turn, complaint: Complaint) -> None:
    """Tell the staff's groups of a new complaint, and supervisors themselves of an urgent one."""
    params = {
        "code": to_persian_digits(complaint.code),
        "category": environment().business.category(complaint.category).title,
        "priority": priority_text(complaint),
    }
    tell_staff(
        session,
        turn,
        response="utter_staff_group_complaint",
        key=f"staff-complaint:{complaint.id}",
        params=params,
    )
    if complaint.priority == URGENT:
        tell_role(
            session,
            role="supervisor",
            response="utter_staff_complaint_urgent",
            key=f"complaint-urgent:{complaint.id}",
            params=params,
            correlation_id=turn.correlation_id,
        )


def tell_by_code(turn: Turn, session: Session, reply: Reply, code: str) -> bool:
    """Tell how the complaint with a code stands; False where this customer has none."""
    try:
        complaint = service.own_complaint(session, customer_id=customer_of_turn(turn, session), code=code)
    except NotFound:
        return False
    _tell_one(session, reply, complaint)
    return True


def tell_own(turn: Turn, session: Session, reply: Reply, *, tells_of_none: bool = True) -> None:
    """Tell how the customer's only complaint stands, or list them all, newest first.

    Args:
        tells_of_none: whether it is said that there is none.
    """
    customer_id = customer_of_turn(turn, session)
    complaints = service.complaints_of(session, customer_id=customer_id)
    draft = draft_of(turn, session)
    is_half_told = draft is not None and draft.state == OPEN and drafting.DESCRIPTION in draft.data
    if not complaints:
        if is_half_told and not turn.form:
            reply.utter("utter_complaint_waits")
        elif tells_of_none:
            reply.utter("utter_no_complaints")
        return
    if len(complaints) == 1:
        _tell_one(session, reply, complaints[0])
        return
    items = [fragment("utter_complaint_list_item", **_described(complaint)) for complaint in complaints]
    reply.utter("utter_complaint_list", items=Rich("\n".join(items)))
    if is_half_told and not turn.form:
        reply.utter("utter_complaint_waits")


def _tell_one(session: Session, reply: Reply, complaint: Complaint) -> None:
    """Tell how one complaint stands: what is awaited, what was decided, by when something is promised."""
    reply.utter("utter_complaint_state", **_described(complaint))
    if complaint.state == WAITING:
        question = open_question(session, subject_type=COMPLAINT, subject_id=complaint.id)
        if question is not None:
            expects = (ANSWER, complaint.code)
            reply.utter("utter_complaint_waits_for_you", question=question.text, expects=expects)
    elif complaint.state == RESOLVED:
        ask_if_solved(reply, complaint)
    else:
        tell_due_time(session, reply, complaint)


def ask_if_solved(reply: Reply, complaint: Complaint) -> None:
    """Ask whether what was decided has solved it."""
    expects = (SOLVED, complaint.code)
    reply.utter("utter_complaint_decided", ticket=Rich(complaint.code), expects=expects)


def tell_due_time(session: Session, reply: Reply, complaint: Complaint) -> None:
    """Tell by when a complaint is answered or decided, as it was promised; nothing where nothing is."""
    for metric, response in DUE_TIMES.items():
        clock = open_clock(session, subject_type=COMPLAINT, subject_id=complaint.id, metric=metric)
        if clock is None:
            continue
        if clock.due_at < utcnow():
            reply.utter("utter_complaint_overdue")
        else:
            timezone = environment().settings.business.timezone
            reply.utter(response, deadline=deadline_text(clock.due_at, now=utcnow(), tz=timezone))
        return


def _described(complaint: Complaint) -> dict[str, Any]:
    timezone = environment().settings.business.timezone
    return {
        "code": to_persian_digits(complaint.code),
        "category": environment().business.category(complaint.category).title,
        "state": term("complaints", "states", complaint.state),
        "date": to_jalali_text(complaint.created_at, timezone),
    }
