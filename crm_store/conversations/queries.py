"""Reading conversations for clients that follow them as they grow."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation, Message
from crm_store.inbox import PENDING, InboxItem


class Line(msgspec.Struct, frozen=True):
    """A line of a transcript.

    Attributes:
        message: the line itself.
        incoming: payload of the inbox row that it was written for; empty for other lines.
    """

    message: Message
    incoming: dict[str, Any]


def latest_numbers(session: Session, *, channel: str, chat_ids: Collection[str]) -> dict[str, int]:
    """Number of the latest line of each of these chats; a chat without a conversation is left out."""
    rows = session.execute(
        select(Conversation.chat_id, Conversation.last_seq).where(
            Conversation.channel == channel, Conversation.chat_id.in_(chat_ids)
        )
    )
    return dict(rows.tuples().all())


def lines_after(session: Session, *, channel: str, chat_id: str, seq: int, limit: int = 200) -> list[Line]:
    """The transcript of a chat behind a number, in order."""
    rows = session.execute(
        select(Message, InboxItem.payload)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .outerjoin(InboxItem, Message.inbox_id == InboxItem.id)
        .where(Conversation.channel == channel, Conversation.chat_id == chat_id, Message.seq > seq)
        .order_by(Message.seq)
        .limit(limit)
    )
    return [Line(message, payload or {}) for message, payload in rows]


def waits_for_answer(session: Session, *, channel: str, chat_id: str) -> bool:
    """Whether a message of this chat is still being worked on."""
    waiting = exists().where(
        InboxItem.channel == channel, InboxItem.chat_id == chat_id, InboxItem.state == PENDING
    )
    return bool(session.scalar(select(waiting)))
