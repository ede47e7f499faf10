"""How staff log in: passwords as Argon2id hashes, sessions as random tokens of which only a hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.errors import InvalidInput, LoginRefused, NotFound
from crm_store.staff import totp
from crm_store.staff.models import ConsoleSession, StaffMember

FIRST_LOGIN = "admin"
#: A log-in ends after so many hours, used or not.
SESSION_HOURS = 12
#: Between the password and the code of the second step.
CODE_MINUTES = 10
MIN_PASSWORD = 10
_TOKEN_BYTES = 32
#: Letters and digits that nobody mistakes for one another, on paper or on the phone.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LETTERS = 4, 4

_hasher = PasswordHasher()


def ensure_first_admin(session: Session) -> str | None:
    """Make the first member of staff who can log in, ``admin``, where nobody can.

    Those who were invited to work in chat alone do not count.

    Returns:
        The password, which is kept nowhere else; None when there is somebody already.
    """
    if session.scalar(select(StaffMember.id).where(StaffMember.login.is_not(None)).limit(1)) is not None:
        return None
    password = _new_password()
    member = StaffMember(login=FIRST_LOGIN, password_hash=_hasher.hash(password))
    session.add(member)
    session.flush()
    _audit(session, "staff.created", actor="system", staff_id=member.id)
    return password


class Checked(NamedTuple):
    """The outcome of comparing a password.

    Attributes:
        staff_id: whose login it is; None when it is nobody's.
        fits: whether the password is theirs and they may log in.
        new_hash: the password hashed with today's parameters, where those of the store are older.
    """

    staff_id: int | None
    fits: bool
    new_hash: str = ""


def check_password(session: Session, *, login: str, password: str) -> Checked:
    """Compare a password; changes nothing, so its deliberate slowness holds nobody up.

    An unknown login takes as long as a wrong password, and a member who may no longer log in is told the
    same.
    """
    member = _find(session, login)
    fits = _verify((member.password_hash if member else "") or _decoy(), password)
    if member is None or not fits or member.disabled_at is not None:
        return Checked(member.id if member else None, fits=False)
    is_old = _hasher.check_needs_rehash(member.password_hash)
    return Checked(member.id, fits=True, new_hash=_hasher.hash(password) if is_old else "")


def admit(session: Session, checked: Checked) -> StaffMember:
    """The member of staff whose password was compared.

    The refusal is audited in the caller's transaction, which has to be committed all the same. What was
    typed as a login is not kept: now and then it is a password.

    Raises:
        LoginRefused: it did not fit.
    """
    if checked.staff_id is None or not checked.fits:
        _audit(session, "staff.login_refused", actor="system", staff_id=checked.staff_id or "")
        raise LoginRefused("login and password do not fit")
    member = session.get_one(StaffMember, checked.staff_id)
    member.password_hash = checked.new_hash or member.password_hash
    return member


def open_session(session: Session, *, staff_id: int) -> str:
    """Begin a log-in; those of anybody that have run out are cleared away.

    Returns:
        The token for the cookie, 256 random bits.
    """
    token = _new_session(session, staff_id=staff_id, lasts=timedelta(hours=SESSION_HOURS))
    _audit(session, "staff.logged_in", actor=f"staff:{staff_id}", staff_id=staff_id)
    return token


def open_door(session: Session, *, staff_id: int) -> str:
    """Remember for a short while that somebody's password fitted, until the code of the second step comes.

    Returns:
        The token for the cookie; `find_session` does not know it.
    """
    lasts = timedelta(minutes=CODE_MINUTES)
    token = _new_session(session, staff_id=staff_id, lasts=lasts, awaits_code=True)
    _audit(session, "staff.password_accepted", actor=f"staff:{staff_id}", staff_id=staff_id)
    return token


def find_session(session: Session, *, token: str) -> StaffMember | None:
    """Who is logged in with a token; None when it is unknown, has run out or its owner was disabled."""
    return _owner(session, token, awaits_code=False)


def find_at_door(session: Session, *, token: str) -> StaffMember | None:
    """Whose password fitted and whose code is still to come, with a token of `open_door`."""
    return _owner(session, token, awaits_code=True)


def pass_door(session: Session, *, token: str, code: str, now: datetime | None = None) -> str | None:
    """Begin the log-in of somebody at the door; the door's token is worthless afterwards.

    A refusal is audited in the caller's transaction, which has to be committed all the same.

    Args:
        code: as typed, of their app.

    Returns:
        The token for the cookie; None when the code does not fit, was used before, or nobody is there.
    """
    staff = find_at_door(session, token=token)
    if staff is None or not totp.check(session, staff_id=staff.id, code=code, now=now):
        return None
    session.execute(delete(ConsoleSession).where(ConsoleSession.token_hash == _hash_of(token)))
    return open_session(session, staff_id=staff.id)


def close_session(session: Session, *, token: str) -> None:
    """End a log-in; an unknown token is passed over."""
    found = session.get(ConsoleSession, _hash_of(token))
    if found is not None:
        _audit(session, "staff.logged_out", actor=f"staff:{found.staff_id}", staff_id=found.staff_id)
        session.delete(found)
        session.flush()


def set_password(
    session: Session, *, login: str, password: str | None = None, actor: str = "operator"
) -> str:
    """Give a member of staff another password and end all their log-ins.

    Args:
        password: at least ten characters; a random one is made when it is left out.
        actor: who does it.

    Returns:
        The password now in force.

    Raises:
        NotFound: nobody has this login.
        InvalidInput: the password is too short.
    """
    member = _find(session, login)
    if member is None:
        raise NotFound(f"nobody has the login {login}")
    if password is not None and len(password) < MIN_PASSWORD:
        raise InvalidInput(f"a password needs at least {MIN_PASSWORD} characters")
    password = password or _new_password()
    member.password_hash = _hasher.hash(password)
    session.execute(delete(ConsoleSession).where(ConsoleSession.staff_id == member.id))
    _audit(session, "staff.password_changed", actor=actor, staff_id=member.id)
    return password


def normalize_login(text: str) -> str:
    """A login as it is compared: without spaces around it, in small letters."""
    return text.strip().casefold()


def _new_session(session: Session, *, staff_id: int, lasts: timedelta, awaits_code: bool = False) -> str:
    now = utcnow()
    session.execute(delete(ConsoleSession).where(ConsoleSession.expires_at <= now))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.add(
        ConsoleSession(
            token_hash=_hash_of(token), staff_id=staff_id, expires_at=now + lasts, awaits_code=awaits_code
        )
    )
    return token


def _owner(session: Session, token: str, *, awaits_code: bool) -> StaffMember | None:
    found = session.get(ConsoleSession, _hash_of(token), options=[joinedload(ConsoleSession.staff)])
    if found is None or found.awaits_code is not awaits_code:
        return None
    if found.expires_at <= utcnow() or found.staff.disabled_at is not None:
        return None
    return found.staff


def _find(session: Session, login: str) -> StaffMember | None:
    # PostgreSQL takes no NUL in a text.
    wanted = normalize_login(login).replace("\0", "\ufffd")
    return session.scalar(select(StaffMember).where(StaffMember.login == wanted))


def _verify(known_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(known_hash, password)
    except VerificationError:
        return False


@cache
def _decoy() -> str:
    """What the password of somebody who does not exist is compared with."""
    return _hasher.hash(secrets.token_hex(_TOKEN_BYTES))


def _new_password() -> str:
    groups = ("".join(secrets.choice(_READABLE) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _audit(session: Session, action: str, *, actor: str, staff_id: int | str) -> None:
    record_audit(session, actor=actor, action=action, target_type="staff", target_id=staff_id)
