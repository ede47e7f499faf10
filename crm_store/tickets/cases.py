"""A ticket, complaint or service request, with everything around it, for those who deal with it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution, Problem
from crm_store.complaints.queries import complaint_case
from crm_store.conversations.models import Attachment, Conversation
from crm_store.customers.models import ContactPoint, Customer
from crm_store.errors import NotFound
from crm_store.persian import parse_tracking_code
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.service_requests.queries import request_case
from crm_store.sla.models import SlaClock
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST, TicketNote
from crm_store.tickets.queries import assignee_of

_STAFF = "staff:"


class TicketCase(msgspec.Struct, frozen=True):
    """A ticket with everything around it.

    Attributes:
        phones: of the customer; the one that was given for this ticket comes first.
        notes: what was said about it since it was registered, in order.
        attachments: what was sent with it or with a note, in order; ``note_id`` tells with which.
        activities: what happened to it, in order.
        clocks: its due times, in order.
        staff: names of all members of staff that are mentioned, by number.
        conversation: where it was told.
        window: when somebody comes, of a service request.
        resolutions: decisions about a complaint, in order.
        compensations: what was granted or asked for with them.
        related: other complaints of the customer about the same order, in order.
        problem: what many customers have, of which this complaint is a case.
    """

    subject_type: str
    ticket: Complaint | ServiceRequest
    customer: Customer
    phones: list[ContactPoint]
    notes: list[TicketNote]
    attachments: list[Attachment]
    activities: list[Activity]
    clocks: list[SlaClock]
    staff: dict[int, str]
    conversation: Conversation
    window: BookingWindow | None = None
    resolutions: list[ComplaintResolution] = []
    compensations: list[Compensation] = []
    related: list[Complaint] = []
    problem: Problem | None = None

    @property
    def assignee_id(self) -> int | None:
        """Number of the member of staff who deals with it."""
        return assignee_of(self.ticket)


def ticket_case(session: Session, *, code: str) -> TicketCase:
    """A ticket by its tracking code, in either script, with everything around it.

    Raises:
        NotFound: no ticket has this code.
    """
    kept = parse_tracking_code(code) or ""
    try:
        return _complaint_with_all(session, kept)
    except NotFound:
        pass
    try:
        return _request_with_all(session, kept)
    except NotFound:
        raise NotFound("no ticket has this code") from None


def _complaint_with_all(session: Session, code: str) -> TicketCase:
    case = complaint_case(session, code=code, with_lines=False)
    complaint = case.complaint
    notes = _notes(session, COMPLAINT, complaint.id)
    decided = session.execute(
        select(ComplaintResolution, Compensation)
        .outerjoin(Compensation, Compensation.resolution_id == ComplaintResolution.id)
        .where(ComplaintResolution.complaint_id == complaint.id)
        .order_by(ComplaintResolution.id)
    ).all()
    resolutions = [resolution for resolution, _ in decided]
    compensations = [compensation for _, compensation in decided if compensation is not None]
    actors = [one.actor for one in case.activities] + [note.author for note in notes]
    actors += [one.decided_by for one in resolutions]
    actors += [who for one in compensations for who in (one.requested_by, one.decided_by)]
    return TicketCase(
        subject_type=COMPLAINT,
        ticket=complaint,
        customer=case.customer,
        phones=case.phones,
        notes=notes,
        attachments=case.attachments,
        activities=case.activities,
        clocks=_clocks(session, COMPLAINT, complaint.id),
        staff=_names(session, complaint.assignee_id, actors),
        conversation=case.conversation,
        resolutions=resolutions,
        compensations=compensations,
        related=_related(session, complaint),
        problem=session.get(Problem, complaint.problem_id) if complaint.problem_id else None,
    )


def _request_with_all(session: Session, code: str) -> TicketCase:
    case = request_case(session, code=code, with_lines=False)
    request = case.request
    notes = _notes(session, SERVICE_REQUEST, request.id)
    actors = [one.actor for one in case.activities] + [note.author for note in notes]
    return TicketCase(
        subject_type=SERVICE_REQUEST,
        ticket=request,
        customer=case.customer,
        phones=case.phones,
        notes=notes,
        attachments=case.attachments,
        activities=case.activities,
        clocks=_clocks(session, SERVICE_REQUEST, request.id),
        staff=_names(session, request.technician_id, actors),
        conversation=case.conversation,
        window=case.window,
    )


def _notes(session: Session, subject_type: str, subject_id: int) -> list[TicketNote]:
    return list(
        session.scalars(
            select(TicketNote)
            .where(TicketNote.subject_type == subject_type, TicketNote.subject_id == subject_id)
            .order_by(TicketNote.id)
        )
    )


def _clocks(session: Session, subject_type: str, subject_id: int) -> list[SlaClock]:
    return list(
        session.scalars(
            select(SlaClock)
            .where(SlaClock.subject_type == subject_type, SlaClock.subject_id == subject_id)
            .order_by(SlaClock.id)
        )
    )


def _related(session: Session, complaint: Complaint) -> list[Complaint]:
    """The other complaints of a chain, which all name its first one."""
    first = complaint.related_to_id or complaint.id
    chain = or_(Complaint.id == first, Complaint.related_to_id == first)
    return list(
        session.scalars(select(Complaint).where(chain, Complaint.id != complaint.id).order_by(Complaint.id))
    )


def _names(session: Session, assignee_id: int | None, actors: Iterable[str]) -> dict[int, str]:
    """Names of the members of staff among those who did something."""
    wanted = {int(who.removeprefix(_STAFF)) for who in actors if who.startswith(_STAFF)}
    if assignee_id is not None:
        wanted.add(assignee_id)
    if not wanted:
        return {}
    rows = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(wanted)))
    return dict(rows.tuples().all())
