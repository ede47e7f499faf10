"""One-time codes by which members of staff link their chat accounts.

A code is ``PYV`` and 32 letters and digits in groups of four. Five of them find the invitation; the other 27
hold more than 128 random bits, of which only a hash is kept. It is read in either case, with digits in any
script, with spaces or hyphens wherever they stand, and with the letters that people take for digits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.errors import InvalidInput, LinkRefused
from crm_store.persian.digits import without_marks
from crm_store.staff.accounts import add_member, end_invitations, member
from crm_store.staff.models import StaffAccount, StaffInvitation, StaffMember

VALID_FOR = timedelta(minutes=10)
TRIES = 5
PREFIX = "PYV"
#: What stands in a transcript in place of a code.
HIDDEN = f"{PREFIX}-***"
#: Crockford's base32 without its vowels, so that a code never spells a word; log2(30 ** 27) is 132 bits.
_ALPHABET = "0123456789BCDFGHJKMNPQRSTVWXYZ"
_LOOKUP_LENGTH, _SECRET_LENGTH = 5, 27
_LENGTH = _LOOKUP_LENGTH + _SECRET_LENGTH
_GROUP = 4
_LOOKALIKES = str.maketrans("OIL", "011")
#: A code with some of its letters missing is still one: it must not go where messages go.
_SHORTEST = 16
_CODE = re.compile(
    rf"(?<![^\W_]){PREFIX}(?:[\s\-_.\u2010-\u2015\u2212]*[{_ALPHABET}OIL]){{{_SHORTEST},{_LENGTH}}}",
    re.IGNORECASE,
)


def invite(
    session: Session,
    *,
    name: str,
    role: str,
    skills: Sequence[str] = (),
    areas: Sequence[str] = (),
    actor: str = "operator",
    now: datetime | None = None,
) -> tuple[StaffMember, str]:
    """Make a member of staff who works in chat, and the code with which they link their account.

    Args:
        role: one of `crm_store.staff.models.ROLES`.
        skills: what a technician can do, by the names in the business file.
        areas: cities that a technician goes to; none means everywhere.

    Returns:
        The member, and the code, which is kept nowhere.

    Raises:
        InvalidInput: there is no such role, or the name is empty or too long.
    """
    made = add_member(session, name=name, role=role, skills=skills, areas=areas, actor=actor)
    return made, _new_code(session, made, actor=actor, now=now or utcnow())


def invite_again(
    session: Session, *, staff_id: int, actor: str = "operator", now: datetime | None = None
) -> tuple[StaffMember, str]:
    """A new code for somebody who is there already; the former ones are worthless from now on.

    Raises:
        NotFound: there is no such member.
        InvalidInput: they were disabled.
    """
    found = member(session, staff_id=staff_id)
    if found.disabled_at is not None:
        raise InvalidInput(f"{found.name or found.login} was disabled and can link no account")
    return found, _new_code(session, found, actor=actor, now=now or utcnow())


def redeem(session: Session, *, identity_id: int, code: str, now: datetime | None = None) -> StaffMember:
    """Link an account to the member of staff to whom a code was given.

    An account that belonged to another member moves. A refusal is counted and audited in the caller's
    transaction, which has to be committed all the same.

    Args:
        identity_id: the account that sent the code.
        code: as typed; other words may stand around it.

    Raises:
        LinkRefused: the code is wrong, too old, used, or its member was disabled: all look the same.
    """
    now = now or utcnow()
    typed = _read(code)
    invitation = _find(session, typed)
    if invitation is None or not _fits(session, invitation, typed, now):
        _audit_refusal(session, identity_id, invitation)
        raise LinkRefused("this code does not fit")
    invitation.used_at = now
    _link(session, identity_id=identity_id, staff_id=invitation.staff_id, now=now)
    return member(session, staff_id=invitation.staff_id)


def looks_like_invitation(text: str) -> bool:
    """Whether a code stands in a text, complete or nearly so, right or wrong."""
    return _CODE.search(without_marks(text)[0]) is not None


def without_invitations(text: str) -> str:
    """A text with something harmless in place of its codes; without any it stays as it is."""
    searched, offsets = without_marks(text)
    for match in reversed(list(_CODE.finditer(searched))):
        start, end = offsets[match.start()], offsets[match.end() - 1] + 1
        text = f"{text[:start]}{HIDDEN}{text[end:]}"
    return text


def _new_code(session: Session, staff: StaffMember, *, actor: str, now: datetime) -> str:
    end_invitations(session, staff_id=staff.id, now=now)
    symbols = _symbols()
    while _find(session, symbols) is not None:
        symbols = _symbols()
    invitation = StaffInvitation(
        staff_id=staff.id,
        lookup=symbols[:_LOOKUP_LENGTH],
        code_hash=_hash_of(symbols),
        tries_left=TRIES,
        expires_at=now + VALID_FOR,
    )
    session.add(invitation)
    session.flush()
    _audit(session, "staff.invited", actor=actor, staff_id=staff.id)
    groups = [symbols[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP)]
    return "-".join([PREFIX, *groups])


def _symbols() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _read(text: str) -> str:
    """The letters and digits of the first code in a text, without the prefix; empty where there is none."""
    match = _CODE.search(without_marks(text)[0])
    symbols = re.sub(r"[^0-9A-Z]", "", match[0].upper()) if match else ""
    return symbols.removeprefix(PREFIX).translate(_LOOKALIKES)


def _find(session: Session, typed: str) -> StaffInvitation | None:
    """The invitation that a code names, locked: two accounts cannot use it at the same time."""
    return session.scalar(
        select(StaffInvitation)
        .where(StaffInvitation.lookup == typed[:_LOOKUP_LENGTH])
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _fits(session: Session, invitation: StaffInvitation, typed: str, now: datetime) -> bool:
    """Whether an invitation is opened by what was typed; a wrong try is counted."""
    is_open = invitation.used_at is None and now < invitation.expires_at and invitation.tries_left > 0
    is_right = hmac.compare_digest(invitation.code_hash, _hash_of(typed))
    if is_open and not is_right:
        invitation.tries_left -= 1
    return is_open and is_right and member(session, staff_id=invitation.staff_id).disabled_at is None


def _link(session: Session, *, identity_id: int, staff_id: int, now: datetime) -> None:
    account = session.get(StaffAccount, identity_id, with_for_update=True)
    detail: dict[str, Any] = {"identity": identity_id}
    if account is None:
        account = StaffAccount(identity_id=identity_id, staff_id=staff_id, linked_at=now)
        session.add(account)
    else:
        if account.staff_id != staff_id:
            detail["moved_from"] = account.staff_id
        account.staff_id, account.linked_at = staff_id, now
    # Who holds a fresh code is who they say: wrong PINs before it no longer count.
    account.active_at, account.pin_failures = now, 0
    session.flush()
    _audit(session, "staff.account_linked", actor=f"staff:{staff_id}", staff_id=staff_id, detail=detail)


def _audit_refusal(session: Session, identity_id: int, invitation: StaffInvitation | None) -> None:
    staff_id = invitation.staff_id if invitation else ""
    detail = {"identity": identity_id}
    _audit(session, "staff.link_refused", actor="system", staff_id=staff_id, detail=detail)
    session.flush()


def _audit(
    session: Session, action: str, *, actor: str, staff_id: int | str, detail: dict[str, Any] | None = None
) -> None:
    record_audit(session, actor=actor, action=action, target_type="staff", target_id=staff_id, detail=detail)


def _hash_of(symbols: str) -> str:
    return hashlib.sha256(symbols.encode()).hexdigest()
