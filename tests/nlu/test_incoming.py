"""Reading the body of a turn."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.shared.core.events import ActiveLoop
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu import incoming
from bot.nlu.incoming import MalformedTurn, Turn, to_user_message, without_leading_slashes

BODY = {"sender": "12", "message_id": 345, "channel": "telegram", "text": " سلام "}


def test_a_turn_is_read_from_its_body() -> None:
    turn = Turn.from_body(
        {**BODY, "attachments": [{"id": 3, "kind": "photo"}], "metadata": {"edited": False}}
    )
    assert (turn.sender, turn.message_id, turn.text, turn.attachments) == ("12", "345", "سلام", (3,))
    assert turn.metadata == {"edited": False, "trusted": False}


def test_only_a_payload_makes_a_turn_trusted() -> None:
    assert Turn.from_body({**BODY, "payload": "/affirm"}).metadata["trusted"] is True
    assert Turn.from_body({**BODY, "metadata": {"trusted": True}}).metadata["trusted"] is False


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {**BODY, "sender": ""},
        {**BODY, "sender": None},
        {**BODY, "message_id": True},
        {**BODY, "text": 5},
        {**BODY, "attachments": [3]},
        {**BODY, "metadata": "x"},
        {**BODY, "text": "  "},
    ],
)
def test_a_body_that_is_no_turn_is_refused(body: Any) -> None:
    with pytest.raises(MalformedTurn):
        Turn.from_body(body)


async def test_a_pin_stands_in_no_tracker(monkeypatch: pytest.MonkeyPatch) -> None:
    async def parsed(*_: Any) -> dict[str, Any]:
        number = {"entity": "number", "value": 2468, "start": 0, "end": 4}
        return {"intent": {"name": "survey_answer", "confidence": 0.9}, "entities": [number]}

    monkeypatch.setattr(incoming, "parse_typed_text", parsed)
    expected = {"what": "staff", "ticket": "pin:ask", "is_latest": True}
    turn = Turn("12", "345", "telegram", text="2468", metadata={"expected": expected, "trusted": False})
    tracker = DialogueStateTracker.from_events("12", [])
    processor: Any = None  # not asked, as the text was understood above
    message = await to_user_message(turn, processor, tracker, CollectingOutputChannel())
    assert message.parse_data["intent"]["name"] == "staff_answer"
    assert [one["entity"] for one in message.parse_data["entities"]] == ["step"]
    assert "2468" not in str([message.text, message.parse_data])


@pytest.mark.parametrize(
    ("form", "is_latest", "becomes"),
    [
        (None, True, "answer_staff"),
        (None, False, "answer_staff"),
        ("complaint_form", True, "answer_staff"),
        ("complaint_form", False, "media"),
    ],
)
async def test_what_was_asked_since_the_form_asked_is_answered_first(
    form: str | None, is_latest: bool, becomes: str
) -> None:
    expected = {"what": "answer", "ticket": "12345678", "is_latest": is_latest}
    turn = Turn("12", "345", "telegram", attachments=(3,), metadata={"expected": expected})
    tracker = DialogueStateTracker.from_events("12", [ActiveLoop(form)])
    processor: Any = None  # what was sent without a word is understood without a model
    message = await to_user_message(turn, processor, tracker, CollectingOutputChannel())
    assert message.parse_data["intent"]["name"] == becomes


@pytest.mark.parametrize("text", ["/restart", "// greet", " / /greet", "/\u00a0/greet", "/\u2003/greet"])
def test_nothing_is_left_that_looks_like_an_intent(text: str) -> None:
    rest, cut = without_leading_slashes(text)
    assert not rest.strip().startswith("/")
    assert text[cut:] == rest
