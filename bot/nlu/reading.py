"""Everything that is found in a message, as Rasa's entities: values, names, and phrases of lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.nlu.cities import CityFinder
from bot.nlu.names import NameFinder
from bot.nlu.persian import PhraseFinder
from bot.nlu.values import Found, find_values, overlap
from crm_store.persian.calendar_words import DEFAULT_DAY_PARTS, DayParts

Entity = dict[str, Any]

#: Who found it, as Rasa wants to know.
EXTRACTOR = "PersianEntityExtractor"
#: Phrases in remedies.yml that look like a wish and are none.
_NO_WISH = "none"


@dataclass(frozen=True)
class Lists:
    """What is known by name.

    Attributes:
        categories: What complaints are about.
        remedies: What they ask for.
        products: What the business sells.
        cities: Cities and provinces.
        names: Names of people.
    """

    categories: PhraseFinder
    remedies: PhraseFinder
    products: PhraseFinder
    cities: CityFinder
    names: NameFinder


def find_entities(
    text: str, *, now: datetime, lists: Lists, day_parts: DayParts = DEFAULT_DAY_PARTS
) -> list[Entity]:
    """Finds the entities of a message; ``docs/entities.md`` says what each looks like.

    Args:
        text: What somebody wrote.
        now: The moment it was written, with a time zone.
        lists: What is known by name.
        day_parts: What the parts of the day are, ``HH:MM`` each.

    Returns:
        Entities in the order of the text: ``entity``, ``value``, ``start`` and ``end`` in code points,
        ``extractor``, and ``candidates`` where the value is None. No two of them share a passage, but that a
        category or a remedy may stand in any, an order's number may be a tracking code, and an ambiguous sum
        or hour may be a number.

    Raises:
        ValueError: If the moment has no time zone.
    """
    named = _without_overlaps([*lists.names.find(text), *_phrases("product", lists.products, text)])
    places = [found for found in lists.cities.find(text) if not any(overlap(found, one) for one in named)]
    found = [
        *find_values(text, now=now, day_parts=day_parts, taken=named),
        *named,
        *places,
        *_phrases("category", lists.categories, text),
        *(one for one in _phrases("remedy", lists.remedies, text) if one.value != _NO_WISH),
    ]
    return sorted(map(_entity, found), key=lambda entity: int(entity["start"]))


def _phrases(entity: str, finder: PhraseFinder, text: str) -> Iterator[Found]:
    for phrase in finder.find(text):
        yield Found(phrase.start, phrase.end, entity, phrase.label)


def _without_overlaps(found: Iterable[Found]) -> list[Found]:
    """Of passages that overlap the longest."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: one.start - one.end):
        if not any(overlap(one, other) for other in kept):
            kept.append(one)
    return kept


def _entity(found: Found) -> Entity:
    entity = {
        "entity": found.entity,
        "start": found.start,
        "end": found.end,
        "value": found.value,
        "extractor": EXTRACTOR,
    }
    return {**entity, "candidates": list(found.candidates)} if found.value is None else entity
