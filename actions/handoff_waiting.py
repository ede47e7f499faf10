"""Calling a person in the middle of the dialogue: whether one comes, and what is told of place and time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import promises
from actions.base import Event, Reply, environment, keep_form_waiting
from actions.texts import Rich, button, fragment
from actions.turn import CALLBACK_OFFERS, Turn
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.handoff import waiting
from crm_store.handoff.models import ANGER, ASKED, DANGER, LEFT, NOT_UNDERSTOOD, RULE, VIP, Handoff
from crm_store.handoff.models import WAITING as WAITS
from crm_store.handoff.triggers import Occasion, why_person
from crm_store.inbox import InboxItem
from crm_store.persian import opening_text, to_persian_digits
from crm_store.privacy.service import erasure_waits
from crm_store.staff.accounts import staff_in
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import PERMISSIONS
from crm_store.terms import term, terms

#: What is said when a person was called, by the reason.
CALLED = {
    ASKED: "utter_handoff_waiting",
    NOT_UNDERSTOOD: "utter_handoff_waiting_unclear",
    ANGER: "utter_handoff_waiting_anger",
    DANGER: "utter_handoff_waiting_danger",
    VIP: "utter_handoff_waiting_vip",
    RULE: "utter_handoff_waiting_rule",
}
#: What is said while one waits.
STILL, PLACE = "utter_handoff_still_waiting", "utter_handoff_place"
#: A no straight after one of these ends the waiting.
TELLS_OF_WAITING = (*CALLED.values(), STILL, PLACE)
#: Nobody who has just ended it, or was just given back, is handed over again without being asked.
LEFT_IN_PEACE = timedelta(hours=1)
#: A wish in so few words does not say what it is about: «اپراتور لطفاً».
WORDS_OF_A_WISH = 4
#: From so many minutes on hours are told.
MANY_MINUTES = 90


def waiting_in(turn: Turn, session: Session) -> Handoff | None:
    """The hand-over for which this customer waits; None once somebody is there."""
    found = waiting.open_of(session, conversation_id=turn.conversation_id)
    return found if found is not None and found.state == WAITS else None


def is_told(turn: Turn, reply: Reply) -> bool:
    """Whether this message has been answered already with a person who comes."""
    return not {*CALLED.values()}.isdisjoint({*turn.said, *reply.said})


def hand_over(
    turn: Turn,
    session: Session,
    reply: Reply,
    *,
    asked: bool = False,
    failures: int = 0,
    intent: str = "",
    category: str = "",
    complaint_filed: bool = False,
) -> bool:
    """Call a person where one is due and there, and tell place and time.

    Where the customer waits already the wish only becomes more urgent. The same message again does the same.

    Args:
        asked: the customer asks for one.
        failures: messages in a row that were not understood, this one included.
        intent: what the customer wants, if not what the message was understood as.
        category: of a complaint that was filed now.
        complaint_filed: whether one was filed now.

    Returns:
        Whether somebody comes and it was said in answer to this message.
    """
    if is_told(turn, reply):
        return True
    occasion = _occasion(
        turn,
        session,
        asked=asked,
        failures=failures,
        intent=intent,
        category=category,
        complaint_filed=complaint_filed,
    )
    if occasion is None or not _may_begin(turn, session, occasion):
        return False
    handoff = waiting.request(
        session,
        conversation_id=turn.conversation_id,
        reason=occasion.reason,
        topic=_topic(turn, occasion.reason),
        inbox_id=turn.inbox_id,
        rules=environment().rules,
        team=occasion.team,
        skill=occasion.skill,
        urgency=occasion.urgency,
    )
    if handoff.inbox_id != turn.inbox_id or handoff.state != WAITS:
        return False
    # Whoever asked need not be told of a rule that says to whom.
    reason = ASKED if asked and occasion.reason == RULE else occasion.reason
    tell_place(session, reply, handoff, CALLED[reason])
    return True


def somebody_is_there(session: Session, *, at_any_hour: bool = False) -> bool:
    """Whether a person can be called now; in danger also out of working time."""
    there = waiting.can_begin(session, rules=environment().rules)
    return there.is_on and there.agents_online > 0 and (there.within_hours or at_any_hour)


def talk_here(session: Session) -> list[dict[str, str]] | None:
    """The button beside the offer of a call, where somebody is there to talk to; else None."""
    if not somebody_is_there(session):
        return None
    return [button(term("handoff", "buttons", "talk_here") or "", "request_human")]


def offer_call_instead(
    turn: Turn,
    session: Session,
    reply: Reply,
    *,
    heard: Collection[str] = (),
    intent: str = "",
    category: str = "",
    complaint_filed: bool = False,
) -> None:
    """Offer a call to whom a person would be called for if one were there, unless either is coming.

    It is the last thing said, so that a yes means it. Who was offered one lately is not asked again, whatever
    they said to it; nor is who is about to be forgotten.

    Args:
        heard: what was heard in earlier messages about the same matter: ``danger``, ``urgency``, ``anger``.
        intent: as in `hand_over`.
        category: as in `hand_over`.
        complaint_filed: as in `hand_over`.
    """
    offered = {*turn.lately, *reply.said} & CALLBACK_OFFERS
    if offered or is_told(turn, reply):
        return
    occasion = _occasion(
        turn, session, heard=heard, intent=intent, category=category, complaint_filed=complaint_filed
    )
    if occasion is None or not _has_people(session) or somebody_is_there(session):
        return
    customer_id = customer_of(session.get_one(Conversation, turn.conversation_id))
    is_called = waiting.open_of(session, conversation_id=turn.conversation_id) is not None
    is_colleague = staff_in(session, conversation_id=turn.conversation_id) is not None
    if is_called or is_colleague or erasure_waits(session, customer_id=customer_id):
        return
    promised = promises.open_callback(turn, session)
    if promised is None:
        offer_call(session, reply, is_asked=False)
    elif not promises.call_is_coming(turn, session):
        promises.tell_promise(turn, session, reply, promised)


def offer_call(session: Session, reply: Reply, *, is_asked: bool = True) -> None:
    """Offer a call, with the hours where it is none of them, and a talk here where somebody is there.

    Args:
        is_asked: whether somebody asked for a person.
    """
    opens, deadline = opens_at(session), promises.next_deadline()
    if opens is not None:
        reply.utter("utter_handoff_closed", opens=opens, deadline=deadline)
    elif is_asked:
        reply.utter("utter_offer_callback", deadline=deadline, buttons=talk_here(session))
    else:
        reply.utter("utter_call_instead", deadline=deadline)


def opens_at(session: Session) -> str | None:
    """From when on somebody is there, in words; None within working time, or where nobody takes over."""
    rules, now = environment().rules, utcnow()
    there = waiting.can_begin(session, rules=rules, now=now)
    if not there.is_on or there.within_hours or not _has_people(session):
        return None
    return opening_text(rules.working_time.next_start(now), now=now, tz=rules.timezone)


def tell_place(session: Session, reply: Reply, handoff: Handoff, response: str) -> None:
    """Tell a waiting customer their place in the queue, and how long it takes."""
    estimate = waiting.estimate(session, handoff=handoff, rules=environment().rules)
    place = _ordinal(estimate.position)
    if response == STILL:
        reply.utter(response, place=place)
    else:
        reply.utter(response, place=place, minutes_line=_minutes_line(estimate.minutes))


def answer_unclear(turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
    """Answer what was not understood where a person comes or should; None where nobody does."""
    handoff = waiting_in(turn, session)
    is_new = is_told(turn, reply)
    if handoff is not None and not is_new:
        tell_place(session, reply, handoff, STILL)
        return []
    if is_new or hand_over(turn, session, reply, failures=turn.failures + 1):
        return keep_form_waiting(turn)
    return None


def leave(turn: Turn, session: Session) -> bool:
    """End the waiting as the customer wishes, which a notice tells; whether there was anything to end.

    What this very message has ended counts, too.
    """
    left = waiting.leave(session, conversation_id=turn.conversation_id, rules=environment().rules)
    return left is not None or _was_left_by(turn, session)


def _was_left_by(turn: Turn, session: Session) -> bool:
    last = waiting.last_of(session, conversation_id=turn.conversation_id)
    if last is None or last.outcome != LEFT or last.ended_at is None:
        return False
    return last.ended_at >= session.get_one(InboxItem, turn.inbox_id).received_at


def _occasion(
    turn: Turn, session: Session, *, heard: Collection[str] = (), intent: str = "", **what: Any
) -> Occasion | None:
    """What a person is needed for, by this message, what was heard before it, and who writes."""
    customer = session.get_one(Customer, customer_of(session.get_one(Conversation, turn.conversation_id)))
    return why_person(
        rules=environment().rules,
        signals={*turn.strong, *heard},
        tier=customer.tier,
        intent=intent or turn.intent,
        **what,
    )


def _may_begin(turn: Turn, session: Session, occasion: Occasion) -> bool:
    """Whether somebody is there for it, and it does not come upon somebody who has just had enough."""
    if waiting.open_of(session, conversation_id=turn.conversation_id) is not None:
        return True
    if staff_in(session, conversation_id=turn.conversation_id) is not None:
        return False
    if not somebody_is_there(session, at_any_hour=occasion.reason == DANGER):
        return False
    return occasion.reason in (ASKED, DANGER) or not _is_too_soon(turn, session, occasion.reason)


def _is_too_soon(turn: Turn, session: Session, reason: str) -> bool:
    last = waiting.last_of(session, conversation_id=turn.conversation_id)
    if last is None or last.ended_at is None or last.inbox_id == turn.inbox_id:
        return False
    is_fresh = last.ended_at > utcnow() - LEFT_IN_PEACE
    return is_fresh and (last.outcome == LEFT or reason == RULE)


def _topic(turn: Turn, reason: str) -> str:
    """What it is about, in the customer's words: what came before where the wish itself says nothing."""
    says_nothing = not turn.text or (reason == ASKED and turn.word_count <= WORDS_OF_A_WISH)
    return (turn.previous.text or turn.text) if says_nothing else turn.text


def _has_people(session: Session) -> bool:
    """Whether anybody of the staff takes conversations over at all."""
    takes_over = StaffMember.role.in_(PERMISSIONS["handoff.claim"])
    someone = select(StaffMember.id).where(takes_over, StaffMember.disabled_at.is_(None)).limit(1)
    return session.scalar(someone) is not None


def _ordinal(place: int) -> str:
    """A place in the queue in words, as far as there are words for it."""
    ordinals = terms("handoff")["ordinals"]
    return ordinals[place - 1] if 1 <= place <= len(ordinals) else to_persian_digits(place)


def _minutes_line(minutes: int | None) -> Rich:
    if minutes is None:
        return fragment("utter_handoff_minutes_unknown")
    if minutes >= MANY_MINUTES:
        return fragment("utter_handoff_hours", hours=round(minutes / 60))
    return fragment("utter_handoff_minutes", minutes=minutes)
