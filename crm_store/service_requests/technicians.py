"""Who can go there: skills, areas, and nobody in two places at once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.errors import FullyBooked, NotAllowed, NotFound
from crm_store.rules import Rules
from crm_store.service_requests.models import ASSIGNED, ON_THE_WAY, BookingWindow, ServiceRequest
from crm_store.service_requests.windows import covers
from crm_store.staff.models import StaffMember

#: Somebody is sent to these visits, and was not there yet or is not done.
UNDER_WAY = (ASSIGNED, ON_THE_WAY)


def take_in(
    session: Session, request: ServiceRequest, *, staff_id: int, window: BookingWindow | None, rules: Rules
) -> StaffMember:
    """Make sure that somebody can go to a visit.

    The member's row stays locked until the unit of work ends: two visits for one technician are looked at one
    after the other.

    Args:
        window: when the visit would be; None while that is not agreed.

    Raises:
        NotFound: there is no such member, or they no longer work here.
        NotAllowed: they lack a skill, or do not go to that city.
        FullyBooked: with this visit they would have more to do than fits into the window.
    """
    member = session.scalar(
        select(StaffMember)
        .where(StaffMember.id == staff_id, StaffMember.disabled_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if member is None:
        raise NotFound(f"there is no member of staff with the id {staff_id}")
    missing = set(rules.business.service_kind(request.kind).skills) - set(member.skills)
    if missing:
        raise NotAllowed(f"{member.name} lacks {', '.join(sorted(missing))}")
    if not covers(member.areas, request.city):
        raise NotAllowed(f"{member.name} does not go to {request.city or 'a place without a city'}")
    if window is not None and not _has_time(session, request, staff_id, window, rules):
        raise FullyBooked(f"{member.name} has no time left in this window")
    return member


def can_take_in(
    session: Session, request: ServiceRequest, *, staff_id: int, window: BookingWindow, rules: Rules
) -> bool:
    """Whether somebody can go to a visit; see `take_in`."""
    try:
        take_in(session, request, staff_id=staff_id, window=window, rules=rules)
    except (NotFound, NotAllowed, FullyBooked):
        return False
    return True


def _has_time(
    session: Session, request: ServiceRequest, staff_id: int, window: BookingWindow, rules: Rules
) -> bool:
    """Whether all visits in windows that overlap this one fit into it, one after the other."""
    kinds = session.scalars(
        select(ServiceRequest.kind)
        .join(ServiceRequest.window)
        .where(
            ServiceRequest.technician_id == staff_id,
            ServiceRequest.id != request.id,
            ServiceRequest.state.in_(UNDER_WAY),
            BookingWindow.starts_at < window.ends_at,
            BookingWindow.ends_at > window.starts_at,
        )
    )
    minutes = sum(rules.business.service_kind(kind).duration_minutes for kind in [*kinds, request.kind])
    return timedelta(minutes=minutes) <= window.ends_at - window.starts_at
