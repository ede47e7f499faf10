"""How fast messages leave: a token bucket per bot and one per chat."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time

from bot.gateway.addresses import split_address


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

    def hold(self, seconds: float) -> None:
        """Let nothing through for some seconds, and no burst after that."""
        self._tokens = 0.0
        self._filled_at = max(self._filled_at, time.monotonic() + seconds)

    def is_full(self) -> bool:
        """Whether the bucket is as good as new, so that it may be forgotten."""
        self._fill()
        return self._tokens >= self._burst and not self._waiting

    def _fill(self) -> None:
        now = time.monotonic()
        if now > self._filled_at:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
            self._filled_at = now

    async def _serve(self) -> None:
        while self._waiting:
            self._fill()
            if self._tokens < 1:
                held = max(0.0, self._filled_at - time.monotonic())
                await asyncio.sleep(held + (1 - self._tokens) / self._per_second)
                continue
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():  # its waiter may have been cancelled
                self._tokens -= 1
                turn.set_result(None)


def group_pace(per_minute: int, *, minute: float = 60.0) -> tuple[float, float]:
    """How many messages leave to a group at once, and after how many seconds each further one.

    A fifth of them leaves at once; one is kept to spare, as they do not arrive exactly when they leave.

    Args:
        per_minute: messages that the group takes in a minute.
        minute: seconds of a minute.
    """
    burst = max(1, per_minute // 5)
    return float(burst), minute / max(per_minute - burst - 1, 0.5)


class Pacer:
    """The buckets of one bot.

    Args:
        per_second: messages per second of the bot.
        chat_burst: messages that a chat may get at once.
        chat_per_second: messages per second and chat after that.
        group_per_minute: messages that a group gets in a minute, however many topics it has.
    """

    #: Telegram takes 20 messages a minute to a group (https://core.telegram.org/bots/faq).
    USUAL_GROUP_PACE = 20
    MINUTE = 60.0
    FORGET_ABOVE = 1000

    def __init__(
        self,
        *,
        per_second: float,
        chat_burst: int,
        chat_per_second: float,
        group_per_minute: int = USUAL_GROUP_PACE,
    ) -> None:
        self._bot = TokenBucket(per_second=per_second, burst=max(1.0, per_second))
        self._chat_burst = chat_burst
        self._chat_per_second = chat_per_second
        self._group_burst, self._group_seconds = group_pace(group_per_minute, minute=self.MINUTE)
        self._groups: set[str] = set()
        self._chats: dict[str, TokenBucket] = {}

    def add_group(self, chat_id: str) -> None:
        """Say that a chat is a group; Telegram's are known by their minus sign, those of others are not."""
        self._groups.add(chat_id)

    async def wait(self, chat_id: str, priority: int) -> None:
        """Wait until one message may go to a chat, or to a topic of a group."""
        await self._bucket(chat_id).acquire(priority)
        await self._bot.acquire(priority)

    def hold(self, chat_id: str, seconds: float) -> None:
        """Let nothing more go to a group, in none of its topics; the messenger said that it was too much."""
        if self._is_group(split_address(chat_id)[0]):
            self._bucket(chat_id).hold(seconds)

    def _bucket(self, chat_id: str) -> TokenBucket:
        chat, _ = split_address(chat_id)
        bucket = self._chats.get(chat)
        if bucket is None:
            self._forget_idle()
            bucket = self._chats[chat] = self._new_bucket(chat)
        return bucket

    def _new_bucket(self, chat_id: str) -> TokenBucket:
        if self._is_group(chat_id):
            return TokenBucket(per_second=1 / self._group_seconds, burst=self._group_burst)
        return TokenBucket(per_second=self._chat_per_second, burst=self._chat_burst)

    def _is_group(self, chat_id: str) -> bool:
        return chat_id.startswith("-") or chat_id in self._groups

    def _forget_idle(self) -> None:
        if len(self._chats) >= self.FORGET_ABOVE:
            self._chats = {chat: bucket for chat, bucket in self._chats.items() if not bucket.is_full()}
