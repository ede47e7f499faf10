"""Balance and history of a customer's points, derived from the postings at every look."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.loyalty.lots import LotLeft, lots_left
from crm_store.loyalty.models import LedgerPosting, LoyaltyAccount


class Balance(msgspec.Struct, frozen=True):
    """What a customer has.

    Attributes:
        points: what can be spent now.
        debt: what is settled first by what comes in next.
        expiring_soon: of the points, those that expire within the time asked about.
        expires_first_at: when the first of the points expire; None when none ever do.
    """

    points: int = 0
    debt: int = 0
    expiring_soon: int = 0
    expires_first_at: datetime | None = None


def accounts_of(session: Session, *, customer_id: int) -> list[int]:
    """Ids of a customer's accounts, oldest first; several after a merge."""
    own = select(LoyaltyAccount.id).where(LoyaltyAccount.customer_id == customer_id)
    return list(session.scalars(own.order_by(LoyaltyAccount.id)))


def balance_of(
    session: Session, *, customer_id: int, soon: timedelta, now: datetime | None = None
) -> Balance:
    """What a customer has now; nothing for whoever has no account.

    Args:
        customer_id: the record that stands for the person.
        soon: points that expire within so long are told apart.
    """
    accounts = accounts_so_far(session, customer_id=customer_id)
    if not accounts:
        return Balance()
    now = not_before(now or utcnow(), accounts)
    left = lots_left(session, [one.account_id for one in accounts])
    live = [lot for lot in left if lot.is_live(now)]
    ending = [lot for lot in live if lot.expires_at is not None]
    return Balance(
        points=sum(lot.points for lot in live),
        debt=sum(one.debt for one in accounts),
        expiring_soon=sum(lot.points for lot in ending if lot.expires_at and lot.expires_at <= now + soon),
        expires_first_at=ending[0].expires_at if ending else None,
    )


class AccountSoFar(NamedTuple):
    """What was posted on an account.

    Attributes:
        debt: what is owed.
        latest: when something was posted last; None for never.
    """

    account_id: int
    debt: int
    latest: datetime | None


def accounts_so_far(session: Session, *, customer_id: int) -> list[AccountSoFar]:
    """A customer's accounts, oldest first."""
    rows = session.execute(
        select(LoyaltyAccount.id, func.sum(LedgerPosting.debt), func.max(LedgerPosting.at))
        .outerjoin(LedgerPosting, LedgerPosting.account_id == LoyaltyAccount.id)
        .where(LoyaltyAccount.customer_id == customer_id)
        .group_by(LoyaltyAccount.id)
        .order_by(LoyaltyAccount.id)
    ).all()
    return [AccountSoFar(account_id, int(debt or 0), latest) for account_id, debt, latest in rows]


def not_before(moment: datetime, accounts: list[AccountSoFar]) -> datetime:
    """A moment, or that of the last posting if the clock went back since: nothing is revived."""
    return max([moment, *(one.latest for one in accounts if one.latest is not None)])


def lots_of(session: Session, *, customer_id: int, now: datetime | None = None) -> list[LotLeft]:
    """A customer's lots that can be spent, in the order in which they are."""
    accounts = accounts_so_far(session, customer_id=customer_id)
    now = not_before(now or utcnow(), accounts)
    return [lot for lot in lots_left(session, [one.account_id for one in accounts]) if lot.is_live(now)]


def history_of(
    session: Session, *, customer_id: int, limit: int = 10, before_id: int | None = None
) -> list[LedgerPosting]:
    """A customer's postings, newest first.

    Args:
        before_id: only those older than this posting, for the next page.
    """
    chosen = select(LedgerPosting).where(
        LedgerPosting.account_id.in_(accounts_of(session, customer_id=customer_id))
    )
    if before_id is not None:
        chosen = chosen.where(LedgerPosting.id < before_id)
    return list(session.scalars(chosen.order_by(LedgerPosting.id.desc()).limit(limit)))
