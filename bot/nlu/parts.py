"""A message that asks for several things, run as so many turns: ``17#1``, ``17#2``.

Each part is understood and answered as if it had been sent by itself. How a message was divided stands in the
metadata of its parts, so that a retry divides it alike, whatever another model would make of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.incoming import Turn

#: Intents that are answered with a question, and those that open a form: what was asked last is what a short
#: answer is taken for, so they come after all others, in this order.
ANSWERED_WITH_A_QUESTION = (
    "loyalty_raffle",
    "loyalty_redeem",
    "my_data_erase",
    "marketing_opt_in",
    "request_human",
    "service_request",
)
OPENING_A_FORM = ("profile_update", "complaint_file")
#: Intents that have a use for files and contacts that were sent along.
TAKING_FILES = ("complaint_file", "complaint_add_note", "service_request")

#: Keys in the metadata of a part: which one it is, counted from 1, and all of them in the order of running.
PART, PARTS = "part", "parts"

_LAST = {intent: place for place, intent in enumerate((*ANSWERED_WITH_A_QUESTION, *OPENING_A_FORM), start=1)}


def divide(turn: Turn, requests: Sequence[Mapping[str, Any]]) -> list[Turn]:
    """Divides a turn by what it asks for.

    Args:
        turn: The message.
        requests: Its requests in the order of the text, with ``start`` and ``end`` in code points of the
            turn's text, and ``intent``.

    Returns:
        The parts in the order in which they are to be run: that of the text, but for those that ask back.
        Offsets of their entities are those of their own texts.
    """
    ordered = sorted(requests, key=lambda request: _LAST.get(request["intent"], 0))
    takers = [index for index, request in enumerate(ordered) if request["intent"] in TAKING_FILES]
    taker = takers[0] if takers else len(ordered) - 1
    plan = [
        {"start": request["start"], "end": request["end"], "files": index == taker}
        for index, request in enumerate(ordered)
    ]
    return _parts(turn, plan)


def parts_begun(tracker: DialogueStateTracker, turn: Turn) -> list[Turn]:
    """The parts of a message of which some have been run already; none for any other message."""
    first = f"{turn.message_id}#1"
    for event in tracker.events:
        if isinstance(event, UserUttered) and event.message_id == first:
            return _parts(turn, event.metadata[PARTS])
    return []


def is_later_part(metadata: Mapping[str, Any] | None) -> bool:
    """Whether a message is a part of one of which another part was run before."""
    return int((metadata or {}).get(PART, 1)) > 1


def _parts(turn: Turn, plan: Sequence[Mapping[str, Any]]) -> list[Turn]:
    return [
        replace(
            turn,
            message_id=f"{turn.message_id}#{number}",
            text=turn.text[part["start"] : part["end"]].strip(),
            attachments=turn.attachments if part["files"] else (),
            contact=turn.contact if part["files"] else None,
            metadata={**turn.metadata, PART: number, PARTS: list(plan)},
        )
        for number, part in enumerate(plan, start=1)
    ]
