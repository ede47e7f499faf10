"""What the gateway does by the clock rather than in answer to somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import structlog

log = structlog.get_logger(__name__)

#: Every job runs for the first time so long after the start, when the first messages are answered.
FIRST_AFTER_SECONDS = 2.0


class TimedJob(msgspec.Struct, frozen=True):
    """Something to do again and again.

    Attributes:
        name: for the log.
        every_seconds: pause between the end of one run and the beginning of the next.
        run: does it, in a thread; what it raises is logged, and it runs again at its time.
    """

    name: str
    every_seconds: float
    run: Callable[[], None]


async def run_timed_jobs(jobs: Sequence[TimedJob]) -> None:
    """Run all jobs until cancelled, each at its own pace."""
    await asyncio.gather(*(_repeat(job) for job in jobs))


async def _repeat(job: TimedJob) -> None:
    await asyncio.sleep(min(FIRST_AFTER_SECONDS, job.every_seconds))
    while True:
        try:
            await asyncio.to_thread(job.run)
        except Exception as error:
            log.error("timed_job_failed", job=job.name, error=type(error).__name__)
        await asyncio.sleep(job.every_seconds)
