"""The Rasa component that knows a complaint by what stands in it."""

# ruff: noqa: ARG003 (create takes what every graph component is given)

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ComplaintEvidence(GraphComponent):
    """Reads a story that wants something put right as a complaint; stands behind classifier and entities.

    «کفش سفارش ۳۳۱ پاره‌ست، عوضش کنین» has the words of a question about returns, and a formal letter with
    a phone number those of a profile. A wish for a remedy, told about an order or about what goes wrong, in
    more than a few words and not as a question, is neither.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # What such a text is.
            "intent": "complaint_file",
            # Intents that it is mistaken for; any other one stands.
            "instead_of": ["faq", "profile_update", "profile_link", "out_of_scope", "help", "explain"],
            # Others that it is mistaken for only where a complaint is as likely as this, too.
            "doubted": ["service_request", "service_reschedule", "service_status", "complaint_add_note"],
            "likely": 0.1,
            # The entity that is the wish, and those of which one has to stand beside it.
            "wish": "remedy",
            "about": ["order_number", "category"],
            # Fewest words of a story.
            "words": 6,
        }

    def __init__(self, config: dict[str, Any]) -> None:
        """Creates the component."""
        self._config = config

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ComplaintEvidence:
        """Creates the component."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Puts the complaint first where the evidence says so, with the confidence of what it replaces."""
        for message in messages:
            ranking = message.get("intent_ranking") or []
            if ranking and self._may_be_mistaken(ranking) and self._speaks_for_it(message):
                self._put_first(message, ranking)
        return messages

    def _may_be_mistaken(self, ranking: list[dict[str, Any]]) -> bool:
        name = ranking[0]["name"]
        likely = any(
            one["name"] == self._config["intent"] and one["confidence"] >= self._config["likely"]
            for one in ranking
        )
        return name in self._config["instead_of"] or (name in self._config["doubted"] and likely)

    def _speaks_for_it(self, message: Message) -> bool:
        text = (message.get(TEXT) or "").strip()
        found = {entity["entity"] for entity in message.get(ENTITIES, [])}
        is_story = len(text.split()) >= self._config["words"] and not text.endswith(("؟", "?"))
        return is_story and self._config["wish"] in found and not found.isdisjoint(self._config["about"])

    def _put_first(self, message: Message, ranking: list[dict[str, Any]]) -> None:
        top, intent = ranking[0], self._config["intent"]
        own = next((one for one in ranking if one["name"] == intent), {"name": intent, "confidence": 0.0})
        others = [one for one in ranking[1:] if one["name"] != intent]
        first = {**own, "confidence": top["confidence"]}
        second = {**top, "confidence": min(top["confidence"], own["confidence"])}
        reordered = [first, *sorted([second, *others], key=lambda one: -float(one["confidence"]))]
        message.set("intent_ranking", reordered, add_to_output=True)
        message.set(INTENT, first, add_to_output=True)
