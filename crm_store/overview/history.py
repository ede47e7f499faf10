"""What happened with a customer, newest first, by kind and period."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.complaints.models import Complaint
from crm_store.errors import InvalidInput
from crm_store.overview.shortening import shortened
from crm_store.persian import group_thousands, to_persian_digits, toman_text
from crm_store.purchases.models import Purchase
from crm_store.rules import Rules
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import StaffMember, StaffNote
from crm_store.terms import term, terms
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST

#: Beginnings of the kinds of activities by group; what begins otherwise stands in no group.
GROUPS: dict[str, tuple[str, ...]] = {
    "complaints": ("complaint.",),
    "services": ("service_request.",),
    "purchases": ("purchase.",),
    "points": ("loyalty.",),
    "surveys": ("survey.",),
    "conversations": ("handoff.", "callback."),
    "notes": ("note.",),
    "profile": ("customer.", "consent.", "privacy."),
}
_GROUP_OF = {beginning: group for group, beginnings in GROUPS.items() for beginning in beginnings}
_STAFF = "staff:"
#: Events that tell of a new priority.
_SET_PRIORITY = ("complaint.priority_set", "complaint.escalated", "service_request.escalated")


class HistoryEntry(msgspec.Struct, frozen=True):
    """Something that happened.

    Attributes:
        entry_id: of the activity.
        kind: as the store has it, ``complaint.filed``.
        group: one of GROUPS; empty for none.
        title: in Persian.
        actor: ``customer``, ``bot``, ``system``, ``staff`` …
        actor_name: of a member of staff; empty for others.
        code: of the ticket that it is about; empty for none.
        detail: a figure or a few words beside it, plain text; empty for none.
    """

    entry_id: int
    at: datetime
    kind: str
    group: str
    title: str
    actor: str
    actor_name: str
    code: str
    detail: str


class HistoryPage(msgspec.Struct, frozen=True):
    """A page of a customer's history.

    Attributes:
        next_before_id: `before_id` of the next page; None when there is none.
    """

    entries: list[HistoryEntry]
    next_before_id: int | None


def history(
    session: Session,
    *,
    customer_id: int,
    rules: Rules,
    kinds: Collection[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    size: int = 10,
) -> HistoryPage:
    """What happened with a customer, newest first.

    Args:
        customer_id: the record that stands for the person.
        rules: the business, which names its root causes.
        kinds: names of GROUPS; none means all.
        since: from this moment on.
        until: before this moment.
        before_id: only what is older than this entry, for the next page.

    Raises:
        InvalidInput: there is no such group.
    """
    chosen: list[ColumnElement[bool]] = [Activity.customer_id == customer_id]
    if kinds:
        if unknown := sorted(set(kinds) - GROUPS.keys()):
            raise InvalidInput(f"the history has no {', '.join(unknown)}")
        beginnings = [beginning for kind in kinds for beginning in GROUPS[kind]]
        chosen.append(or_(*(Activity.kind.startswith(one, autoescape=True) for one in beginnings)))
    if since is not None:
        chosen.append(Activity.at >= since)
    if until is not None:
        chosen.append(Activity.at < until)
    if before_id is not None:
        chosen.append(Activity.id < before_id)
    rows = session.scalars(select(Activity).where(*chosen).order_by(Activity.id.desc()).limit(size + 1)).all()
    shown = rows[:size]
    return HistoryPage(_entries(session, shown, rules), shown[-1].id if len(rows) > size else None)


def _entries(session: Session, rows: Sequence[Activity], rules: Rules) -> list[HistoryEntry]:
    codes = _codes(session, rows)
    names = _names(session, rows)
    words = _words(session, rows)
    events = terms("tickets")["events"]
    entries = []
    for row in rows:
        subject = (row.subject_type, row.subject_id or 0)
        actor, _, number = row.actor.partition(":")
        entries.append(
            HistoryEntry(
                entry_id=row.id,
                at=row.at,
                kind=row.kind,
                group=_GROUP_OF.get(f"{row.kind.partition('.')[0]}.", ""),
                title=str(events["names"].get(row.kind, events["unknown"])),
                actor=actor,
                actor_name=names.get(int(number), "") if actor == "staff" and number else "",
                code=codes.get(subject, ""),
                detail=words.get(subject, "") or _figure(row, rules),
            )
        )
    return entries


def _figure(row: Activity, rules: Rules) -> str:
    """The figure or the name that an event is known by."""
    data, details = row.data, terms("overview")["history_details"]
    points, total, grade, scale = (data.get(name) for name in ("points", "total", "grade", "scale"))
    if isinstance(points, int):
        return str(details["points"]).format(points=group_thousands(points))
    if isinstance(total, int):
        return str(details["amount"]).format(amount=toman_text(total))
    if isinstance(grade, int) and isinstance(scale, int):
        return str(details["grade"]).format(grade=to_persian_digits(grade), scale=to_persian_digits(scale))
    to = data.get("to")
    if not isinstance(to, str):
        return ""
    if row.kind == "complaint.cause_set":
        return rules.business.root_cause(to).title
    return (term("complaints", "priorities", to) or to) if row.kind in _SET_PRIORITY else to


def _codes(session: Session, rows: Iterable[Activity]) -> dict[tuple[str, int], str]:
    """Codes of tickets and numbers of orders by what the entries are about."""
    columns: dict[str, tuple[Any, Any]] = {
        COMPLAINT: (Complaint.id, Complaint.code),
        SERVICE_REQUEST: (ServiceRequest.id, ServiceRequest.code),
        "purchase": (Purchase.id, Purchase.order_id),
    }
    found: dict[tuple[str, int], str] = {}
    for subject_type, ids in _subjects(rows).items():
        if subject_type in columns:
            key, code = columns[subject_type]
            for one, value in session.execute(select(key, code).where(key.in_(ids))):
                found[subject_type, one] = value
    return found


def _words(session: Session, rows: Iterable[Activity]) -> dict[tuple[str, int], str]:
    """First words of the notes that the entries are about."""
    ids = _subjects(rows).get("staff_note", set())
    if not ids:
        return {}
    notes = session.execute(select(StaffNote.id, StaffNote.text).where(StaffNote.id.in_(ids)))
    return {("staff_note", one): shortened(text) for one, text in notes}


def _subjects(rows: Iterable[Activity]) -> dict[str, set[int]]:
    subjects: dict[str, set[int]] = {}
    for row in rows:
        if row.subject_id is not None:
            subjects.setdefault(row.subject_type, set()).add(row.subject_id)
    return subjects


def _names(session: Session, rows: Iterable[Activity]) -> dict[int, str]:
    """Names of the members of staff who did something."""
    numbers = (row.actor.removeprefix(_STAFF) for row in rows if row.actor.startswith(_STAFF))
    ids = {int(number) for number in numbers if number.isdigit()}
    if not ids:
        return {}
    found = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(ids)))
    return dict(found.tuples().all())
