"""Tables that complaints and service requests share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: Kinds of ticket, as ``subject_type`` in every table that belongs to one.
COMPLAINT, SERVICE_REQUEST = "complaint", "service_request"
#: Kinds of note.
NOTE, QUESTION, ANSWER, INTERNAL = "note", "question", "answer", "internal"
#: In the order of rising urgency.
PRIORITIES = ("low", "normal", "high", "urgent")
NORMAL, URGENT = PRIORITIES[1], PRIORITIES[-1]


class TicketNote(Base):
    """Something said about a ticket after it was registered; files that belong to it name it."""

    __tablename__ = "ticket_notes"
    __table_args__ = (Index("ix_ticket_notes_subject", "subject_type", "subject_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subject_type: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int] = mapped_column(BigId)
    #: ``note`` of the customer's, ``question`` of the staff's to the customer, ``answer`` to the one before,
    #: or ``internal``, which no customer reads.
    kind: Mapped[str] = mapped_column(String(10))
    #: ``customer`` or ``staff:<id>``, ``operator``.
    author: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(Text, default="")
    #: What it was made by, once: ``inbox:17``.
    idempotency_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    #: When a question was answered.
    answered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
