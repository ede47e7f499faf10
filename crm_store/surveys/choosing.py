"""What a text means to a survey: which of a question's choices, by its place or its name, and an opinion.

Understanding and actions read it alike, so that «دومی» and «برخوردتون» mean the same to both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from crm_store.business.surveys import SurveyQuestion
from crm_store.persian import find_numbers, fold
from crm_store.terms import terms

#: Most words of a text that is nothing but a place in the list: «گزینهٔ شماره ۲».
PLACE_WORDS = 3
#: Shortest word by which a choice is known with any ending: «کیفیتش», «برخوردتون».
_TELLING_LENGTH = 3
_WORD = re.compile(r"\w+")


class Choice(msgspec.Struct, frozen=True, array_like=True):
    """A choice by which a text may name it: its key, and its title with other words for it."""

    key: str
    names: tuple[str, ...]


def choices_of(question: SurveyQuestion) -> tuple[Choice, ...]:
    """The choices of a question, in the order in which they are shown."""
    return tuple(Choice(one.key, (one.title, *one.words)) for one in question.choices)


def meant_choices(text: str, choices: Sequence[Choice]) -> list[str]:
    """Keys of those that a text may mean, as good as each other; none where it names none."""
    typed = _words(text)
    place = _place(text, typed, len(choices))
    if place is not None:
        return [choices[place].key]
    named = [one.key for one in choices if any(_stands_in(_words(name), typed) for name in one.names)]
    if named:
        return named
    scored = [(_score(one, typed), one.key) for one in choices]
    best = max((score for score, _ in scored), default=0)
    return [key for score, key in scored if score == best] if best else []


def tells_opinion(text: str) -> bool:
    """Whether a text says what somebody thinks, and not only that they would like to say it."""
    wishing = _wish_words()
    return any(word not in wishing for word in _words(text))


def _place(text: str, typed: list[str], count: int) -> int | None:
    """Index of the place in a list of so many that a text names; None where it names none, or several."""
    numbers = {int(number.value) for number in find_numbers(text) if number.value == int(number.value)}
    if len(numbers) == 1 and len(typed) <= PLACE_WORDS:
        places = numbers
    else:
        joined = f" {' '.join(typed)} "
        places = {
            int(place)
            for place, names in terms("tickets")["places"].items()
            if any(f" {' '.join(_words(str(name)))} " in joined for name in names)
        }
    if len(places) != 1:
        return None
    place = places.pop()
    index = place - 1 if place > 0 else count + place
    return index if 0 <= index < count else None


def _stands_in(name: list[str], typed: list[str]) -> bool:
    """Whether all words of a name stand in a text in their order, with any endings, and are not denied."""
    width = len(name)
    for start in range(len(typed) - width + 1):
        fits = all(_is_word(typed[start + place], word) for place, word in enumerate(name))
        is_denied = start + width < len(typed) and typed[start + width] in _denying()
        if width and fits and not is_denied:
            return True
    return False


def _score(choice: Choice, typed: list[str]) -> int:
    """How many words of a title stand in a text."""
    words = {word for word in _words(choice.names[0]) if len(word) >= _TELLING_LENGTH}
    denied = {typed[place - 1] for place, word in enumerate(typed) if place and word in _denying()}
    return sum(any(_is_word(one, word) for one in typed if one not in denied) for word in words)


@lru_cache(maxsize=1)
def _wish_words() -> frozenset[str]:
    return frozenset(word for one in terms("surveys")["wish_words"] for word in _words(str(one)))


@lru_cache(maxsize=1)
def _denying() -> frozenset[str]:
    shared = terms("shared")
    return frozenset(
        word for name in ("plain_no", "denying_after") for one in shared[name] for word in _words(str(one))
    )


def _is_word(typed: str, word: str) -> bool:
    return typed == word or (len(word) >= _TELLING_LENGTH and typed.startswith(word))


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
