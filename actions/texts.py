"""Names, fragments and typed words from data/<area>/: all Persian lives there, none in Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import yaml

from crm_store.persian import fold, rich
from crm_store.settings import PROJECT_ROOT

_WORD = re.compile(r"\w+")


class Rich(str):
    """A text that is rich text already."""


def shown(value: object) -> Rich:
    """Prepare a value for a response: escaped and isolated, unless it is rich text already."""
    text = value if isinstance(value, Rich) else rich.value(value)
    # Rasa's interpolation gives up on a text in which "0[" stands (rasa.core.nlg.interpolator).
    return Rich(text.replace("0[", "0&#91;"))


def fragment(area: str, response: str, **params: object) -> Rich:
    """Fill in a response that is part of a longer message."""
    text: str = _document(area, "responses")["responses"][response][0]["text"]
    return Rich(text.format(**{name: shown(value) for name, value in params.items()}))


def term(area: str, section: str, key: str) -> str | None:
    """The Persian name of something that the store keeps as a code."""
    name: str | None = _document(area, "terms")[section].get(key)
    return name


def category_title(category: str) -> str:
    """How a category of complaints is called: the title of its button."""
    return _category_titles()[category]


def words(text: str) -> list[str]:
    """The words of a text, folded, without punctuation."""
    return _WORD.findall(fold(text))


def meant(area: str, section: str, text: str) -> str | None:
    """The one key of a section whose words a short text names; None when it names none or several."""
    typed = f" {' '.join(words(text))}"
    found = {
        key for key, names in _folded(area, section).items() if any(f" {name}" in typed for name in names)
    }
    return found.pop() if len(found) == 1 else None


def is_one_of(area: str, section: str, text: str) -> bool:
    """Whether a text is one of the phrases of a section, in whatever spelling."""
    return " ".join(words(text)) in _fold_all(_document(area, "terms")[section])


def count_other_words(area: str, section: str, text: str) -> int:
    """How many words of a text do not stand in a section."""
    return sum(word not in _word_set(area, section) for word in words(text))


@lru_cache
def _category_titles() -> Mapping[str, str]:
    titles = {}
    for button in _document("complaints", "responses")["responses"]["utter_ask_complaint_category"][0][
        "buttons"
    ]:
        # Rasa wants braces doubled in responses.
        payload = button["payload"].replace("{{", "{").replace("}}", "}")
        titles[str(json.loads(payload[payload.index("{") :])["category"])] = str(button["title"])
    return titles


@lru_cache
def _document(area: str, name: str) -> Mapping[str, Any]:
    path = PROJECT_ROOT / "data" / area / f"{name}.yml"
    document: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


@lru_cache
def _folded(area: str, section: str) -> Mapping[str, tuple[str, ...]]:
    return {key: _fold_all(names) for key, names in _document(area, "terms")[section].items()}


@lru_cache
def _word_set(area: str, section: str) -> frozenset[str]:
    return frozenset(word for row in _document(area, "terms")[section] for word in _fold_all(row))


def _fold_all(names: Iterable[object]) -> tuple[str, ...]:
    return tuple(" ".join(words(str(name))) for name in names)
