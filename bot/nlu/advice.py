"""What is said first where somebody is in danger, whatever else the message is answered with.

Not an action's business: most messages that tell of danger are complaints, but «کمک!!! گاز» is answered as a
call for help by a rule that calls no action.
"""

from __future__ import annotations

from typing import Any

from rasa.core.actions.action import ActionBotResponse
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.audience import STAFF

#: Signals of the message in its parse data.
SIGNALS_KEY = "signals"
DANGER = "danger"
ADVICE = "utter_danger"
#: Confidence from which on danger is answered with advice. A weaker one is still worth a look of staff, but
#: whoever only complains of a broken cup need not read whom to call in an emergency.
SURE_OF_DANGER = 0.9


async def advice_in_danger(
    tracker: DialogueStateTracker,
    output: OutputChannel,
    nlg: NaturalLanguageGenerator,
    domain: Domain,
) -> list[Event]:
    """Says whom to call, once in a session, where the latest message tells of danger.

    Returns:
        What is said, to be sent and kept; nothing to staff, who only tell of others' danger.
    """
    message = tracker.latest_message
    if message is None or not _tells_of_danger(message) or _was_said(tracker):
        return []
    said: list[Event] = await ActionBotResponse(ADVICE).run(output, nlg, tracker, domain)
    return said


def _tells_of_danger(message: UserUttered) -> bool:
    if (message.metadata or {}).get("audience") == STAFF:
        return False
    parsed: dict[str, Any] = {**message.parse_data}
    heard = {one["name"]: one["confidence"] for one in parsed.get(SIGNALS_KEY, [])}
    return bool(heard.get(DANGER, 0.0) >= SURE_OF_DANGER)


def _was_said(tracker: DialogueStateTracker) -> bool:
    for event in reversed(tracker.events):
        if isinstance(event, SessionStarted):
            return False
        if isinstance(event, BotUttered) and event.metadata.get("utter_action") == ADVICE:
            return True
    return False
