"""What is left of the lots of points, and in which order they are spent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.loyalty.models import LotMovement, PointLot


class LotLeft(msgspec.Struct, frozen=True):
    """A lot of which something is left.

    Attributes:
        points: what is left, above zero.
        expires_at: from when on it cannot be spent; None for never.
    """

    lot_id: int
    account_id: int
    posting_id: int
    points: int
    earned_at: datetime
    expires_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it can still be spent."""
        return self.expires_at is None or self.expires_at > now


def lots_left(session: Session, account_ids: Collection[int]) -> list[LotLeft]:
    """Lots of some accounts with something left: soonest expiring first, then oldest.

    Lots whose time is over are among them until the nightly work has written them off.
    """
    left = func.sum(LotMovement.points)
    rows = session.execute(
        select(PointLot, left)
        .join(LotMovement, LotMovement.lot_id == PointLot.id)
        .where(PointLot.account_id.in_(account_ids))
        .group_by(PointLot.id)
        .having(left > 0)
    ).tuples()
    found = [
        LotLeft(lot.id, lot.account_id, lot.posting_id, int(points), lot.earned_at, lot.expires_at)
        for lot, points in rows
    ]
    return sorted(found, key=_in_order_of_spending)


def _in_order_of_spending(lot: LotLeft) -> tuple[bool, float, datetime, int]:
    ends = lot.expires_at.timestamp() if lot.expires_at is not None else 0.0
    return (lot.expires_at is None, ends, lot.earned_at, lot.lot_id)


def taken_from(lots: Iterable[LotLeft], points: int) -> dict[int, int]:
    """How much each lot gives to a sum, the first ones first; less than the sum when they hold less.

    Returns:
        Points above zero by the lot's id.
    """
    taken = {}
    for lot in lots:
        share = min(lot.points, points)
        if share <= 0:
            break
        taken[lot.lot_id] = share
        points -= share
    return taken
