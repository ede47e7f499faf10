"""What people of the staff write to a customer, on its way: files, the line of the transcript, failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.gateway.channels.base import FilePlace
from crm_store import outbox
from crm_store.conversations.models import Message
from crm_store.handoff import topics
from crm_store.outbox import SPEAKER_STAFF, OutboxItem
from crm_store.persian import rich

#: In a transcript line's ``extra``: what a person wrote did not reach the customer.
UNDELIVERED = "undelivered"
_NOT_DELIVERED, _NOT_EDITED = "utter_topic_undelivered", "utter_topic_edit_undelivered"
#: Longest text below a file.
CAPTION_LIMIT = 1024


class StaffWords(msgspec.Struct, frozen=True):
    """What a row holds that a person wrote; empty for every other row.

    Attributes:
        files: what goes along.
        edits: the messenger's number of the message that gets new words; None for a new message.
        is_caption: those words stand below a file.
        line_id: the line of the transcript that stands there already.
    """

    files: tuple[FilePlace, ...] = ()
    edits: str | None = None
    is_caption: bool = False
    line_id: int | None = None


_NONE = StaffWords()


def of_row(session: Session, item: OutboxItem) -> StaffWords:
    """What a row holds that a person wrote."""
    if item.speaker != SPEAKER_STAFF:
        return _NONE
    content = item.content
    line_id = content.get("message_id")
    line = session.get(Message, line_id) if line_id else None
    edits, is_caption = None, False
    if item.kind == outbox.EDIT:
        # It may have been written before the message itself had left.
        edits = (line.platform_message_id if line is not None else "") or content.get("edits") or ""
        is_caption = line is not None and has_caption(line.text, len(line.extra.get("files", [])))
    files = [file_place(one) for one in content.get("files") or []]
    return StaffWords(tuple(files), edits, is_caption, line_id)


def file_place(kept: Mapping[str, Any]) -> FilePlace:
    """Where a file is that is kept as ``{"path", "kind", "mime_type", "file_name"}``."""
    return FilePlace(
        path=str(kept["path"]),
        kind=str(kept.get("kind") or "document"),
        mime_type=str(kept.get("mime_type") or ""),
        file_name=str(kept.get("file_name") or ""),
    )


def has_caption(text: str, files: int) -> bool:
    """Whether a text stands below the one file that it comes with, and not in a message of its own."""
    return files == 1 and rich.utf16_length(text) <= CAPTION_LIMIT


def note_sent(session: Session, line_id: int, platform_message_id: str, edits: str | None) -> None:
    """Remember under which number the messenger knows what has left."""
    line = session.get(Message, line_id)
    if line is not None and edits is None and not line.platform_message_id:
        line.platform_message_id = platform_message_id


def note_undelivered(session: Session, item: OutboxItem) -> None:
    """Let the staff see that what one of them wrote does not arrive, in transcript and groups alike.

    Where new words do not arrive, the line itself did, and only the groups hear of it.
    """
    line_id = item.content.get("message_id") if item.speaker == SPEAKER_STAFF else None
    line = session.get(Message, line_id) if line_id else None
    is_edit = item.kind == outbox.EDIT
    if line is None or (is_edit and line.extra.get(UNDELIVERED)):
        return  # of an edit they know already that the message itself did not arrive
    if not is_edit:
        line.extra = {**line.extra, UNDELIVERED: True}
    for topic in topics.topics_of(session, conversation_id=line.conversation_id):
        told = outbox.enqueue_notice(
            session,
            conversation_id=topic.group_id,
            response=_NOT_EDITED if is_edit else _NOT_DELIVERED,
            idempotency_key=f"undelivered:{item.id}:{topic.id}",
        )
        place = {"thread": topic.thread_id, "reply_to": topics.message_of(session, topic, line)}
        told.content = {**told.content, **{name: str(value) for name, value in place.items() if value}}


def note_all_undelivered(session: Session, *, conversation_id: int) -> None:
    """Let the staff see that nothing of what was still to leave arrives."""
    waiting = select(OutboxItem).where(
        OutboxItem.conversation_id == conversation_id,
        OutboxItem.state == outbox.PENDING,
        OutboxItem.speaker == SPEAKER_STAFF,
    )
    for item in session.scalars(waiting.order_by(OutboxItem.id)):
        note_undelivered(session, item)
