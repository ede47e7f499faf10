"""Tables of the privacy area."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

PENDING, DONE = "pending", "done"


class Consent(Base):
    """One decision of a customer about a purpose; the newest one holds."""

    __tablename__ = "consents"
    __table_args__ = (
        UniqueConstraint("inbox_id", "purpose"),
        Index("ix_consents_customer_id_purpose", "customer_id", "purpose"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    #: What it is about: ``marketing`` or ``learning``.
    purpose: Mapped[str] = mapped_column(String(20))
    granted: Mapped[bool]
    #: The customer's own words, or the title of the button.
    text: Mapped[str] = mapped_column(Text, default="")
    #: Version of the wording that the customer agreed or objected to.
    version: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(20), default="")
    #: The message that decided; None for a decision that staff wrote down.
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)


class Erasure(Base):
    """A customer's confirmed wish to be forgotten, until it is carried out, and the proof afterwards."""

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    #: The message that confirmed it; unique, so a repeated turn asks once.
    inbox_id: Mapped[int | None] = mapped_column(BigId, unique=True)
    #: ``pending`` until it is carried out everywhere, then ``done``.
    state: Mapped[str] = mapped_column(String(10), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    requested_at: Mapped[datetime] = mapped_column(default=utcnow)
    done_at: Mapped[datetime | None]
