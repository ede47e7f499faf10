"""Tables of the service requests area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm_store.base import Base, BigId, utcnow

#: States; `crm_store.service_requests.states` says what leads from one to another.
REQUESTED = "requested"
SCHEDULED = "scheduled"
ASSIGNED = "assigned"
ON_THE_WAY = "on_the_way"
DONE = "done"
NOT_DONE = "not_done"
CANCELLED = "cancelled"
STATES = (REQUESTED, SCHEDULED, ASSIGNED, ON_THE_WAY, DONE, NOT_DONE, CANCELLED)
#: Somebody still has to do something.
OPEN_STATES = (REQUESTED, SCHEDULED, ASSIGNED, ON_THE_WAY, NOT_DONE)
#: Why a customer cancels, and why a visit did not succeed; data/service_requests/terms.yml has their names.
CANCEL_REASONS = ("solved", "time", "price", "elsewhere", "other")
NOT_DONE_REASONS = ("nobody_home", "address", "part_missing", "refused", "too_late", "other")


class BookingWindow(Base):
    """A window of time in which visits of a kind take place; made when it is first booked."""

    __tablename__ = "booking_windows"
    __table_args__ = (
        UniqueConstraint("kind", "starts_at"),
        CheckConstraint("booked >= 0", name="booked_is_not_negative"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    #: Places taken; never more than the kind's capacity at the moment of booking.
    booked: Mapped[int] = mapped_column(default=0)


class ServiceRequest(Base):
    """A request for somebody to come or to do something."""

    __tablename__ = "service_requests"
    __table_args__ = (
        Index("ix_service_requests_customer_id_created_at", "customer_id", "created_at"),
        Index("ix_service_requests_technician_id_state", "technician_id", "state"),
        Index("ix_service_requests_state_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Eight digits, random, the last one a check digit; no complaint has the same.
    code: Mapped[str] = mapped_column(String(8), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    #: The draft that it was made of; unique, so a draft becomes one request however often it is submitted.
    draft_id: Mapped[int] = mapped_column(ForeignKey("drafts.id"), unique=True)
    #: Key of the kind of service.
    kind: Mapped[str] = mapped_column(String(40))
    problem: Mapped[str] = mapped_column(Text, default="")
    product: Mapped[str] = mapped_column(String(200), default="")
    city: Mapped[str] = mapped_column(String(60), default="")
    address: Mapped[str] = mapped_column(Text, default="")
    #: Answers to the kind's own questions: ``{"question", "answer"}`` each, in order.
    answers: Mapped[list[Any]] = mapped_column(default=list)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_points.id"))
    state: Mapped[str] = mapped_column(String(20), default=REQUESTED)
    priority: Mapped[str] = mapped_column(String(10), default="normal")
    window_id: Mapped[int | None] = mapped_column(ForeignKey("booking_windows.id"), index=True)
    technician_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    #: One of CANCEL_REASONS or NOT_DONE_REASONS, by its state.
    reason: Mapped[str] = mapped_column(String(20), default="")
    #: What the customer (cancelling) or the technician (done, not done) wrote about it.
    outcome: Mapped[str] = mapped_column(Text, default="")
    #: When the customer said that the time suits them, after the reminder.
    confirmed_at: Mapped[datetime | None]
    #: The customer's grade for the visit and the scale it was given on.
    rating: Mapped[int | None]
    rating_scale: Mapped[int | None]
    done_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)
    #: Raised with every change, so that two writers notice each other.
    version: Mapped[int] = mapped_column(default=1)

    window: Mapped[BookingWindow | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
