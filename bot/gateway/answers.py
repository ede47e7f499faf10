"""Last step of a job, one transaction: the replies into the outbox, the rows finished."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from bot.gateway import albums
from bot.gateway.desk import saying
from bot.gateway.desk.telling import placed
from bot.gateway.jobs import Job, Notice, Plan
from bot.gateway.rasa_client import Reply
from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import HUMAN, Conversation
from crm_store.inbox import InboxItem
from crm_store.rules import Rules
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
    rules: Rules,
) -> None:
    """Queue what there is to say and close the job's rows, all or nothing."""
    head = job.head
    if session.get_one(InboxItem, head.inbox_id).state != inbox.PENDING:
        return
    kept = [int(attachment["id"]) for attachment in job.kept.attachments] if job.kept is not None else []
    if plan.desk is not None:
        saying.finish(session, words=plan.desk, head=head, files=kept, rules=rules)
    for reply in replies:
        outbox.enqueue_message(
            session,
            conversation_id=plan.conversation_id,
            content=_content(session, plan.conversation_id, reply, settings),
            inbox_id=head.inbox_id,
            ownership=plan.ownership,
            correlation_id=head.correlation_id,
        )
    for number, notice in enumerate(notices):
        item = outbox.enqueue_notice(
            session,
            conversation_id=plan.conversation_id,
            response=notice.response,
            params=notice.params,
            idempotency_key=f"{notice.response}:{head.inbox_id}:{number}",
            # What became of a file is told at once, whoever has the conversation.
            speaker=outbox.SPEAKER_DESK if plan.is_silent else outbox.SPEAKER_BOT,
            correlation_id=head.correlation_id,
        )
        if head.incoming.is_group:
            item.content = {**item.content, **placed(head.incoming)}
    if plan.late_of is not None and job.kept is not None:
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
    if custom.get(outbox.PICTURE):
        content[outbox.PICTURE] = custom[outbox.PICTURE]
        content[outbox.DOCUMENT_KEY] = secrets.token_hex(16)
    if reply.buttons:
        content["buttons"] = conversations.issue_buttons(
            session,
            conversation_id=conversation_id,
            buttons=[
                {**one, "title": str(one["title"]), "payload": str(one["payload"])} for one in reply.buttons
            ],
            lifetime=timedelta(hours=settings.limits.button_hours),
        )
    return content


def _all_is_well(session: Session, conversation_id: int) -> None:
    if session.get_one(Conversation, conversation_id).trouble_told_at is not None:
        conversations.note_trouble(session, conversation_id=conversation_id, told_at=None)


def tell_of_delay(session: Session, *, job: Job, conversation_id: int) -> bool:
    """Tell the person that the answer is late, once per outage; False when they know, or a person answers."""
    conversation = session.get_one(Conversation, conversation_id)
    if conversation.trouble_told_at is not None or conversation.owner == HUMAN:
        return False
    if conversation.identity_id is None:
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
    if conversation is None or conversation.identity_id is None:
        return True
    if conversation.owner != HUMAN:
        outbox.enqueue_notice(
            session,
            conversation_id=conversation.id,
            response="utter_parked",
            idempotency_key=f"parked:{job.head.inbox_id}",
            correlation_id=job.head.correlation_id,
        )
    _all_is_well(session, conversation.id)
    return True
