"""Agreeing on another time: the new place is taken and the old one given back in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.rules import Rules
from crm_store.service_requests import booking, states, technicians, telling
from crm_store.service_requests.models import ASSIGNED, REQUESTED, SCHEDULED, ServiceRequest


def reschedule(
    session: Session,
    request: ServiceRequest,
    *,
    starts_at: datetime,
    actor: str,
    rules: Rules,
    now: datetime,
    inbox_id: int | None = None,
) -> ServiceRequest:
    """Move a visit to the window that begins at a moment, or give it its first one.

    A technician who was sent there keeps the visit if free then. Otherwise it waits for one again, of which
    those hear who send people out, unless they did this themselves.

    Args:
        actor: ``customer``, ``operator`` or ``staff:<id>``; only a customer has to give notice.

    Raises:
        FullyBooked: no place is left, or no window begins then that can be booked; nothing was changed.
        InvalidTransition: it is not possible in its state, or not for this actor.
    """
    request = states.lock(session, request)
    states.check_move(session, request, to=SCHEDULED, actor=actor)
    before, former, technician = request.state, request.window, request.technician_id
    is_coming = before in (SCHEDULED, ASSIGNED)
    if is_coming and former is not None and former.starts_at == starts_at:
        return request
    request.window = booking.book(
        session,
        kind=rules.business.service_kind(request.kind),
        starts_at=starts_at,
        rules=rules,
        now=now,
        with_notice=actor == states.CUSTOMER,
        instead_of=former if is_coming else None,
    )
    request.confirmed_at = None
    keeps = technician is not None and technicians.can_take_in(
        session, request, staff_id=technician, window=request.window, rules=rules
    )
    states.move(
        session,
        request,
        to=ASSIGNED if keeps else SCHEDULED,
        actor=actor,
        rules=rules,
        event="scheduled" if before == REQUESTED else states.RESCHEDULED,
        now=now,
        inbox_id=inbox_id,
    )
    if technician is not None:
        _tell_of_move(
            session,
            request,
            technician=technician,
            keeps=keeps,
            moved_from=telling.time_of(former, rules, now),
            actor=actor,
            rules=rules,
            now=now,
        )
    return request


def _tell_of_move(
    session: Session,
    request: ServiceRequest,
    *,
    technician: int,
    keeps: bool,
    moved_from: str | dict[str, Any],
    actor: str,
    rules: Rules,
    now: datetime,
) -> None:
    """Tell the technician when to come now, or that they need not; and who sends people out."""
    key = f"service-rescheduled:{request.id}:{request.version}"
    about: dict[str, Any] = {"key": key, "rules": rules, "now": now, "before": moved_from}
    response = "utter_staff_visit_moved" if keeps else "utter_staff_visit_moved_away"
    telling.tell_technician(session, request, staff_id=technician, response=response, **about)
    if not keeps and actor == states.CUSTOMER:
        about["key"], about["name"] = f"{key}:unassigned", telling.name_of(session, technician)
        telling.tell_dispatchers(session, request, response="utter_staff_visit_unassigned", **about)
