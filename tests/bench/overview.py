"""Measures what the staff look up: the card, people by phone and misspelt names, the history, what was said.

``python -m tests.bench.overview [how many customers]`` alone; part of `make bench`. Each customer has twenty
entries in the timeline. The baseline of a figure is the same with a tenth of the customers: it tells how the
time grows.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business import EXAMPLE, read_business
from crm_store.customers.finding import NAME, PHONE, find
from crm_store.db import Database
from crm_store.overview.card import card_of
from crm_store.overview.history import history
from crm_store.overview.report import report
from crm_store.rules import Rules
from crm_store.transcripts.search import search
from tests.bench.figures import Figure, emit, percentile
from tests.bench.overview_store import ACTIVITIES, fill, name_of, phone_of
from tests.bench.stores import empty_store, postgres_server

CUSTOMERS = 100_000
#: The smaller store has so much less.
GROWTH = 10
#: Each is done so often, after some that are not counted.
TIMES, FIRST = 300, 20
#: Letters that are mistaken for each other, and what a slip of the finger makes.
_MISTAKEN = {
    "س": "ص",
    "ص": "س",
    "ز": "ذ",
    "ض": "ظ",
    "ت": "ط",
    "ط": "ت",
    "ق": "غ",
    "ح": "ه",
    "ا": "آ",
    "ی": "ي",
}
_LETTERS = "ابپتجچخدرزسشفقکگلمنوهی"

T = TypeVar("T")


def overview_figures(folder: Path, *, customers: int = CUSTOMERS) -> Iterator[Figure]:
    """What the staff look up (95th percentiles), with the customers and with a tenth of them."""
    activities = customers * ACTIVITIES
    with postgres_server() as server:
        for name in ("SQLite", "PostgreSQL"):
            few, many = (_measured(folder, name, server, count) for count in (customers // GROWTH, customers))
            for what, value in many.items():
                label = f"{what}, {customers} customers, {activities} activities, {name}"
                yield Figure(label, value, "ms", few[what])


def _measured(folder: Path, name: str, server: str, customers: int) -> dict[str, float]:
    rules = Rules(read_business(EXAMPLE))
    now = utcnow()
    with empty_store(folder, name, server, f"overview_{customers}") as database:
        fill(database, customers=customers, now=now)
        chance = random.Random(7)
        some = [chance.randint(1, customers) for _ in range(TIMES)]
        names = [name_of(one) for one in some]
        rare, common = [f"«{one}»" for one in names], ["نرسیده", "سفارش ۱۲۳", "قهوه"] * 20
        month = now - timedelta(days=30)
        return {
            "card, p95": _p95(database, lambda s, one: card_of(s, customer_id=one, rules=rules), some),
            "find by phone, p95": _p95(database, _by_phone, [phone_of(one) for one in some]),
            "find by the phone's end, p95": _p95(
                database, _by_phone, [phone_of(one)[-chance.randint(4, 7) :] for one in some]
            ),
            "find by name, p95": _p95(database, _by_name, names),
            "find by misspelt name, p95": _p95(database, _by_name, [misspelt(one, chance) for one in names]),
            "find by half a name, p95": _p95(database, _by_name, [one.split()[-1] for one in names]),
            "history, p95": _p95(database, lambda s, one: history(s, customer_id=one, rules=rules), some),
            "search what was said, p95": _p95(database, lambda s, one: search(s, text=one), rare),
            "search what is said often, p95": _p95(database, lambda s, one: search(s, text=one), common),
            "report of a month, p95": _p95(
                database, lambda s, _: report(s, since=month, until=now, rules=rules), some[: FIRST + 20]
            ),
        }


def _p95(database: Database, work: Callable[[Session, T], object], of: Sequence[T]) -> float:
    waits = []
    for one in of:
        started = time.perf_counter()
        with database.read() as session:
            work(session, one)
        waits.append(1000 * (time.perf_counter() - started))
    return percentile(waits[FIRST:], 0.95)


def _by_phone(session: Session, text: str) -> None:
    assert any(found.matched_by == PHONE for found in find(session, text=text))


def _by_name(session: Session, text: str) -> None:
    assert any(found.matched_by == NAME for found in find(session, text=text))


def misspelt(name: str, chance: random.Random) -> str:
    """A name as somebody writes it who only heard it, or whose finger slipped once."""
    letters = list(name)
    places = [place for place, letter in enumerate(letters) if letter in _MISTAKEN]
    if places and chance.random() < 0.5:
        place = chance.choice(places)
        letters[place] = _MISTAKEN[letters[place]]
        return "".join(letters)
    longest = max(name.split(), key=len)
    place = name.index(longest) + chance.randrange(1, len(longest))
    letters[place] = chance.choice(["", letters[place] * 2, chance.choice(_LETTERS)])
    return "".join(letters)


def main() -> None:
    """Measure what the staff look up alone."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory() as folder:
        emit(overview_figures(Path(folder), customers=customers))


if __name__ == "__main__":
    main()
