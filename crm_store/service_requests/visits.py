"""What technicians see and do: their own visits, and nobody else's."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, contains_eager

from crm_store.base import utcnow
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.persian import parse_tracking_code
from crm_store.rules import Rules
from crm_store.service_requests import states
from crm_store.service_requests.models import (
    ASSIGNED,
    DONE,
    NOT_DONE,
    NOT_DONE_REASONS,
    ON_THE_WAY,
    BookingWindow,
    ServiceRequest,
)
from crm_store.service_requests.timeline import was_done
from crm_store.service_requests.windows import day_begins, local_day
from crm_store.tickets.models import INTERNAL, SERVICE_REQUEST
from crm_store.tickets.notes import add_note

_UNDER_WAY = (ASSIGNED, ON_THE_WAY)


def visits_of(
    session: Session, *, staff_id: int, day: date, rules: Rules, with_earlier: bool = False
) -> list[ServiceRequest]:
    """The visits of a technician on a local day, in the order of their windows.

    Those that are over by now are among them. What has no agreed time yet comes last, on every day.

    Args:
        with_earlier: whether what was left open on earlier days is wanted too.
    """
    begins, ends = day_begins(day, rules), day_begins(day + timedelta(days=1), rules)
    of_the_day = and_(
        ServiceRequest.state.in_((*_UNDER_WAY, DONE, NOT_DONE)),
        BookingWindow.starts_at >= begins,
        BookingWindow.starts_at < ends,
    )
    no_day = ServiceRequest.window_id.is_(None)
    other_days = or_(no_day, BookingWindow.starts_at < begins) if with_earlier else no_day
    of_other_days = and_(ServiceRequest.state.in_(_UNDER_WAY), other_days)
    return list(
        session.scalars(
            select(ServiceRequest)
            .outerjoin(ServiceRequest.window)
            .options(contains_eager(ServiceRequest.window))
            .where(ServiceRequest.technician_id == staff_id, or_(of_the_day, of_other_days))
            .order_by(ServiceRequest.window_id.is_(None), BookingWindow.starts_at, ServiceRequest.id)
        )
    )


def set_off(
    session: Session, *, staff_id: int, code: str, inbox_id: int, rules: Rules, now: datetime | None = None
) -> ServiceRequest:
    """Leave for a visit; the customer is told.

    Raises:
        NotFound: no such code, or it is not this technician's visit.
        InvalidTransition: the visit is over or has not been reached yet, or its day has not come.
    """
    return _move(
        session, staff_id=staff_id, code=code, inbox_id=inbox_id, rules=rules, now=now, to=ON_THE_WAY
    )


def finish(
    session: Session,
    *,
    staff_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    text: str = "",
    attachment_ids: Collection[int] = (),
    now: datetime | None = None,
) -> ServiceRequest:
    """A visit was done; the customer is asked for a grade.

    Args:
        text: what was done, for the colleagues.
        attachment_ids: photos of the work.

    Raises:
        NotFound: no such code, or it is not this technician's visit.
        InvalidTransition: the visit is over already, or its day has not come.
    """
    request = _move(
        session,
        staff_id=staff_id,
        code=code,
        inbox_id=inbox_id,
        rules=rules,
        now=now,
        to=DONE,
        text=text,
    )
    _note(session, request, text=text, attachment_ids=attachment_ids, inbox_id=inbox_id, now=now)
    return request


def not_done(
    session: Session,
    *,
    staff_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    reason: str,
    text: str = "",
    attachment_ids: Collection[int] = (),
    now: datetime | None = None,
) -> ServiceRequest:
    """A visit did not succeed; the customer is told why, and how to agree on another time.

    Args:
        reason: one of NOT_DONE_REASONS.
        text: what was written about it, for the colleagues.
        attachment_ids: what shows why, such as a photo of a closed door.

    Raises:
        NotFound: no such code, or it is not this technician's visit.
        InvalidInput: there is no such reason.
        InvalidTransition: the visit is over already, or its day has not come.
    """
    if reason not in NOT_DONE_REASONS:
        raise InvalidInput(f"there is no reason {reason}")
    request = _move(
        session,
        staff_id=staff_id,
        code=code,
        inbox_id=inbox_id,
        rules=rules,
        now=now,
        to=NOT_DONE,
        reason=reason,
        text=text,
    )
    if attachment_ids:
        _note(session, request, text=text, attachment_ids=attachment_ids, inbox_id=inbox_id, now=now)
    return request


def _note(
    session: Session,
    request: ServiceRequest,
    *,
    text: str,
    attachment_ids: Collection[int],
    inbox_id: int,
    now: datetime | None,
) -> None:
    """Keep what the technician wrote and photographed, for the colleagues."""
    if text.strip() or attachment_ids:
        add_note(
            session,
            subject_type=SERVICE_REQUEST,
            subject_id=request.id,
            kind=INTERNAL,
            author=f"staff:{request.technician_id}",
            text=text,
            attachment_ids=attachment_ids,
            idempotency_key=f"inbox:{inbox_id}:service_request:{request.id}",
            now=now,
        )


def _move(
    session: Session,
    *,
    staff_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    now: datetime | None,
    to: str,
    reason: str = "",
    text: str = "",
) -> ServiceRequest:
    now = now or utcnow()
    request = _own_visit(session, staff_id, code)
    if was_done(session, request, states.EVENTS[to], inbox_id=inbox_id):
        return request
    if request.window is not None and local_day(now, rules) < local_day(request.window.starts_at, rules):
        raise InvalidTransition("the day of this visit has not come", state=request.state)
    return states.move(
        session,
        request,
        to=to,
        actor=f"staff:{staff_id}",
        rules=rules,
        reason=reason,
        text=text.strip(),
        now=now,
        inbox_id=inbox_id,
    )


def _own_visit(session: Session, staff_id: int, code: str) -> ServiceRequest:
    """A technician's own visit by its code, in either script, locked."""
    kept = parse_tracking_code(code) or ""
    request = session.scalar(select(ServiceRequest).where(ServiceRequest.code == kept))
    locked = states.lock(session, request) if request is not None else None
    if locked is None or locked.technician_id != staff_id:
        raise NotFound("no visit of this technician has this code")
    return locked
