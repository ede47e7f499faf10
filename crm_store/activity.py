"""One timeline per customer: every area adds to it in the transaction of the event itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from crm_store.base import Base, BigId, utcnow


class Activity(Base):
    """Something that happened to or with a customer."""

    __tablename__ = "activities"
    __table_args__ = (Index("ix_activities_customer_id_at", "customer_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    #: ``area.event``, for example ``complaint.filed``.
    kind: Mapped[str] = mapped_column(String(60))
    #: ``customer``, ``bot`` or ``staff:<id>``.
    actor: Mapped[str] = mapped_column(String(60), default="customer")
    subject_type: Mapped[str] = mapped_column(String(40), default="")
    subject_id: Mapped[int | None] = mapped_column(BigId)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


def record_activity(
    session: Session,
    *,
    customer_id: int,
    kind: str,
    actor: str = "customer",
    subject_type: str = "",
    subject_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> Activity:
    """Add an entry to a customer's timeline, in the caller's transaction."""
    entry = Activity(
        customer_id=customer_id,
        kind=kind,
        actor=actor,
        subject_type=subject_type,
        subject_id=subject_id,
        data=data or {},
    )
    session.add(entry)
    return entry


def timeline(session: Session, *, customer_id: int, limit: int = 50) -> list[Activity]:
    """A customer's latest entries, newest first."""
    return list(
        session.scalars(
            select(Activity)
            .where(Activity.customer_id == customer_id)
            .order_by(Activity.id.desc())
            .limit(limit)
        )
    )


def subject_timeline(
    session: Session, *, customer_id: int, subject_type: str, subject_id: int
) -> list[Activity]:
    """What happened to one thing of a customer's, in order."""
    return list(
        session.scalars(
            select(Activity)
            .where(
                Activity.customer_id == customer_id,
                Activity.subject_type == subject_type,
                Activity.subject_id == subject_id,
            )
            .order_by(Activity.id)
        )
    )
