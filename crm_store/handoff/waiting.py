"""The wish for a person, from its beginning until somebody takes the conversation over or the wish ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business.handoff import Handoff as Limits
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of, lock_conversation
from crm_store.errors import InvalidInput
from crm_store.handoff.keeping import CUSTOMER, change_owner, locked_open, note, tell_customer, words
from crm_store.handoff.models import (
    ANGER,
    ASKED,
    DANGER,
    ENDED,
    LEFT,
    NOT_UNDERSTOOD,
    RULE,
    STAFF,
    VIP,
    WAITING,
    Handoff,
)
from crm_store.handoff.offering import offer
from crm_store.handoff.presence import cap_of, loads, online
from crm_store.handoff.rating import ask_for_rating
from crm_store.handoff.resuming import offer_to_go_on
from crm_store.rules import Rules

#: How urgent a wish is by its reason; the larger, the sooner. In the order of what outranks what.
URGENCY = {DANGER: 100, ANGER: 60, VIP: 50, RULE: 30, ASKED: 20, NOT_UNDERSTOOD: 10, STAFF: 0}
#: From so many of the last hand-overs is read how long things take here.
_LAST = 30
_MINUTE = timedelta(minutes=1)


class Availability(msgspec.Struct, frozen=True):
    """Whether a conversation can be handed over, or a call is offered instead.

    Attributes:
        is_on: the owner wants hand-overs at all.
        within_hours: it is working time.
        agents_online: how many are there to take a conversation over.
    """

    is_on: bool
    within_hours: bool
    agents_online: int


class Estimate(msgspec.Struct, frozen=True):
    """How long somebody will wait.

    Attributes:
        position: their place in the queue, from 1.
        minutes: until a person has them, rounded up; None where nothing is known to go by.
    """

    position: int
    minutes: int | None


def request(
    session: Session,
    *,
    conversation_id: int,
    reason: str,
    topic: str = "",
    inbox_id: int | None = None,
    rules: Rules,
    now: datetime | None = None,
    team: str = "",
    skill: str = "",
    urgency: int | None = None,
) -> Handoff:
    """Ask for a person; the bot goes on answering until one is there.

    The same message again gives what it began. Where a wish is open already it gives that one, more urgent if
    the new reason is. What the customer is told of place and time is up to the caller (`estimate`).

    Args:
        reason: a reason of `crm_store.handoff.models`.
        topic: what it is about, in the customer's words.
        inbox_id: the message that began it.
        team: the team that is asked for; empty for any.
        skill: likewise the skill.
        urgency: the larger, the sooner; by the reason if left out.

    Raises:
        NotFound: there is no such conversation, or it belongs to no customer.
        InvalidInput: there is no such reason.
    """
    now = now or utcnow()
    handoff, is_new = begin(
        session,
        conversation=lock_conversation(session, conversation_id=conversation_id),
        reason=reason,
        topic=topic,
        inbox_id=inbox_id,
        rules=rules,
        now=now,
        team=team,
        skill=skill,
        urgency=urgency,
    )
    if is_new:
        note(session, handoff, "requested", actor=CUSTOMER, now=now, data={"reason": reason})
        offer(session, handoff, rules=rules, now=now)
    return handoff


def begin(
    session: Session,
    *,
    conversation: Conversation,
    reason: str,
    topic: str = "",
    inbox_id: int | None = None,
    rules: Rules,
    now: datetime,
    team: str = "",
    skill: str = "",
    urgency: int | None = None,
) -> tuple[Handoff, bool]:
    """The wish of a message, or the open one of a conversation, or a new one; offered to nobody yet.

    Args:
        conversation: locked.

    Returns:
        The wish, and whether it is new.

    Raises:
        NotFound: the conversation belongs to no customer.
        InvalidInput: there is no such reason.
    """
    if reason not in URGENCY:
        raise InvalidInput(f"{reason} is no reason for a hand-over")
    urgency = URGENCY[reason] if urgency is None else urgency
    if inbox_id is not None:
        known = session.scalar(select(Handoff).where(Handoff.inbox_id == inbox_id))
        if known is not None:
            return known, False
    opened = locked_open(session, conversation=conversation)
    if opened is not None:
        if opened.state == WAITING:
            _raise(opened, reason=reason, topic=topic, team=team, skill=skill, urgency=urgency)
            session.flush()
        return opened, False
    made = Handoff(
        conversation_id=conversation.id,
        customer_id=customer_of(conversation),
        reason=reason,
        topic=words(topic),
        urgency=urgency,
        team=team,
        skill=skill,
        requested_at=now,
        waiting_since=now,
        escalate_at=now + rules.business.handoff.claim_minutes * _MINUTE,
        inbox_id=inbox_id,
    )
    session.add(made)
    session.flush()
    return made, True


def open_of(session: Session, *, conversation_id: int) -> Handoff | None:
    """The hand-over of a conversation that waits or is claimed."""
    return session.scalar(
        select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.state != ENDED)
    )


def last_of(session: Session, *, conversation_id: int) -> Handoff | None:
    """The newest hand-over of a conversation that has ended: what was agreed in it."""
    return session.scalar(
        select(Handoff)
        .where(Handoff.conversation_id == conversation_id, Handoff.state == ENDED)
        .order_by(Handoff.ended_at.desc(), Handoff.id.desc())
        .limit(1)
    )


def can_begin(session: Session, *, rules: Rules, now: datetime | None = None) -> Availability:
    """Whether a conversation can be handed over now."""
    now = now or utcnow()
    return Availability(
        is_on=rules.business.handoff.is_on,
        within_hours=rules.working_time.is_working(now),
        agents_online=len(online(session, rules=rules, now=now)),
    )


def estimate(
    session: Session, *, handoff: Handoff, now: datetime | None = None, rules: Rules | None = None
) -> Estimate:
    """How long a waiting customer still waits: who is before them, who is free, how long things take here.

    Where somebody is free it is as long as it took lately until a conversation was taken over. Else the
    conversations in hand have to end first, each of which takes as long as they did lately.

    Args:
        rules: how many conversations each has at a time; as many as without any settings if left out.
    """
    now = now or utcnow()
    position = _ahead(session, handoff) + 1
    if handoff.state != WAITING:
        return Estimate(0, None)
    free, places = _capacity(session, handoff, rules, now)
    taking, handling = _lately(session)
    if not places or taking is None:
        return Estimate(position, None)
    if position <= free:
        # What is left of the usual time; somebody who waits longer already is next.
        left = taking - (now - handoff.waiting_since)
        return Estimate(position, _minutes(left))
    if handling is None:
        return Estimate(position, None)
    return Estimate(position, _minutes(handling * (position - free) / places + taking))


def leave(
    session: Session, *, conversation_id: int, now: datetime | None = None, rules: Rules | None = None
) -> Handoff | None:
    """End a hand-over because the customer wishes it, whether it waits or is claimed; the bot is back.

    What a person wrote before still reaches the customer, and a form that was interrupted is offered again.

    Args:
        rules: if given, the survey for hand-overs follows a talk with a person.

    Returns:
        The hand-over that ended; None where none was open.
    """
    conversation = lock_conversation(session, conversation_id=conversation_id)
    now = now or utcnow()
    handoff = locked_open(session, conversation=conversation)
    if handoff is None:
        return None
    end(session, conversation, handoff, outcome=LEFT, now=now)
    note(session, handoff, "left", actor=CUSTOMER, now=now)
    tell_customer(session, handoff, "utter_handoff_left", now=now)
    if handoff.claimed_at is not None:  # else the bot has gone on with it all the time
        offer_to_go_on(session, handoff, now=now)
    if rules is not None:
        ask_for_rating(session, handoff, rules=rules, now=now)
    return handoff


def end(
    session: Session, conversation: Conversation, handoff: Handoff, *, outcome: str, now: datetime
) -> None:
    """Close a hand-over, both locked; the conversation is the bot's again."""
    handoff.state, handoff.outcome, handoff.ended_at = ENDED, outcome, now
    handoff.escalate_at = None
    session.flush()
    change_owner(session, conversation, None)


def _raise(handoff: Handoff, *, reason: str, topic: str, team: str, skill: str, urgency: int) -> None:
    if URGENCY[reason] > URGENCY.get(handoff.reason, 0):
        handoff.reason = reason
    handoff.urgency = max(handoff.urgency, urgency)
    handoff.topic = handoff.topic or words(topic)
    handoff.team, handoff.skill = handoff.team or team, handoff.skill or skill


def _ahead(session: Session, handoff: Handoff) -> int:
    """How many come before: the more urgent, and of the same urgency who asked earlier."""
    is_before = (Handoff.urgency > handoff.urgency) | (
        (Handoff.urgency == handoff.urgency)
        & (
            (Handoff.requested_at < handoff.requested_at)
            | ((Handoff.requested_at == handoff.requested_at) & (Handoff.id < handoff.id))
        )
    )
    chosen = select(func.count()).select_from(Handoff).where(Handoff.state == WAITING, is_before)
    if handoff.team:
        chosen = chosen.where(Handoff.team.in_(("", handoff.team)))
    return session.scalar(chosen) or 0


def _capacity(session: Session, handoff: Handoff, rules: Rules | None, now: datetime) -> tuple[int, int]:
    """How many conversations those who are there can still take, and how many they have room for in all."""
    limits = rules.business.handoff if rules else Limits()
    there = online(session, rules=rules, team=handoff.team, skill=handoff.skill, now=now)
    taken = loads(session)
    room = [(cap_of(one, limits), taken.get(one.id, 0)) for one in there]
    return sum(max(0, cap - has) for cap, has in room), sum(cap for cap, _ in room)


def _lately(session: Session) -> tuple[timedelta | None, timedelta | None]:
    """How long it took lately until a hand-over was claimed, and how long a person then had it."""
    claims = session.execute(
        select(Handoff.waiting_since, Handoff.claimed_at)
        .where(Handoff.claimed_at.is_not(None), Handoff.reason != STAFF, Handoff.state != WAITING)
        .order_by(Handoff.id.desc())
        .limit(_LAST)
    ).tuples()
    taking = [claimed - since for since, claimed in claims if claimed is not None]
    ends = session.execute(
        select(Handoff.claimed_at, Handoff.ended_at)
        .where(Handoff.claimed_at.is_not(None), Handoff.state == ENDED)
        .order_by(Handoff.id.desc())
        .limit(_LAST)
    ).tuples()
    handling = [ended - claimed for claimed, ended in ends if claimed is not None and ended is not None]
    return _median(taking), _median(handling)


def _median(spans: list[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(max(span.total_seconds(), 0) for span in spans)) if spans else None


def _minutes(span: timedelta) -> int:
    """Whole minutes, rounded up, at least one."""
    return max(1, -(-span // _MINUTE))
