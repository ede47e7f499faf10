"""What an admin changes about members of staff: role, team, skills, and how they log in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.errors import Conflict, InvalidInput, NotAllowed, NotFound
from crm_store.rules import Rules
from crm_store.staff import service
from crm_store.staff.accounts import MAX_NAME, is_last_admin, named
from crm_store.staff.models import ROLES, StaffMember

MAX_CHATS = range(1, 51)
_LOGIN = re.compile(r"[a-z0-9._-]{2,60}")


def locked(session: Session, *, staff_id: int) -> StaffMember:
    """A member of staff as they are now, changed by nobody else until the unit of work ends.

    Raises:
        NotFound: there is none with this id.
        NotAllowed: they no longer work here.
    """
    found = session.get(StaffMember, staff_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(f"there is no member of staff with the id {staff_id}")
    if found.disabled_at is not None:
        raise NotAllowed(f"the member {staff_id} does not work here any more")
    return found


def change_member(
    session: Session,
    *,
    staff_id: int,
    name: str,
    role: str,
    actor: str,
    rules: Rules,
    team: str = "",
    skills: Sequence[str] = (),
    areas: Sequence[str] = (),
    max_chats: int | None = None,
) -> StaffMember:
    """Change what is kept of a member; another role holds from their next click or message on.

    Args:
        role: one of ROLES.
        team: one of the business file's; empty for none.
        skills: what a technician can do, or what hand-overs may ask for.
        areas: cities that a technician goes to; none means everywhere.
        max_chats: conversations at a time; None for the business file's number.

    Raises:
        NotFound: there is no such member.
        NotAllowed: they no longer work here.
        InvalidInput: something of this is not possible.
        Conflict: it is the only admin who can log in at the console.
    """
    found = locked(session, staff_id=staff_id)
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidInput(f"a name has between 1 and {MAX_NAME} characters")
    if role not in ROLES:
        raise InvalidInput(f"there is no role {role}; choose one of {', '.join(ROLES)}")
    if team and team not in rules.business.handoff.teams:
        raise InvalidInput(f"there is no team {team}")
    if max_chats is not None and max_chats not in MAX_CHATS:
        raise InvalidInput("between 1 and 50 conversations at a time are possible")
    if role != found.role and is_last_admin(session, found):
        raise Conflict("this is the only admin who can log in at the console")
    wanted: dict[str, Any] = {
        "name": name,
        "role": role,
        "team": team,
        "skills": named(skills),
        "areas": named(areas),
        "max_chats": max_chats,
    }
    changed = {key: value for key, value in wanted.items() if getattr(found, key) != value}
    before = {key: getattr(found, key) for key in changed}
    for key, value in changed.items():
        setattr(found, key, value)
    session.flush()
    if changed:
        _audit(session, "staff.changed", found, actor, {"from": before, "to": changed})
    return found


def give_login(session: Session, *, staff_id: int, login: str, actor: str) -> str:
    """Let a member log in at the console under a name.

    Returns:
        The password, which is kept nowhere else.

    Raises:
        NotFound, NotAllowed: as `change_member`.
        InvalidInput: it is no login.
        Conflict: somebody else has it, or the member has one already.
    """
    found = locked(session, staff_id=staff_id)
    wanted = service.normalize_login(login)
    if not _LOGIN.fullmatch(wanted):
        raise InvalidInput("a login has 2 to 60 small Latin letters, digits, dots, hyphens or underscores")
    taken = session.scalar(select(StaffMember.id).where(StaffMember.login == wanted))
    if found.login is not None or taken is not None:
        raise Conflict(f"the login {wanted} is taken")
    try:
        with session.begin_nested():
            found.login = wanted
            session.flush()
    except IntegrityError as error:
        raise Conflict(f"the login {wanted} is taken") from error
    return service.set_password(session, login=wanted, actor=actor)


def reset_password(session: Session, *, staff_id: int, actor: str) -> str:
    """Give a member another password and end their log-ins.

    Returns:
        The password, which is kept nowhere else.

    Raises:
        NotFound, NotAllowed: as `change_member`.
        InvalidInput: they do not log in at the console.
    """
    found = locked(session, staff_id=staff_id)
    if found.login is None:
        raise InvalidInput("this member does not log in at the console")
    return service.set_password(session, login=found.login, actor=actor)


def _audit(session: Session, action: str, found: StaffMember, actor: str, detail: dict[str, Any]) -> None:
    record_audit(session, actor=actor, action=action, target_type="staff", target_id=found.id, detail=detail)
