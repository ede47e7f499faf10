"""The web chat's units of work; each runs in a thread, one hop per unit."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from bot.console.follower import WATCHED_LINES
from bot.console.frames import Pressed, Said, message_frame
from bot.console.uploads import resolve
from crm_store import inbox
from crm_store.conversations import queries
from crm_store.conversations.models import EVERYBODY, Conversation, Message
from crm_store.db import Database
from crm_store.handoff.replying import names_of
from crm_store.settings import Settings

CHANNEL = "web"


class Position(NamedTuple):
    """Where a visitor's conversation is.

    Attributes:
        latest: number of the latest line; goes on from where it was when all lines went with time.
        is_missed: whether there are lines that the page lacks.
        waits: whether an answer is on its way.
    """

    latest: int
    is_missed: bool
    waits: bool


class ChatStore:
    """What the web chat reads from the store and writes into it.

    Args:
        settings: limits, data folder and time zone.
        database: the store.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    def keep(self, visitor: str, frame: Said | Pressed) -> None:
        """Commit what a visitor sent to the inbox; a frame that is there already changes nothing.

        Raises:
            UploadRefusedError: the message names a file that this visitor did not upload.
        """
        payload = self._payload(visitor, frame)
        with self._database.write() as session:
            inbox.receive(
                session,
                channel=CHANNEL,
                update_id=f"{visitor}:{frame.client_id.hex}",
                chat_id=visitor,
                payload=payload,
            )

    def position(self, visitor: str, seq: int) -> Position:
        """Where a visitor's conversation is, for a page that has its lines up to a number."""
        with self._database.read() as session:
            latest = queries.latest_numbers(session, channel=CHANNEL, chat_ids=[visitor])
            missed = queries.lines_after(session, channel=CHANNEL, chat_id=visitor, seq=seq, limit=1)
            waits = queries.waits_for_answer(session, channel=CHANNEL, chat_id=visitor)
        return Position(latest.get(visitor, 0), bool(missed), waits)

    def latest(self, visitors: Collection[str]) -> dict[str, int]:
        """Number of the latest line of each of these visitors who has one."""
        with self._database.read() as session:
            return queries.latest_numbers(session, channel=CHANNEL, chat_ids=visitors)

    def edits(self, visitors: Collection[str]) -> dict[str, dict[int, datetime]]:
        """When which of these visitors' last lines were given other words, by their numbers."""
        edits: dict[str, dict[int, datetime]] = {}
        with self._database.read() as session:
            rows = session.execute(
                select(Conversation.chat_id, Message.seq, Message.edited_at)
                .join(Conversation, Message.conversation_id == Conversation.id)
                .where(
                    Conversation.channel == CHANNEL,
                    Conversation.chat_id.in_(visitors),
                    Message.seq > Conversation.last_seq - WATCHED_LINES,
                    Message.audience == EVERYBODY,
                    Message.edited_at.is_not(None),
                )
            )
            for visitor, number, edited_at in rows:
                edits.setdefault(visitor, {})[number] = edited_at
        return edits

    def frames_after(self, visitor: str, seq: int, *, limit: int = 200) -> list[dict[str, Any]]:
        """Frames of the lines behind a number, in order; an empty list at the end of the transcript."""
        with self._database.read() as session:
            lines = queries.lines_after(session, channel=CHANNEL, chat_id=visitor, seq=seq, limit=limit)
            names = names_of(session, authors={line.message.author for line in lines})
        timezone = self._settings.business.timezone
        return [message_frame(line, timezone=timezone, names=names) for line in lines]

    def sent_file(self, visitor: str, seq: int, ordinal: int) -> str:
        """Where a file is that a member of staff sent to a visitor, below the attachments folder.

        Returns:
            The path; empty where there is none.
        """
        with self._database.read() as session:
            found = queries.lines_after(session, channel=CHANNEL, chat_id=visitor, seq=seq - 1, limit=1)
        message = found[0].message if found else None
        if message is None or message.seq != seq or not message.author.startswith("staff:"):
            return ""
        files = message.extra.get("files", [])
        return str(files[ordinal]["path"]) if ordinal < len(files) else ""

    def _payload(self, visitor: str, frame: Said | Pressed) -> dict[str, Any]:
        payload: dict[str, Any] = {"client_id": str(frame.client_id)}
        if isinstance(frame, Pressed):
            return {**payload, "button": frame.token}
        if frame.text.strip():
            payload["text"] = frame.text.strip()
        if frame.attachments:
            payload["attachments"] = [resolve(self._settings, visitor, item) for item in frame.attachments]
        return payload
