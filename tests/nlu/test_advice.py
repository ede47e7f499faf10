"""Whoever tells of danger is told first whom to call, once in a session."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.advice import ADVICE, SURE_OF_DANGER, advice_in_danger
from tests.nlu.conftest import Rasa


def message(confidence: float | None = 0.9, *, name: str = "danger", **metadata: Any) -> UserUttered:
    """A message in which a signal is heard, or none."""
    signals = [] if confidence is None else [{"name": name, "confidence": confidence}]
    parsed: Any = {"intent": {"name": "help"}, "entities": [], "signals": signals}
    return UserUttered("گاز", parsed["intent"], parse_data=parsed, metadata=metadata)


async def said(*events: Event) -> list[str]:
    """The responses that begin the answer to the last message."""
    tracker = DialogueStateTracker.from_events("1", [SessionStarted(), *events])
    nlg = TemplatedNaturalLanguageGenerator({ADVICE: [{"text": "۱۱۵"}]})
    advice = await advice_in_danger(tracker, CollectingOutputChannel(), nlg, Domain.empty())
    return [event.metadata["utter_action"] for event in advice if isinstance(event, BotUttered)]


async def test_danger_is_answered_with_advice() -> None:
    assert await said(message()) == [ADVICE]


async def test_without_danger_nothing_is_advised() -> None:
    assert await said(message(None)) == []
    assert await said(message(0.99, name="anger")) == []


async def test_a_danger_that_is_only_a_guess_is_left_to_staff() -> None:
    assert await said(message(SURE_OF_DANGER - 0.1)) == []


async def test_a_message_that_was_not_understood_as_text_has_no_signals() -> None:
    button = UserUttered("/affirm", {"name": "affirm"})
    assert await said(button) == []


async def test_advice_is_given_once_in_a_session() -> None:
    advice = BotUttered("۱۱۵", metadata={"utter_action": ADVICE})
    other = BotUttered("سلام", metadata={"utter_action": "utter_greet"})
    assert await said(message(), advice, other, message()) == []
    assert await said(message(), advice, SessionStarted(), message()) == [ADVICE]


async def test_staff_are_told_nothing() -> None:
    assert await said(message(audience="staff")) == []


@pytest.mark.rasa
def test_the_answer_begins_with_advice_and_goes_on_as_usual(with_actions: Rasa) -> None:
    _, first = with_actions.turn("in-danger", "1", text="سلام، بوی گاز کل خونه رو برداشته")
    _, second = with_actions.turn("in-danger", "2", text="سلام، بوی گاز خیلی شدیده")
    responses = [message["response"] for message in first["messages"]]
    assert responses[0] == ADVICE
    assert len(responses) > 1
    assert ADVICE not in [message["response"] for message in second["messages"]]
    assert with_actions.turn("in-danger", "1", text="سلام، بوی گاز کل خونه رو برداشته")[1] == {
        **first,
        "replayed": True,
    }
