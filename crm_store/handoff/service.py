"""What can be done about call-back requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone, best_phone
from crm_store.drafts import Draft
from crm_store.errors import DraftIncomplete, NotFound
from crm_store.handoff.models import CallbackRequest
from crm_store.persian import to_jalali_datetime_text
from crm_store.rules import Rules
from crm_store.staff.telling import tell_groups

DRAFT_KIND = "callback"
OPEN, REPLACED = "open", "replaced"
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


def request_callback(
    session: Session, *, conversation_id: int, inbox_id: int, due_at: datetime
) -> CallbackRequest:
    """Register the call-back draft; the same turn again gives the same request.

    A customer waits for one call: a new request replaces an open one and takes over what that was about. A
    promise that still stands is kept as it was told.

    Args:
        due_at: by when the customer is promised the call, unless a promise stands already.

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
    request = CallbackRequest(
        customer_id=customer_of(session.get_one(Conversation, conversation_id)),
        conversation_id=conversation_id,
        draft_id=draft.id,
        contact_point_id=draft.data["contact_point_id"],
        topic=draft.data.get("topic", ""),
        due_at=due_at,
    )
    _replace_open(session, request)
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


def promise_call(
    session: Session, *, conversation_id: int, topic: str, due_at: datetime, now: datetime | None = None
) -> CallbackRequest | None:
    """Register a call that is promised because nobody came, with the best number that is known.

    An open request is replaced as by a wish of the customer's: what it was about is taken over, and a promise
    that stands is kept.

    Args:
        topic: what it is about, in the customer's words.

    Returns:
        The request; None where no number is known.
    """
    now = now or utcnow()
    customer_id = customer_of(session.get_one(Conversation, conversation_id))
    point = best_phone(session, customer_id=customer_id)
    if point is None:
        return None
    draft = Draft(
        conversation_id=conversation_id,
        kind=DRAFT_KIND,
        data={"contact_point_id": point.id, "topic": topic[:MAX_TOPIC]},
        sources={},
        state=drafts.SUBMITTED,
    )
    session.add(draft)
    session.flush()
    request = CallbackRequest(
        customer_id=customer_id,
        conversation_id=conversation_id,
        draft_id=draft.id,
        contact_point_id=point.id,
        topic=topic[:MAX_TOPIC],
        due_at=due_at,
        created_at=now,
    )
    _replace_open(session, request)
    session.add(request)
    session.flush()
    _note(session, request, "requested", actor="system", now=now)
    return request


def tell_of_callback(session: Session, request: CallbackRequest, *, rules: Rules) -> None:
    """Tell the staff's groups of a call that was promised; what it is about stands at the console."""
    due_at = request.due_at or utcnow()
    tell_groups(
        session,
        groups=rules.groups,
        response="utter_staff_group_callback",
        key=staff_notice_key(request.id),
        params={"deadline": to_jalali_datetime_text(due_at, rules.timezone)},
    )


def _note(session: Session, request: CallbackRequest, event: str, *, actor: str, now: datetime) -> None:
    entry = record_activity(
        session,
        customer_id=request.customer_id,
        kind=f"callback.{event}",
        actor=actor,
        subject_type="callback_request",
        subject_id=request.id,
    )
    entry.at = now


def open_callback(session: Session, *, customer_id: int) -> CallbackRequest | None:
    """The newest call-back that a customer asked for and nobody has dealt with yet."""
    return session.scalar(
        select(CallbackRequest)
        .where(CallbackRequest.customer_id == customer_id, CallbackRequest.state == OPEN)
        .order_by(CallbackRequest.id.desc())
        .limit(1)
    )


def promise_stands(request: CallbackRequest) -> bool:
    """Whether the call is still to come, by the moment that was promised."""
    return request.due_at is not None and request.due_at > utcnow()


def staff_notice_key(request_id: int) -> str:
    """Names the notice of a request to the staff groups, which quotes what the customer wrote."""
    return f"staff-callback:{request_id}"


def cancel_callback(session: Session, *, conversation_id: int, inbox_id: int) -> bool:
    """Drop the open call-back draft; False when there is none."""
    return drafts.cancel_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)


def open_callbacks(session: Session, *, limit: int = 100) -> list[CallbackRequest]:
    """Requests that nobody has dealt with yet, oldest first."""
    return list(
        session.scalars(
            select(CallbackRequest)
            .where(CallbackRequest.state == OPEN)
            .order_by(CallbackRequest.id)
            .limit(limit)
        )
    )


def _replace_open(session: Session, request: CallbackRequest) -> None:
    before = open_callback(session, customer_id=request.customer_id)
    if before is None:
        return
    before.state = REPLACED
    about = dict.fromkeys(topic for topic in (before.topic, request.topic) if topic)
    request.topic = "\n".join(about)[:MAX_TOPIC]
    if promise_stands(before):
        request.due_at = before.due_at
