"""The Rasa component around the intent models: one for all intents, one for the topics of ``faq/<topic>``."""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.audience import SURE_OF_HEAD, WITH_WORDS, head_of, weight_for, weight_for_author_of
from bot.nlu.features import Document, Reader
from bot.nlu.intent_model import IntentModel, IntentSettings
from bot.nlu.requests import REQUESTS, find_requests
from bot.nlu.sentence_vectors import CachedEncoder, SentenceEncoder, default_encoder
from crm_store.settings import PROJECT_ROOT

#: Vectors of training phrases: those that were made here, kept from one training to the next, and those of
#: our own phrases, that nobody has to wait minutes for them (`make vectors` brings them up to date).
VECTORS = PROJECT_ROOT / "models" / "sentence-vectors.npz"
SHIPPED_VECTORS = PROJECT_ROOT / "data" / "shared" / "sentence-vectors.npz"
#: How many topics of an intent are passed on: the one that is meant, and others that may be.
TOPICS_KEPT = 3
#: Nobody asks for the topic of an intent that is less likely than this.
POSSIBLE = 0.1


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class PersianIntentClassifier(GraphComponent, IntentClassifier):
    """Sets ``intent`` and ``intent_ranking`` of a message, of those that its sender may mean.

    Intents that are taught by topic (``faq/hours``) are ranked as one intent, which then has ``topic``,
    ``topic_confidence`` and ``topic_ranking`` besides its name and confidence. A message that asks for
    several things has them in ``requests``, each with ``start``, ``end``, ``intent`` and ``confidence``.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # Inverse regularisation strength (C) of the quick model's logistic regression.
            "regularisation": 100.0,
            # Confidence from which on the quick model is not doubted.
            "sure": 0.8,
            # Whether to ask sentence vectors where it is; without them training and memory are halved.
            "sentence_vectors": True,
            # Of how many examples of each intent there are vectors, 0 for all (`IntentSettings`).
            "examples_per_intent": 220,
            # Phrases by intent, apart from training and evaluation, by which confidence is calibrated; a path
            # within the project, or empty.
            "calibration": "",
        }

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        intents: IntentModel | None = None,
        topics: Mapping[str, IntentModel] | None = None,
    ) -> None:
        """Creates the component, around its models if they are trained already."""
        self._config = config
        self._storage = storage
        self._resource = resource
        self._intents = intents
        self._topics = topics or {}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PersianIntentClassifier:
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
    ) -> PersianIntentClassifier:
        """Loads the trained component."""
        with model_storage.read_from(resource) as directory:
            reader = Reader.load(directory)
            encoder = default_encoder() if config["sentence_vectors"] else None
            intents = IntentModel.load(directory, reader, encoder)
            folders = [path for path in directory.iterdir() if path.is_dir()]
            topics = {folder.name: IntentModel.load(folder, reader, None) for folder in folders}
        return cls(config, model_storage, resource, intents, topics)

    def train(self, training_data: TrainingData) -> Resource:
        """Trains on the phrases of all intents, and on those of each intent that has topics."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        reader = Reader.learn(example.get(TEXT) for example in examples)
        with self._storage.write_to(self._resource) as directory:
            reader.save(directory)
            intents = self._learn(reader, self._encoder(), examples, INTENT)
            self._calibrate(intents, taught={example.get(INTENT) for example in examples})
            intents.save(directory)
            for intent in training_data.retrieval_intents:
                folder: Path = directory / intent
                folder.mkdir()
                phrases = [example for example in examples if example.get(INTENT) == intent]
                # Topics are few and told by their words.
                self._learn(reader, None, phrases, INTENT_RESPONSE_KEY).save(folder)
        return self._resource

    def read(self, text: str) -> Document:
        """The text as the models see it."""
        return self._trained().read(text)

    def process(self, messages: list[Message]) -> list[Message]:
        """Ranks the intents of each message."""
        for message in messages:
            text = message.get(TEXT) or ""
            weight = weight_for(message.get("metadata"))
            text = self._asking(text, message.get("metadata"))
            whole = self._trained().rank(text, weight)
            # The parts of a message are ranked by the quick model: there are several.
            quick = partial(self._trained().rank, weight=weight, thorough=False)
            requests = find_requests(text, quick, whole)
            if len(requests) == 1 and whole:
                whole = _with_first(requests[0].intent, requests[0].confidence, whole)
            ranking = [
                {"name": name, "confidence": confidence, **self._topic(name, confidence, text)}
                for name, confidence in whole
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
            if len(requests) > 1:
                found = [request._asdict() for request in requests]
                message.set(REQUESTS, found, add_to_output=True)
        return messages

    def _asking(self, text: str, metadata: Mapping[str, Any] | None) -> str:
        """What of a message asks for something."""
        head = head_of(text, metadata)
        if head is None:
            return text
        intent, confidence = self._trained().rank(head, weight_for(metadata))[0]
        return head if intent in WITH_WORDS and confidence >= SURE_OF_HEAD else text

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

    def _trained(self) -> IntentModel:
        if self._intents is None:
            raise RuntimeError("the intent classifier is used before it is trained")
        return self._intents

    def _encoder(self) -> SentenceEncoder | None:
        encoder = default_encoder() if self._config["sentence_vectors"] else None
        return CachedEncoder(encoder, VECTORS, shipped=SHIPPED_VECTORS) if encoder else None

    def _calibrate(self, model: IntentModel, taught: Collection[str]) -> None:
        phrases = [
            (text, intent)
            for intent, texts in _calibration_phrases(self._config).items()
            for text in texts
            if intent in taught
        ]
        if phrases:
            texts, labels = zip(*phrases, strict=True)
            model.calibrate(texts, labels, weight_for_author_of)

    def _learn(
        self, reader: Reader, encoder: SentenceEncoder | None, examples: Sequence[Message], label: str
    ) -> IntentModel:
        settings = IntentSettings(
            regularisation=self._config["regularisation"],
            sure=self._config["sure"],
            examples_per_intent=self._config["examples_per_intent"],
        )
        model = IntentModel(reader, encoder, settings)
        model.train([example.get(TEXT) for example in examples], [example.get(label) for example in examples])
        return model


def _with_first(intent: str, confidence: float, ranking: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """A ranking with what a message asks for at its head, which the parts of a message may tell better."""
    if ranking[0] == (intent, confidence):
        return ranking
    return [(intent, confidence), *(one for one in ranking if one[0] != intent)]


def _calibration_phrases(config: Mapping[str, Any]) -> dict[str, list[str]]:
    if not config["calibration"]:
        return {}
    text = (PROJECT_ROOT / config["calibration"]).read_text(encoding="utf-8")
    phrases: dict[str, list[str]] = yaml.safe_load(text)
    return phrases
