"""The Rasa component that finds codes, phone numbers and complaint categories."""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.persian import PhraseFinder
from crm_store.persian import find_phones, find_tracking_codes

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
_FILE = "categories.yml"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class PersianEntityExtractor(GraphComponent):
    """Adds ``ticket_code``, ``phone_number`` and ``category`` with offsets into the text as it was typed.

    "Training" copies the trigger words into the model, so that a model always finds what it was tested with.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # YAML file with the trigger words of each category, relative to the project.
            "categories": "data/complaints/categories.yml",
        }

    def __init__(self, storage: ModelStorage, resource: Resource, categories: dict[str, list[str]]) -> None:
        """Creates the extractor."""
        self._storage = storage
        self._resource = resource
        self._categories = categories
        self._finder = PhraseFinder(categories)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PersianEntityExtractor:
        """Creates the extractor from the project's trigger words."""
        return cls(model_storage, resource, _read(PROJECT_ROOT / config["categories"]))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PersianEntityExtractor:
        """Creates the extractor from the trigger words in the model."""
        with model_storage.read_from(resource) as directory:
            return cls(model_storage, resource, _read(directory / _FILE))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Makes Rasa's training cache notice other trigger words."""
        path: Path = PROJECT_ROOT / config["categories"]
        return path.read_text(encoding="utf-8")

    def train(self, training_data: TrainingData) -> Resource:
        """Writes the trigger words into the model."""
        with self._storage.write_to(self._resource) as directory:
            text = yaml.safe_dump(self._categories, allow_unicode=True)
            (directory / _FILE).write_text(text, encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the entities of each message."""
        for message in messages:
            found = self.extract(message.get(TEXT) or "")
            message.set(ENTITIES, [*message.get(ENTITIES, []), *found], add_to_output=True)
        return messages

    def extract(self, text: str) -> list[dict[str, Any]]:
        """Finds the entities of a text.

        Args:
            text: What somebody wrote.

        Returns:
            Entities in Rasa's form, in the order of the text; start and end in code points.
        """
        found = [
            *(_entity("ticket_code", code.start, code.end, code.value) for code in find_tracking_codes(text)),
            *(_entity("phone_number", phone.start, phone.end, phone.value) for phone in find_phones(text)),
            *(
                _entity("category", phrase.start, phrase.end, phrase.label)
                for phrase in self._finder.find(text)
            ),
        ]
        return sorted(found, key=lambda entity: int(entity["start"]))


def _entity(name: str, start: int, end: int, value: str) -> dict[str, Any]:
    return {
        "entity": name,
        "start": start,
        "end": end,
        "value": value,
        "extractor": PersianEntityExtractor.__name__,
    }


def _read(path: Path) -> dict[str, list[str]]:
    categories: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return categories
