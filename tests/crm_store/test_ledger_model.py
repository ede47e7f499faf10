"""Any order of earning, spending, returns, expiry, merges and repetitions leaves what paper says."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.loyalty.balance import balance_of, lots_of
from tests.crm_store.ledger_model import Op, Points, really
from tests.factories.club import NOW

NUMBERS = st.integers(0, 30)
CUSTOMERS = st.integers(0, 2)
AMOUNTS = st.sampled_from([1, 2, 5, 10, 10, 30, 70])
#: After how many days points expire; some before others that came in earlier, some never.
LASTING = st.sampled_from([None, -1, 1, 2, 3, 3, 5, 10])
SOON = timedelta(days=2)
_examples = itertools.count(1)


class Changes(RuleBasedStateMachine):
    """Each example has customers of its own in one store."""

    database: ClassVar[Database]

    @initialize()
    def open_the_book(self) -> None:
        self.paper, self.now, self.done = Points(), NOW, list[Op]()
        self.example, self.keys = next(_examples), itertools.count(1)
        with self.database.write() as session:
            customers = [Customer() for _ in range(3)]
            session.add_all(customers)
            session.flush()
            self.customers = [one.id for one in customers]

    @rule(whose=CUSTOMERS, points=AMOUNTS, days=LASTING)
    def earn(self, whose: int, points: int, days: int | None) -> None:
        ends = None if days is None else self.now + timedelta(days=days)
        self.both(Op("earn", self.customers[whose], self.key(), points, ends))

    @rule(whose=CUSTOMERS, points=AMOUNTS)
    def spend(self, whose: int, points: int) -> None:
        self.both(Op("spend", self.customers[whose], self.key(), points))

    @rule(whose=CUSTOMERS, points=AMOUNTS, gives=st.booleans())
    def adjust(self, whose: int, points: int, gives: bool) -> None:
        self.both(Op("adjust", self.customers[whose], self.key(), points if gives else -points))

    @precondition(lambda self: self.done)
    @rule(number=NUMBERS, points=AMOUNTS | st.just(0) | st.just(1000))
    def take_back(self, number: int, points: int) -> None:
        earned = self.pick(number, "earn")
        self.both(Op("return", earned.customer, self.key(), points, of=earned.key))

    @precondition(lambda self: self.done)
    @rule(number=NUMBERS, whose=CUSTOMERS)
    def take_back_from_another(self, number: int, whose: int) -> None:
        earned = self.pick(number, "earn")
        self.both(Op("return", self.customers[whose], self.key(), 5, of=earned.key))

    @precondition(lambda self: self.done)
    @rule(number=NUMBERS, kind=st.sampled_from(["earn", "spend", "spend", "adjust", "return", "reverse"]))
    def reverse(self, number: int, kind: str) -> None:
        undone = self.pick(number, kind)
        self.both(Op("reverse", undone.customer, self.key(), of=undone.key))

    @rule(whose=CUSTOMERS)
    def expire(self, whose: int) -> None:
        self.both(Op("expire", self.customers[whose]))

    @rule(joined=CUSTOMERS, into=CUSTOMERS)
    def merge(self, joined: int, into: int) -> None:
        self.both(Op("merge", self.customers[joined], into=self.customers[into]))

    @precondition(lambda self: self.done)
    @rule(number=NUMBERS)
    def repeat(self, number: int) -> None:
        posted = self.paper.posted
        self.both(self.pick(number))
        assert self.paper.posted == posted

    @precondition(lambda self: self.done)
    @rule(number=NUMBERS, whose=CUSTOMERS, points=AMOUNTS, kind=st.sampled_from(["earn", "spend", "adjust"]))
    def use_a_key_again(self, number: int, whose: int, points: int, kind: str) -> None:
        self.both(Op(kind, self.customers[whose], self.pick(number).key, points))

    @rule(hours=st.sampled_from([-72, -1, 1, 12, 24, 48, 120]))
    def the_clock_moves(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    # What must hold

    @invariant()
    def the_ledger_says_what_paper_says(self) -> None:
        with self.database.read() as session:
            for customer, person in self.paper.people.items():
                where = {"customer_id": customer, "now": self.now}
                at: datetime = max(self.now, person.last_at or self.now)
                live = person.live(at)
                lots = lots_of(session, **where)  # type: ignore[arg-type]
                assert [(lot.points, lot.expires_at) for lot in lots] == [
                    (lot.left, lot.expires_at) for lot in live
                ]
                balance = balance_of(session, **where, soon=SOON)  # type: ignore[arg-type]
                ends = [lot.expires_at for lot in live if lot.expires_at]
                soon = sum(lot.left for lot in live if lot.expires_at and lot.expires_at <= at + SOON)
                assert (balance.points, balance.debt) == (sum(lot.left for lot in live), person.debt)
                assert not (balance.points and balance.debt), "what is owed is settled first"
                assert (balance.expiring_soon, balance.expires_first_at) == (soon, min(ends, default=None))

    # How both are asked

    def key(self) -> str:
        return f"{self.example}:{next(self.keys)}"

    def pick(self, number: int, kind: str = "") -> Op:
        """Something that was done; of this kind, if there is any."""
        found = [op for op in self.done if op.kind == kind] or self.done
        return found[number % len(found)]

    def both(self, op: Op) -> None:
        """Do the same on paper and in the store: the same comes of it."""
        expected = self.paper.do(op, self.now)
        with self.database.write() as session:
            assert really(session, op, self.now) == expected
        if not isinstance(expected, str) and op.key:
            self.done.append(op)


def test_any_order_of_changes_leaves_what_paper_says(database: Database, soak: bool) -> None:
    Changes.database = database
    run_state_machine_as_test(
        Changes,
        settings=settings(
            max_examples=300 if soak else 12,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
