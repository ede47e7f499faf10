"""What a member of staff has in mind in a chat: a customer, a ticket, and a task that asks step by step.

A message that is run again, because the answer to it was lost, finds everything as it stood before it
(`begin_turn`); what it does is keyed by the message, so that nothing happens twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.loyalty.people import standing_customer
from crm_store.staff.models import StaffFocus

#: A customer is kept in mind for so long: a note of the next day is not put on yesterday's by mistake.
HELD_FOR = timedelta(hours=4)
#: What is kept beside the customer.
TICKET, TASK, PARKED, REASON = "ticket", "task", "parked", "reason"
_BEFORE = "before"


def focus_of(
    session: Session, *, conversation_id: int, staff_id: int, now: datetime | None = None
) -> StaffFocus:
    """What a member of staff has in mind in their chat; nothing after a long pause, or of a colleague."""
    now = now or utcnow()
    focus = session.get(StaffFocus, conversation_id)
    if focus is None:
        focus = StaffFocus(conversation_id=conversation_id, staff_id=staff_id, data={}, updated_at=now)
        session.add(focus)
    elif focus.staff_id != staff_id or now - focus.updated_at > HELD_FOR:
        focus.staff_id, focus.customer_id, focus.data = staff_id, None, {}
    if focus.customer_id is not None:
        customer = standing_customer(session, focus.customer_id)
        focus.customer_id = customer.id if customer is not None else None
    session.flush()
    return focus


def begin_turn(focus: StaffFocus, *, key: str, now: datetime | None = None) -> None:
    """Note how everything stands before a message, or put it back so where the message was run before.

    Args:
        key: names the message.
    """
    before = focus.data.get(_BEFORE)
    if before is not None and before["key"] == key:
        focus.customer_id = before["customer_id"]
        focus.data = {**before["data"], _BEFORE: before}
    else:
        data = {name: value for name, value in focus.data.items() if name != _BEFORE}
        before = {"key": key, "customer_id": focus.customer_id, "data": data}
        focus.data = {**data, _BEFORE: before}
    focus.updated_at = now or utcnow()


def keep(focus: StaffFocus, name: str, value: Any) -> None:
    """Keep something beside the customer; None forgets it."""
    data = {key: known for key, known in focus.data.items() if key != name}
    focus.data = data if value is None else {**data, name: value}


def turn_to(focus: StaffFocus, *, customer_id: int, ticket: str | None = None) -> None:
    """Have a customer in mind, and one of their tickets if it is named; another's ticket is forgotten."""
    if ticket is not None or focus.customer_id != customer_id:
        keep(focus, TICKET, ticket)
    focus.customer_id = customer_id
