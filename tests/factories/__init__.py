"""Makes what tests need to stand on, through the services themselves."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy.orm import Session

from crm_store import inbox
from crm_store.complaints import drafting
from crm_store.complaints import service as complaints
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import open_conversation
from crm_store.customers.service import identify

_numbers = itertools.count(1)


def a_conversation(
    session: Session, *, channel: str = "telegram", chat_id: str | None = None
) -> Conversation:
    """A conversation of a customer of its own."""
    chat = chat_id or str(1000 + next(_numbers))
    identity = identify(session, channel=channel, external_id=chat, display_name="سارا")
    return open_conversation(session, channel=channel, chat_id=chat, identity=identity)


def an_inbox_id(session: Session, conversation: Conversation, **payload: Any) -> int:
    """A fresh message of a conversation."""
    row = inbox.receive(
        session,
        channel=conversation.channel,
        update_id=f"update-{next(_numbers)}",
        chat_id=conversation.chat_id,
        payload=payload or {"text": "سلام"},
    )
    assert row is not None
    return row


def a_complaint(
    session: Session, conversation: Conversation, *, story: str = "غذا سرد رسید", category: str = "delivery"
) -> Complaint:
    """A complaint, told, categorised and confirmed."""
    told, chosen, confirmed = (an_inbox_id(session, conversation) for _ in range(3))
    where = {"conversation_id": conversation.id}
    drafting.set_draft_field(session, **where, field="description", value=story, inbox_id=told)
    drafting.set_draft_field(session, **where, field="category", value=category, inbox_id=chosen)
    return complaints.file_complaint(session, **where, inbox_id=confirmed)
