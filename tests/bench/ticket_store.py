"""Fills a store with tickets for measurements, as fast as the database takes rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from stdnum import verhoeff

from crm_store.activity import Activity
from crm_store.complaints.models import CLOSED, IN_REVIEW, RECEIVED, Complaint, ComplaintResolution
from crm_store.conversations.models import Conversation, Message
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer
from crm_store.db import Database
from crm_store.drafts import SUBMITTED, Draft
from crm_store.service_requests.models import ASSIGNED, DONE, REQUESTED, BookingWindow, ServiceRequest
from crm_store.sla.models import FIRST_RESPONSE, MET, RESOLUTION, RUNNING, SlaClock
from crm_store.staff.models import StaffAccount, StaffMember
from crm_store.tickets.models import COMPLAINT, PRIORITIES, SERVICE_REQUEST, TicketNote
from tests.bench.stores import Loader

#: Somebody still works on one ticket in so many.
OPEN_EVERY = 20
#: One ticket in so many is a service request.
REQUEST_EVERY = 3
TICKETS_OF_A_CUSTOMER = 4
#: Lines of a conversation.
LINES = 6
STAFF = 100
#: Clocks that the sweep finds due.
DUE = 300
_STORY = "سفارشم سه روز است که نرسیده و کسی جواب تلفن را نمی‌دهد. لطفاً پیگیری کنید. " * 3
_NOTE = "یک عکس دیگر هم از بسته فرستادم."
_CODES = 9_000_000
#: No common divisor with _CODES: every number gets a code of its own, in no order.
_STEP = 4_000_037


@dataclass(frozen=True)
class Ticket:
    """What the rows of one ticket are made from."""

    number: int
    customer_id: int
    staff_id: int
    is_open: bool
    created_at: datetime

    @property
    def subject_type(self) -> str:
        """The kind of ticket."""
        return COMPLAINT if self.number % REQUEST_EVERY else SERVICE_REQUEST

    @property
    def code(self) -> str:
        """Its tracking code."""
        body = str(10**6 + self.number * _STEP % _CODES)
        return body + str(verhoeff.calc_check_digit(body))


def fill(database: Database, *, tickets: int, now: datetime) -> None:
    """Fill an empty store.

    Customers, their accounts and conversations, staff with linked accounts, tickets over three years, and for
    each ticket the draft, two clocks, a note and four entries in the timeline. Ids begin at 1.

    Args:
        tickets: how many there will be.
    """
    chance = random.Random(5)
    customers = max(1, tickets // TICKETS_OF_A_CUSTOMER)
    every = [_ticket(number, customers, tickets, chance, now) for number in range(1, tickets + 1)]
    with database.engine.begin() as connection:
        load = Loader(connection.connection.cursor(), is_sqlite=database.is_sqlite)
        _fill_people(load, customers, now)
        _fill_tickets(load, every)
        _fill_around(load, every, now)
    if not database.is_sqlite:
        _settle(database)


def _settle(database: Database) -> None:
    """What autovacuum does by itself soon after so many rows came."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _ticket(number: int, customers: int, tickets: int, chance: random.Random, now: datetime) -> Ticket:
    return Ticket(
        number=number,
        customer_id=chance.randrange(customers) + 1,
        staff_id=chance.randrange(STAFF) + 1,
        is_open=chance.randrange(OPEN_EVERY) == 0,
        created_at=now - timedelta(days=1095 * (1 - number / tickets)) - timedelta(hours=1),
    )


def _fill_people(load: Loader, customers: int, now: datetime) -> None:
    staff = range(1, STAFF + 1)
    people = range(1, customers + STAFF + 1)  # the staff's own accounts come last
    load(Customer, ({"id": one, "display_name": "سارا رضایی", "created_at": now} for one in people))
    load(
        ContactPoint,
        (
            {"customer_id": one, "kind": "phone", "value": f"+9891{one:08}", "created_at": now}
            for one in people
        ),
    )
    load(
        ChannelIdentity,
        (
            {"id": one, "customer_id": one, "channel": "telegram", "external_id": str(one), "created_at": now}
            for one in people
        ),
    )
    load(
        Conversation,
        (
            {"id": one, "channel": "telegram", "chat_id": str(one), "identity_id": one, "last_seq": LINES}
            for one in people
        ),
    )
    load(
        Message,
        (
            {"conversation_id": one, "seq": seq, "author": "customer", "text": _STORY, "created_at": now}
            for one in people
            for seq in range(1, LINES + 1)
        ),
    )
    load(StaffMember, ({"id": one, "name": f"همکار {one}", "role": "agent"} for one in staff))
    load(StaffAccount, ({"identity_id": customers + one, "staff_id": one} for one in staff))


def _fill_tickets(load: Loader, every: list[Ticket]) -> None:
    load(
        Draft,
        (
            {
                "id": one.number,
                "conversation_id": one.customer_id,
                "kind": one.subject_type,
                "state": SUBMITTED,
                "created_at": one.created_at,
                "updated_at": one.created_at,
            }
            for one in every
        ),
    )
    load(Complaint, map(_complaint, (one for one in every if one.subject_type == COMPLAINT)))
    requests = [one for one in every if one.subject_type == SERVICE_REQUEST]
    load(BookingWindow, map(_window, requests))
    load(ServiceRequest, map(_request, requests))


def _common(one: Ticket) -> dict[str, Any]:
    return {
        "id": one.number,
        "code": one.code,
        "customer_id": one.customer_id,
        "conversation_id": one.customer_id,
        "draft_id": one.number,
        "priority": PRIORITIES[one.number % len(PRIORITIES)],
        "created_at": one.created_at,
        "updated_at": one.created_at,
    }


def _complaint(one: Ticket) -> dict[str, Any]:
    state = CLOSED if not one.is_open else (RECEIVED, IN_REVIEW)[one.number % 2]
    return _common(one) | {
        "category": "delivery",
        "description": _STORY,
        "order_number": str(one.number),
        "state": state,
        "assignee_id": one.staff_id,
    }


def _window(one: Ticket) -> dict[str, Any]:
    starts_at = one.created_at + timedelta(days=2)
    return {
        "id": one.number,
        "kind": "repair",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=3),
        "booked": 1,
    }


def _request(one: Ticket) -> dict[str, Any]:
    state = DONE if not one.is_open else (REQUESTED, ASSIGNED)[one.number % 2]
    return _common(one) | {
        "kind": "repair",
        "problem": _STORY,
        "state": state,
        "window_id": one.number,
        "technician_id": one.staff_id,
    }


def _fill_around(load: Loader, every: list[Ticket], now: datetime) -> None:
    load(SlaClock, _clocks(every, now))
    load(TicketNote, map(_note, every))
    load(
        Activity,
        (
            {
                "customer_id": one.customer_id,
                "at": one.created_at + timedelta(hours=hours),
                "kind": f"{one.subject_type}.{event}",
                "actor": actor,
                "subject_type": one.subject_type,
                "subject_id": one.number,
            }
            for one in every
            for hours, (event, actor) in enumerate(_timeline(one))
        ),
    )
    decided = (one for one in every if one.subject_type == COMPLAINT and not one.is_open)
    load(
        ComplaintResolution,
        (
            {
                "complaint_id": one.number,
                "decision": "upheld",
                "explanation": _STORY,
                "decided_by": f"staff:{one.staff_id}",
                "state": "told",
                "created_at": one.created_at,
                "told_at": one.created_at,
            }
            for one in decided
        ),
    )


def _timeline(one: Ticket) -> list[tuple[str, str]]:
    staff = f"staff:{one.staff_id}"
    return [("filed", "customer"), ("assigned", "operator"), ("noted", "customer"), ("moved", staff)]


def _note(one: Ticket) -> dict[str, Any]:
    return {
        "subject_type": one.subject_type,
        "subject_id": one.number,
        "kind": "note",
        "author": "customer",
        "text": _NOTE,
        "created_at": one.created_at,
    }


def _clocks(every: list[Ticket], now: datetime) -> Iterator[dict[str, Any]]:
    """A first answer that came in time, and a resolution: met, running, or due for a notice by now."""
    due_left = DUE
    for one in every:
        yield _clock(one, FIRST_RESPONSE, one.created_at + timedelta(hours=4), state=MET, check_at=None)
        if not one.is_open:
            yield _clock(one, RESOLUTION, one.created_at + timedelta(days=2), state=MET, check_at=None)
            continue
        is_due, due_left = due_left > 0, max(0, due_left - 1)
        # Of those that are due, one half is to be warned of and the other half is late.
        hours = (2 if one.number % 2 else -2) if is_due else 24 + one.number % 72
        due_at = now + timedelta(hours=hours)
        check_at = now - timedelta(minutes=1) if is_due else due_at - timedelta(hours=12)
        yield _clock(one, RESOLUTION, due_at, state=RUNNING, check_at=check_at)


def _clock(
    one: Ticket, metric: str, due_at: datetime, *, state: str, check_at: datetime | None
) -> dict[str, Any]:
    return {
        "subject_type": one.subject_type,
        "subject_id": one.number,
        "metric": metric,
        "policy": "all",
        "target_seconds": 48 * 3600,
        "started_at": one.created_at,
        "due_at": due_at,
        "warn_at": due_at - timedelta(hours=12),
        "state": state,
        "check_at": check_at,
        "stopped_at": one.created_at if state == MET else None,
        "created_at": one.created_at,
    }
