"""A message that holds a staff member's one-time code: dealt with before the dialogue sees it, and hidden."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy.orm import Session

from bot.gateway import albums
from bot.gateway.jobs import Job, Notice
from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation, Message
from crm_store.errors import LinkRefused
from crm_store.inbox import InboxItem
from crm_store.staff.invitations import looks_like_invitation, redeem, without_invitations
from crm_store.staff.permissions import has_permission
from crm_store.terms import term

log = structlog.get_logger(__name__)

#: In a transcript line's ``extra``: what became of the code that stood there, ``linked`` or ``refused``.
OUTCOME = "invitation"
LINKED, REFUSED = "linked", "refused"
_KINDS = ("text", "media", "edited")


def holds_invitation(job: Job) -> bool:
    """Whether a job is a code that somebody typed, by itself or behind ``/start``."""
    return job.head.incoming.kind in _KINDS and looks_like_invitation(_typed(job))


def take(session: Session, *, conversation: Conversation, identity_id: int, job: Job) -> None:
    """Use the code, answer, and leave it readable nowhere.

    Args:
        identity_id: the account that sent it, in a private chat.
    """
    line = _line(session, conversation, job)
    if line is None or line.extra.get(OUTCOME) != LINKED:  # an edit of what was used is no second try
        notice = _redeem(session, identity_id, _typed(job))
        outcome = REFUSED if notice.response == "utter_staff_link_refused" else LINKED
        if line is not None:
            line.extra = {**line.extra, OUTCOME: outcome}
        outbox.enqueue_notice(
            session,
            conversation_id=conversation.id,
            response=notice.response,
            params=notice.params,
            idempotency_key=f"invitation:{job.head.inbox_id}",
            speaker=outbox.SPEAKER_DESK,  # whoever has the conversation
            correlation_id=job.head.correlation_id,
        )
    hide(session, job)
    for inbox_id in job.row_ids:
        inbox.finish(session, inbox_id=inbox_id)


def hide(session: Session, job: Job) -> None:
    """Take codes out of what the messenger sent; nothing happens where there are none."""
    for row in job.rows:
        if looks_like_invitation(row.incoming.text):
            item = session.get_one(InboxItem, row.inbox_id)
            item.payload = _hidden(item.payload)


def _typed(job: Job) -> str:
    """What was typed, in the wording that holds a code if only one does."""
    wordings = [job.corrected or "", albums.caption(job.rows)]
    return next(filter(looks_like_invitation, wordings), wordings[1])


def _line(session: Session, conversation: Conversation, job: Job) -> Message | None:
    """The line of the transcript, without the code; None for an edit of what is not in the transcript."""
    head, text = job.head, without_invitations(_typed(job))
    if head.incoming.kind == "edited":
        line = conversations.find_message(
            session, conversation_id=conversation.id, platform_message_id=head.incoming.message_id
        )
        if line is None or line.inbox_id is None:
            return None
        line.edited_at = utcnow()
    else:
        line = conversations.add_message(
            session,
            conversation_id=conversation.id,
            author="customer",
            text=text,
            inbox_id=head.inbox_id,
            platform_message_id=head.incoming.message_id,
        )
    line.text = text
    return line


def _redeem(session: Session, identity_id: int, text: str) -> Notice:
    """What to answer; a refusal is kept with everything else of this step."""
    try:
        member = redeem(session, identity_id=identity_id, code=text)
    except LinkRefused:
        log.warning("staff_link_refused", identity_id=identity_id)
        return Notice("utter_staff_link_refused")
    log.info("staff_linked", identity_id=identity_id, staff_id=member.id)
    role = term("staff", "roles", member.role) or member.role
    answers = has_permission(member, "handoff.claim")  # and has to be online for that
    response = "utter_staff_linked_to_answer" if answers else "utter_staff_linked"
    return Notice(response, {"name": member.name or member.login or "", "role": role})


def _hidden(value: Any) -> Any:
    """A copy of decoded JSON without codes."""
    if isinstance(value, str):
        return without_invitations(value)
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return value
