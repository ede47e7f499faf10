"""Points whose time is over are written off, and what of that is news to their customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crm_store.loyalty.balance import accounts_of
from crm_store.loyalty.lots import LotLeft
from crm_store.loyalty.models import EXPIRE, REVERSAL, LedgerPosting, LotMovement, PointLot
from crm_store.loyalty.postings import Change, Entry, last_of, lock_customer, open_books, post

#: Begins the causes of what has to do with a code.
OF_CODE = "redemption:"


class Lapsed(NamedTuple):
    """What was written off.

    Attributes:
        points: in all.
        news: of these, what the customer had, or was told of, and does not know to be over.
    """

    points: int = 0
    news: int = 0


def write_off(session: Session, *, customer_id: int, now: datetime | None = None) -> Lapsed:
    """Write off a customer's points whose time is over."""
    customer = lock_customer(session, customer_id)
    if not accounts_of(session, customer_id=customer.id):
        return Lapsed()  # and nobody gets an account for it
    books = open_books(session, customer, now)
    over = [lot for lot in books.lots if not lot.is_live(books.at)]
    if not over:
        return Lapsed()
    unheard_of = _unheard_of(session, over)
    changes: dict[int, Change] = defaultdict(Change)
    for lot in over:
        changes[lot.account_id].lots[lot.lot_id] = -lot.points
    # What was posted last names the run: before the next one something else has to come in between.
    key = f"expire:{books.account_ids[0]}:{last_of(session, books.account_ids)}"
    post(session, books, Entry(EXPIRE, "expiry", "system", key, books.at), changes)
    return Lapsed(
        points=sum(lot.points for lot in over),
        news=sum(max(0, lot.points - unheard_of.get(lot.lot_id, 0)) for lot in over),
    )


def _unheard_of(session: Session, lots: Sequence[LotLeft]) -> dict[int, int]:
    """What came into some lots when their time was over already, and was told as such or not at all.

    Points of purchases that were told late, and those of codes of which it was told that they are gone.
    """
    rows = session.execute(
        select(LotMovement.lot_id, func.sum(LotMovement.points))
        .join(PointLot, PointLot.id == LotMovement.lot_id)
        .join(LedgerPosting, LedgerPosting.id == LotMovement.posting_id)
        .where(
            LotMovement.lot_id.in_([lot.lot_id for lot in lots]),
            LotMovement.points > 0,
            LedgerPosting.at >= PointLot.expires_at,
            or_(
                LedgerPosting.kind != REVERSAL,
                LedgerPosting.cause.startswith(OF_CODE),
            ),
        )
        .group_by(LotMovement.lot_id)
    ).tuples()
    return {lot_id: int(points) for lot_id, points in rows}
