"""Short answers to the staff in their group, in the topic that they wrote in; and who wrote there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.gateway.incoming import Incoming
from bot.gateway.jobs import Queued
from bot.gateway.outgoing import REPLY_TO, THREAD
from crm_store import outbox
from crm_store.conversations.models import Conversation
from crm_store.customers.models import ChannelIdentity
from crm_store.staff.models import StaffAccount, StaffMember
from crm_store.staff.permissions import may

NOT_LINKED = "utter_topic_not_linked"


def tell(
    session: Session,
    *,
    group: Conversation,
    head: Queued,
    response: str,
    params: dict[str, Any] | None = None,
) -> None:
    """Queue an answer to what somebody wrote in a group.

    Args:
        group: the group's conversation.
        head: what they wrote.
        response: name of the answer.
        params: its values.
    """
    item = outbox.enqueue_notice(
        session,
        conversation_id=group.id,
        response=response,
        params=params,
        idempotency_key=f"{response}:{head.inbox_id}",
        correlation_id=head.correlation_id,
    )
    item.content = {**item.content, **placed(head.incoming)}


def placed(incoming: Incoming) -> dict[str, Any]:
    """Where an answer goes, for the content of its row: into the same topic, or to the message itself."""
    if incoming.thread_id:
        return {THREAD: incoming.thread_id}
    return {REPLY_TO: incoming.message_id} if incoming.message_id else {}


def writer(session: Session, *, head: Queued) -> StaffMember | None:
    """The member of staff whose linked account wrote; None for a stranger, and for who no longer works here.

    What a stranger tries is audited.
    """
    account = (ChannelIdentity.channel == head.channel) & (
        ChannelIdentity.external_id == head.incoming.user_id
    )
    staff = session.scalar(
        select(StaffMember)
        .join(StaffAccount, StaffAccount.staff_id == StaffMember.id)
        .join(ChannelIdentity, ChannelIdentity.id == StaffAccount.identity_id)
        .where(account, StaffMember.disabled_at.is_(None))
    )
    if staff is None:
        may(
            session,
            staff=None,
            permission="handoff.reply_own",
            actor=f"account:{head.channel}:{head.incoming.user_id}",
            target_type="group",
            target_id=head.chat_id,
        )
    return staff
