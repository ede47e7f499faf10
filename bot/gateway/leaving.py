"""What may leave, checked just before sending, because things change while a message waits."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import outbox
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import BOT, HUMAN, STAFF_ONLY, Conversation, Message
from crm_store.outbox import SPEAKER_BOT, OutboxItem
from crm_store.privacy import service as privacy

#: ``leaves``; ``waits`` until the person gives the conversation back; ``held_back``, as somebody else has the
#: conversation since, and the staff see what would have been said; ``dropped``.
Verdict = Literal["leaves", "waits", "held_back", "dropped"]
#: In a transcript line's ``extra``: these words of the bot never left.
HELD_BACK = "held_back"


def verdict(session: Session, item: OutboxItem, conversation: Conversation) -> Verdict:
    """What becomes of a row at this moment.

    While a person has the conversation the bot is silent: what it answers is held back, what it would tell
    by itself waits, and only the file that a customer asked for leaves. An answer that was begun before the
    conversation changed hands is held back as well, however often it changed since. What people write, and
    what tells of a hand-over, always leaves; the blocked and the forgotten get nothing.
    """
    if not _may_get(session, item, conversation):
        return "dropped"
    if item.speaker != SPEAKER_BOT or item.kind == outbox.EXPORT:
        return "leaves"
    if item.inbox_id is None:
        return "waits" if conversation.owner == HUMAN else "leaves"
    is_current = item.ownership is None or item.ownership == conversation.ownership
    return "leaves" if conversation.owner == BOT and is_current else "held_back"


def hold_back(session: Session, item: OutboxItem) -> None:
    """Cancel an answer, and keep for the staff what it would have said."""
    item.state = outbox.CANCELLED
    known = session.scalar(select(Message.id).where(Message.outbox_id == item.id).limit(1))
    text = item.content.get("text") or ""
    if known is None and text:
        conversations.add_message(
            session,
            conversation_id=item.conversation_id,
            author="bot",
            text=text,
            extra={HELD_BACK: True},
            outbox_id=item.id,
            audience=STAFF_ONLY,
        )


def _may_get(session: Session, item: OutboxItem, conversation: Conversation) -> bool:
    """Whether whoever is in the conversation may get the row, whoever speaks.

    What had to leave before some moment does not leave afterwards; bulk mail leaves only with a consent, a
    customer's data only to themselves.
    """
    identity = conversation.identity
    if identity is None:
        return item.kind != outbox.EXPORT
    if identity.blocked_at is not None or identity.customer.erased_at is not None or _is_too_late(item):
        return False
    if item.priority >= outbox.BULK:
        return privacy.marketing_allowed(session, customer_id=identity.customer_id)
    if item.kind == outbox.EXPORT:
        return item.content["customer_id"] in privacy.family_of(session, customer_id=identity.customer_id)
    return True


def _is_too_late(item: OutboxItem) -> bool:
    """Whether the moment has passed before which a row had to leave, such as the evening's quiet hours."""
    before = item.content.get("leaves_before")
    return before is not None and utcnow() >= datetime.fromisoformat(before)
