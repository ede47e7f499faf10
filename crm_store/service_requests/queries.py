"""Reading service requests for those who deal with them."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from crm_store.activity import Activity, subject_timeline
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.queries import TranscriptLine, lines_around
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.queries import phones_of_case
from crm_store.errors import NotFound
from crm_store.service_requests.models import CANCELLED, BookingWindow, ServiceRequest
from crm_store.staff.models import StaffMember


class RequestCase(msgspec.Struct, frozen=True):
    """A service request with everything around it.

    Attributes:
        window: when somebody comes; None while nothing is agreed.
        phones: of the customer; the one that was given for this request comes first.
        attachments: what was sent with it, in order.
        activities: what happened to it, in order.
        conversation: where it was made.
        lines: what was said there around that time.
    """

    request: ServiceRequest
    customer: Customer
    window: BookingWindow | None
    phones: list[ContactPoint]
    attachments: list[Attachment]
    activities: list[Activity]
    conversation: Conversation
    lines: list[TranscriptLine]


class VisitRow(msgspec.Struct, frozen=True):
    """A visit in a day's list.

    Attributes:
        technician: who goes; None while nobody was sent.
    """

    request: ServiceRequest
    window: BookingWindow
    customer: Customer
    technician: StaffMember | None


def request_case(session: Session, *, code: str, with_lines: bool = True) -> RequestCase:
    """A service request by its tracking code, as it is kept.

    Args:
        with_lines: whether the lines are wanted, which are most of the work.

    Raises:
        NotFound: no service request has this code.
    """
    found = session.execute(
        select(ServiceRequest, Customer, Conversation, BookingWindow)
        .join(Customer, ServiceRequest.customer_id == Customer.id)
        .join(Conversation, ServiceRequest.conversation_id == Conversation.id)
        .outerjoin(ServiceRequest.window)
        .options(contains_eager(ServiceRequest.window))
        .where(ServiceRequest.code == code)
    ).one_or_none()
    if found is None:
        raise NotFound("no service request has this code")
    request, customer, conversation, window = found
    return RequestCase(
        request=request,
        customer=customer,
        window=window,
        phones=phones_of_case(session, customer_id=customer.id, given_id=request.contact_point_id),
        attachments=list(
            session.scalars(
                select(Attachment).where(Attachment.service_request_id == request.id).order_by(Attachment.id)
            )
        ),
        activities=subject_timeline(
            session, customer_id=customer.id, subject_type="service_request", subject_id=request.id
        ),
        conversation=conversation,
        lines=lines_around(session, conversation_id=conversation.id, moment=request.created_at)
        if with_lines
        else [],
    )


def visits_between(
    session: Session, *, start: datetime, end: datetime, technician_id: int | None = None
) -> list[VisitRow]:
    """The visits whose window begins within a span of time, in order, without those that were cancelled.

    Args:
        end: the first moment that does not belong to the span.
        technician_id: only those of this technician.
    """
    own = [ServiceRequest.technician_id == technician_id] if technician_id is not None else []
    rows = session.execute(
        select(ServiceRequest, BookingWindow, Customer, StaffMember)
        .join(ServiceRequest.window)
        .options(contains_eager(ServiceRequest.window))
        .join(Customer, ServiceRequest.customer_id == Customer.id)
        .outerjoin(StaffMember, ServiceRequest.technician_id == StaffMember.id)
        .where(
            BookingWindow.starts_at >= start,
            BookingWindow.starts_at < end,
            ServiceRequest.state != CANCELLED,
            *own,
        )
        .order_by(BookingWindow.starts_at, ServiceRequest.id)
    )
    return [VisitRow(*row) for row in rows]
