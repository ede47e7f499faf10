"""What other rules would have given for the purchases of a month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from crm_store.business.loyalty import Loyalty
from crm_store.customers.models import Customer
from crm_store.loyalty.counting import Line, count_points
from crm_store.loyalty.models import EARN, LedgerPosting, Referral
from crm_store.persian.jalali_days import month_start
from crm_store.purchases.models import Purchase
from crm_store.surveys.models import COMPLETED, SurveyInvitation

BATCH = 500
_RIALS_IN_A_TOMAN = 10


class DryRun(NamedTuple):
    """A month by other rules.

    Attributes:
        purchases: paid in the month.
        customers: who paid them.
        given: points that were booked for them before returns, with gifts of first purchases, for friends and
            for answered surveys.
        would_give: the same by the other rules, with each customer's level and birthday as they are now.
    """

    purchases: int
    customers: int
    given: int
    would_give: int


def dry_run(session: Session, *, loyalty: Loyalty, year: int, month: int, timezone: str) -> DryRun:
    """Count what happened in a Jalali month by other rules; nothing is changed.

    Compensations for complaints are left out: people grant them, no rule does.

    Args:
        loyalty: the other rules.
        year: Jalali.
        month: Jalali, 1 to 12.
    """
    zone = ZoneInfo(timezone)
    begin, end = (datetime.combine(month_start(year, one), time.min, zone) for one in (month, month + 1))
    buyers: set[int] = set()
    count = given = would_give = 0
    for purchase, customer in _paid_between(session, begin, end):
        count += 1
        buyers.add(customer.id)
        given += _given_for(session, f"purchase:{purchase.id}")
        given += _given_for(session, f"first:{purchase.id}")
        would_give += count_points(
            loyalty,
            lines=[Line(line.category, line.amount) for line in purchase.lines],
            paid_at=purchase.paid_at,
            tier=customer.tier,
            birthday=customer.birthday,
            timezone=timezone,
        ).points
    would_give += _first_buyers(session, begin, end) * loyalty.first_purchase_points
    for besides in (_friends(session, begin, end), _answered(session, begin, end)):
        given += besides.given
        would_give += besides.would_give(loyalty)
    return DryRun(count, len(buyers), given, would_give)


class _Friends(NamedTuple):
    """Friends who bought, with what was booked for them."""

    purchases: list[int]
    given: int

    def would_give(self, loyalty: Loyalty) -> int:
        """What they would bring to both sides, where their purchase comes to enough."""
        least = loyalty.referral.minimum_tomans * _RIALS_IN_A_TOMAN
        enough = sum(total >= least for total in self.purchases)
        return enough * (loyalty.referral.referrer_points + loyalty.referral.friend_points)


class _Answered(NamedTuple):
    """Surveys that were answered to the end, by customer, with what was booked for them."""

    counts: list[int]
    given: int

    def would_give(self, loyalty: Loyalty) -> int:
        """What they would bring, as many of them as bring points in a month."""
        return sum(min(count, loyalty.survey_monthly_limit) for count in self.counts) * loyalty.survey_points


def _friends(session: Session, begin: datetime, end: datetime) -> _Friends:
    rows = session.execute(
        select(Referral.id, Purchase.total)
        .join(Purchase, Purchase.id == Referral.purchase_id)
        .where(Referral.rewarded_at >= begin, Referral.rewarded_at < end)
    ).all()
    given = sum(_given_for(session, f"referral:{number}") for number, _total in rows)
    return _Friends([total for _number, total in rows], given)


def _answered(session: Session, begin: datetime, end: datetime) -> _Answered:
    completed = (
        SurveyInvitation.state == COMPLETED,
        SurveyInvitation.finished_at >= begin,
        SurveyInvitation.finished_at < end,
    )
    counts = session.scalars(
        select(func.count()).where(*completed).group_by(SurveyInvitation.customer_id)
    ).all()
    ids = session.scalars(select(SurveyInvitation.id).where(*completed))
    return _Answered(list(counts), sum(_given_for(session, f"survey:{number}") for number in ids))


def _first_buyers(session: Session, begin: datetime, end: datetime) -> int:
    """How many customers bought for the first time."""
    first = select(func.min(Purchase.paid_at).label("at")).group_by(Purchase.customer_id).subquery()
    return int(session.scalar(select(func.count()).where(first.c.at >= begin, first.c.at < end)) or 0)


def _given_for(session: Session, cause: str) -> int:
    worth = select(func.sum(LedgerPosting.points - LedgerPosting.debt))
    booked = worth.where(LedgerPosting.cause == cause, LedgerPosting.kind == EARN)
    return int(session.scalar(booked) or 0)


def _paid_between(session: Session, begin: datetime, end: datetime) -> Iterator[tuple[Purchase, Customer]]:
    rows = session.execute(
        select(Purchase, Customer)
        .join(Customer, Customer.id == Purchase.customer_id)
        .where(Purchase.paid_at >= begin, Purchase.paid_at < end)
        .options(selectinload(Purchase.lines))
        .order_by(Purchase.id)
        .execution_options(yield_per=BATCH)
    )
    yield from rows.tuples()
