"""Customers' points as one would keep them on paper: a small reference to compare the ledger with.

Nothing here looks at the store. A person has lots and perhaps a debt; joining two people puts both heaps
together, and what one of them owes is paid at once. `Points.do` and `really` take the same `Op` and say what
came of it in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from crm_store.customers.merging import merge
from crm_store.errors import CrmError, NotFound
from crm_store.loyalty import ledger
from crm_store.loyalty.models import LedgerPosting
from crm_store.loyalty.postings import parts_of
from tests.factories.club import club

#: What came of something: the change of points and of debt, or the name of the error.
Outcome = tuple[int, int] | str
NOTHING = (0, 0)
#: Points given by hand never expire here; everything else says for itself when it does.
RULES = club(expires_after_months=0)


class Op(NamedTuple):
    """Something that is done to points.

    Attributes:
        kind: ``earn``, ``spend``, ``adjust``, ``return``, ``reverse``, ``expire`` or ``merge``.
        of: for what takes something back or undoes it: the key of that.
        into: for a merge: the customer who stays.
    """

    kind: str
    customer: int
    key: str = ""
    points: int = 0
    expires_at: datetime | None = None
    of: str = ""
    into: int = 0


class Refused(Exception):
    """Something is not possible; the name of the error that the store raises."""


@dataclass(eq=False)
class Lot:
    """Points that came in together."""

    number: int
    earned_at: datetime
    expires_at: datetime | None
    left: int
    lost: int = 0

    def is_live(self, at: datetime) -> bool:
        return self.expires_at is None or at < self.expires_at


@dataclass(eq=False)
class Change:
    """What was done under a key."""

    op: Op
    points: int
    debt: int
    lot: Lot | None = None
    took: list[tuple[Lot, int]] = field(default_factory=list)
    taken_back: int = 0
    forgiven: int = 0
    is_undone: bool = False

    @property
    def worth(self) -> int:
        return self.points - self.debt


@dataclass(eq=False)
class Person:
    """Somebody's heap of lots, and what they owe."""

    lots: list[Lot] = field(default_factory=list)
    debt: int = 0
    last_at: datetime | None = None

    def in_order(self) -> list[Lot]:
        """Lots with something left: soonest expiring first, then oldest."""
        left = [lot for lot in self.lots if lot.left]
        left.sort(key=lambda lot: (lot.earned_at, lot.number))
        ending = [lot for lot in left if lot.expires_at]
        ending.sort(key=lambda lot: lot.expires_at.timestamp() if lot.expires_at else 0.0)
        return ending + [lot for lot in left if not lot.expires_at]

    def live(self, at: datetime) -> list[Lot]:
        return [lot for lot in self.in_order() if lot.is_live(at)]

    def take(self, lots: list[Lot], points: int) -> list[tuple[Lot, int]]:
        """Take points from lots, the first ones first, as far as they reach."""
        took = []
        for lot in lots:
            share = min(lot.left, points)
            if share:
                lot.left -= share
                points -= share
                took.append((lot, share))
        return took


class Points:
    """Everybody's points."""

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.joined: dict[int, int] = {}
        self.changes: dict[str, Change] = {}
        self.numbers = 0
        #: How many changes were written down.
        self.posted = 0

    def standing(self, customer: int) -> int:
        while customer in self.joined:
            customer = self.joined[customer]
        return customer

    def person(self, customer: int) -> Person:
        return self.people.setdefault(self.standing(customer), Person())

    def do(self, op: Op, now: datetime) -> Outcome:
        """What comes of something."""
        try:
            if op.kind == "merge":
                return self._merge(op, now)
            person = self.person(op.customer)
            at = max(now, person.last_at) if person.last_at else now
            if op.kind == "expire":
                return self._expire(person, at)
            change = self.changes.get(op.key)
            if change is not None:
                self._check_same(change.op, op)
                return change.points, change.debt
            change = getattr(self, f"_{op.kind}")(op, person, at)
        except Refused as refusal:
            return str(refusal)
        person.last_at = at
        person.debt += change.debt
        assert person.debt >= 0
        assert all(lot.left >= 0 for lot in person.lots)
        self.posted += 1
        self.changes[op.key] = change
        return change.points, change.debt

    def _check_same(self, former: Op, op: Op) -> None:
        same = former._replace(customer=self.standing(former.customer), expires_at=None)
        if same != op._replace(customer=self.standing(op.customer), expires_at=None):
            raise Refused("InvalidInput")

    def _of(self, op: Op) -> Change:
        if op.of not in self.changes:
            raise Refused("NotFound")
        return self.changes[op.of]

    def _earn(self, op: Op, person: Person, at: datetime) -> Change:
        settled = min(person.debt, op.points)
        self.numbers += 1
        lot = Lot(self.numbers, at, op.expires_at, op.points - settled)
        person.lots.append(lot)
        return Change(op, lot.left, -settled, lot)

    def _spend(self, op: Op, person: Person, at: datetime) -> Change:
        live = person.live(at)
        if sum(lot.left for lot in live) < op.points:
            raise Refused("NotEnoughPoints")
        return Change(op, -op.points, 0, took=person.take(live, op.points))

    def _adjust(self, op: Op, person: Person, at: datetime) -> Change:
        if op.points > 0:
            return self._earn(op._replace(expires_at=None), person, at)
        change = self._spend(op._replace(points=-op.points), person, at)
        change.op = op
        return change

    def _return(self, op: Op, person: Person, at: datetime) -> Change:
        earned = self._of(op)
        if earned.op.kind != "earn" or self.person(earned.op.customer) is not person:
            raise Refused("InvalidInput")
        return self._take_back(op, person, at, earned, op.points)

    def _take_back(self, op: Op, person: Person, at: datetime, earned: Change, points: int) -> Change:
        assert earned.lot is not None
        points = min(points, earned.worth - earned.taken_back)
        forgiven = min(points, earned.lot.lost - earned.forgiven)
        earned.taken_back += points
        earned.forgiven += forgiven
        others = [lot for lot in person.live(at) if lot is not earned.lot]
        took = sum(share for _lot, share in person.take([earned.lot, *others], points - forgiven))
        return Change(op, -took, points - forgiven - took)

    def _reverse(self, op: Op, person: Person, at: datetime) -> Change:
        undone = self._of(op)
        if undone.op.kind not in ("earn", "spend", "adjust") or undone.is_undone:
            raise Refused("InvalidTransition")
        undone.is_undone = True
        if undone.lot is not None:
            return self._take_back(op, person, at, undone, undone.worth)
        settled = kept = min(person.debt, -undone.points)
        for lot, points in undone.took:
            eaten = min(kept, points)
            kept -= eaten
            lot.left += points - eaten
        return Change(op, -undone.points - settled, -settled)

    def _expire(self, person: Person, at: datetime) -> Outcome:
        over = [lot for lot in person.lots if lot.left and not lot.is_live(at)]
        expired = sum(lot.left for lot in over)
        for lot in over:
            lot.lost, lot.left = lot.lost + lot.left, 0
        if expired:
            person.last_at = at
            self.posted += 1
        return -expired, 0

    def _merge(self, op: Op, now: datetime) -> Outcome:
        if self.joined.get(op.customer) == op.into or op.customer == op.into:
            return NOTHING
        if op.customer in self.joined or op.into in self.joined:
            raise Refused("InvalidInput")
        into, joined = self.person(op.into), self.person(op.customer)
        into.lots += joined.lots
        into.debt += joined.debt
        into.last_at = max(filter(None, (into.last_at, joined.last_at)), default=None)
        self.joined[op.customer] = op.into
        del self.people[op.customer]
        self._settle(into, max(now, into.last_at) if into.last_at else now)
        return NOTHING

    def _settle(self, person: Person, at: datetime) -> None:
        """What one of two owed is paid out of the other's points, when both turn out to be one person."""
        paid = sum(share for _lot, share in person.take(person.live(at), person.debt))
        if paid:
            person.debt -= paid
            person.last_at = at
            self.posted += 1


def really(session: Session, op: Op, now: datetime) -> Outcome:
    """Do it in the store; what came of it."""
    try:
        done = post(session, op, now)
    except CrmError as error:
        return type(error).__name__
    if isinstance(done, tuple):
        return done
    parts = parts_of(session, done)
    return sum(part.points for part in parts), sum(part.debt for part in parts)


def post(session: Session, op: Op, now: datetime) -> LedgerPosting | tuple[int, int]:
    """Do it in the store; the posting, or what came of it where that is not about a key."""
    if op.kind == "merge":
        merge(session, into_id=op.into, from_id=op.customer, actor="operator", now=now)
        return NOTHING
    if op.kind == "expire":
        return -ledger.expire_due(session, customer_id=op.customer, now=now), 0
    return _posting(session, op, now)


def _posting(session: Session, op: Op, now: datetime) -> LedgerPosting:
    about = {"cause": f"test:{op.key}", "actor": "system", "key": op.key, "now": now}
    whose = {"customer_id": op.customer, "points": op.points}
    if op.kind == "earn":
        return ledger.earn(session, **whose, **about, expires_at=op.expires_at)  # type: ignore[arg-type]
    if op.kind == "spend":
        return ledger.spend(session, **whose, **about)  # type: ignore[arg-type]
    if op.kind == "adjust":
        by = {"actor": "operator", "role": "", "reason": "test"}
        return ledger.adjust(session, **whose, **by, rules=RULES, key=op.key, now=now)  # type: ignore[arg-type]
    of = ledger.posting_by_key(session, op.of)
    if of is None:
        raise NotFound(op.of)
    if op.kind == "return":
        return ledger.take_back(session, **whose, **about, earned=of, base=0)  # type: ignore[arg-type]
    return ledger.reverse(session, posting=of, **about)  # type: ignore[arg-type]
