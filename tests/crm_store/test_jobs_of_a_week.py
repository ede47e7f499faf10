"""Five processes do a week's automatic work on one store; some are killed. Each thing happens once."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections import Counter
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store.db import Database
from crm_store.jobs.models import CANCELLED, DONE, ScheduledJob
from crm_store.jobs.service import run_due, schedule
from crm_store.outbox import OutboxItem
from tests.crm_store.week_of_jobs import BEGIN, BEGIN_TO_DIE, END, EVERY, HANDLERS, START, work
from tests.factories import a_conversation

PROCESSES = 5
ONCE, AGAIN, PAIRS, FLAKY = 1260, 60, 60, 60
WEEK_MINUTES = 7 * 24 * 60
PATIENCE_SECONDS = 250


def plan_the_week(database: Database) -> tuple[Counter[str], set[str]]:
    """Schedule a week of jobs.

    Returns:
        How often each key must have been told of in the end, and the keys that are cancelled in time.
    """
    chance = random.Random(5)
    told: Counter[str] = Counter()

    def moment(low: int = 0, high: int = WEEK_MINUTES - 1) -> datetime:
        return START + timedelta(minutes=chance.randint(low, high))

    with database.write() as session:
        a_conversation(session)
        for number in range(ONCE):
            schedule(session, kind="once", key=f"once:{number}", due_at=moment())
            told[f"once:{number}"] = 1
        for number in range(AGAIN):
            first = moment(0, 12 * 60 - 1)
            schedule(session, kind="again", key=f"again:{number}", due_at=first)
            told[f"again:{number}"] = -((first - END) // EVERY)
        for number in range(PAIRS):
            for kind in ("cancels", "moves"):
                target = f"{kind}-target:{number}"
                schedule(
                    session, kind=kind, key=f"{kind}:{number}", due_at=moment(0, 999), data={kind: target}
                )
                schedule(session, kind="once", key=target, due_at=moment(5000))
                told[f"{kind}:{number}"] = 1
            told[f"moves-target:{number}"] = 1
        for number in range(FLAKY):
            schedule(session, kind="flaky", key=f"flaky:{number}", due_at=moment(0, WEEK_MINUTES // 2))
            told[f"flaky:{number}"] = 1
    return told, {f"cancels-target:{number}" for number in range(PAIRS)}


class Crew:
    """Processes at work on one store."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._url = database.engine.url.render_as_string(hide_password=False)
        self._folder = folder
        self._names = (f"process-{number}" for number in range(100))

    def start(self, *, dies: bool = False) -> BaseProcess:
        """Start a process; it waits until all may begin."""
        name = next(self._names)
        process = multiprocessing.get_context("spawn").Process(
            target=work, args=(self._url, str(self._folder), name), kwargs={"dies": dies}, daemon=True
        )
        process.start()
        return process

    def wait_for(self, count: int) -> None:
        """Wait until so many are ready."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(list(self._folder.glob("process-*"))) < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def done_so_far(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).where(ScheduledJob.state == DONE)) or 0


@pytest.mark.timeout(1200)
def test_five_processes_do_each_thing_of_a_week_once_though_some_are_killed(
    database: Database, tmp_path: Path
) -> None:
    told, cancelled = plan_the_week(database)
    crew = Crew(database, tmp_path)
    doomed = [crew.start(dies=True) for _ in range(2)]
    workers = [crew.start() for _ in range(PROCESSES - len(doomed))]
    crew.wait_for(PROCESSES)
    (tmp_path / BEGIN_TO_DIE).touch()
    for process in doomed:  # these die in the middle of their first job
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == -signal.SIGKILL
    (tmp_path / BEGIN).touch()
    workers += [crew.start() for _ in doomed]
    while done_so_far(database) < ONCE // 2:
        time.sleep(0.02)
    workers[0].kill()  # and this one wherever it happens to be
    for process in workers:
        process.join(PATIENCE_SECONDS)
    assert [process.exitcode for process in workers] == [-signal.SIGKILL, *[0] * (len(workers) - 1)]
    # What lay in the hands of the killed ones at the very end is done by whoever looks next.
    run_due(database, HANDLERS, now=END)
    with database.read() as session:
        effects = Counter(
            (row.content["key"], row.content["due"]) for row in session.scalars(select(OutboxItem))
        )
        states = dict(session.execute(select(ScheduledJob.key, ScheduledJob.state)).tuples().all())
    assert max(effects.values()) == 1
    assert Counter(key for key, _ in effects) == told
    assert {key for key, state in states.items() if state == CANCELLED} == cancelled
    assert {state for key, state in states.items() if key not in cancelled} == {DONE}
