"""What happened to a service request, in its customer's timeline: who, when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.activity import Activity, record_activity, subject_timeline
from crm_store.service_requests.models import ServiceRequest
from crm_store.tickets.models import SERVICE_REQUEST


def note_event(
    session: Session,
    request: ServiceRequest,
    event: str,
    *,
    actor: str,
    now: datetime,
    inbox_id: int | None = None,
    **data: Any,
) -> Activity:
    """Add an event of a request to the timeline.

    Args:
        event: its name without the area, for example ``assigned``.
        actor: ``customer``, ``system``, ``operator`` or ``staff:<id>``.
        inbox_id: the message that it was done by, if it was.
        data: why, and whatever else is known about it, as JSON.
    """
    request.updated_at = now
    entry = record_activity(
        session,
        customer_id=request.customer_id,
        kind=f"{SERVICE_REQUEST}.{event}",
        actor=actor,
        subject_type=SERVICE_REQUEST,
        subject_id=request.id,
        data=data if inbox_id is None else {**data, "inbox_id": inbox_id},
    )
    entry.at = now
    session.flush()
    return entry


def was_done(session: Session, request: ServiceRequest, event: str, *, inbox_id: int) -> bool:
    """Whether a message has done this already: its turn may run again."""
    return any(entry.data.get("inbox_id") == inbox_id for entry in events(session, request, event))


def events(session: Session, request: ServiceRequest, event: str) -> list[Activity]:
    """The events of a request by one name, in order."""
    entries = subject_timeline(
        session, customer_id=request.customer_id, subject_type=SERVICE_REQUEST, subject_id=request.id
    )
    return [entry for entry in entries if entry.kind == f"{SERVICE_REQUEST}.{event}"]
