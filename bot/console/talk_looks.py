"""Looks at conversations: written down, with a reason where the business asks for one.

The page of a conversation, the socket behind it and the files in it ask here alike, so that none of them
shows what another would not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.console.desk import Desk
from bot.console.looking import ReasonMissing, need_reason, shown
from bot.console.talk import has_in_hand
from crm_store.audit import AuditEntry
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.errors import NotFound
from crm_store.handoff import waiting
from crm_store.handoff.models import WAITING
from crm_store.staff.models import StaffMember

VIEWED, CONVERSATION = "conversation.viewed", "conversation"
SEARCHED = "handoff.searched"
#: So long after a look at a conversation further ones belong to it, and its reason holds.
ONE_LOOK = timedelta(hours=1)
MAX_REASON = 200


def is_noted(desk: Desk, *, conversation_id: int) -> bool:
    """Whether a look at a conversation is written down already; where it is not, `note` comes next.

    Raises:
        NotFound: there is no such conversation, or it is none with a customer.
        ReasonMissing: the business wants to know why, and it was not said lately.
    """
    _conversation(desk.session, conversation_id)
    last = _last_look(desk, conversation_id)
    if not _is_free(desk, conversation_id, last):
        raise ReasonMissing(CONVERSATION, conversation_id)
    return last is not None


def note(desk: Desk, *, conversation_id: int, reason: str = "") -> None:
    """Write down that somebody looks at a conversation, and so at a customer.

    Raises:
        NotFound: there is no such conversation, or it is none with a customer.
    """
    _conversation(desk.session, conversation_id)
    if not reason and _last_look(desk, conversation_id) is not None:
        return  # another page of the same person was quicker
    detail: dict[str, object] | None = {"reason": reason[:MAX_REASON]} if reason else None
    desk.audit(VIEWED, target_type=CONVERSATION, target_id=conversation_id, detail=detail)


def need_reason_for_file(desk: Desk, *, conversation_id: int) -> None:
    """Go on to a file of a conversation, a look at which is written down by itself.

    What allows a look at the conversation allows one at its files; so does a reason to look the customer up.

    Raises:
        ReasonMissing: the business wants to know why, and it was not said lately.
    """
    conversation = desk.session.get_one(Conversation, conversation_id)
    if conversation.identity_id is None:
        return  # the staff's own
    if not _is_free(desk, conversation_id, _last_look(desk, conversation_id)):
        need_reason(desk, customer_of(conversation))


def note_search(desk: Desk, *, customers: Iterable[int], reason: str = "") -> None:
    """Write down that somebody searched among the hand-overs; a page that draws itself anew searches once.

    Args:
        customers: whom the search shows.
    """
    detail, page = shown(customers, reason=reason), {"target_type": "page", "target_id": "inbox"}
    last = _last(desk, SEARCHED, **page)
    if last is None or last.detail != detail:
        desk.audit(SEARCHED, **page, detail=detail)


def _conversation(session: Session, conversation_id: int) -> Conversation:
    found = session.get(Conversation, conversation_id)
    if found is None or found.identity_id is None:
        raise NotFound("there is no such conversation")
    return found


def _is_free(desk: Desk, conversation_id: int, last: AuditEntry | None) -> bool:
    if not desk.rules.business.staff.asks_reason or (last is not None and "reason" in last.detail):
        return True
    return _needs_no_reason(desk.session, conversation_id=conversation_id, staff=desk.staff)


def _needs_no_reason(session: Session, *, conversation_id: int, staff: StaffMember) -> bool:
    """Whether somebody looks because the customer waits for a person, or because they have them."""
    handoff = waiting.open_of(session, conversation_id=conversation_id)
    return handoff is not None and (handoff.state == WAITING or has_in_hand(handoff, staff))


def _last_look(desk: Desk, conversation_id: int) -> AuditEntry | None:
    """What is written of the member's look at a conversation a while ago."""
    return _last(desk, VIEWED, target_type=CONVERSATION, target_id=str(conversation_id))


def _last(desk: Desk, action: str, *, target_type: str, target_id: str) -> AuditEntry | None:
    """The member's last entry of an action that belongs to the same look."""
    return desk.session.scalar(
        select(AuditEntry)
        .where(
            AuditEntry.target_type == target_type,
            AuditEntry.target_id == target_id,
            AuditEntry.action == action,
            AuditEntry.actor == desk.actor,
            AuditEntry.at > desk.now - ONE_LOOK,
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
