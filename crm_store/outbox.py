"""The outbox: what is to be told, written in the transaction of its cause and sent by the relay.

A row holds either a finished message (a reply of the dialogue) or a notice: the name of a response in
``data/<area>/responses.yml`` and its parameters, rendered when it is sent.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm_store.base import Base, BigId, utcnow

PENDING, SENT, FAILED, CANCELLED = "pending", "sent", "failed", "cancelled"
INTERACTIVE, BULK = 0, 10


class OutboxItem(Base):
    """One message to one conversation.

    ``content`` holds for a message ``{"text", "buttons": [{"title", "token"}], "request_contact", "image",
    "expects"}`` (the last as in `crm_store.tickets.expecting`) and for a notice ``{"response", "params"}``.
    Texts are rich text (``crm_store.persian.rich``).
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_state_due_at", "state", "due_at"),
        Index("ix_outbox_conversation_id_state", "conversation_id", "state"),
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
) -> OutboxItem:
    """Queue a finished reply."""
    item = OutboxItem(
        conversation_id=conversation_id,
        kind="message",
        content=content,
        inbox_id=inbox_id,
        correlation_id=correlation_id,
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
) -> OutboxItem:
    """Queue a notice; the same key again returns the first one.

    Args:
        response: name of a response, for example ``utter_trouble``.
        idempotency_key: names the cause, for example ``trouble:17``.
        params: values for the response's placeholders, unescaped.
        due_at: earliest moment to send; now by default.
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
    )
    session.add(item)
    return item


def waiting_conversations(
    session: Session, *, now: datetime, exclude: Collection[int] = (), limit: int = 200
) -> list[int]:
    """Conversations with a row to send now: those with interactive rows first, then in order of their oldest.

    Args:
        exclude: conversations that are not asked for.
    """
    statement = select(OutboxItem.conversation_id).where(
        OutboxItem.state == PENDING, OutboxItem.due_at <= now
    )
    if exclude:
        statement = statement.where(OutboxItem.conversation_id.not_in(exclude))
    by_urgency = (func.min(OutboxItem.priority), func.min(OutboxItem.id))
    return list(
        session.scalars(statement.group_by(OutboxItem.conversation_id).order_by(*by_urgency).limit(limit))
    )


def next_of(session: Session, *, conversation_id: int, now: datetime) -> OutboxItem | None:
    """The row that a conversation gets next: interactive before bulk, then in order."""
    return session.scalar(
        select(OutboxItem)
        .where(
            OutboxItem.conversation_id == conversation_id,
            OutboxItem.state == PENDING,
            OutboxItem.due_at <= now,
        )
        .order_by(OutboxItem.priority, OutboxItem.id)
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
