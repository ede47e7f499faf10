"""The evaluation messages for entities and signals, and how answers to them are scored.

``expressions.yml`` holds dates, times, periods, amounts, numbers, ratings and points,
``names_products_cities.yml`` names of people and cities, ``signals.yml`` anger, urgency and danger. What an
entity's value looks like is written in ``docs/entities.md``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

EXPRESSIONS = ("date", "time", "period", "amount", "number", "rating", "points")
MENTIONS = ("person_name", "city")
SIGNALS = ("anger", "urgency", "danger")

HERE = Path(__file__).parent
HALF_SPACE = "\u200c"


@dataclass(frozen=True)
class Reading:
    """One entity that is to be found; ``candidates`` only where ``value`` is None, the likeliest first."""

    value: Any
    candidates: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Expression:
    """A message, the moment it is read at, and every reading of one kind of entity in it (none: empty)."""

    text: str
    now: datetime
    entity: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class Found:
    """A name in a message; ``start`` and ``end`` are code points of the text as typed."""

    value: str
    start: int
    end: int


@dataclass(frozen=True)
class Mention:
    """A message and every person's name, or every city, in it (none: empty)."""

    text: str
    entity: str
    found: tuple[Found, ...]

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The same shape as an expression's."""
        return tuple(Reading(found.value) for found in self.found)


@dataclass(frozen=True)
class SignalMessage:
    """A message and the signals in it."""

    text: str
    signals: frozenset[str]


class Miss(NamedTuple):
    """A message that was not answered exactly; ``got`` is the answer as it was judged."""

    text: str
    expected: Any
    got: Any


class Score(NamedTuple):
    """Shares of the messages of a kind, between 0 and 1, and the messages that were not answered exactly."""

    exact: float
    wrong: float
    misses: list[Miss]


def _entries(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return entries


def _expected(entry: dict[str, Any]) -> tuple[Reading, ...]:
    if entry.get("none"):
        return ()
    readings = entry.get("readings") or [entry]
    return tuple(Reading(reading["value"], tuple(reading.get("candidates", ()))) for reading in readings)


@cache
def expressions() -> tuple[Expression, ...]:
    """All expressions, in the order of the file."""
    return tuple(
        Expression(entry["text"], datetime.fromisoformat(entry["now"]), entry["entity"], _expected(entry))
        for entry in _entries("expressions.yml")
    )


@cache
def mentions() -> tuple[Mention, ...]:
    """All messages with names of people or cities, in the order of the file."""
    return tuple(
        Mention(entry["text"], entry["entity"], tuple(Found(**found) for found in entry["found"]))
        for entry in _entries("names_products_cities.yml")
    )


@cache
def signal_messages() -> tuple[SignalMessage, ...]:
    """All messages with and without signals, in the order of the file."""
    return tuple(
        SignalMessage(entry["text"], frozenset(entry["signals"])) for entry in _entries("signals.yml")
    )


def entity_messages(kind: str) -> tuple[Expression | Mention, ...]:
    """The messages of one kind of entity, in the order that :func:`score` wants the answers in.

    Args:
        kind: one of ``EXPRESSIONS`` or ``MENTIONS``.

    Raises:
        ValueError: there are no messages of that kind.
    """
    everything: tuple[Expression | Mention, ...] = (*expressions(), *mentions())
    messages = tuple(message for message in everything if message.entity == kind)
    if not messages:
        raise ValueError(f"no messages of the kind {kind!r}")
    return messages


def score(kind: str, answers: Sequence[Any]) -> Score:
    """How well a kind was read.

    Rather missed than wrong: what is only missed or left ambiguous counts against ``exact`` alone.

    Args:
        kind: an entity (``EXPRESSIONS``, ``MENTIONS``), one of ``SIGNALS``, or ``signals`` for all three.
        answers: one for each message of the kind, in their order. For an entity (:func:`entity_messages`) the
            entities found: mappings with ``entity``, ``value`` and, where the value is null, ``candidates``;
            those of other kinds are ignored. They are taken in the order of their ``start`` where they have
            one. For signals (:func:`signal_messages`) the names of those heard.

    Returns:
        ``exact``: the values equal those expected, in their order; for a null, the first candidate is the
        one expected and the candidates are the same set. ``wrong``: some value, not null, is not
        expected (where a null or nothing is expected: any value). Cities are compared without spaces and
        half-spaces. A signal is wrong where it is heard and not expected.

    Raises:
        ValueError: the kind is unknown, or there are not as many answers as messages.
    """
    if kind == "signals" or kind in SIGNALS:
        return _score_signals(frozenset(SIGNALS if kind == "signals" else (kind,)), answers)
    messages = entity_messages(kind)
    return _shares(
        [message.text for message in messages],
        [[_judged(reading.value, reading.candidates, kind) for reading in m.readings] for m in messages],
        [_found(kind, answer) for answer in answers],
        _has_wrong_value,
    )


def score_spans(kind: str, answers: Sequence[Sequence[Mapping[str, Any]]]) -> Score:
    """As :func:`score`, for where the names are: pairs of ``start`` and ``end`` instead of values.

    Args:
        kind: one of ``MENTIONS``.
        answers: as for :func:`score`; every entity of the kind has ``start`` and ``end``.
    """
    places = [
        sorted((entity["start"], entity["end"]) for entity in answer if entity["entity"] == kind)
        for answer in answers
    ]
    messages = [message for message in mentions() if message.entity == kind]
    expected = [[(found.start, found.end) for found in message.found] for message in messages]
    return _shares([message.text for message in messages], expected, places, _has_unexpected)


def _score_signals(judged: frozenset[str], answers: Sequence[Collection[str]]) -> Score:
    messages = signal_messages()
    return _shares(
        [message.text for message in messages],
        [sorted(message.signals & judged) for message in messages],
        [sorted(set(answer) & judged) for answer in answers],
        _has_unexpected,
    )


def _shares(
    texts: Sequence[str],
    expected: Sequence[Any],
    got: Sequence[Any],
    is_wrong: Callable[[Any, Any], bool],
) -> Score:
    if len(got) != len(texts):
        raise ValueError(f"{len(got)} answers to {len(texts)} messages")
    rows = list(zip(texts, expected, got, strict=True))
    misses = [Miss(*row) for row in rows if row[1] != row[2]]
    wrong = sum(is_wrong(miss.expected, miss.got) for miss in misses)
    return Score(1 - len(misses) / len(rows), wrong / len(rows), misses)


def _found(kind: str, answer: Sequence[Mapping[str, Any]]) -> list[Any]:
    entities = [entity for entity in answer if entity["entity"] == kind]
    entities.sort(key=lambda entity: entity.get("start", 0))
    return [_judged(entity["value"], entity.get("candidates") or (), kind) for entity in entities]


def _judged(value: Any, candidates: Sequence[Any], kind: str) -> tuple[str | None, str | None, list[str]]:
    """A value as comparable text; for a null the first candidate and all of them, sorted."""
    if value is not None:
        return _comparable(value, kind), None, []
    options = [_comparable(candidate, kind) for candidate in candidates]
    return None, options[0] if options else None, sorted(set(options))


def _comparable(value: Any, kind: str) -> str:
    if kind == "city":
        value = str(value).replace(" ", "").replace(HALF_SPACE, "")
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    """Equal numbers written equally: 8.0 as 8."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _has_wrong_value(expected: Sequence[Any], got: Sequence[Any]) -> bool:
    right = {value for value, _, _ in expected if value is not None}
    return any(value is not None and value not in right for value, _, _ in got)


def _has_unexpected(expected: Collection[Any], got: Collection[Any]) -> bool:
    return any(item not in expected for item in got)
