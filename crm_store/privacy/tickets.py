"""A person's complaints and service requests: what is open ends, and what names somebody goes.

What stays names no one: codes, kinds, priorities, states, times, decisions, causes, amounts and grades. By
them the business can still count and account. The answer to a problem of many customers names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Text, and_, cast, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from crm_store.activity import record_activity
from crm_store.base import Base
from crm_store.complaints import models as complaints
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.conversations.models import Attachment
from crm_store.jobs import models as jobs
from crm_store.jobs.models import ScheduledJob
from crm_store.service_requests import models as requests
from crm_store.service_requests.booking import release
from crm_store.service_requests.models import ServiceRequest
from crm_store.service_requests.states import HOLDS_PLACE
from crm_store.sla import models as clocks
from crm_store.sla.models import SlaClock
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST, TicketNote

#: A request that ends with its customer's data was given up for none of the reasons that customers name.
_NO_REASON = "other"
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Tickets(msgspec.Struct, frozen=True):
    """Some complaints and service requests.

    Attributes:
        complaints: their ids.
        requests: their ids.
        codes: of both, in ASCII digits.
    """

    complaints: list[int]
    requests: list[int]
    codes: list[str]

    def are_subject(
        self, subject_type: InstrumentedAttribute[Any], subject_id: InstrumentedAttribute[Any]
    ) -> ColumnElement[bool]:
        """Tells the rows of a table that are about one of them."""
        return or_(
            and_(subject_type == COMPLAINT, subject_id.in_(self.complaints)),
            and_(subject_type == SERVICE_REQUEST, subject_id.in_(self.requests)),
        )

    def own_notes(self) -> ColumnElement[bool]:
        """Tells the notes about them."""
        return self.are_subject(TicketNote.subject_type, TicketNote.subject_id)

    def own_files(self) -> ColumnElement[bool]:
        """Tells what was sent with them or with a note about them, whoever sent it."""
        return or_(
            Attachment.complaint_id.in_(self.complaints), Attachment.service_request_id.in_(self.requests)
        )


def tickets_of(session: Session, *, customers: Collection[int]) -> Tickets:
    """All complaints and service requests of some customers' records."""
    filed = session.execute(
        select(Complaint.id, Complaint.code).where(Complaint.customer_id.in_(customers))
    ).all()
    requested = session.execute(
        select(ServiceRequest.id, ServiceRequest.code).where(ServiceRequest.customer_id.in_(customers))
    ).all()
    return Tickets(
        complaints=[one for one, _ in filed],
        requests=[one for one, _ in requested],
        codes=[code for _, code in (*filed, *requested)],
    )


def end_tickets(session: Session, tickets: Tickets, *, now: datetime) -> list[ServiceRequest]:
    """End what is open of a person who is being forgotten: nobody can be asked, visited or told any more.

    Open complaints count as withdrawn, decided ones as closed and requests as cancelled; their places are
    free again. Clocks and automatic work stop. A compensation that waits for approval is refused, while one
    that was granted stays in the books.

    Returns:
        Requests that somebody was to go to.
    """
    _end_complaints(session, tickets, now)
    expected = _end_requests(session, tickets, now)
    _refuse_compensations(session, tickets, now)
    runs = SlaClock.state.in_((clocks.RUNNING, clocks.PAUSED))
    about = tickets.are_subject(SlaClock.subject_type, SlaClock.subject_id)
    _set(session, SlaClock, and_(about, runs), state=clocks.CANCELLED, stopped_at=now)
    _set(session, SlaClock, and_(about, SlaClock.check_at.is_not(None)), check_at=None)
    _end_jobs(session, tickets, now)
    return expected


def blank_tickets(session: Session, tickets: Tickets) -> None:
    """Leave of some tickets only what names no one. Files are not touched."""
    says = and_(Complaint.id.in_(tickets.complaints), complaint_speaks())
    _set(
        session,
        Complaint,
        says,
        description="",
        order_number="",
        contact_point_id=None,
        source_inbox_id=None,
        version=Complaint.version + 1,
    )
    _blank_reasons(session, tickets)
    says = and_(ServiceRequest.id.in_(tickets.requests), request_speaks())
    _set(
        session,
        ServiceRequest,
        says,
        problem="",
        product="",
        city="",
        address="",
        answers=[],
        outcome="",
        contact_point_id=None,
        version=ServiceRequest.version + 1,
    )
    _set(session, TicketNote, and_(tickets.own_notes(), TicketNote.text != ""), text="")
    of_them = ComplaintResolution.complaint_id.in_(tickets.complaints)
    _set(session, ComplaintResolution, and_(of_them, ComplaintResolution.explanation != ""), explanation="")


def complaint_speaks() -> ColumnElement[bool]:
    """Whether a complaint's own row still holds something of its customer's."""
    return or_(
        Complaint.description != "",
        Complaint.order_number != "",
        Complaint.contact_point_id.is_not(None),
        Complaint.source_inbox_id.is_not(None),
    )


def request_speaks() -> ColumnElement[bool]:
    """Whether a service request's own row still holds something of its customer's."""
    texts = (
        ServiceRequest.problem,
        ServiceRequest.product,
        ServiceRequest.city,
        ServiceRequest.address,
        ServiceRequest.outcome,
    )
    return or_(
        *(text != "" for text in texts),
        ServiceRequest.contact_point_id.is_not(None),
        cast(ServiceRequest.answers, Text) != "[]",
    )


def _end_complaints(session: Session, tickets: Tickets, now: datetime) -> None:
    last = dict.fromkeys(complaints.OPEN_STATES, complaints.WITHDRAWN)
    last[complaints.RESOLVED] = complaints.CLOSED
    open_ones = (
        select(Complaint)
        .where(Complaint.id.in_(tickets.complaints), Complaint.state.in_(last))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for complaint in session.scalars(open_ones).all():
        complaint.state, complaint.closed_at, complaint.updated_at = last[complaint.state], now, now
        _note_end(session, COMPLAINT, complaint)
    session.flush()


def _end_requests(session: Session, tickets: Tickets, now: datetime) -> list[ServiceRequest]:
    open_ones = (
        select(ServiceRequest)
        .where(ServiceRequest.id.in_(tickets.requests), ServiceRequest.state.in_(requests.OPEN_STATES))
        .order_by(ServiceRequest.window_id)  # windows are locked in the order in which bookings lock them
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    expected = []
    for request in session.scalars(open_ones).all():
        if request.window is not None and request.state in HOLDS_PLACE:
            release(session, window=request.window)
            expected.append(request)
        request.state, request.reason, request.updated_at = requests.CANCELLED, _NO_REASON, now
        _note_end(session, SERVICE_REQUEST, request)
    session.flush()
    return [request for request in expected if request.technician_id is not None]


def _note_end(session: Session, subject_type: str, ticket: Complaint | ServiceRequest) -> None:
    record_activity(
        session,
        customer_id=ticket.customer_id,
        kind=f"{subject_type}.{ticket.state}",
        actor="system",
        subject_type=subject_type,
        subject_id=ticket.id,
    )


def _refuse_compensations(session: Session, tickets: Tickets, now: datetime) -> None:
    of_them = Compensation.complaint_id.in_(tickets.complaints)
    waiting = and_(of_them, Compensation.state == "waiting")
    _set(session, Compensation, waiting, state="refused", decided_by="system", decided_at=now)
    of_them = ComplaintResolution.complaint_id.in_(tickets.complaints)
    _set(
        session,
        ComplaintResolution,
        and_(of_them, ComplaintResolution.state == "proposed"),
        state="refused",
    )


def _end_jobs(session: Session, tickets: Tickets, now: datetime) -> None:
    """Stop automatic work about tickets; which one it is about stands in its data."""
    about = or_(
        ScheduledJob.data["complaint_id"].as_integer().in_(tickets.complaints),
        ScheduledJob.data["request_id"].as_integer().in_(tickets.requests),
    )
    waits = ScheduledJob.state == jobs.PENDING
    _set(session, ScheduledJob, and_(waits, about), state=jobs.CANCELLED, finished_at=now)


def _blank_reasons(session: Session, tickets: Tickets) -> None:
    """Of the reasons for a priority only their names stay."""
    statement = select(Complaint).where(Complaint.id.in_(tickets.complaints))
    for complaint in session.scalars(statement.execution_options(populate_existing=True)):
        bare = bare_reasons(complaint.priority_reasons)
        if bare != complaint.priority_reasons:
            complaint.priority_reasons = bare
    session.flush()


def bare_reasons(reasons: Collection[Any]) -> list[dict[str, str]]:
    """Reasons for a priority without what belongs to the case: numbers, words, who said so."""
    names = [str(one.get("reason", "")) for one in reasons if isinstance(one, dict)]
    return [{"reason": name} for name in names if _KEY.fullmatch(name)]


def _set(session: Session, model: type[Base], condition: ColumnElement[bool], **values: Any) -> None:
    session.execute(
        update(model).where(condition).values(values).execution_options(synchronize_session=False)
    )
