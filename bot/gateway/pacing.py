"""How fast messages leave: a token bucket per bot and one per chat."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time


class TokenBucket:
    """Lets ``burst`` through at once and ``per_second`` after that.

    Those who wait are let through by priority (the smaller first), then in the order in which they came.
    """

    def __init__(self, *, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._filled_at = time.monotonic()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._pump: asyncio.Task[None] | None = None

    async def acquire(self, priority: int = 0) -> None:
        """Wait for one token."""
        self._fill()
        if self._tokens >= 1 and not self._waiting:
            self._tokens -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), turn))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.ensure_future(self._serve())
        await turn

    def is_full(self) -> bool:
        """Whether the bucket is as good as new, so that it may be forgotten."""
        self._fill()
        return self._tokens >= self._burst and not self._waiting

    def _fill(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now

    async def _serve(self) -> None:
        while self._waiting:
            self._fill()
            if self._tokens < 1:
                await asyncio.sleep((1 - self._tokens) / self._per_second)
                continue
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():  # its waiter may have been cancelled
                self._tokens -= 1
                turn.set_result(None)


class Pacer:
    """The buckets of one bot.

    Args:
        per_second: messages per second of the bot.
        chat_burst: messages that a chat may get at once.
        chat_per_second: messages per second and chat after that.
    """

    #: Telegram: 20 messages a minute to a group (https://core.telegram.org/bots/faq).
    GROUP_SECONDS = 3.0
    FORGET_ABOVE = 1000

    def __init__(self, *, per_second: float, chat_burst: int, chat_per_second: float) -> None:
        self._bot = TokenBucket(per_second=per_second, burst=max(1.0, per_second))
        self._chat_burst = chat_burst
        self._chat_per_second = chat_per_second
        self._chats: dict[str, TokenBucket] = {}

    async def wait(self, chat_id: str, priority: int) -> None:
        """Wait until one message may go to a chat."""
        bucket = self._chats.get(chat_id)
        if bucket is None:
            self._forget_idle()
            bucket = self._chats[chat_id] = self._new_bucket(chat_id)
        await bucket.acquire(priority)
        await self._bot.acquire(priority)

    def _new_bucket(self, chat_id: str) -> TokenBucket:
        if chat_id.startswith("-"):
            return TokenBucket(per_second=1 / self.GROUP_SECONDS, burst=1)
        return TokenBucket(per_second=self._chat_per_second, burst=self._chat_burst)

    def _forget_idle(self) -> None:
        if len(self._chats) >= self.FORGET_ABOVE:
            self._chats = {chat: bucket for chat, bucket in self._chats.items() if not bucket.is_full()}
