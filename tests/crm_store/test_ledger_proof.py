"""The nightly proof of the ledger, and that the database refuses to change what was posted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.loyalty import ledger
from crm_store.loyalty.models import LedgerProof, LotMovement, PointLot
from crm_store.loyalty.proof import prove, tell_of_faults
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from tests.crm_store.tampering import TABLES, check_that_nobody_tampers
from tests.factories import a_conversation, a_group, a_member
from tests.factories.club import NOW, club

DAY = timedelta(days=1)
BY: dict[str, Any] = {"cause": "test", "actor": "system", "now": NOW}


def fill(database: Database) -> tuple[int, int]:
    """Two customers who have done a little of everything."""
    with database.write() as session:
        customers = [Customer() for _ in range(3)]
        session.add_all(customers)
        session.flush()
        one, other, third = (customer.id for customer in customers)
        for number, customer_id in enumerate((one, other, third)):
            earned = earn(session, customer_id, 50, f"a{number}")
            ledger.spend(session, customer_id=customer_id, points=20, key=f"s{number}", **BY)
            ledger.take_back(
                session, customer_id=customer_id, earned=earned, points=45, base=0, key=f"r{number}", **BY
            )
        earn(session, one, 35, "b", expires_at=NOW + DAY)
        merge(session, into_id=one, from_id=third, actor="operator", now=NOW)
        ledger.expire_due(session, customer_id=one, now=NOW + DAY)
        earn(session, one, 40, "c")
        ledger.spend(session, customer_id=one, points=20, key="s", **BY)
    return one, other


def earn(session: Session, customer_id: int, points: int, key: str, **more: Any) -> Any:
    given = {**BY, "expires_at": NOW + 30 * DAY, **more}
    return ledger.earn(session, customer_id=customer_id, points=points, key=key, **given)


@contextmanager
def without_triggers(database: Database) -> Iterator[Session]:
    """What somebody can do who rules over the database itself."""
    with database.write() as session:
        if database.is_sqlite:
            names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
            for name in names:
                session.execute(text(f"DROP TRIGGER {name}"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        yield session


def kinds(proof: LedgerProof) -> set[str]:
    return {fault["what"] for fault in proof.faults}


def test_a_sound_ledger_is_proven_night_after_night(database: Database) -> None:
    one, _other = fill(database)
    first = prove(database, now=NOW)
    assert (first.faults, first.points, first.debt) == ([], 20, 15)
    again = prove(database, now=NOW + DAY)
    assert (again.faults, again.fingerprint) == ([], first.fingerprint)
    with database.write() as session:
        earn(session, one, 5, "later")
    third = prove(database, now=NOW + 2 * DAY)
    assert third.faults == []
    assert third.postings == first.postings + 1
    assert third.fingerprint != first.fingerprint


def test_an_empty_ledger_is_sound(database: Database) -> None:
    assert prove(database, now=NOW).faults == []
    assert prove(database, now=NOW).faults == []


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE ledger_postings SET points = points + 1 WHERE idempotency_key = 'c'", "movements_differ"),
        ("UPDATE ledger_postings SET points = points + 1 WHERE idempotency_key = 'c'", "account_wrong"),
        ("UPDATE ledger_postings SET debt = -5 WHERE idempotency_key = 'c'", "account_wrong"),
        ("UPDATE ledger_postings SET base = 500 WHERE idempotency_key = 'c'", "former_postings_changed"),
        ("UPDATE ledger_postings SET actor = 'staff:9' WHERE id = 1", "former_postings_changed"),
        ("UPDATE point_lots SET expires_at = NULL WHERE id = 2", "former_postings_changed"),
        ("UPDATE lot_movements SET points = points + 1 WHERE id = 1", "movements_differ"),
        ("UPDATE lot_movements SET points = -60 WHERE id = 2", "lot_below_zero"),
        ("UPDATE point_lots SET account_id = 2 WHERE account_id = 1", "another_account"),
        ("DELETE FROM lot_movements WHERE id = 1", "movements_differ"),
    ],
)
def test_what_was_changed_past_the_services_is_found(database: Database, tampering: str, found: str) -> None:
    fill(database)
    assert prove(database, now=NOW).faults == []
    with without_triggers(database) as session:
        session.execute(text(tampering))
    assert found in kinds(prove(database, now=NOW + DAY))


def test_a_history_made_anew_is_found_although_every_sum_is_right(database: Database) -> None:
    fill(database)
    prove(database, now=NOW)
    with without_triggers(database) as session:
        newest = text("SELECT max(id) FROM ledger_postings")
        for table, column in (("lot_movements", "posting_id"), ("ledger_postings", "id")):
            session.execute(text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": session.scalar(newest)})
    assert kinds(prove(database, now=NOW + DAY)) == {"former_postings_missing"}


def test_points_moved_from_one_lot_to_another_are_found_although_every_sum_is_right(
    database: Database,
) -> None:
    with database.write() as session:
        customer = Customer()
        session.add(customer)
        session.flush()
        earn(session, customer.id, 50, "first")
        earn(session, customer.id, 50, "lasting", expires_at=NOW + 300 * DAY)
        ledger.spend(session, customer_id=customer.id, points=20, key="spent", **BY)
    assert prove(database, now=NOW).faults == []
    with without_triggers(database) as session:
        other = "SELECT max(id) FROM point_lots"
        session.execute(text(f"UPDATE lot_movements SET lot_id = ({other}) WHERE points = -20"))
    assert kinds(prove(database, now=NOW + DAY)) == {"former_postings_changed"}


def test_a_posting_that_is_being_written_while_the_proof_begins_is_no_fault(
    postgres_database: Database,
) -> None:
    one, other = fill(postgres_database)
    is_written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with postgres_database.write() as session:
            earn(session, other, 5, "slow")
            is_written.set()
            may_commit.wait(20)

    def let_it_commit(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("LOCK TABLE"):
            threading.Timer(0.3, may_commit.set).start()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    is_written.wait(20)
    with postgres_database.write() as session:  # a greater id, committed before the smaller one
        earn(session, one, 5, "quick")
    event.listen(postgres_database.engine, "before_cursor_execute", let_it_commit)
    first = prove(postgres_database, now=NOW)
    slow.join()
    assert first.faults == []
    assert prove(postgres_database, now=NOW + DAY).faults == []


def test_faults_are_told_to_admins_and_to_the_staffs_group_once(sqlite_database: Database) -> None:
    fill(sqlite_database)
    with sqlite_database.write() as session:
        a_member(session, role="admin", chat=a_conversation(session))
        a_member(session, role="agent", chat=a_conversation(session))
        _group, groups = a_group(session)
    rules = Rules(club().business, groups=groups)
    sound = prove(sqlite_database, now=NOW)
    with without_triggers(sqlite_database) as session:
        session.execute(text("UPDATE lot_movements SET points = points + 1 WHERE id = 1"))
    proof = prove(sqlite_database, now=NOW + DAY)
    with sqlite_database.write() as session:
        tell_of_faults(session, sound, rules=rules)
        assert session.scalars(select(OutboxItem)).all() == []
        for _ in range(2):
            tell_of_faults(session, proof, rules=rules)
        told = session.scalars(select(OutboxItem)).all()
    assert [item.content["response"] for item in told] == ["utter_staff_ledger_alarm"] * 2


def test_the_database_refuses_to_change_or_delete_what_was_posted(database: Database) -> None:
    fill(database)
    check_that_nobody_tampers(database)


def test_the_models_cannot_change_what_was_posted_either(database: Database) -> None:
    fill(database)

    def lengthen() -> None:
        with database.write() as session:
            session.scalars(select(PointLot).limit(1)).one().expires_at = NOW + 1000 * DAY

    def delete() -> None:
        with database.write() as session:
            session.delete(session.scalars(select(LotMovement).limit(1)).one())

    for change in (lengthen, delete):
        with pytest.raises(DBAPIError, match="append-only"):
            change()


def test_raw_rows_that_come_to_nothing_sound_are_found(database: Database) -> None:
    fill(database)
    prove(database, now=NOW)
    with database.write() as session:  # adding is not refused, but it does not add up
        session.execute(insert(LotMovement).values(posting_id=1, lot_id=2, points=1000))
    assert {"movements_differ", "account_wrong"} <= kinds(prove(database, now=NOW + DAY))


def test_every_table_of_the_ledger_is_guarded(database: Database) -> None:
    with database.read() as session:
        names = (
            "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
            if database.is_sqlite
            else "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        )
        guarded = [table for _name, table in session.execute(text(names)).tuples()]
    assert all(guarded.count(table) >= 2 for table in TABLES)
