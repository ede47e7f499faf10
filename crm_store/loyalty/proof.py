"""The nightly proof of the ledger: every sum is made anew, and what was proven must still be the same."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import datetime
from datetime import time as time_of_day
from typing import Any

import structlog
from sqlalchemy import Select, Text, cast, func, or_, select, text, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.loyalty.models import LedgerPosting, LedgerProof, LotMovement, PointLot
from crm_store.persian import to_persian_digits
from crm_store.rules import Rules
from crm_store.staff.telling import tell_groups, tell_role

log = structlog.get_logger(__name__)

#: Rows read at once; faults of a kind that are listed.
BATCH, LISTED = 10_000, 20
#: Local time from which on the nightly proof is due.
AT_NIGHT = time_of_day(3, 30)
Fault = dict[str, Any]


def prove(database: Database, *, now: datetime | None = None) -> LedgerProof:
    """Make every sum of the ledger anew, from one view of the store, and keep what was found.

    Looked at: that each posting's movements come to its points, and stay within its account; that no lot,
    balance or debt is below zero; that the lots of each account hold what its postings come to; and that the
    postings, lots and movements which the proof before has seen are the same to the letter.

    Returns:
        The proof, kept; ``faults`` is empty when all is right.
    """
    started = time.perf_counter()
    horizon = _horizon(database)
    with database.read() as session:
        _see_one_state(session)
        former = session.scalar(select(LedgerProof).order_by(LedgerProof.id.desc()).limit(1))
        totals = _read_through(session, former, horizon)
        faults = [*totals.pop("faults"), *_faults_of_sums(session)]
    proof = LedgerProof(
        at=now or utcnow(), faults=faults, seconds=round(time.perf_counter() - started, 3), **totals
    )
    with database.write() as session:
        session.add(proof)
    return proof


def tell_of_faults(session: Session, proof: LedgerProof, *, rules: Rules) -> None:
    """Raise the alarm about a proof that found something; nothing for one that did not."""
    if not proof.faults:
        return
    log.error("ledger_proof_failed", proof_id=proof.id, faults=proof.faults[:LISTED])
    params = {"count": to_persian_digits(len(proof.faults))}
    key = f"ledger-proof:{proof.id}"
    tell_role(session, role="admin", response="utter_staff_ledger_alarm", key=key, params=params)
    tell_groups(
        session, groups=rules.groups, response="utter_staff_ledger_alarm", key=f"{key}:groups", params=params
    )


def _horizon(database: Database) -> int:
    """The newest posting before which none can come in any more; 0 for none.

    On PostgreSQL a posting with a smaller id may be committed after one with a greater id. So we wait for
    whoever is writing, and let nobody begin meanwhile; that is over at once.
    """
    with database.read() as session:
        if not database.is_sqlite:
            session.execute(text(f"LOCK TABLE {LedgerPosting.__tablename__} IN SHARE MODE"))
        return session.scalar(select(func.max(LedgerPosting.id))) or 0


def _see_one_state(session: Session) -> None:
    """All queries see the same moment; SQLite's transactions do so by themselves."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.execute(text("SET LOCAL timezone = 'UTC'"))
        session.execute(text("SET LOCAL datestyle = 'ISO'"))


def _read_through(session: Session, former: LedgerProof | None, horizon: int) -> dict[str, Any]:
    """The fingerprint of all postings, each with what it moved, and whether it is still the former one's
    as far as that one came.
    """
    fingerprint = hashlib.sha256()
    count = points = debt = last = 0
    is_former_met = former is None or former.postings == 0
    faults: list[Fault] = []
    moved = _moved_by(session, horizon)
    movements = next(moved, None)
    for row in session.execute(_all_postings(horizon)).tuples():
        fingerprint.update(repr(tuple(row)).encode())
        while movements is not None and movements[0] <= row[0]:
            fingerprint.update(repr(movements).encode())
            movements = next(moved, None)
        count, last = count + 1, row[0]
        points, debt = points + row[1], debt + row[2]
        if former is not None and last == former.last_posting_id:
            is_former_met = True
            if (count, fingerprint.hexdigest()) != (former.postings, former.fingerprint):
                faults.append({"what": "former_postings_changed", "proof_id": former.id})
    if not is_former_met and former is not None:
        faults.append({"what": "former_postings_missing", "proof_id": former.id})
    return {
        "last_posting_id": last,
        "postings": count,
        "points": points,
        "debt": debt,
        "fingerprint": fingerprint.hexdigest(),
        "faults": faults,
    }


def _all_postings(horizon: int) -> Select[Any]:
    """Everything that a posting says, and when its lot expires, in order; read piece by piece."""
    postings, lots = LedgerPosting.__table__, PointLot.__table__
    numbers = (postings.c.id, postings.c.points, postings.c.debt)
    others = [column for column in postings.columns if column not in set(numbers)]
    lot = (lots.c.id, lots.c.account_id, lots.c.earned_at, lots.c.expires_at)
    # Plain text: how a driver reads a moment or JSON must not make another fingerprint.
    as_text = [
        cast(type_coerce(column, NullType()), Text).label(f"text_{number}")
        for number, column in enumerate((*others, *lot))
    ]
    return (
        select(*numbers, *as_text)
        .select_from(postings.outerjoin(lots, lots.c.posting_id == postings.c.id))
        .where(postings.c.id <= horizon)
        .order_by(postings.c.id)
        .execution_options(yield_per=BATCH)
    )


def _moved_by(session: Session, horizon: int) -> Iterator[tuple[int, ...]]:
    """What postings moved, in their order; read piece by piece."""
    movements = (
        select(LotMovement.posting_id, LotMovement.lot_id, LotMovement.id, LotMovement.points)
        .where(LotMovement.posting_id <= horizon)
        .order_by(LotMovement.posting_id, LotMovement.lot_id)
        .execution_options(yield_per=BATCH)
    )
    for row in session.execute(movements).tuples():
        yield tuple(row)


def _faults_of_sums(session: Session) -> list[Fault]:
    moved = (
        select(LotMovement.posting_id, func.sum(LotMovement.points).label("points"))
        .group_by(LotMovement.posting_id)
        .subquery()
    )
    left = (
        select(
            PointLot.id, PointLot.account_id, func.coalesce(func.sum(LotMovement.points), 0).label("points")
        )
        .outerjoin(LotMovement, LotMovement.lot_id == PointLot.id)
        .group_by(PointLot.id, PointLot.account_id)
        .subquery()
    )
    in_lots = (
        select(left.c.account_id, func.sum(left.c.points).label("points"))
        .group_by(left.c.account_id)
        .subquery()
    )
    balance, debt = func.sum(LedgerPosting.points), func.sum(LedgerPosting.debt)
    looked_for: dict[str, tuple[str, Select[Any]]] = {
        "movements_differ": (
            "posting_id",
            select(LedgerPosting.id)
            .outerjoin(moved, moved.c.posting_id == LedgerPosting.id)
            .where(LedgerPosting.points != func.coalesce(moved.c.points, 0)),
        ),
        "another_account": (
            "posting_id",
            select(LedgerPosting.id)
            .join(LotMovement, LotMovement.posting_id == LedgerPosting.id)
            .join(PointLot, PointLot.id == LotMovement.lot_id)
            .where(PointLot.account_id != LedgerPosting.account_id),
        ),
        "lot_below_zero": ("lot_id", select(left.c.id).where(left.c.points < 0)),
        "account_wrong": (
            "account_id",
            select(LedgerPosting.account_id)
            .outerjoin(in_lots, in_lots.c.account_id == LedgerPosting.account_id)
            .group_by(LedgerPosting.account_id, in_lots.c.points)
            .having(or_(balance < 0, debt < 0, balance != func.coalesce(in_lots.c.points, 0))),
        ),
    }
    return [
        {"what": what, name: row_id}
        for what, (name, statement) in looked_for.items()
        for row_id in session.scalars(statement.limit(LISTED))
    ]
