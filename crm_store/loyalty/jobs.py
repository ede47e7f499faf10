"""The club's work by night: what lapses, who goes up or down, what is called to mind.

One job a night looks who has something to be done and plans a job for each of them, so that every customer is
dealt with in a transaction of their own; some hundreds at a time, so that nobody else waits long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.business.loyalty import Loyalty
from crm_store.customers.models import Customer
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import Handler, schedule, waiting
from crm_store.loyalty import ledger, referral_rewards
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.lapsing import write_off
from crm_store.loyalty.models import LedgerPosting, LedgerProof, LotMovement, LoyaltyAccount, PointLot
from crm_store.loyalty.people import standing_customer
from crm_store.loyalty.redemptions import LAPSED_AT_ONCE, lapse_due
from crm_store.loyalty.referral_rewards import OF_CUSTOMER
from crm_store.loyalty.telling import tell_by_day
from crm_store.loyalty.tiers import MONTHS, review_tier
from crm_store.loyalty.versions import rules_version
from crm_store.outbox import TO_MANY
from crm_store.persian import group_thousands, to_jalali_text
from crm_store.persian.jalali_days import add_months, jalali
from crm_store.rules import Rules

NIGHTLY = "loyalty_nightly"
#: In the data of the nightly job: the last customer who was looked at tonight.
AFTER = "after"
#: The same: the version of the rules by which everybody was looked at last, and the one of tonight. Rules
#: that change while the night's work is under way count as new in the next night.
RULES, TONIGHT = "rules", "tonight"
#: Local time of the nightly look.
AT_NIGHT = time(2, 30)
#: Purchases that left the twelve months within so many days: a stop of some nights leaves nobody out.
LOOKED_BACK = timedelta(days=40)
#: So many customers are looked at in one transaction.
AT_ONCE = 1000


def plan_nightly(session: Session, *, rules: Rules, now: datetime) -> None:
    """Have the nightly work done, if it is not planned already."""
    if rules.business.loyalty.is_on and waiting(session, key=NIGHTLY) is None:
        schedule(session, kind=NIGHTLY, key=NIGHTLY, due_at=_next(now, rules))


def proof_is_due(session: Session, *, rules: Rules, now: datetime) -> bool:
    """Whether the ledger is to be proven: once a night, where there is anything in it."""
    zone = ZoneInfo(rules.timezone)
    begin = _at(now.astimezone(zone).date(), AT_NIGHT, zone)
    if now < begin or session.scalar(select(LedgerPosting.id).limit(1)) is None:
        return False
    return (
        session.scalar(select(LedgerProof.id).where(LedgerProof.at >= begin, LedgerProof.at <= now).limit(1))
        is None
    )


def handlers(rules: Callable[[], Rules]) -> dict[str, Handler]:
    """What does the jobs of the club, by their kinds."""

    def nightly(session: Session, job: ScheduledJob, now: datetime) -> None:
        present = rules()
        if not present.business.loyalty.is_on:
            return
        while lapse_due(session, rules=present, now=now) == LAPSED_AT_ONCE:
            session.flush()
        members = _members(session, int(job.data.get(AFTER, 0)), present.business.loyalty)
        former = job.data.get(RULES)
        version = job.data.get(TONIGHT) or rules_version(session, present.business.loyalty)
        # Other rules may mean another level for anybody.
        chosen = set(members) if former != version else _with_something_to_do(session, members, present, now)
        for customer_id in sorted(chosen):
            key = f"loyalty-customer:{customer_id}"
            schedule(session, kind=OF_CUSTOMER, key=key, due_at=now, data={"customer_id": customer_id})
        if len(members) == AT_ONCE:
            data = {AFTER: members[-1], RULES: former, TONIGHT: version}
            schedule(session, kind=NIGHTLY, key=NIGHTLY, due_at=now, data=data)
        else:
            schedule(session, kind=NIGHTLY, key=NIGHTLY, due_at=_next(now, present), data={RULES: version})

    def of_customer(session: Session, job: ScheduledJob, now: datetime) -> None:
        customer = standing_customer(session, job.data["customer_id"])
        present = rules()
        if customer is None or not present.business.loyalty.is_on:
            return
        ledger.lock_customer(session, customer.id)
        _write_off(session, customer.id, present, now)
        referral_rewards.reward_late(session, customer=customer, rules=present, now=now)
        review_tier(session, customer_id=customer.id, rules=present, now=now)
        _call_to_mind(session, customer.id, present, now)

    return {NIGHTLY: nightly, OF_CUSTOMER: of_customer}


def _write_off(session: Session, customer_id: int, rules: Rules, now: datetime) -> None:
    """Write off what lapsed; nobody hears of points that were over when they came."""
    lapsed = write_off(session, customer_id=customer_id, now=now)
    if lapsed.points:
        record_activity(
            session,
            customer_id=customer_id,
            kind="loyalty.expired",
            actor="system",
            data={"points": lapsed.points},
        )
    if lapsed.news:
        day = now.astimezone(ZoneInfo(rules.timezone)).date()
        tell_by_day(
            session,
            customer_id=customer_id,
            response="utter_points_expired",
            key=f"expired:{customer_id}:{day}",
            params={"points": group_thousands(lapsed.news)},
            rules=rules,
            now=now,
            priority=TO_MANY,
        )


def _members(session: Session, after: int, loyalty: Loyalty) -> list[int]:
    """The next customers with an account or a level, by their ids: a list may have brought that alone."""
    accounts = select(LoyaltyAccount.customer_id).where(LoyaltyAccount.customer_id > after).distinct()
    found = list(session.scalars(accounts.order_by(LoyaltyAccount.customer_id).limit(AT_ONCE)))
    if not loyalty.tiers:
        return found
    listed = select(Customer.id).where(Customer.id > after, *_has_level(loyalty))
    if len(found) == AT_ONCE:
        # No further than this page goes, or every page would look through all customers that are left.
        listed = listed.where(Customer.id < found[-1])
    with_level = session.scalars(listed.order_by(Customer.id).limit(AT_ONCE))
    return sorted({*found, *with_level})[:AT_ONCE]


def _has_level(loyalty: Loyalty) -> tuple[ColumnElement[bool], ...]:
    """Whether a record that stands has a level that the club knows."""
    return (
        Customer.tier.in_([tier.name for tier in loyalty.tiers]),
        Customer.merged_into_id.is_(None),
        Customer.erased_at.is_(None),
    )


def _with_something_to_do(session: Session, members: Sequence[int], rules: Rules, now: datetime) -> set[int]:
    """Those of some customers, in order, whose points lapse or lapsed, or whose level may change."""
    if not members:
        return set()
    loyalty, zone = rules.business.loyalty, ZoneInfo(rules.timezone)
    soon = now + timedelta(days=loyalty.expiring_soon_days)
    ending = (
        select(LoyaltyAccount.customer_id)
        .join(PointLot, PointLot.account_id == LoyaltyAccount.id)
        .join(LotMovement, LotMovement.lot_id == PointLot.id)
        .where(
            LoyaltyAccount.customer_id.between(members[0], members[-1]),
            PointLot.expires_at <= soon,
        )
        .group_by(LoyaltyAccount.customer_id, PointLot.id)
        .having(func.sum(LotMovement.points) > 0)
    )
    begin = datetime.combine(add_months(now.astimezone(zone).date(), -MONTHS), time.min, zone)
    left_the_year = (
        select(LoyaltyAccount.customer_id)
        .join(LedgerPosting, LedgerPosting.account_id == LoyaltyAccount.id)
        .where(
            LoyaltyAccount.customer_id.between(members[0], members[-1]),
            LedgerPosting.base_at >= begin - LOOKED_BACK,
            LedgerPosting.base_at < begin,
        )
    )
    in_grace = (
        select(Customer.id)
        .outerjoin(LoyaltyAccount, LoyaltyAccount.customer_id == Customer.id)
        .where(
            Customer.id.between(members[0], members[-1]),
            or_(
                Customer.tier_grace_until <= now,
                # A level of which nobody has seen yet whether enough was bought for it.
                and_(Customer.tier_since.is_(None), Customer.tier_grace_until.is_(None)),
            ),
            or_(LoyaltyAccount.id.is_not(None), and_(*_has_level(loyalty))),
        )
    )
    chosen = [ending, left_the_year] + ([in_grace] if loyalty.tiers else [])
    return {customer_id for statement in chosen for customer_id in session.scalars(statement)}


def _call_to_mind(session: Session, customer_id: int, rules: Rules, now: datetime) -> None:
    """Tell of points that lapse soon, once a Jalali month at the most."""
    soon = timedelta(days=rules.business.loyalty.expiring_soon_days)
    balance = balance_of(session, customer_id=customer_id, soon=soon, now=now)
    if not balance.expiring_soon or balance.expires_first_at is None:
        return
    zone = ZoneInfo(rules.timezone)
    year, month, _day = jalali(now.astimezone(zone).date())
    params = {
        "points": group_thousands(balance.expiring_soon),
        "when": to_jalali_text(balance.expires_first_at - timedelta(seconds=1), rules.timezone),
    }
    key = f"expiring:{customer_id}:{year}-{month:02}"
    tell_by_day(
        session,
        customer_id=customer_id,
        response="utter_points_expiring",
        key=key,
        params=params,
        rules=rules,
        now=now,
        priority=TO_MANY,
    )


def _next(now: datetime, rules: Rules) -> datetime:
    zone = ZoneInfo(rules.timezone)
    tonight = _at(now.astimezone(zone).date(), AT_NIGHT, zone)
    return tonight if tonight > now else tonight + timedelta(days=1)


def _at(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone)
