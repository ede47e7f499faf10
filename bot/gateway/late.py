"""Tells a person once that the answer is late, whatever holds it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.gateway import answers
from bot.gateway.jobs import Job
from crm_store.db import Database

log = structlog.get_logger(__name__)


class LateNotice:
    """A timer that runs beside a job, over all of its tries.

    Args:
        database: the store.
        job: what takes so long.
        after: seconds.
        on_queued: called when something was put into the outbox.
    """

    def __init__(
        self, database: Database, job: Job, *, after: float, on_queued: Callable[[int | None], None]
    ) -> None:
        self._database = database
        self._job = job
        self._after = after
        self._on_queued = on_queued
        self._is_telling = False
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Be quiet from now on; a notice that is being queued is waited for."""
        if not self._is_telling:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        plan = None
        while plan is None:  # until the store was asked nobody knows whom to tell
            await asyncio.sleep(self._after)
            plan = self._job.plan
        self._is_telling = True
        try:
            if await asyncio.to_thread(self._tell, plan.conversation_id):
                log.warning("told_of_delay", conversation_id=plan.conversation_id)
                self._on_queued(plan.conversation_id)
        except Exception as error:
            log.error("delay_not_told", error=type(error).__name__)

    def _tell(self, conversation_id: int) -> bool:
        with self._database.write() as session:
            return answers.tell_of_delay(session, job=self._job, conversation_id=conversation_id)
