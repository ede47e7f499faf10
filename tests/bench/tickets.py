"""Measures lists of tickets, opening one, and the sweep over the clocks, on both databases.

``python -m tests.bench.tickets [how many]`` alone; part of `make bench`. The baseline of a figure is the
same with a tenth of the tickets: it tells how the time grows.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business import EXAMPLE, read_business
from crm_store.complaints.models import Complaint
from crm_store.complaints.service import complaints_of
from crm_store.db import Database
from crm_store.rules import Rules
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.service import requests_of
from crm_store.sla.sweep import sweep
from crm_store.tickets.cases import ticket_case
from crm_store.tickets.queries import queue
from tests.bench.figures import Figure, emit, percentile
from tests.bench.stores import empty_store, postgres_server
from tests.bench.ticket_store import DUE, STAFF, TICKETS_OF_A_CUSTOMER, fill

TICKETS = 200_000
#: The smaller store has so much less.
GROWTH = 10
#: Each is done so often, after some that are not counted.
TIMES, FIRST = 400, 20


def ticket_figures(folder: Path, *, tickets: int = TICKETS) -> Iterator[Figure]:
    """Listing and opening (95th percentiles) and a sweep, with the tickets and with a tenth of them."""
    with postgres_server() as server:
        for name in ("SQLite", "PostgreSQL"):
            few, many = (_measured(folder, name, server, count) for count in (tickets // GROWTH, tickets))
            for what, (value, unit) in many.items():
                yield Figure(f"{what}, {tickets} tickets, {name}", value, unit, few[what][0])


def _measured(folder: Path, name: str, server: str, tickets: int) -> dict[str, tuple[float, str]]:
    with empty_store(folder, name, server, f"tickets_{tickets}") as database:
        now = utcnow()
        fill(database, tickets=tickets, now=now)
        found = {what: (value, "ms") for what, value in _reading(database, tickets, now)}
        seconds = _sweep_seconds(database, now)
    return {**found, f"sweep of the clocks, {DUE} due": (seconds, "s")}


def _reading(database: Database, tickets: int, now: datetime) -> Iterator[tuple[str, float]]:
    chance = random.Random(1)
    with database.read() as session:
        codes = [
            code
            for model in (Complaint, ServiceRequest)
            for code in session.scalars(select(model.code)).all()
        ]
    customers = tickets // TICKETS_OF_A_CUSTOMER
    works: dict[str, tuple[Callable[[Session, Any], object], Sequence[Any]]] = {
        "a customer's complaints, p95": (_complaints_of, range(1, customers + 1)),
        "a customer's service requests, p95": (_requests_of, range(1, customers + 1)),
        "an assignee's own tickets, p95": (
            lambda session, staff_id: queue(session, assignee_id=staff_id, now=now),
            range(1, STAFF + 1),
        ),
        "opening a ticket, p95": (lambda session, code: ticket_case(session, code=code), codes),
    }
    for what, (work, choices) in works.items():
        yield (
            what,
            percentile(
                [_milliseconds(database, work, chance.choice(choices)) for _ in range(TIMES)][FIRST:], 0.95
            ),
        )


def _complaints_of(session: Session, customer_id: int) -> object:
    return complaints_of(session, customer_id=customer_id)


def _requests_of(session: Session, customer_id: int) -> object:
    return requests_of(session, customer_id=customer_id)


def _milliseconds(database: Database, work: Callable[[Session, Any], object], of: Any) -> float:
    """A unit of work of its own, as every command and turn has."""
    started = time.perf_counter()
    with database.read() as session:
        work(session, of)
    return 1000 * (time.perf_counter() - started)


def _sweep_seconds(database: Database, now: datetime) -> float:
    """Until nothing is due any more, as the gateway does it: a transaction a round."""
    rules = Rules(read_business(EXAMPLE))
    started = time.perf_counter()
    found = 1
    while found:
        with database.write() as session:
            found = sweep(session, rules=rules, now=now)
    return time.perf_counter() - started


def main() -> None:
    """Measure tickets alone."""
    tickets = int(sys.argv[1]) if len(sys.argv) > 1 else TICKETS
    with tempfile.TemporaryDirectory() as folder:
        emit(ticket_figures(Path(folder), tickets=tickets))


if __name__ == "__main__":
    main()
