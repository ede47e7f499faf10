"""What purchases, friends and answers bring, and what goes when a purchase comes back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity, record_activity
from crm_store.base import utcnow
from crm_store.customers.models import Customer
from crm_store.customers.profile import CHANGED
from crm_store.loyalty import ledger, referral_rewards
from crm_store.loyalty.balance import accounts_of
from crm_store.loyalty.counting import Line, count_by, count_points, rates_of
from crm_store.loyalty.expiry import expiry_of
from crm_store.loyalty.models import EARN, LedgerPosting
from crm_store.loyalty.people import standing_customer
from crm_store.loyalty.postings import parts_of
from crm_store.loyalty.telling import tell_by_day
from crm_store.loyalty.tiers import review_tier
from crm_store.loyalty.undoing import is_reversed, taken_back
from crm_store.loyalty.versions import content_of, rules_version
from crm_store.persian import group_thousands
from crm_store.persian.jalali_days import jalali, month_start
from crm_store.purchases.models import Purchase, PurchaseReturn
from crm_store.rules import Rules

SYSTEM = "system"
_RIALS_IN_A_TOMAN = 10
_A_YEAR = timedelta(days=365)
#: Begins the keys and causes of what purchases earn.
_PURCHASE = "purchase:"
#: In the data of a purchase's posting: until when a level was kept for which too little had been bought,
#: in seconds since 1970.
GRACE = "grace"


def earn_for_purchase(
    session: Session, *, purchase: Purchase, rules: Rules, is_told: bool = True, now: datetime | None = None
) -> LedgerPosting | None:
    """Book what a purchase brings: its points, those of a first purchase, and those of a friend who came.

    A purchase that is told late expires by the day on which it was paid. The same purchase again gives the
    first posting.

    Args:
        is_told: False for purchases of the past that are brought along: nobody hears of each of them.

    Returns:
        The posting of its own points; None where it brings none, or nobody is left to have them.
    """
    now = now or utcnow()
    loyalty = rules.business.loyalty
    customer = standing_customer(session, purchase.customer_id)
    if not loyalty.is_on or customer is None:
        return None
    ledger.lock_customer(session, customer.id)
    known = ledger.posting_by_key(session, _key(purchase))
    if known is not None:
        return known
    review_tier(session, customer_id=customer.id, rules=rules, now=now)
    grace = customer.tier_grace_until
    counted = count_points(
        loyalty,
        lines=[Line(line.category, line.amount) for line in purchase.lines],
        paid_at=purchase.paid_at,
        tier=customer.tier,
        birthday=_lasting_birthday(session, customer, purchase.paid_at),
        timezone=rules.timezone,
    )
    if not counted.points:
        referral_rewards.reward_for(session, customer=customer, purchase=purchase, rules=rules, now=now)
        return None
    expires_at = expiry_of(purchase.paid_at, rules)
    posting = ledger.earn(
        session,
        customer_id=customer.id,
        points=counted.points,
        cause=_key(purchase),
        actor=SYSTEM,
        key=_key(purchase),
        expires_at=expires_at,
        base=counted.base,
        base_at=purchase.paid_at,
        rules_id=rules_version(session, loyalty),
        data=counted.as_data() | ({GRACE: int(grace.timestamp())} if grace is not None else {}),
        now=now,
    )
    bonus = _first_purchase(session, customer, purchase, rules, now)
    referral_rewards.reward_for(session, customer=customer, purchase=purchase, rules=rules, now=now)
    _note(session, customer.id, "loyalty.earned", purchase, counted.points + bonus)
    review_tier(session, customer_id=customer.id, rules=rules, now=now)
    has_lapsed = expires_at is not None and expires_at <= now
    if is_told and loyalty.tells_earned and not has_lapsed:
        tell_by_day(
            session,
            customer_id=customer.id,
            response="utter_points_earned",
            key=f"earned:{purchase.id}",
            params={"points": group_thousands(counted.points + bonus)},
            rules=rules,
            now=now,
        )
    return posting


def take_back_for_return(
    session: Session, *, purchase: Purchase, return_id: str, rules: Rules, now: datetime | None = None
) -> LedgerPosting | None:
    """Take back what the returned part of a purchase had brought; at the end all, with what came on top.

    What is left of the purchase is counted by the numbers of then, so all returns together take exactly what
    was given. The gift of a first purchase goes when what is left brings no point, a friend's when it is
    less than the rules of then asked for: a screw that is kept saves neither.

    Args:
        purchase: with this return among its returns, flushed.
        return_id: names the return; the same again changes nothing.

    Returns:
        The posting; None where the purchase had brought nothing or nobody is left.
    """
    now = now or utcnow()
    earned = ledger.posting_by_key(session, _key(purchase))
    customer = standing_customer(session, purchase.customer_id)
    if earned is None or customer is None:
        # What a friend's purchase brought to others goes back all the same.
        _take_from_friends(session, purchase, earned, rules, now)
        return None
    ledger.lock_customer(session, customer.id)
    key = f"return:{purchase.id}:{return_id}"
    known = ledger.posting_by_key(session, key)
    if known is not None:
        return known
    amounts = _left_of(session, purchase)
    given = count_by(rates_of(earned.data), [line.amount for line in purchase.lines])
    left = count_by(rates_of(earned.data), amounts)
    before = taken_back(session, earned)
    points = max(0, given.points - left.points - before.points)
    base = max(0, given.base - left.base - before.base)
    posting = ledger.take_back(
        session,
        customer_id=customer.id,
        earned=earned,
        points=points,
        base=base,
        cause=_key(purchase),
        actor=SYSTEM,
        key=key,
        now=now,
    )
    if not left.points:
        points += _take_first_back(session, purchase, now)
    _take_from_friends(session, purchase, earned, rules, now)
    _note(session, customer.id, "loyalty.returned", purchase, points)
    # A level that this purchase brought goes with it: there is no grace for what was never bought.
    kept_before = customer.tier_since is not None and customer.tier_since < earned.at
    review_tier(
        session,
        customer_id=customer.id,
        rules=rules,
        with_grace=kept_before,
        former_grace=_grace_before(earned),
        now=now,
    )
    if points and rules.business.loyalty.tells_earned:
        tell_by_day(
            session,
            customer_id=customer.id,
            response="utter_points_taken_back",
            key=f"taken-back:{posting.id}",
            params={"points": group_thousands(points)},
            rules=rules,
            now=now,
        )
    return posting


def grant_for_survey(
    session: Session, *, customer_id: int, invitation_id: int, rules: Rules, now: datetime | None = None
) -> LedgerPosting | None:
    """Give the points for a completed survey; None where it brings none, or did often enough this month."""
    now = now or utcnow()
    loyalty = rules.business.loyalty
    customer = standing_customer(session, customer_id)
    if not loyalty.is_on or not loyalty.survey_points or customer is None:
        return None
    ledger.lock_customer(session, customer.id)
    key = f"survey:{invitation_id}"
    known = ledger.posting_by_key(session, key)
    if (
        known is not None
        or _surveys_this_month(session, customer.id, now, rules) >= loyalty.survey_monthly_limit
    ):
        return known
    return ledger.earn(
        session,
        customer_id=customer.id,
        points=loyalty.survey_points,
        cause=key,
        actor=SYSTEM,
        key=key,
        expires_at=expiry_of(now, rules),
        rules_id=rules_version(session, loyalty),
        now=now,
    )


def _first_purchase(
    session: Session, customer: Customer, purchase: Purchase, rules: Rules, now: datetime
) -> int:
    """Points on top of a first purchase; once, also when the first one went back."""
    points = rules.business.loyalty.first_purchase_points
    # A purchase that brought no point has no posting, and must not cost the gift.
    others = select(LedgerPosting.id).where(
        LedgerPosting.account_id.in_(accounts_of(session, customer_id=customer.id)),
        LedgerPosting.kind == EARN,
        LedgerPosting.cause.startswith(_PURCHASE),
        LedgerPosting.cause != _key(purchase),
    )
    if not points or session.scalar(others.limit(1)) is not None:
        return 0
    ledger.earn(
        session,
        customer_id=customer.id,
        points=points,
        cause=f"first:{purchase.id}",
        actor=SYSTEM,
        key=f"first:{purchase.id}",
        expires_at=expiry_of(purchase.paid_at, rules),
        rules_id=rules_version(session, rules.business.loyalty),
        now=now,
    )
    return points


def _take_first_back(session: Session, purchase: Purchase, now: datetime) -> int:
    bonus = ledger.posting_by_key(session, f"first:{purchase.id}")
    if bonus is None or is_reversed(session, bonus):
        return 0
    ledger.reverse(
        session, posting=bonus, cause=bonus.cause, actor=SYSTEM, key=f"first-back:{purchase.id}", now=now
    )
    return sum(part.points - part.debt for part in parts_of(session, bonus))


def _take_from_friends(
    session: Session, purchase: Purchase, earned: LedgerPosting | None, rules: Rules, now: datetime
) -> None:
    """Take back what a friend's purchase brought to both sides, when too little of it is left.

    Args:
        earned: the posting of its own points; None where it brought none.
    """
    if earned is not None:
        least = referral_rewards.least_rials(content_of(session, earned.rules_id))
    else:
        least = rules.business.loyalty.referral.minimum_tomans * _RIALS_IN_A_TOMAN
    amounts = _left_of(session, purchase)
    left = count_by(rates_of(earned.data), amounts).points if earned is not None else sum(amounts)
    if not left or sum(amounts) < least:
        referral_rewards.take_back_for(session, purchase=purchase, now=now)


def _lasting_birthday(session: Session, customer: Customer, at: datetime) -> date | None:
    """The birthday, unless it was another one within the year: nobody has it whenever they buy.

    Also when it was moved after the purchase: the shop may tell of that days later.
    """
    changes = select(Activity).where(
        Activity.customer_id == customer.id,
        Activity.kind == CHANGED,
        Activity.at > at - _A_YEAR,
    )
    was_moved = any(
        one.data.get("field") == "birthday" and one.data.get("former") for one in session.scalars(changes)
    )
    return None if was_moved else customer.birthday


def _grace_before(earned: LedgerPosting) -> datetime | None:
    seconds = earned.data.get(GRACE)
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds is not None else None


def _left_of(session: Session, purchase: Purchase) -> list[int]:
    """What is left of each line, in rials."""
    rows = session.execute(
        select(PurchaseReturn.line_number, func.sum(PurchaseReturn.amount))
        .where(PurchaseReturn.purchase_id == purchase.id)
        .group_by(PurchaseReturn.line_number)
    ).tuples()
    gone = {number: int(amount) for number, amount in rows}
    return [line.amount - gone.get(line.number, 0) for line in purchase.lines]


def _surveys_this_month(session: Session, customer_id: int, now: datetime, rules: Rules) -> int:
    zone = ZoneInfo(rules.timezone)
    year, month, _day = jalali(now.astimezone(zone).date())
    begin = datetime.combine(month_start(year, month), time.min, zone)
    rewarded = select(func.count()).where(
        LedgerPosting.account_id.in_(accounts_of(session, customer_id=customer_id)),
        LedgerPosting.kind == EARN,
        LedgerPosting.cause.startswith("survey:"),
        LedgerPosting.at >= begin,
    )
    return int(session.scalar(rewarded) or 0)


def _key(purchase: Purchase) -> str:
    return f"{_PURCHASE}{purchase.id}"


def _note(session: Session, customer_id: int, kind: str, purchase: Purchase, points: int) -> None:
    record_activity(
        session,
        customer_id=customer_id,
        kind=kind,
        actor=SYSTEM,
        subject_type="purchase",
        subject_id=purchase.id,
        data={"points": points},
    )
