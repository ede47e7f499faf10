"""A turn as the gateway sends it, and how it becomes a message for Rasa.

Three kinds of input, three ways: a button that we sent is an intent and skips understanding; media without
text is the intent ``media``; text that somebody typed is always understood as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.advice import SIGNALS_KEY
from bot.nlu.expected import EXPECTED, as_expected
from bot.nlu.expected_staff import is_secret
from bot.nlu.requests import REQUESTS
from crm_store.staff.pin import HIDDEN

MEDIA_INTENT = "media"
ATTACHMENT_ENTITY = "attachment"
PHONE_ENTITY = "phone_number"
#: How much of the ranking the tracker keeps: the intent, the fallback and candidates for "did you mean".
RANKING_KEPT = 6

_LEADING_SLASHES = re.compile(r"[/\s]+")


class MalformedTurn(ValueError):
    """The body is not a turn."""


class UnknownPayload(ValueError):
    """A button's payload names no intent of the domain."""


@dataclass(frozen=True)
class Turn:
    """One message of one person.

    Attributes:
        sender: Id of the conversation.
        message_id: Id of the message; the same id again is a repetition.
        channel: Where it came from; responses may differ by channel.
        text: What was typed, or the caption.
        payload: ``/intent{json}`` of a button that we sent.
        attachments: Ids of kept files.
        contact: Phone number (E.164) that the person shared as a contact.
        metadata: What actions and components may know of the message.
    """

    sender: str
    message_id: str
    channel: str
    text: str = ""
    payload: str | None = None
    attachments: tuple[int | str, ...] = ()
    contact: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_body(cls, body: Any) -> Turn:
        """Reads the body of a request.

        Raises:
            MalformedTurn: A field is missing or of the wrong type, or the turn is empty.
        """
        try:
            turn = cls(
                sender=_required(body["sender"]),
                message_id=_required(body["message_id"]),
                channel=_required(body.get("channel") or "gateway"),
                text=_optional(body.get("text")) or "",
                payload=_optional(body.get("payload")),
                attachments=tuple(attachment["id"] for attachment in body.get("attachments") or ()),
                contact=_optional(body.get("contact")),
                metadata={**(body.get("metadata") or {}), "trusted": bool(body.get("payload"))},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise MalformedTurn(f"{type(error).__name__}: {error}") from error
        if not (turn.text or turn.payload or turn.attachments or turn.contact):
            raise MalformedTurn("neither text nor payload, attachments or contact")
        return turn


async def to_user_message(
    turn: Turn, processor: MessageProcessor, tracker: DialogueStateTracker, output: OutputChannel
) -> UserMessage:
    """Understands a turn.

    Args:
        turn: What came in.
        processor: The loaded model.
        tracker: The conversation so far.
        output: Where answers are collected.

    Returns:
        The message with its parse data, so that Rasa does not parse the text again.

    Raises:
        UnknownPayload: The button's payload names no intent of the domain.
    """
    if turn.payload is not None:
        parsed = _parse_payload(turn, processor)
    elif turn.text:
        parsed = await parse_typed_text(turn, processor, tracker)
    else:
        parsed = _parse_of(MEDIA_INTENT)
    expected = _expected(turn, tracker)
    parsed = as_expected(parsed, turn.text, expected, has_files=bool(turn.attachments))
    text = turn.text
    if is_secret(expected):
        # A PIN stands in no tracker; the action reads it in the transcript, and takes it out there.
        text, parsed[ENTITIES] = HIDDEN, [one for one in parsed[ENTITIES] if "start" not in one]
    parsed[TEXT] = text
    parsed[ENTITIES] = [*parsed[ENTITIES], *_entities_beside_the_text(turn)]
    return UserMessage(
        text,
        output,
        turn.sender,
        parse_data=parsed,
        input_channel=turn.channel,
        message_id=turn.message_id,
        metadata=turn.metadata,
    )


def _expected(turn: Turn, tracker: DialogueStateTracker) -> dict[str, Any] | None:
    """The question that a message may answer: what a form asks goes before, unless we have asked since."""
    expected: dict[str, Any] | None = turn.metadata.get(EXPECTED)
    if turn.payload is not None or not expected:
        return None
    return expected if tracker.active_loop_name is None or expected["is_latest"] else None


async def parse_typed_text(
    turn: Turn, processor: MessageProcessor, tracker: DialogueStateTracker
) -> dict[str, Any]:
    """Understands typed text as text, whatever it looks like.

    Rasa's graph ends in a handler that reads text with a leading slash as ``/intent{json}``. The model is
    therefore asked about the text without leading slashes; offsets are moved back to the text as typed.
    """
    understood, cut = without_leading_slashes(turn.text)
    message = UserMessage(understood, sender_id=turn.sender, metadata=turn.metadata)
    parsed: dict[str, Any] = await processor.parse_message(message, tracker)
    ranking = parsed.get("intent_ranking", [])[:RANKING_KEPT]
    entities = [
        {**entity, "start": entity["start"] + cut, "end": entity["end"] + cut} for entity in parsed[ENTITIES]
    ]
    requests = [
        {**request, "start": request["start"] + cut, "end": request["end"] + cut}
        for request in parsed.get(REQUESTS, [])
    ]
    understood_as = {
        INTENT: parsed[INTENT],
        "intent_ranking": ranking,
        ENTITIES: entities,
        SIGNALS_KEY: parsed.get(SIGNALS_KEY, []),
    }
    return {**understood_as, REQUESTS: requests} if requests else understood_as


def without_leading_slashes(text: str) -> tuple[str, int]:
    """Cuts what would make Rasa read a text as an intent.

    Returns:
        The rest of the text and how many characters were cut.
    """
    leading = _LEADING_SLASHES.match(text)
    cut = leading.end() if leading else 0
    return text[cut:], cut


def _parse_payload(turn: Turn, processor: MessageProcessor) -> dict[str, Any]:
    message = Message({TEXT: turn.payload})
    parsed = YAMLStoryReader.unpack_regex_message(message, processor.domain, entity_extractor_name="button")
    if not parsed.get(INTENT):
        raise UnknownPayload("the payload names no intent of the domain")
    return _parse_of(parsed.get(INTENT)["name"], parsed.get(ENTITIES))


def _parse_of(intent: str, entities: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    certain = {"name": intent, "confidence": 1.0}
    return {INTENT: certain, "intent_ranking": [certain], ENTITIES: entities or []}


def _entities_beside_the_text(turn: Turn) -> list[dict[str, Any]]:
    entities = [{"entity": ATTACHMENT_ENTITY, "value": identifier} for identifier in turn.attachments]
    if turn.contact:
        entities.append({"entity": PHONE_ENTITY, "value": turn.contact, "extractor": "contact"})
    return entities


def _required(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise TypeError("expected a text or a number")
    return str(value)


def _optional(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("expected a text")
    return (value or "").strip() or None
