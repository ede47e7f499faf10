"""The open pages of the console: who waits, who has whom, and the lines of the conversation that is shown.

As with the web chat the store is the only source. One look at it per tick serves all pages; a page is sent
what stands behind the last line that it has, whether it was written a moment ago or while it was away.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aiohttp import WSCloseCode, web
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.console.follower import WATCHED_LINES, Follower
from bot.console.live_reading import SharedReader
from bot.console.pulse import Pulse
from crm_store.conversations.models import Conversation, Message
from crm_store.db import Database
from crm_store.handoff.models import CLAIMED, OPEN_STATES, WAITING, Handoff
from crm_store.outbox import SENT, OutboxItem

#: Seconds between two looks at the store while there is something going on.
BUSY_TICK = 0.05
#: Seconds between two looks at what changes more rarely: edits, deliveries, last words.
SLOW_TICK = 1.0
MAX_SOCKETS, MAX_SOCKETS_PER_MEMBER = 1000, 20
#: So long after a delivery a page that was away may still show a line as on its way.
JUST_LEFT = timedelta(hours=1)
#: Close codes for a session that is over, and for who may not; 4000 to 4999 are free for applications.
SESSION_OVER, NOT_ALLOWED = 4401, 4403

#: Of a line: when it was edited, and how far its delivery is.
Mark = tuple[str, str]


class Watcher(Follower):
    """One open page.

    Args:
        staff_id: whose page it is.
        socket: its socket.
        news_of: makes the frames with what the page lacks, in a thread or not; None when the session is over
            or its owner may no longer look.
    """

    def __init__(
        self, staff_id: int, socket: web.WebSocketResponse, news_of: Callable[[Watcher], Any]
    ) -> None:
        super().__init__(socket, unreadable="console_store_unreadable")
        self.staff_id = staff_id
        #: The conversation that the page shows, and the number of the last line that it has.
        self.conversation_id: int | None = None
        self.seq = 0
        #: Numbers of lines that changed after they were sent.
        self.changed: set[int] = set()
        #: How far the delivery of lines was that were shown before it was settled, by their numbers.
        self.on_way: dict[int, str] = {}
        self.desk: dict[str, Any] | None = None
        self.is_ready = False
        self._news_of = news_of

    async def _send_news(self) -> None:
        frames = await self._news_of(self)
        if frames is None:
            await self.close(SESSION_OVER)
            return
        for frame in frames:
            await self.send(frame)


class Look(NamedTuple):
    """What one look at the store saw.

    Attributes:
        handoffs: of each open hand-over its conversation, state, owner, who it is offered to and urgency.
        latest: number of the latest line of each conversation that is shown somewhere.
        marks: of the last lines of these conversations; None when it was not looked for.
        words: how many lines the open hand-overs have together; None likewise.
    """

    handoffs: dict[int, tuple[Any, ...]]
    latest: dict[int, int]
    marks: dict[int, dict[int, Mark]] | None = None
    words: int | None = None


class Board:
    """The open hand-overs, counted once for all pages.

    Args:
        handoffs: of a look.
    """

    def __init__(self, handoffs: dict[int, tuple[Any, ...]]) -> None:
        rows = handoffs.values()
        waiting = [row for row in rows if row[1] == WAITING]
        self.waiting = len(waiting)
        #: By member of staff.
        self.offered = Counter(row[3] for row in waiting)
        self.mine = Counter(row[2] for row in rows if row[1] == CLAIMED)
        #: State and owner, by conversation.
        self.states = {row[0]: f"{row[1]}:{row[2] or 0}" for row in reversed(rows)}


class LiveHub:
    """All open pages of this process.

    Args:
        database: the store.
        clock: seconds from any fixed moment.

    Attributes:
        reader: reads for all pages together.
        version: counts the changes on the desk that were seen; a list drawn under another one is drawn anew.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.reader = SharedReader(database)
        self._database = database
        self._clock = clock
        self._watchers: set[Watcher] = set()
        self._pulse = Pulse(busy_tick=BUSY_TICK, unreadable="console_store_unreadable", clock=clock)
        self._latest_slow = clock()
        self._last = Look({}, {}, {}, 0)
        self._board = Board({})
        self.version = 0

    @property
    def open_sockets(self) -> int:
        """How many pages are connected."""
        return len(self._watchers)

    def has_room_for(self, staff_id: int) -> bool:
        """Whether one more page of this member may connect."""
        mine = sum(watcher.staff_id == staff_id for watcher in self._watchers)
        return self.open_sockets < MAX_SOCKETS and mine < MAX_SOCKETS_PER_MEMBER

    def add(self, watcher: Watcher) -> None:
        """Begin to tell a page what happens."""
        self._watchers.add(watcher)
        self._pulse.begin()

    def remove(self, watcher: Watcher) -> None:
        """Forget a page that has gone."""
        self._watchers.discard(watcher)
        if not self._watchers:
            self._pulse.pause()

    def follow(
        self, watcher: Watcher, conversation_id: int | None, seq: int, changed: Iterable[int] = ()
    ) -> None:
        """Note what a page shows now, and send what it lacks.

        Args:
            changed: numbers of lines that may have changed since the page was loaded: `changing_lines`.
        """
        watcher.conversation_id, watcher.seq, watcher.is_ready = conversation_id, seq, True
        watcher.changed, watcher.on_way = {number for number in changed if number <= seq}, {}
        # How things stand is told by the next look: the last one may be older than the page.
        watcher.desk = None
        watcher.news.set()
        self.stir()

    def stir(self) -> None:
        """Note that something is going on, so that it is looked for often."""
        self._pulse.stir()

    def desk_of(self, watcher: Watcher) -> dict[str, Any]:
        """How things stand for a page: who waits, whom one has, and how its conversation is."""
        return {
            "type": "desk",
            "conversation": watcher.conversation_id,
            "waiting": self._board.waiting,
            "offered": self._board.offered[watcher.staff_id],
            "mine": self._board.mine[watcher.staff_id],
            "state": self._board.states.get(watcher.conversation_id or 0, ""),
            # Only lists are drawn anew for it.
            "version": 0 if watcher.conversation_id else self.version,
        }

    def latest_of(self, conversation_id: int | None) -> int:
        """Number of the latest line of a conversation, as it was seen last."""
        return self._last.latest.get(conversation_id or 0, 0)

    async def close_all(self) -> None:
        """Ask every page to connect again later; for a stop of the process."""
        await asyncio.gather(*(watcher.close(WSCloseCode.GOING_AWAY) for watcher in self._watchers))

    async def tail(self) -> None:
        """Look at the store until cancelled: a few indexed queries per tick for all pages."""
        await self._pulse.beat(self._look)

    async def _look(self) -> None:
        is_slow = self._clock() - self._latest_slow >= SLOW_TICK
        if is_slow:
            self._latest_slow = self._clock()
        shown = {watcher.conversation_id for watcher in self._watchers if watcher.conversation_id}
        look = await asyncio.to_thread(self._read, shown, is_slow)
        changed = self._changes(look)
        is_other = look.handoffs != self._last.handoffs or look.words not in (None, self._last.words)
        self.version += is_other
        if is_other or changed:
            self.stir()
        self._last = Look(
            look.handoffs,
            look.latest,
            self._last.marks if look.marks is None else look.marks,
            self._last.words if look.words is None else look.words,
        )
        self._board = Board(look.handoffs)
        for watcher in [one for one in self._watchers if one.is_ready]:
            shown_id = watcher.conversation_id or 0
            arrived = _arrived(watcher, (look.marks or {}).get(shown_id, {}))
            self._tell(watcher, changed.get(shown_id, set()) | arrived)

    def _tell(self, watcher: Watcher, changed: set[int]) -> None:
        desk = self.desk_of(watcher)
        if desk != watcher.desk:
            watcher.desk = desk
            watcher.news.set()
        watcher.changed |= {number for number in changed if number <= watcher.seq}
        if watcher.changed or self._last.latest.get(watcher.conversation_id or 0, 0) > watcher.seq:
            watcher.news.set()

    def _changes(self, look: Look) -> dict[int, set[int]]:
        """Numbers of lines whose mark is another than before, by conversation.

        A line that was edited before it was looked at counts: a page may have it as it was.
        """
        before = self._last.marks or {}
        return {
            conversation_id: changed
            for conversation_id, marks in (look.marks or {}).items()
            if (
                changed := {
                    number
                    for number, mark in marks.items()
                    if before.get(conversation_id, {}).get(number, ("", mark[1])) != mark
                }
            )
        }

    def _read(self, shown: set[int], is_slow: bool) -> Look:
        with self._database.read() as session:
            handoffs = session.execute(
                select(
                    Handoff.id,
                    Handoff.conversation_id,
                    Handoff.state,
                    Handoff.owner_id,
                    Handoff.offered_to_id,
                    Handoff.urgency,
                    Handoff.team,
                ).where(Handoff.state.in_(OPEN_STATES))
            )
            return Look(
                {row[0]: tuple(row[1:]) for row in handoffs},
                _latest(session, shown),
                _marks(session, shown) if is_slow else None,
                _words(session) if is_slow else None,
            )


def changing_lines(session: Session, conversation_id: int, *, now: datetime) -> list[int]:
    """Numbers of the last lines that were edited, or are on their way; of the staff's also what just left."""
    is_on_way = OutboxItem.state != SENT
    has_just_left = Message.author.startswith("staff:") & (OutboxItem.sent_at > now - JUST_LEFT)
    rows = session.scalars(
        select(Message.seq)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .outerjoin(OutboxItem, Message.outbox_id == OutboxItem.id)
        .where(
            Message.conversation_id == conversation_id,
            Message.seq > Conversation.last_seq - WATCHED_LINES,
            Message.edited_at.is_not(None) | is_on_way | has_just_left,
        )
    )
    return list(rows)


def _arrived(watcher: Watcher, marks: dict[int, Mark]) -> set[int]:
    """Lines whose delivery is further than a page shows: they may have left before they were looked at."""
    return {
        number
        for number, delivery in watcher.on_way.items()
        if number in marks and marks[number][1] != delivery
    }


def _latest(session: Session, shown: set[int]) -> dict[int, int]:
    if not shown:
        return {}
    rows = session.execute(select(Conversation.id, Conversation.last_seq).where(Conversation.id.in_(shown)))
    return dict(rows.tuples().all())


def _words(session: Session) -> int:
    lines = select(func.coalesce(func.sum(Conversation.last_seq), 0)).join(
        Handoff, Handoff.conversation_id == Conversation.id
    )
    return session.scalar(lines.where(Handoff.state.in_(OPEN_STATES))) or 0


def _marks(session: Session, shown: set[int]) -> dict[int, dict[int, Mark]]:
    marks: dict[int, dict[int, Mark]] = {conversation_id: {} for conversation_id in shown}
    if not shown:
        return marks
    rows = session.execute(
        select(Message.conversation_id, Message.seq, Message.edited_at, OutboxItem.state)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .outerjoin(OutboxItem, Message.outbox_id == OutboxItem.id)
        .where(Message.conversation_id.in_(shown), Message.seq > Conversation.last_seq - WATCHED_LINES)
    )
    for conversation_id, seq, edited_at, state in rows:
        is_settled = state in (None, SENT)
        marks[conversation_id][seq] = (str(edited_at or ""), "" if is_settled else state)
    return marks
