"""Tickets in any state, made as rows: for what lists and shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.persian import new_tracking_code
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.sla.models import RESOLUTION, RUNNING, SlaClock
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST
from tests.factories import a_conversation


def a_complaint_row(session: Session, conversation: Conversation | None = None, **columns: Any) -> Complaint:
    """A complaint without all that filing one brings along."""
    given = {"category": "delivery", "description": "بسته نرسید", **columns}
    complaint = Complaint(**_common(session, conversation, COMPLAINT), **given)
    session.add(complaint)
    session.flush()
    return complaint


def a_request_row(
    session: Session, conversation: Conversation | None = None, **columns: Any
) -> ServiceRequest:
    """A service request without all that making one brings along."""
    given = {"kind": "repair", "problem": "بخار ندارد", **columns}
    request = ServiceRequest(**_common(session, conversation, SERVICE_REQUEST), **given)
    session.add(request)
    session.flush()
    return request


def a_window(session: Session, starts_at: datetime, *, hours: int = 3, **columns: Any) -> BookingWindow:
    """A window of time in which visits take place."""
    given = {"kind": "repair", "booked": 1, **columns}
    window = BookingWindow(starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours), **given)
    session.add(window)
    session.flush()
    return window


def a_clock(
    session: Session, ticket: Complaint | ServiceRequest, due_at: datetime, **columns: Any
) -> SlaClock:
    """A due time of a ticket."""
    kind = COMPLAINT if isinstance(ticket, Complaint) else SERVICE_REQUEST
    given = {"metric": RESOLUTION, "state": RUNNING, "target_seconds": 3600, "policy": "all", **columns}
    clock = SlaClock(
        subject_type=kind,
        subject_id=ticket.id,
        due_at=due_at,
        warn_at=due_at - timedelta(minutes=15),
        **{"started_at": due_at - timedelta(hours=1), **given},
    )
    session.add(clock)
    session.flush()
    return clock


def _common(session: Session, conversation: Conversation | None, kind: str) -> dict[str, Any]:
    where = conversation or a_conversation(session)
    draft = drafts.Draft(conversation_id=where.id, kind=kind, state=drafts.SUBMITTED, created_at=utcnow())
    session.add(draft)
    session.flush()
    return {
        "code": new_tracking_code(),
        "customer_id": customer_of(where),
        "conversation_id": where.id,
        "draft_id": draft.id,
    }
