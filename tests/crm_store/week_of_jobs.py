"""A week of automatic work, as one process of several does it; started with a new interpreter."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import crm_store.models  # noqa: F401  # every table must be known before the first flush
from crm_store.db import Database
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import Handler, cancel, run_due, schedule
from crm_store.outbox import enqueue_message

START = datetime(2026, 11, 28, tzinfo=timezone.utc)
END = START + timedelta(days=7)
STEP = timedelta(hours=2)
EVERY = timedelta(hours=12)
#: Files that let processes begin.
BEGIN_TO_DIE, BEGIN = "begin-to-die", "begin"


def tell(session: Session, job: ScheduledJob, now: datetime) -> None:
    """An effect that nothing but the job itself keeps from happening twice."""
    content = {"key": job.key, "due": job.due_at.isoformat()}
    enqueue_message(session, conversation_id=1, content=content)


def tell_again(session: Session, job: ScheduledJob, now: datetime) -> None:
    """Twice a day until the week is over."""
    tell(session, job, now)
    if job.due_at + EVERY < END:
        schedule(session, kind=job.kind, key=job.key, due_at=job.due_at + EVERY)


def tell_and_cancel(session: Session, job: ScheduledJob, now: datetime) -> None:
    """Makes another job pointless."""
    tell(session, job, now)
    cancel(session, key=job.data["cancels"])


def tell_and_move(session: Session, job: ScheduledJob, now: datetime) -> None:
    """Puts another job off until the last hour of the week."""
    tell(session, job, now)
    schedule(session, kind="once", key=job.data["moves"], due_at=END - timedelta(hours=1))


def fail_at_first(session: Session, job: ScheduledJob, now: datetime) -> None:
    """Says something and breaks; the second try holds."""
    tell(session, job, now)
    session.flush()
    if job.attempts == 0:
        raise RuntimeError("at first")


def die(session: Session, job: ScheduledJob, now: datetime) -> None:
    """Ends the whole process in the middle of the job, without a goodbye."""
    tell(session, job, now)
    session.flush()
    os.kill(os.getpid(), signal.SIGKILL)


HANDLERS: dict[str, Handler] = {
    "once": tell,
    "again": tell_again,
    "cancels": tell_and_cancel,
    "moves": tell_and_move,
    "flaky": fail_at_first,
}


def _do_what_is_due(database: Database, handlers: dict[str, Handler], now: datetime) -> int:
    """As `run_due`; SQLite's lock has no queue, so whoever waits for it may be passed again and again."""
    while True:
        try:
            return run_due(database, handlers, now=now)
        except OperationalError as error:
            if "locked" not in str(error):
                raise


def work(url: str, folder: str, name: str, *, dies: bool) -> None:
    """Go through the week, step by step, from when the file is there that lets it begin.

    Args:
        url: the store.
        folder: where processes say that they are ready, and wait until all are.
        name: of this process.
        dies: its first job kills it. Those who die begin before the others, who could leave them nothing.
    """
    database = Database(url, pool_size=1)
    handlers = dict.fromkeys(HANDLERS, die) if dies else HANDLERS
    (Path(folder) / name).touch()
    go = Path(folder) / (BEGIN_TO_DIE if dies else BEGIN)
    while not go.exists():
        time.sleep(0.005)
    now = START
    while now <= END:
        while _do_what_is_due(database, handlers, now):
            pass
        now += STEP
    database.dispose()
