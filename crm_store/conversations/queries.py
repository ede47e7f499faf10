"""Reading conversations for clients that follow them as they grow."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from crm_store.conversations.models import EVERYBODY, Attachment, Conversation, Message
from crm_store.customers.models import ChannelIdentity
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
    """Number of the latest line of each of these chats that its customer sees.

    A chat without a conversation is left out.
    """
    shown = (
        select(Message.seq)
        .where(Message.conversation_id == Conversation.id, Message.audience == EVERYBODY)
        .order_by(Message.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    # Where all lines went with time, the number goes on from where it was.
    rows = session.execute(
        select(Conversation.chat_id, func.coalesce(shown, Conversation.last_seq)).where(
            Conversation.channel == channel, Conversation.chat_id.in_(chat_ids)
        )
    )
    return dict(rows.tuples().all())


def lines_after(session: Session, *, channel: str, chat_id: str, seq: int, limit: int = 200) -> list[Line]:
    """The transcript of a chat behind a number as its customer sees it, in order."""
    rows = session.execute(
        select(Message, InboxItem.payload)
        .join(Conversation, Message.conversation_id == Conversation.id)
        .outerjoin(InboxItem, Message.inbox_id == InboxItem.id)
        .where(
            Conversation.channel == channel,
            Conversation.chat_id == chat_id,
            Message.seq > seq,
            Message.audience == EVERYBODY,
        )
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


class TranscriptLine(msgspec.Struct, frozen=True):
    """A line of a transcript with what was sent along."""

    message: Message
    attachments: list[Attachment]


def lines_around(
    session: Session, *, conversation_id: int, moment: datetime, before: int = 20, after: int = 10
) -> list[TranscriptLine]:
    """The last lines of a conversation up to a moment and the first ones after it, in order."""
    lines = select(Message).where(Message.conversation_id == conversation_id)
    led_up = session.scalars(
        lines.where(Message.created_at <= moment).order_by(Message.seq.desc()).limit(before)
    ).all()
    followed = session.scalars(
        lines.where(Message.created_at > moment).order_by(Message.seq).limit(after)
    ).all()
    messages = [*reversed(led_up), *followed]
    sent_along: dict[int, list[Attachment]] = {}
    for attachment in session.scalars(
        select(Attachment)
        .where(Attachment.inbox_id.in_([message.inbox_id for message in messages if message.inbox_id]))
        .order_by(Attachment.inbox_id, Attachment.ordinal)
    ):
        sent_along.setdefault(attachment.inbox_id, []).append(attachment)
    return [TranscriptLine(message, sent_along.get(message.inbox_id or 0, [])) for message in messages]


def latest_conversation(session: Session, *, customer_id: int) -> int | None:
    """The private conversation in which a customer wrote last, among those where they can be reached.

    Args:
        customer_id: the record that stands for the person.

    Returns:
        Its id; None when every account has blocked the bot, or there is none.
    """
    wrote_last = (
        select(func.max(Message.created_at))
        .where(Message.conversation_id == Conversation.id, Message.author == "customer")
        .scalar_subquery()
    )
    return session.scalar(
        select(Conversation.id)
        .join(ChannelIdentity, Conversation.identity_id == ChannelIdentity.id)
        .where(ChannelIdentity.customer_id == customer_id, ChannelIdentity.blocked_at.is_(None))
        .order_by(wrote_last.is_(None), wrote_last.desc(), Conversation.id.desc())
        .limit(1)
    )
