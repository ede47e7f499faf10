from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker

from actions.turn import Found, Turn, read_turn


def turn_of(**parsed: Any) -> Turn:
    """The turn of a message that was understood as these things."""
    message = {"text": "بوی گاز میاد", "intent": {"name": "complaint_file"}, "message_id": "5", **parsed}
    events = [{"event": "user", **message}]
    return read_turn(Tracker("1", {}, message, events, False, None, {}, None))


def test_an_action_knows_what_was_heard_beside_the_intent() -> None:
    heard = [{"name": "danger", "confidence": 0.9}, {"name": "urgency", "confidence": 0.7}]
    assert turn_of(signals=heard).signals == {"danger", "urgency"}


def test_a_button_has_no_signals() -> None:
    assert turn_of().signals == frozenset()


def test_an_ambiguous_entity_has_no_value_but_candidates() -> None:
    day = {"entity": "date", "value": None, "start": 0, "end": 3, "candidates": ["2026-11-22", "2026-11-29"]}
    turn = turn_of(entities=[day])
    assert turn.found == (Found("date", None, 0, 3, ("2026-11-22", "2026-11-29")),)
    assert turn.entity("date") is None
