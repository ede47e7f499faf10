"""The inbox: every update is kept here before its channel hears that we have it.

An update that arrives again finds its row and changes nothing. A row ends as ``done``, ``ignored`` or,
when it cannot be answered, ``parked`` for the operator.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm_store.base import Base, BigId, utcnow

PENDING, DONE, IGNORED, PARKED = "pending", "done", "ignored", "parked"


class InboxItem(Base):
    """One update of one channel, as it came."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "update_id"),
        Index("ix_inbox_state_id", "state", "id"),
        Index("ix_inbox_channel_chat_id", "channel", "chat_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    update_id: Mapped[str] = mapped_column(String(100))
    #: The chat it belongs to; empty when no chat could be read from the payload.
    chat_id: Mapped[str] = mapped_column(String(100), default="")
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    correlation_id: Mapped[str] = mapped_column(String(32))
    received_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]


def receive(
    session: Session, *, channel: str, update_id: str, chat_id: str, payload: dict[str, Any]
) -> int | None:
    """Keep an update.

    Returns:
        The new row's id, or None when this update is here already.
    """
    row = {
        "channel": channel,
        "update_id": update_id,
        "chat_id": chat_id,
        "payload": storable(payload),
        "state": PENDING,
        "attempts": 0,
        "last_error": "",
        "correlation_id": secrets.token_hex(8),
        "received_at": utcnow(),
    }
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(InboxItem).values(row).on_conflict_do_nothing(index_elements=["channel", "update_id"])
    return session.scalar(statement.returning(InboxItem.id))


def storable(value: Any) -> Any:
    """A copy of decoded JSON without what a database cannot keep: NUL and half surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    return value


def pending(session: Session, *, after_id: int = 0, limit: int = 500) -> list[InboxItem]:
    """Rows that wait for an answer, in order of arrival.

    Args:
        after_id: only rows that came after this one.
        limit: rows at the most.
    """
    return list(
        session.scalars(
            select(InboxItem)
            .where(InboxItem.state == PENDING, InboxItem.id > after_id)
            .order_by(InboxItem.id)
            .limit(limit)
        )
    )


def pending_ids(session: Session) -> list[int]:
    """Ids of all rows that wait for an answer, in order of arrival."""
    return list(
        session.scalars(select(InboxItem.id).where(InboxItem.state == PENDING).order_by(InboxItem.id))
    )


def items(session: Session, *, ids: list[int]) -> list[InboxItem]:
    """Rows by their ids, in order of arrival."""
    return list(session.scalars(select(InboxItem).where(InboxItem.id.in_(ids)).order_by(InboxItem.id)))


def finish(session: Session, *, inbox_id: int, state: str = DONE) -> None:
    """Close a row; commit it together with the replies."""
    item = session.get_one(InboxItem, inbox_id)
    item.state = state
    item.finished_at = utcnow()


def note_failure(session: Session, *, inbox_id: int, error: str) -> int:
    """Count a failed try and keep its reason; returns the number of tries so far."""
    item = session.get_one(InboxItem, inbox_id)
    item.attempts += 1
    item.last_error = error[:2000]
    return item.attempts


def retry_parked(session: Session, *, inbox_ids: list[int]) -> int:
    """Let parked rows be tried again; returns how many there were."""
    items = session.scalars(
        select(InboxItem).where(InboxItem.id.in_(inbox_ids), InboxItem.state == PARKED)
    ).all()
    for item in items:
        item.state, item.attempts, item.finished_at = PENDING, 0, None
    return len(items)


def count_by_state(session: Session) -> dict[str, int]:
    """Number of rows in each state."""
    rows = session.execute(select(InboxItem.state, func.count()).group_by(InboxItem.state))
    return dict(rows.tuples().all())


def oldest_pending(session: Session) -> datetime | None:
    """When the longest-waiting row arrived; None when nothing waits."""
    return session.scalar(select(func.min(InboxItem.received_at)).where(InboxItem.state == PENDING))


def parked(session: Session, *, limit: int = 100) -> list[InboxItem]:
    """Rows that could not be answered, newest first."""
    return list(
        session.scalars(
            select(InboxItem).where(InboxItem.state == PARKED).order_by(InboxItem.id.desc()).limit(limit)
        )
    )
