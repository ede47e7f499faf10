"""Makes what tests need to stand on, through the services themselves."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from crm_store import drafts, inbox
from crm_store.business import EXAMPLE, read_business
from crm_store.complaints import drafting
from crm_store.complaints import service as complaints
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import open_conversation
from crm_store.customers.service import identify
from crm_store.rules import Rules
from crm_store.staff.models import StaffAccount, StaffMember

_numbers = itertools.count(1)
#: The rules of a business as it is shipped.
RULES = Rules(read_business(EXAMPLE))


def rules_with(**complaints_settings: Any) -> Rules:
    """The rules of a business that deals with complaints in its own way.

    Args:
        complaints_settings: fields of `crm_store.business.Complaints`; ``groups`` are the staff's.
    """
    groups = complaints_settings.pop("groups", ())
    changed = msgspec.structs.replace(RULES.business.complaints, **complaints_settings)
    return Rules(msgspec.structs.replace(RULES.business, complaints=changed), groups=groups)


def a_member(
    session: Session, *, role: str = "agent", name: str = "نگار", chat: Conversation | None = None
) -> StaffMember:
    """A member of staff, with the chat that they have linked, if any."""
    member = StaffMember(name=name, role=role)
    session.add(member)
    session.flush()
    if chat is not None:
        session.add(StaffAccount(identity_id=chat.identity_id, staff_id=member.id))
        session.flush()
    return member


def a_group(session: Session) -> tuple[Conversation, tuple[tuple[str, str], ...]]:
    """A group of the staff's, and what rules say of it."""
    group = open_conversation(session, channel="telegram", chat_id=f"-100{next(_numbers)}", identity=None)
    return group, ((group.channel, group.chat_id),)


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
    session: Session,
    conversation: Conversation,
    *,
    story: str = "غذا سرد رسید",
    category: str = "delivery",
    order_number: str = "",
    product: str = "",
    signals: Sequence[str] = (),
    rules: Rules = RULES,
    now: datetime | None = None,
) -> Complaint:
    """A complaint, told, categorised and confirmed."""
    told, chosen, confirmed = (an_inbox_id(session, conversation) for _ in range(3))
    where = {"conversation_id": conversation.id}
    drafting.set_draft_field(session, **where, field="description", value=story, inbox_id=told)
    draft = drafting.set_draft_field(session, **where, field="category", value=category, inbox_id=chosen)
    told_besides = {
        drafting.ORDER_NUMBER: order_number or None,
        drafting.PRODUCT: product or None,
        drafting.SIGNALS: list(signals) or None,
    }
    for field, value in told_besides.items():
        drafts.set_field(draft, field=field, value=value, inbox_id=told)
    return complaints.file_complaint(session, **where, inbox_id=confirmed, rules=rules, now=now)
