"""The outbox: what is to be told, written in the transaction of its cause and sent by the relay.

A row holds either a finished message (a reply of the dialogue) or a notice: the name of a response in
``data/<area>/responses.yml`` and its parameters, rendered when it is sent.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    and_,
    func,
    not_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm_store.base import Base, BigId, utcnow
from crm_store.conversations.models import HUMAN, Conversation

#: In the content of a message and in the params of a notice: ``{"kind", "params"}`` of a picture that is
#: drawn when the message leaves (`crm_store.pictures.draw`).
PICTURE = "picture"
#: In the content of a row with a file: names it, at every try alike.
DOCUMENT_KEY = "document_key"
PENDING, SENT, FAILED, CANCELLED = "pending", "sent", "failed", "cancelled"
#: What people wait for leaves first, then what is told to many, then advertising, which needs a consent.
INTERACTIVE, TO_MANY, BULK = 0, 5, 10
SPEAKER_BOT, SPEAKER_STAFF, SPEAKER_DESK = "bot", "staff", "desk"
#: Kinds of row: a finished message, a notice, the file of somebody's data, the new wording of a message that
#: a person wrote before.
MESSAGE, NOTICE, EXPORT, EDIT = "message", "notice", "export", "edit"


class OutboxItem(Base):
    """One message to one conversation.

    ``content`` holds for a message ``{"text", "buttons": [{"title", "token", "row"}], "request_contact",
    "image", "expects", "picture", "document_key"}`` and for a notice ``{"response", "params"}``; what a
    notice was rendered to, of the same shape as a message, is kept below ``rendered``. What a person wrote
    holds besides ``{"files": [{"kind", "mime_type", "file_name", "path", "size"}], "reply_to",
    "message_id"}``: the files below the attachments folder, the messenger's number of the message that is
    answered, and the line of the transcript that stands there already. An edit holds ``{"text", "edits",
    "message_id"}``: ``edits`` is the messenger's number of the message, empty where it had none yet.

    - Texts are rich text (``crm_store.persian.rich``); ``expects`` is as in `crm_store.tickets.expecting`.
    - Buttons with the same ``row``, a number, stand in one row from right to left: of grades in rising order
      1 is rightmost. A button without one stands in its place as the channel lays it.
    - ``picture`` is ``{"kind", "params"}`` (`PICTURE`), in a notice one of its params. The gateway draws it
      when the row leaves; the text is its caption, or follows it where it is too long for one, and leaves
      alone where the picture cannot be drawn or sent. ``document_key`` names its file.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_state_due_at", "state", "due_at"),
        Index("ix_outbox_conversation_id_state", "conversation_id", "state"),
        # Whatever else goes wrong, a reply cannot reach another customer.
        ForeignKeyConstraint(["handoff_id", "conversation_id"], ["handoffs.id", "handoffs.conversation_id"]),
        CheckConstraint("speaker <> 'staff' OR handoff_id IS NOT NULL", name="staff_reply_has_handoff"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    kind: Mapped[str] = mapped_column(String(10))
    content: Mapped[dict[str, Any]]
    priority: Mapped[int] = mapped_column(default=INTERACTIVE)
    due_at: Mapped[datetime] = mapped_column(default=utcnow)
    state: Mapped[str] = mapped_column(String(10), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    #: Parts of a long message that have left already; a try after a crash starts behind them.
    parts_sent: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    #: The message that this answers, if any.
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), index=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    #: ``bot``; ``staff`` for what a person wrote; ``desk`` for what tells of a hand-over while a person has
    #: the conversation.
    speaker: Mapped[str] = mapped_column(String(10), default=SPEAKER_BOT)
    #: Of a reply of the bot: the conversation's ``ownership`` under which it was prepared.
    ownership: Mapped[int | None]
    #: Of what a person wrote: the hand-over in which they wrote it, which must be of the same conversation.
    handoff_id: Mapped[int | None] = mapped_column(BigId)
    correlation_id: Mapped[str] = mapped_column(String(32), default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    sent_at: Mapped[datetime | None]


def enqueue_message(
    session: Session,
    *,
    conversation_id: int,
    content: dict[str, Any],
    inbox_id: int | None = None,
    correlation_id: str = "",
    ownership: int | None = None,
    kind: str = MESSAGE,
    speaker: str = SPEAKER_BOT,
    handoff_id: int | None = None,
    idempotency_key: str | None = None,
    due_at: datetime | None = None,
) -> OutboxItem:
    """Queue a finished message.

    Args:
        inbox_id: the message that it answers.
        ownership: of a reply of the bot, the conversation's ``ownership`` when its turn was taken; None is
            compared with nothing.
        kind: ``message``, or ``edit`` for the new wording of an earlier one.
        speaker: who says it; only `crm_store.handoff.replying` speaks for the staff.
        handoff_id: of what a person wrote, and of what tells of a hand-over: which one. The database refuses
            one of another conversation.
        idempotency_key: names the cause; whoever queues looks for it first.
        due_at: earliest moment to send; now by default.
    """
    item = OutboxItem(
        conversation_id=conversation_id,
        kind=kind,
        content=content,
        inbox_id=inbox_id,
        correlation_id=correlation_id,
        ownership=ownership,
        speaker=speaker,
        handoff_id=handoff_id,
        idempotency_key=idempotency_key,
        due_at=due_at or utcnow(),
    )
    session.add(item)
    return item


def enqueue_notice(
    session: Session,
    *,
    conversation_id: int,
    response: str,
    idempotency_key: str,
    params: dict[str, Any] | None = None,
    due_at: datetime | None = None,
    priority: int = INTERACTIVE,
    correlation_id: str = "",
    speaker: str = SPEAKER_BOT,
    handoff_id: int | None = None,
) -> OutboxItem:
    """Queue a notice; the same key again returns the first one.

    Args:
        response: name of a response, for example ``utter_trouble``.
        idempotency_key: names the cause, for example ``trouble:17``.
        params: values for the response's placeholders, unescaped.
        due_at: earliest moment to send; now by default.
        speaker: ``desk`` for what tells of a hand-over: it leaves while a person has the conversation, when
            other notices wait.
        handoff_id: of which hand-over it tells.
    """
    known = session.scalar(select(OutboxItem).where(OutboxItem.idempotency_key == idempotency_key))
    if known is not None:
        return known
    item = OutboxItem(
        conversation_id=conversation_id,
        kind="notice",
        content={"response": response, "params": params or {}},
        idempotency_key=idempotency_key,
        due_at=due_at or utcnow(),
        priority=priority,
        correlation_id=correlation_id,
        speaker=speaker,
        handoff_id=handoff_id,
    )
    session.add(item)
    return item


def waits_for_the_bot() -> ColumnElement[bool]:
    """Whether a row joined with its `Conversation` is a notice that waits while a person has the chat.

    What a customer asked for as a file is no such notice: it leaves.
    """
    is_notice = and_(
        OutboxItem.speaker == SPEAKER_BOT, OutboxItem.inbox_id.is_(None), OutboxItem.kind != EXPORT
    )
    return and_(is_notice, Conversation.owner == HUMAN)


def waiting_conversations(
    session: Session, *, now: datetime, exclude: Collection[int] = (), limit: int = 200
) -> list[int]:
    """Conversations with a row to send now: those with interactive rows first, then in order of their oldest.

    Args:
        exclude: conversations that are not asked for.
    """
    statement = (
        select(OutboxItem.conversation_id)
        .join(Conversation, OutboxItem.conversation_id == Conversation.id)
        .where(OutboxItem.state == PENDING, OutboxItem.due_at <= now, not_(waits_for_the_bot()))
    )
    if exclude:
        statement = statement.where(OutboxItem.conversation_id.not_in(exclude))
    by_urgency = (func.min(OutboxItem.priority), func.min(OutboxItem.id))
    return list(
        session.scalars(statement.group_by(OutboxItem.conversation_id).order_by(*by_urgency).limit(limit))
    )


def next_of(session: Session, *, conversation_id: int, now: datetime) -> OutboxItem | None:
    """The row that a conversation gets next: interactive before bulk, what people say first, then in order.

    Notices of the bot wait while a person has the conversation, and others pass them. Afterwards they come
    behind what the person said last, and behind the word that the bot is back.
    """
    return session.scalar(
        select(OutboxItem)
        .join(Conversation, OutboxItem.conversation_id == Conversation.id)
        .where(
            OutboxItem.conversation_id == conversation_id,
            OutboxItem.state == PENDING,
            OutboxItem.due_at <= now,
            not_(waits_for_the_bot()),
        )
        .order_by(OutboxItem.priority, OutboxItem.speaker == SPEAKER_BOT, OutboxItem.id)
        .limit(1)
    )


def cancel_pending(session: Session, *, conversation_id: int) -> int:
    """Give up all that a conversation was still to get; returns how many rows there were."""
    items = session.scalars(
        select(OutboxItem).where(OutboxItem.conversation_id == conversation_id, OutboxItem.state == PENDING)
    ).all()
    for item in items:
        item.state = CANCELLED
    return len(items)


def count_by_state(session: Session) -> dict[str, int]:
    """Number of rows in each state."""
    rows = session.execute(select(OutboxItem.state, func.count()).group_by(OutboxItem.state))
    return dict(rows.tuples().all())
