"""Reading transcripts for the staff, and keeping what is searched up to date with them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import delete, event, insert, inspect, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from crm_store.conversations.models import Attachment, Conversation, Message
from crm_store.conversations.queries import TranscriptLine
from crm_store.errors import NotFound
from crm_store.staff.models import StaffMember
from crm_store.transcripts.folding import searchable
from crm_store.transcripts.models import MessageText

_STAFF = "staff:"


class TranscriptPage(msgspec.Struct, frozen=True):
    """Some lines of a conversation, in order.

    Attributes:
        next_before_seq: `before_seq` of the page with the lines before; None when there are none.
        names: names of the members of staff who wrote, by number.
    """

    lines: list[TranscriptLine]
    next_before_seq: int | None
    names: dict[int, str]


def transcript(
    session: Session, *, conversation_id: int, before_seq: int | None = None, size: int = 50
) -> TranscriptPage:
    """The newest lines of a conversation, or those before a number: everything, whispers included.

    Raises:
        NotFound: there is no such conversation.
    """
    if session.get(Conversation, conversation_id) is None:
        raise NotFound("there is no such conversation")
    wanted = select(Message).where(Message.conversation_id == conversation_id)
    if before_seq is not None:
        wanted = wanted.where(Message.seq < before_seq)
    newest = session.scalars(wanted.order_by(Message.seq.desc()).limit(size + 1)).all()
    messages = list(reversed(newest[:size]))
    return TranscriptPage(
        lines=with_attachments(session, messages),
        next_before_seq=messages[0].seq if len(newest) > size else None,
        names=staff_names(session, messages),
    )


def with_attachments(session: Session, messages: list[Message]) -> list[TranscriptLine]:
    """Lines with what was sent along."""
    inbox_ids = [message.inbox_id for message in messages if message.inbox_id is not None]
    sent_along: dict[int, list[Attachment]] = {}
    if inbox_ids:
        for attachment in session.scalars(
            select(Attachment)
            .where(Attachment.inbox_id.in_(inbox_ids))
            .order_by(Attachment.inbox_id, Attachment.ordinal)
        ):
            sent_along.setdefault(attachment.inbox_id, []).append(attachment)
    return [TranscriptLine(message, sent_along.get(message.inbox_id or 0, [])) for message in messages]


def staff_names(session: Session, messages: list[Message]) -> dict[int, str]:
    """Names of the members of staff who wrote some lines, by number."""
    ids = {int(one.author.removeprefix(_STAFF)) for one in messages if one.author.startswith(_STAFF)}
    if not ids:
        return {}
    rows = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(ids)))
    return dict(rows.tuples().all())


@event.listens_for(Message, "after_insert")
def _take_up(_mapper: Any, connection: Connection, message: Message) -> None:
    folded = searchable(message.author, message.text or "")
    if folded:
        connection.execute(insert(MessageText), {"message_id": message.id, "folded": folded})


@event.listens_for(Message, "after_update")
def _take_up_anew(mapper: Any, connection: Connection, message: Message) -> None:
    if inspect(message).attrs.text.history.has_changes():
        connection.execute(delete(MessageText).where(MessageText.message_id == message.id))
        _take_up(mapper, connection, message)
