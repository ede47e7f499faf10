"""What is to be done later is done once per due time, together with its effects, and not lost by failing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from crm_store.db import Database
from crm_store.jobs.models import CANCELLED, DONE, FAILED, PENDING, ScheduledJob
from crm_store.jobs.service import MAX_ATTEMPTS, Handler, cancel, run_due, schedule
from crm_store.outbox import OutboxItem, enqueue_notice
from tests.factories import a_conversation

NOON = datetime(2026, 11, 28, 8, 30, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def plan(database: Database, key: str = "a", *, due_at: datetime = NOON, **values: Any) -> None:
    with database.write() as session:
        schedule(session, **{"kind": "note", "key": key, "due_at": due_at, **values})


def job(database: Database, key: str = "a") -> ScheduledJob:
    with database.read() as session:
        return session.scalars(select(ScheduledJob).where(ScheduledJob.key == key)).one()


class Noted:
    """A handler that keeps what it was given."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, session: Session, due: ScheduledJob, now: datetime) -> None:
        self.runs.append((due.key, due.data))


def break_down(session: Session, due: ScheduledJob, now: datetime) -> None:
    raise ValueError("سارا محمدی 09121234567")


def test_a_job_runs_when_it_is_due_in_order_and_never_again(database: Database) -> None:
    noted = Noted()
    plan(database, "late", due_at=NOON + HOUR, data={"complaint": 2})
    plan(database, "early", data={"complaint": 1})
    assert run_due(database, {"note": noted}, now=NOON - HOUR) == 0
    assert run_due(database, {"note": noted}, now=NOON) == 1
    assert run_due(database, {"note": noted}, now=NOON + HOUR) == 1
    assert run_due(database, {"note": noted}, now=NOON + 2 * HOUR) == 0
    assert noted.runs == [("early", {"complaint": 1}), ("late", {"complaint": 2})]
    assert (job(database, "early").state, job(database, "early").finished_at) == (DONE, NOON)


def test_the_same_key_again_moves_a_job_and_keeps_its_data_unless_there_is_new(database: Database) -> None:
    noted = Noted()
    plan(database, data={"n": 1})
    plan(database, due_at=NOON + HOUR)
    assert run_due(database, {"note": noted}, now=NOON) == 0
    assert run_due(database, {"note": noted}, now=NOON + HOUR) == 1
    plan(database, due_at=NOON + 2 * HOUR, data={"n": 2})
    assert run_due(database, {"note": noted}, now=NOON + 2 * HOUR) == 1
    assert noted.runs == [("a", {"n": 1}), ("a", {"n": 2})]


def test_what_was_cancelled_is_not_done_unless_it_is_scheduled_again(database: Database) -> None:
    noted = Noted()
    plan(database)
    with database.write() as session:
        assert cancel(session, key="a") is True
        assert cancel(session, key="a") is False
        assert cancel(session, key="unknown") is False
    assert job(database).state == CANCELLED
    assert run_due(database, {"note": noted}, now=NOON) == 0
    plan(database)
    assert run_due(database, {"note": noted}, now=NOON) == 1


def test_a_done_job_cannot_be_cancelled_any_more(database: Database) -> None:
    plan(database)
    run_due(database, {"note": Noted()}, now=NOON)
    with database.write() as session:
        assert cancel(session, key="a") is False
    assert job(database).state == DONE


def test_a_kind_that_nobody_knows_yet_waits_for_who_does(database: Database) -> None:
    noted = Noted()
    plan(database, "new", kind="from_a_newer_version")
    plan(database, "old")
    assert run_due(database, {"note": noted}, now=NOON) == 1
    assert run_due(database, {}, now=NOON) == 0
    assert job(database, "new").state == PENDING
    assert run_due(database, {"from_a_newer_version": noted}, now=NOON) == 1


def test_a_handler_may_schedule_its_own_key_for_later(database: Database) -> None:
    runs: list[datetime] = []

    def daily(session: Session, due: ScheduledJob, now: datetime) -> None:
        runs.append(due.due_at)
        schedule(session, kind=due.kind, key=due.key, due_at=due.due_at + timedelta(days=1))

    plan(database)
    for hour in range(49):
        run_due(database, {"note": daily}, now=NOON + hour * HOUR)
    assert runs == [NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)]
    assert (job(database).state, job(database).finished_at) == (PENDING, None)


def test_a_handler_that_schedules_itself_for_now_does_not_go_round_in_circles(database: Database) -> None:
    def again(session: Session, due: ScheduledJob, now: datetime) -> None:
        schedule(session, kind=due.kind, key=due.key, due_at=now)

    plan(database)
    assert run_due(database, {"note": again}, now=NOON) == 1
    assert run_due(database, {"note": again}, now=NOON) == 1


def test_a_handler_may_take_its_own_key_back_or_move_another(database: Database) -> None:
    def change(session: Session, due: ScheduledJob, now: datetime) -> None:
        schedule(session, kind="note", key="other", due_at=now + HOUR)
        assert cancel(session, key=due.key) is False  # it is being done

    noted = Noted()
    plan(database, kind="change")
    plan(database, "other", due_at=NOON)
    handlers: dict[str, Handler] = {"change": change, "note": noted}
    assert run_due(database, handlers, now=NOON) == 1
    assert run_due(database, handlers, now=NOON + HOUR) == 1
    assert noted.runs == [("other", {})]


def test_what_a_failing_handler_changed_is_undone_and_it_is_tried_again_later_and_later(
    database: Database,
) -> None:
    with database.write() as session:
        conversation_id = a_conversation(session).id

    def tell_and_fail(session: Session, due: ScheduledJob, now: datetime) -> None:
        enqueue_notice(
            session, conversation_id=conversation_id, response="utter_x", idempotency_key=f"x:{due.attempts}"
        )
        session.flush()
        if due.attempts < 2:
            raise ValueError("secret")

    plan(database)
    tried = []
    moment = NOON
    for _ in range(30):
        before = job(database).attempts
        is_done = run_due(database, {"note": tell_and_fail}, now=moment)
        if is_done or job(database).attempts > before:
            tried.append((moment - NOON).total_seconds())
        moment += timedelta(seconds=10)
    assert tried == [0, 30, 90]
    assert (job(database).state, job(database).attempts) == (DONE, 2)
    with database.read() as session:
        assert [row.idempotency_key for row in session.scalars(select(OutboxItem))] == ["x:2"]


def test_one_failing_job_holds_up_no_other_and_is_given_up_after_ten_tries(database: Database) -> None:
    noted = Noted()
    plan(database, kind="broken")
    plan(database, "b")
    handlers: dict[str, Handler] = {"broken": break_down, "note": noted}
    with capture_logs() as logs:
        assert run_due(database, handlers, now=NOON) == 1
        moment = NOON
        for _ in range(2 * MAX_ATTEMPTS):
            moment += timedelta(hours=3)
            assert run_due(database, handlers, now=moment) == 0
    failed = job(database)
    assert (failed.state, failed.attempts) == (FAILED, MAX_ATTEMPTS)
    assert failed.last_error.startswith("ValueError in break_down")
    events = [entry["event"] for entry in logs]
    assert events == ["job_failed"] * (MAX_ATTEMPTS - 1) + ["job_given_up"]
    assert not [word for word in ("سارا", "محمدی", "0912") if word in str(logs) + failed.last_error]


def test_a_job_that_was_given_up_may_be_scheduled_anew(database: Database) -> None:
    plan(database)
    moment = NOON
    while job(database).state == PENDING:
        run_due(database, {"note": break_down}, now=moment)
        moment += timedelta(hours=3)
    plan(database, due_at=moment)
    assert (job(database).attempts, job(database).last_error) == (0, "")
    assert run_due(database, {"note": Noted()}, now=moment) == 1


def test_no_more_than_the_limit_is_done_in_one_run(database: Database) -> None:
    for number in range(5):
        plan(database, str(number))
    noted = Noted()
    assert [run_due(database, {"note": noted}, now=NOON, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert [key for key, _ in noted.runs] == ["0", "1", "2", "3", "4"]


def test_a_job_in_hand_is_passed_over_by_another_process(postgres_database: Database) -> None:
    database, noted = postgres_database, Noted()
    plan(database)
    plan(database, "b")

    def look_meanwhile(session: Session, due: ScheduledJob, now: datetime) -> None:
        assert run_due(database, {"note": noted}, now=now) == 1

    assert run_due(database, {"note": look_meanwhile}, now=NOON, limit=1) == 1
    assert noted.runs == [("b", {})]


def test_a_job_that_was_moved_while_it_failed_elsewhere_is_left_as_it_is(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_store.jobs import service

    note_failure = service._note_failure

    def moved_first(database: Database, *args: Any) -> None:
        plan(database, due_at=NOON + HOUR)
        note_failure(database, *args)

    monkeypatch.setattr(service, "_note_failure", moved_first)
    plan(postgres_database)
    assert run_due(postgres_database, {"note": break_down}, now=NOON) == 0
    assert (job(postgres_database).due_at, job(postgres_database).attempts) == (NOON + HOUR, 0)
