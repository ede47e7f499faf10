"""In which chat somebody is told of something that was registered for them, on the phone or in a chat."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation
from crm_store.customers.models import ChannelIdentity

#: The channel of what was told on the phone by who has no chat; nothing is sent there.
PHONE_CHANNEL = "phone"


def latest_chat(session: Session, *, customer_id: int) -> Conversation | None:
    """The chat in which a customer wrote last, if they can be reached there; None for who has none."""
    return session.scalar(
        select(Conversation)
        .join(ChannelIdentity, Conversation.identity_id == ChannelIdentity.id)
        .where(ChannelIdentity.customer_id == customer_id, ChannelIdentity.blocked_at.is_(None))
        .order_by(Conversation.last_seq == 0, Conversation.id.desc())
        .limit(1)
    )


def conversation_for(session: Session, *, customer_id: int) -> Conversation:
    """Where what a member of staff registers for a customer belongs: their chat, or their calls."""
    chat = latest_chat(session, customer_id=customer_id)
    if chat is not None:
        return chat
    name = f"customer:{customer_id}"
    calls = session.scalar(
        select(Conversation).where(Conversation.channel == PHONE_CHANNEL, Conversation.chat_id == name)
    )
    if calls is None:
        calls = Conversation(channel=PHONE_CHANNEL, chat_id=name)
        session.add(calls)
        session.flush()
    return calls


def chat_to_tell(session: Session, *, conversation_id: int, customer_id: int) -> int | None:
    """The chat that hears of something: its own one; of what was told on the phone the customer's latest.

    Returns:
        None for who has no chat: they hear of it on the phone.
    """
    own = session.get(Conversation, conversation_id)
    if own is None or own.channel != PHONE_CHANNEL:
        return conversation_id
    chat = latest_chat(session, customer_id=customer_id)
    return chat.id if chat is not None else None
