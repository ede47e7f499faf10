"""Points that members of staff give or take in chat, within the limits of their role (``[staff].points``)."""

from __future__ import annotations

from datetime import datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.errors import NotAllowed
from crm_store.loyalty import ledger
from crm_store.loyalty.models import ADJUST, LedgerPosting
from crm_store.persian.jalali_days import jalali, month_start
from crm_store.rules import Rules
from crm_store.staff.models import ROLES, StaffMember


class Room(NamedTuple):
    """What a member of staff may still do.

    Attributes:
        each: points that they may give or take in one go.
        left: points that they may still give in this Jalali month.
    """

    each: int
    left: int

    def allows(self, points: int) -> bool:
        """Whether so many points may be given, or taken where the number is below zero."""
        return abs(points) <= self.each and points <= self.left


def room_of(session: Session, *, staff: StaffMember, rules: Rules, now: datetime | None = None) -> Room:
    """What a member of staff may give or take now; nothing for a role without limits in the settings."""
    limits = next((limit for role, limit in rules.business.staff.points.items() if role == staff.role), None)
    if limits is None:
        return Room(0, 0)
    own = next(
        (most for role, most in rules.business.loyalty.adjust_limit.items() if role == staff.role), None
    )
    each = limits.each if own is None else min(limits.each, own)
    given = _given_this_month(session, staff, rules, now or utcnow())
    return Room(each, max(0, limits.monthly - given))


def adjust_points(
    session: Session,
    *,
    customer_id: int,
    points: int,
    reason: str,
    staff: StaffMember,
    inbox_id: int,
    rules: Rules,
    now: datetime | None = None,
) -> LedgerPosting:
    """Give points, or take some with a number below zero; the same message again changes nothing more.

    Args:
        reason: why, for the audit trail.
        inbox_id: the member's message that confirmed it.

    Raises:
        NotAllowed: more than the role may give or take at once, or give in this month.
        NotEnoughPoints: the customer has fewer than are to be taken.
        InvalidInput: zero, or no reason.
        NotFound, InvalidTransition: as `crm_store.loyalty.ledger.lock_customer`.
    """
    key = f"staff-adjust:{inbox_id}"
    if ledger.posting_by_key(session, key) is None:
        # Two messages of one member do not both use the same room.
        session.get_one(StaffMember, staff.id, with_for_update=True)
        if not room_of(session, staff=staff, rules=rules, now=now).allows(points):
            raise NotAllowed(f"{staff.role} may not give or take so many points")
    return ledger.adjust(
        session,
        customer_id=customer_id,
        points=points,
        reason=reason,
        actor=f"staff:{staff.id}",
        role=ROLES[-1],  # the limits were looked at above
        rules=rules,
        key=key,
        now=now,
    )


def _given_this_month(session: Session, staff: StaffMember, rules: Rules, now: datetime) -> int:
    zone = ZoneInfo(rules.timezone)
    year, month, _ = jalali(now.astimezone(zone).date())
    begins = datetime.combine(month_start(year, month), time(), zone)
    worth = LedgerPosting.points - LedgerPosting.debt
    given = select(func.coalesce(func.sum(worth), 0)).where(
        LedgerPosting.kind == ADJUST,
        LedgerPosting.actor == f"staff:{staff.id}",
        LedgerPosting.at >= begins,
        worth > 0,
    )
    return int(session.scalar(given) or 0)
