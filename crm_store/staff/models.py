"""Tables of the staff area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm_store.base import Base, BigId, utcnow

#: In the order of what they may do; `crm_store.business.Role` names the same.
ROLES = ("technician", "agent", "supervisor", "admin")


class StaffMember(Base):
    """Somebody who works with Peyvand."""

    __tablename__ = "staff_members"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: The name typed at log-in; None for those who only work in chat.
    login: Mapped[str | None] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    #: One of ROLES.
    role: Mapped[str] = mapped_column(String(20), default="admin")
    #: Argon2id, with its parameters; empty for those who cannot log in.
    password_hash: Mapped[str] = mapped_column(String(200), default="")
    #: What a technician can do, by the names in the business file.
    skills: Mapped[list[Any]] = mapped_column(default=list)
    #: Names of the cities that a technician goes to; none means everywhere.
    areas: Mapped[list[Any]] = mapped_column(default=list)
    #: The team that hand-overs may be given to, by its name in the business file; empty for none.
    team: Mapped[str] = mapped_column(String(60), default="")
    #: ``online`` takes hand-overs, ``away`` keeps those they have, ``offline`` is not there.
    presence: Mapped[str] = mapped_column(String(10), default="offline")
    presence_at: Mapped[datetime | None]
    #: Conversations at a time; None for the business file's number.
    max_chats: Mapped[int | None]
    #: When they were last offered a hand-over: whose turn it is.
    offered_at: Mapped[datetime | None]
    #: Secret of the log-in's second step, base32 (RFC 6238); empty until one is set up.
    totp_secret: Mapped[str] = mapped_column(String(64), default="")
    #: When the second step was confirmed with a first code; it is asked for from then on.
    totp_confirmed_at: Mapped[datetime | None]
    #: The time step of the last code that was taken: each is taken once.
    totp_last_step: Mapped[int | None] = mapped_column(BigId)
    #: Argon2id of the PIN that is asked for in chat after a pause; empty for none.
    pin_hash: Mapped[str] = mapped_column(String(200), default="")
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ConsoleSession(Base):
    """A log-in at the console. The cookie's token is kept as a hash only."""

    __tablename__ = "console_sessions"

    #: SHA-256 of the token, hexadecimal.
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    #: The password fitted, and the second step is still to come.
    awaits_code: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    staff: Mapped[StaffMember] = relationship()


class StaffInvitation(Base):
    """A code by which a member of staff links a chat account, once."""

    __tablename__ = "staff_invitations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    #: The part of the code by which it is found; it is no secret.
    lookup: Mapped[str] = mapped_column(String(16), unique=True)
    #: SHA-256 of the whole code, hexadecimal.
    code_hash: Mapped[str] = mapped_column(String(64))
    tries_left: Mapped[int]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class StaffAccount(Base):
    """A chat account that belongs to a member of staff."""

    __tablename__ = "staff_accounts"

    #: The account; it belongs to one member of staff at most.
    identity_id: Mapped[int] = mapped_column(ForeignKey("channel_identities.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    linked_at: Mapped[datetime] = mapped_column(default=utcnow)
    #: When something was last done with it; after a pause the PIN is asked for.
    active_at: Mapped[datetime | None]
    #: Wrong PINs in a row.
    pin_failures: Mapped[int] = mapped_column(default=0)

    staff: Mapped[StaffMember] = relationship()


class StaffFocus(Base):
    """Which customer a member of staff has in mind in a chat: «یادداشت بذار براش»."""

    __tablename__ = "staff_focus"

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    #: The ticket's code, and what else a next message may go on from (page, filters, a step of a task).
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)


class StaffNote(Base):
    """A note on a customer, for the staff only."""

    __tablename__ = "staff_notes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    text: Mapped[str] = mapped_column(Text)
    #: Shown first on the customer's card.
    is_pinned: Mapped[bool] = mapped_column(default=False)
    #: The chat message that it came from: the same message again writes no second note.
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    deleted_at: Mapped[datetime | None]
