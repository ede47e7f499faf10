"""The Rasa component that finds codes, numbers, and what a complaint is about and asks for."""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from crm_store.business import Business, BusinessFile
from crm_store.persian import find_order_numbers, find_phones, find_tracking_codes
from crm_store.settings import load_settings

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
_CATEGORIES, _REMEDIES = "categories", "remedies"
#: Phrases in remedies.yml that look like a wish and are none.
_NO_WISH = "none"

Phrases = Mapping[str, Sequence[str]]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class PersianEntityExtractor(GraphComponent):
    """Adds entities with offsets into the text as it was typed.

    ``ticket_code``, ``order_number`` and ``phone_number`` by the shape of a number and the words around it;
    ``category`` and ``remedy`` by their phrases. "Training" copies the phrases into the model, so that a
    model always finds what it was tested with. Which categories a running business has, and its own words for
    them, stand in its business file.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # YAML files with the phrases of each category and of each remedy, relative to the project.
            _CATEGORIES: "data/complaints/categories.yml",
            _REMEDIES: "data/complaints/remedies.yml",
        }

    def __init__(
        self,
        storage: ModelStorage,
        resource: Resource,
        phrases: Mapping[str, Phrases],
        business: BusinessFile | None = None,
    ) -> None:
        """Creates the extractor.

        Args:
            storage: Where the model is kept.
            resource: Which part of it is ours.
            phrases: The contents of the files in the settings, by their names there.
            business: The owner's file; without it the categories are those of the phrases.
        """
        self._storage = storage
        self._resource = resource
        self._phrases = phrases
        self._business_file = business
        self._business: Business | None = None
        self._categories = PhraseFinder(phrases[_CATEGORIES])
        self._remedies = PhraseFinder(phrases[_REMEDIES], are_patterns=True)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PersianEntityExtractor:
        """Creates the extractor from the project's phrases."""
        phrases = {name: _read(PROJECT_ROOT / config[name]) for name in (_CATEGORIES, _REMEDIES)}
        return cls(model_storage, resource, phrases)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PersianEntityExtractor:
        """Creates the extractor from the phrases in the model and the business file."""
        with model_storage.read_from(resource) as directory:
            phrases = {name: _read(_file(directory, name)) for name in (_CATEGORIES, _REMEDIES)}
        return cls(model_storage, resource, phrases, BusinessFile(load_settings().business_path))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Makes Rasa's training cache notice other phrases."""
        paths = (PROJECT_ROOT / config[name] for name in (_CATEGORIES, _REMEDIES))
        return "".join(path.read_text(encoding="utf-8") for path in paths)

    def train(self, training_data: TrainingData) -> Resource:
        """Writes the phrases into the model."""
        with self._storage.write_to(self._resource) as directory:
            for name, phrases in self._phrases.items():
                text = yaml.safe_dump(phrases, allow_unicode=True)
                _file(directory, name).write_text(text, encoding="utf-8")
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
        codes, orders, phones = find_tracking_codes(text), find_order_numbers(text), find_phones(text)
        about, wished = self._current_categories().find(text), self._remedies.find(text)
        found = [
            *(_entity("ticket_code", code.start, code.end, code.value) for code in codes),
            *(_entity("order_number", order.start, order.end, order.value) for order in orders),
            *(_entity("phone_number", phone.start, phone.end, phone.value) for phone in phones),
            *(_entity("category", phrase.start, phrase.end, phrase.label) for phrase in about),
            *(
                _entity("remedy", phrase.start, phrase.end, phrase.label)
                for phrase in wished
                if phrase.label != _NO_WISH
            ),
        ]
        return sorted(found, key=lambda entity: int(entity["start"]))

    def _current_categories(self) -> PhraseFinder:
        """Those of the business file; it may have changed since the last message."""
        if self._business_file is not None and self._business_file.current() is not self._business:
            self._business = self._business_file.current()
            ours = self._phrases[_CATEGORIES]
            self._categories = PhraseFinder(
                {
                    category.key: [*ours.get(category.key, ()), category.title, *category.words]
                    for category in self._business.complaints.categories
                }
            )
        return self._categories


def _entity(name: str, start: int, end: int, value: str) -> dict[str, Any]:
    return {
        "entity": name,
        "start": start,
        "end": end,
        "value": value,
        "extractor": PersianEntityExtractor.__name__,
    }


def _file(directory: Path, name: str) -> Path:
    return directory / f"{name}.yml"


def _read(path: Path) -> dict[str, list[str]]:
    phrases: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return phrases
