"""Table of the automatic work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base, BigId, utcnow

PENDING, DONE, CANCELLED, FAILED = "pending", "done", "cancelled", "failed"


class ScheduledJob(Base):
    """Something to do at a due time, once."""

    __tablename__ = "scheduled_jobs"
    __table_args__ = (Index("ix_scheduled_jobs_state_due_at", "state", "due_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Names the handler.
    kind: Mapped[str] = mapped_column(String(40))
    #: Names the work; scheduling it again moves it.
    key: Mapped[str] = mapped_column(String(120), unique=True)
    due_at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(10), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]
