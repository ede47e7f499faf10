"""What customers say about themselves: name, birthday, address, and when and how to contact them."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity, record_activity
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.models import ContactPoint, Customer
from crm_store.errors import InvalidInput
from crm_store.privacy.service import erasure_waits

FIELDS = ("full_name", "birthday", "address", "preferred_time", "preferred_channel")
#: How somebody may wish to be contacted; the names stand in data/customers/terms.yml.
CHANNELS = ("phone", "sms", "telegram", "bale", "web")
NAME_LETTERS, ADDRESS_LENGTH, TIME_LENGTH = range(2, 101), range(5, 501), range(2, 201)
EARLIEST_BIRTHDAY = date(1900, 1, 1)
CHANGED, _MESSAGE = "customer.profile_changed", "inbox"

#: A name has letters, with their marks, and what stands between them in names.
_LETTERS = r"[^\W\d_](?:[^\W\d_]|[\u064b-\u0652\u0670])*"
_NAME = re.compile(rf"{_LETTERS}(?:[\s.'\u200c\u2019-]+{_LETTERS})*\.?")


def update_profile(
    session: Session, *, customer_id: int, field: str, value: str | date, inbox_id: int
) -> Customer:
    """Keep what a customer says about themselves; the former value stays in the timeline.

    Args:
        field: one of FIELDS.
        value: as it is to be kept; a birthday as a date, a channel as one of CHANNELS.
        inbox_id: the message that said it; the same message again changes nothing.

    Raises:
        InvalidInput: there is no such field, or it cannot hold this value.
    """
    kept = checked(field, value)
    customer = session.get_one(Customer, customer_id)
    if _was_said_in(session, customer_id, field, inbox_id):
        return customer
    former = getattr(customer, field)
    setattr(customer, field, kept)
    record_activity(
        session,
        customer_id=customer_id,
        kind=CHANGED,
        subject_type=_MESSAGE,
        subject_id=inbox_id,
        data={"field": field, "former": former.isoformat() if isinstance(former, date) else former or ""},
    )
    return customer


def checked(field: str, value: str | date) -> str | date:
    """A value as a field keeps it.

    Raises:
        InvalidInput: there is no such field, or it cannot hold this value.
    """
    if field == "birthday":
        if not isinstance(value, date) or not EARLIEST_BIRTHDAY <= value <= utcnow().date():
            raise InvalidInput("a birthday is a day between 1900 and today")
        return value
    if field not in FIELDS or not isinstance(value, str):
        raise InvalidInput(f"a profile has no field {field} for such a value")
    text = "\n".join(" ".join(line.split()) for line in value.strip().splitlines())
    letters = sum(character.isalpha() for character in text)
    fits = {
        "full_name": letters in NAME_LETTERS and _NAME.fullmatch(text) is not None,
        "address": len(text) in ADDRESS_LENGTH and letters > 1,
        "preferred_time": len(text) in TIME_LENGTH,
        "preferred_channel": text in CHANNELS,
    }
    if not fits[field]:
        raise InvalidInput(f"not a value of {field}")
    return text


def greeting_name(session: Session, *, conversation_id: int) -> str:
    """By which name the customer of a conversation may be greeted; empty when by none.

    A name known from elsewhere shows that we know who writes, so it is said only to an account with a proven
    number, or to somebody who told it here. What a messenger calls its account is nobody's name.
    """
    customer_id = customer_of(session.get_one(Conversation, conversation_id))
    customer = session.get_one(Customer, customer_id)
    if not customer.full_name or erasure_waits(session, customer_id=customer_id):
        return ""
    proof = select(ContactPoint.id).where(
        ContactPoint.customer_id == customer_id, ContactPoint.proven_at.is_not(None)
    )
    told = select(Activity.id).where(
        Activity.customer_id == customer_id,
        Activity.kind == CHANGED,
        Activity.data["field"].as_string() == "full_name",
    )
    is_known = any(session.scalar(query.limit(1)) is not None for query in (proof, told))
    return customer.full_name if is_known else ""


def _was_said_in(session: Session, customer_id: int, field: str, inbox_id: int) -> bool:
    entry = select(Activity.id).where(
        Activity.customer_id == customer_id,
        Activity.kind == CHANGED,
        Activity.subject_type == _MESSAGE,
        Activity.subject_id == inbox_id,
        Activity.data["field"].as_string() == field,
    )
    return session.scalar(entry.limit(1)) is not None
