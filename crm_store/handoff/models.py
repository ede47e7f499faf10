"""Tables of the handoff area."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow


class CallbackRequest(Base):
    """A customer's wish to be called."""

    __tablename__ = "callback_requests"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    #: The draft that it was made of.
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"), unique=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_points.id"))
    #: What the customer wanted when the offer was made, in their own words.
    topic: Mapped[str] = mapped_column(Text, default="")
    #: ``open``, ``replaced`` by the customer's newer request, or ``cancelled`` when they were forgotten.
    state: Mapped[str] = mapped_column(String(20), default="open")
    #: By when the customer was promised the call.
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
