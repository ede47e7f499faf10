"""What becomes of hand-overs by itself: offered in turn, escalated, ended with a promise, given back.

Each is a unit of work of its own, and looked at once more under its locks: several processes may do this at
the same time, and people may be quicker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.db import Database
from crm_store.handoff.board import BY_CUSTOMER, BY_STAFF, last_spoken
from crm_store.handoff.keeping import (
    SUBJECT,
    SYSTEM,
    Case,
    locked,
    name_of,
    note,
    staff_notice_key,
    tell_customer,
)
from crm_store.handoff.models import CLAIMED, EXPIRED, WAITING, Handoff
from crm_store.handoff.offering import UNKNOWN, offer
from crm_store.handoff.presence import LASTS, ONLINE
from crm_store.handoff.promise import promised_by
from crm_store.handoff.rating import ask_for_rating
from crm_store.handoff.releasing import give_back
from crm_store.handoff.resuming import offer_to_go_on
from crm_store.handoff.service import promise_call, tell_of_callback
from crm_store.handoff.transferring import wait_again
from crm_store.handoff.waiting import end
from crm_store.persian import deadline_text, to_persian_digits
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import PERMISSIONS
from crm_store.staff.phones import groups_see_phones, said, sees_phones
from crm_store.staff.telling import tell_groups, tell_role

UNCLAIMED = "utter_staff_handoff_unclaimed"
EXPIRED_RESPONSE, OFFER_CALL = "utter_handoff_expired", "utter_handoff_out_of_hours"
#: By so much more urgent is who was not claimed in time.
RISES_BY = 10
#: What a customer says so soon after the last answer is thanks or a farewell, and asks for no other one.
_LAST_WORD = timedelta(minutes=15)
_ABOVE = ("supervisor", "admin")
_AT_ONCE = 200

Step = Callable[[Session, Case, Rules, datetime], bool]


def look_after(database: Database, *, rules: Rules, now: datetime) -> Counter[str]:
    """Do what has become due for all hand-overs; returns how often what was done."""
    limits = rules.business.handoff
    steps: list[tuple[str, ColumnElement[bool], Step]] = [
        ("orphaned", _owner_is_gone(), _put_back),
        ("unanswered", and_(_is_old(limits.idle_minutes, now), _owner_is_away(now)), _put_back_unanswered),
        ("idle", _is_old(limits.idle_minutes, now), _give_back_idle),
    ]
    if limits.expire_minutes:
        steps.append(("expired", _waits_since(limits.expire_minutes, now), _expire))
    steps += [
        ("escalated", and_(Handoff.state == WAITING, Handoff.escalate_at <= now), _escalate),
        ("offered", _is_not_offered(limits.claim_minutes, now), _offer),
    ]
    done: Counter[str] = Counter()
    for name, is_due, step in steps:
        with database.read() as session:
            due = session.scalars(
                select(Handoff.id).where(is_due).order_by(Handoff.requested_at, Handoff.id).limit(_AT_ONCE)
            ).all()
        for handoff_id in due:
            with database.write() as session:
                done[name] += _still(session, handoff_id, is_due) and step(
                    session, locked(session, handoff_id=handoff_id), rules, now
                )
    return +done


def _still(session: Session, handoff_id: int, is_due: ColumnElement[bool]) -> bool:
    """Whether something is still due, looked at under the locks."""
    locked(session, handoff_id=handoff_id)
    return session.scalar(select(Handoff.id).where(Handoff.id == handoff_id, is_due)) is not None


def _escalate(session: Session, case: Case, rules: Rules, now: datetime) -> bool:
    """Tell those above that nobody has claimed it, and let it be more urgent."""
    handoff = case.handoff
    handoff.escalated += 1
    handoff.urgency += RISES_BY
    handoff.escalate_at = now + timedelta(minutes=rules.business.handoff.claim_minutes)
    session.flush()
    waited = max(1, int((now - handoff.waiting_since).total_seconds() // 60))
    params = {
        "count": _waiting(session),
        "name": name_of(session, customer_id=handoff.customer_id) or UNKNOWN,
        "minutes": to_persian_digits(waited),
        "handoff": handoff.id,
        "number": handoff.id,
    }
    key = f"{staff_notice_key(handoff.id)}unclaimed:{handoff.escalated}"

    def told(*, is_whole: bool) -> dict[str, Any]:
        topic = said(handoff.topic, is_whole=is_whole)[:120] or UNKNOWN
        return {"response": UNCLAIMED, "key": key, "params": {**params, "topic": topic}}

    is_told = any(
        tell_role(session, role=role, **told(is_whole=sees_phones(rules, role=role))) for role in _ABOVE
    )
    if not is_told:
        tell_groups(session, groups=rules.groups, **told(is_whole=groups_see_phones(rules)))
    note(session, handoff, "escalated", actor=SYSTEM, now=now, data={"step": handoff.escalated})
    return True


def _expire(session: Session, case: Case, rules: Rules, now: datetime) -> bool:
    """End a wish that nobody met: a call is promised, or offered where no number is known."""
    conversation, handoff = case
    end(session, conversation, handoff, outcome=EXPIRED, now=now)
    due_at = promised_by(now, rules.business.call_hours, rules.timezone)
    call = promise_call(session, conversation_id=conversation.id, topic=handoff.topic, due_at=due_at, now=now)
    due_at = call.due_at or due_at if call else due_at
    note(session, handoff, "expired", actor=SYSTEM, now=now, data={"call": call is not None})
    tell_customer(
        session,
        handoff,
        EXPIRED_RESPONSE if call else OFFER_CALL,
        now=now,
        params={"deadline": deadline_text(due_at, now=now, tz=rules.timezone)},
    )
    if call is not None:
        tell_of_callback(session, call, rules=rules)
    if handoff.claimed_at is not None:  # it was passed on after somebody had it
        offer_to_go_on(session, handoff, now=now)
        ask_for_rating(session, handoff, rules=rules, now=now)
    return True


def _give_back_idle(session: Session, case: Case, rules: Rules, now: datetime) -> bool:
    """Give back what nobody has said a word in for long."""
    conversation, handoff = case
    since = now - timedelta(minutes=rules.business.handoff.idle_minutes)
    spoken = last_spoken(session, conversation_id=conversation.id)
    if spoken is not None and spoken > since:
        return False
    give_back(session, conversation, handoff, by=None, rules=rules, now=now)
    return True


def _put_back(session: Session, case: Case, rules: Rules, now: datetime) -> bool:
    """Let somebody else have what belongs to who may have none any more."""
    wait_again(session, case.conversation, case.handoff, rules=rules, now=now)
    return True


def _put_back_unanswered(session: Session, case: Case, rules: Rules, now: datetime) -> bool:
    """Let somebody else have a customer who writes in vain to a person who is not there."""
    conversation, handoff = case
    answered = last_spoken(session, conversation_id=conversation.id, by=(BY_STAFF,))
    asked = last_spoken(session, conversation_id=conversation.id, by=(BY_CUSTOMER,))
    if handoff.claimed_at is None or asked is None:
        return False
    heard = max(answered or handoff.claimed_at, handoff.claimed_at)
    is_long_ago = heard <= now - timedelta(minutes=rules.business.handoff.idle_minutes)
    if not is_long_ago or asked < heard + _LAST_WORD:
        return False
    return _put_back(session, case, rules, now)


def _offer(session: Session, case: Case, rules: Rules, now: datetime) -> bool:
    """Offer it to the next one, if anybody is there."""
    before = case.handoff.offered_to_id, case.handoff.offered_at
    chosen = offer(session, case.handoff, rules=rules, now=now)
    if chosen is None:
        # Nobody is there: whoever comes is offered it as soon as they are.
        case.handoff.offered_to_id, case.handoff.offered_at = None, before[1]
        session.flush()
    return chosen is not None


def _takes_none() -> ColumnElement[bool]:
    """Whether a member of staff no longer works here, or has a role that takes no conversations over."""
    return or_(StaffMember.disabled_at.is_not(None), StaffMember.role.not_in(PERMISSIONS["handoff.claim"]))


def _owner_is_gone() -> ColumnElement[bool]:
    gone = select(StaffMember.id).where(_takes_none())
    return and_(Handoff.state == CLAIMED, Handoff.owner_id.in_(gone))


def _owner_is_away(now: datetime) -> ColumnElement[bool]:
    """Whether the owner takes no conversations over at this moment, or has not said so for too long."""
    is_there = and_(StaffMember.presence == ONLINE, StaffMember.presence_at > now - LASTS)
    there = select(StaffMember.id).where(is_there)
    return and_(Handoff.state == CLAIMED, Handoff.owner_id.not_in(there))


def _is_old(minutes: int, now: datetime) -> ColumnElement[bool]:
    """What somebody has had for so long: neither claimed nor passed on to them later."""
    since = now - timedelta(minutes=minutes)
    is_passed_on = exists().where(
        Activity.customer_id == Handoff.customer_id,
        Activity.subject_type == SUBJECT,
        Activity.subject_id == Handoff.id,
        Activity.kind == "handoff.transferred",
        Activity.at > since,
    )
    return and_(Handoff.state == CLAIMED, Handoff.claimed_at <= since, ~is_passed_on)


def _waits_since(minutes: int, now: datetime) -> ColumnElement[bool]:
    return and_(Handoff.state == WAITING, Handoff.waiting_since <= now - timedelta(minutes=minutes))


def _is_not_offered(minutes: int, now: datetime) -> ColumnElement[bool]:
    """What waits and was offered to nobody, too long ago, or to somebody who has gone since.

    A colleague may pass on to somebody who is not there: it is theirs first all the same.
    """
    has_left = and_(StaffMember.presence != ONLINE, StaffMember.presence_at > Handoff.offered_at)
    has_gone = exists().where(StaffMember.id == Handoff.offered_to_id, or_(has_left, _takes_none()))
    return and_(
        Handoff.state == WAITING,
        or_(
            Handoff.offered_to_id.is_(None),
            Handoff.offered_at <= now - timedelta(minutes=minutes),
            has_gone,
        ),
    )


def _waiting(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Handoff).where(Handoff.state == WAITING)) or 0
