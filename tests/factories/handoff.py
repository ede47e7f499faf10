"""A desk of people who take conversations over, and customers who want one of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.business.handoff import Handoff as Limits
from crm_store.conversations.models import Conversation, Message
from crm_store.conversations.service import add_message
from crm_store.handoff import waiting
from crm_store.handoff.models import ASKED, Handoff
from crm_store.handoff.presence import ONLINE
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from tests.factories import RULES, a_conversation, a_member, an_inbox_id

_numbers = itertools.count(1)
#: A Saturday noon in Tehran.
NOON = datetime(2026, 11, 28, 8, 30, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def rules_with(*, groups: Sequence[tuple[str, str]] = (), **settings: Any) -> Rules:
    """Rules of a business that hands conversations over in its own way.

    Args:
        groups: channel and chat id of the staff's groups.
        settings: fields of `crm_store.business.handoff.Handoff`.
    """
    limits = Limits(**{"teams": ("sales", "repairs"), **settings})
    return Rules(msgspec.structs.replace(RULES.business, handoff=limits), groups=tuple(groups))


DESK = rules_with()


def an_agent(
    session: Session,
    *,
    name: str = "نگار",
    role: str = "agent",
    team: str = "",
    skills: Sequence[str] = (),
    presence: str = ONLINE,
    max_chats: int | None = None,
    chat: Conversation | None = None,
    now: datetime = NOON,
) -> StaffMember:
    """Somebody at the desk."""
    member = a_member(session, role=role, name=name, chat=chat)
    member.team, member.skills, member.max_chats = team, list(skills), max_chats
    member.presence, member.presence_at = presence, now
    session.flush()
    return member


def a_wish(
    session: Session,
    conversation: Conversation | None = None,
    *,
    rules: Rules = DESK,
    now: datetime = NOON,
    **wish: Any,
) -> Handoff:
    """A customer who wants a person."""
    where = conversation or a_conversation(session)
    return waiting.request(
        session,
        conversation_id=where.id,
        rules=rules,
        now=now,
        inbox_id=an_inbox_id(session, where),
        **{"reason": ASKED, **wish},
    )


def says(session: Session, conversation_id: int, text: str = "هستید؟", *, now: datetime = NOON) -> Message:
    """A customer's line."""
    conversation = session.get_one(Conversation, conversation_id)
    return add_message(
        session,
        conversation_id=conversation_id,
        author="customer",
        text=text,
        inbox_id=an_inbox_id(session, conversation, text=text),
        now=now,
    )


def a_key() -> str:
    """Names an act that has not been done before."""
    return f"act-{next(_numbers)}"


def sent_to(session: Session, conversation_id: int) -> list[OutboxItem]:
    """What is on its way to a chat, in order."""
    rows = select(OutboxItem).where(OutboxItem.conversation_id == conversation_id)
    return list(session.scalars(rows.order_by(OutboxItem.id)))


def desk_words(session: Session, conversation_id: int) -> list[str]:
    """Names of the notices by which a customer was told of hand-overs, in order."""
    rows = [item for item in sent_to(session, conversation_id) if item.speaker == "desk"]
    return [item.content["response"] for item in rows]


def lines_of(session: Session, conversation_id: int) -> list[tuple[str, str, str]]:
    """Author, audience and text of a transcript's lines, in order."""
    rows = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq)
    return [(line.author, line.audience, line.text) for line in session.scalars(rows)]
