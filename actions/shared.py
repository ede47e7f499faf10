"""What belongs to no area: sessions, yes and no, dropping a form, media, and what was not understood."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecuted, ActiveLoop, FollowupAction, SessionStarted, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions import complaint_form, handoff
from actions.base import Event, Reply, StoreAction, clear_slots, keep_form_waiting
from actions.complaints import names_only_a_code, tell_status
from actions.texts import term, words
from actions.turn import Turn
from crm_store import drafts
from crm_store.complaints import service as complaints
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone
from crm_store.handoff import service as callbacks
from crm_store.persian import is_tracking_code

COMPLAINT_FORM, CALLBACK_FORM = "complaint_form", "callback_form"

NOT_UNDERSTOOD = ("utter_misunderstood", "utter_did_you_mean", "utter_misunderstood_again")
#: Least confidence of an intent that is offered as "did you mean".
WORTH_OFFERING = 0.1
SUGGESTIONS = 2
#: Most words beside a phone number that was sent for no reason given, such as that for an extension.
BESIDE_A_PHONE = 1
#: Below this confidence "not ours" is a guess.
CERTAIN = 0.7


class ActionSessionStart(Action):
    """Starts a session with nothing carried over: what must last is in the store."""

    def name(self) -> str:
        return "action_session_start"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[Event]:
        """Runs the action (called by rasa_sdk)."""
        return [SessionStarted(), ActionExecuted("action_listen")]


class ActionGoodbye(StoreAction):
    """Returns a farewell; a form waits until the person is back."""

    reads_only = True

    def name(self) -> str:
        return "action_goodbye"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        reply.utter("utter_form_goodbye" if turn.form else "utter_goodbye")
        return keep_form_waiting(turn)


class ActionAffirm(StoreAction):
    """Takes a yes for an answer to what was offered last."""

    def name(self) -> str:
        return "action_affirm"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.callback_offered:
            if handoff.typed_phone(turn) is None:
                return [FollowupAction(CALLBACK_FORM)]
            handoff.note_callback(turn, session, reply, topic=turn.previous.text)
        elif turn.form:
            reply.utter("utter_form_unclear")
        # The summary's button outlives its session: the draft is shown again, and the next tap files it.
        elif turn.previous.ended_with("utter_media_received") or (turn.trusted and _has_story(turn, session)):
            return [FollowupAction(COMPLAINT_FORM)]
        else:
            reply.utter("utter_affirm_idle")
        return []


class ActionDeny(StoreAction):
    """Takes a no for an answer to what was offered or asked last."""

    def name(self) -> str:
        return "action_deny"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.callback_offered:
            reply.utter("utter_callback_declined")
        elif turn.form == COMPLAINT_FORM and turn.requested == complaint_form.CONFIRM:
            reply.utter("utter_complaint_correction")
            return keep_form_waiting(turn)
        elif turn.form:
            reply.utter("utter_form_unclear")
        elif turn.previous.ended_with("utter_media_received"):
            if not _has_story(turn, session):
                complaints.cancel_draft(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id)
            reply.utter("utter_media_not_needed")
        else:
            reply.utter("utter_deny_idle")
        return []


class ActionCancelForm(StoreAction):
    """Drops what is being filled in, also when its session is over and only the draft is left."""

    def name(self) -> str:
        return "action_cancel_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        had_callback = turn.form != COMPLAINT_FORM and callbacks.cancel_callback(
            session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id
        )
        had_complaint = turn.form != CALLBACK_FORM and complaints.cancel_draft(
            session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id
        )
        if turn.form == CALLBACK_FORM or (had_callback and not had_complaint):
            reply.utter("utter_callback_declined")
        else:
            reply.utter("utter_form_cancelled" if turn.form or had_complaint else "utter_nothing_to_cancel")
        return [
            *clear_slots((*complaint_form.SLOTS, *handoff.SLOTS)),
            SlotSet("requested_slot", None),
            ActiveLoop(None),
        ]


class ActionNotYet(StoreAction):
    """Says honestly what is not possible here yet, and offers a call-back."""

    def name(self) -> str:
        return "action_not_yet"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if not _answers_something_else(turn, session, reply):
            response = "utter_form_not_yet" if turn.form else "utter_not_yet"
            reply.utter(response, request=term("shared", "upcoming", turn.intent))
        return []


class ActionOutOfScope(StoreAction):
    """Declines kindly what is not ours; where that is not certain, it asks."""

    def name(self) -> str:
        return "action_out_of_scope"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if _answers_something_else(turn, session, reply):
            return []
        if _tries_a_phone(turn):
            reply.utter("utter_invalid_phone")
            return [FollowupAction(CALLBACK_FORM)]
        guesses = _guesses(turn) if turn.ranking and turn.ranking[0][1] < CERTAIN else []
        if turn.form:
            reply.utter("utter_form_unclear")
        elif guesses:
            reply.utter("utter_did_you_mean", buttons=guesses)
        else:
            reply.utter("utter_out_of_scope")
        return []


class ActionFallback(StoreAction):
    """Answers what was not understood: guesses once, then offers a call-back."""

    def name(self) -> str:
        return "action_fallback"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if _answers_something_else(turn, session, reply):
            return []
        if _tries_a_phone(turn):
            reply.utter("utter_invalid_phone")
            return [FollowupAction(CALLBACK_FORM)]
        if turn.form:
            reply.utter("utter_form_unclear")
        elif _tells_what_went_wrong(turn):
            return [FollowupAction(COMPLAINT_FORM)]
        elif turn.previous.ended_with(*NOT_UNDERSTOOD):
            reply.utter("utter_misunderstood_again")
        elif guesses := _guesses(turn):
            reply.utter("utter_did_you_mean", buttons=guesses)
        else:
            reply.utter("utter_misunderstood")
        return []


class ActionReceiveMedia(StoreAction):
    """Keeps what was sent without a word, and asks what it is for."""

    def name(self) -> str:
        return "action_receive_media"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.contact is not None:
            _take_contact(turn, session, reply, turn.contact)
        elif turn.form:
            reply.utter("utter_media_in_form")
        else:
            _keep_media(turn, session, reply)
        return []


def _take_contact(turn: Turn, session: Session, reply: Reply, phone: str) -> None:
    if turn.callback_offered:
        handoff.note_callback(turn, session, reply, topic=turn.previous.text)
        return
    customer_id = customer_of(session.get_one(Conversation, turn.conversation_id))
    add_phone(session, customer_id=customer_id, phone=phone, proven=True)
    reply.utter("utter_media_in_form" if turn.form else "utter_contact_received")


def _answers_something_else(turn: Turn, session: Session, reply: Reply) -> bool:
    """Answer what needs no understanding: a bare phone number or code, a captioned file."""
    if turn.callback_offered and handoff.typed_phone(turn) is not None:
        handoff.note_callback(turn, session, reply, topic=turn.previous.text)
        return True
    # Within a form a number may be meant for the form, unless it is a code beyond doubt.
    if names_only_a_code(turn) and (not turn.form or is_tracking_code(turn.text)):
        tell_status(turn, session, reply)
        return True
    phone = handoff.typed_phone(turn)
    if (
        phone is not None
        and not turn.form
        and sum(word.isalpha() for word in words(turn.text)) <= BESIDE_A_PHONE
    ):
        customer_id = customer_of(session.get_one(Conversation, turn.conversation_id))
        add_phone(session, customer_id=customer_id, phone=phone, proven=False)
        reply.utter("utter_contact_received")
        return True
    if turn.attachments and not turn.form:
        _keep_media(turn, session, reply)
        return True
    return False


def _tries_a_phone(turn: Turn) -> bool:
    """Whether an offer to call is answered with a number that can be none."""
    return turn.callback_offered and handoff.has_digits_of_a_phone(turn.text)


def _keep_media(turn: Turn, session: Session, reply: Reply) -> None:
    complaints.attach_to_draft(
        session, conversation_id=turn.conversation_id, attachment_ids=turn.attachments, inbox_id=turn.inbox_id
    )
    reply.utter("utter_media_received")


def _has_story(turn: Turn, session: Session) -> bool:
    draft = drafts.turn_draft(
        session, conversation_id=turn.conversation_id, kind=complaints.DRAFT_KIND, inbox_id=turn.inbox_id
    )
    return draft is not None and draft.state == drafts.OPEN and bool(draft.data.get("description"))


def _tells_what_went_wrong(turn: Turn) -> bool:
    """Whether a message that was not understood for certain is most likely the story of a complaint.

    Taking it for one costs little: nothing is filed before the customer has seen the summary and agreed.
    """
    likely = next((intent for intent, _ in turn.ranking if intent != "nlu_fallback"), None)
    return likely == "complaint_file" and complaint_form.tells_what_happened(turn.text)


def _guesses(turn: Turn) -> list[dict[str, str]]:
    """Buttons for what the message may have meant."""
    titles = [
        (intent, term("shared", "suggestions", intent))
        for intent, confidence in turn.ranking
        if confidence >= WORTH_OFFERING
    ]
    return [{"title": title, "payload": f"/{intent}"} for intent, title in titles if title][:SUGGESTIONS]
