"""What can be done in chat with what is registered: each task, whose tickets it is for, and its steps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from actions.base import environment
from actions.customers import customer_of_turn
from actions.turn import Turn
from crm_store.base import utcnow
from crm_store.complaints import following as complaints
from crm_store.complaints.models import Complaint
from crm_store.complaints.service import own_complaint
from crm_store.errors import NotFound
from crm_store.persian import span_text, to_jalali_text, to_persian_digits
from crm_store.service_requests import following as requests
from crm_store.service_requests import visits
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.service import find_by_code, own_request
from crm_store.service_requests.windows import local_day
from crm_store.staff.accounts import staff_in

NOTE, REOPENED, WITHDRAW, APPEAL = "note", "reopened", "withdraw", "appeal"
CANCEL, RESCHEDULE = "cancel", "reschedule"
VISIT_DONE, VISIT_NOT_DONE = "visit_done", "visit_not_done"
#: What is done with service requests by their customers, and by technicians; a note is added to tickets of
#: both kinds, and all else is about complaints.
OF_REQUESTS, OF_STAFF = (CANCEL, RESCHEDULE), (VISIT_DONE, VISIT_NOT_DONE)
#: Steps of a task after the ticket is known.
FILES, DETAIL, CONFIRM = "files", "detail", "confirm"

Ticket = Complaint | ServiceRequest


class Task(NamedTuple):
    """Something to do with a ticket.

    Attributes:
        steps: what is asked besides the ticket.
        own: the tickets of whoever writes that it can be done with, newest first, complaints before others.
        chosen: the detail is one of several values rather than free words.
    """

    steps: tuple[str, ...]
    own: Callable[[Session, Turn], list[Any]]
    chosen: bool = False


def _of_customer(find: Callable[..., list[Any]]) -> Callable[[Session, Turn], list[Any]]:
    def own(session: Session, turn: Turn) -> list[Any]:
        return find(session, customer_id=customer_of_turn(turn, session), rules=environment().rules)

    return own


def _takes_notes(session: Session, turn: Turn) -> list[Any]:
    """Complaints and then service requests, each newest first."""
    own = _of_customer(complaints.takes_notes), _of_customer(requests.takes_notes)
    return [ticket for find in own for ticket in find(session, turn)]


def _visits_today(session: Session, turn: Turn) -> list[Any]:
    staff = staff_in(session, conversation_id=turn.conversation_id)
    return visits_on(session, staff.id, today()) if staff is not None else []


def visits_on(session: Session, staff_id: int, day: date) -> list[ServiceRequest]:
    """A technician's visits of a day, in order; today's with what was left open on earlier days."""
    return visits.visits_of(
        session, staff_id=staff_id, day=day, rules=environment().rules, with_earlier=day == today()
    )


def today() -> date:
    """The business's day."""
    return local_day(utcnow(), environment().rules)


TASKS = {
    NOTE: Task((DETAIL,), _takes_notes),
    REOPENED: Task((DETAIL,), _of_customer(complaints.takes_notes)),
    WITHDRAW: Task((CONFIRM,), _of_customer(complaints.withdrawable)),
    APPEAL: Task((DETAIL,), _of_customer(complaints.appealable)),
    CANCEL: Task((DETAIL,), _of_customer(requests.cancellable), chosen=True),
    RESCHEDULE: Task((DETAIL,), _of_customer(requests.changeable), chosen=True),
    VISIT_DONE: Task((FILES, DETAIL), _visits_today),
    VISIT_NOT_DONE: Task((DETAIL,), _visits_today, chosen=True),
}
TASK_OF_INTENT = {
    "complaint_add_note": NOTE,
    "complaint_withdraw": WITHDRAW,
    "complaint_appeal": APPEAL,
    "service_cancel": CANCEL,
    "service_reschedule": RESCHEDULE,
    "visit_done": VISIT_DONE,
    "visit_not_done": VISIT_NOT_DONE,
}


def ticket_by_code(turn: Turn, session: Session, task: str, code: str) -> Ticket | None:
    """The ticket with a code, whether a task is possible with it or not; None where it is somebody else's."""
    try:
        if task in OF_STAFF:
            staff = staff_in(session, conversation_id=turn.conversation_id)
            visit = find_by_code(session, code=code)
            return visit if staff is not None and visit.technician_id == staff.id else None
        customer_id = customer_of_turn(turn, session)
        if task in OF_REQUESTS:
            return own_request(session, customer_id=customer_id, code=code)
        return _own_ticket(session, customer_id, code, of_all_kinds=task == NOTE)
    except NotFound:
        return None


def _own_ticket(session: Session, customer_id: int, code: str, *, of_all_kinds: bool) -> Ticket:
    try:
        return own_complaint(session, customer_id=customer_id, code=code)
    except NotFound:
        if not of_all_kinds:
            raise
        return own_request(session, customer_id=customer_id, code=code)


def title_of(ticket: Ticket) -> str:
    """What a ticket is about, as the business calls it."""
    business = environment().business
    if isinstance(ticket, Complaint):
        return business.category(ticket.category).title
    return business.service_kind(ticket.kind).title


def described(ticket: Ticket) -> dict[str, Any]:
    """A ticket as responses tell it: ``code``, ``title`` and ``when``."""
    return {"code": to_persian_digits(ticket.code), "title": title_of(ticket), "when": when_of(ticket)}


def when_of(ticket: Ticket) -> str:
    """The time of a visit, or the day on which something was registered."""
    timezone = environment().settings.business.timezone
    window = ticket.window if isinstance(ticket, ServiceRequest) else None
    if window is not None:
        return span_text(window.starts_at, window.ends_at, now=utcnow(), tz=timezone)
    return to_jalali_text(ticket.created_at, timezone)
