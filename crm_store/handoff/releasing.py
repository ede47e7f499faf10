"""Giving conversations back to the bot, which goes on where it was interrupted and knows what was agreed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.errors import InvalidTransition
from crm_store.handoff.keeping import (
    SYSTEM,
    actor_of,
    locked,
    member_now,
    note,
    require,
    tell_customer,
    words,
)
from crm_store.handoff.models import CLAIMED, RELEASED, Handoff
from crm_store.handoff.rating import ask_for_rating
from crm_store.handoff.resuming import offer_to_go_on
from crm_store.handoff.waiting import end
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.terms import term

RELEASED_RESPONSE, AGREED_RESPONSE = "utter_handoff_released", "utter_handoff_released_agreed"


def release(
    session: Session,
    *,
    handoff_id: int,
    staff: StaffMember,
    agreed: str = "",
    rules: Rules,
    now: datetime | None = None,
) -> Handoff:
    """Give a conversation back to the bot; who gave it back already changes nothing more.

    The customer is told, with what was agreed; a form that was interrupted is offered again, and the survey
    for hand-overs planned. What the bot held back in between leaves afterwards, if it was a notice.

    Args:
        staff: who has it, or who may manage those of others.
        agreed: what was agreed, for the customer, the bot and colleagues.

    Raises:
        Forbidden: it is somebody else's; commit all the same, it is in the audit trail.
        NotFound: there is no such hand-over.
        InvalidTransition: nobody has it: it waits, or it ended in another way.
    """
    conversation, handoff = locked(session, handoff_id=handoff_id)
    # Read under the lock: what the customer wrote while one waited for it was said before the end.
    now = now or utcnow()
    member = member_now(session, staff)
    require_hand(session, member, "handoff.release_own", handoff)
    if handoff.state != CLAIMED:
        if handoff.outcome == RELEASED:
            return handoff
        raise InvalidTransition("nobody has this conversation", state=handoff.state)
    give_back(session, conversation, handoff, by=member, agreed=agreed, rules=rules, now=now)
    return handoff


def give_back(
    session: Session,
    conversation: Conversation,
    handoff: Handoff,
    *,
    by: StaffMember | None,
    agreed: str = "",
    rules: Rules,
    now: datetime,
) -> None:
    """Give a claimed conversation back, both locked.

    Args:
        by: who does it; None where it was idle for too long.
    """
    owner = member_now(session, handoff.owner_id) if handoff.owner_id is not None else None
    agent = (owner.name if owner is not None else "") or term("handoff", "words", "somebody")
    handoff.agreed = words(agreed)
    end(session, conversation, handoff, outcome=RELEASED, now=now)
    data = {"idle": True} if by is None else {"agreed": bool(handoff.agreed)}
    note(session, handoff, "released", actor=actor_of(by) if by else SYSTEM, now=now, data=data)
    params = {"agent": agent} | ({"agreed": handoff.agreed} if handoff.agreed else {})
    response = AGREED_RESPONSE if handoff.agreed else RELEASED_RESPONSE
    tell_customer(session, handoff, response, now=now, params=params)
    offer_to_go_on(session, handoff, now=now)
    ask_for_rating(session, handoff, rules=rules, now=now)


def require_hand(session: Session, staff: StaffMember, permission: str, handoff: Handoff) -> None:
    """Refuse whoever neither has a conversation nor may manage those of others.

    Raises:
        Forbidden: they may not; commit all the same, it is in the audit trail.
    """
    is_own = handoff.owner_id == staff.id
    wanted = permission if is_own else "handoff.manage_any"
    require(session, staff, wanted, handoff_id=handoff.id)
