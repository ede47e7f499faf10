"""The second step of the log-in: codes that an app on a phone makes every half minute (RFC 6238).

Each code is taken once, in the half minute that it is of and the ones beside it: clocks differ. Who has lost
the phone is let in by the operator (`turn_off`), so there are no further codes to keep somewhere.
"""

from __future__ import annotations

import re
from datetime import datetime

import pyotp
from sqlalchemy import CursorResult, or_, update
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.persian.digits import to_ascii_digits, without_marks
from crm_store.staff.accounts import member
from crm_store.staff.models import StaffMember

#: Seconds that a code is of, and how many steps a phone's clock may be off.
STEP_SECONDS, STEPS_OFF = 30, 1
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def is_on(staff: StaffMember) -> bool:
    """Whether a code is asked for when somebody logs in."""
    return staff.totp_confirmed_at is not None


def begin(session: Session, *, staff_id: int) -> str:
    """A new secret for somebody's app; a code is asked for only after `confirm`.

    Returns:
        The secret, base32, 160 random bits.

    Raises:
        NotFound: there is no such member.
        InvalidTransition: the second step is on already.
    """
    staff = _locked(session, staff_id)
    if is_on(staff):
        raise InvalidTransition("the second step is on already", state="on")
    staff.totp_secret, staff.totp_last_step = pyotp.random_base32(), None
    return staff.totp_secret


def address_of(staff: StaffMember, *, business: str) -> str:
    """What the app reads from the picture: an ``otpauth://`` address with the secret.

    Args:
        business: shown in the app, beside the login.
    """
    totp = pyotp.TOTP(staff.totp_secret, interval=STEP_SECONDS)
    return totp.provisioning_uri(name=staff.login or staff.name, issuer_name=business)


def confirm(session: Session, *, staff_id: int, code: str, now: datetime | None = None) -> None:
    """Turn the second step on, with a first code that shows that the app has the secret.

    Raises:
        NotFound: there is no such member.
        InvalidTransition: it is on already, or was not begun.
        InvalidInput: the code does not fit.
    """
    staff = _locked(session, staff_id)
    if is_on(staff) or not staff.totp_secret:
        raise InvalidTransition("there is nothing to confirm", state="on" if is_on(staff) else "off")
    now = now or utcnow()
    step = _step_of(staff.totp_secret, code, now)
    if step is None:
        raise InvalidInput("this code does not fit")
    staff.totp_confirmed_at, staff.totp_last_step = now, step
    _audit(session, "staff.totp_on", staff_id, actor=f"staff:{staff_id}")


def check(session: Session, *, staff_id: int, code: str, now: datetime | None = None) -> bool:
    """Take a code: each only once, also where two are sent at the same moment.

    A refusal is audited in the caller's transaction, which has to be committed all the same.
    """
    staff = member(session, staff_id=staff_id)
    step = _step_of(staff.totp_secret, code, now or utcnow()) if is_on(staff) else None
    if step is not None and _take(session, staff_id, step):
        return True
    _audit(session, "staff.code_refused", staff_id, actor="system")
    return False


def turn_off(session: Session, *, staff_id: int, actor: str = "operator") -> bool:
    """Ask somebody for no code any more, and forget the secret; False when none was asked for before.

    Raises:
        NotFound: there is no such member.
    """
    staff = _locked(session, staff_id)
    was_on = is_on(staff)
    staff.totp_secret, staff.totp_confirmed_at, staff.totp_last_step = "", None, None
    if was_on:
        _audit(session, "staff.totp_off", staff_id, actor=actor)
    return was_on


def _take(session: Session, staff_id: int, step: int) -> bool:
    taken = session.execute(
        update(StaffMember)
        .where(
            StaffMember.id == staff_id,
            or_(StaffMember.totp_last_step.is_(None), StaffMember.totp_last_step < step),
        )
        .values(totp_last_step=step)
        .execution_options(synchronize_session=False)
    )
    return isinstance(taken, CursorResult) and taken.rowcount == 1


def _step_of(secret: str, typed: str, now: datetime) -> int | None:
    """The time step that a code is of; None when it is of none of those that count now."""
    code = re.sub(r"[\s\-]", "", to_ascii_digits(without_marks(typed)[0]))
    if not _CODE.fullmatch(code):
        return None
    totp, current = pyotp.TOTP(secret, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    steps = range(current - STEPS_OFF, current + STEPS_OFF + 1)
    return next((step for step in steps if pyotp.utils.strings_equal(totp.generate_otp(step), code)), None)


def _locked(session: Session, staff_id: int) -> StaffMember:
    found = session.get(StaffMember, staff_id, with_for_update=True, populate_existing=True)
    return found or member(session, staff_id=staff_id)


def _audit(session: Session, action: str, staff_id: int, *, actor: str) -> None:
    record_audit(session, actor=actor, action=action, target_type="staff", target_id=staff_id)
