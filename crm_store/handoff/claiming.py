"""Taking conversations over: of several who try at once one succeeds, and the others hear who it is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.service import lock_conversation
from crm_store.errors import AlreadyClaimed, CapReached, InvalidTransition
from crm_store.handoff.keeping import (
    Case,
    actor_of,
    change_owner,
    introduce,
    locked,
    member_now,
    note,
    remember_interrupted,
    require,
)
from crm_store.handoff.models import CLAIMED, ENDED, STAFF, WAITING, Handoff
from crm_store.handoff.offering import fits
from crm_store.handoff.presence import has_room
from crm_store.handoff.releasing import release
from crm_store.handoff.transferring import transfer
from crm_store.handoff.waiting import begin
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember

__all__ = ["claim", "next_for", "release", "take_over", "transfer"]

#: So many of the queue are tried, where others are quicker.
_TRIES = 50


def claim(
    session: Session, *, handoff_id: int, staff: StaffMember, rules: Rules, now: datetime | None = None
) -> Handoff:
    """Take a waiting conversation over; who has it already keeps it, and nothing changes.

    From now on the bot is silent: what it was about to say is held back when it would leave
    (`crm_store.handoff.leaving`). The customer hears who is there.

    Args:
        staff: who takes it, as of any unit of work; what they may is read anew.

    Raises:
        Forbidden: they take none over; commit all the same, it is in the audit trail.
        NotFound: there is no such hand-over.
        AlreadyClaimed: somebody else has it.
        InvalidTransition: it has ended.
        CapReached: they have as many as they may.
    """
    now = now or utcnow()
    require(session, member_now(session, staff), "handoff.claim", handoff_id=handoff_id)
    return _take(session, locked(session, handoff_id=handoff_id), staff, rules, now)


def take_over(
    session: Session, *, conversation_id: int, staff: StaffMember, rules: Rules, now: datetime | None = None
) -> Handoff:
    """Take a conversation over without the customer's wish, or the one that waits there.

    Raises:
        Forbidden: they take none over; commit all the same, it is in the audit trail.
        NotFound: there is no such conversation, or it belongs to no customer.
        AlreadyClaimed: somebody else has it.
        CapReached: they have as many as they may.
    """
    now = now or utcnow()
    member = member_now(session, staff)
    require(session, member, "handoff.claim", handoff_id=f"conversation:{conversation_id}")
    conversation = lock_conversation(session, conversation_id=conversation_id)
    handoff, is_new = begin(session, conversation=conversation, reason=STAFF, rules=rules, now=now)
    if is_new:
        note(session, handoff, "requested", actor=actor_of(member), now=now, data={"reason": STAFF})
    return _take(session, Case(conversation, handoff), staff, rules, now)


def next_for(
    session: Session, *, staff: StaffMember, rules: Rules, now: datetime | None = None
) -> Handoff | None:
    """Take over the most urgent conversation that waits for somebody like this, of these the oldest.

    Returns:
        The hand-over, claimed; None where none waits for them.

    Raises:
        Forbidden: they take none over; commit all the same, it is in the audit trail.
        CapReached: they have as many as they may.
    """
    now = now or utcnow()
    member = member_now(session, staff)
    require(session, member, "handoff.claim", handoff_id="")
    if not has_room(session, staff=member, rules=rules):
        raise CapReached("this member of staff has as many conversations as they may")
    waiting = session.scalars(
        select(Handoff)
        .where(Handoff.state == WAITING)
        .order_by(Handoff.urgency.desc(), Handoff.requested_at, Handoff.id)
        .limit(_TRIES)
    ).all()
    for handoff_id in [one.id for one in waiting if fits(member, one, rules)]:
        try:
            return claim(session, handoff_id=handoff_id, staff=member, rules=rules, now=now)
        except (AlreadyClaimed, InvalidTransition):
            continue  # somebody was quicker
    return None


def _take(session: Session, case: Case, staff: StaffMember, rules: Rules, now: datetime) -> Handoff:
    conversation, handoff = case
    if handoff.state == CLAIMED and handoff.owner_id == staff.id:
        return handoff
    _check_is_free(session, handoff)
    member = member_now(session, staff, is_locked=True)
    if not has_room(session, staff=member, rules=rules):
        raise CapReached("this member of staff has as many conversations as they may")
    # The locks alone make it safe; that only who waits is taken is said in the statement all the same.
    taken = session.scalar(
        update(Handoff)
        .where(Handoff.id == handoff.id, Handoff.state == WAITING)
        .values(state=CLAIMED, owner_id=member.id, claimed_at=now, escalate_at=None)
        .returning(Handoff.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(handoff)
    if taken is None:
        _check_is_free(session, handoff)
    change_owner(session, conversation, member.id)
    remember_interrupted(session, handoff)
    note(session, handoff, "claimed", actor=actor_of(member), now=now, data={"reason": handoff.reason})
    introduce(session, case, member, now=now)
    return handoff


def _check_is_free(session: Session, handoff: Handoff) -> None:
    """Raise where a hand-over does not wait."""
    if handoff.state == ENDED:
        raise InvalidTransition("this hand-over has ended", state=ENDED)
    if handoff.state == CLAIMED and handoff.owner_id is not None:
        raise AlreadyClaimed(handoff.owner_id, member_now(session, handoff.owner_id).name)
