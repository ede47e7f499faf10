"""The Rasa component that hears danger, urgency and anger beside the intent."""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.advice import SIGNALS_KEY
from bot.nlu.classifier import VECTORS
from bot.nlu.features import Reader
from bot.nlu.sentence_vectors import CachedEncoder, default_encoder
from bot.nlu.signal_model import SignalModel, SignalSettings, signal_phrases
from crm_store.settings import PROJECT_ROOT


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class PersianSignals(GraphComponent):
    """Sets ``signals`` of a message, whatever its intent; see `bot.nlu.signal_model`."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # YAML file with phrases by the signals in them, relative to the project.
            "phrases": "data/shared/signals.yml",
            # Inverse regularisation strength (C) of the logistic regressions.
            "regularisation": 30.0,
            # Between these two probabilities the quick model is not believed.
            "unsure": [0.15, 0.85],
            # Whether to ask sentence vectors then: F1 rises by one to four points, and a training takes 40
            # seconds more, a message that is doubtful 20 milliseconds.
            "sentence_vectors": False,
        }

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        model: SignalModel | None = None,
    ) -> None:
        """Creates the component, around its model if it is trained already."""
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
    ) -> PersianSignals:
        """Creates an untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PersianSignals:
        """Loads the trained component."""
        encoder = default_encoder() if config["sentence_vectors"] else None
        with model_storage.read_from(resource) as directory:
            model = SignalModel.load(directory, Reader.load(directory), encoder)
        return cls(config, model_storage, resource, model)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Makes Rasa's training cache notice other phrases."""
        phrases: str = (PROJECT_ROOT / config["phrases"]).read_text(encoding="utf-8")
        return phrases

    def train(self, training_data: TrainingData) -> Resource:
        """Trains on the phrases with signals, and on some of calm intents."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        phrases = signal_phrases(
            PROJECT_ROOT / self._config["phrases"],
            [(example.get(INTENT), example.get(TEXT)) for example in examples],
        )
        reader = Reader.learn(phrase.text for phrase in phrases)
        encoder = default_encoder() if self._config["sentence_vectors"] else None
        settings = SignalSettings(self._config["regularisation"], tuple(self._config["unsure"]))
        model = SignalModel(reader, CachedEncoder(encoder, VECTORS) if encoder else None, settings)
        model.train(phrases)
        with self._storage.write_to(self._resource) as directory:
            reader.save(directory)
            model.save(directory)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the signals of each message."""
        if self._model is None:
            raise RuntimeError("signals are asked for before they are trained")
        for message in messages:
            heard = [one._asdict() for one in self._model.hear(message.get(TEXT) or "")]
            message.set(SIGNALS_KEY, heard, add_to_output=True)
        return messages
