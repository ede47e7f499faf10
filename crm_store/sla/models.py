"""Tables of the promises with a clock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

#: What is timed.
FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION = "first_response", "next_response", "resolution"
METRICS = (FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION)
#: States of a clock.
RUNNING, PAUSED, MET, MISSED, CANCELLED = "running", "paused", "met", "missed", "cancelled"


class SlaClock(Base):
    """A due time of a ticket, counted in working time.

    A clock that runs or is paused may have passed its due time already: ``breached_at`` says since when that
    is known. One that has stopped was met or missed.
    """

    __tablename__ = "sla_clocks"
    __table_args__ = (
        Index("ix_sla_clocks_subject", "subject_type", "subject_id"),
        Index("ix_sla_clocks_check_at", "check_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: A kind of ticket (`crm_store.tickets.models`).
    subject_type: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int] = mapped_column(BigId)
    #: One of METRICS.
    metric: Mapped[str] = mapped_column(String(20))
    #: Name of the policy, as it was when the clock began.
    policy: Mapped[str] = mapped_column(String(200))
    #: Working time that was promised, in seconds.
    target_seconds: Mapped[int]
    started_at: Mapped[datetime]
    #: While it is paused, as it was before the pause.
    due_at: Mapped[datetime]
    #: When the assignee is warned.
    warn_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default=RUNNING)
    paused_at: Mapped[datetime | None]
    #: Working time in all pauses that are over, in seconds.
    paused_seconds: Mapped[int] = mapped_column(default=0)
    stopped_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    #: How many steps of the escalation were taken.
    escalated: Mapped[int] = mapped_column(default=0)
    #: When the sweep looks at it next; None when nothing is left to tell.
    check_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
