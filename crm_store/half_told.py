"""Complaints and service requests left half-told: offered again the next day, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.complaints import drafting as complaints
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import latest_message
from crm_store.drafts import OPEN, Draft
from crm_store.outbox import enqueue_notice
from crm_store.service_requests import drafting as requests

#: What is offered again, by kind of draft: the field without which nothing was told yet, and how it is said.
LEFT = {
    complaints.DRAFT_KIND: (complaints.DESCRIPTION, "utter_complaint_left"),
    requests.DRAFT_KIND: (requests.KIND, "utter_service_left"),
}
#: Nobody who is writing right now is reminded of anything.
QUIET_FOR = timedelta(minutes=30)


def remind_of_half_told(
    session: Session, *, now: datetime, timezone: str, hour: int, max_age: timedelta
) -> int:
    """Offer again what was left half-told on an earlier day; returns how many.

    Args:
        now: the present moment.
        timezone: where the customers' days begin and end.
        hour: local hour of the day before which nobody is disturbed.
        max_age: what was left longer ago is no longer continued, so it is not offered either.
    """
    local = now.astimezone(ZoneInfo(timezone))
    if local.hour < hour:
        return 0
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    left = session.execute(
        select(Draft, Conversation)
        .join(Conversation, Draft.conversation_id == Conversation.id)
        .where(
            Draft.kind.in_(LEFT),
            Draft.state == OPEN,
            Draft.reminded_at.is_(None),
            Draft.updated_at < today,
            Draft.updated_at > now - max_age,
            Conversation.owner == "bot",
        )
        # What another process is reminding of is left to it; afterwards it is marked.
        .with_for_update(of=Draft, skip_locked=True)
    ).all()
    return sum(_remind(session, draft, conversation, now) for draft, conversation in left)


def _remind(session: Session, draft: Draft, conversation: Conversation, now: datetime) -> bool:
    latest = latest_message(session, conversation_id=conversation.id, author="customer")
    is_writing = latest is not None and latest.created_at > now - QUIET_FOR
    field, response = LEFT[draft.kind]
    if field not in draft.data or is_writing:
        return False
    draft.reminded_at = now
    enqueue_notice(
        session, conversation_id=conversation.id, response=response, idempotency_key=f"left:{draft.id}"
    )
    return True
