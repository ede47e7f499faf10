"""The Rasa component around the intent models: one for all intents, one for the topics of ``faq/<topic>``."""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.intent_model import IntentModel
from bot.nlu.persian import feature_text

#: How many topics of an intent are passed on: the one that is meant, and others that may be.
TOPICS_KEPT = 3
#: Nobody asks for the topic of an intent that is less likely than this.
POSSIBLE = 0.1


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class PersianIntentClassifier(GraphComponent, IntentClassifier):
    """Sets ``intent`` and ``intent_ranking`` of a message.

    Intents that are taught by topic (``faq/hours``) are ranked as one intent, which then has ``topic``,
    ``topic_confidence`` and ``topic_ranking`` besides its name and confidence.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # Inverse regularisation strength (C) of the logistic regression.
            "regularisation": 100.0,
        }

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        intents: IntentModel,
        topics: Mapping[str, IntentModel],
    ) -> None:
        """Creates the component around its models, trained or not."""
        self._config = config
        self._storage = storage
        self._resource = resource
        self._intents = intents
        self._topics = topics

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PersianIntentClassifier:
        """Creates an untrained component."""
        return cls(config, model_storage, resource, _untrained(config), {})

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PersianIntentClassifier:
        """Loads the trained component."""
        with model_storage.read_from(resource) as directory:
            intents = IntentModel.load(directory, feature_text)
            folders = [path for path in directory.iterdir() if path.is_dir()]
            topics = {folder.name: IntentModel.load(folder, feature_text) for folder in folders}
        return cls(config, model_storage, resource, intents, topics)

    def train(self, training_data: TrainingData) -> Resource:
        """Trains on the phrases of all intents, and on those of each intent that has topics."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        with self._storage.write_to(self._resource) as directory:
            _learn(self._intents, examples, INTENT).save(directory)
            for intent in training_data.retrieval_intents:
                folder: Path = directory / intent
                folder.mkdir()
                phrases = [example for example in examples if example.get(INTENT) == intent]
                _learn(_untrained(self._config), phrases, INTENT_RESPONSE_KEY).save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Ranks the intents of each message."""
        for message in messages:
            text = message.get(TEXT) or ""
            ranking = [
                {"name": name, "confidence": confidence, **self._topic(name, confidence, text)}
                for name, confidence in self._intents.rank(text)
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _topic(self, intent: str, confidence: float, text: str) -> dict[str, Any]:
        if intent not in self._topics or confidence < POSSIBLE:
            return {}
        ranking = [
            {"name": label.partition("/")[2], "confidence": confidence}
            for label, confidence in self._topics[intent].rank(text)[:TOPICS_KEPT]
        ]
        return {
            "topic": ranking[0]["name"],
            "topic_confidence": ranking[0]["confidence"],
            "topic_ranking": ranking,
        }


def _untrained(config: Mapping[str, Any]) -> IntentModel:
    return IntentModel(feature_text, regularisation=config["regularisation"])


def _learn(model: IntentModel, examples: Sequence[Message], label: str) -> IntentModel:
    model.train([example.get(TEXT) for example in examples], [example.get(label) for example in examples])
    return model
