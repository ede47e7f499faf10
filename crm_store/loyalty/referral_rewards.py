"""What a referral brings to both sides after the friend's first purchase, once and while it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.business.loyalty import ReferralRules
from crm_store.customers.models import Customer
from crm_store.loyalty import ledger
from crm_store.loyalty.expiry import expiry_of
from crm_store.loyalty.models import (
    EARN,
    REFUSED,
    REWARDED,
    TAKEN_BACK,
    WAITING,
    LedgerPosting,
    PointLot,
    Referral,
)
from crm_store.loyalty.people import standing_customer
from crm_store.loyalty.postings import PART, parts_of
from crm_store.loyalty.referrals import Reason, posting_key, shares_a_number, was_brought_by
from crm_store.loyalty.telling import tell_by_day
from crm_store.loyalty.undoing import is_reversed
from crm_store.loyalty.versions import rules_version
from crm_store.persian import group_thousands
from crm_store.persian.jalali_days import add_months
from crm_store.purchases.models import Purchase
from crm_store.rules import Rules

SYSTEM = "system"
#: The job that brings what a customer has and is in the club up to date (`crm_store.loyalty.jobs`).
OF_CUSTOMER = "loyalty_customer"
#: In the data of a reward's posting: from when on its points cannot be spent, in seconds since 1970. What
#: settled a debt opened no lot that could tell.
EXPIRES = "expires"
_MONTHS = 12
_RIALS_IN_A_TOMAN = 10


def reward_for(
    session: Session, *, customer: Customer, purchase: Purchase, rules: Rules, now: datetime
) -> None:
    """Reward both sides for a friend's first purchase, if it is one and comes to enough.

    What was looked at when the code was entered is looked at again: records may have been joined since, or
    codes entered at the same moment. Whoever brings friends is locked after them: as there are no rings,
    nobody waits for each other.
    """
    referral = _waiting_of(session, customer)
    bringing = rules.business.loyalty.referral
    if referral is None or purchase.total < bringing.minimum_tomans * _RIALS_IN_A_TOMAN:
        return
    referrer = standing_customer(session, referral.referrer_id)
    reason = _why_not_rewarded(session, referral, customer, referrer)
    if reason is not None:
        referral.state, referral.reason = REFUSED, reason
        session.flush()
        return
    _earn(
        session,
        referral,
        side="friend",
        customer_id=customer.id,
        points=bringing.friend_points,
        rules=rules,
        now=now,
    )
    if referrer is not None:
        ledger.lock_customer(session, referrer.id)  # or two friends at once would share the last place
    if referrer is None or _is_over_limit(session, referrer.id, bringing, rules, now):
        referral.state, referral.reason = REFUSED, "limit"
    else:
        referral.state, referral.rewarded_at = REWARDED, now
        earned = _earn(
            session,
            referral,
            side="referrer",
            customer_id=referrer.id,
            points=bringing.referrer_points,
            rules=rules,
            now=now,
        )
        if earned is not None:
            _tell(session, referrer.id, referral, bringing.referrer_points, rules=rules, now=now)
    referral.purchase_id = purchase.id
    session.flush()


def reward_late(session: Session, *, customer: Customer, rules: Rules, now: datetime) -> None:
    """Reward a friend's purchase that became theirs only when their records were joined."""
    referral = _waiting_of(session, customer)
    if referral is None:
        return
    least = rules.business.loyalty.referral.minimum_tomans * _RIALS_IN_A_TOMAN
    since = select(Purchase).where(
        Purchase.customer_id == customer.id, Purchase.paid_at >= referral.created_at
    )
    for purchase in session.scalars(since.order_by(Purchase.paid_at, Purchase.id)):
        left = purchase.total - sum(row.amount for row in purchase.returns)
        if left > 0 and left >= least:
            reward_for(session, customer=customer, purchase=purchase, rules=rules, now=now)
            return


def least_rials(content: Mapping[str, Any]) -> int:
    """What a friend's purchase had to come to by rules as they were kept (`content_of`)."""
    return int(content.get("referral", {}).get("minimum_tomans", 0)) * _RIALS_IN_A_TOMAN


def take_back_for(session: Session, *, purchase: Purchase, now: datetime) -> None:
    """Take back what a friend's purchase brought to both sides, when it went back."""
    for referral in session.scalars(select(Referral).where(Referral.purchase_id == purchase.id)):
        _take_back(session, referral, "returned", now)


def settle_merge(session: Session, *, customer_id: int, now: datetime | None = None) -> dict[str, list[str]]:
    """Take back a referral whose two sides turn out to be one person.

    What was spent of it is owed, until `crm_store.loyalty.settling` settles it with what the other side has.

    Returns:
        State and reason that each of them had before, by its number.
    """
    own = select(Referral).where(Referral.referrer_id == customer_id, Referral.friend_id == customer_id)
    before = {}
    for referral in session.scalars(own).all():
        before[str(referral.id)] = [referral.state, referral.reason]
        _take_back(session, referral, "own", now or utcnow(), is_within=True)
    return before


def restore_referral(
    session: Session, *, referral_id: int, state: str, reason: str, key: str, now: datetime
) -> None:
    """Bring a referral back whose two sides are two people after all; what was taken back is given again.

    Args:
        state: as it was before it was taken back, with its reason.
        key: names the change; the same key again gives nothing twice.
    """
    referral = session.get(Referral, referral_id)
    if referral is None or (referral.state, referral.reason) != (TAKEN_BACK, "own"):
        return
    for side in ("friend", "referrer") if state == REWARDED else ():
        posting = _reward_of(session, referral, side)
        who = standing_customer(session, referral.friend_id if side == "friend" else referral.referrer_id)
        if posting is not None and who is not None and is_reversed(session, posting):
            ledger.earn(
                session,
                customer_id=who.id,
                points=sum(part.points - part.debt for part in parts_of(session, posting)),
                cause=posting.cause,
                actor=SYSTEM,
                key=f"{posting_key(referral.id, side)}:{key}",
                expires_at=_end_of(session, posting),
                rules_id=posting.rules_id,
                data=posting.data,
                now=now,
            )
    referral.state, referral.reason = state, reason
    session.flush()


def _reward_of(session: Session, referral: Referral, side: str) -> LedgerPosting | None:
    """What a side was given, or given again, last."""
    first, key = posting_key(referral.id, side), LedgerPosting.idempotency_key
    given = select(LedgerPosting).where(
        LedgerPosting.cause == f"referral:{referral.id}",
        LedgerPosting.kind == EARN,
        # A further posting of the same change is none of its own.
        or_(key == first, key.startswith(f"{first}:") & ~key.contains(PART)),
    )
    return session.scalars(given.order_by(LedgerPosting.id.desc())).first()


def _end_of(session: Session, reward: LedgerPosting) -> datetime | None:
    """From when on the points of a reward cannot be spent."""
    lot = session.scalar(select(PointLot).where(PointLot.posting_id == reward.id))
    if lot is not None:
        return lot.expires_at
    seconds = reward.data.get(EXPIRES)
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds is not None else None


def _waiting_of(session: Session, friend: Customer) -> Referral | None:
    """The first referral of a friend that still waits for a purchase."""
    waiting = select(Referral).where(Referral.friend_id == friend.id, Referral.state == WAITING)
    return session.scalars(waiting.order_by(Referral.id)).first()


def _why_not_rewarded(
    session: Session, referral: Referral, friend: Customer, referrer: Customer | None
) -> Reason | None:
    if referrer is not None and (
        referrer.id == friend.id or shares_a_number(session, friend.id, referrer.id)
    ):
        return "own"
    rewarded = select(Referral.id).where(
        Referral.friend_id == friend.id, Referral.id != referral.id, Referral.purchase_id.is_not(None)
    )
    if session.scalar(rewarded.limit(1)) is not None:
        return "already"
    before = select(Purchase.id).where(
        Purchase.customer_id == friend.id, Purchase.paid_at < referral.created_at
    )
    if session.scalar(before.limit(1)) is not None:
        return "too_late"
    return "ring" if referrer is not None and was_brought_by(session, referrer.id, friend.id) else None


def _is_over_limit(
    session: Session, referrer_id: int, bringing: ReferralRules, rules: Rules, now: datetime
) -> bool:
    zone = ZoneInfo(rules.timezone)
    begin = datetime.combine(add_months(now.astimezone(zone).date(), -_MONTHS), time.min, zone)
    counted = select(func.count()).where(
        Referral.referrer_id == referrer_id,
        or_(Referral.state == REWARDED, Referral.state == TAKEN_BACK),
        Referral.rewarded_at > begin - timedelta(seconds=1),
    )
    return int(session.scalar(counted) or 0) >= bringing.yearly_limit


def _earn(
    session: Session,
    referral: Referral,
    *,
    side: str,
    customer_id: int,
    points: int,
    rules: Rules,
    now: datetime,
) -> LedgerPosting | None:
    if not points:
        return None
    expires_at = expiry_of(now, rules)
    return ledger.earn(
        session,
        customer_id=customer_id,
        points=points,
        cause=f"referral:{referral.id}",
        actor=SYSTEM,
        key=posting_key(referral.id, side),
        expires_at=expires_at,
        rules_id=rules_version(session, rules.business.loyalty),
        data={EXPIRES: int(expires_at.timestamp())} if expires_at is not None else {},
        now=now,
    )


def _take_back(
    session: Session, referral: Referral, reason: str, now: datetime, *, is_within: bool = False
) -> None:
    for side in ("friend", "referrer"):
        posting = _reward_of(session, referral, side)
        who = standing_customer(session, referral.friend_id if side == "friend" else referral.referrer_id)
        if posting is not None and who is not None and not is_reversed(session, posting):
            key = f"{posting.idempotency_key}:back"
            by = {"cause": posting.cause, "actor": SYSTEM, "key": key}
            ledger.reverse(session, posting=posting, **by, is_within=is_within, now=now)
    referral.state, referral.reason = TAKEN_BACK, reason
    session.flush()


def _tell(
    session: Session, customer_id: int, referral: Referral, points: int, *, rules: Rules, now: datetime
) -> None:
    record_activity(
        session,
        customer_id=customer_id,
        kind="loyalty.referral_rewarded",
        actor=SYSTEM,
        subject_type="referral",
        subject_id=referral.id,
        data={"points": points},
    )
    tell_by_day(
        session,
        customer_id=customer_id,
        response="utter_referral_rewarded",
        key=f"referral-rewarded:{referral.id}",
        params={"points": group_thousands(points)},
        rules=rules,
        now=now,
    )
