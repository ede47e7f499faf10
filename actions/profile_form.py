"""Changing what is known of a customer: the field and its value, in one message or one after the other."""

from __future__ import annotations

from datetime import date, timedelta

from rasa_sdk.events import ActiveLoop, FollowupAction, SlotSet
from sqlalchemy.orm import Session

from actions.base import Event, Reply, StoreAction, clear_slots, environment
from actions.customers import can_send_contact, channel_of, customer_of_turn, tell_link
from actions.profile_words import AREA, Said, fields_meant, names_what_is_not_kept, value_said
from actions.turn import Turn
from crm_store import drafts
from crm_store.base import utcnow
from crm_store.complaints.drafting import DRAFT_KIND as COMPLAINT
from crm_store.customers.profile import update_profile
from crm_store.customers.service import add_phone
from crm_store.persian import phone_text
from crm_store.persian.birthdays import date_text
from crm_store.terms import term

FORM = "profile_form"
FIELD, VALUE = "profile_field", "profile_value"
SLOTS = (FIELD, VALUE)
QUESTIONS = {
    "full_name": "utter_ask_profile_full_name",
    "phone": "utter_ask_profile_phone",
    "address": "utter_ask_profile_address",
    "birthday": "utter_ask_profile_birthday",
    "preferred_time": "utter_ask_profile_preferred_time",
    "preferred_channel": "utter_ask_profile_preferred_channel",
}
#: Longest text, in words, that is no value although one was asked for, by what it was understood as.
NO_VALUE = {
    "cancel": 5,
    "deny": 4,
    "explain": 8,
    "help": 7,
    "faq": 8,
    "bot_challenge": 5,
    "request_human": 6,
    "complaint_status": 6,
    "complaint_file": 60,
    "greet": 2,
    "thank": 3,
    "goodbye": 3,
    "my_data_erase": 8,
    "my_data_export": 8,
    "marketing_opt_out": 8,
}
#: Most words by which a field is named and nothing else: «آدرس» is no question here.
NAME_OF_A_FIELD = 2
#: Below this confidence an answer to a question is taken for what was asked: names are like no other text.
CERTAIN = 0.6
#: A complaint that was touched so lately is still being told.
STILL_TELLING = timedelta(hours=1)


class ValidateProfileForm(StoreAction):
    """Takes the field and its value from a message."""

    def name(self) -> str:
        return "validate_profile_form"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        if turn.resumed or turn.answers_elsewhere:
            return []
        if turn.requested not in SLOTS:
            # What the message itself says; nothing of an earlier form is left.
            return _take_field(turn, session, reply, fields_meant(turn))
        if turn.requested == VALUE:
            return _take_value(turn, session, reply, str(turn.slots[FIELD]))
        meant = fields_meant(turn)
        names_one = len(meant) == 1 and turn.word_count <= NAME_OF_A_FIELD
        if not names_one and _means_something_else(turn, None):
            return []
        return _take_field(turn, session, reply, meant)


class ActionAskProfileValue(StoreAction):
    """Asks for the value of the field that was chosen."""

    reads_only = True

    def name(self) -> str:
        return "action_ask_profile_value"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        field = turn.slots[FIELD]
        types_it = field == "phone" and not can_send_contact(turn, session)
        reply.utter("utter_ask_profile_phone_typed" if types_it else QUESTIONS[field])
        return []


class ActionUpdateProfile(StoreAction):
    """Keeps the value and shows it, with a button to correct it."""

    def name(self) -> str:
        return "action_update_profile"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        field, value = str(turn.slots[FIELD]), str(turn.slots[VALUE])
        if field == "phone":
            _keep_phone(turn, session, reply, value)
        else:
            update_profile(
                session,
                customer_id=customer_of_turn(turn, session),
                field=field,
                value=date.fromisoformat(value) if field == "birthday" else value,
                inbox_id=turn.inbox_id,
            )
            reply.utter(
                "utter_profile_saved",
                buttons=_correction(field),
                field=term(AREA, "fields", field),
                value=_shown(field, value),
            )
        return [*clear_slots(SLOTS), *_go_on_with_complaint(turn, session, reply)]


class ActionCancelProfile(StoreAction):
    """Leaves the profile as it is."""

    def name(self) -> str:
        return "action_cancel_profile"

    def answer(self, turn: Turn, session: Session, reply: Reply) -> list[Event]:
        reply.utter("utter_profile_cancelled")
        return [*clear_slots(SLOTS), SlotSet("requested_slot", None), ActiveLoop(None)]


def _take_value(turn: Turn, session: Session, reply: Reply, asked: str) -> list[Event]:
    channel = channel_of(turn, session)
    said = value_said(asked, turn, was_asked=False, channel=channel)
    if said.value is None and _means_something_else(turn, asked):
        return []
    meant = fields_meant(turn)
    if said.value is None and _changes_the_field(turn, meant, asked):
        return _take_field(turn, session, reply, meant)
    if said == Said():
        said = value_said(asked, turn, was_asked=True, channel=channel)
    # A question that was asked again by its own button is no digression.
    if said == Said() and turn.intent != "profile_update":
        return []
    return _events(reply, asked, said)


def _take_field(turn: Turn, session: Session, reply: Reply, meant: set[str]) -> list[Event]:
    if len(meant) != 1:
        if not meant and names_what_is_not_kept(turn):
            reply.utter("utter_profile_not_kept")
        elif turn.requested == FIELD and turn.intent != "profile_update":
            return []
        return clear_slots(SLOTS)
    (field,) = meant
    said = value_said(field, turn, was_asked=False, channel=channel_of(turn, session))
    return _events(reply, field, said)


def _events(reply: Reply, field: str, said: Said) -> list[Event]:
    if said.problem is not None:
        reply.utter(said.problem)
    return [SlotSet(FIELD, field), SlotSet(VALUE, said.value)]


def _changes_the_field(turn: Turn, meant: set[str], asked: str) -> bool:
    """Whether another field is meant than the one that was asked for: by its button, or by name."""
    if turn.trusted:
        return bool(meant)
    return turn.intent == "profile_update" and len(meant) == 1 and asked not in meant


def _means_something_else(turn: Turn, asked: str | None) -> bool:
    """Whether a message is left to the rules: a word to drop the form, a question, a file, a complaint."""
    if turn.trusted:
        return turn.intent != "profile_update"
    if not turn.text:
        return turn.contact is None or asked not in (None, "phone")
    confidence = turn.ranking[0][1] if turn.ranking else 1.0
    return turn.word_count <= NO_VALUE.get(turn.intent, 0) and confidence >= CERTAIN


def _keep_phone(turn: Turn, session: Session, reply: Reply, phone: str) -> None:
    """Keep a number; only the messenger's own contact proves one, which the gateway has seen to already."""
    point = add_phone(session, customer_id=customer_of_turn(turn, session), phone=phone)
    shown = phone_text(point.value)
    if turn.contact is not None and tell_link(turn, session, reply):
        return
    if point.proven_at is not None:
        reply.utter("utter_profile_phone_proven", phone=shown)
    elif can_send_contact(turn, session) and turn.contact is None:
        reply.utter("utter_profile_phone_kept", phone=shown)
    else:
        reply.utter("utter_profile_phone_noted", phone=shown)


def _shown(field: str, value: str) -> str:
    if field == "birthday":
        return date_text(date.fromisoformat(value))
    return term(AREA, "channels", value) or value if field == "preferred_channel" else value


def _correction(field: str) -> list[dict[str, str]]:
    title = term(AREA, "buttons", "correct") or field
    return [{"title": title, "payload": f'/profile_update{{"field": "{field}"}}'}]


def _go_on_with_complaint(turn: Turn, session: Session, reply: Reply) -> list[Event]:
    """Come back to a complaint that was being told; one that lies longer is only mentioned."""
    waiting = drafts.open_draft(
        session,
        conversation_id=turn.conversation_id,
        kind=COMPLAINT,
        max_age_hours=environment().settings.limits.draft_hours,
    )
    if waiting is None or not waiting.data.get("description"):
        return []
    if waiting.updated_at > utcnow() - STILL_TELLING:
        return [FollowupAction("complaint_form")]
    reply.utter("utter_complaint_waits")
    return []
