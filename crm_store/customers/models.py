"""Tables of the customers area."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from crm_store.base import Base, BigId, utcnow

#: States of a `LinkConflict`.
OPEN, JOINED, MOVED, KEPT_APART = "open", "joined", "moved", "kept_apart"
#: So many digits at the end of a number find it.
ENDING = 4


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
    #: Where the record came from when it was not a chat: ``import``, ``purchase`` or ``staff``.
    source: Mapped[str] = mapped_column(String(20), default="")
    #: The customer's number in the business's other systems.
    external_ref: Mapped[str] = mapped_column(String(100), default="", index=True)
    #: Loyalty tier, by the business's own name for it; empty for none.
    tier: Mapped[str] = mapped_column(String(40), default="")
    #: When that tier began; None while it was only imported.
    tier_since: Mapped[datetime | None]
    #: Until when the tier is kept although too little was bought for it; None while enough was.
    tier_grace_until: Mapped[datetime | None]
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


def ending_of(value: str) -> str:
    """The last digits of a number, by which people ask for each other."""
    return value[-ENDING:]


def _default_ending(context: Any) -> str:
    return ending_of(context.get_current_parameters().get("value", "")) if context is not None else ""


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
    #: The last `ENDING` digits; it follows the value by itself.
    ending: Mapped[str] = mapped_column(String(4), default=_default_ending, index=True)
    proven_at: Mapped[datetime | None]
    #: The account whose own contact proved it.
    proven_by_id: Mapped[int | None] = mapped_column(ForeignKey("channel_identities.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    customer: Mapped[Customer] = relationship(back_populates="contact_points")

    @validates("value")
    def _follow_value(self, _key: str, value: str) -> str:
        self.ending = ending_of(value)
        return value


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


class NameWord(Base):
    """A word that stands in somebody's name, folded: few words make the names of many people."""

    __tablename__ = "name_words"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    word: Mapped[str] = mapped_column(String(60), unique=True)


class CustomerName(Base):
    """That a word stands in a customer's name, for finding people by misspelt names."""

    __tablename__ = "customer_names"
    __table_args__ = (Index("ix_customer_names_word_id_customer_id", "word_id", "customer_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    word_id: Mapped[int] = mapped_column(ForeignKey("name_words.id"))
