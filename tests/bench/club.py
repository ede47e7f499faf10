"""Measures the points ledger: balance, redeeming and the nightly proof, on both databases.

``python -m tests.bench.club [how many postings]`` alone; part of `make bench`. The baseline of a figure is
the same with a tenth of the postings: it tells how the time grows.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from crm_store.base import utcnow
from crm_store.business import EXAMPLE, Reward, read_business
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.models import EARN, SPEND, LedgerPosting, LotMovement, LoyaltyAccount, PointLot
from crm_store.loyalty.proof import prove
from crm_store.loyalty.redemptions import redeem
from crm_store.rules import Rules
from tests.bench.figures import Figure, emit, percentile
from tests.bench.stores import Loader, empty_store, postgres_server

POSTINGS = 1_000_000
#: The smaller store has so much less.
GROWTH = 10
#: Each is done so often, after some that are not counted.
TIMES, FIRST = 400, 20
#: What each customer has: so many lots of so many points, of which so many spendings took so many.
LOTS, LOT_POINTS = 7, 100
SPENDINGS, SPENT = 3, 150
POSTINGS_OF_A_CUSTOMER = LOTS + SPENDINGS
_REWARD = Reward(key="discount", title="تخفیف", points=120, worth_tomans=50_000)
_SOON = timedelta(days=30)


def club_figures(folder: Path, *, postings: int = POSTINGS) -> Iterator[Figure]:
    """Balance and redeeming (95th percentiles) and the proof, with the postings and with a tenth of them."""
    with postgres_server() as server:
        for name in ("SQLite", "PostgreSQL"):
            few, many = (_measured(folder, name, server, count) for count in (postings // GROWTH, postings))
            for what, (value, unit) in many.items():
                yield Figure(f"{what}, {postings} postings, {name}", value, unit, few[what][0])


def _measured(folder: Path, name: str, server: str, postings: int) -> dict[str, tuple[float, str]]:
    business = read_business(EXAMPLE)
    club = msgspec.structs.replace(business.loyalty, tomans_per_point=10_000, rewards=(_REWARD,))
    rules = Rules(msgspec.structs.replace(business, loyalty=club))
    with empty_store(folder, name, server, f"club_{postings}") as database:
        customers = postings // POSTINGS_OF_A_CUSTOMER
        fill(database, customers=customers, now=utcnow())
        chance = random.Random(1)
        some = [chance.randint(1, customers) for _ in range(TIMES)]
        redeemers = chance.sample(range(1, customers + 1), min(TIMES, customers))
        started = time.perf_counter()
        proof = prove(database)
        seconds = time.perf_counter() - started
        assert not proof.faults, proof.faults
        return {
            "balance, p95": (_p95(lambda one: _balance(database, one), some), "ms"),
            "redeeming, p95": (_p95(lambda one: _redeem(database, one, rules), redeemers), "ms"),
            "nightly proof": (seconds, "s"),
        }


def _p95(work: Callable[[int], object], of: list[int]) -> float:
    waits = []
    for one in of:
        started = time.perf_counter()
        work(one)
        waits.append(1000 * (time.perf_counter() - started))
    return percentile(waits[FIRST:], 0.95)


def _balance(database: Database, customer_id: int) -> None:
    with database.read() as session:
        balance = balance_of(session, customer_id=customer_id, soon=_SOON)
    assert balance.points == LOTS * LOT_POINTS - SPENDINGS * SPENT


def _redeem(database: Database, customer_id: int, rules: Rules) -> None:
    with database.write() as session:
        redeem(session, customer_id=customer_id, reward=_REWARD.key, key=f"bench:{customer_id}", rules=rules)


def fill(database: Database, *, customers: int, now: datetime) -> None:
    """Fill an empty store with customers, each with lots that are partly spent, soonest expiring first."""
    everybody = range(1, customers + 1)
    begin = now - timedelta(days=300)
    with database.engine.begin() as connection:
        load = Loader(connection.connection.cursor(), is_sqlite=database.is_sqlite)
        load(Customer, ({"id": one, "created_at": begin} for one in everybody))
        load(LoyaltyAccount, ({"id": one, "customer_id": one, "created_at": begin} for one in everybody))
        load(LedgerPosting, (row for one in everybody for row in _postings(one, begin)))
        load(PointLot, (row for one in everybody for row in _lots(one, begin)))
        load(LotMovement, (row for one in everybody for row in _movements(one)))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _posting_id(customer_id: int, number: int) -> int:
    return (customer_id - 1) * POSTINGS_OF_A_CUSTOMER + number + 1


def _lot_id(customer_id: int, number: int) -> int:
    return (customer_id - 1) * LOTS + number + 1


def _postings(customer_id: int, begin: datetime) -> Iterator[dict[str, object]]:
    for number in range(POSTINGS_OF_A_CUSTOMER):
        earns = number < LOTS
        at = begin + timedelta(days=number)
        yield {
            "id": _posting_id(customer_id, number),
            "account_id": customer_id,
            "kind": EARN if earns else SPEND,
            "points": LOT_POINTS if earns else -SPENT,
            "base": LOT_POINTS if earns else 0,
            "base_at": at if earns else None,
            "cause": f"purchase:{number}" if earns else f"redemption:{number}",
            "actor": "system",
            "idempotency_key": f"fill:{customer_id}:{number}",
            "at": at,
        }


def _lots(customer_id: int, begin: datetime) -> Iterator[dict[str, object]]:
    for number in range(LOTS):
        at = begin + timedelta(days=number)
        yield {
            "id": _lot_id(customer_id, number),
            "account_id": customer_id,
            "posting_id": _posting_id(customer_id, number),
            "earned_at": at,
            "expires_at": at + timedelta(days=365),
        }


def _movements(customer_id: int) -> Iterator[dict[str, object]]:
    left = [LOT_POINTS] * LOTS
    for number in range(POSTINGS_OF_A_CUSTOMER):
        posting_id = _posting_id(customer_id, number)
        if number < LOTS:
            yield {"posting_id": posting_id, "lot_id": _lot_id(customer_id, number), "points": LOT_POINTS}
            continue
        needed = SPENT
        for lot in range(LOTS):
            taken = min(left[lot], needed)
            left[lot], needed = left[lot] - taken, needed - taken
            if taken:
                yield {"posting_id": posting_id, "lot_id": _lot_id(customer_id, lot), "points": -taken}


def main() -> None:
    """Measure the ledger alone."""
    postings = int(sys.argv[1]) if len(sys.argv) > 1 else POSTINGS
    with tempfile.TemporaryDirectory() as folder:
        emit(club_figures(Path(folder), postings=postings))


if __name__ == "__main__":
    main()
