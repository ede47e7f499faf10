"""The Rasa component that finds what stands in a message: codes, dates, money, names, its subject."""

# ruff: noqa: ARG003 (create and load take what every graph component is given)

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
import yaml
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.cities import CityFinder
from bot.nlu.names import NameFinder
from bot.nlu.persian import PhraseFinder
from bot.nlu.reading import Entity, Lists, find_entities
from crm_store.business import Business, BusinessFile
from crm_store.persian.calendar_tokens import TEHRAN
from crm_store.persian.calendar_words import DEFAULT_DAY_PARTS
from crm_store.settings import PROJECT_ROOT, load_settings

_CATEGORIES, _REMEDIES, _CITIES, _NAMES = _FILES = ("categories", "remedies", "cities", "names")

log = structlog.get_logger(__name__)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class PersianEntityExtractor(GraphComponent):
    """Adds entities with offsets into the text as it was typed; `bot.nlu.reading` finds them.

    "Training" copies the lists of phrases and names into the model, so that a model always finds what it was
    tested with. Which categories, products and parts of the day a running business has stands in its business
    file. Dates are read at the moment ``now`` of the message's metadata, or now.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings."""
        return {
            # YAML files, relative to the project: the phrases of each category and of each remedy, the places
            # of the country, the names of people.
            _CATEGORIES: "data/complaints/categories.yml",
            _REMEDIES: "data/complaints/remedies.yml",
            _CITIES: "data/shared/cities.yml",
            _NAMES: "data/shared/given_names.yml",
        }

    def __init__(
        self,
        storage: ModelStorage,
        resource: Resource,
        files: dict[str, Any],
        business: BusinessFile | None = None,
    ) -> None:
        """Creates the extractor.

        Args:
            storage: Where the model is kept.
            resource: Which part of it is ours.
            files: The contents of the files in the settings, by their names there.
            business: The owner's file; without it the categories are those of the phrases.
        """
        self._storage = storage
        self._resource = resource
        self._files = files
        self._business_file = business
        self._business: Business | None = None
        self._day_parts = DEFAULT_DAY_PARTS
        self._lists = Lists(
            categories=PhraseFinder(files[_CATEGORIES]),
            remedies=PhraseFinder(files[_REMEDIES], are_patterns=True),
            products=PhraseFinder({}),
            cities=CityFinder(files[_CITIES]),
            names=NameFinder(files[_NAMES]),
        )

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PersianEntityExtractor:
        """Creates the extractor from the project's phrases."""
        files = {name: _read(PROJECT_ROOT / config[name]) for name in _FILES}
        return cls(model_storage, resource, files)

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
            files = {name: _read(_file(directory, name)) for name in _FILES}
        return cls(model_storage, resource, files, BusinessFile(load_settings().business_path))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Makes Rasa's training cache notice other phrases."""
        paths = (PROJECT_ROOT / config[name] for name in _FILES)
        return "".join(path.read_text(encoding="utf-8") for path in paths)

    def train(self, training_data: TrainingData) -> Resource:
        """Writes the phrases into the model."""
        with self._storage.write_to(self._resource) as directory:
            for name, content in self._files.items():
                text = yaml.safe_dump(content, allow_unicode=True)
                _file(directory, name).write_text(text, encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the entities of each message."""
        for message in messages:
            found = self.extract(message.get(TEXT) or "", now=_moment(message.get("metadata")))
            message.set(ENTITIES, [*message.get(ENTITIES, []), *found], add_to_output=True)
        return messages

    def extract(self, text: str, *, now: datetime | None = None) -> list[Entity]:
        """Finds the entities of a text.

        Args:
            text: What somebody wrote.
            now: The moment it was written, with a time zone; the present if left out.

        Returns:
            Entities in Rasa's form, see `bot.nlu.reading.find_entities`.
        """
        self._follow_business_file()
        moment = now or datetime.now(TEHRAN)
        return find_entities(text, now=moment, lists=self._lists, day_parts=self._day_parts)

    def _follow_business_file(self) -> None:
        """Takes categories, products and parts of the day from the file if it has changed."""
        if self._business_file is None or self._business_file.current() is self._business:
            return
        self._business = business = self._business_file.current()
        ours = self._files[_CATEGORIES]
        categories = {
            category.key: [*ours.get(category.key, ()), category.title, *category.words]
            for category in business.complaints.categories
        }
        products = {product.key: [product.title, *product.words] for product in business.products}
        self._lists = replace(
            self._lists, categories=PhraseFinder(categories), products=PhraseFinder(products)
        )
        self._day_parts = business.parts_of_day()


def _moment(metadata: dict[str, Any] | None) -> datetime | None:
    """The moment that the metadata says the message was written at; None if it says none."""
    said = (metadata or {}).get("now")
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(str(said).replace("Z", "+00:00"))
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        log.warning("message_moment_unreadable", wanted="ISO 8601 with an offset")
        return None
    return moment


def _file(directory: Path, name: str) -> Path:
    return directory / f"{name}.yml"


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
