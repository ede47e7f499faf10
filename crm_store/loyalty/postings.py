"""How changes of points are written down: one posting for each account that they touch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.customers.models import Customer
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.loyalty.balance import AccountSoFar, accounts_so_far, not_before
from crm_store.loyalty.lots import LotLeft, lots_left
from crm_store.loyalty.models import LedgerPosting, LotMovement, LoyaltyAccount, PointLot

#: Between a key and the number of a further posting of the same change; in no key itself.
PART = "~part~"
#: Further postings of a change that are looked for at once: hardly anybody has more than two accounts.
_PARTS_AT_ONCE = 4


class Entry(msgspec.Struct, frozen=True):
    """What is the same for all postings of a change.

    Attributes:
        kind: one of `crm_store.loyalty.models.POSTING_KINDS`.
        cause: why, as `LedgerPosting.cause`.
        actor: who, as `LedgerPosting.actor`.
        key: names the change.
        at: when, no earlier than what was posted before.
    """

    kind: str
    cause: str
    actor: str
    key: str
    at: datetime
    base: int = 0
    base_at: datetime | None = None
    rules_id: int | None = None
    data: dict[str, Any] = {}


class Change(msgspec.Struct):
    """What happens to one account.

    Attributes:
        lots: what goes into lots or out of them, by the lot's id.
        opened: what goes into a new lot.
        debt: what the debt changes by.
        reverses_id: the posting of this account that is undone.
    """

    lots: dict[int, int] = msgspec.field(default_factory=dict)
    opened: int = 0
    debt: int = 0
    reverses_id: int | None = None

    @property
    def points(self) -> int:
        """What the balance changes by."""
        return sum(self.lots.values()) + self.opened


class Books(msgspec.Struct, frozen=True):
    """A customer's accounts as they stand, locked.

    Attributes:
        account_ids: oldest first; what comes in goes to the first.
        lots: with something left, in the order of spending.
        debts: above zero, by account.
        at: the moment of the change.
    """

    customer_id: int
    account_ids: list[int]
    lots: list[LotLeft]
    debts: dict[int, int]
    at: datetime

    @property
    def live(self) -> list[LotLeft]:
        """Lots that can be spent."""
        return [lot for lot in self.lots if lot.is_live(self.at)]

    def settled_by(self, points: int) -> dict[int, int]:
        """How much of a sum goes into what is owed, by account."""
        settled = {}
        for account_id, debt in self.debts.items():
            share = min(debt, points)
            if share:
                settled[account_id], points = share, points - share
        return settled


def lock_customer(session: Session, customer_id: int) -> Customer:
    """The record that stands for a customer, changed by nobody else until the unit of work ends.

    Raises:
        NotFound: there is no such customer.
        InvalidTransition: the customer was forgotten.
    """
    session.flush()  # reading anew under the lock must not lose what was set before
    standing: int | None = customer_id
    while standing is not None:
        # Not FOR UPDATE: rows that merely name the customer may be written meanwhile.
        customer = session.get(
            Customer,
            _standing(session, standing),
            with_for_update={"key_share": True},
            populate_existing=True,
        )
        # Joined to another record while we waited: once more, with that one.
        standing = customer.merged_into_id if customer is not None else None
    if customer is None:
        raise NotFound("there is no such customer")
    if customer.erased_at is not None:
        raise InvalidTransition("this customer was forgotten", state="erased")
    return customer


def lock_customers(session: Session, customer_ids: Collection[int]) -> list[Customer]:
    """As `lock_customer` for several at once, in an order in which nobody waits for somebody who waits.

    Returns:
        In the order of the ids given; twice the same where two of them are one person.

    Raises:
        NotFound, InvalidTransition: as `lock_customer`.
    """
    standing = {one: _standing(session, one) for one in customer_ids}
    locked = {one: lock_customer(session, one) for one in sorted(set(standing.values()))}
    return [locked[standing[one]] for one in customer_ids]


def _standing(session: Session, customer_id: int) -> int:
    """Where a chain of joined records ends; looked at without locks, which joining takes in another order."""
    customer = session.get(Customer, customer_id)
    while customer is not None and customer.merged_into_id is not None:
        customer_id = customer.merged_into_id
        customer = session.get(Customer, customer_id)
    return customer_id


def account_of(session: Session, *, customer_id: int) -> LoyaltyAccount:
    """The account that points of a locked customer come into, made when there is none: the oldest."""
    own = select(LoyaltyAccount).where(LoyaltyAccount.customer_id == customer_id)
    account = session.scalars(own.order_by(LoyaltyAccount.id).limit(1)).first()
    if account is None:
        account = LoyaltyAccount(customer_id=customer_id)
        session.add(account)
        session.flush()
    return account


def posting_by_key(session: Session, key: str) -> LedgerPosting | None:
    """The posting that a key names."""
    return session.scalar(select(LedgerPosting).where(LedgerPosting.idempotency_key == key))


def open_books(session: Session, customer: Customer, now: datetime | None) -> Books:
    """A locked customer's accounts as they stand; an account is made for whoever has none."""
    accounts = accounts_so_far(session, customer_id=customer.id)
    if not accounts:
        accounts = [AccountSoFar(account_of(session, customer_id=customer.id).id, 0, None)]
    account_ids = [one.account_id for one in accounts]
    debts = {one.account_id: one.debt for one in accounts if one.debt > 0}
    at = not_before(now or utcnow(), accounts)
    return Books(customer.id, account_ids, lots_left(session, account_ids), debts, at)


def out_of(lots: Iterable[LotLeft], taken: Mapping[int, int]) -> dict[int, Change]:
    """Changes of accounts by what is taken from their lots, in the order of the lots."""
    changes: dict[int, Change] = {}
    for lot in lots:
        if taken.get(lot.lot_id):
            changes.setdefault(lot.account_id, Change()).lots[lot.lot_id] = -taken[lot.lot_id]
    return changes


def post(
    session: Session,
    books: Books,
    entry: Entry,
    changes: Mapping[int, Change],
    *,
    expires_at: datetime | None = None,
) -> LedgerPosting:
    """Write a change down, one posting an account; the first carries what is said once."""
    first: LedgerPosting | None = None
    for number, (account_id, change) in enumerate(changes.items(), start=1):
        posting = LedgerPosting(
            account_id=account_id,
            kind=entry.kind,
            points=change.points,
            debt=change.debt,
            base=entry.base if first is None else 0,
            base_at=entry.base_at if first is None else None,
            cause=entry.cause,
            actor=entry.actor,
            idempotency_key=entry.key if first is None else f"{entry.key}{PART}{number}",
            reverses_id=change.reverses_id,
            rules_id=entry.rules_id,
            data=entry.data if first is None else {},
            at=entry.at,
        )
        session.add(posting)
        session.flush()
        if change.opened:
            lot = PointLot(
                account_id=account_id, posting_id=posting.id, earned_at=entry.at, expires_at=expires_at
            )
            session.add(lot)
            session.flush()
            change.lots[lot.id] = change.opened
        session.add_all(
            LotMovement(posting_id=posting.id, lot_id=lot_id, points=points)
            for lot_id, points in change.lots.items()
        )
        first = first or posting
    session.flush()
    if first is None:
        raise InvalidInput(f"nothing changes for customer {books.customer_id}")
    return first


def parts_of(session: Session, posting: LedgerPosting) -> list[LedgerPosting]:
    """All postings of a change, the first one first."""
    parts = [posting]
    while True:
        first = len(parts) + 1
        keys = [f"{posting.idempotency_key}{PART}{number}" for number in range(first, first + _PARTS_AT_ONCE)]
        further = select(LedgerPosting).where(LedgerPosting.idempotency_key.in_(keys))
        found = session.scalars(further.order_by(LedgerPosting.id)).all()
        parts += found
        if len(found) < _PARTS_AT_ONCE:
            return parts


def last_of(session: Session, account_ids: list[int]) -> int:
    """The id of the newest posting of some accounts; 0 for none."""
    newest = select(func.max(LedgerPosting.id)).where(LedgerPosting.account_id.in_(account_ids))
    return int(session.scalar(newest) or 0)
