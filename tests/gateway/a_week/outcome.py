"""What is in the store when the week is over, in the model's words."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.complaints.models import Complaint
from crm_store.drafts import Draft
from crm_store.jobs.models import FAILED, PENDING, ScheduledJob
from crm_store.outbox import OutboxItem
from crm_store.service_requests.models import ServiceRequest
from crm_store.sla.models import SlaClock
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST
from tests.gateway.a_week.complaints import ComplaintCase
from tests.gateway.a_week.model import Noted, Promises, Told
from tests.gateway.a_week.visits import VisitCase

_ASCII = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")
#: States of a clock that goes on.
_GOES_ON = ("running", "paused")


def told_in(session: Session) -> Counter[Told]:
    """All that was put into the outbox."""
    return Counter(_told(item) for item in session.scalars(select(OutboxItem)))


def _told(item: OutboxItem) -> Told:
    response, params = item.content["response"], item.content["params"]
    visit = None
    if response == "utter_visit_reminder":
        key = (item.idempotency_key or "").rpartition(":")[2]
        visit = datetime.fromtimestamp(int(key), timezone.utc)
    return Told(item.conversation_id, response, str(params.get("code", "")).translate(_ASCII), visit)


def noted_in(session: Session) -> Counter[Noted]:
    """All that the timelines say of promises."""
    codes = _codes(session)
    entries = session.scalars(select(Activity).where(Activity.kind.startswith("sla.")))
    return Counter(
        Noted(
            codes[entry.subject_type, entry.subject_id],
            entry.kind,
            entry.data["metric"],
            entry.at,
            entry.data.get("step"),
            entry.data.get("told"),
        )
        for entry in entries
    )


def complaints_in(session: Session) -> dict[str, Any]:
    """How complaints ended, by their codes."""
    reminded: dict[int | None, list[datetime]] = {}
    for entry in session.scalars(select(Activity).where(Activity.kind == "complaint.reminded")):
        reminded.setdefault(entry.subject_id, []).append(entry.at)
    return {
        one.code: (one.state, one.closed_at, one.assignee_id, one.reopened_count, reminded.get(one.id, []))
        for one in session.scalars(select(Complaint))
    }


def complaint_of(case: ComplaintCase) -> Any:
    """How a complaint must have ended."""
    return case.state, case.closed_at, case.assignee, case.reopened, case.reminded_at


def visits_in(session: Session) -> dict[str, Any]:
    """How requests ended, by their codes."""
    return {
        one.code: (one.state, one.window.starts_at if one.window else None, one.technician_id)
        for one in session.scalars(select(ServiceRequest))
    }


def visit_of(case: VisitCase) -> Any:
    """How a request must have ended."""
    return case.state, case.visit, case.technician


def offered_in(session: Session) -> dict[int, datetime | None]:
    """When half-told stories were offered again, by the drafts; those that were told are left out."""
    rows = session.execute(select(Draft.id, Draft.reminded_at).where(Draft.state != "submitted"))
    return dict(rows.tuples().all())


def promises_in(session: Session) -> dict[str, list[Any]]:
    """How clocks ended, by the codes of their cases, in order."""
    codes = _codes(session)
    found: dict[str, list[Any]] = {code: [] for code in codes.values()}
    for one in session.scalars(select(SlaClock).order_by(SlaClock.id)):
        over = "" if one.state in _GOES_ON else one.state
        ended = (one.metric, over, one.state == "paused", one.warned_at, one.breached_at, one.escalated)
        found[codes[one.subject_type, one.subject_id]].append(ended)
    return found


def promises_of(promises: Promises) -> list[Any]:
    """How the clocks of a case must have ended."""
    return [
        (one.metric, one.over, one.paused and not one.over, one.warned, one.breached, one.steps)
        for one in promises.all
    ]


def left_over(session: Session, now: datetime) -> list[str]:
    """Work that failed, or was due and not done."""
    is_left = (ScheduledJob.state == PENDING) & (ScheduledJob.due_at <= now)
    wanted = (ScheduledJob.state == FAILED) | (ScheduledJob.attempts > 0) | is_left
    return list(session.scalars(select(ScheduledJob.key).where(wanted)))


def _codes(session: Session) -> dict[tuple[str, int | None], str]:
    codes: dict[tuple[str, int | None], str] = {}
    for kind, model in ((COMPLAINT, Complaint), (SERVICE_REQUEST, ServiceRequest)):
        for ticket_id, code in session.execute(select(model.id, model.code)).tuples():
            codes[kind, ticket_id] = code
    return codes
