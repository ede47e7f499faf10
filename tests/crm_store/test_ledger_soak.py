"""Several processes and threads change points of the same customers: as if one had done so after another.

With ``--soak`` a million changes on PostgreSQL and a hundred thousand on SQLite.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from sqlalchemy import func, insert, select

from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.loyalty.models import LedgerPosting, LotMovement, LoyaltyAccount, PointLot
from crm_store.loyalty.postings import PART
from crm_store.loyalty.proof import prove
from tests.crm_store.ledger_attempts import REPEATED, Done, Stream, Work, begin, customers_for, work
from tests.crm_store.ledger_model import Points
from tests.crm_store.tampering import check_that_nobody_tampers

PROCESSES, THREADS = 2, 3
#: How many changes SQLite and PostgreSQL are asked for; and with --soak.
FEW = {True: 1_500, False: 2_500}
MANY = {True: 100_000, False: 1_000_000}
#: So many changes are committed together: SQLite waits for the disk at every commit.
TOGETHER = {True: 10, False: 4}


def some_customers(database: Database, count: int) -> list[int]:
    with database.write() as session:
        return sorted(session.scalars(insert(Customer).returning(Customer.id), [{} for _ in range(count)]))


def do_all(database: Database, stream: Stream, changes: int) -> tuple[list[Done], int]:
    """Have all processes do their share; everything done, by ticket, and how often one began anew."""
    context = get_context("spawn")
    url = database.engine.url
    if not database.is_sqlite:  # what is tried here is order, not power cuts
        url = url.update_query_dict({"options": "-csynchronous_commit=off"})
    shares = [
        Work(
            url.render_as_string(hide_password=False),
            stream,
            changes,
            (number, PROCESSES),
            THREADS,
            TOGETHER[database.is_sqlite],
        )
        for number in range(PROCESSES)
    ]
    tickets = context.Value("q", 0)
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=begin, initargs=(tickets,)) as pool:
        results = list(pool.map(work, shares))
    return sorted(one for done, _anew in results for one in done), sum(anew for _done, anew in results)


def test_points_changed_at_once_by_many_are_as_if_one_had_done_it(database: Database, soak: bool) -> None:
    wanted = (MANY if soak else FEW)[database.is_sqlite]
    changes = int(1.02 * wanted / (1 + REPEATED))  # the rest is repetitions
    stream = Stream(1405, some_customers(database, customers_for(changes)))
    started = time.perf_counter()
    done, anew = do_all(database, stream, changes)
    seconds = time.perf_counter() - started
    on_paper, outcomes = Points(), Counter[str]()
    posted = everything_posted(database)
    for one in done:
        op = stream.op(one.op)
        is_known = op.key in on_paper.changes
        expected = on_paper.do(op, stream.now(one.at))
        found = one.outcome
        if isinstance(found, int):
            key, points, debt = posted[found]
            assert key == op.key
            found = points, debt
        assert found == expected, (one, op)
        outcomes["repeated" if is_known else expected if isinstance(expected, str) else op.kind] += 1
    assert len(done) >= wanted
    assert len(posted) == on_paper.posted
    check_that_the_store_says_the_same(database, on_paper)
    proof = prove(database)
    assert proof.faults == []
    assert proof.points == sum(lot.left for person in on_paper.people.values() for lot in person.lots)
    assert proof.debt == sum(person.debt for person in on_paper.people.values())
    check_that_nobody_tampers(database)
    sys.stderr.write(
        f"\n{len(done)} changes in {seconds:.0f} s ({len(done) / seconds:.0f}/s), begun anew {anew}, "
        f"proof {proof.seconds:.1f} s, {proof.postings} postings: {dict(outcomes.most_common())}\n"
    )


def everything_posted(database: Database) -> dict[int, tuple[str, int, int]]:
    """Key, points and debt of every change, by the id of its first posting."""
    first: dict[str, int] = {}
    sums: dict[int, tuple[str, int, int]] = {}
    wanted = (LedgerPosting.id, LedgerPosting.idempotency_key, LedgerPosting.points, LedgerPosting.debt)
    with database.read() as session:
        for posting_id, part, points, debt in session.execute(select(*wanted).order_by(LedgerPosting.id)):
            key = part.partition(PART)[0]
            one = first.setdefault(key, posting_id)
            _key, points_before, debt_before = sums.get(one, (key, 0, 0))
            sums[one] = key, points_before + points, debt_before + debt
    return sums


def check_that_the_store_says_the_same(database: Database, on_paper: Points) -> None:
    """Lots in order and debts of everybody."""
    left: dict[int, list[object]] = defaultdict(list)
    with database.read() as session:
        points = func.sum(LotMovement.points)
        lots = session.execute(
            select(LoyaltyAccount.customer_id, PointLot, points)
            .join(PointLot, PointLot.account_id == LoyaltyAccount.id)
            .join(LotMovement, LotMovement.lot_id == PointLot.id)
            .group_by(LoyaltyAccount.customer_id, PointLot.id)
            .having(points != 0)
            .order_by(PointLot.expires_at.is_(None), PointLot.expires_at, PointLot.earned_at, PointLot.id)
        ).tuples()
        for customer_id, lot, count in lots:
            left[customer_id].append((lot.expires_at, lot.earned_at, int(count)))
        sums = session.execute(
            select(LoyaltyAccount.customer_id, func.sum(LedgerPosting.points), func.sum(LedgerPosting.debt))
            .join(LedgerPosting, LedgerPosting.account_id == LoyaltyAccount.id)
            .group_by(LoyaltyAccount.customer_id)
        ).tuples()
        found = {customer_id: (int(points), int(debt)) for customer_id, points, debt in sums}
    for customer_id, person in on_paper.people.items():
        lots_on_paper = person.in_order()
        assert left[customer_id] == [(lot.expires_at, lot.earned_at, lot.left) for lot in lots_on_paper]
        assert found.get(customer_id, (0, 0)) == (sum(lot.left for lot in lots_on_paper), person.debt)
    assert set(found) <= set(on_paper.people)
