"""A long random stream of changes of points, made by several processes and threads at once.

What number ``i`` of the stream is depends on ``i`` alone, so whoever does it again repeats it to the letter.
Customers come into play one after the other, so that at each moment many changes meet few of them, while
nobody's history grows without end. Whoever holds the locks draws a ticket: by the tickets' order the same can
be done on paper afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from crm_store.db import Database
from crm_store.errors import CrmError
from crm_store.loyalty.ledger import lock_customers
from tests.crm_store.ledger_model import Op, Outcome, post

START = datetime(2026, 3, 21, tzinfo=timezone.utc)
#: So many customers are in play at a time, each of them for about so many changes.
IN_PLAY, CHANGES_EACH = 48, 50
STEP = timedelta(minutes=20)
_WINDOW = IN_PLAY * CHANGES_EACH
_KINDS = ("earn", "spend", "return", "adjust", "reverse", "expire", "merge")
_WEIGHTS = (33, 27, 13, 9, 9, 9, 0.4)
#: How often one does what was done before, or is being done by somebody else.
REPEATED = 0.2


class Done(NamedTuple):
    """That number ``op`` of the stream was done, as the ticket-th of all, when number ``at`` was due.

    Attributes:
        outcome: the id of the posting where there is one.
    """

    ticket: int
    at: int
    op: int
    outcome: Outcome | int


class Stream(NamedTuple):
    """The stream of changes of some customers."""

    seed: int
    customers: list[int]

    def now(self, number: int) -> datetime:
        """When a number is due; the clock is not always right, and at times goes back."""
        chance = random.Random(f"clock {self.seed} {number}")
        off = timedelta(days=-5) if chance.random() < 0.02 else timedelta(hours=chance.uniform(-24, 24))
        return START + number * STEP + off

    def op(self, number: int) -> Op:
        """What a number is."""
        kind, customer, chance = self._draw(number)
        key = f"s{self.seed}:{number}"
        if kind in ("return", "reverse"):
            wanted = ("earn",) if kind == "return" else ("earn", "spend", "adjust")
            of, customer = self._former(number, wanted, chance, customer)
            points = chance.randint(0, 80) if kind == "return" else 0
            return Op(kind, customer, key, points, of=f"s{self.seed}:{of}")
        if kind == "merge":
            return Op(kind, customer, into=self._customer(number, chance))
        if kind == "expire":
            return Op(kind, customer)
        points = chance.randint(1, 100)
        if kind == "adjust":
            return Op(kind, customer, key, points if chance.random() < 0.6 else -points)
        ends = START + number * STEP + timedelta(days=chance.uniform(-0.5, 14))
        is_endless = kind == "spend" or chance.random() < 0.1
        return Op(kind, customer, key, points, expires_at=None if is_endless else ends)

    def _draw(self, number: int) -> tuple[str, int, random.Random]:
        chance = random.Random(f"{self.seed} {number}")
        (kind,) = chance.choices(_KINDS, _WEIGHTS)
        return kind, self._customer(number, chance), chance

    def _customer(self, number: int, chance: random.Random) -> int:
        first = min(number // CHANGES_EACH, len(self.customers) - IN_PLAY)
        return self.customers[first + chance.randrange(IN_PLAY)]

    def _former(
        self, number: int, kinds: tuple[str, ...], chance: random.Random, customer: int
    ) -> tuple[int, int]:
        """A change of one of these kinds, not long before, and whose it is; perhaps one that was refused."""
        for _ in range(20):
            former = number - chance.randint(1, _WINDOW)
            if former >= 0:
                kind, whose, _chance = self._draw(former)
                if kind in kinds:
                    return former, whose
        return number, customer


def customers_for(changes: int) -> int:
    """How many customers a stream of so many changes needs."""
    return changes // CHANGES_EACH + IN_PLAY


class Work(NamedTuple):
    """What one process does: its share of a stream, in several threads.

    Attributes:
        share: this process's number, and of how many.
        together: so many changes are committed at once.
    """

    url: str
    stream: Stream
    changes: int
    share: tuple[int, int]
    threads: int
    together: int


_shared: dict[str, Any] = {}


def begin(tickets: Any) -> None:
    """Begin a process; the tickets are drawn from a number that all share."""
    _shared["tickets"] = tickets


def work(of: Work) -> tuple[list[Done], int]:
    """Do a share; what was done, and how often a unit of work was begun anew."""
    number, processes = of.share
    database = Database(of.url, pool_size=of.threads)
    lanes = [
        range(number + lane * processes, of.changes, processes * of.threads) for lane in range(of.threads)
    ]
    try:
        with ThreadPoolExecutor(of.threads) as pool:
            results = list(pool.map(lambda lane: _walk(database, of, lane), lanes))
    finally:
        database.dispose()
    return [one for done, _anew in results for one in done], sum(anew for _done, anew in results)


def _walk(database: Database, of: Work, lane: range) -> tuple[list[Done], int]:
    """Do every number of a lane, now and then with an old or a neighbour's one after it."""
    done: list[Done] = []
    anew = 0
    for numbers in _in_groups(lane, of):
        while True:
            try:
                with database.write() as session:
                    together = _do(session, of.stream, numbers)
                break
            except OperationalError as error:
                # Deadlocked, or SQLite let others go first again and again: whoever waits there has no place
                # in a queue.
                if "deadlock" not in str(error) and "locked" not in str(error):
                    raise
                anew += 1
        done += together
    return done, anew


def _in_groups(lane: range, of: Work) -> Iterator[list[tuple[int, int]]]:
    """Numbers that are done in one unit of work, each with the one that is due; joining stands alone."""
    group: list[tuple[int, int]] = []
    for at, number in _with_repetitions(lane, of):
        if of.stream.op(number).kind == "merge":
            yield [(at, number)]
            continue
        group.append((at, number))
        if len(group) == of.together:
            yield group
            group = []
    if group:
        yield group


def _with_repetitions(lane: range, of: Work) -> Iterator[tuple[int, int]]:
    chance = random.Random(f"repeat {of.stream.seed} {lane.start}")
    for at in lane:
        yield at, at
        draw = chance.random()
        if draw < REPEATED / 2:
            yield at, chance.randrange(at + 1)
        elif draw < REPEATED:
            # A neighbour's: somebody else may be doing it at this very moment.
            yield at, min(of.changes - 1, max(0, at + chance.randint(-12, 12)))


def _do(session: Session, stream: Stream, numbers: Iterable[tuple[int, int]]) -> list[Done]:
    ops = [(at, number, stream.op(number)) for at, number in numbers]
    whose = [one for _at, _number, op in ops for one in (op.customer, op.into) if one]
    lock_customers(session, whose)
    done = []
    for at, number, op in ops:
        with _shared["tickets"].get_lock():
            _shared["tickets"].value += 1
            ticket = _shared["tickets"].value
        done.append(Done(ticket, at, number, _outcome(session, op, stream.now(at))))
    return done


def _outcome(session: Session, op: Op, now: datetime) -> Outcome | int:
    try:
        posted = post(session, op, now)
    except CrmError as error:
        return type(error).__name__
    return posted if isinstance(posted, tuple) else posted.id
