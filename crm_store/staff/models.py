"""Tables of the staff area."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
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
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ConsoleSession(Base):
    """A log-in at the console. The cookie's token is kept as a hash only."""

    __tablename__ = "console_sessions"

    #: SHA-256 of the token, hexadecimal.
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
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

    staff: Mapped[StaffMember] = relationship()
