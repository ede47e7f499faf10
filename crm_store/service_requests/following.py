"""What customers do with their own requests; the same message again does nothing a second time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.errors import InvalidInput, InvalidTransition, TooLate
from crm_store.rules import Rules
from crm_store.service_requests import scheduling, states, telling
from crm_store.service_requests.models import (
    ASSIGNED,
    CANCEL_REASONS,
    CANCELLED,
    DONE,
    NOT_DONE,
    ON_THE_WAY,
    OPEN_STATES,
    REQUESTED,
    SCHEDULED,
    ServiceRequest,
)
from crm_store.service_requests.service import own_request
from crm_store.service_requests.timeline import events, note_event, was_done
from crm_store.service_requests.windows import change_deadline, is_missed
from crm_store.sla import clocks
from crm_store.surveys.service import visit_was_graded
from crm_store.tickets.models import NOTE, SERVICE_REQUEST, TicketNote
from crm_store.tickets.notes import add_note as keep_note

#: A grade is taken so long after the visit, and can be changed so long after it was given.
RATE_WITHIN, CHANGE_RATING_WITHIN = timedelta(days=30), timedelta(days=1)
#: The visit has an agreed time and nobody has left for it yet.
_COMING = (SCHEDULED, ASSIGNED)


def reschedule(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    starts_at: datetime,
    now: datetime | None = None,
) -> ServiceRequest:
    """Move one's visit to the window that begins at a moment; see `crm_store.service_requests.scheduling`.

    Raises:
        NotFound: no such code, or it is somebody else's.
        FullyBooked: no place is left, or no window begins then that can be booked; nothing was changed.
        TooLate: the deadline has passed and the visit was not missed, or somebody is on the way.
        InvalidTransition: there is no visit to move.
    """
    now = now or utcnow()
    request = _locked(session, customer_id, code)
    is_agreed = request.state in _COMING and request.window and request.window.starts_at == starts_at
    if is_agreed or was_done(session, request, states.RESCHEDULED, inbox_id=inbox_id):
        return request
    _check_deadline(request, rules, now)
    if not _has_visit(request):
        raise InvalidTransition("there is no visit that could be moved", state=request.state)
    return scheduling.reschedule(
        session, request, starts_at=starts_at, actor="customer", rules=rules, now=now, inbox_id=inbox_id
    )


def cancel(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    reason: str,
    text: str = "",
    now: datetime | None = None,
) -> ServiceRequest:
    """Cancel one's request; its place is free again.

    Args:
        reason: one of CANCEL_REASONS.
        text: what was written about it.

    Raises:
        NotFound: no such code, or it is somebody else's.
        InvalidInput: there is no such reason.
        TooLate: the deadline has passed and the visit was not missed, or somebody is on the way.
        InvalidTransition: it is over already.
    """
    now = now or utcnow()
    if reason not in CANCEL_REASONS:
        raise InvalidInput(f"there is no reason {reason}")
    request = _locked(session, customer_id, code)
    if was_done(session, request, "cancelled", inbox_id=inbox_id):
        return request
    _check_deadline(request, rules, now)
    return states.move(
        session,
        request,
        to=CANCELLED,
        actor="customer",
        rules=rules,
        reason=reason,
        text=text,
        now=now,
        inbox_id=inbox_id,
    )


def confirm_visit(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,  # noqa: ARG001  # every service of the customer's takes the same
    now: datetime | None = None,
) -> ServiceRequest:
    """Say that the agreed time suits.

    Raises:
        NotFound: no such code, or it is somebody else's.
        InvalidTransition: there is no visit to come.
    """
    now = now or utcnow()
    request = _locked(session, customer_id, code)
    if request.state not in (*_COMING, ON_THE_WAY) or request.window is None or request.window.ends_at <= now:
        raise InvalidTransition("there is no visit to come", state=request.state)
    if request.confirmed_at is None:
        request.confirmed_at = now
        note_event(session, request, "confirmed", actor="customer", now=now, inbox_id=inbox_id)
    return request


def rate(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    value: int,
    scale: int,
    now: datetime | None = None,
) -> ServiceRequest:
    """Grade a visit that was done, once; within a day one may change one's mind.

    Args:
        value: the grade, from 1 on.
        scale: the best grade that could be given.

    Raises:
        NotFound: no such code, or it is somebody else's.
        InvalidInput: the grade is not on the scale.
        InvalidTransition: the visit was not done.
        TooLate: it was done too long ago, or the grade was given too long ago.
    """
    now = now or utcnow()
    if not 1 <= value <= scale:
        raise InvalidInput(f"{value} is not between 1 and {scale}")
    request = _locked(session, customer_id, code)
    if was_done(session, request, "rated", inbox_id=inbox_id):
        return request
    if request.state != DONE:
        raise InvalidTransition("only a visit that was done is graded", state=request.state)
    if not _takes_grade(session, request, now):
        raise TooLate("the time for a grade is over")
    request.rating, request.rating_scale = value, scale
    entry = note_event(
        session, request, "rated", actor="customer", now=now, inbox_id=inbox_id, value=value, scale=scale
    )
    is_followed_up = visit_was_graded(
        session, request_id=request.id, value=value, scale=scale, inbox_id=inbox_id, rules=rules, now=now
    )
    if value * 2 <= scale and not is_followed_up:
        telling.tell_of_low_grade(session, request, key=f"service-rated:{entry.id}", rules=rules, now=now)
    return request


def add_note(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    text: str,
    attachment_ids: Collection[int] = (),
    now: datetime | None = None,
) -> TicketNote:
    """Add words or files to one's request; whoever goes there hears of it, else those who send people out.

    Raises:
        NotFound: no such code, or it is somebody else's.
        InvalidInput: there are neither words nor files.
        InvalidTransition: it is over.
    """
    now = now or utcnow()
    if not text.strip() and not attachment_ids:
        raise InvalidInput("a note needs words or files")
    request = _locked(session, customer_id, code)
    is_new = not was_done(session, request, "note_added", inbox_id=inbox_id)
    if is_new and request.state not in OPEN_STATES:
        raise InvalidTransition("the request is over", state=request.state)
    note = keep_note(
        session,
        subject_type=SERVICE_REQUEST,
        subject_id=request.id,
        kind=NOTE,
        author="customer",
        text=text,
        attachment_ids=attachment_ids,
        idempotency_key=f"inbox:{inbox_id}:service_request:{request.id}",
        now=now,
    )
    if is_new:
        note_event(
            session, request, "note_added", actor="customer", now=now, inbox_id=inbox_id, note_id=note.id
        )
        clocks.customer_wrote(
            session, rules=rules, subject_type=SERVICE_REQUEST, subject_id=request.id, now=now
        )
        telling.tell_of_note(session, request, note_id=note.id, rules=rules, now=now)
    return note


def changeable(
    session: Session, *, customer_id: int, rules: Rules, now: datetime | None = None
) -> list[ServiceRequest]:
    """The requests whose visit the customer can move now, newest first."""
    return [
        request
        for request in cancellable(session, customer_id=customer_id, rules=rules, now=now)
        if _has_visit(request)
    ]


def cancellable(
    session: Session, *, customer_id: int, rules: Rules, now: datetime | None = None
) -> list[ServiceRequest]:
    """The requests that the customer can cancel now, newest first."""
    now = now or utcnow()
    return [
        request
        for request in _of(session, customer_id, (REQUESTED, SCHEDULED, ASSIGNED, NOT_DONE))
        if not _is_too_late(request, rules, now)
    ]


def takes_notes(
    session: Session,
    *,
    customer_id: int,
    rules: Rules,  # noqa: ARG001  # every list of the customer's takes the same
    now: datetime | None = None,  # noqa: ARG001  # likewise
) -> list[ServiceRequest]:
    """The requests to which the customer can add something, newest first."""
    return _of(session, customer_id, OPEN_STATES)


def rateable(
    session: Session,
    *,
    customer_id: int,
    rules: Rules,  # noqa: ARG001  # every list of the customer's takes the same
    now: datetime | None = None,
) -> list[ServiceRequest]:
    """The requests whose visit the customer can grade now, newest first."""
    now = now or utcnow()
    return [request for request in _of(session, customer_id, (DONE,)) if _takes_grade(session, request, now)]


def _locked(session: Session, customer_id: int, code: str) -> ServiceRequest:
    return states.lock(session, own_request(session, customer_id=customer_id, code=code))


def _of(session: Session, customer_id: int, in_states: Collection[str]) -> list[ServiceRequest]:
    return list(
        session.scalars(
            select(ServiceRequest)
            .where(ServiceRequest.customer_id == customer_id, ServiceRequest.state.in_(in_states))
            .order_by(ServiceRequest.id.desc())
        )
    )


def _has_visit(request: ServiceRequest) -> bool:
    """Whether there is a time that can be moved, or a visit to try again."""
    return request.window is not None and request.state in (*_COMING, NOT_DONE)


def _is_too_late(request: ServiceRequest, rules: Rules, now: datetime) -> bool:
    if request.state == ON_THE_WAY:
        return True
    if request.state not in _COMING or request.window is None or is_missed(request, now):
        return False
    return now > change_deadline(request.window, rules)


def _check_deadline(request: ServiceRequest, rules: Rules, now: datetime) -> None:
    if _is_too_late(request, rules, now):
        raise TooLate("the visit is too close to be changed in chat")


def _takes_grade(session: Session, request: ServiceRequest, now: datetime) -> bool:
    if request.done_at is None or now > request.done_at + RATE_WITHIN:
        return False
    given = events(session, request, "rated")
    return not given or now <= given[0].at + CHANGE_RATING_WITHIN
