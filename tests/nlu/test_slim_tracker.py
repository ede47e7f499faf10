"""What of a conversation reaches the action server."""

from __future__ import annotations

from typing import Any

from bot.nlu.slim_tracker import TURNS_KEPT, slim


def call(turns: int) -> dict[str, Any]:
    """A call to the action server after some turns."""
    events: list[dict[str, Any]] = [{"event": "session_started"}]
    for turn in range(turns):
        events += [{"event": "user", "text": str(turn)}, {"event": "slot", "name": "story"}, {"event": "bot"}]
    return {"next_action": "a", "tracker": {"events": events, "slots": {"story": "…"}, "sender_id": "1"}}


def test_a_short_conversation_is_sent_whole() -> None:
    assert slim(call(TURNS_KEPT)) == call(TURNS_KEPT)


def test_of_a_long_conversation_the_last_turns_are_sent_complete() -> None:
    events = slim(call(400))["tracker"]["events"]
    assert [event["text"] for event in events if event["event"] == "user"] == [
        str(turn) for turn in range(400 - TURNS_KEPT, 400)
    ]
    assert events[0]["event"] == "user"
    assert events[-2:] == [{"event": "slot", "name": "story"}, {"event": "bot"}]


def test_everything_beside_the_events_stays() -> None:
    long = call(50)
    slimmed = slim(long)
    assert {**slimmed["tracker"], "events": None} == {**long["tracker"], "events": None}
    assert len(long["tracker"]["events"]) == 151
