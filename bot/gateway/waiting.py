"""Ways to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator


def growing_pauses(first: float, most: float) -> Iterator[float]:
    """Pauses in seconds, each twice as long as the one before, up to the longest."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 2, most)


async def happens(event: asyncio.Event, within: float) -> bool:
    """Wait for an event for some seconds; whether it happened."""
    if event.is_set():
        return True
    try:
        await asyncio.wait_for(event.wait(), within)
    except asyncio.TimeoutError:
        return False
    return True


class Recovery:
    """Ends the pauses of all who wait for something that is back."""

    def __init__(self) -> None:
        self._is_back = asyncio.Event()
        self._someone_waits = asyncio.Event()
        self._waiting = 0

    async def pause(self, seconds: float) -> None:
        """Wait that long, or until it is announced that all is well again."""
        self._waiting += 1
        self._someone_waits.set()
        try:
            await happens(self._is_back, seconds)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._someone_waits.clear()

    @property
    def has_waiting(self) -> bool:
        """Whether somebody is waiting."""
        return self._waiting > 0

    async def someone_waits(self) -> None:
        """Return when somebody is waiting."""
        await self._someone_waits.wait()

    def announce(self) -> None:
        """Wake all who wait."""
        self._is_back.set()
        self._is_back = asyncio.Event()
