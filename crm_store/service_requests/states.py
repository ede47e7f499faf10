"""The states of a service request, and the only way from one to another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.base import utcnow
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.rules import Rules
from crm_store.service_requests import booking, telling
from crm_store.service_requests.jobs import drop_jobs, plan_jobs
from crm_store.service_requests.models import (
    ASSIGNED,
    CANCEL_REASONS,
    CANCELLED,
    DONE,
    NOT_DONE,
    NOT_DONE_REASONS,
    ON_THE_WAY,
    REQUESTED,
    SCHEDULED,
    STATES,
    ServiceRequest,
)
from crm_store.service_requests.timeline import note_event
from crm_store.sla import clocks
from crm_store.staff.models import StaffMember
from crm_store.surveys.service import visit_was_done
from crm_store.tickets.models import SERVICE_REQUEST

#: Kinds of actor; a technician is one only for the visits that they were sent to.
CUSTOMER, TECHNICIAN, STAFF = "customer", "technician", "staff"
_BY_STAFF = frozenset({STAFF})
_BY_TECHNICIAN = frozenset({TECHNICIAN, STAFF})
_BY_CUSTOMER = frozenset({CUSTOMER, STAFF})

#: Which kinds of actor may take a request from one state to another; what is not here is not possible. A
#: state leads to itself where another time or another technician is agreed.
TRANSITIONS: Mapping[tuple[str, str], frozenset[str]] = {
    (REQUESTED, SCHEDULED): _BY_STAFF,
    (REQUESTED, ASSIGNED): _BY_STAFF,
    (REQUESTED, CANCELLED): _BY_CUSTOMER,
    (SCHEDULED, SCHEDULED): _BY_CUSTOMER,
    (SCHEDULED, ASSIGNED): _BY_STAFF,
    (SCHEDULED, CANCELLED): _BY_CUSTOMER,
    (ASSIGNED, ASSIGNED): _BY_CUSTOMER,
    (ASSIGNED, SCHEDULED): _BY_CUSTOMER,
    (ASSIGNED, ON_THE_WAY): _BY_TECHNICIAN,
    (ASSIGNED, DONE): _BY_TECHNICIAN,
    (ASSIGNED, NOT_DONE): _BY_TECHNICIAN,
    (ASSIGNED, CANCELLED): _BY_CUSTOMER,
    (ON_THE_WAY, DONE): _BY_TECHNICIAN,
    (ON_THE_WAY, NOT_DONE): _BY_TECHNICIAN,
    (ON_THE_WAY, CANCELLED): _BY_STAFF,
    (NOT_DONE, SCHEDULED): _BY_CUSTOMER,
    (NOT_DONE, ASSIGNED): _BY_CUSTOMER,
    (NOT_DONE, CANCELLED): _BY_CUSTOMER,
}
#: What a change is called in the timeline, by the state that it leads to.
EVENTS = {
    SCHEDULED: "scheduled",
    ASSIGNED: "assigned",
    ON_THE_WAY: "set_off",
    DONE: "done",
    NOT_DONE: "not_done",
    CANCELLED: "cancelled",
}
RESCHEDULED, UNASSIGNED = "rescheduled", "unassigned"
#: The place is still to be used in these states; a visit that was not done has used it up.
HOLDS_PLACE = (SCHEDULED, ASSIGNED, ON_THE_WAY)
#: Reasons that are kept as such, by state; any other one counts as "other" and is kept in words.
_REASONS = {CANCELLED: CANCEL_REASONS, NOT_DONE: NOT_DONE_REASONS}
_STAFF_PREFIX = "staff:"


def is_expected(request: ServiceRequest, *, staff_id: int) -> bool:
    """Whether a member of staff is still to come for a visit, and so has to be able to call before."""
    return request.state in HOLDS_PLACE and request.technician_id == staff_id


def lock(session: Session, request: ServiceRequest) -> ServiceRequest:
    """Have a request as it is now, and nobody else change it until the unit of work ends."""
    return session.scalars(
        select(ServiceRequest)
        .where(ServiceRequest.id == request.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def kinds_of_actor(session: Session, request: ServiceRequest, actor: str) -> frozenset[str]:
    """What an actor is to a request.

    Args:
        actor: ``customer``, ``operator`` or ``staff:<id>``.
    """
    if actor == CUSTOMER:
        return frozenset({CUSTOMER})
    if actor == "operator":
        return _BY_STAFF
    if not actor.startswith(_STAFF_PREFIX):
        return frozenset()
    member = session.get(StaffMember, int(actor.removeprefix(_STAFF_PREFIX)))
    if member is None:
        return frozenset()
    goes_there = {TECHNICIAN} if request.technician_id == member.id else set()
    return frozenset(goes_there | ({STAFF} if member.role != TECHNICIAN else set()))


def check_move(session: Session, request: ServiceRequest, *, to: str, actor: str) -> None:
    """Look whether an actor may take a request to a state.

    Raises:
        InvalidInput: there is no such state.
        InvalidTransition: it does not lead from the present one, or not by this actor.
    """
    if to not in STATES:
        raise InvalidInput(f"a service request has no state {to}")
    allowed = TRANSITIONS.get((request.state, to), frozenset())
    if not allowed & kinds_of_actor(session, request, actor):
        raise InvalidTransition(
            f"{actor} cannot take a service request from {request.state} to {to}", state=request.state
        )


def move(
    session: Session,
    request: ServiceRequest,
    *,
    to: str,
    actor: str,
    rules: Rules,
    reason: str = "",
    text: str = "",
    event: str = "",
    now: datetime | None = None,
    inbox_id: int | None = None,
) -> ServiceRequest:
    """Take a request to another state, with all that follows: timeline, clocks, place, reminder, word to all.

    Window and technician are agreed before, by `crm_store.service_requests.scheduling` and
    `crm_store.service_requests.working`. A customer hears of what others did here; of their own doing they
    hear in the dialogue.

    Args:
        to: one of STATES.
        actor: ``customer``, ``operator`` or ``staff:<id>``.
        reason: one of CANCEL_REASONS or NOT_DONE_REASONS; anything else counts as other, in these words.
        text: what was written about it.
        event: its name in the timeline where it is not the state's own.
        inbox_id: the message that it was done by.

    Raises:
        InvalidInput: there is no such state, or the window or technician that it needs is missing.
        InvalidTransition: it does not lead from the present one, or not by this actor, or it is the present
            one and nothing else was agreed.
    """
    now = now or utcnow()
    request = lock(session, request)
    check_move(session, request, to=to, actor=actor)
    if to == request.state and not event:
        raise InvalidTransition("nothing else was agreed", state=request.state)
    _check_agreed(request, to, now)
    before, technician = request.state, request.technician_id
    if to == SCHEDULED and before == ASSIGNED and event != RESCHEDULED:
        event = UNASSIGNED
    event = event or EVENTS[to]
    data = _apply(request, to, reason, text, now)
    entry = note_event(
        session, request, event, actor=actor, now=now, inbox_id=inbox_id, **data, former=before
    )
    _place_and_jobs(session, request, before, rules, now)
    _clocks(session, request, actor, rules, now)
    _tell(session, request, entry, event=event, technician=technician, rules=rules, now=now)
    return request


def _check_agreed(request: ServiceRequest, to: str, now: datetime) -> None:
    """A scheduled visit has a window that is still to come, an assigned one somebody who goes there."""
    if to == SCHEDULED and request.window is None:
        raise InvalidInput("a visit needs a window of time before it is scheduled")
    if to == ASSIGNED and request.technician_id is None:
        raise InvalidInput("a visit needs a technician before it is assigned")
    has_passed = request.window is not None and request.window.starts_at <= now
    if request.state == NOT_DONE and to in (SCHEDULED, ASSIGNED) and has_passed:
        raise InvalidInput("a visit that was not done needs another window of time")


def _apply(request: ServiceRequest, to: str, reason: str, text: str, now: datetime) -> dict[str, Any]:
    """Write the new state; returns what the timeline keeps of it."""
    request.state = to
    if to in _REASONS:
        is_known = reason in _REASONS[to]
        request.reason = reason if is_known else "other"
        request.outcome = text or ("" if is_known else reason)
    elif to == DONE:
        request.reason, request.outcome, request.done_at = "", text, now
    elif to in (SCHEDULED, ASSIGNED):
        request.reason, request.outcome = "", ""
    if to == SCHEDULED:
        request.technician_id = None
    return {
        "reason": request.reason,
        "text": request.outcome,
        "starts_at": request.window.starts_at.isoformat() if request.window else None,
        "technician_id": request.technician_id,
    }


def _place_and_jobs(
    session: Session, request: ServiceRequest, before: str, rules: Rules, now: datetime
) -> None:
    if request.state in (SCHEDULED, ASSIGNED):
        plan_jobs(session, request, rules=rules, now=now)
        return
    drop_jobs(session, request)
    if request.state == CANCELLED and before in HOLDS_PLACE and request.window is not None:
        booking.release(session, window=request.window)


def _clocks(session: Session, request: ServiceRequest, actor: str, rules: Rules, now: datetime) -> None:
    about: dict[str, Any] = {
        "rules": rules,
        "subject_type": SERVICE_REQUEST,
        "subject_id": request.id,
        "now": now,
    }
    if request.state in (SCHEDULED, ASSIGNED) and actor != CUSTOMER:
        clocks.responded(session, **about)
    elif request.state == DONE:
        clocks.stop(session, **about)
    elif request.state == CANCELLED:
        clocks.cancel(session, **about)


def _tell(
    session: Session,
    request: ServiceRequest,
    entry: Activity,
    *,
    event: str,
    technician: int | None,
    rules: Rules,
    now: datetime,
) -> None:
    """Tell the customer what others did, the technician what is no longer theirs, the office what failed."""
    key = f"service-move:{entry.id}"
    said = telling.customer_reads(session, request, event)
    if event == EVENTS[DONE] and _is_asked_later(session, request, rules, now):
        said = telling.VISIT_DONE_WITHOUT_QUESTION, {}
    if said is not None and entry.actor != CUSTOMER:
        response, params = said
        telling.tell_customer(session, request, response=response, key=key, rules=rules, now=now, **params)
    gone = {CANCELLED: "utter_staff_visit_cancelled", UNASSIGNED: "utter_staff_visit_gone"}.get(event)
    if gone is not None:
        telling.tell_technician(
            session, request, staff_id=technician, response=gone, key=key, rules=rules, now=now
        )
    if event == EVENTS[NOT_DONE] and entry.actor == f"{_STAFF_PREFIX}{technician}":
        telling.tell_of_failure(session, request, key=key, rules=rules, now=now)


def _is_asked_later(session: Session, request: ServiceRequest, rules: Rules, now: datetime) -> bool:
    """Have a survey follow a visit that was done; whether one will."""
    return visit_was_done(
        session,
        request_id=request.id,
        customer_id=request.customer_id,
        staff_id=request.technician_id,
        rules=rules,
        now=now,
    )
