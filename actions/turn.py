"""What an action needs to know of the message that it answers, read from Rasa's tracker once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa_sdk import Tracker

ATTACHMENT, PHONE = "attachment", "phone_number"
#: The code of a ticket, of a button or of the question that a message was read as the answer to.
TICKET = "ticket"
#: The survey of which a message was read as the answer, or which a button belongs to.
SURVEY = "survey"
#: What answers to a question about a ticket are understood as.
TICKET_ANSWERS = frozenset({"confirm_solved", "deny_solved", "answer_staff", "confirm_visit", "rate_visit"})
#: What answers to the club's questions are understood as, besides its ordinary intents.
CLUB_ANSWERS = frozenset(
    {
        "choose_reward",
        "confirm_redeem",
        "drop_redeem",
        "history_more",
        "enter_friend_code",
        "join_raffle",
    }
)
#: What answers to the questions of a member of staff's task are understood as.
STAFF_ANSWER = "staff_answer"
#: What answers to notices about hand-overs are understood as: to go on with a form, to take a call instead.
RESUME = "handoff_resume"
HANDOFF_ANSWERS = frozenset({RESUME, "request_callback"})
#: The intent of what was not understood.
FALLBACK = "nlu_fallback"
#: Confidence from which on a signal is a reason to call a person; a weaker one only makes a case more urgent.
STRONG = 0.8

#: Responses that offer a call-back: yes, or a phone number, straight after one of them accepts it.
CALLBACK_OFFERS = frozenset(
    {
        "utter_offer_callback",
        "utter_call_instead",
        "utter_handoff_closed",
        "utter_callback_overdue",
        "utter_faq_not_yet",
        "utter_misunderstood_again",
        "utter_out_of_scope_again",
        "utter_form_unclear_again",
        "utter_bot_challenge",
        "utter_contact_received",
        "utter_link_by_staff",
        "utter_service_not_offered",
        "utter_service_city_not_served",
        "utter_service_fully_booked",
        "utter_too_late_to_change",
        "utter_appealed_already",
    }
)

#: Longest text, in words, that answers the question whether to erase, whatever it was understood as.
BRIEF_ANSWER = 4
#: Responses that ask whether everything is to be erased.
ERASURE_QUESTIONS = frozenset({"utter_ask_erasure", "utter_ask_erasure_again"})
#: Asks whether advertising is welcome.
MARKETING_QUESTION = "utter_ask_marketing"

#: Responses that tell of a promised call: a phone number straight after one of them is another one to call.
CALLBACK_PROMISES = frozenset({"utter_callback_noted", "utter_callback_promised"})

#: Responses that own up to not having understood, or not being able to help.
NOT_UNDERSTOOD = frozenset(
    {
        "utter_did_you_mean",
        "utter_which_one",
        "utter_misunderstood",
        "utter_misunderstood_again",
        "utter_misunderstood_still",
        "utter_out_of_scope",
        "utter_out_of_scope_again",
        "utter_form_unclear",
        "utter_form_unclear_again",
        "utter_form_unclear_still",
        "utter_callback_form_unclear",
    }
)


@dataclass(frozen=True)
class Found:
    """An entity and where it stands in the text, in code points.

    Attributes:
        value: None where two readings are as good as each other.
        candidates: the possible values then, the likeliest first.
    """

    entity: str
    value: Any
    start: int
    end: int
    candidates: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Previous:
    """The turn before, within the same session.

    Attributes:
        text: what the person typed.
        inbox_id: the message's id; 0 when there was no turn before.
        responses: names of the responses that answered it, in order.
        found: entities in the text, with their places.
    """

    text: str = ""
    inbox_id: int = 0
    responses: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()

    def ended_with(self, *responses: str) -> bool:
        """Whether the last thing said was one of these responses: a bare yes or no answers that one."""
        return bool(self.responses) and self.responses[-1] in responses


@dataclass(frozen=True)
class Turn:
    """One message of one person.

    Attributes:
        conversation_id: the conversation in the store.
        inbox_id: the message in the store; every effect of the turn is keyed by it.
        part: which part of a message that asks for several things, counted from 1; parts ask for different
            things, so an effect of which a message may have several needs this in its key.
        is_last_part: whether nothing of the message is still to be answered.
        correlation_id: names the message in all logs.
        channel: where it came from.
        trusted: True for a button that we sent, never for something typed.
        text: what was typed; empty for buttons and bare media.
        intent: what it was understood as.
        ranking: intents and their confidence, the best first.
        labels: the ranking without the fallback, with the likeliest topic of an intent that has some
            (``faq/hours``).
        topics: topics of an intent that has some (faq, out_of_scope) with their confidence, the best first.
        signals: what was heard beside the intent: danger, urgency, anger.
        strong: those of them that were heard beyond doubt.
        entities: values by entity (``docs/entities.md``).
        found: entities in the text, with their places.
        contact: phone number (E.164) that the sender shared as their own contact.
        form: the active form.
        requested: the slot that the form asked for.
        slots: all slots.
        resumed: True when the form only goes on after the message was answered elsewhere.
        previous: the turn before.
        failures: how many turns in a row, up to the one before, were not understood.
        heard: responses said since the active form began, as far as the tracker still holds them.
        lately: the same since the session began.
        said: responses said in answer to this very message so far, to its earlier parts as well.
    """

    conversation_id: int
    inbox_id: int
    part: int = 1
    is_last_part: bool = True
    correlation_id: str = ""
    channel: str = ""
    trusted: bool = False
    text: str = ""
    intent: str = ""
    ranking: tuple[tuple[str, float], ...] = ()
    labels: tuple[tuple[str, float], ...] = ()
    topics: tuple[tuple[str, float], ...] = ()
    signals: frozenset[str] = frozenset()
    strong: frozenset[str] = frozenset()
    entities: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    found: tuple[Found, ...] = ()
    contact: str | None = None
    form: str | None = None
    requested: str | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)
    resumed: bool = False
    previous: Previous = Previous()
    failures: int = 0
    heard: frozenset[str] = frozenset()
    lately: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()

    @property
    def word_count(self) -> int:
        """Number of words typed."""
        return len(self.text.split())

    @property
    def attachments(self) -> list[int]:
        """Ids of the files that were sent along."""
        return [int(identifier) for identifier in self.entities.get(ATTACHMENT, ())]

    @property
    def callback_offered(self) -> bool:
        """Whether a call-back was offered just before."""
        return self.previous.ended_with(*CALLBACK_OFFERS)

    @property
    def callback_promised(self) -> bool:
        """Whether the last thing said was when and where a call comes."""
        return self.previous.ended_with(*CALLBACK_PROMISES)

    @property
    def erasure_asked(self) -> bool:
        """Whether it was asked just before if everything is to be erased."""
        return self.previous.ended_with(*ERASURE_QUESTIONS)

    @property
    def answers_privacy(self) -> bool:
        """Whether this is a typed answer to a question of the privacy area, which no form may take."""
        if self.trusted or not (self.erasure_asked or self.previous.ended_with(MARKETING_QUESTION)):
            return False
        # A few words straight after the question whether to erase belong to it: «آره پاک کن».
        is_brief = self.erasure_asked and 0 < self.word_count <= BRIEF_ANSWER
        return is_brief or self.intent in ("affirm", "deny", "cancel")

    @property
    def answers_elsewhere(self) -> bool:
        """Whether this is a typed answer to a question that no form has asked, which none may take."""
        return self.answers_privacy or self.answers_notice

    @property
    def answers_notice(self) -> bool:
        """Whether a typed message was read as the answer to a notice or to the club (bot/nlu/expected.py).

        Such an answer may begin a form, which has not asked anything then.
        """
        answers = {*TICKET_ANSWERS, *CLUB_ANSWERS, *HANDOFF_ANSWERS, STAFF_ANSWER}
        is_read_so = self.intent in answers or not {TICKET, SURVEY}.isdisjoint(self.entities)
        return is_read_so and not self.trusted and self.requested is not None

    def entity(self, name: str) -> str | None:
        """The first value of an entity."""
        return next((str(value) for value in self.entities.get(name, ())), None)

    def button_value(self, intent: str, entity: str) -> str | None:
        """The value that a tapped button of this intent carries."""
        return self.entity(entity) if self.trusted and self.intent == intent else None


def read_turn(tracker: Tracker) -> Turn:
    """Read the latest message and what an answer to it depends on.

    Raises:
        KeyError: the tracker holds no message of the gateway.
    """
    message, metadata = tracker.latest_message, tracker.latest_message.get("metadata") or {}
    entities, intent = message.get("entities") or [], message.get("intent") or {}
    guesses = message.get("intent_ranking") or []
    signals, latest = message.get("signals") or [], _index_of_latest_message(tracker.events)
    inbox_id, part = _inbox_id_and_part(message["message_id"])
    return Turn(
        conversation_id=int(tracker.sender_id),
        inbox_id=inbox_id,
        part=part,
        is_last_part=part >= len(metadata.get("parts") or ()),
        correlation_id=str(metadata.get("correlation_id") or ""),
        channel=tracker.get_latest_input_channel() or "",
        trusted=metadata.get("trusted") is True,
        text=(message.get("text") or "").strip(),
        intent=intent.get("name") or "",
        ranking=tuple((guess["name"], guess["confidence"]) for guess in guesses),
        labels=tuple(
            (_label_of(guess), guess["confidence"]) for guess in guesses if guess["name"] != FALLBACK
        ),
        topics=tuple((guess["name"], guess["confidence"]) for guess in intent.get("topic_ranking") or []),
        signals=frozenset(signal["name"] for signal in signals),
        strong=frozenset(one["name"] for one in signals if one.get("confidence", 1.0) >= STRONG),
        entities=_values_by_name(entities),
        found=_found(entities, message.get("text") or ""),
        contact=next(
            (e["value"] for e in entities if e["entity"] == PHONE and e.get("extractor") == "contact"), None
        ),
        form=tracker.active_loop_name,
        requested=tracker.get_slot("requested_slot"),
        slots=tracker.slots,
        resumed=_was_rejected(tracker.events[latest:], tracker.active_loop_name),
        # What was said to an earlier part of this message has not been read yet, so nothing answers it.
        previous=_previous_turn(tracker.events[:latest]) if part == 1 else Previous(),
        failures=_failures(tracker.events[:latest]),
        heard=_heard(tracker.events, tracker.active_loop_name),
        lately=_heard(tracker.events, ""),
        said=_said_to(tracker.events, inbox_id),
    )


def _inbox_id_and_part(message_id: object) -> tuple[int, int]:
    """The message and which part of it: ``17``, ``17#2``."""
    inbox_id, _, part = str(message_id).partition("#")
    return int(inbox_id), int(part or 1)


def _label_of(guess: Mapping[str, Any]) -> str:
    return f"{guess['name']}/{guess['topic']}" if guess.get("topic") else str(guess["name"])


def _values_by_name(entities: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Values by entity; one that may be several things has none."""
    values: dict[str, tuple[Any, ...]] = {}
    for entity in entities:
        if entity["value"] is not None:
            values[entity["entity"]] = (*values.get(entity["entity"], ()), entity["value"])
    return values


def _found(entities: Sequence[Mapping[str, Any]], text: str) -> tuple[Found, ...]:
    """Entities of the text itself, without the blanks before it; buttons' and files' stand nowhere in it."""
    cut = len(text) - len(text.lstrip())
    return tuple(
        Found(
            entity["entity"],
            entity["value"],
            entity["start"] - cut,
            entity["end"] - cut,
            tuple(entity.get("candidates") or ()),
        )
        for entity in entities
        if "start" in entity and entity.get("extractor") != "button"
    )


def _index_of_latest_message(events: Sequence[Mapping[str, Any]]) -> int:
    indices = (index for index in range(len(events) - 1, -1, -1) if events[index]["event"] == "user")
    return next(indices, 0)


def _was_rejected(events: Sequence[Mapping[str, Any]], form: str | None) -> bool:
    return any(event["event"] == "action_execution_rejected" and event["name"] == form for event in events)


def _previous_turn(events: Sequence[Mapping[str, Any]]) -> Previous:
    responses: list[str] = []
    for event in reversed(events):
        if event["event"] == "session_started":
            break
        if event["event"] == "bot":
            responses.insert(0, _response_of(event))
        if event["event"] == "user":
            text = "" if (event.get("metadata") or {}).get("trusted") else (event.get("text") or "")
            entities = (event.get("parse_data") or {}).get("entities") or []
            return Previous(
                text.strip(),
                _inbox_id_and_part(event.get("message_id") or 0)[0],
                tuple(responses),
                _found(entities, text),
            )
    return Previous(responses=tuple(responses))


def _failures(events: Sequence[Mapping[str, Any]]) -> int:
    """Turns in a row that were not understood, counted back from the last one within the session."""
    failures, failed = 0, False
    for event in reversed(events):
        if event["event"] == "session_started":
            break
        if event["event"] == "bot":
            failed = failed or _response_of(event) in NOT_UNDERSTOOD
        if event["event"] == "user":
            if not failed:
                break
            failures, failed = failures + 1, False
    return failures


def _heard(events: Sequence[Mapping[str, Any]], form: str | None) -> frozenset[str]:
    said = set()
    for event in reversed(events):
        begins = event["event"] == "active_loop" and event.get("name") == form
        if begins or event["event"] == "session_started":
            break
        if event["event"] == "bot":
            said.add(_response_of(event))
    return frozenset(said)


def _said_to(events: Sequence[Mapping[str, Any]], inbox_id: int) -> frozenset[str]:
    said: set[str] = set()
    answers: set[str] = set()
    for event in reversed(events):
        if event["event"] == "bot":
            answers.add(_response_of(event))
        if event["event"] == "user":
            if _inbox_id_and_part(event.get("message_id") or 0)[0] != inbox_id:
                break
            said |= answers
            answers = set()
    return frozenset(said)


def _response_of(event: Mapping[str, Any]) -> str:
    return (event.get("metadata") or {}).get("utter_action") or ""
