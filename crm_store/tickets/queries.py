"""Lists of tickets, complaints and service requests alike, for those who deal with them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Select,
    String,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import Subquery

from crm_store.base import BigId, UtcDateTime, utcnow
from crm_store.complaints import models as complaints
from crm_store.complaints.models import Complaint
from crm_store.customers.models import Customer
from crm_store.errors import NotFound
from crm_store.paging import PAGE_SIZE, Page, find_place
from crm_store.persian import parse_tracking_code
from crm_store.service_requests import models as service_requests
from crm_store.service_requests.models import ServiceRequest
from crm_store.sla.models import RUNNING, SlaClock
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import COMPLAINT, PRIORITIES, SERVICE_REQUEST


class TicketFacts(NamedTuple):
    """What a notice to the staff says of a ticket.

    Attributes:
        title: key of a complaint's category or of a kind of service.
    """

    code: str
    assignee_id: int | None
    title: str


class TicketRow(msgspec.Struct, frozen=True):
    """A ticket in a list.

    Attributes:
        subject_type: the kind of ticket.
        title: key of a complaint's category or of a kind of service.
        due_at: the nearest due time that runs; None while nothing is due or all waits for the customer.
    """

    subject_type: str
    id: int
    code: str
    title: str
    state: str
    priority: str
    created_at: datetime
    customer_id: int
    customer_name: str
    assignee_id: int | None
    assignee_name: str | None
    due_at: datetime | None
    is_overdue: bool


class _Kind(NamedTuple):
    """How a kind of ticket is listed beside the other."""

    subject_type: str
    model: type[Complaint] | type[ServiceRequest]
    title: Any
    assignee_id: Any
    states: tuple[str, ...]
    open_states: tuple[str, ...]


_KINDS = (
    _Kind(
        COMPLAINT,
        Complaint,
        Complaint.category,
        Complaint.assignee_id,
        complaints.STATES,
        complaints.OPEN_STATES,
    ),
    _Kind(
        SERVICE_REQUEST,
        ServiceRequest,
        ServiceRequest.kind,
        ServiceRequest.technician_id,
        service_requests.STATES,
        service_requests.OPEN_STATES,
    ),
)


class _Wanted(NamedTuple):
    """Which tickets a list is to have; of one member of staff, of one title."""

    kind: str | None
    states: tuple[str, ...]
    is_assigned: bool
    overdue: bool
    unassigned: bool
    is_titled: bool = False
    newest_first: bool = False


def known_states(kind: str | None = None) -> list[str]:
    """The states that tickets of a kind can have; of all kinds by default."""
    every = (state for one in _KINDS if kind in (None, one.subject_type) for state in one.states)
    return list(dict.fromkeys(every))


def kind_of(ticket: Complaint | ServiceRequest) -> str:
    """The kind of a ticket."""
    return COMPLAINT if isinstance(ticket, Complaint) else SERVICE_REQUEST


def assignee_of(ticket: Complaint | ServiceRequest) -> int | None:
    """Number of the member of staff who deals with a ticket."""
    return ticket.assignee_id if isinstance(ticket, Complaint) else ticket.technician_id


def ticket_facts(session: Session, subject_type: str, subject_ids: Collection[int]) -> dict[int, TicketFacts]:
    """What notices say of some tickets of a kind, by their numbers; those that do not exist are left out."""
    (kind,) = (kind for kind in _KINDS if kind.subject_type == subject_type)
    rows = session.execute(
        select(kind.model.id, kind.model.code, kind.assignee_id, kind.title).where(
            kind.model.id.in_(subject_ids)
        )
    )
    return {row[0]: TicketFacts(*row[1:]) for row in rows}


def find_ticket(session: Session, *, code: str) -> Complaint | ServiceRequest:
    """A ticket by its tracking code, in either script.

    Raises:
        NotFound: no ticket has this code.
    """
    kept = parse_tracking_code(code) or ""
    for kind in _KINDS:
        found = session.scalar(select(kind.model).where(kind.model.code == kept))
        if isinstance(found, (Complaint, ServiceRequest)):
            return found
    raise NotFound("no ticket has this code")


def queue(
    session: Session,
    *,
    assignee_id: int | None = None,
    kind: str | None = None,
    states: Collection[str] = (),
    overdue: bool = False,
    unassigned: bool = False,
    title: str = "",
    newest_first: bool = False,
    number: int = 1,
    size: int = PAGE_SIZE,
    now: datetime | None = None,
) -> Page[TicketRow]:
    """A page of the list of tickets of all kinds: by priority, then by the nearest due time, then by age.

    Args:
        assignee_id: only those of this member of staff.
        kind: only complaints or only service requests; None for both.
        states: only those in one of these; none means those that somebody still has to work on.
        overdue: only those of which a due time has passed.
        unassigned: only those that nobody deals with.
        title: only those of this category, or of this kind of service; empty for all.
        newest_first: in the order of their registration instead, the newest first.
        number: which page, from 1.
    """
    states = tuple(states)
    wanted = _Wanted(kind, states, assignee_id is not None, overdue, unassigned, bool(title), newest_first)
    now = now or utcnow()
    values: dict[str, Any] = {"assignee_id": assignee_id, "title": title, "now": now}
    values |= {"offset": max(0, number - 1) * size, "size": size}
    statements = _statements(wanted)
    if statements is None:
        return Page([], find_place(number=1, total=0, size=size))
    page, count = statements
    rows = session.execute(page, values).all()
    total = rows[0].total if rows else 0
    if not rows and number > 1:
        # Beyond the end nothing is counted along.
        total = session.scalar(count, values) or 0
        values["offset"] = find_place(number=number, total=total, size=size).offset
        rows = session.execute(page, values).all()
    return Page([_row(row, now) for row in rows], find_place(number=number, total=total, size=size))


@lru_cache(maxsize=128)
def _statements(wanted: _Wanted) -> tuple[Select[Any], Select[Any]] | None:
    """The statements for a page of the list and for its length; None when no ticket can be wanted.

    Making them takes longer than running them.
    """
    parts = [
        _candidates(one, wanted)
        for one in _KINDS
        if wanted.kind in (None, one.subject_type) and (not wanted.states or {*wanted.states} & {*one.states})
    ]
    if not parts:
        return None
    listed = union_all(*parts).subquery("listed")
    late = [listed.c.due_at < bindparam("now", type_=UtcDateTime())] if wanted.overdue else []
    page = (
        select(listed, func.count().over().label("total"))
        .where(*late)
        .order_by(*_order(listed, wanted))
        .offset(bindparam("offset", type_=Integer()))
        .limit(bindparam("size", type_=Integer()))
        .subquery("page")
    )
    columns = [column for column in page.c if column.name != "due_at"]
    is_known = wanted.overdue or not wanted.newest_first
    due = page.c.due_at if is_known else _due_of(page.c.subject_type, page.c.id).label("due_at")
    names = (Customer.full_name, Customer.display_name, Customer.erased_at, StaffMember.name)
    named = (
        select(*columns, due, *names)
        .join(Customer, page.c.customer_id == Customer.id)
        .outerjoin(StaffMember, page.c.assignee_id == StaffMember.id)
        .order_by(*_order(page, wanted))
    )
    return named, select(func.count()).select_from(listed).where(*late)


def _candidates(kind: _Kind, wanted: _Wanted) -> Select[Any]:
    """Tickets of one kind as they stand in the list, without the names."""
    model = kind.model
    # What is sorted by age needs no due times before the page is cut out.
    is_needed = wanted.overdue or not wanted.newest_first
    due = _due_of(kind.subject_type, model.id) if is_needed else null()
    states = [state for state in kind.states if state in wanted.states] or kind.open_states
    chosen: list[ColumnElement[bool]] = [model.state.in_(states)]
    if wanted.is_assigned:
        chosen.append(kind.assignee_id == bindparam("assignee_id", type_=BigId))
    if wanted.unassigned:
        chosen.append(kind.assignee_id.is_(None))
    if wanted.is_titled:
        chosen.append(kind.title == bindparam("title", type_=String()))
    return select(
        literal(kind.subject_type, String).label("subject_type"),
        model.id.label("id"),
        model.code.label("code"),
        kind.title.label("title"),
        model.state.label("state"),
        model.priority.label("priority"),
        model.created_at.label("created_at"),
        model.customer_id.label("customer_id"),
        kind.assignee_id.label("assignee_id"),
        due.label("due_at"),
    ).where(*chosen)


def _due_of(subject_type: Any, subject_id: Any) -> ScalarSelect[Any]:
    """The nearest due time of a ticket that runs."""
    return (
        select(func.min(SlaClock.due_at))
        .where(
            SlaClock.subject_type == subject_type,
            SlaClock.subject_id == subject_id,
            SlaClock.state == RUNNING,
        )
        .scalar_subquery()
    )


def _row(row: Row[Any], now: datetime) -> TicketRow:
    return TicketRow(
        subject_type=row.subject_type,
        id=row.id,
        code=row.code,
        title=row.title,
        state=row.state,
        priority=row.priority,
        created_at=row.created_at,
        customer_id=row.customer_id,
        customer_name="" if row.erased_at is not None else row.full_name or row.display_name,
        assignee_id=row.assignee_id,
        assignee_name=row.name,
        due_at=row.due_at,
        is_overdue=row.due_at is not None and row.due_at < now,
    )


def _order(listed: Subquery, wanted: _Wanted) -> tuple[ColumnElement[Any], ...]:
    if wanted.newest_first:
        return listed.c.created_at.desc(), listed.c.id.desc()
    ranks = {priority: rank for rank, priority in enumerate(reversed(PRIORITIES))}
    columns = listed.c
    return (
        case(ranks, value=columns.priority, else_=len(ranks)),
        columns.due_at.is_(None),
        columns.due_at,
        columns.created_at,
        columns.id,
    )
