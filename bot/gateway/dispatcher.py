"""Works through the inbox: one job after another per chat, many chats at once."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from bot.gateway.channels.base import Channel
from bot.gateway.incoming import Incoming
from bot.gateway.jobs import Job, Queued
from bot.gateway.persistence import JobKeeper
from bot.gateway.waiting import growing_pauses, happens
from crm_store import inbox
from crm_store.db import Database
from crm_store.inbox import InboxItem

log = structlog.get_logger(__name__)

#: How often rows are looked for that another process has written.
LOOK_SECONDS = 0.05
#: How often all waiting rows are compared with those in hand, for rows that became visible out of order.
COMPARE_SECONDS = 1.0
BATCH = 500
#: An album is whole when none of its files came for this long; it is not waited for longer than the second.
ALBUM_QUIET_SECONDS = 0.6
ALBUM_LONGEST_SECONDS = 5.0


class ChatQueue:
    """What waits in one chat."""

    def __init__(self) -> None:
        self.rows: deque[Queued] = deque()
        self.arrival = asyncio.Event()

    def add(self, row: Queued) -> None:
        """Put a row at the end."""
        self.rows.append(row)
        self.arrival.set()


class Dispatcher:
    """Reads waiting rows and has each answered.

    Args:
        database: the store.
        channels: by name; rows of others are left alone.
        keeper: brings one job to its end.
    """

    def __init__(self, database: Database, channels: Mapping[str, Channel], keeper: JobKeeper) -> None:
        self._database = database
        self._channels = channels
        self._keeper = keeper
        self._chats: dict[tuple[str, str], ChatQueue] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._in_hand: set[int] = set()
        self._finished_while_looking: set[int] = set()
        self._news = asyncio.Event()
        self._last_seen = 0
        self._has_looked = False
        self._is_stopping = False

    def offer(self, rows: Sequence[InboxItem]) -> None:
        """Take up rows that were just kept, without asking the store for them."""
        if not self._has_looked or self._is_stopping:
            self.wake()  # older rows of the same chats may wait in the store
            return
        for row in rows:
            self._take_up(row)

    def wake(self) -> None:
        """Look for new rows now."""
        self._news.set()

    async def run(self) -> None:
        """Work until cancelled."""
        pauses = growing_pauses(0.1, 5.0)
        compare_at = 0.0
        while not self._is_stopping:
            self._news.clear()
            compares = time.monotonic() >= compare_at
            try:
                found = await self._look(compares=compares)
            except Exception as error:
                log.error("inbox_not_readable", error=type(error).__name__)
                await asyncio.sleep(next(pauses))
                continue
            pauses = growing_pauses(0.1, 5.0)
            if compares:
                compare_at = time.monotonic() + COMPARE_SECONDS
            if found < BATCH:
                await happens(self._news, LOOK_SECONDS)

    async def stop(self, *, within: float) -> None:
        """Take up nothing new and let running tries end, for some seconds at most."""
        self._is_stopping = True
        self._keeper.stop()
        self.wake()
        if self._workers:
            await asyncio.wait(self._workers, timeout=within)
        for worker in list(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _look(self, *, compares: bool) -> int:
        """Queue the rows that are new; returns how many rows were read."""
        self._finished_while_looking.clear()
        rows = await asyncio.to_thread(self._load, set(self._in_hand) if compares else None)
        for row in rows:
            self._last_seen = max(self._last_seen, row.id)
            self._take_up(row)
        self._has_looked = self._has_looked or len(rows) < BATCH
        return len(rows)

    def _load(self, in_hand: set[int] | None) -> list[InboxItem]:
        with self._database.read() as session:
            if in_hand is None:
                return inbox.pending(session, after_id=self._last_seen, limit=BATCH)
            missing = [row_id for row_id in inbox.pending_ids(session) if row_id not in in_hand]
            return inbox.items(session, ids=missing[:BATCH]) if missing else []

    def _take_up(self, row: InboxItem) -> None:
        """Queue a row, unless it is in hand or was until a moment ago."""
        if row.id in self._in_hand or row.id in self._finished_while_looking:
            return
        self._in_hand.add(row.id)
        channel = self._channels.get(row.channel)
        if channel is None:
            return  # its messenger is switched off; the row waits until a gateway starts with it
        incoming: Incoming = channel.parse(row.payload, row.chat_id)
        queued = Queued(row.id, row.channel, row.chat_id, row.correlation_id, incoming)
        place = (row.channel, row.chat_id)
        chat = self._chats.get(place)
        if chat is not None:
            chat.add(queued)
            return
        chat = self._chats[place] = ChatQueue()
        chat.add(queued)
        worker = asyncio.ensure_future(self._work(place, chat))
        self._workers.add(worker)
        worker.add_done_callback(self._let_go)

    def _let_go(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and worker.exception() is not None:
            log.error("chat_worker_broke", error=type(worker.exception()).__name__)

    async def _work(self, place: tuple[str, str], chat: ChatQueue) -> None:
        try:
            while chat.rows and not self._is_stopping:
                job = Job(await next_rows(chat))
                head = job.head
                with structlog.contextvars.bound_contextvars(
                    correlation_id=head.correlation_id, inbox_id=head.inbox_id, channel=head.channel
                ):
                    try:
                        await self._keeper.bring_to_end(job, partial(newest_wording, job, chat))
                    finally:
                        self._finished_while_looking.update(job.row_ids)
                        self._in_hand.difference_update(job.row_ids)
        finally:
            del self._chats[place]
            self._in_hand.difference_update(row.inbox_id for row in chat.rows)


async def next_rows(chat: ChatQueue) -> list[Queued]:
    """Take the next row off the queue, with the rest of its album once that is complete."""
    group = chat.rows[0].incoming.media_group_id
    if not group:
        return [chat.rows.popleft()]
    longest = time.monotonic() + ALBUM_LONGEST_SECONDS
    while time.monotonic() < longest:
        chat.arrival.clear()
        if not await happens(chat.arrival, ALBUM_QUIET_SECONDS):
            break
    rows = [row for row in chat.rows if row.incoming.media_group_id == group]
    for row in rows:
        chat.rows.remove(row)
    return rows


def newest_wording(job: Job, chat: ChatQueue) -> str | None:
    """The text of the last edit, waiting in the queue, of the message that a job is about."""
    if job.head.incoming.kind not in ("text", "media"):
        return None
    edits = [
        row.incoming.text
        for row in chat.rows
        if row.incoming.kind == "edited" and row.incoming.message_id == job.head.incoming.message_id
    ]
    return edits[-1] if edits else None
