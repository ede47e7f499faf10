"""Names, fragments and typed words from data/<area>/: all Persian lives there, none in Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from crm_store.persian import fold, group_thousands, rich
from crm_store.terms import terms
from crm_store.wordings import BUSINESS, Wordings

_WORD = re.compile(r"\w+")
_QUESTION_MARK = "؟"
_ASKS_WITHOUT_A_MARK = frozenset(
    {
        "utter_ask_answer",
        "utter_ask_note",
        "utter_club_ask_friend_code",
        "utter_club_friend_unknown",
        "utter_complaint_waits_for_you",
        "utter_grade_unclear",
        "utter_survey_left_open",
    }
)
_wordings: Wordings | None = None


class Rich(str):
    """A text that is rich text already."""


def shown(value: object) -> Rich:
    """Prepare a value for a response: escaped and isolated, unless it is rich text already.

    A whole number is how many of something there are, so its thousands are grouped.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = group_thousands(value)
    text = value if isinstance(value, Rich) else rich.value(value)
    # Rasa's interpolation gives up on a text in which "0[" stands (rasa.core.nlg.interpolator).
    return Rich(text.replace("0[", "0&#91;"))


def speak_as(wordings: Wordings) -> None:
    """Take fragments from these wordings."""
    global _wordings  # noqa: PLW0603  # rasa_sdk makes the actions itself and passes them nothing
    _wordings = wordings


def _current() -> Wordings:
    """All responses as they are said now.

    Raises:
        RuntimeError: `speak_as` was not called.
    """
    if _wordings is None:
        raise RuntimeError("actions.base.configure comes first")
    return _wordings


def fragment(response: str, **params: object) -> Rich:
    """Fill in a response that is part of a longer message.

    Raises:
        RuntimeError: `speak_as` was not called.
    """
    said = _current()
    text: str = said.current()[response][0]["text"]
    values = {name: shown(value) for name, value in params.items()}
    return Rich(text.format(**{BUSINESS: said.business_name, **values}))


def asks(response: str) -> bool:
    """Whether a response asks something or gives a choice, so that what is said next would take its answer.

    Raises:
        RuntimeError: `speak_as` was not called.
    """
    return response in _ASKS_WITHOUT_A_MARK or any(
        _QUESTION_MARK in (one.get("text") or "")
        or one.get("buttons")
        or (one.get("custom") or {}).get("request_contact")
        for one in _current().current()[response]
    )


def button(title: str, intent: str, **entities: str) -> dict[str, str]:
    """A button that stands for an intent, with values by the names of entities."""
    return {"title": title, "payload": f"/{intent}{json.dumps(entities) if entities else ''}"}


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


def named(area: str, section: str, text: str) -> set[str]:
    """All keys of a section of which a phrase stands in a text, as whole words."""
    typed = f" {' '.join(words(text))} "
    phrases = _folded(area, section)
    return {key for key, names in phrases.items() if any(f" {name} " in typed for name in names)}


def is_any_in(area: str, section: str, text: str) -> bool:
    """Whether any phrase of a section stands in a text, as whole words."""
    typed = f" {' '.join(words(text))} "
    return any(f" {phrase} " in typed for phrase in _phrases(area, section))


def is_one_of(area: str, section: str, text: str) -> bool:
    """Whether a text is one of the phrases of a section, in whatever spelling."""
    return " ".join(words(text)) in _phrases(area, section)


def count_other_words(area: str, section: str, text: str) -> int:
    """How many words of a text do not stand in a section."""
    return sum(word not in _word_set(area, section) for word in words(text))


@lru_cache
def _phrases(area: str, section: str) -> tuple[str, ...]:
    return _fold_all(terms(area)[section])


@lru_cache
def _folded(area: str, section: str) -> Mapping[str, tuple[str, ...]]:
    return {key: _fold_all(names) for key, names in terms(area)[section].items()}


@lru_cache
def _word_set(area: str, section: str) -> frozenset[str]:
    return frozenset(word for row in terms(area)[section] for word in _fold_all(row))


def _fold_all(names: Iterable[object]) -> tuple[str, ...]:
    return tuple(" ".join(words(str(name))) for name in names)
