"""Records that may be one person, for whoever decides about it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation, Message
from crm_store.customers.linking import open_conflicts
from crm_store.customers.merging import PROFILE, keeper
from crm_store.customers.models import KEPT_APART, ChannelIdentity, ContactPoint, Customer, LinkConflict
from crm_store.errors import InvalidInput, NotFound
from crm_store.handoff.models import Handoff
from crm_store.loyalty.balance import accounts_so_far
from crm_store.loyalty.models import LedgerPosting
from crm_store.purchases.models import Purchase
from crm_store.service_requests.models import ServiceRequest

MOST = 50


class SharedPhone(msgspec.Struct, frozen=True):
    """A number that several records have.

    Attributes:
        phone: E.164.
        customers: the records that stand for themselves, oldest first.
    """

    phone: str
    customers: list[Customer]


class Dispute(msgspec.Struct, frozen=True):
    """A number that two accounts have proven.

    Attributes:
        claimant: whose account proved it now.
        holder: whose account had proven it before.
    """

    conflict: LinkConflict
    claimant: Customer
    holder: Customer


class Side(msgspec.Struct, frozen=True):
    """One of two records, as far as a decision needs it.

    Attributes:
        accounts: channel and name of each.
        last_at: when something last happened in its chats; None for never.
        points: what is booked for it.
    """

    customer: Customer
    phones: list[ContactPoint]
    accounts: list[tuple[str, str]]
    complaints: int
    requests: int
    purchases: int
    handoffs: int
    points: int
    last_at: datetime | None


class MergePreview(msgspec.Struct, frozen=True):
    """What joining two records would do.

    Attributes:
        into: the record that stays, as `crm_store.customers.merging.keeper` says.
        joined: the other one.
        filled: fields of the profile that the record that stays gets from the other one.
        differing: fields that both have, with different content; those of the record that stays go on.
    """

    into: Side
    joined: Side
    filled: list[str]
    differing: list[str]


def shared_phones(session: Session, *, limit: int = MOST) -> list[SharedPhone]:
    """Numbers that several records have, but for those that a person has kept apart."""
    standing = (Customer.merged_into_id.is_(None), Customer.erased_at.is_(None))
    apart = select(LinkConflict.phone).where(LinkConflict.state == KEPT_APART)
    shared = session.scalars(
        select(ContactPoint.value)
        .join(Customer, ContactPoint.customer_id == Customer.id)
        .where(ContactPoint.kind == "phone", *standing, ContactPoint.value.not_in(apart))
        .group_by(ContactPoint.value)
        .having(func.count(ContactPoint.customer_id.distinct()) > 1)
        .order_by(ContactPoint.value)
        .limit(limit)
    ).all()
    by_phone: dict[str, list[Customer]] = {phone: [] for phone in shared}
    rows = session.execute(
        select(ContactPoint.value, Customer)
        .join(Customer, ContactPoint.customer_id == Customer.id)
        .where(ContactPoint.kind == "phone", ContactPoint.value.in_(shared), *standing)
        .order_by(Customer.id)
    )
    for phone, customer in rows:
        by_phone[phone].append(customer)
    return [SharedPhone(phone, customers) for phone, customers in by_phone.items()]


def disputes(session: Session) -> list[Dispute]:
    """Numbers that two accounts have proven and nobody has settled, the oldest first."""
    found = []
    for conflict in open_conflicts(session):
        identity = session.get_one(ChannelIdentity, conflict.identity_id)
        claimant = session.get_one(Customer, identity.customer_id)
        found.append(Dispute(conflict, claimant, session.get_one(Customer, conflict.holder_id)))
    return found


def alike(session: Session, *, customer_id: int) -> list[Customer]:
    """Other records with one of a customer's numbers, oldest first."""
    customer = session.get(Customer, customer_id)
    if customer is None:
        return []
    own = select(ContactPoint.value).where(
        ContactPoint.customer_id == customer_id, ContactPoint.kind == "phone"
    )
    by_phone = select(ContactPoint.customer_id).where(
        ContactPoint.kind == "phone", ContactPoint.value.in_(own), ContactPoint.customer_id != customer_id
    )
    ids = set(session.scalars(by_phone.limit(MOST)))
    return list(
        session.scalars(
            select(Customer)
            .where(Customer.id.in_(ids), Customer.merged_into_id.is_(None), Customer.erased_at.is_(None))
            .order_by(Customer.id)
        )
    )


def preview(session: Session, *, one_id: int, other_id: int) -> MergePreview:
    """What joining two records would do.

    Raises:
        NotFound: one of them does not exist.
        InvalidInput: they are the same, or one of them was joined or forgotten before.
    """
    one, other = session.get(Customer, one_id), session.get(Customer, other_id)
    if one is None or other is None:
        raise NotFound("there is no such customer")
    if one is other or any(x.merged_into_id is not None or x.erased_at is not None for x in (one, other)):
        raise InvalidInput("these two cannot be joined")
    stays = keeper(session, customer_ids=[one.id, other.id])
    into, joined = (one, other) if stays == one.id else (other, one)
    both = [(field, getattr(into, field), getattr(joined, field)) for field in PROFILE]
    return MergePreview(
        into=_side(session, into),
        joined=_side(session, joined),
        filled=[field for field, kept, given in both if not kept and given],
        differing=[field for field, kept, given in both if kept and given and kept != given],
    )


def _side(session: Session, customer: Customer) -> Side:
    def count(model: type[Complaint | ServiceRequest | Purchase | Handoff]) -> int:
        rows = select(func.count()).select_from(model).where(model.customer_id == customer.id)
        return session.scalar(rows) or 0

    phones = select(ContactPoint).where(ContactPoint.customer_id == customer.id, ContactPoint.kind == "phone")
    identities = session.scalars(
        select(ChannelIdentity).where(ChannelIdentity.customer_id == customer.id).order_by(ChannelIdentity.id)
    ).all()
    accounts = [one.account_id for one in accounts_so_far(session, customer_id=customer.id)]
    booked = select(func.sum(LedgerPosting.points)).where(LedgerPosting.account_id.in_(accounts))
    return Side(
        customer=customer,
        phones=list(session.scalars(phones.order_by(ContactPoint.id))),
        accounts=[(one.channel, one.display_name or one.username) for one in identities],
        complaints=count(Complaint),
        requests=count(ServiceRequest),
        purchases=count(Purchase),
        handoffs=count(Handoff),
        points=int(session.scalar(booked) or 0) if accounts else 0,
        last_at=_last_line(session, [one.id for one in identities]),
    )


def _last_line(session: Session, identity_ids: list[int]) -> datetime | None:
    """When a line was last written in the chats of some accounts."""
    latest = (
        select(func.max(Message.created_at))
        .join(Conversation, Message.conversation_id == Conversation.id)
        .where(Conversation.identity_id.in_(identity_ids))
    )
    return session.scalar(latest) if identity_ids else None
