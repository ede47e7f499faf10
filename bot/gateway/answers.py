"""Last step of a job, one transaction: the replies into the outbox, the rows finished."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from bot.gateway import albums
from bot.gateway.jobs import Job, Notice, Plan
from bot.gateway.rasa_client import Reply
from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.inbox import InboxItem
from crm_store.settings import Settings
from crm_store.tickets.expecting import EXPECTS

log = structlog.get_logger(__name__)


def finish(
    session: Session,
    *,
    job: Job,
    plan: Plan,
    replies: Sequence[Reply],
    notices: Sequence[Notice],
    settings: Settings,
) -> None:
    """Queue what there is to say and close the job's rows, all or nothing."""
    head = job.head
    if session.get_one(InboxItem, head.inbox_id).state != inbox.PENDING:
        return
    for reply in replies:
        outbox.enqueue_message(
            session,
            conversation_id=plan.conversation_id,
            content=_content(session, plan.conversation_id, reply, settings),
            inbox_id=head.inbox_id,
            correlation_id=head.correlation_id,
        )
    for number, notice in enumerate(notices):
        outbox.enqueue_notice(
            session,
            conversation_id=plan.conversation_id,
            response=notice.response,
            params=notice.params,
            idempotency_key=f"{notice.response}:{head.inbox_id}:{number}",
            correlation_id=head.correlation_id,
        )
    if plan.late_of is not None and job.kept is not None:
        kept = [int(attachment["id"]) for attachment in job.kept.attachments]
        albums.join_late(session, attachment_ids=kept, first_inbox_id=plan.late_of)
    for inbox_id in job.row_ids:
        inbox.finish(session, inbox_id=inbox_id)
    _all_is_well(session, plan.conversation_id)


def _content(session: Session, conversation_id: int, reply: Reply, settings: Settings) -> dict[str, Any]:
    custom = reply.custom or {}
    asks_contact = bool(custom.get("request_contact"))
    content: dict[str, Any] = {"text": reply.text or "", "request_contact": asks_contact}
    if custom.get(EXPECTS):
        content[EXPECTS] = custom[EXPECTS]
    if reply.image:
        content["image"] = reply.image
    if reply.buttons:
        content["buttons"] = conversations.issue_buttons(
            session,
            conversation_id=conversation_id,
            buttons=[{"title": str(one["title"]), "payload": str(one["payload"])} for one in reply.buttons],
            lifetime=timedelta(hours=settings.limits.button_hours),
        )
    return content


def _all_is_well(session: Session, conversation_id: int) -> None:
    if session.get_one(Conversation, conversation_id).trouble_told_at is not None:
        conversations.note_trouble(session, conversation_id=conversation_id, told_at=None)


def tell_of_delay(session: Session, *, job: Job, conversation_id: int) -> bool:
    """Tell the person that the answer is late, once per outage; False when they know."""
    if session.get_one(Conversation, conversation_id).trouble_told_at is not None:
        return False
    if session.get_one(InboxItem, job.head.inbox_id).state != inbox.PENDING:
        return False
    outbox.enqueue_notice(
        session,
        conversation_id=conversation_id,
        response="utter_trouble",
        idempotency_key=f"trouble:{job.head.inbox_id}",
        correlation_id=job.head.correlation_id,
    )
    conversations.note_trouble(session, conversation_id=conversation_id, told_at=utcnow())
    return True


def note_failure(session: Session, *, job: Job, error: str, park_after: int) -> bool:
    """Count a failed try; after ``park_after`` of them the rows are parked and the person is told.

    Returns:
        Whether the rows are parked now.
    """
    tries = inbox.note_failure(session, inbox_id=job.head.inbox_id, error=error)
    if tries < park_after:
        return False
    for inbox_id in job.row_ids:
        inbox.finish(session, inbox_id=inbox_id, state=inbox.PARKED)
    conversation = conversations.find_conversation(
        session, channel=job.head.channel, chat_id=job.head.chat_id
    )
    if conversation is not None and conversation.identity_id is not None:
        outbox.enqueue_notice(
            session,
            conversation_id=conversation.id,
            response="utter_parked",
            idempotency_key=f"parked:{job.head.inbox_id}",
            correlation_id=job.head.correlation_id,
        )
        _all_is_well(session, conversation.id)
    return True
