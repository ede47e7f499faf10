"""What can be done about call-back requests."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.activity import record_activity
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone
from crm_store.drafts import Draft
from crm_store.errors import DraftIncomplete, NotFound
from crm_store.handoff.models import CallbackRequest

DRAFT_KIND = "callback"
MAX_TOPIC = 2000


def start_callback(session: Session, *, conversation_id: int, inbox_id: int, topic: str = "") -> Draft:
    """Begin a call-back request, remembering what it is about."""
    draft = drafts.start_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)
    if topic and not draft.data.get("topic"):
        drafts.set_field(draft, field="topic", value=topic[:MAX_TOPIC], inbox_id=inbox_id)
    return draft


def set_callback_phone(
    session: Session, *, conversation_id: int, phone: str, inbox_id: int, proven: bool = False
) -> Draft:
    """Keep the phone to call.

    Raises:
        InvalidInput: the text is not a valid phone number.
    """
    conversation = session.get_one(Conversation, conversation_id)
    point = add_phone(session, customer_id=customer_of(conversation), phone=phone, proven=proven)
    draft = drafts.start_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)
    drafts.set_field(draft, field="contact_point_id", value=point.id, inbox_id=inbox_id)
    return draft


def request_callback(session: Session, *, conversation_id: int, inbox_id: int) -> CallbackRequest:
    """Register the call-back draft; the same turn again gives the same request.

    Raises:
        NotFound: there is no draft to register.
        DraftIncomplete: the phone is missing.
    """
    draft = drafts.turn_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)
    if draft is None or draft.state == drafts.CANCELLED:
        raise NotFound("there is no call-back draft")
    known = session.scalar(select(CallbackRequest).where(CallbackRequest.draft_id == draft.id))
    if known is not None:
        return known
    if not draft.data.get("contact_point_id"):
        raise DraftIncomplete(["phone"])
    conversation = session.get_one(Conversation, conversation_id)
    request = CallbackRequest(
        customer_id=customer_of(conversation),
        conversation_id=conversation_id,
        draft_id=draft.id,
        contact_point_id=draft.data["contact_point_id"],
        topic=draft.data.get("topic", ""),
    )
    session.add(request)
    session.flush()
    drafts.close_draft(draft, state=drafts.SUBMITTED, inbox_id=inbox_id)
    record_activity(
        session,
        customer_id=request.customer_id,
        kind="callback.requested",
        subject_type="callback_request",
        subject_id=request.id,
    )
    return request


def cancel_callback(session: Session, *, conversation_id: int, inbox_id: int) -> bool:
    """Drop the open call-back draft; False when there is none."""
    return drafts.cancel_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)


def open_callbacks(session: Session, *, limit: int = 100) -> list[CallbackRequest]:
    """Requests that nobody has dealt with yet, oldest first."""
    return list(
        session.scalars(
            select(CallbackRequest)
            .where(CallbackRequest.state == "open")
            .order_by(CallbackRequest.id)
            .limit(limit)
        )
    )
