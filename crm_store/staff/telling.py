"""Tells members of staff of something: in their own chat, or in the group that the bot was added to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.conversations.models import Conversation
from crm_store.conversations.service import find_conversation
from crm_store.customers.models import ChannelIdentity
from crm_store.outbox import enqueue_notice
from crm_store.staff.models import StaffAccount, StaffMember

#: The one messenger whose group gets a notice under the plain key; others have the channel's name behind it.
_PLAIN_KEY = "telegram"


def tell_member(
    session: Session,
    *,
    staff_id: int,
    response: str,
    key: str,
    params: dict[str, Any] | None = None,
    correlation_id: str = "",
) -> bool:
    """Queue a notice for one member of staff, in the chat that they linked last.

    Args:
        response: name of the notice's response.
        key: names the cause; the same key again tells the same member nothing twice.
        params: values for its placeholders.

    Returns:
        False when they have no account that can be reached, or no longer work here.
    """
    conversation_id = _chat_of(session, staff_id)
    if conversation_id is None:
        return False
    enqueue_notice(
        session,
        conversation_id=conversation_id,
        response=response,
        idempotency_key=f"{key}:staff:{staff_id}",
        params=params,
        correlation_id=correlation_id,
    )
    return True


def tell_member_or_groups(
    session: Session,
    *,
    staff_id: int | None,
    groups: Iterable[tuple[str, str]],
    response: str,
    key: str,
    params: dict[str, Any] | None = None,
) -> bool:
    """Queue a notice for one member of staff; for the staff's groups if it is nobody who can be reached.

    Args:
        groups: channel and chat id of each, as in `tell_groups`.

    Returns:
        Whether the member is told.
    """
    said: dict[str, Any] = {"response": response, "key": key, "params": params}
    if staff_id is not None and tell_member(session, staff_id=staff_id, **said):
        return True
    tell_groups(session, groups=groups, **said)
    return False


def can_be_reached(session: Session, *, staff_id: int) -> bool:
    """Whether a member of staff works here and has a chat in which notices reach them."""
    return _chat_of(session, staff_id) is not None


def _chat_of(session: Session, staff_id: int) -> int | None:
    """The conversation of the account that a member of staff linked last, among those that can be reached."""
    return session.scalar(
        select(Conversation.id)
        .join(StaffAccount, Conversation.identity_id == StaffAccount.identity_id)
        .join(ChannelIdentity, ChannelIdentity.id == StaffAccount.identity_id)
        .join(StaffMember, StaffMember.id == StaffAccount.staff_id)
        .where(
            StaffMember.id == staff_id,
            StaffMember.disabled_at.is_(None),
            ChannelIdentity.blocked_at.is_(None),
        )
        .order_by(StaffAccount.linked_at.desc(), Conversation.id.desc())
        .limit(1)
    )


def tell_role(
    session: Session,
    *,
    role: str,
    response: str,
    key: str,
    params: dict[str, Any] | None = None,
    correlation_id: str = "",
) -> int:
    """Queue a notice for everybody who has a role; returns how many of them can be reached."""
    ids = session.scalars(
        select(StaffMember.id)
        .where(StaffMember.role == role, StaffMember.disabled_at.is_(None))
        .order_by(StaffMember.id)
    ).all()
    said: dict[str, Any] = {"response": response, "key": key, "params": params}
    return sum(tell_member(session, staff_id=one, correlation_id=correlation_id, **said) for one in ids)


def tell_groups(
    session: Session,
    *,
    groups: Iterable[tuple[str, str]],
    response: str,
    key: str,
    params: dict[str, Any] | None = None,
    correlation_id: str = "",
) -> int:
    """Queue a notice for the staff's groups (`crm_store.rules.Rules.groups`).

    Args:
        groups: channel and chat id of each.

    Returns:
        How many of them have been heard of: a group that the bot was not added to gets nothing.
    """
    told = 0
    for channel, chat_id in groups:
        group = find_conversation(session, channel=channel, chat_id=chat_id)
        if group is not None:
            enqueue_notice(
                session,
                conversation_id=group.id,
                response=response,
                idempotency_key=key if channel == _PLAIN_KEY else f"{key}:{channel}",
                params=params,
                correlation_id=correlation_id,
            )
            told += 1
    return told
