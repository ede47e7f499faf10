"""Work for a later moment, from durable rows: once per due time, with one process at work or with five.

What a job changes, what it puts into the outbox and that it is done commit together. A process that is killed
in between leaves the row as it was; whoever looks next does it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.jobs.models import CANCELLED, DONE, FAILED, PENDING, ScheduledJob
from crm_store.logs import place_of

log = structlog.get_logger(__name__)

#: Does a job, in the transaction that marks it as done. It looks whether what it would say is still true, and
#: does nothing if not. It may schedule the same key again, which then waits for its new due time.
Handler = Callable[[Session, ScheduledJob, datetime], None]

_Row = TypeVar("_Row")
MAX_ATTEMPTS = 10
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=2)


class NotNow(Exception):
    """A handler cannot do its work at this moment; that is no failure, and the job waits for the next run."""


def take(session: Session, model: type[_Row], row_id: int) -> _Row | None:
    """The row that a job is about, as it is now, changed by nobody else until the job is done.

    A turn locks a ticket first and its jobs afterwards. A handler holds its job already: if it waited for the
    ticket, the two could wait for each other.

    Returns:
        The row; None when it is gone.

    Raises:
        NotNow: somebody is changing it.
    """
    row = session.get(model, row_id, with_for_update={"skip_locked": True}, populate_existing=True)
    if row is None and session.get(model, row_id) is not None:
        raise NotNow
    return row


def schedule(
    session: Session, *, kind: str, key: str, due_at: datetime, data: dict[str, Any] | None = None
) -> ScheduledJob:
    """Have something done later. The same key again moves it, and makes it wait again if it was over.

    Args:
        kind: names the handler.
        key: names the work, for example ``complaint-close:17``; at most 120 characters.
        due_at: when; what is past is done at once.
        data: for the handler, ids only; None leaves what was given before.
    """
    job = _find(session, key)
    if job is None:
        row = {"kind": kind, "key": key, "due_at": due_at, "data": data or {}}
        row |= {"state": PENDING, "attempts": 0, "last_error": "", "created_at": utcnow()}
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.execute(insert(ScheduledJob).values(row).on_conflict_do_nothing(index_elements=["key"]))
        job = _find(session, key)
    if job is None:
        raise RuntimeError(f"the job {key} was neither kept nor found")
    job.kind, job.due_at, job.data = kind, due_at, job.data if data is None else data
    job.state, job.attempts, job.last_error, job.finished_at = PENDING, 0, "", None
    session.flush()
    return job


def waiting(session: Session, *, key: str) -> ScheduledJob | None:
    """What waits to be done under a name, locked until the unit of work ends; None when nothing does."""
    job = _find(session, key)
    return job if job is not None and job.state == PENDING else None


def cancel(session: Session, *, key: str) -> bool:
    """Have something not done after all; False when nothing of this name waits."""
    job = waiting(session, key=key)
    if job is None:
        return False
    job.state, job.finished_at = CANCELLED, utcnow()
    session.flush()
    return True


def run_due(database: Database, handlers: Mapping[str, Handler], *, now: datetime, limit: int = 500) -> int:
    """Do what is due, in order, each job in a transaction of its own.

    A job that fails is tried again later and later, and given up after ten tries. Kinds without a handler
    wait: a newer process may know them.

    Args:
        handlers: by kind.
        now: the present moment.
        limit: jobs at the most.

    Returns:
        How many jobs were done.
    """
    if not _is_any_due(database, handlers, now):
        return 0
    done, done_again = 0, set[int]()
    for _ in range(limit):
        outcome = _run_next(database, handlers, now, done_again)
        if outcome is None:
            break
        done += outcome.is_done
        if outcome.waits_again:
            done_again.add(outcome.job_id)
    return done


class _Outcome(NamedTuple):
    """What became of a job; ``waits_again`` when it is pending for another due time."""

    job_id: int
    is_done: bool
    waits_again: bool


class _Claim(NamedTuple):
    """A job as it was taken."""

    job_id: int
    due_at: datetime
    attempts: int


def _run_next(
    database: Database, handlers: Mapping[str, Handler], now: datetime, done_again: set[int]
) -> _Outcome | None:
    """Do the first due job that nobody else is doing; None when there is none."""
    claim: _Claim | None = None
    try:
        with database.write() as session:
            job = session.scalar(
                select(ScheduledJob)
                .where(_is_due(handlers, now, done_again))
                .order_by(ScheduledJob.due_at, ScheduledJob.id)
                .limit(1)
                # SQLite locks no rows: there, the unit of work has the whole store to itself.
                .with_for_update(skip_locked=True)
            )
            if job is None:
                return None
            claim = _Claim(job.id, job.due_at, job.attempts)
            # Before the handler, so that it can schedule this very key again.
            job.state, job.finished_at = DONE, now
            handlers[job.kind](session, job, now)
            session.flush()
            waits_again = job.state == PENDING
    except NotNow:
        return _Outcome(claim.job_id, is_done=False, waits_again=True) if claim else None
    except Exception as error:
        if claim is None:
            raise  # the store itself is away
        _note_failure(database, claim, error, now)
        return _Outcome(claim.job_id, is_done=False, waits_again=True)
    return _Outcome(claim.job_id, is_done=True, waits_again=waits_again)


def _note_failure(database: Database, claim: _Claim, error: Exception, now: datetime) -> None:
    """Count a failed try, unless somebody has done or moved the job since."""
    reason = f"{type(error).__name__} in {place_of(error)}"  # a message could quote what somebody wrote
    with database.write() as session:
        job = session.get(ScheduledJob, claim.job_id, with_for_update=True)
        if job is None or job.state != PENDING or (job.due_at, job.attempts) != claim[1:]:
            return
        job.attempts, job.last_error = job.attempts + 1, reason
        is_given_up = job.attempts >= MAX_ATTEMPTS
        if is_given_up:
            job.state, job.finished_at = FAILED, now
        else:
            job.due_at = now + min(FIRST_PAUSE * 2 ** (job.attempts - 1), LONGEST_PAUSE)
        log.error(
            "job_given_up" if is_given_up else "job_failed",
            job_id=job.id,
            kind=job.kind,
            tries=job.attempts,
            reason=reason,
        )


def _is_any_due(database: Database, handlers: Mapping[str, Handler], now: datetime) -> bool:
    """Whether there is anything to do; a unit that only reads waits for nobody."""
    with database.read() as session:
        return session.scalar(select(ScheduledJob.id).where(_is_due(handlers, now)).limit(1)) is not None


def _is_due(
    handlers: Mapping[str, Handler], now: datetime, done_again: Collection[int] = ()
) -> ColumnElement[bool]:
    """What is to be done now, without what was done in this run and waits again."""
    is_due = and_(
        ScheduledJob.state == PENDING, ScheduledJob.due_at <= now, ScheduledJob.kind.in_(list(handlers))
    )
    return and_(is_due, ScheduledJob.id.not_in(done_again)) if done_again else is_due


def _find(session: Session, key: str) -> ScheduledJob | None:
    """A job as it is now, locked until the end of the unit of work."""
    return session.scalar(
        select(ScheduledJob)
        .where(ScheduledJob.key == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
