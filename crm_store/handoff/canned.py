"""Replies that the staff keep ready, with placeholders for what differs from customer to customer."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.complaints import models as complaints
from crm_store.complaints.models import Complaint
from crm_store.errors import Conflict, InvalidInput, NotFound
from crm_store.handoff.keeping import actor_of, member_now, name_of, require
from crm_store.handoff.models import CannedReply, Handoff
from crm_store.persian import fold, to_persian_digits
from crm_store.rules import Rules
from crm_store.service_requests import models as service_requests
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import StaffMember

#: What stands for the customer's name, the business's, the name of who writes, and the customer's last code.
PLACEHOLDERS = ("name", "business", "agent", "code")
MAX_SHORTCUT, MAX_TITLE, MAX_TEXT = 40, 120, 4000
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_GAPS = re.compile(r"[ \t]{2,}")
_BEFORE_MARKS = re.compile(r"[ \t]+(?=[،؛:.!؟?,])")


def canned(session: Session, *, shortcut: str) -> CannedReply | None:
    """The reply that a shortcut stands for, with or without its slash and however it is spelled."""
    wanted = _key(shortcut)
    return next((one for one in _all(session) if _key(one.shortcut) == wanted), None) if wanted else None


def canned_replies(session: Session, *, query: str = "") -> list[CannedReply]:
    """The replies in whose shortcut, title or text all words of a query stand; those by shortcut first."""
    words = fold(query.strip().lstrip("/")).split()
    found = [
        one
        for one in _all(session)
        if all(word in fold(f"{one.shortcut} {one.title} {one.text}") for word in words)
    ]
    first = words[0] if words else ""
    return sorted(found, key=lambda one: (not _key(one.shortcut).startswith(first), one.shortcut))


def fill(session: Session, *, text: str, handoff: Handoff, staff: StaffMember, rules: Rules) -> str:
    """A canned reply with what its placeholders stand for; what there is nothing for is left out.

    Other braces stay as they are.

    Args:
        handoff: whose customer is written to.
        staff: who writes.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in PLACEHOLDERS:
            return match[0]
        return _value(session, match[1], handoff, staff, rules)

    lines = (_PLACEHOLDER.sub(value, line) for line in text.splitlines())
    return "\n".join(_BEFORE_MARKS.sub("", _GAPS.sub(" ", line)).strip() for line in lines)


def save_canned(
    session: Session,
    *,
    staff: StaffMember,
    shortcut: str,
    title: str,
    text: str,
    canned_id: int | None = None,
    now: datetime | None = None,
) -> CannedReply:
    """Keep a reply ready, or change one.

    Raises:
        Forbidden: they may not; commit all the same, it is in the audit trail.
        InvalidInput: something is empty, too long, or names a placeholder that there is not.
        Conflict: another reply has this shortcut.
        NotFound: there is no such reply.
    """
    now = now or utcnow()
    member = member_now(session, staff)
    require(session, member, "canned.edit", handoff_id="")
    name = f"/{_key(shortcut)}"
    title, text = " ".join(title.split()), text.strip()
    if len(name) < 2 or len(name) > MAX_SHORTCUT or not 0 < len(title) <= MAX_TITLE:
        raise InvalidInput("a shortcut of one word and a title are needed")
    if not 0 < len(text) <= MAX_TEXT:
        raise InvalidInput(f"a text has between 1 and {MAX_TEXT} characters")
    unknown = sorted({one for one in _PLACEHOLDER.findall(text) if one not in PLACEHOLDERS})
    if unknown:
        raise InvalidInput(f"there is no placeholder {', '.join(unknown)}")
    row = session.get(CannedReply, canned_id, with_for_update=True) if canned_id is not None else None
    if canned_id is not None and (row is None or row.deleted_at is not None):
        raise NotFound("there is no such reply")
    other = session.scalar(select(CannedReply).where(CannedReply.shortcut == name))
    if other is not None and other is not row:
        if other.deleted_at is None or row is not None:
            raise Conflict(f"another reply has the shortcut {name}")
        row = other
    if row is None:
        row = CannedReply(shortcut=name, title=title, text=text, created_by=actor_of(member))
        session.add(row)
    row.shortcut, row.title, row.text = name, title, text
    row.updated_at, row.deleted_at = now, None
    session.flush()
    _audit(session, member, "handoff.canned_saved", row, now)
    return row


def delete_canned(
    session: Session, *, staff: StaffMember, canned_id: int, now: datetime | None = None
) -> None:
    """Keep a reply ready no more.

    Raises:
        Forbidden: they may not; commit all the same, it is in the audit trail.
        NotFound: there is no such reply.
    """
    now = now or utcnow()
    member = member_now(session, staff)
    require(session, member, "canned.edit", handoff_id="")
    row = session.get(CannedReply, canned_id, with_for_update=True)
    if row is None or row.deleted_at is not None:
        raise NotFound("there is no such reply")
    row.deleted_at = now
    session.flush()
    _audit(session, member, "handoff.canned_deleted", row, now)


def _all(session: Session) -> list[CannedReply]:
    return list(session.scalars(select(CannedReply).where(CannedReply.deleted_at.is_(None))))


def _key(shortcut: str) -> str:
    """A shortcut as it is compared."""
    return "_".join(fold(shortcut.strip().lstrip("/")).split())


def _value(session: Session, name: str, handoff: Handoff, staff: StaffMember, rules: Rules) -> str:
    if name == "name":
        return name_of(session, customer_id=handoff.customer_id)
    if name == "business":
        return rules.business.name
    return staff.name if name == "agent" else _code(session, handoff.customer_id)


def _code(session: Session, customer_id: int) -> str:
    """The code of the customer's newest open complaint or request."""
    newest = []
    for model, states in (
        (Complaint, complaints.OPEN_STATES),
        (ServiceRequest, service_requests.OPEN_STATES),
    ):
        row = session.execute(
            select(model.created_at, model.code)
            .where(model.customer_id == customer_id, model.state.in_(states))
            .order_by(model.created_at.desc(), model.id.desc())
            .limit(1)
        ).one_or_none()
        if row is not None:
            newest.append((row[0], row[1]))
    return to_persian_digits(max(newest)[1]) if newest else ""


def _audit(session: Session, staff: StaffMember, action: str, row: CannedReply, now: datetime) -> None:
    entry = record_audit(
        session,
        actor=actor_of(staff),
        action=action,
        target_type="canned_reply",
        target_id=row.id,
        detail={"shortcut": row.shortcut},
    )
    entry.at = now
