"""What the timeline of a customer says of the clocks of their tickets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.complaints.models import Complaint
from crm_store.service_requests.models import ServiceRequest
from crm_store.sla.models import SlaClock
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST

WARNED, BREACHED, ESCALATED = "sla.warned", "sla.breached", "sla.escalated"
_MODELS: dict[str, type[Complaint] | type[ServiceRequest]] = {
    COMPLAINT: Complaint,
    SERVICE_REQUEST: ServiceRequest,
}


def customers_of(session: Session, subject_type: str, subject_ids: Collection[int]) -> dict[int, int]:
    """The customers of some tickets of a kind, by the tickets' numbers; those that are gone are left out."""
    model = _MODELS[subject_type]
    rows = session.execute(select(model.id, model.customer_id).where(model.id.in_(subject_ids)))
    return dict(rows.tuples().all())


def record(
    session: Session, clock: SlaClock, kind: str, *, customer_id: int, now: datetime, **data: Any
) -> None:
    """Add to the timeline of the ticket's customer.

    Args:
        kind: one of WARNED, BREACHED, ESCALATED.
        data: what else to say besides what was promised.
    """
    promised = {
        "metric": clock.metric,
        "policy": clock.policy,
        "due_at": clock.due_at.isoformat(timespec="seconds"),
    }
    entry = record_activity(
        session,
        customer_id=customer_id,
        kind=kind,
        actor="system",
        subject_type=clock.subject_type,
        subject_id=clock.subject_id,
        data={**promised, **data},
    )
    entry.at = now


def note_breach(
    session: Session, clock: SlaClock, *, now: datetime, customer_id: int | None = None, **data: Any
) -> None:
    """A due time has passed: keep since when that is known, once.

    Args:
        customer_id: whose ticket it is, where that is known already.
        data: what else the timeline says of it.
    """
    if clock.breached_at is not None:
        return
    clock.breached_at = now
    if customer_id is None:
        found = customers_of(session, clock.subject_type, [clock.subject_id])
        customer_id = found.get(clock.subject_id)
    if customer_id is not None:
        record(session, clock, BREACHED, customer_id=customer_id, now=now, **data)
