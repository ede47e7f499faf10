"""Notes of the staff's on a customer. No customer sees them in chat; who asks for their data gets them.

They are personal data: an erasure deletes them, the customer's file has them without who wrote them, and a
note that was deleted keeps no words.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Integer, bindparam, select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.customers.models import Customer
from crm_store.errors import Forbidden, InvalidInput, NotFound
from crm_store.loyalty.people import standing_customer
from crm_store.staff.models import StaffMember, StaffNote
from crm_store.staff.permissions import has_permission, may

MAX_TEXT = 4000
_PERMISSION, _ANYBODYS = "customer.note", "handoff.manage_any"
_ROWS = (
    select(StaffNote, StaffMember.name)
    .join(StaffMember, StaffNote.staff_id == StaffMember.id)
    .where(StaffNote.customer_id == bindparam("customer"), StaffNote.deleted_at.is_(None))
    .order_by(StaffNote.is_pinned.desc(), StaffNote.id.desc())
    .limit(bindparam("most", type_=Integer()))
)


class NoteRow(msgspec.Struct, frozen=True):
    """A note and who wrote it.

    Attributes:
        author: their name.
    """

    note: StaffNote
    author: str


def add_note(
    session: Session,
    *,
    customer_id: int,
    staff: StaffMember,
    text: str,
    is_pinned: bool = False,
    inbox_id: int | None = None,
    now: datetime | None = None,
) -> StaffNote:
    """Write a note on a customer; the same message again gives the first one.

    Raises:
        Forbidden: their role may not; that they tried is in the audit trail.
        NotFound: there is no such customer, or they were forgotten.
        InvalidInput: there is nothing in it.
    """
    _check(session, staff, customer_id=customer_id)
    if inbox_id is not None:
        known = session.scalar(select(StaffNote).where(StaffNote.inbox_id == inbox_id))
        if known is not None:
            return known
    customer = standing_customer(session, customer_id)
    if customer is None:
        raise NotFound("there is no such customer")
    note = StaffNote(
        customer_id=customer.id,
        staff_id=staff.id,
        text=_checked(text),
        is_pinned=is_pinned,
        inbox_id=inbox_id,
        created_at=now or utcnow(),
    )
    session.add(note)
    session.flush()
    record_activity(
        session,
        customer_id=customer.id,
        kind="note.added",
        actor=f"staff:{staff.id}",
        subject_type="staff_note",
        subject_id=note.id,
    )
    return note


def notes_of(session: Session, *, customer_id: int, limit: int = 50) -> list[StaffNote]:
    """Notes on a customer, pinned ones first, then the newest."""
    return [row.note for row in note_rows(session, customer_id=customer_id, limit=limit)]


def note_rows(session: Session, *, customer_id: int, limit: int = 50) -> Sequence[NoteRow]:
    """Notes on a customer with their authors, pinned ones first, then the newest."""
    rows = session.execute(_ROWS, {"customer": customer_id, "most": limit})
    return [NoteRow(note, author) for note, author in rows]


def edit_note(session: Session, *, note_id: int, staff: StaffMember, text: str) -> StaffNote:
    """Replace the words of a note of one's own.

    Raises:
        Forbidden: it is somebody else's, or their role may not; that they tried is in the audit trail.
        NotFound: there is no such note.
        InvalidInput: there is nothing in it.
    """
    note = _note(session, note_id)
    _check(session, staff, customer_id=note.customer_id, own=note.staff_id == staff.id)
    note.text = _checked(text)
    _audit(session, note, staff, "note.edited")
    return note


def pin_note(session: Session, *, note_id: int, staff: StaffMember, is_pinned: bool = True) -> StaffNote:
    """Show a note first on the customer's card, or no longer.

    Raises:
        Forbidden: their role may not; that they tried is in the audit trail.
        NotFound: there is no such note.
    """
    note = _note(session, note_id)
    _check(session, staff, customer_id=note.customer_id)
    note.is_pinned = is_pinned
    return note


def delete_note(session: Session, *, note_id: int, staff: StaffMember, now: datetime | None = None) -> None:
    """Delete a note of one's own, or as a supervisor anybody's; its words are gone at once.

    Raises:
        Forbidden: it is somebody else's, or their role may not; that they tried is in the audit trail.
        NotFound: there is no such note.
    """
    note = _note(session, note_id)
    is_theirs = note.staff_id == staff.id or has_permission(staff, _ANYBODYS)
    _check(session, staff, customer_id=note.customer_id, own=is_theirs)
    note.text, note.is_pinned, note.deleted_at = "", False, now or utcnow()
    _audit(session, note, staff, "note.deleted")


def _note(session: Session, note_id: int) -> StaffNote:
    note = session.get(StaffNote, note_id)
    if note is None or note.deleted_at is not None or session.get(Customer, note.customer_id) is None:
        raise NotFound("there is no such note")
    return note


def _check(session: Session, staff: StaffMember, *, customer_id: int, own: bool = True) -> None:
    is_allowed = may(
        session,
        staff=staff,
        permission=_PERMISSION,
        own=own,
        target_type="customer",
        target_id=customer_id,
    )
    if not is_allowed:
        raise Forbidden("this member of staff may not change this note")


def _audit(session: Session, note: StaffNote, staff: StaffMember, action: str) -> None:
    record_audit(
        session,
        actor=f"staff:{staff.id}",
        action=action,
        target_type="customer",
        target_id=note.customer_id,
        detail={"note_id": note.id},
    )


def _checked(text: str) -> str:
    kept = text.strip()[:MAX_TEXT]
    if not kept:
        raise InvalidInput("a note has words")
    return kept
