"""Taking earned points back, and giving spent ones back to the lots that they came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.loyalty.lots import taken_from
from crm_store.loyalty.models import EXPIRE, RETURN, REVERSAL, LedgerPosting, LotMovement, PointLot
from crm_store.loyalty.postings import Books, Change, Entry, out_of, parts_of, post

#: In the data of what takes points of an earning back: that earning, how many were asked for, and how many
#: of them had expired.
OF, ASKED, FORGIVEN = "of", "asked", "forgiven"


class TakenBack(NamedTuple):
    """What was taken back of an earning.

    Attributes:
        points: in all, what had expired included.
        base: what no longer counts for the tier.
        forgiven: of the points, what had expired.
    """

    points: int
    base: int
    forgiven: int


def taken_back(session: Session, earned: LedgerPosting) -> TakenBack:
    """What was taken back of an earning so far."""
    rows = session.scalars(
        select(LedgerPosting).where(
            LedgerPosting.account_id == earned.account_id,
            LedgerPosting.id > earned.id,
            LedgerPosting.kind.in_((RETURN, REVERSAL)),
        )
    )
    changes = [one for one in rows if one.data.get(OF) == earned.id]
    forgiven = sum(int(one.data.get(FORGIVEN, 0)) for one in changes)
    taken = sum(part.debt - part.points for one in changes for part in parts_of(session, one))
    return TakenBack(taken + forgiven, -sum(one.base for one in changes), forgiven)


def is_reversed(session: Session, posting: LedgerPosting) -> bool:
    """Whether a posting was undone."""
    return session.scalar(select(LedgerPosting.id).where(LedgerPosting.reverses_id == posting.id)) is not None


def take_from_earning(
    session: Session,
    books: Books,
    entry: Entry,
    earned: LedgerPosting,
    points: int,
    *,
    reverses_id: int | None = None,
    is_within: bool = False,
) -> LedgerPosting:
    """Take back what an earning gave: from its own lot, then from any; the rest is owed on its account.

    Args:
        entry: with what no longer counts for the tier, below zero; never more in all than was earned.
        points: at least zero; never more in all than was earned.
        reverses_id: of the earning, when all of it is undone.
        is_within: leaves other accounts of the customer alone.
    """
    before = taken_back(session, earned)
    worth = sum(part.points - part.debt for part in parts_of(session, earned))
    asked, points = points, min(points, worth - before.points)
    forgiven = max(0, min(points, _expired_of(session, earned) - before.forgiven))
    own = [lot for lot in books.lots if lot.posting_id == earned.id]
    others = [lot for lot in books.live if not is_within or lot.account_id == earned.account_id]
    lots = [*own, *(lot for lot in others if lot.posting_id != earned.id)]
    taken = taken_from(lots, points - forgiven)
    changes = out_of(lots, taken)
    main = changes.setdefault(earned.account_id, Change())
    main.debt += points - forgiven - sum(taken.values())
    main.reverses_id = reverses_id
    data = {OF: earned.id, ASKED: asked} | ({FORGIVEN: forgiven} if forgiven else {})
    base = -min(-entry.base, earned.base - before.base)
    # The account of the earning comes first: that posting carries what is undone for the tier.
    ordered = {earned.account_id: main, **changes}
    return post(session, books, msgspec.structs.replace(entry, data=data, base=base), ordered)


def give_back(session: Session, books: Books, entry: Entry, parts: Iterable[LedgerPosting]) -> LedgerPosting:
    """Spent points go back to their lots; of those, the soonest to expire settle what is owed.

    Args:
        parts: the postings that took them, the first one first.
    """
    parts = list(parts)
    moved = session.execute(
        select(PointLot, LotMovement.points)
        .join(LotMovement, LotMovement.lot_id == PointLot.id)
        .where(LotMovement.posting_id.in_([part.id for part in parts]))
        .order_by(PointLot.expires_at.is_(None), PointLot.expires_at, PointLot.earned_at, PointLot.id)
    ).tuples()
    rows = [(lot, -points) for lot, points in moved]
    changes = {part.account_id: Change(reverses_id=part.id) for part in parts}
    settled = books.settled_by(sum(points for _lot, points in rows))
    for account_id, share in settled.items():
        changes.setdefault(account_id, Change()).debt -= share
    kept_back = sum(settled.values())
    for lot, points in rows:
        eaten = min(points, kept_back)
        kept_back -= eaten
        if points > eaten:
            changes[lot.account_id].lots[lot.id] = points - eaten
    return post(session, books, entry, changes)


def _expired_of(session: Session, earned: LedgerPosting) -> int:
    """What of an earning's lot was written off."""
    written_off = session.scalar(
        select(func.sum(LotMovement.points))
        .join(PointLot, LotMovement.lot_id == PointLot.id)
        .join(LedgerPosting, LotMovement.posting_id == LedgerPosting.id)
        .where(PointLot.posting_id == earned.id, LedgerPosting.kind == EXPIRE)
    )
    return -int(written_off or 0)
