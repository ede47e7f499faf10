"""What happened to a complaint, in its customer's timeline: who, when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.activity import Activity, record_activity, subject_timeline
from crm_store.complaints.models import Complaint
from crm_store.tickets.models import COMPLAINT


def note_event(
    session: Session,
    complaint: Complaint,
    event: str,
    *,
    actor: str,
    now: datetime,
    data: dict[str, Any] | None = None,
    touches: bool = True,
) -> Activity:
    """Add an event of a complaint to the timeline.

    Args:
        event: its name without the area, for example ``assigned``.
        actor: ``customer``, ``system``, ``operator`` or ``staff:<id>``.
        data: why, and whatever else is known about it, as JSON.
        touches: whether the complaint itself has changed with it.
    """
    if touches:
        complaint.updated_at = now
    entry = record_activity(
        session,
        customer_id=complaint.customer_id,
        kind=f"complaint.{event}",
        actor=actor,
        subject_type=COMPLAINT,
        subject_id=complaint.id,
        data=data,
    )
    entry.at = now
    session.flush()
    return entry


def was_done(session: Session, complaint: Complaint, event: str, *, inbox_id: int) -> bool:
    """Whether a message of the customer's has done this already: its turn may run again."""
    return any(
        entry.kind == f"complaint.{event}" and entry.data.get("inbox_id") == inbox_id
        for entry in subject_timeline(
            session, customer_id=complaint.customer_id, subject_type=COMPLAINT, subject_id=complaint.id
        )
    )
