"""The Rasa component around the intent model."""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.intent_model import IntentModel
from bot.nlu.persian import feature_text


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class PersianIntentClassifier(GraphComponent, IntentClassifier):
    """Sets ``intent`` and ``intent_ranking`` of a message."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # Inverse regularisation strength (C) of the logistic regression.
            "regularisation": 100.0,
        }

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, model: IntentModel
    ) -> None:
        """Creates the component around a model, trained or not."""
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PersianIntentClassifier:
        """Creates an untrained component."""
        model = IntentModel(feature_text, regularisation=config["regularisation"])
        return cls(config, model_storage, resource, model)

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
            return cls(config, model_storage, resource, IntentModel.load(directory, feature_text))

    def train(self, training_data: TrainingData) -> Resource:
        """Trains on the phrases of all intents; a retrieval intent (``faq/hours``) counts as one."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        self._model.train(
            [example.get(TEXT) for example in examples], [example.get(INTENT) for example in examples]
        )
        with self._storage.write_to(self._resource) as directory:
            self._model.save(directory)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Ranks the intents of each message."""
        for message in messages:
            ranking = [
                {"name": name, "confidence": confidence}
                for name, confidence in self._model.rank(message.get(TEXT) or "")
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages
