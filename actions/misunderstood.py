"""What was not understood or is not ours: said kindly, with a way on."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction
from sqlalchemy.orm import Session

from actions import handoff, handoff_waiting, loyalty_referral, privacy, promises, status
from actions.base import Event, Reply, StoreAction, environment, keep_form_waiting
from actions.codes import names_only_a_code
from actions.complaint_story import tells_what_happened
from actions.texts import is_one_of, words
from actions.turn import FALLBACK, Turn
from crm_store.complaints import drafting as complaints
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone
from crm_store.learning import models as why
from crm_store.learning import service as learning
from crm_store.persian import is_tracking_code
from crm_store.terms import term

COMPLAINT_FORM = "complaint_form"

#: Least confidence of an intent that is offered as "did you mean".
WORTH_OFFERING = 0.1
SUGGESTIONS = 3
#: What is offered when no meaning is likely enough.
POSSIBLE = ("complaint_file", "complaint_status", "service_request", "request_human")
#: Most words beside a phone number that was sent for no reason given, such as that for an extension.
BESIDE_A_PHONE = 1
#: Asks whether one of some meanings was meant, and which of two that are equally likely.
DID_YOU_MEAN, WHICH_ONE = "utter_did_you_mean", "utter_which_one"
GUESSES = (DID_YOU_MEAN, WHICH_ONE)
#: The topic of what is not ours only because it is nothing at all: «شسیبل».
NOISE = "noise"
#: Below this confidence "not ours" is a guess.
CERTAIN = 0.7


class ActionOutOfScope(StoreAction):
    """Tells kindly what can be done here instead; asks where it is not certain that a message is not ours."""

    def name(self) -> str:
        return "action_out_of_scope"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        answered = _answer_something_else(turn, session, reply)
        if answered is not None:
            return answered
        uncertain = bool(turn.ranking) and turn.ranking[0][1] < CERTAIN
        noise = bool(turn.topics) and turn.topics[0][0] == NOISE
        if turn.form or noise or (uncertain and _guesses(turn)):
            return not_understood(turn, session, reply)
        if handoff_waiting.waiting_in(turn, session) is not None:
            return not_understood(turn, session, reply)
        if turn.failures == 1 and not promises.call_is_coming(turn, session):
            talk_here = handoff_waiting.talk_here(session)
            reply.utter("utter_out_of_scope_again", deadline=promises.next_deadline(), buttons=talk_here)
        else:
            reply.utter("utter_out_of_scope")
        return []


class ActionFallback(StoreAction):
    """Answers what was not understood: asks what was meant once, then offers a call-back."""

    def name(self) -> str:
        return "action_fallback"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        answered = _answer_something_else(turn, session, reply)
        if answered is not None:
            return answered
        if not turn.form and _tells_what_went_wrong(turn):
            _keep_to_learn(turn, session, why.FALLBACK)
            return [FollowupAction(COMPLAINT_FORM)]
        return not_understood(turn, session, reply)


def _answer_something_else(turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
    """Answer what needs no understanding: a plea to wait, a bare phone number or code, a captioned file."""
    about_erasing = privacy.take_answer(turn, session, reply)
    if about_erasing is not None:
        return about_erasing
    if is_one_of("shared", "waiting", turn.text):
        reply.utter("utter_take_your_time")
        return keep_form_waiting(turn)
    answered = loyalty_referral.take_bare_code(turn, session, reply)
    if answered is None:
        answered = _answer_about_a_call(turn, session, reply)
    if answered is not None:
        return answered
    phone = handoff.typed_phone(turn)
    # Within a form a number may be meant for the form, unless it is a code beyond doubt.
    if names_only_a_code(turn) and (not turn.form or is_tracking_code(turn.text)):
        status.tell_by_code(turn, session, reply, otherwise="utter_complaint_not_found")
    elif turn.form:
        return None
    elif phone is not None and sum(word.isalpha() for word in words(turn.text)) <= BESIDE_A_PHONE:
        _take_number(turn, session, reply, phone)
    elif turn.attachments:
        keep_media(turn, session, reply)
    else:
        return None
    return []


def _answer_about_a_call(turn: Turn, session: Session, reply: Reply) -> list[Event] | None:
    """Take a number for a call that was offered or promised just before, or say when a promised one comes."""
    if (turn.callback_offered or turn.callback_promised) and handoff.typed_phone(turn) is not None:
        handoff.note_callback(turn, session, reply)
        return []
    if turn.callback_offered and handoff.has_digits_of_a_phone(turn.text):
        reply.utter("utter_invalid_phone")
        return [FollowupAction(promises.FORM)]
    return promises.answer_when(turn, session, reply)


def _take_number(turn: Turn, session: Session, reply: Reply, phone: str) -> None:
    """Call there instead where a call is coming, which a notice may have promised; else offer one."""
    if promises.call_is_coming(turn, session):
        handoff.note_callback(turn, session, reply, topic="")
        return
    customer_id = customer_of(session.get_one(Conversation, turn.conversation_id))
    add_phone(session, customer_id=customer_id, phone=phone, proven=False)
    reply.utter("utter_contact_received")


def not_understood(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Ask what was meant, with buttons; the second time in a row call a person, or offer a call.

    Whoever waits for a person already is told that they see it.
    """
    guesses = [] if turn.form else _guesses(turn)
    asks = turn.failures == 0 and bool(guesses)
    refuses = not turn.trusted or turn.intent == "deny"
    if turn.previous.ended_with(*GUESSES) and refuses:
        learning.note_refused(session, inbox_id=turn.previous.inbox_id)
    _keep_to_learn(turn, session, why.ASKED if asks else why.FALLBACK)
    with_a_person = handoff_waiting.answer_unclear(turn, session, reply)
    if with_a_person is not None:
        return with_a_person
    if turn.form:
        return _unclear_in_form(turn, session, reply)
    either = _too_close_to_call(turn)
    if asks and either:
        titles = [button["title"] for button in either]
        none = {"title": term("shared", "choices", "none") or "", "payload": "/deny"}
        reply.utter(WHICH_ONE, buttons=[*either, none], first=titles[0], second=titles[1])
    elif asks:
        reply.utter(DID_YOU_MEAN, buttons=guesses)
    elif turn.failures == 0:
        reply.utter("utter_misunderstood", buttons=_buttons(*POSSIBLE))
    elif turn.failures == 1 and not promises.call_is_coming(turn, session):
        reply.utter("utter_misunderstood_again", deadline=promises.next_deadline())
    else:
        reply.utter("utter_misunderstood_still", buttons=_buttons(*POSSIBLE))
    return []


def _keep_to_learn(turn: Turn, session: Session, reason: str) -> None:
    """Keep what was typed for the operator, who may teach what it means; a yes or no is understood."""
    if turn.trusted or not turn.text or not _is_in_doubt(turn):
        return
    learning.keep(
        session,
        conversation_id=turn.conversation_id,
        inbox_id=turn.inbox_id,
        text=turn.text,
        ranking=turn.labels,
        reason=reason,
        by_default=environment().settings.learning.keep,
    )


def _is_in_doubt(turn: Turn) -> bool:
    is_guess = bool(turn.ranking) and turn.ranking[0][1] < CERTAIN
    return turn.intent == FALLBACK or (turn.intent == "out_of_scope" and is_guess)


def _unclear_in_form(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """The same within a form, which asks its question again by itself and waits while a call is offered."""
    callback = turn.form == promises.FORM
    if turn.failures == 0:
        reply.utter("utter_form_unclear")
    elif turn.failures > 1 or (not callback and promises.call_is_coming(turn, session)):
        reply.utter("utter_form_unclear_still")
    elif callback:
        reply.utter("utter_callback_form_unclear", deadline=promises.next_deadline())
    else:
        reply.utter("utter_form_unclear_again", deadline=promises.next_deadline())
        return keep_form_waiting(turn)
    return []


def keep_media(turn: Turn, session: Session, reply: Reply) -> None:
    """Keep what was sent for a complaint that may follow, and ask whether one does."""
    complaints.attach_to_draft(
        session, conversation_id=turn.conversation_id, attachment_ids=turn.attachments, inbox_id=turn.inbox_id
    )
    reply.utter("utter_media_received")


def _tells_what_went_wrong(turn: Turn) -> bool:
    """Whether a message that was not understood for certain is most likely the story of a complaint.

    Taking it for one costs little: nothing is filed before the customer has seen the summary and agreed.
    """
    likely = next((intent for intent, _ in turn.ranking if intent != "nlu_fallback"), None)
    return likely == "complaint_file" and tells_what_happened(turn.text)


def _guesses(turn: Turn) -> list[dict[str, str]]:
    """Buttons for what the message may have meant; a single guess leaves a way to a person."""
    likely = [intent for intent, confidence in turn.ranking if confidence >= WORTH_OFFERING]
    guesses = _buttons(*likely)[:SUGGESTIONS]
    alone = len(guesses) == 1 and "request_human" not in likely
    return [*guesses, *_buttons("request_human")] if alone else guesses


def _too_close_to_call(turn: Turn) -> list[dict[str, str]]:
    """Buttons for the two likeliest meanings where only the choice between them is in doubt."""
    if turn.intent != FALLBACK or len(turn.labels) < 2:
        return []
    # The fallback has the least confidence of what is answered: what has more was too close to the next.
    least = dict(turn.ranking).get(FALLBACK, 1.0)
    either = [_button_of(label) for label, confidence in turn.labels[:2]]
    return [button for button in either if button] if turn.labels[0][1] >= least and all(either) else []


def _button_of(label: str) -> dict[str, str] | None:
    """A button for an intent, or for a topic that has a name: «ساعت کار» says more than "a question"."""
    intent, _, topic = label.partition("/")
    title = term("shared", "topics", topic) if intent == "faq" else None
    if title:
        return {"title": title, "payload": f'/choose_topic{{"topic": "{topic}"}}'}
    return next(iter(_buttons(intent)), None)


def _buttons(*intents: str) -> list[dict[str, str]]:
    """Buttons for those intents that can be suggested."""
    titles = [(intent, term("shared", "suggestions", intent)) for intent in intents]
    return [{"title": title, "payload": f"/{intent}"} for intent, title in titles if title]
