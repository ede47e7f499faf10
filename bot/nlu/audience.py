"""The gate that keeps staff's intents from everybody else, first of three layers.

Whoever writes «گزارش امروز» as a customer must be understood as a customer. Rules by role and the actions'
own look into the store stand behind this gate.
"""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class AudienceGate(GraphComponent):
    """Removes intents that are not for the sender; stands between the classifier and the fallback."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # Intents that start like this are for staff alone.
            "prefix": "staff_",
            # Value of ``audience`` in the message's metadata that opens the gate.
            "audience": "staff",
        }

    def __init__(self, config: dict[str, Any]) -> None:
        """Creates the gate."""
        self._config = config

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> AudienceGate:
        """Creates the gate."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Takes staff's intents out of each ranking and shares their confidence out among the others."""
        for message in messages:
            audience = (message.get("metadata") or {}).get("audience")
            if audience != self._config["audience"]:
                self._close(message)
        return messages

    def _close(self, message: Message) -> None:
        ranking = message.get("intent_ranking") or []
        others = [intent for intent in ranking if not intent["name"].startswith(self._config["prefix"])]
        total = sum(intent["confidence"] for intent in ranking)
        remaining = sum(intent["confidence"] for intent in others)
        if len(others) == len(ranking) or not remaining:
            return
        # The sum stays what it was: below 1 it says that the text is unlike anything learnt.
        scaled = [{**intent, "confidence": intent["confidence"] * total / remaining} for intent in others]
        message.set("intent_ranking", scaled, add_to_output=True)
        message.set(INTENT, scaled[0], add_to_output=True)
