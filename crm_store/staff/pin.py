"""The PIN that a member of staff is asked for in chat after a pause: whoever finds an open phone is no staff.

Only its Argon2id hash is kept. Five wrong ones in a row lock the chat account until it is linked anew or the
operator makes another PIN.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation, Message
from crm_store.errors import InvalidInput
from crm_store.inbox import InboxItem
from crm_store.persian.digits import to_ascii_digits, without_marks
from crm_store.rules import Rules
from crm_store.staff.accounts import member
from crm_store.staff.models import StaffAccount, StaffMember

TRIES = 5
MADE_DIGITS = 6
#: What stands in a transcript in place of a PIN.
HIDDEN = "••••"
#: What comes before anything else is done: nothing, the PIN, a first PIN; or nothing helps any more.
FREE, ASK, CHOOSE, LOCKED, MISSING = "free", "ask", "choose", "locked", "missing"
_PIN = re.compile(r"[0-9]{4,8}")

_hasher = PasswordHasher()


def account_in(session: Session, *, conversation_id: int) -> StaffAccount | None:
    """The staff account that writes in a private chat, locked: two wrong PINs count as two."""
    return session.scalar(
        select(StaffAccount)
        .join(Conversation, Conversation.identity_id == StaffAccount.identity_id)
        .where(Conversation.id == conversation_id)
        .with_for_update(of=StaffAccount)
    )


def gate(account: StaffAccount, staff: StaffMember, *, rules: Rules, now: datetime | None = None) -> str:
    """What comes before anything else is done.

    Returns:
        ``free``; ``ask`` for the PIN after a pause; ``choose`` a first one, which only who was active just
        now may; ``missing`` where there is none to be asked for; ``locked`` after too many wrong ones.
    """
    if account.pin_failures >= TRIES:
        return LOCKED
    minutes = rules.business.staff.pin_after_minutes
    if not minutes:
        return FREE
    is_fresh = (now or utcnow()) - (account.active_at or account.linked_at) <= timedelta(minutes=minutes)
    if is_fresh:
        return FREE if staff.pin_hash else CHOOSE
    return ASK if staff.pin_hash else MISSING


def note_activity(account: StaffAccount, *, now: datetime | None = None) -> None:
    """The pause begins anew."""
    account.active_at = now or utcnow()


def read_pin(text: str) -> str | None:
    """A PIN of four to eight digits that stands alone, in any script."""
    typed = to_ascii_digits(without_marks(text)[0]).strip()
    return typed if _PIN.fullmatch(typed) else None


def try_pin(session: Session, account: StaffAccount, *, text: str, now: datetime | None = None) -> bool:
    """Whether a text is the PIN; a wrong one is counted and audited, a right one begins the pause anew."""
    if account.pin_failures >= TRIES:
        return False
    staff, typed = member(session, staff_id=account.staff_id), read_pin(text)
    if typed is not None and staff.pin_hash and _fits(staff.pin_hash, typed):
        account.pin_failures = 0
        note_activity(account, now=now)
        return True
    account.pin_failures += 1
    is_last = account.pin_failures >= TRIES
    _audit(session, "staff.pin_locked" if is_last else "staff.pin_refused", account.staff_id)
    return False


def choose_pin(session: Session, account: StaffAccount, *, text: str, now: datetime | None = None) -> None:
    """Keep the first PIN of a member of staff, as they chose it.

    Raises:
        InvalidInput: it is not four to eight digits, or the same digit throughout.
    """
    typed = read_pin(text)
    if typed is None or len(set(typed)) == 1:
        raise InvalidInput("a PIN has four to eight digits, not all of them the same")
    staff = member(session, staff_id=account.staff_id)
    staff.pin_hash = _hasher.hash(typed)
    note_activity(account, now=now)
    _audit(session, "staff.pin_chosen", staff.id)


def make_pin(session: Session, *, staff_id: int, actor: str = "operator") -> str:
    """Make a new PIN for a member of staff and open their locked accounts; it is kept nowhere.

    Raises:
        NotFound: there is no such member.
        InvalidInput: they were disabled.
    """
    staff = member(session, staff_id=staff_id)
    if staff.disabled_at is not None:
        raise InvalidInput(f"{staff.name or staff.login} was disabled and needs no PIN")
    made = "".join(secrets.choice("0123456789") for _ in range(MADE_DIGITS))
    staff.pin_hash = _hasher.hash(made)
    _open_accounts(session, staff_id)
    _audit(session, "staff.pin_made", staff_id, actor=actor)
    return made


def drop_pin(session: Session, *, staff_id: int, actor: str = "operator") -> None:
    """Take a member's PIN away and open their locked accounts.

    Raises:
        NotFound: there is no such member.
    """
    member(session, staff_id=staff_id).pin_hash = ""
    _open_accounts(session, staff_id)
    _audit(session, "staff.pin_dropped", staff_id, actor=actor)


def typed_in(session: Session, *, inbox_id: int) -> str:
    """What was typed in a message, as the transcript has it; empty where it stands nowhere."""
    return session.scalar(select(Message.text).where(Message.inbox_id == inbox_id)) or ""


def hide_in(session: Session, *, inbox_id: int) -> None:
    """Take a PIN out of the transcript and out of what the messenger sent."""
    line = session.scalar(select(Message).where(Message.inbox_id == inbox_id))
    if line is not None:
        line.text = HIDDEN
    item = session.get(InboxItem, inbox_id)
    if item is not None:
        item.payload = _hidden(item.payload)


def _hidden(value: object) -> dict[str, object]:
    """A messenger's message without its texts."""

    def blank(part: object, name: str = "") -> object:
        if isinstance(part, dict):
            return {key: blank(item, str(key)) for key, item in part.items()}
        if isinstance(part, list):
            return [blank(item) for item in part]
        return HIDDEN if name in ("text", "caption") and isinstance(part, str) else part

    hidden = blank(value)
    return hidden if isinstance(hidden, dict) else {}


def _open_accounts(session: Session, staff_id: int) -> None:
    for account in session.scalars(select(StaffAccount).where(StaffAccount.staff_id == staff_id)):
        account.pin_failures = 0


def _fits(kept: str, typed: str) -> bool:
    try:
        return _hasher.verify(kept, typed)
    except VerificationError:
        return False


def _audit(session: Session, action: str, staff_id: int, *, actor: str = "") -> None:
    record_audit(
        session, actor=actor or f"staff:{staff_id}", action=action, target_type="staff", target_id=staff_id
    )
