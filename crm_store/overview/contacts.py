"""When a customer and the business spoke last."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from crm_store.base import BigId
from crm_store.conversations.models import EVERYBODY, Message
from crm_store.handoff.models import CallbackRequest, Handoff
from crm_store.overview.parts import Channel, Contact
from crm_store.overview.shortening import shortened
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import StaffMember

#: Of each kind so many are looked at.
_LOOKED_AT = 3
#: Lines back from the newest in which the customer's own last one is looked for.
_LINES_BACK = 60
_own: BindParameter[int] = bindparam("customer", type_=BigId)
_LINES = (
    select(Message.author, Message.text, Message.created_at)
    .where(Message.conversation_id == bindparam("chat"), Message.audience == EVERYBODY)
    .order_by(Message.seq.desc())
    .limit(_LINES_BACK)
)
_HANDOFFS = (
    select(Handoff, StaffMember.name)
    .join(StaffMember, Handoff.owner_id == StaffMember.id)
    .where(Handoff.customer_id == _own, Handoff.claimed_at.is_not(None))
    .order_by(Handoff.id.desc())
    .limit(_LOOKED_AT)
)
_CALLS = (
    select(CallbackRequest.done_at, CallbackRequest.outcome, CallbackRequest.topic, StaffMember.name)
    .outerjoin(StaffMember, CallbackRequest.done_by_id == StaffMember.id)
    .where(CallbackRequest.customer_id == _own, CallbackRequest.done_at.is_not(None))
    .order_by(CallbackRequest.id.desc())
    .limit(_LOOKED_AT)
)
_VISITS = (
    select(ServiceRequest.done_at, ServiceRequest.outcome, ServiceRequest.problem, StaffMember.name)
    .outerjoin(StaffMember, ServiceRequest.technician_id == StaffMember.id)
    .where(ServiceRequest.customer_id == _own, ServiceRequest.done_at.is_not(None))
    .order_by(ServiceRequest.id.desc())
    .limit(_LOOKED_AT)
)


def last_contacts(session: Session, *, customer_id: int, channels: Sequence[Channel]) -> list[Contact]:
    """Times at which a customer and the business spoke, newest first.

    Args:
        channels: the customer's accounts.
    """
    found = [
        *(_chat(session, one) for one in channels if one.conversation_id is not None),
        *_handoffs(session, customer_id, channels),
        *_calls(session, customer_id),
        *_visits(session, customer_id),
    ]
    return sorted((one for one in found if one is not None), key=lambda one: one.at, reverse=True)


def _chat(session: Session, channel: Channel) -> Contact | None:
    lines = session.execute(_LINES, {"chat": channel.conversation_id})
    said = next((line for line in lines if line.author == "customer"), None)
    return Contact("chat", said.created_at, channel.channel, "", shortened(said.text)) if said else None


def _handoffs(session: Session, customer_id: int, channels: Sequence[Channel]) -> list[Contact]:
    names = {one.conversation_id: one.channel for one in channels}
    rows = session.execute(_HANDOFFS, {"customer": customer_id})
    return [
        Contact(
            "handoff",
            one.ended_at or one.claimed_at or one.requested_at,
            names.get(one.conversation_id, ""),
            name,
            shortened(one.agreed or one.topic),
        )
        for one, name in rows
    ]


def _calls(session: Session, customer_id: int) -> list[Contact]:
    rows = session.execute(_CALLS, {"customer": customer_id})
    return [
        Contact("call", done_at, "", name or "", shortened(outcome or topic))
        for done_at, outcome, topic, name in rows
        if done_at is not None
    ]


def _visits(session: Session, customer_id: int) -> list[Contact]:
    rows = session.execute(_VISITS, {"customer": customer_id})
    return [
        Contact("visit", done_at, "", name or "", shortened(outcome or problem))
        for done_at, outcome, problem, name in rows
        if done_at is not None
    ]
