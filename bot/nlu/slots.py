"""The Rasa component that finds what annotated phrases teach: names of people, products and the like."""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.features import Reader
from bot.nlu.linear_tagger import TaggerSettings
from bot.nlu.slot_features import Ranking
from bot.nlu.slot_intents import held_out_rankings
from bot.nlu.slot_model import Example, Slot, SlotModel, Span
from bot.nlu.word_lists import fingerprint, known_words


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class PersianSlotTagger(GraphComponent):
    """Adds entities with the value as it was typed and ``confidence_entity``.

    It learns from phrases such as «[سارا رضایی](person_name) هستم», and from all others what not to find.
    Where an earlier component has found something, that stands. It belongs behind the intent classifier: what
    a message means tells what its words are. Without annotated phrases it does nothing.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # Which annotated entities to learn; null for all.
            "entities": None,
            # Whether to look at the intents of a message.
            "intents": True,
            # How many models are added up: each takes as long again to train, and no time when tagging.
            "models": 3,
            # What is less sure than this is not found.
            "sure": 0.5,
        }

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        model: SlotModel,
    ) -> None:
        """Creates the component around its model, trained or not."""
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
    ) -> PersianSlotTagger:
        """Creates an untrained component."""
        return cls(config, model_storage, resource, SlotModel(known_words()))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PersianSlotTagger:
        """Loads the trained component."""
        with model_storage.read_from(resource) as directory:
            return cls(config, model_storage, resource, SlotModel.load(directory))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Makes Rasa's training cache notice other lists of words."""
        return fingerprint()

    def train(self, training_data: TrainingData) -> Resource:
        """Trains on all phrases that have an intent."""
        messages = [message for message in training_data.intent_examples if message.get(TEXT)]
        spans = [self._spans(message) for message in messages]
        rankings = self._rankings(messages) if any(spans) else [()] * len(messages)
        self._model.train(
            [
                Example(message.get(TEXT), found, ranking)
                for message, found, ranking in zip(messages, spans, rankings, strict=True)
            ],
            TaggerSettings(models=self._config["models"]),
        )
        with self._storage.write_to(self._resource) as directory:
            self._model.save(directory)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the entities of each message."""
        for message in messages:
            known = message.get(ENTITIES, [])
            text = message.get(TEXT) or ""
            found = self._model.tag(text, self._ranking(message))
            new = [
                self._entity(text, slot)
                for slot in found
                if slot.confidence >= self._config["sure"] and not _overlaps(slot, known)
            ]
            if new:
                entities = sorted([*known, *new], key=lambda entity: int(entity.get("start", 0)))
                message.set(ENTITIES, entities, add_to_output=True)
        return messages

    def _spans(self, message: Message) -> list[Span]:
        wanted: Collection[str] | None = self._config["entities"]
        return [
            Span(entity["entity"], entity["start"], entity["end"])
            for entity in message.get(ENTITIES, [])
            if wanted is None or entity["entity"] in wanted
        ]

    def _rankings(self, messages: Sequence[Message]) -> Sequence[Ranking]:
        if not self._config["intents"]:
            return [()] * len(messages)
        reader = Reader.learn(message.get(TEXT) for message in messages)
        documents = [reader.read(message.get(TEXT)) for message in messages]
        return held_out_rankings(documents, [message.get(INTENT) for message in messages])

    def _ranking(self, message: Message) -> Ranking:
        if not self._config["intents"]:
            return ()
        return [(one["name"], one["confidence"]) for one in message.get("intent_ranking") or ()]

    def _entity(self, text: str, slot: Slot) -> dict[str, Any]:
        return {
            "entity": slot.slot,
            "start": slot.start,
            "end": slot.end,
            "value": text[slot.start : slot.end],
            "confidence_entity": slot.confidence,
            "extractor": type(self).__name__,
        }


def _overlaps(slot: Slot, known: Iterable[dict[str, Any]]) -> bool:
    return any(
        entity["start"] < slot.end and slot.start < entity["end"] for entity in known if "start" in entity
    )
