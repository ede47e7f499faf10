"""Levels of membership: by what was bought within twelve Jalali months, net of what came back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.business.loyalty import Loyalty, Tier
from crm_store.customers.models import Customer
from crm_store.loyalty.balance import accounts_of
from crm_store.loyalty.models import LedgerPosting
from crm_store.loyalty.postings import lock_customer
from crm_store.loyalty.telling import tell_by_day
from crm_store.persian import group_thousands, to_jalali_text
from crm_store.persian.jalali_days import add_months
from crm_store.rules import Rules

#: Purchases of so many Jalali months count.
MONTHS = 12


class Standing(msgspec.Struct, frozen=True):
    """Where a customer stands.

    Attributes:
        tier: the level; None where the club has none.
        points: what counts for it now.
        next_tier: the level above; None at the top.
        missing: what is missing for that one.
        keeps_until: so long the points that there are now are enough for the level; None where they are not.
        grace_until: so long the level is kept although the points are not enough.
    """

    tier: Tier | None
    points: int
    next_tier: Tier | None = None
    missing: int = 0
    keeps_until: datetime | None = None
    grace_until: datetime | None = None


def tier_points(session: Session, *, customer_id: int, now: datetime, timezone: str) -> int:
    """Base points of purchases within the last twelve Jalali months, net of returns; never below zero."""
    begin = _begin_of_year(now, timezone)
    counted = select(func.sum(LedgerPosting.base)).where(
        LedgerPosting.account_id.in_(accounts_of(session, customer_id=customer_id)),
        LedgerPosting.base_at >= begin,
        LedgerPosting.base_at <= now,
    )
    return max(0, int(session.scalar(counted) or 0))


def tier_by_points(loyalty: Loyalty, points: int) -> Tier | None:
    """The level that so many points are enough for."""
    reached = [tier for tier in loyalty.tiers if tier.from_points <= points]
    return reached[-1] if reached else None


def standing_of(session: Session, *, customer_id: int, rules: Rules, now: datetime | None = None) -> Standing:
    """Where a customer stands now, by the level that is kept and by what was bought."""
    now = now or utcnow()
    loyalty = rules.business.loyalty
    points = tier_points(session, customer_id=customer_id, now=now, timezone=rules.timezone)
    customer = session.get_one(Customer, customer_id)
    tier = loyalty.tier(customer.tier) or tier_by_points(loyalty, points)
    if tier is None:
        return Standing(None, points)
    above = next((one for one in loyalty.tiers if one.from_points > max(tier.from_points, -1)), None)
    return Standing(
        tier=tier,
        points=points,
        next_tier=above,
        missing=max(0, above.from_points - points) if above is not None else 0,
        keeps_until=_enough_until(session, customer_id, tier, now, rules.timezone),
        grace_until=customer.tier_grace_until,
    )


def review_tier(
    session: Session,
    *,
    customer_id: int,
    rules: Rules,
    with_grace: bool = True,
    former_grace: datetime | None = None,
    now: datetime | None = None,
) -> None:
    """Bring a customer's level up to date, up at once, down only when the grace is over, and say so.

    A level that came with a customer list is kept like any other: too little for it, and the grace begins.

    Args:
        with_grace: False for a level that was reached by what came back: it is lost at once.
        former_grace: until when the level was kept before a purchase that came back. It counts again, or a
            purchase now and then that is sent back would keep a level for good.
    """
    now = now or utcnow()
    loyalty = rules.business.loyalty
    if not loyalty.is_on or not loyalty.tiers:
        return
    customer = lock_customer(session, customer_id)
    points = tier_points(session, customer_id=customer.id, now=now, timezone=rules.timezone)
    earned, kept = tier_by_points(loyalty, points), loyalty.tier(customer.tier)
    if earned is None:
        return
    if kept is None or earned.from_points > kept.from_points:
        is_told = kept is not None or earned.from_points > 0
        _move(session, customer, earned, "up", rules=rules, now=now, is_told=is_told)
    elif earned.from_points == kept.from_points:
        customer.tier_grace_until = None
        customer.tier_since = customer.tier_since or now
    else:
        had = customer.tier_grace_until
        until = had or former_grace or _months_later(now, loyalty.grace_months, rules.timezone)
        if not with_grace or until <= now or (had is None and not loyalty.grace_months):
            _move(session, customer, earned, "down", rules=rules, now=now, is_told=True)
        elif had is None:
            customer.tier_grace_until = until
            _tell_grace(session, customer, kept, missing=kept.from_points - points, rules=rules, now=now)


def _move(
    session: Session, customer: Customer, tier: Tier, way: str, *, rules: Rules, now: datetime, is_told: bool
) -> None:
    former, customer.tier = customer.tier, tier.name
    customer.tier_since, customer.tier_grace_until = now, None
    session.flush()
    record_activity(
        session,
        customer_id=customer.id,
        kind="loyalty.tier_up" if way == "up" else "loyalty.tier_down",
        actor="system",
        data={"from": former, "to": tier.name},
    )
    if not is_told:
        return
    params = {"tier": tier.name}
    if way == "down":
        response, params = "utter_tier_down", params | {"former": former}
    elif tier.benefits:
        response, params = "utter_tier_up_benefits", params | {"benefits": tier.benefits}
    else:
        response = "utter_tier_up"
    key = f"tier:{customer.id}:{tier.name}:{now.isoformat()}"
    tell_by_day(
        session, customer_id=customer.id, response=response, key=key, params=params, rules=rules, now=now
    )


def _tell_grace(
    session: Session, customer: Customer, tier: Tier, *, missing: int, rules: Rules, now: datetime
) -> None:
    until = customer.tier_grace_until
    if until is None:
        return
    record_activity(
        session,
        customer_id=customer.id,
        kind="loyalty.tier_grace",
        actor="system",
        data={"tier": tier.name, "until": until.isoformat()},
    )
    when = to_jalali_text(until - timedelta(seconds=1), rules.timezone)
    params = {"tier": tier.name, "missing": group_thousands(missing), "when": when}
    key = f"tier-grace:{customer.id}:{until.isoformat()}"
    tell_by_day(
        session,
        customer_id=customer.id,
        response="utter_tier_grace",
        key=key,
        params=params,
        rules=rules,
        now=now,
    )


def _enough_until(
    session: Session, customer_id: int, tier: Tier, now: datetime, timezone: str
) -> datetime | None:
    """When the first purchases leave the year without which the level is not reached."""
    rows = session.execute(
        select(LedgerPosting.base_at, func.sum(LedgerPosting.base))
        .where(
            LedgerPosting.account_id.in_(accounts_of(session, customer_id=customer_id)),
            LedgerPosting.base_at >= _begin_of_year(now, timezone),
            LedgerPosting.base_at <= now,
        )
        .group_by(LedgerPosting.base_at)
        .order_by(LedgerPosting.base_at)
    ).tuples()
    counted = [(at, int(base)) for at, base in rows if at is not None]
    left = sum(base for _at, base in counted)
    if left < tier.from_points or not tier.from_points:
        return None
    for at, base in counted:
        left -= base
        if left < tier.from_points:
            # The day after twelve months are over begins a year without that purchase.
            return _months_later(at, MONTHS, timezone)
    return None


def _begin_of_year(now: datetime, timezone: str) -> datetime:
    zone = ZoneInfo(timezone)
    return _midnight(add_months(now.astimezone(zone).date(), -MONTHS), zone)


def _months_later(at: datetime, months: int, timezone: str) -> datetime:
    """The midnight after the last day."""
    zone = ZoneInfo(timezone)
    return _midnight(add_months(at.astimezone(zone).date(), months) + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)
