"""What of a conversation is sent to the action server.

Rasa sends the whole tracker with every call: after 400 turns an action's body was 606 KiB. Actions read the
slots, the latest message and the last few events, so only those go over the wire.
"""

from __future__ import annotations

from typing import Any

#: Messages of the person, the current one included, whose events an action may look back on.
TURNS_KEPT = 6


def slim(action_call: dict[str, Any]) -> dict[str, Any]:
    """Cuts the tracker's events to the last turns.

    The cut is made just before a message of the person, so every turn that is sent is complete. Validation
    needs the slot events at the very end, a form that is asked again needs the rejection after the last
    message, and "did not understand twice" needs the turns before. Slots, latest message and active loop
    stand beside the events and stay as they are.

    Args:
        action_call: The body of a call to the action server, as Rasa builds it.

    Returns:
        The same call with fewer events; the argument itself is left alone.
    """
    tracker = action_call["tracker"]
    events = tracker["events"]
    turn_starts = [index for index, event in enumerate(events) if event["event"] == "user"]
    if len(turn_starts) <= TURNS_KEPT:
        return action_call
    return {**action_call, "tracker": {**tracker, "events": events[turn_starts[-TURNS_KEPT] :]}}
