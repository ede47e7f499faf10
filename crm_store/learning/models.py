"""Tables of the learning area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: Why a message was kept.
FALLBACK, ASKED, CORRECTED = "fallback", "asked", "corrected"
#: What became of it.
OPEN, ACCEPTED, DISCARDED = "open", "accepted", "discarded"


class LearningSample(Base):
    """A message that was not understood for certain; at most one of each message."""

    __tablename__ = "learning_samples"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"), unique=True)
    #: What was typed, masked; empty once it was kept long enough after the decision.
    text: Mapped[str] = mapped_column(Text)
    #: The likeliest intent (``faq/hours`` where it has topics); empty if there was none at all.
    understood_as: Mapped[str] = mapped_column(String(60), default="")
    #: Its confidence, 0 to 1.
    confidence: Mapped[float] = mapped_column(Float, default=0.0)
    #: The likeliest intents with their confidences, best first: ``[["faq/hours", 0.31], …]``.
    ranking: Mapped[list[Any]] = mapped_column(default=list)
    #: ``fallback``; ``asked`` ("did you mean" was shown); ``corrected`` (a button was pressed, or no said).
    reason: Mapped[str] = mapped_column(String(10))
    #: The intent of the button that the customer pressed; empty if none was.
    chosen: Mapped[str] = mapped_column(String(60), default="")
    #: ``open``, ``accepted`` or ``discarded``.
    state: Mapped[str] = mapped_column(String(10), default=OPEN, index=True)
    #: The intent that it was accepted for.
    assigned: Mapped[str] = mapped_column(String(60), default="")
    decided_by: Mapped[str] = mapped_column(String(60), default="")
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
