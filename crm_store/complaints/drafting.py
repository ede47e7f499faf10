"""Taking a complaint down: what its draft holds, and what is still to be asked.

A field that stands in the draft has been answered, even with nothing: an empty order number says that the
customer has none or passed the question over. Whatever was said last holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.complaints.models import REMEDIES
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone, best_phone
from crm_store.drafts import Draft
from crm_store.errors import InvalidInput

DRAFT_KIND = "complaint"
DESCRIPTION, CATEGORY, ORDER_NUMBER, REMEDY = "description", "category", "order_number", "remedy"
ATTACHMENTS, PHONE = "attachments", "phone"
#: In the order in which they are asked.
FIELDS = (DESCRIPTION, CATEGORY, ORDER_NUMBER, REMEDY, ATTACHMENTS, PHONE)
#: What was heard beside the words (danger, anger …) and the product of the story; neither is asked for.
SIGNALS, PRODUCT = "signals", "product"
REQUIRED_FIELDS = (DESCRIPTION, CATEGORY)
MAX_DESCRIPTION = 8000
MAX_ORDER_NUMBER = 40

#: Where the phone stands in a draft: the id of the contact point, 0 for "no phone".
CONTACT_POINT = "contact_point_id"
#: The field that the customer wants to correct: it is asked again, its former value stays until then.
_ASKING = "asking"
#: The summary has been shown: from then on only what the customer wants to correct is asked.
_SUMMARISED = "summarised"


def complaint_draft(session: Session, *, conversation_id: int, inbox_id: int) -> Draft | None:
    """The complaint draft that a turn works on."""
    return drafts.turn_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)


def start_complaint(session: Session, *, conversation_id: int, inbox_id: int) -> Draft:
    """The complaint draft that a turn works on, made if there is none; a phone that is known is in it."""
    draft = complaint_draft(session, conversation_id=conversation_id, inbox_id=inbox_id)
    if draft is None:
        draft = drafts.start_draft(
            session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id
        )
        customer_id = customer_of(session.get_one(Conversation, conversation_id))
        known = best_phone(session, customer_id=customer_id)
        if known is not None:
            drafts.set_field(draft, field=CONTACT_POINT, value=known.id, inbox_id=inbox_id)
    return draft


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
    _settle(draft, field, value[:longest], inbox_id)
    return draft


def set_draft_phone(
    session: Session, *, conversation_id: int, phone: str, inbox_id: int, proven: bool = False
) -> Draft:
    """Keep the phone to call about the complaint.

    Args:
        phone: as typed, in any script and format.
        proven: True only for the sender's own contact as the messenger hands it over.

    Raises:
        InvalidInput: the text is not a valid phone number.
    """
    customer_id = customer_of(session.get_one(Conversation, conversation_id))
    point = add_phone(session, customer_id=customer_id, phone=phone, proven=proven)
    draft = start_complaint(session, conversation_id=conversation_id, inbox_id=inbox_id)
    _settle(draft, PHONE, point.id, inbox_id)
    return draft


def attach_to_draft(
    session: Session, *, conversation_id: int, attachment_ids: list[int], inbox_id: int
) -> Draft:
    """Add attachments of this conversation to its complaint draft; known ones are not added twice."""
    draft = start_complaint(session, conversation_id=conversation_id, inbox_id=inbox_id)
    own = session.scalars(
        select(Attachment.id).where(
            Attachment.conversation_id == conversation_id, Attachment.id.in_(attachment_ids)
        )
    )
    known = list(draft.data.get(ATTACHMENTS, []))
    value = known + [attachment_id for attachment_id in own if attachment_id not in known]
    _settle(draft, ATTACHMENTS, value, inbox_id)
    return draft


def pass_over(session: Session, *, conversation_id: int, field: str, inbox_id: int) -> Draft:
    """Take "none" for an answer; files that are there already stay.

    Raises:
        InvalidInput: this field must be told.
    """
    if field in REQUIRED_FIELDS or field not in FIELDS:
        raise InvalidInput(f"{field} cannot be passed over")
    draft = start_complaint(session, conversation_id=conversation_id, inbox_id=inbox_id)
    none = {ATTACHMENTS: list(draft.data.get(ATTACHMENTS, [])), PHONE: 0}
    _settle(draft, field, none.get(field, ""), inbox_id)
    return draft


def ask_again(session: Session, *, conversation_id: int, field: str, inbox_id: int) -> Draft:
    """Open a field that the customer wants to correct.

    Raises:
        InvalidInput: there is no such field.
    """
    if field not in FIELDS:
        raise InvalidInput(f"a complaint has no field {field}")
    draft = start_complaint(session, conversation_id=conversation_id, inbox_id=inbox_id)
    drafts.set_field(draft, field=_ASKING, value=field, inbox_id=inbox_id)
    return draft


def drop_attachments(session: Session, *, conversation_id: int, inbox_id: int) -> Draft:
    """Take all files out of the draft; the conversation keeps them."""
    draft = start_complaint(session, conversation_id=conversation_id, inbox_id=inbox_id)
    _settle(draft, ATTACHMENTS, [], inbox_id)
    return draft


def note_summary(draft: Draft, *, inbox_id: int) -> None:
    """Note that the customer has seen the summary."""
    drafts.set_field(draft, field=_SUMMARISED, value=True, inbox_id=inbox_id)


def begin_anew(draft: Draft, *, inbox_id: int) -> None:
    """Forget what an earlier story said; the phone to call stays, it is the same customer."""
    for field in [field for field in draft.data if field != CONTACT_POINT]:
        drafts.set_field(draft, field=field, value=None, inbox_id=inbox_id)


def cancel_draft(session: Session, *, conversation_id: int, inbox_id: int) -> bool:
    """Drop the conversation's open complaint draft; False when there is none."""
    return drafts.cancel_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)


def open_questions(data: Mapping[str, Any], ask: Collection[str]) -> list[str]:
    """The fields that are still to be asked, in order.

    Args:
        data: what the draft holds.
        ask: what is asked about a complaint of its category, besides what must be told.
    """
    asking = data.get(_ASKING)
    wanted = REQUIRED_FIELDS if data.get(_SUMMARISED) else (*REQUIRED_FIELDS, *ask)
    return [field for field in FIELDS if field == asking or (field in wanted and _place(field) not in data)]


def _settle(draft: Draft, field: str, value: object, inbox_id: int) -> None:
    """Write an answer; the question is no longer open."""
    drafts.set_field(draft, field=_place(field), value=value, inbox_id=inbox_id)
    if draft.data.get(_ASKING) == field:
        drafts.set_field(draft, field=_ASKING, value=None, inbox_id=inbox_id)


def _place(field: str) -> str:
    """The name under which a field stands in a draft."""
    return CONTACT_POINT if field == PHONE else field
