"""What can be done with customers."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.customers.models import (
    KEPT_APART,
    OPEN,
    ChannelIdentity,
    ContactPoint,
    Customer,
    LinkConflict,
)
from crm_store.errors import InvalidInput
from crm_store.persian import normalize_phone


def identify(
    session: Session, *, channel: str, external_id: str, display_name: str = "", username: str = ""
) -> ChannelIdentity:
    """Return the account's identity; an account never seen before becomes a new customer.

    Hearing from an account proves that it can be reached, so a former block is lifted.
    """
    identity = session.scalar(
        select(ChannelIdentity).where(
            ChannelIdentity.channel == channel, ChannelIdentity.external_id == external_id
        )
    )
    if identity is None:
        customer = Customer(display_name=display_name[:200])
        identity = ChannelIdentity(customer=customer, channel=channel, external_id=external_id)
        session.add(identity)
        session.flush()
        record_activity(
            session, customer_id=customer.id, kind="customer.first_contact", data={"channel": channel}
        )
    identity.display_name = display_name[:200] or identity.display_name
    identity.username = username[:100] or identity.username
    identity.blocked_at = None
    return identity


def mark_blocked(session: Session, *, channel: str, external_id: str) -> None:
    """Note that the account blocked the bot; unknown accounts are passed over."""
    identity = session.scalar(
        select(ChannelIdentity).where(
            ChannelIdentity.channel == channel, ChannelIdentity.external_id == external_id
        )
    )
    if identity is None or identity.blocked_at is not None:
        return
    identity.blocked_at = utcnow()
    record_activity(
        session, customer_id=identity.customer_id, kind="customer.blocked_bot", data={"channel": channel}
    )


def mark_reachable(session: Session, *, channel: str, external_id: str) -> None:
    """Note that the account took its block back; unknown accounts are passed over."""
    identity = session.scalar(
        select(ChannelIdentity).where(
            ChannelIdentity.channel == channel, ChannelIdentity.external_id == external_id
        )
    )
    if identity is None or identity.blocked_at is None:
        return
    identity.blocked_at = None
    record_activity(
        session, customer_id=identity.customer_id, kind="customer.unblocked_bot", data={"channel": channel}
    )


def add_phone(
    session: Session, *, customer_id: int, phone: str, proven: bool = False, proven_by_id: int | None = None
) -> ContactPoint:
    """Keep a phone number of a customer; a proof is never taken back by a later unproven mention.

    A number that another account has proven before stays unproven here until a person has settled whose it is
    (``crm_store.customers.linking``).

    Args:
        phone: as typed, in any script and format.
        proven: True only for the sender's own contact as the messenger hands it over.
        proven_by_id: the account that handed it over; with it the proof counts from now on.

    Raises:
        InvalidInput: the text is not a valid phone number.
    """
    try:
        value = normalize_phone(phone)
    except ValueError as error:
        raise InvalidInput("not a valid phone number") from error
    point = session.scalar(
        select(ContactPoint).where(
            ContactPoint.customer_id == customer_id, ContactPoint.kind == "phone", ContactPoint.value == value
        )
    )
    if point is None:
        point = ContactPoint(customer_id=customer_id, kind="phone", value=value)
        session.add(point)
        session.flush()
        record_activity(
            session, customer_id=customer_id, kind="customer.phone_added", data={"proven": proven}
        )
    is_news = point.proven_at is None or proven_by_id is not None
    if proven and is_news and not is_disputed(session, customer_id=customer_id, phone=value):
        point.proven_at, point.proven_by_id = utcnow(), proven_by_id or point.proven_by_id
    return point


def is_disputed(session: Session, *, customer_id: int, phone: str) -> bool:
    """Whether somebody else's proof of a number (E.164) stands against this customer's."""
    standing = (
        select(LinkConflict.id)
        .join(ChannelIdentity, LinkConflict.identity_id == ChannelIdentity.id)
        .where(
            ChannelIdentity.customer_id == customer_id,
            LinkConflict.phone == phone,
            LinkConflict.state.in_((OPEN, KEPT_APART)),
        )
    )
    return session.scalar(standing.limit(1)) is not None


def best_phone(session: Session, *, customer_id: int) -> ContactPoint | None:
    """The phone to call: a proven one before unproven ones, then the newest."""
    return session.scalar(
        select(ContactPoint)
        .where(ContactPoint.customer_id == customer_id, ContactPoint.kind == "phone")
        .order_by(ContactPoint.proven_at.is_(None), ContactPoint.id.desc())
        .limit(1)
    )
