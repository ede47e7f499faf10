"""What the dialogue asks about a customer's decisions before it answers."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crm_store.complaints.models import OPEN_STATES as COMPLAINT_OPEN
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Message
from crm_store.customers.models import ContactPoint
from crm_store.outbox import SENT, OutboxItem
from crm_store.privacy.models import Consent
from crm_store.privacy.service import MARKETING, family_of
from crm_store.service_requests.models import OPEN_STATES as REQUEST_OPEN
from crm_store.service_requests.models import ServiceRequest


def decided_before(
    session: Session, *, customer_id: int, inbox_id: int, purpose: str = MARKETING
) -> bool | None:
    """What the customer decided last, leaving out what they said in one message.

    Args:
        inbox_id: the message that is being answered.

    Returns:
        Yes, no, or None when they never decided.
    """
    return session.scalar(
        select(Consent.granted)
        .where(
            Consent.customer_id.in_(family_of(session, customer_id=customer_id)),
            Consent.purpose == purpose,
            # A decision that staff wrote down has no message.
            or_(Consent.inbox_id.is_(None), Consent.inbox_id != inbox_id),
        )
        .order_by(Consent.id.desc())
        .limit(1)
    )


def has_phone(session: Session, *, customer_id: int, phone: str) -> bool:
    """Whether a phone number (E.164) is one of the customer's."""
    return (
        session.scalar(
            select(ContactPoint.id)
            .where(
                ContactPoint.customer_id.in_(family_of(session, customer_id=customer_id)),
                ContactPoint.value == phone,
            )
            .limit(1)
        )
        is not None
    )


class OpenCases(NamedTuple):
    """Whether a customer has a complaint or a service request that is still dealt with."""

    complaint: bool
    request: bool


def open_cases(session: Session, *, customer_id: int) -> OpenCases:
    """What would end if a customer were forgotten."""
    people = family_of(session, customer_id=customer_id)
    complaint = select(Complaint.id).where(
        Complaint.customer_id.in_(people), Complaint.state.in_(COMPLAINT_OPEN)
    )
    request = select(ServiceRequest.id).where(
        ServiceRequest.customer_id.in_(people), ServiceRequest.state.in_(REQUEST_OPEN)
    )
    return OpenCases(
        session.scalar(complaint.limit(1)) is not None, session.scalar(request.limit(1)) is not None
    )


def words_of(session: Session, *, inbox_id: int) -> str:
    """A message as it stands in the transcript: what was typed, or the title of a tapped button."""
    return session.scalar(select(Message.text).where(Message.inbox_id == inbox_id)) or ""


def something_told_since(session: Session, *, conversation_id: int, inbox_id: int) -> bool:
    """Whether a notice reached a conversation after the answer to a message.

    Rasa knows nothing of notices: a «yes» after one may be an answer to it and not to what Rasa asked.

    Args:
        inbox_id: the message that was answered.
    """
    answered_at = (
        select(func.max(OutboxItem.sent_at))
        .where(OutboxItem.conversation_id == conversation_id, OutboxItem.inbox_id == inbox_id)
        .scalar_subquery()
    )
    notice = select(OutboxItem.id).where(
        OutboxItem.conversation_id == conversation_id,
        OutboxItem.kind == "notice",
        OutboxItem.state == SENT,
        OutboxItem.sent_at > answered_at,
    )
    return session.scalar(notice.limit(1)) is not None
