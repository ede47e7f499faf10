"""Settling what is owed out of points that are there, when one person turns out to have both.

By itself a customer never has both: what is taken back goes from whatever is left before anything is owed,
and what comes in settles that first. Only joining two records brings one's points and the other's debt
together.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.loyalty.balance import accounts_so_far
from crm_store.loyalty.lots import taken_from
from crm_store.loyalty.models import RETURN, REVERSAL, LedgerPosting, LotMovement
from crm_store.loyalty.postings import (
    PART,
    Change,
    Entry,
    last_of,
    lock_customer,
    open_books,
    out_of,
    parts_of,
    post,
    posting_by_key,
)
from crm_store.loyalty.undoing import is_reversed

#: Begins the keys of what settles a debt.
_SETTLE = "settle:"


def settle_debt(
    session: Session, *, customer_id: int, cause: str, actor: str, now: datetime | None = None
) -> LedgerPosting | None:
    """Pay what is owed with points that can be spent, the soonest to expire first.

    It is the rest of a return, which would have taken these points at once had both been one record then.

    Args:
        cause: why there are both, for example ``merge:17``.

    Returns:
        The posting; None where nothing is owed or nothing is there.

    Raises:
        NotFound, InvalidTransition: as `crm_store.loyalty.postings.lock_customer`.
    """
    customer = lock_customer(session, customer_id)
    if not any(one.debt > 0 for one in accounts_so_far(session, customer_id=customer.id)):
        return None  # and nobody gets an account for it
    books = open_books(session, customer, now)
    taken = taken_from(books.live, sum(books.debts.values()))
    if not taken:
        return None
    changes = out_of(books.live, taken)
    for account_id, share in books.settled_by(sum(taken.values())).items():
        changes.setdefault(account_id, Change()).debt -= share
    # What was posted last names it: before the next one something else has to come in between.
    key = f"{_SETTLE}{books.account_ids[0]}:{last_of(session, books.account_ids)}"
    return post(session, books, Entry(RETURN, cause, actor, key, books.at), changes)


def undo_settling(
    session: Session,
    *,
    customer_id: int,
    account_ids: Collection[int],
    cause: str,
    actor: str,
    now: datetime | None = None,
) -> None:
    """Undo what some of a customer's accounts and the others settled for each other, before they part.

    Points go back to their lots, and what was owed is owed again, whatever has become of either since.

    Args:
        account_ids: those that go.
    """
    customer = lock_customer(session, customer_id)
    for settled in _settled_across(session, account_ids):
        books = open_books(session, customer, now)
        changes = {}
        for part in parts_of(session, settled):
            moved = select(LotMovement.lot_id, LotMovement.points).where(LotMovement.posting_id == part.id)
            lots = {lot_id: -points for lot_id, points in session.execute(moved).tuples()}
            changes[part.account_id] = Change(lots=lots, debt=-part.debt, reverses_id=part.id)
        key = f"{settled.idempotency_key}:back"
        post(session, books, Entry(REVERSAL, cause, actor, key, books.at), changes)


def _settled_across(session: Session, account_ids: Collection[int]) -> list[LedgerPosting]:
    """What settled a debt between these accounts and others and still stands; the first posting of each."""
    keys = session.scalars(
        select(LedgerPosting.idempotency_key)
        .where(
            LedgerPosting.account_id.in_(account_ids),
            LedgerPosting.kind == RETURN,
            LedgerPosting.idempotency_key.startswith(_SETTLE),
        )
        .order_by(LedgerPosting.id)
    )
    found = (posting_by_key(session, key) for key in dict.fromkeys(key.partition(PART)[0] for key in keys))
    return [
        one
        for one in found
        if one is not None
        and not is_reversed(session, one)
        and any(part.account_id not in account_ids for part in parts_of(session, one))
    ]
