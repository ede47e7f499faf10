"""What is said where a task is not possible: there is no such ticket, or it does not allow it any more."""

from __future__ import annotations

from sqlalchemy.orm import Session

from actions.base import Reply
from actions.customers import customer_of_turn
from actions.promises import next_deadline
from actions.staff_desk import note_denial
from actions.texts import Rich
from actions.ticket_tasks import (
    APPEAL,
    CANCEL,
    NOTE,
    OF_REQUESTS,
    OF_STAFF,
    REOPENED,
    RESCHEDULE,
    VISIT_DONE,
    VISIT_NOT_DONE,
    WITHDRAW,
    Ticket,
    described,
    ticket_by_code,
)
from actions.turn import Turn
from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.complaints.service import complaints_of
from crm_store.service_requests.models import ASSIGNED, ON_THE_WAY, SCHEDULED, ServiceRequest
from crm_store.service_requests.service import requests_of
from crm_store.service_requests.windows import is_missed
from crm_store.staff.accounts import staff_in

#: What is said when somebody has no ticket that a task is for.
NONE_OF_THEM = {
    NOTE: "utter_no_complaint_for_note",
    REOPENED: "utter_no_complaint_for_note",
    WITHDRAW: "utter_no_complaint_to_withdraw",
    APPEAL: "utter_no_complaint_to_appeal",
    CANCEL: "utter_no_request_to_cancel",
    RESCHEDULE: "utter_no_request_to_move",
    VISIT_DONE: "utter_no_visit",
    VISIT_NOT_DONE: "utter_no_visit",
}
#: What is said when a task is not possible with a ticket in the state that it is in.
CANNOT = {
    NOTE: "utter_cannot_add",
    REOPENED: "utter_cannot_add",
    WITHDRAW: "utter_cannot_withdraw",
    APPEAL: "utter_cannot_appeal",
    CANCEL: "utter_cannot_cancel",
    RESCHEDULE: "utter_cannot_move",
    VISIT_DONE: "utter_visit_is_over",
    VISIT_NOT_DONE: "utter_visit_is_over",
}
#: Somebody comes, or is coming already.
_COMING = (SCHEDULED, ASSIGNED, ON_THE_WAY)


def refuse(turn: Turn, session: Session, reply: Reply, task: str, code: str) -> None:
    """Say why a task is not possible with the ticket that was named; somebody else's looks like none."""
    ticket = ticket_by_code(turn, session, task, code)
    if task in OF_STAFF:
        if ticket is None:
            note_denial(turn, session, code)
        reply.utter("utter_no_visit")
    elif ticket is None:
        reply.utter("utter_ticket_not_found")
    else:
        tell_impossible(reply, task, ticket)


def tell_none(turn: Turn, session: Session, reply: Reply, task: str) -> None:
    """Say that there is nothing to do a task with, and why, where that can be told.

    Whoever has appealed hears that it is possible once, and whoever is visited soon that it is too late.
    """
    if task in OF_STAFF and staff_in(session, conversation_id=turn.conversation_id) is None:
        note_denial(turn, session, "")
    customer_id = customer_of_turn(turn, session)
    every: list[Ticket] = []
    if task == APPEAL:
        every += [
            one for one in complaints_of(session, customer_id=customer_id) if one.appealed_at is not None
        ]
    elif task in OF_REQUESTS:
        every += [one for one in requests_of(session, customer_id=customer_id) if _is_coming(one)]
    if every:
        tell_impossible(reply, task, every[0])
    else:
        reply.utter(NONE_OF_THEM[task])


def tell_impossible(reply: Reply, task: str, ticket: Ticket) -> None:
    """Say that a task is not possible with a ticket as it stands, and offer a person where one could help."""
    if isinstance(ticket, ServiceRequest) and task in OF_REQUESTS and is_missed(ticket, utcnow()):
        reply.utter("utter_visit_missed", **described(ticket), ticket=Rich(ticket.code))
    elif isinstance(ticket, ServiceRequest) and task in OF_REQUESTS and _is_coming(ticket):
        reply.utter("utter_too_late_to_change", **described(ticket), deadline=next_deadline())
    elif isinstance(ticket, Complaint) and task == APPEAL and ticket.appealed_at is not None:
        reply.utter("utter_appealed_already", **described(ticket), deadline=next_deadline())
    else:
        reply.utter(CANNOT[task], **described(ticket))


def _is_coming(request: ServiceRequest) -> bool:
    return request.window is not None and request.state in _COMING
