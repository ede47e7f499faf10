"""Tries a job again and again until it is answered, or parked where the operator sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy.exc import OperationalError

from bot.gateway import answers
from bot.gateway.channels.base import RateLimited, Unreachable
from bot.gateway.jobs import Job
from bot.gateway.late import LateNotice
from bot.gateway.rasa_client import RasaClient, TurnRefused, Unavailable
from bot.gateway.turns import TurnRunner
from bot.gateway.waiting import Recovery, growing_pauses
from crm_store.db import Database
from crm_store.logs import place_of
from crm_store.settings import LimitSettings

log = structlog.get_logger(__name__)

JOBS_AT_ONCE = 16
FIRST_PAUSE_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 10.0
PROBE_SECONDS = 0.5

#: Outages, not failures: the same job may be tried for as long as it takes.
OUTAGES = (Unavailable, Unreachable, RateLimited, OperationalError)


class JobKeeper:
    """Keeps at a job.

    Args:
        database: the store.
        runner: makes one try.
        rasa: asked during an outage whether it is back.
        limits: when to tell of a delay and when to park.
        on_queued: called when something was put into the outbox.
    """

    def __init__(
        self,
        database: Database,
        runner: TurnRunner,
        rasa: RasaClient,
        limits: LimitSettings,
        on_queued: Callable[[int | None], None],
    ) -> None:
        self._database = database
        self._runner = runner
        self._rasa = rasa
        self._limits = limits
        self._on_queued = on_queued
        self._slots = asyncio.Semaphore(JOBS_AT_ONCE)
        self._recovery = Recovery()
        self._is_stopping = False

    def stop(self) -> None:
        """Make no further tries."""
        self._is_stopping = True
        self._recovery.announce()

    async def bring_to_end(self, job: Job, newest_wording: Callable[[], str | None]) -> None:
        """Try a job until its rows are finished.

        Args:
            newest_wording: gives the text of an edit that came before the answer.
        """
        late = LateNotice(
            self._database, job, after=self._limits.notice_after_seconds, on_queued=self._on_queued
        )
        pauses = growing_pauses(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        try:
            while not await self._is_over(job, late, newest_wording) and not self._is_stopping:
                await self._recovery.pause(next(pauses))
                job.is_taken = False  # the rows may be gone meanwhile, erased at the customer's wish
        finally:
            await late.stop()

    async def _is_over(self, job: Job, late: LateNotice, newest_wording: Callable[[], str | None]) -> bool:
        wording = newest_wording()
        if wording is not None:
            job.correct(wording)
        try:
            async with self._slots:
                if self._is_stopping:
                    return False
                await self._runner.attempt(job, late)
        except OUTAGES as error:
            log.warning("turn_unavailable", error=type(error).__name__, reason=_reason(error))
            return False
        except TurnRefused as error:
            return await self._note_failure(job, error, park_after=1)
        except Exception as error:
            return await self._note_failure(job, error, park_after=self._limits.park_after_failures)
        return True

    async def _note_failure(self, job: Job, error: Exception, *, park_after: int) -> bool:
        """Count a failed try; whether the job is parked now."""
        reason = f"{type(error).__name__}: {_reason(error)}"
        log.error("turn_failed", error=type(error).__name__, place=place_of(error))
        try:
            is_parked = await asyncio.to_thread(self._count, job, reason, park_after)
        except Exception as store_error:
            log.error("failure_not_kept", error=type(store_error).__name__)
            return False
        if is_parked:
            log.error("message_parked", tries=park_after, reason=_reason(error))
            self._on_queued(None)
        return is_parked

    def _count(self, job: Job, reason: str, park_after: int) -> bool:
        with self._database.write() as session:
            return answers.note_failure(session, job=job, error=reason, park_after=park_after)

    async def watch_for_recovery(self) -> None:
        """Run until cancelled: while jobs wait, look whether the dialogue came back, and wake them."""
        while True:
            await self._recovery.someone_waits()
            was_ready = True
            while self._recovery.has_waiting:
                is_ready = await self._rasa.ready()
                if is_ready and not was_ready:
                    self._recovery.announce()
                was_ready = is_ready
                await asyncio.sleep(PROBE_SECONDS)


def _reason(error: Exception) -> str:
    """What may be logged: our own errors name no texts; those of libraries may quote them."""
    return str(error) if type(error).__module__.startswith("bot.") else type(error).__name__
