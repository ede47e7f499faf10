"""Taking a complaint down: what its draft holds, and what is still to be asked.

A field that stands in the draft has been answered, even with nothing: an empty order number says that the
customer has none or passed the question over. Whatever was said last holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from crm_store import filling
from crm_store.complaints.models import REMEDIES
from crm_store.drafts import Draft
from crm_store.errors import InvalidInput
from crm_store.filling import ASKING, SUMMARISED, Filling, ask_for, is_answered, settle, settle_with_none

DRAFT_KIND = "complaint"
DESCRIPTION, CATEGORY, ORDER_NUMBER, REMEDY = "description", "category", "order_number", "remedy"
ATTACHMENTS, PHONE, CONTACT_POINT, SIGNALS = (
    filling.ATTACHMENTS,
    filling.PHONE,
    filling.CONTACT_POINT,
    filling.SIGNALS,
)
#: In the order in which they are asked.
FIELDS = (DESCRIPTION, CATEGORY, ORDER_NUMBER, REMEDY, ATTACHMENTS, PHONE)
#: The product that the story names; it is not asked for.
PRODUCT = "product"
REQUIRED_FIELDS = (DESCRIPTION, CATEGORY)
MAX_DESCRIPTION = 8000
MAX_ORDER_NUMBER = 40

FILLING = Filling(DRAFT_KIND)
complaint_draft, start_complaint, cancel_draft = FILLING.find, FILLING.start, FILLING.cancel
set_draft_phone, attach_to_draft = FILLING.set_phone, FILLING.attach
drop_attachments = FILLING.drop_attachments
begin_anew, note_summary = filling.begin_anew, filling.note_summary


def set_draft_field(
    session: Session, *, conversation_id: int, field: str, value: str, inbox_id: int
) -> Draft:
    """Write a field of the conversation's complaint draft, making the draft if there is none.

    Args:
        field: ``description``, ``category``, ``order_number`` or ``remedy``.
        value: what the customer said last.

    Raises:
        InvalidInput: there is no such field, the remedy is unknown, or what must be told is empty.
    """
    if field not in (DESCRIPTION, CATEGORY, ORDER_NUMBER, REMEDY):
        raise InvalidInput(f"a complaint has no field {field}")
    if field in REQUIRED_FIELDS and not value.strip():
        raise InvalidInput(f"{field} must not be empty")
    if field == REMEDY and value and value not in REMEDIES:
        raise InvalidInput(f"unknown remedy {value}")
    draft = start_complaint(session, conversation_id=conversation_id, inbox_id=inbox_id)
    longest = {DESCRIPTION: MAX_DESCRIPTION, ORDER_NUMBER: MAX_ORDER_NUMBER}.get(field)
    settle(draft, field, value[:longest], inbox_id)
    return draft


def pass_over(session: Session, *, conversation_id: int, field: str, inbox_id: int) -> Draft:
    """Take "none" for an answer; files that are there already stay.

    Raises:
        InvalidInput: this field must be told.
    """
    if field in REQUIRED_FIELDS or field not in FIELDS:
        raise InvalidInput(f"{field} cannot be passed over")
    draft = start_complaint(session, conversation_id=conversation_id, inbox_id=inbox_id)
    settle_with_none(draft, field, inbox_id)
    return draft


def ask_again(session: Session, *, conversation_id: int, field: str, inbox_id: int) -> Draft:
    """Open a field that the customer wants to correct.

    Raises:
        InvalidInput: there is no such field.
    """
    if field not in FIELDS:
        raise InvalidInput(f"a complaint has no field {field}")
    draft = start_complaint(session, conversation_id=conversation_id, inbox_id=inbox_id)
    ask_for(draft, field, inbox_id)
    return draft


def open_questions(data: Mapping[str, Any], ask: Collection[str]) -> list[str]:
    """The fields that are still to be asked, in order.

    Args:
        data: what the draft holds.
        ask: what is asked about a complaint of its category, besides what must be told.
    """
    asking = data.get(ASKING)
    wanted = REQUIRED_FIELDS if data.get(SUMMARISED) else (*REQUIRED_FIELDS, *ask)
    return [
        field for field in FIELDS if field == asking or (field in wanted and not is_answered(data, field))
    ]
