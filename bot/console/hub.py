"""The open sockets, and the tailer that notices new lines of their transcripts.

The transcript in the store is the only source of what a page shows. A socket knows the number of the last
line it sent; whatever stands behind it is sent, in order, whether it was written by another process a moment
ago or while nobody was connected. So nothing is lost and nothing repeated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from aiohttp import WSCloseCode, web

from bot.console.chat_store import ChatStore
from bot.console.follower import Follower
from bot.console.pulse import Pulse

#: Seconds between two looks at the store while somebody chats.
BUSY_TICK = 0.04
#: Seconds between two looks for lines that were given other words.
EDITS_TICK = 1.0
MAX_SOCKETS = 2000
MAX_SOCKETS_PER_VISITOR = 8


class Connection(Follower):
    """One open page.

    Args:
        visitor: whose page it is.
        socket: its socket.
        store: where its lines come from.
    """

    def __init__(self, visitor: str, socket: web.WebSocketResponse, store: ChatStore) -> None:
        super().__init__(socket, unreadable="chat_store_unreadable")
        self.visitor = visitor
        #: Number of the last line that was sent; None until the page has said hello.
        self.seq: int | None = None
        #: When the last lines were given other words, by their numbers: as seen last, and as the page knows.
        self.edits: dict[int, datetime] = {}
        self._known_edits: dict[int, datetime] = {}
        self._store = store

    @property
    def edited(self) -> dict[int, datetime]:
        """Those of them that the page may have in other words."""
        return {
            number: edited_at
            for number, edited_at in self.edits.items()
            if number <= (self.seq or 0) and self._known_edits.get(number) != edited_at
        }

    async def _send_news(self) -> None:
        while self.seq is not None and not self._socket.closed:
            frames = await asyncio.to_thread(self._store.frames_after, self.visitor, self.seq)
            for frame in frames:
                await self.send(frame)
                self.seq = frame["seq"]
            if not frames:
                break
        for number, edited_at in self.edited.items():
            frames = await asyncio.to_thread(self._store.frames_after, self.visitor, number - 1, limit=1)
            for frame in frames:
                await self.send(frame)
            self._known_edits[number] = edited_at


class Hub:
    """All open pages of this process.

    Args:
        store: the web chat's units of work.
        clock: seconds from any fixed moment.
    """

    def __init__(self, store: ChatStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.opened_total = 0
        self._store = store
        self._clock = clock
        self._latest_look_for_edits = clock()
        self._connections: dict[str, set[Connection]] = {}
        self._pulse = Pulse(busy_tick=BUSY_TICK, unreadable="chat_store_unreadable", clock=clock)

    @property
    def open_sockets(self) -> int:
        """How many pages are connected."""
        return sum(len(connections) for connections in self._connections.values())

    def has_room_for(self, visitor: str) -> bool:
        """Whether one more page of this visitor may connect."""
        mine = len(self._connections.get(visitor, ()))
        return self.open_sockets < MAX_SOCKETS and mine < MAX_SOCKETS_PER_VISITOR

    def add(self, connection: Connection) -> None:
        """Begin to follow a page's conversation."""
        self._connections.setdefault(connection.visitor, set()).add(connection)
        self.opened_total += 1
        self._pulse.begin()

    def remove(self, connection: Connection) -> None:
        """Forget a page that has gone."""
        connections = self._connections.get(connection.visitor, set())
        connections.discard(connection)
        if not connections:
            self._connections.pop(connection.visitor, None)
        if not self._connections:
            self._pulse.pause()

    def stir(self) -> None:
        """Note that somebody is chatting, so that answers are looked for often."""
        self._pulse.stir()

    async def close_all(self) -> None:
        """Ask every page to connect again later; for a stop of the process."""
        everyone = [connection for group in self._connections.values() for connection in group]
        await asyncio.gather(*(connection.close(WSCloseCode.GOING_AWAY) for connection in everyone))

    async def tail(self) -> None:
        """Look for new lines until cancelled: one indexed query per tick for all pages."""
        await self._pulse.beat(self._wake_who_has_news)

    async def _wake_who_has_news(self) -> None:
        shown = {
            connection: connection.seq
            for connections in self._connections.values()
            for connection in connections
            if connection.seq is not None
        }
        latest = await asyncio.to_thread(self._store.latest, list(self._connections))
        for connection, seq in shown.items():
            newest = latest.get(connection.visitor, 0)
            if newest > seq:
                self.stir()
                connection.news.set()
            elif newest < seq:
                # The transcript was erased: connecting again, the page finds that out and starts over.
                await connection.close(WSCloseCode.SERVICE_RESTART)
        if self._clock() - self._latest_look_for_edits >= EDITS_TICK:
            self._latest_look_for_edits = self._clock()
            await self._wake_whose_lines_changed()

    async def _wake_whose_lines_changed(self) -> None:
        edits = await asyncio.to_thread(self._store.edits, list(self._connections))
        for connections in self._connections.values():
            for connection in connections:
                connection.edits = edits.get(connection.visitor, {})
                if connection.edited:
                    connection.news.set()
