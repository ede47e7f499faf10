"""Hand-off: offering a call, asking for the phone, noting the request, and saying when the call comes."""

from __future__ import annotations

from rasa_sdk.events import FollowupAction, SlotSet
from sqlalchemy.orm import Session

from actions import handoff_waiting, promises
from actions.base import Event, Reply, StoreAction, clear_slots, environment, keep_form_waiting, tell_staff
from actions.texts import is_any_in
from actions.turn import Turn
from crm_store import drafts
from crm_store.complaints import drafting as complaints
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.models import ContactPoint
from crm_store.customers.service import best_phone
from crm_store.errors import InvalidInput
from crm_store.handoff import service
from crm_store.persian import find_phones, phone_text, to_jalali_datetime_text
from crm_store.service_requests import drafting as requests

PHONE, OTHER_PHONE = "callback_phone", "callback_other_phone"
SLOTS = (PHONE, OTHER_PHONE)
#: From so many digits on, a text is taken for a phone number, right or wrong.
DIGITS_OF_A_TRY = 4
#: Words of what a call is about that the staff group is shown.
TOPIC_WORDS = 8
_FILED = frozenset(
    {
        "utter_complaint_filed",
        "utter_service_submitted",
        "utter_service_submitted_unbooked",
        "utter_service_submitted_open",
    }
)


class ActionOfferCallback(StoreAction):
    """Calls a person where one is there, else offers a call.

    Whoever gives a number in the same breath wishes to be called, and is asked nothing more.
    """

    def name(self) -> str:
        return "action_offer_callback"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if typed_phone(turn) is not None:
            note_callback(turn, session, reply, topic=turn.text)
            return []
        if not _wants_a_call(turn) and _comes_here(turn, session, reply):
            return keep_form_waiting(turn)
        promised = promises.open_callback(turn, session)
        if promised is not None:
            return promises.tell_promise(turn, session, reply, promised)
        handoff_waiting.offer_call(session, reply)
        return keep_form_waiting(turn)


def _wants_a_call(turn: Turn) -> bool:
    """Whether somebody wishes to be called rather than to write with a person."""
    return not turn.trusted and is_any_in("handoff", "wanting_a_call", turn.text)


def _comes_here(turn: Turn, session: Session, reply: Reply) -> bool:
    """Call a person, or tell whoever waits for one already how long; False where nobody is there."""
    waiting = handoff_waiting.waiting_in(turn, session)
    if waiting is not None and waiting.inbox_id != turn.inbox_id:
        handoff_waiting.hand_over(turn, session, reply, asked=True)
        handoff_waiting.tell_place(session, reply, waiting, handoff_waiting.PLACE)
        return True
    return handoff_waiting.hand_over(turn, session, reply, asked=True)


class ActionRequestCallback(StoreAction):
    """Takes the wish for a call; whoever is promised one already is told when it comes."""

    def name(self) -> str:
        return "action_request_callback"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        promised = promises.open_callback(turn, session)
        if promised is None or not service.promise_stands(promised):
            if typed_phone(turn) is not None:
                note_callback(turn, session, reply)
                return []
            return [FollowupAction(promises.FORM)]
        return promises.tell_promise(turn, session, reply, promised)


class ValidateCallbackForm(StoreAction):
    """Takes the phone number to call."""

    def name(self) -> str:
        return "validate_callback_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.resumed or turn.answers_elsewhere:
            return []
        if turn.requested != PHONE:
            return _begin(turn, session)
        known = _known_phone(turn, session)
        phone = turn.contact or typed_phone(turn)
        if phone is None and known is not None and turn.intent == "affirm":
            phone = known.value
        if phone is not None:
            _set_phone(turn, session, phone)
            return [SlotSet(PHONE, phone)]
        if _wants_other_phone(turn) or (known is not None and turn.intent == "deny"):
            return [SlotSet(PHONE, None), SlotSet(OTHER_PHONE, True)]
        if has_digits_of_a_phone(turn.text):
            reply.utter("utter_invalid_phone")
            return [SlotSet(PHONE, None)]
        # Asking for the call again is no digression: rules would lead straight back here.
        return [SlotSet(PHONE, None)] if turn.intent in ("request_callback", "request_human") else []


class ActionAskCallbackPhone(StoreAction):
    """Asks for the phone number, or whether the known one will do."""

    reads_only = True

    def name(self) -> str:
        return "action_ask_callback_phone"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        known = _known_phone(turn, session)
        if known is None:
            reply.utter("utter_ask_callback_phone")
        else:
            reply.utter("utter_ask_callback_known_phone", phone=phone_text(known.value))
        return []


class ActionNoteCallback(StoreAction):
    """Notes the request when the form is complete."""

    def name(self) -> str:
        return "action_note_callback"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        _note(turn, session, reply)
        hours = environment().settings.limits.draft_hours
        waiting = drafts.open_draft(
            session, conversation_id=turn.conversation_id, kind=complaints.DRAFT_KIND, max_age_hours=hours
        )
        if waiting is not None and waiting.data.get("description"):
            reply.utter("utter_complaint_waits")
        elif drafts.open_draft(
            session, conversation_id=turn.conversation_id, kind=requests.DRAFT_KIND, max_age_hours=hours
        ):
            reply.utter("utter_service_waits")
        return clear_slots(SLOTS)


def note_callback(turn: Turn, session: Session, reply: Reply, *, topic: str | None = None) -> None:
    """Note a request whose phone number stands in the message itself.

    Args:
        topic: what it is about, in the customer's own words; what was offered a call for, if not given.

    Raises:
        InvalidInput: there is no phone number in the message.
    """
    phone = turn.contact or typed_phone(turn)
    if phone is None:
        raise InvalidInput("no phone number in the message")
    _start(turn, session, _offered_for(turn) if topic is None else topic)
    _set_phone(turn, session, phone)
    _note(turn, session, reply)


def typed_phone(turn: Turn) -> str | None:
    """The first phone number (E.164) in what was typed, whatever its script and format."""
    found = [] if turn.trusted else find_phones(turn.text)
    return found[0].value if found else None


def has_digits_of_a_phone(text: str) -> bool:
    """Whether a text has so many digits that it is meant for a phone number, right or wrong."""
    return sum(character.isdigit() for character in text) >= DIGITS_OF_A_TRY


def _begin(turn: Turn, session: Session) -> list[Event]:
    drafts.drop_stale(
        session,
        conversation_id=turn.conversation_id,
        kind=service.DRAFT_KIND,
        max_age_hours=environment().settings.limits.draft_hours,
    )
    _start(turn, session, _offered_for(turn))
    return [*clear_slots(SLOTS), SlotSet(OTHER_PHONE, _wants_other_phone(turn) or None)]


def _wants_other_phone(turn: Turn) -> bool:
    """Whether the button was tapped by which a promised call gets another number."""
    return turn.trusted and turn.intent == "change_callback_phone"


def _offered_for(turn: Turn) -> str:
    """What the customer wanted when the offer was made, in their own words; a yes to filing says nothing."""
    is_said = turn.callback_offered and _FILED.isdisjoint(turn.previous.responses)
    return turn.previous.text if is_said else ""


def _start(turn: Turn, session: Session, topic: str) -> None:
    service.start_callback(session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id, topic=topic)


def _set_phone(turn: Turn, session: Session, phone: str) -> None:
    service.set_callback_phone(
        session,
        conversation_id=turn.conversation_id,
        phone=phone,
        inbox_id=turn.inbox_id,
        # Only the sender's own contact proves a number; the gateway passes on no other.
        proven=phone == turn.contact,
    )


def _known_phone(turn: Turn, session: Session) -> ContactPoint | None:
    """The number that the form offers: one this customer gave before, unless it was just declined."""
    if turn.slots.get(OTHER_PHONE):
        return None
    return best_phone(session, customer_id=customer_of(session.get_one(Conversation, turn.conversation_id)))


def _note(turn: Turn, session: Session, reply: Reply) -> None:
    due_at = promises.next_due()
    request = service.request_callback(
        session, conversation_id=turn.conversation_id, inbox_id=turn.inbox_id, due_at=due_at
    )
    # In the group it may be read later, so there the day has its date.
    timezone = environment().settings.business.timezone
    told = {"deadline": to_jalali_datetime_text(request.due_at or due_at, timezone)}
    topic = _first_words(request.topic)
    tell_staff(
        session,
        turn,
        response="utter_staff_group_callback_about" if topic else "utter_staff_group_callback",
        key=service.staff_notice_key(request.id),
        params={**told, "topic": topic} if topic else told,
    )
    reply.utter("utter_callback_noted", **promises.described(request, session))


def _first_words(topic: str) -> str:
    """What a call is about, in a few words and without numbers by which somebody could be reached."""
    for phone in reversed(find_phones(topic)):
        topic = f"{topic[: phone.start]} {topic[phone.end :]}"
    readable = [word for word in topic.split() if not has_digits_of_a_phone(word)]
    return " ".join(readable[:TOPIC_WORDS]) + ("…" if len(readable) > TOPIC_WORDS else "")
