"""Reading call-back requests for those who make the calls."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity, subject_timeline
from crm_store.conversations.models import Conversation
from crm_store.conversations.queries import TranscriptLine, lines_around
from crm_store.customers.models import ContactPoint, Customer
from crm_store.errors import NotFound
from crm_store.handoff.models import CallbackRequest
from crm_store.handoff.service import OPEN
from crm_store.paging import PAGE_SIZE, Page, find_place


class CallbackRow(msgspec.Struct, frozen=True):
    """A call-back request in a list."""

    request: CallbackRequest
    customer: Customer
    phone: ContactPoint


class CallbackCase(msgspec.Struct, frozen=True):
    """A call-back request with everything around it.

    Attributes:
        phone: the number to call.
        activities: what happened to it, in order.
        conversation: where it was asked for.
        lines: what was said there around that time.
    """

    request: CallbackRequest
    customer: Customer
    phone: ContactPoint
    activities: list[Activity]
    conversation: Conversation
    lines: list[TranscriptLine]


def is_overdue(request: CallbackRequest, *, now: datetime) -> bool:
    """Whether the promised time has passed and nobody has called."""
    return request.state == OPEN and request.due_at is not None and request.due_at < now


def callbacks_page(
    session: Session, *, only_open: bool = True, number: int = 1, size: int = PAGE_SIZE
) -> Page[CallbackRow]:
    """A page of the list of call-back requests.

    Args:
        only_open: those that wait for their call, the most urgent first; else all of them, newest first.
        number: which page, from 1.
    """
    chosen: list[ColumnElement[bool]] = [CallbackRequest.state == OPEN] if only_open else []
    urgency = func.coalesce(CallbackRequest.due_at, CallbackRequest.created_at)
    order = (urgency, CallbackRequest.id) if only_open else (CallbackRequest.id.desc(),)
    total = session.scalar(select(func.count()).select_from(CallbackRequest).where(*chosen)) or 0
    place = find_place(number=number, total=total, size=size)
    rows = session.execute(
        select(CallbackRequest, Customer, ContactPoint)
        .join(Customer, CallbackRequest.customer_id == Customer.id)
        .join(ContactPoint, CallbackRequest.contact_point_id == ContactPoint.id)
        .where(*chosen)
        .order_by(*order)
        .offset(place.offset)
        .limit(size)
    )
    return Page([CallbackRow(*row) for row in rows], place)


def callback_case(session: Session, *, callback_id: int) -> CallbackCase:
    """A call-back request by its number.

    Raises:
        NotFound: there is none with this number.
    """
    found = session.execute(
        select(CallbackRequest, Customer, ContactPoint, Conversation)
        .join(Customer, CallbackRequest.customer_id == Customer.id)
        .join(ContactPoint, CallbackRequest.contact_point_id == ContactPoint.id)
        .join(Conversation, CallbackRequest.conversation_id == Conversation.id)
        .where(CallbackRequest.id == callback_id)
    ).one_or_none()
    if found is None:
        raise NotFound("no call-back request has this number")
    request, customer, phone, conversation = found
    return CallbackCase(
        request=request,
        customer=customer,
        phone=phone,
        activities=subject_timeline(
            session, customer_id=customer.id, subject_type="callback_request", subject_id=request.id
        ),
        conversation=conversation,
        lines=lines_around(session, conversation_id=conversation.id, moment=request.created_at),
    )
