"""Actions for the tests of the channel; what they did is written to the file named in EFFECTS."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import ActionExecuted, SessionStarted, SlotSet
from rasa_sdk.executor import CollectingDispatcher

Events = list[dict[str, Any]]


def _effect(tracker: Tracker, name: str) -> None:
    with Path(os.environ["EFFECTS"]).open("a", encoding="utf-8") as file:
        file.write(f"{tracker.sender_id} {name}\n")


class SessionStart(Action):
    def name(self) -> str:
        return "action_session_start"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return [SessionStarted(), ActionExecuted("action_listen")]


class Show(Action):
    """Shows what an action sees of the message."""

    def name(self) -> str:
        return "action_show"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        _effect(tracker, "show")
        message = tracker.latest_message
        seen = {key: message.get(key) for key in ("text", "entities", "metadata", "message_id")}
        dispatcher.utter_message(text="دیدم", json_message={"seen": seen, "events": len(tracker.events)})
        return []


class Fail(Action):
    def name(self) -> str:
        return "action_fail"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        _effect(tracker, "fail")
        raise RuntimeError("this action always fails")


class Silent(Action):
    def name(self) -> str:
        return "action_silent"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return []


class Slow(Action):
    def name(self) -> str:
        return "action_slow"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        _effect(tracker, "slow")
        time.sleep(1.5)
        dispatcher.utter_message(text="خواهش می‌کنم")
        return []


class Falter(Action):
    """Fails for each conversation once."""

    def name(self) -> str:
        return "action_falter"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        _effect(tracker, "falter")
        before = Path(os.environ["EFFECTS"]).read_text(encoding="utf-8").splitlines()
        if before.count(f"{tracker.sender_id} falter") == 1:
            raise RuntimeError("this action fails the first time")
        dispatcher.utter_message(text="دیگر نمی‌فرستیم")
        return []


class Story(Action):
    def name(self) -> str:
        return "action_story"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        dispatcher.utter_message(text=f"ثبت شد: {tracker.get_slot('story')}")
        return [SlotSet("story", None)]


class ValidateStory(FormValidationAction):
    def name(self) -> str:
        return "validate_story_form"

    async def extract_story(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        text = tracker.latest_message["text"]
        if text == "استخراج خراب":
            raise RuntimeError("this extraction always fails")
        return {"story": text} if tracker.get_slot("requested_slot") == "story" else {}
