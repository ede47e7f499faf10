"""What became of complaints and service requests, in the shape in which scripts expect it.

A script names what it is about; of what it does not name nothing is expected.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business import WEEKDAYS
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.conversations.models import Attachment
from crm_store.customers.models import ContactPoint
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST, TicketNote
from tests.conversations.desk import TEHRAN

_CONTAINS, _LACKS = "_contains", "_lacks"
_STAFF = "staff:"


class HeldNote(msgspec.Struct, frozen=True):
    """Something said about a ticket later on.

    Attributes:
        kind: ``note``, ``question``, ``answer`` or ``internal``.
        author: ``customer``, ``operator`` or ``staff``.
        files: number of files that came along.
    """

    kind: str
    author: str
    text: str
    files: int


class HeldCase(msgspec.Struct, frozen=True):
    """How a complaint stands.

    Attributes:
        reasons: why it has its priority.
        is_related: whether it follows another one about the same order.
        is_in_problem: whether it is a case of what many customers have.
        reopened: how often.
        decisions: that were told, in order.
        compensations: ``kind amount state`` each.
    """

    state: str
    priority: str
    reasons: list[str]
    product: str
    root_cause: str
    is_related: bool
    is_in_problem: bool
    is_appealed: bool
    reopened: int
    decisions: list[str]
    compensations: list[str]
    notes: list[HeldNote]


class HeldRequest(msgspec.Struct, frozen=True):
    """A service request; empty means that there is none.

    Attributes:
        answers: to the kind's own questions.
        window: ``weekday``, ``in_days`` and ``from`` of the visit's window.
        technician: their name.
        phone: E.164, the one to call about it.
        attachments: number of files that came with the request itself.
    """

    kind: str
    state: str
    priority: str
    problem: str
    product: str
    city: str
    address: str
    answers: list[str]
    window: dict[str, Any]
    technician: str
    reason: str
    outcome: str
    rating: str
    is_confirmed: bool
    phone: str
    attachments: int
    notes: list[HeldNote]


def cases_of(session: Session, customer_id: int) -> list[HeldCase]:
    """How a customer's complaints stand, oldest first."""
    own = select(Complaint).where(Complaint.customer_id == customer_id).order_by(Complaint.id)
    return [_case(session, complaint) for complaint in session.scalars(own)]


def requests_of(session: Session, customer_id: int) -> list[HeldRequest]:
    """A customer's service requests, oldest first."""
    own = select(ServiceRequest).where(ServiceRequest.customer_id == customer_id).order_by(ServiceRequest.id)
    return [_request(session, request) for request in session.scalars(own)]


def check_named(held: msgspec.Struct, expected: Mapping[str, Any], *, where: str) -> None:
    """Compare what a script names of something.

    Args:
        held: as it is.
        expected: values by name; ``…_contains`` and ``…_lacks`` look for parts, a mapping for its own keys, a
            list of mappings for so many things in this order.

    Raises:
        AssertionError: something is different.
    """
    for name, value in expected.items():
        place = f"{where}: {name}"
        if name.endswith((_CONTAINS, _LACKS)):
            shown = getattr(held, name.removesuffix(_CONTAINS).removesuffix(_LACKS))
            for part in [value] if isinstance(value, str) else value:
                assert (part in shown) is name.endswith(_CONTAINS), f"{place}: {part!r} in {shown!r}"
            continue
        actual = getattr(held, name)
        if isinstance(value, Mapping):
            assert {key: actual.get(key) for key in value} == value, f"{place}: {actual}"
        elif value and isinstance(value, list) and isinstance(value[0], Mapping):
            assert len(actual) == len(value), f"{place}: {actual}"
            for number, (one, wanted) in enumerate(zip(actual, value, strict=True), start=1):
                check_named(one, wanted, where=f"{place} {number}")
        else:
            assert actual == value, f"{place}: {actual!r}, not {value!r}"


def check_all(held: Sequence[msgspec.Struct], expected: Collection[Mapping[str, Any]], *, where: str) -> None:
    """Compare several things in order, of which there must be as many as are expected."""
    assert len(held) == len(expected), f"{where}: {held}"
    for number, (one, wanted) in enumerate(zip(held, expected, strict=True), start=1):
        check_named(one, wanted, where=f"{where} {number}")


def _case(session: Session, complaint: Complaint) -> HeldCase:
    decisions = select(ComplaintResolution.decision).where(
        ComplaintResolution.complaint_id == complaint.id, ComplaintResolution.told_at.is_not(None)
    )
    granted = select(Compensation).where(Compensation.complaint_id == complaint.id)
    return HeldCase(
        state=complaint.state,
        priority=complaint.priority,
        reasons=[one["reason"] for one in complaint.priority_reasons],
        product=complaint.product,
        root_cause=complaint.root_cause,
        is_related=complaint.related_to_id is not None,
        is_in_problem=complaint.problem_id is not None,
        is_appealed=complaint.appealed_at is not None,
        reopened=complaint.reopened_count,
        decisions=list(session.scalars(decisions.order_by(ComplaintResolution.id))),
        compensations=[
            f"{one.kind} {one.amount} {one.state}"
            for one in session.scalars(granted.order_by(Compensation.id))
        ],
        notes=_notes(session, COMPLAINT, complaint.id),
    )


def _request(session: Session, request: ServiceRequest) -> HeldRequest:
    technician = session.get(StaffMember, request.technician_id) if request.technician_id else None
    point = session.get(ContactPoint, request.contact_point_id) if request.contact_point_id else None
    files = select(func.count()).where(
        Attachment.service_request_id == request.id, Attachment.note_id.is_(None)
    )
    return HeldRequest(
        kind=request.kind,
        state=request.state,
        priority=request.priority,
        problem=request.problem,
        product=request.product,
        city=request.city,
        address=request.address,
        answers=[one["answer"] for one in request.answers],
        window=_window(request.window.starts_at) if request.window else {},
        technician=technician.name if technician else "",
        reason=request.reason,
        outcome=request.outcome,
        rating=f"{request.rating}/{request.rating_scale}" if request.rating else "",
        is_confirmed=request.confirmed_at is not None,
        phone=point.value if point else "",
        attachments=session.scalar(files) or 0,
        notes=_notes(session, SERVICE_REQUEST, request.id),
    )


def _window(starts_at: datetime) -> dict[str, Any]:
    local = starts_at.astimezone(TEHRAN)
    today = utcnow().astimezone(TEHRAN).date()
    return {
        "weekday": WEEKDAYS[local.weekday()],
        "in_days": (local.date() - today).days,
        "from": f"{local:%H:%M}",
    }


def _notes(session: Session, subject_type: str, subject_id: int) -> list[HeldNote]:
    files = select(func.count()).where(Attachment.note_id == TicketNote.id).correlate(TicketNote)
    rows = session.execute(
        select(TicketNote, files.scalar_subquery())
        .where(TicketNote.subject_type == subject_type, TicketNote.subject_id == subject_id)
        .order_by(TicketNote.id)
    )
    return [
        HeldNote(note.kind, "staff" if note.author.startswith(_STAFF) else note.author, note.text, count)
        for note, count in rows
    ]
