"""Tables of the complaints area."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: What a customer may want to happen; the names stand in data/complaints/terms.yml.
REMEDIES = ("refund", "replacement", "repair", "apology", "compensation", "explanation")
RECEIVED = "received"


class Complaint(Base):
    """A registered complaint."""

    __tablename__ = "complaints"
    __table_args__ = (Index("ix_complaints_customer_id_created_at", "customer_id", "created_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Eight digits, random, the last one a check digit.
    code: Mapped[str] = mapped_column(String(8), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    #: The draft that it was made of; unique, so a draft becomes one complaint however often it is submitted.
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"), unique=True)
    #: The message that held the story; an edit of that message corrects the description.
    source_inbox_id: Mapped[int | None] = mapped_column(BigId, index=True)
    category: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(Text)
    #: As the customer gave it; empty when they have none.
    order_number: Mapped[str] = mapped_column(String(40), default="")
    #: One of REMEDIES; empty when the customer did not say.
    remedy: Mapped[str] = mapped_column(String(20), default="")
    #: The number to call about it; None when the customer gave none.
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_points.id"))
    state: Mapped[str] = mapped_column(String(20), default=RECEIVED)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
