"""Members of staff and their chat accounts: who is writing, who there is, who no longer works here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.customers.models import ChannelIdentity
from crm_store.errors import InvalidInput, NotFound
from crm_store.staff.models import ROLES, ConsoleSession, StaffAccount, StaffInvitation, StaffMember

MAX_NAME = 200


def staff_of(session: Session, *, identity_id: int) -> StaffMember | None:
    """The member of staff to whom an account belongs; None for customers and for who was disabled."""
    return session.scalar(
        select(StaffMember)
        .join(StaffAccount, StaffAccount.staff_id == StaffMember.id)
        .where(StaffAccount.identity_id == identity_id, StaffMember.disabled_at.is_(None))
    )


def staff_in(session: Session, *, conversation_id: int) -> StaffMember | None:
    """The member of staff who writes in a private chat; None for customers, groups and who was disabled."""
    return session.scalar(
        select(StaffMember)
        .join(StaffAccount, StaffAccount.staff_id == StaffMember.id)
        .join(Conversation, Conversation.identity_id == StaffAccount.identity_id)
        .where(Conversation.id == conversation_id, StaffMember.disabled_at.is_(None))
    )


def member(session: Session, *, staff_id: int) -> StaffMember:
    """A member of staff, disabled or not.

    Raises:
        NotFound: there is none with this id.
    """
    found = session.get(StaffMember, staff_id)
    if found is None:
        raise NotFound(f"there is no member of staff with the id {staff_id}")
    return found


def members(session: Session) -> list[StaffMember]:
    """Everybody, those included who no longer work here, in the order in which they came."""
    return list(session.scalars(select(StaffMember).order_by(StaffMember.id)))


def channels_of(session: Session, *, staff_ids: Sequence[int]) -> dict[int, list[str]]:
    """The channels on which these members have linked an account; who has none is left out."""
    rows = session.execute(
        select(StaffAccount.staff_id, ChannelIdentity.channel)
        .join(ChannelIdentity, StaffAccount.identity_id == ChannelIdentity.id)
        .where(StaffAccount.staff_id.in_(staff_ids))
        .order_by(StaffAccount.linked_at)
    )
    channels: dict[int, list[str]] = {}
    for staff_id, channel in rows:
        channels.setdefault(staff_id, []).append(channel)
    return channels


def add_member(
    session: Session,
    *,
    name: str,
    role: str,
    skills: Sequence[str] = (),
    areas: Sequence[str] = (),
    actor: str = "operator",
) -> StaffMember:
    """Make a member of staff who works in chat and cannot log in at the console.

    Args:
        role: one of ROLES.
        skills: what a technician can do, by the names in the business file.
        areas: cities that a technician goes to; none means everywhere.

    Raises:
        InvalidInput: there is no such role, or the name is empty or too long.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidInput(f"a name has between 1 and {MAX_NAME} characters")
    if role not in ROLES:
        raise InvalidInput(f"there is no role {role}; choose one of {', '.join(ROLES)}")
    made = StaffMember(name=name, role=role, skills=named(skills), areas=named(areas))
    session.add(made)
    session.flush()
    record_audit(
        session,
        actor=actor,
        action="staff.created",
        target_type="staff",
        target_id=made.id,
        detail={"role": role},
    )
    return made


def disable(
    session: Session, *, staff_id: int, actor: str = "operator", now: datetime | None = None
) -> StaffMember:
    """Let somebody in no more: their accounts, log-ins and open invitations stop working at once.

    Raises:
        NotFound: there is no such member.
        InvalidInput: it is the only admin who can log in at the console.
    """
    leaving = session.get(StaffMember, staff_id, with_for_update=True) or member(session, staff_id=staff_id)
    if leaving.disabled_at is not None:
        return leaving
    if is_last_admin(session, leaving):
        raise InvalidInput("this is the only admin who can log in at the console; make another one first")
    leaving.disabled_at = now or utcnow()
    session.execute(delete(ConsoleSession).where(ConsoleSession.staff_id == staff_id))
    end_invitations(session, staff_id=staff_id, now=leaving.disabled_at)
    record_audit(session, actor=actor, action="staff.disabled", target_type="staff", target_id=staff_id)
    return leaving


def end_invitations(session: Session, *, staff_id: int, now: datetime) -> None:
    """Make all codes of a member worthless that were not used yet."""
    session.execute(
        update(StaffInvitation)
        .where(
            StaffInvitation.staff_id == staff_id,
            StaffInvitation.used_at.is_(None),
            StaffInvitation.expires_at > now,
        )
        .values(expires_at=now)
        .execution_options(synchronize_session=False)
    )


def is_last_admin(session: Session, leaving: StaffMember) -> bool:
    """Whether nobody else could manage the console if this member did not."""
    if leaving.login is None or leaving.role != "admin":
        return False
    others = select(StaffMember.id).where(
        StaffMember.id != leaving.id,
        StaffMember.role == "admin",
        StaffMember.login.is_not(None),
        StaffMember.disabled_at.is_(None),
    )
    return session.scalar(others.limit(1)) is None


def named(words: Sequence[str]) -> list[str]:
    """Names of skills or cities without spaces around them, each once."""
    return list(dict.fromkeys(filter(None, (" ".join(word.split()) for word in words))))
