"""What is open with a customer, and what they were promised."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, case, or_, select
from sqlalchemy.orm import Session

from crm_store.base import BigId, UtcDateTime
from crm_store.complaints.models import OPEN_STATES as COMPLAINT_OPEN
from crm_store.complaints.models import Complaint
from crm_store.handoff.models import ENDED, WAITING, CallbackRequest, Handoff
from crm_store.overview.parts import Callback, Clock, HandoffState, OpenTicket
from crm_store.overview.shortening import shortened
from crm_store.service_requests.models import OPEN_STATES as REQUEST_OPEN
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.sla.models import PAUSED, RUNNING, SlaClock
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import COMPLAINT, PRIORITIES, SERVICE_REQUEST

#: What was agreed with a person is told for so long.
AGREED_FOR = timedelta(days=7)
_Clocks = dict[tuple[str, int], list[Clock]]
_own: BindParameter[int] = bindparam("customer", type_=BigId)
_COMPLAINTS = (
    select(Complaint, StaffMember.name)
    .outerjoin(StaffMember, Complaint.assignee_id == StaffMember.id)
    .where(Complaint.customer_id == _own, Complaint.state.in_(COMPLAINT_OPEN))
)
_REQUESTS = (
    select(ServiceRequest, StaffMember.name, BookingWindow.starts_at, BookingWindow.ends_at)
    .outerjoin(StaffMember, ServiceRequest.technician_id == StaffMember.id)
    .outerjoin(BookingWindow, ServiceRequest.window_id == BookingWindow.id)
    .where(ServiceRequest.customer_id == _own, ServiceRequest.state.in_(REQUEST_OPEN))
)
_CALLBACKS = (
    select(CallbackRequest.id, CallbackRequest.topic, CallbackRequest.due_at)
    .where(CallbackRequest.customer_id == _own, CallbackRequest.state == "open")
    .order_by(CallbackRequest.due_at.is_(None), CallbackRequest.due_at, CallbackRequest.id)
)
_HANDOFF = (
    select(Handoff, StaffMember.name)
    .outerjoin(StaffMember, Handoff.owner_id == StaffMember.id)
    .where(
        Handoff.customer_id == _own,
        or_(Handoff.state != ENDED, Handoff.ended_at > bindparam("lately", type_=UtcDateTime())),
    )
    .order_by(case((Handoff.state == ENDED, 1), else_=0), Handoff.id.desc())
    .limit(1)
)


def open_tickets(session: Session, *, customer_id: int, now: datetime) -> list[OpenTicket]:
    """What somebody still has to work on, the most urgent first."""
    complaints = session.execute(_COMPLAINTS, {"customer": customer_id}).all()
    requests = session.execute(_REQUESTS, {"customer": customer_id}).all()
    if not complaints and not requests:
        return []
    clocks = _clocks(session, [one.id for one, _ in complaints], [row[0].id for row in requests], now)
    tickets = [_ticket(COMPLAINT, one, one.category, clocks, assignee=name) for one, name in complaints] + [
        _ticket(SERVICE_REQUEST, one, one.kind, clocks, assignee=name, visit=(starts, ends))
        for one, name, starts, ends in requests
    ]
    return sorted(tickets, key=_urgency)


def _ticket(
    subject_type: str,
    ticket: Complaint | ServiceRequest,
    title: str,
    clocks: _Clocks,
    *,
    assignee: str | None,
    visit: tuple[datetime | None, datetime | None] = (None, None),
) -> OpenTicket:
    return OpenTicket(
        subject_type=subject_type,
        code=ticket.code,
        title=title,
        state=ticket.state,
        priority=ticket.priority,
        created_at=ticket.created_at,
        clocks=clocks.get((subject_type, ticket.id), []),
        visit_at=visit[0],
        visit_until=visit[1],
        assignee=assignee or "",
    )


def _clocks(session: Session, complaints: list[int], requests: list[int], now: datetime) -> _Clocks:
    subjects = [
        and_(SlaClock.subject_type == kind, SlaClock.subject_id.in_(ids))
        for kind, ids in ((COMPLAINT, complaints), (SERVICE_REQUEST, requests))
        if ids
    ]
    rows = session.scalars(
        select(SlaClock)
        .where(or_(*subjects), SlaClock.state.in_((RUNNING, PAUSED)))
        .order_by(SlaClock.due_at, SlaClock.id)
    )
    found: _Clocks = defaultdict(list)
    for row in rows:
        is_overdue = row.breached_at is not None or (row.state == RUNNING and row.due_at < now)
        clock = Clock(row.metric, row.due_at, row.state == PAUSED, is_overdue)
        found[row.subject_type, row.subject_id].append(clock)
    return found


def _urgency(ticket: OpenTicket) -> tuple[Any, ...]:
    due = ticket.due_at
    return (
        not ticket.is_overdue,
        -PRIORITIES.index(ticket.priority),
        due is None,
        due.timestamp() if due is not None else 0.0,
        ticket.created_at,
    )


def callbacks_of(session: Session, *, customer_id: int, now: datetime) -> list[Callback]:
    """Calls that a customer waits for, the soonest first."""
    return [
        Callback(callback_id, shortened(topic), due_at, due_at is not None and due_at < now)
        for callback_id, topic, due_at in session.execute(_CALLBACKS, {"customer": customer_id})
    ]


def handoff_of(session: Session, *, customer_id: int, now: datetime) -> HandoffState | None:
    """The hand-over that is open, or the last one that ended lately."""
    wanted = {"customer": customer_id, "lately": now - AGREED_FOR}
    row = session.execute(_HANDOFF, wanted).one_or_none()
    if row is None:
        return None
    handoff, owner = row
    since = handoff.ended_at if handoff.state == ENDED else handoff.claimed_at
    return HandoffState(
        handoff_id=handoff.id,
        conversation_id=handoff.conversation_id,
        state=handoff.state,
        reason=handoff.reason,
        topic=shortened(handoff.topic),
        owner_id=handoff.owner_id,
        owner=owner or "",
        since=handoff.requested_at if handoff.state == WAITING else since or handoff.requested_at,
        agreed=handoff.agreed,
    )
