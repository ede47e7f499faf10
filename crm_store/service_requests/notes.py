"""Notes on service requests that only the staff read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.errors import InvalidInput
from crm_store.service_requests import states
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.timeline import note_event
from crm_store.tickets.models import INTERNAL, SERVICE_REQUEST, TicketNote
from crm_store.tickets.notes import add_note


def note_internally(
    session: Session, request: ServiceRequest, *, text: str, actor: str, now: datetime | None = None
) -> TicketNote:
    """Keep something for the staff only.

    Args:
        actor: ``operator`` or ``staff:<id>``.

    Raises:
        InvalidInput: there is nothing to keep.
    """
    now = now or utcnow()
    if not text.strip():
        raise InvalidInput("there is nothing to keep")
    request = states.lock(session, request)
    note = add_note(
        session,
        subject_type=SERVICE_REQUEST,
        subject_id=request.id,
        kind=INTERNAL,
        author=actor,
        text=text,
        now=now,
    )
    note_event(session, request, "noted", actor=actor, now=now, note_id=note.id)
    return note
