"""Looks at every message before its answer: is a person needed, or is it about a person who comes or came?

What was heard beside the words (anger, danger) and the owner's rules may call a person whatever the message
is answered with. While one waits and afterwards a few typed words mean the hand-over, whatever they were
understood as; a form does not take them for an answer.
"""

from __future__ import annotations

from rasa_sdk.events import FollowupAction
from sqlalchemy.orm import Session

from actions import handoff_after, handoff_waiting
from actions.base import Event, Reply, environment
from actions.texts import is_any_in, is_one_of
from actions.turn import Turn
from crm_store.handoff.models import ANGER, DANGER
from crm_store.staff.accounts import staff_in

#: Longest text, in words, that asks no more than how long one waits.
SHORT_QUESTION = 8
#: The wish for a person.
ASKS = "request_human"
#: What is answered by the watch itself, so that nothing is said twice.
ANSWERS = frozenset({handoff_waiting.PLACE, handoff_after.AGREED, handoff_after.NOT_NOTED})


class HandoffWatch:
    """See `actions.base.Watch`."""

    def writes(self, turn: Turn) -> bool:
        """Whether the store may have to be changed because of a message."""
        return _may_call(turn) or _leaves(turn)

    def is_aside(self, turn: Turn, session: Session) -> bool:
        """Whether a message is about the person who comes or came, so that no form takes it for an answer."""
        if turn.trusted or turn.resumed or turn.requested is None or not turn.text:
            return False
        if _is_staff(turn, session):
            return False
        if _leaves(turn) or _asks_place(turn):
            return handoff_waiting.waiting_in(turn, session) is not None
        return (
            handoff_after.asks_what_was_agreed(turn)
            and handoff_after.agreement_with(turn, session) is not None
        )

    def take(self, turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
        """Answer what is about the hand-over; call a person where one is needed, beside the answer."""
        if _is_staff(turn, session):
            return None
        if turn.text and not turn.trusted and ANSWERS.isdisjoint(turn.said):
            answered = _answer(turn, session, reply)
            if answered is not None:
                return answered
        if _may_call(turn):
            handoff_waiting.hand_over(turn, session, reply)
        return None

    def add(self, turn: Turn, session: Session, reply: Reply) -> None:
        """Offer a call where a person is needed and none is there.

        A rule that names no intent calls a person whatever is said; a call is not offered at every farewell.
        """
        rules = environment().business.handoff.rules
        if _may_call(turn) and (_is_heard(turn) or any(turn.intent in rule.intents for rule in rules)):
            handoff_waiting.offer_call_instead(turn, session, reply)


def _is_staff(turn: Turn, session: Session) -> bool:
    """Whether a colleague writes: their notes tell of angry people and of danger, and call nobody."""
    return staff_in(session, conversation_id=turn.conversation_id) is not None


def _answer(turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
    if _leaves(turn) and handoff_waiting.leave(turn, session):
        return []
    if _asks_place(turn):
        handoff = handoff_waiting.waiting_in(turn, session)
        if handoff is not None:
            handoff_waiting.tell_place(session, reply, handoff, handoff_waiting.PLACE)
            return []
    about = handoff_after.asks_what_was_agreed(turn) or handoff_after.wants_to_resume(turn)
    agreement = handoff_after.agreement_with(turn, session) if about else None
    if agreement is None:
        return None
    if handoff_after.asks_what_was_agreed(turn):
        handoff_after.tell_agreement(reply, agreement)
        return []
    form = None if turn.form else handoff_after.form_to_resume(turn, session)
    return [FollowupAction(form)] if form is not None else None


def _may_call(turn: Turn) -> bool:
    """Whether a message may be a reason to call a person, looked at without the store."""
    if turn.intent == ASKS:
        return False  # the action looks at all reasons together
    limits = environment().business.handoff
    fits = any(not rule.intents or turn.intent in rule.intents for rule in limits.rules)
    return limits.is_on and (_is_heard(turn) or fits)


def _is_heard(turn: Turn) -> bool:
    """Whether strong anger or danger was heard that the owner has people called for."""
    limits = environment().business.handoff
    return (limits.on_anger and ANGER in turn.strong) or (limits.on_danger and DANGER in turn.strong)


def _leaves(turn: Turn) -> bool:
    """Whether somebody types that they do not want to wait for a person any more."""
    return not turn.trusted and bool(turn.text) and is_one_of("handoff", "leaving", turn.text)


def _asks_place(turn: Turn) -> bool:
    """Whether a short text asks how long one waits for a person: «نفر چندمم؟»."""
    return turn.word_count <= SHORT_QUESTION and is_any_in("handoff", "asking_place", turn.text)
