"""Tables of the customers area."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm_store.base import Base, BigId, utcnow

#: States of a `LinkConflict`.
OPEN, JOINED, MOVED, KEPT_APART = "open", "joined", "moved", "kept_apart"


class Customer(Base):
    """A person or company that the business serves."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: What the messenger calls the account; never a reason to join two customers.
    display_name: Mapped[str] = mapped_column(String(200), default="")
    #: The name that the customer or the business's own records give.
    full_name: Mapped[str] = mapped_column(String(200), default="")
    birthday: Mapped[date | None]
    address: Mapped[str] = mapped_column(Text, default="")
    #: ``phone`` or the name of a channel; empty when the customer has no wish.
    preferred_channel: Mapped[str] = mapped_column(String(20), default="")
    #: When the customer likes to be contacted, in their own words.
    preferred_time: Mapped[str] = mapped_column(String(200), default="")
    #: Where the record came from when it was not a chat: ``import``.
    source: Mapped[str] = mapped_column(String(20), default="")
    #: The customer's number in the business's other systems.
    external_ref: Mapped[str] = mapped_column(String(100), default="", index=True)
    #: Loyalty tier, by the business's own name for it; empty for none.
    tier: Mapped[str] = mapped_column(String(40), default="")
    #: The customer that this record was joined to; None while it stands for itself.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    #: When everything that names the person was erased.
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    identities: Mapped[list[ChannelIdentity]] = relationship(back_populates="customer")
    contact_points: Mapped[list[ContactPoint]] = relationship(back_populates="customer")


class ChannelIdentity(Base):
    """An account on a channel; the only thing that tells who is writing."""

    __tablename__ = "channel_identities"
    __table_args__ = (UniqueConstraint("channel", "external_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    channel: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str] = mapped_column(String(100))
    display_name: Mapped[str] = mapped_column(String(200), default="")
    username: Mapped[str] = mapped_column(String(100), default="")
    #: When the account blocked the bot; None while it can be reached.
    blocked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    customer: Mapped[Customer] = relationship(back_populates="identities")


class ContactPoint(Base):
    """A phone number of a customer, in E.164; proven only by the messenger's own contact."""

    __tablename__ = "contact_points"
    __table_args__ = (
        UniqueConstraint("customer_id", "kind", "value"),
        Index("ix_contact_points_kind_value", "kind", "value"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    kind: Mapped[str] = mapped_column(String(20), default="phone")
    value: Mapped[str] = mapped_column(String(100))
    proven_at: Mapped[datetime | None]
    #: The account whose own contact proved it.
    proven_by_id: Mapped[int | None] = mapped_column(ForeignKey("channel_identities.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    customer: Mapped[Customer] = relationship(back_populates="contact_points")


class LinkConflict(Base):
    """A phone number that two accounts have proven: a person has to settle whose it is."""

    __tablename__ = "link_conflicts"
    __table_args__ = (UniqueConstraint("identity_id", "holder_id", "phone"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The account that proved the number now.
    identity_id: Mapped[int] = mapped_column(ForeignKey("channel_identities.id"))
    #: The customer whose account had proven it before.
    holder_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    #: E.164.
    phone: Mapped[str] = mapped_column(String(100))
    #: ``open``, ``joined``, ``moved`` (the number changed hands) or ``kept_apart``.
    state: Mapped[str] = mapped_column(String(20), default=OPEN)
    settled_by: Mapped[str] = mapped_column(String(60), default="")
    settled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
