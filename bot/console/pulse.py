"""When open pages are looked after: often while something is going on, seldom in quiet times, else never."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

#: Seconds between two looks when all has been quiet for a while, and after a look that failed.
QUIET_TICK, RETRY_SECONDS = 0.25, 1.0
QUIET_AFTER_SECONDS = 60.0

log = structlog.get_logger(__name__)


class Pulse:
    """Looks at the store again and again, for as long as there is somebody to look for.

    Args:
        busy_tick: seconds between two looks while something is going on.
        unreadable: what is logged when the store cannot be read.
        clock: seconds from any fixed moment.
    """

    def __init__(self, *, busy_tick: float, unreadable: str, clock: Callable[[], float]) -> None:
        self._busy_tick = busy_tick
        self._unreadable = unreadable
        self._clock = clock
        self._somebody_is_here = asyncio.Event()
        self._stirred = asyncio.Event()
        self._latest_stir = clock()

    def begin(self) -> None:
        """Look from now on, as somebody is here."""
        self._somebody_is_here.set()
        self.stir()

    def pause(self) -> None:
        """Look no more until `begin`."""
        self._somebody_is_here.clear()

    def stir(self) -> None:
        """Note that something is going on, so that it is looked for often."""
        self._latest_stir = self._clock()
        self._stirred.set()

    async def beat(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look until cancelled; a store that cannot be read is tried again."""
        while True:
            await self._somebody_is_here.wait()
            try:
                await look()
            except SQLAlchemyError as error:
                log.warning(self._unreadable, error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            await self._rest()

    async def _rest(self) -> None:
        if self._clock() - self._latest_stir < QUIET_AFTER_SECONDS:
            await asyncio.sleep(self._busy_tick)
            return
        self._stirred.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stirred.wait(), QUIET_TICK)
