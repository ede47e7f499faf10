"""Drafts: a form's progress, kept in the store so that a restart or an expired session loses nothing.

A conversation has at most one open draft of a kind. What is submitted is created from the draft's id,
so submitting twice gives the first result.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm_store.base import Base, BigId, utcnow

OPEN, SUBMITTED, CANCELLED = "open", "submitted", "cancelled"
_ONLY_OPEN = text("state = 'open'")


class Draft(Base):
    """One form in the making."""

    __tablename__ = "drafts"
    __table_args__ = (
        Index(
            "uq_drafts_open_conversation_id_kind",
            "conversation_id",
            "kind",
            unique=True,
            sqlite_where=_ONLY_OPEN,
            postgresql_where=_ONLY_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    kind: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Which inbox row each field was taken from: an edit of that message corrects the field.
    sources: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Raised with every change, so that two writers notice each other.
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    #: The message that ended it: when that turn runs again it must find this draft, not begin another one.
    closed_by_inbox_id: Mapped[int | None] = mapped_column(BigId, index=True)
    #: When the customer was reminded of it, which happens once.
    reminded_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)

    __mapper_args__ = {"version_id_col": version}


def open_draft(
    session: Session, *, conversation_id: int, kind: str, max_age_hours: int | None = None
) -> Draft | None:
    """The conversation's open draft of a kind; one untouched for ``max_age_hours`` counts as none."""
    draft = session.scalar(
        select(Draft).where(Draft.conversation_id == conversation_id, Draft.kind == kind, Draft.state == OPEN)
    )
    if draft and max_age_hours is not None and draft.updated_at < utcnow() - timedelta(hours=max_age_hours):
        return None
    return draft


def open_drafts(session: Session, *, conversation_id: int) -> list[Draft]:
    """All open drafts of a conversation."""
    return list(
        session.scalars(select(Draft).where(Draft.conversation_id == conversation_id, Draft.state == OPEN))
    )


def turn_draft(session: Session, *, conversation_id: int, kind: str, inbox_id: int) -> Draft | None:
    """The draft that a turn works on: the one that this turn ended when it ran before, else the open one."""
    ended_by_this_turn = session.scalar(
        select(Draft).where(
            Draft.conversation_id == conversation_id, Draft.kind == kind, Draft.closed_by_inbox_id == inbox_id
        )
    )
    return ended_by_this_turn or open_draft(session, conversation_id=conversation_id, kind=kind)


def start_draft(session: Session, *, conversation_id: int, kind: str, inbox_id: int) -> Draft:
    """The draft that a turn works on, made if there is none."""
    draft = turn_draft(session, conversation_id=conversation_id, kind=kind, inbox_id=inbox_id)
    if draft is None:
        draft = Draft(conversation_id=conversation_id, kind=kind, data={}, sources={})
        session.add(draft)
        session.flush()
    return draft


def set_field(draft: Draft, *, field: str, value: object, inbox_id: int) -> None:
    """Set a field to the last thing said; None clears it. A draft that has ended stays as it was.

    Args:
        inbox_id: the message that it was taken from.
    """
    if draft.state != OPEN:
        return
    data, sources = dict(draft.data), dict(draft.sources)
    if value is None:
        data.pop(field, None)
        sources.pop(field, None)
    else:
        data[field] = value
        sources[field] = inbox_id
    draft.data, draft.sources, draft.updated_at = data, sources, utcnow()


def drop_stale(session: Session, *, conversation_id: int, kind: str, max_age_hours: int) -> None:
    """Cancel the conversation's open draft of a kind if it was untouched for too long."""
    draft = open_draft(session, conversation_id=conversation_id, kind=kind)
    if draft and draft.updated_at < utcnow() - timedelta(hours=max_age_hours):
        draft.state, draft.updated_at = CANCELLED, utcnow()
        session.flush()


def cancel_draft(session: Session, *, conversation_id: int, kind: str, inbox_id: int) -> bool:
    """Drop the conversation's open draft of a kind; False when there is none."""
    draft = turn_draft(session, conversation_id=conversation_id, kind=kind, inbox_id=inbox_id)
    if draft is None or draft.state == SUBMITTED:
        return False
    if draft.state == OPEN:
        close_draft(draft, state=CANCELLED, inbox_id=inbox_id)
    return True


def fields_from(draft: Draft, *, inbox_id: int) -> list[str]:
    """The fields that were taken from a message."""
    return [field for field, source in draft.sources.items() if source == inbox_id]


def close_draft(draft: Draft, *, state: str, inbox_id: int) -> None:
    """End a draft as ``submitted`` or ``cancelled``, by the message that asked for it."""
    draft.state, draft.closed_by_inbox_id, draft.updated_at = state, inbox_id, utcnow()
