"""Passing conversations on: to a colleague who is there, to one who will be, or to a team."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import STAFF_ONLY, Conversation
from crm_store.conversations.service import add_message
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.handoff.keeping import (
    Case,
    actor_of,
    change_owner,
    introduce,
    locked,
    member_now,
    note,
    remember_interrupted,
    tell_customer,
    words,
)
from crm_store.handoff.models import CLAIMED, ENDED, WAITING, Handoff
from crm_store.handoff.offering import offer, tell_given
from crm_store.handoff.presence import LASTS, ONLINE, has_room
from crm_store.handoff.releasing import require_hand
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import has_permission

TO_TEAM = "utter_handoff_transferred_team"


def transfer(
    session: Session,
    *,
    handoff_id: int,
    staff: StaffMember,
    to_staff_id: int | None = None,
    to_team: str = "",
    note: str = "",
    rules: Rules,
    now: datetime | None = None,
) -> Handoff:
    """Pass a conversation on, to a colleague or to a team.

    A colleague who is online and may take one more has it at once, and is told so in their chat. Else it
    waits again, offered to them first, and meanwhile the bot answers; likewise for a team.

    Args:
        staff: who has it, or who may manage those of others; they may pass on what waits too.
        to_staff_id: the colleague; either this or the team.
        to_team: one of the owner's teams.
        note: for whoever gets it; the customer does not see it.

    Raises:
        Forbidden: it is somebody else's; commit all the same, it is in the audit trail.
        NotFound: there is no such hand-over or colleague.
        InvalidInput: neither or both were named, they take no conversations over, they have it already, or
            there is no such team.
        InvalidTransition: it has ended.
    """
    now = now or utcnow()
    conversation, handoff = locked(session, handoff_id=handoff_id)
    member = member_now(session, staff)
    require_hand(session, member, "handoff.transfer_own", handoff)
    if handoff.state == ENDED:
        raise InvalidTransition("this hand-over has ended", state=ENDED)
    if (to_staff_id is None) == (not to_team):
        raise InvalidInput("name a colleague or a team")
    colleague = _colleague(session, handoff, to_staff_id) if to_staff_id is not None else None
    if to_team and to_team not in rules.business.handoff.teams:
        raise InvalidInput(f"there is no team {to_team}")
    data = {"from": handoff.owner_id, "to": to_staff_id, "team": to_team}
    if note.strip():
        add_message(
            session,
            conversation_id=conversation.id,
            author=actor_of(member),
            text=words(note),
            audience=STAFF_ONLY,
            extra={"whisper": True},
            now=now,
        )
    was_claimed = handoff.state == CLAIMED
    if colleague is not None and _can_take(session, colleague, rules, now):
        _hand(session, conversation, handoff, colleague, now)
        _note(session, handoff, member, data, now)
        case = Case(conversation, handoff)
        introduce(session, case, colleague, is_passed_on=was_claimed, now=now)
        tell_given(session, case, colleague, by=member, rules=rules)
        return handoff
    _put_back(session, conversation, handoff, rules, now)
    if to_team:
        handoff.team = to_team
    _note(session, handoff, member, data, now)
    offer(session, handoff, rules=rules, now=now, to=colleague)
    if was_claimed:
        tell_customer(session, handoff, TO_TEAM, now=now, cause=conversation.ownership)
    return handoff


def wait_again(
    session: Session, conversation: Conversation, handoff: Handoff, *, rules: Rules, now: datetime
) -> None:
    """Put a claimed conversation back into the queue: its owner has left, or may have none any more."""
    _put_back(session, conversation, handoff, rules, now)
    _note(session, handoff, None, {}, now)
    offer(session, handoff, rules=rules, now=now)
    tell_customer(session, handoff, TO_TEAM, now=now, cause=conversation.ownership)


def _colleague(session: Session, handoff: Handoff, staff_id: int) -> StaffMember:
    colleague = member_now(session, staff_id, is_locked=True)
    if not has_permission(colleague, "handoff.claim"):
        raise InvalidInput("this member of staff takes no conversations over")
    if handoff.state == CLAIMED and handoff.owner_id == colleague.id:
        raise InvalidInput("this member of staff has the conversation already")
    return colleague


def _can_take(session: Session, colleague: StaffMember, rules: Rules, now: datetime) -> bool:
    seen_at = colleague.presence_at
    is_there = colleague.presence == ONLINE and seen_at is not None and seen_at > now - LASTS
    return is_there and has_room(session, staff=colleague, rules=rules)


def _hand(
    session: Session, conversation: Conversation, handoff: Handoff, colleague: StaffMember, now: datetime
) -> None:
    """Give it to a colleague at once; how long the customer waited is as it was."""
    handoff.owner_id, handoff.state, handoff.escalate_at = colleague.id, CLAIMED, None
    handoff.claimed_at = handoff.claimed_at or now
    handoff.offered_to_id, handoff.offered_at = None, None
    session.flush()
    change_owner(session, conversation, colleague.id)
    remember_interrupted(session, handoff)


def _put_back(
    session: Session, conversation: Conversation, handoff: Handoff, rules: Rules, now: datetime
) -> None:
    handoff.state, handoff.owner_id, handoff.waiting_since = WAITING, None, now
    handoff.offered_to_id, handoff.offered_at = None, None
    handoff.escalate_at = now + timedelta(minutes=rules.business.handoff.claim_minutes)
    session.flush()
    change_owner(session, conversation, None)


def _note(
    session: Session,
    handoff: Handoff,
    by: StaffMember | None,
    data: dict[str, int | str | None],
    now: datetime,
) -> None:
    told = {name: value for name, value in data.items() if value}
    note(session, handoff, "transferred", actor=actor_of(by), now=now, data=told)
