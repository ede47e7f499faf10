"""Which rows are a customer's: the record itself, those joined to it, their accounts and conversations."""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation
from crm_store.conversations.reaching import PHONE_CHANNEL
from crm_store.customers.models import ChannelIdentity
from crm_store.inbox import InboxItem
from crm_store.privacy.service import family_of


class Scope(msgspec.Struct, frozen=True):
    """What belongs to one person.

    Attributes:
        customers: ids of all records of the person; the first one stands for them.
        identities: ids of the accounts.
        accounts: channel and the platform's id of each account.
        conversations: ids of the conversations.
        chats: channel and chat id of each conversation.
    """

    customers: list[int]
    identities: list[int]
    accounts: list[tuple[str, str]]
    conversations: list[int]
    chats: list[tuple[str, str]]

    def is_in_inbox(self) -> ColumnElement[bool]:
        """Tells the updates that came from the person's own chats."""
        chats = [
            and_(InboxItem.channel == channel, InboxItem.chat_id == chat) for channel, chat in self.chats
        ]
        return or_(false(), *chats)


def scope_of(session: Session, *, customer_id: int) -> Scope:
    """Everything that belongs to the same person as a customer's record.

    Raises:
        NotFound: there is no such customer.
    """
    customers = family_of(session, customer_id=customer_id)
    identities = session.scalars(select(ChannelIdentity).where(ChannelIdentity.customer_id.in_(customers)))
    by_id = {identity.id: identity for identity in identities}
    # What was told on the phone by who has no chat belongs to no account.
    calls = and_(
        Conversation.channel == PHONE_CHANNEL,
        Conversation.chat_id.in_([f"customer:{one}" for one in customers]),
    )
    conversations = session.scalars(
        select(Conversation).where(or_(Conversation.identity_id.in_(by_id), calls)).order_by(Conversation.id)
    ).all()
    return Scope(
        customers=customers,
        identities=list(by_id),
        accounts=[(identity.channel, identity.external_id) for identity in by_id.values()],
        conversations=[conversation.id for conversation in conversations],
        chats=[(conversation.channel, conversation.chat_id) for conversation in conversations],
    )
