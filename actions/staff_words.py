"""Reads what members of staff type: which choice, how many, and what a request says besides asking."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from actions.texts import is_any_in, meant, words
from actions.turn import Turn
from crm_store.terms import terms

AREA = "staff"
#: Shortest word of a title by which a choice is named.
TELLING = 3
#: Longest text, in words, in which a place of a list («دومی») names a choice.
SHORT = 4
#: What a request says stands behind it.
SAID = re.compile(r"[:：\n]")


def named_choice(text: str, titles: Mapping[str, str]) -> str | None:
    """The one choice that a text names by a word of its title that stands in no other's, or by its place."""
    typed = words(text)
    of_titles = {
        key: [word for word in words(title) if len(word) >= TELLING] for key, title in titles.items()
    }
    count = Counter(word for title in of_titles.values() for word in set(title))
    scores = {
        key: sum(count[word] == 1 and _stands(word, typed) for word in title)
        for key, title in of_titles.items()
    }
    best = max(scores.values(), default=0)
    named = [key for key, score in scores.items() if best and score == best]
    if len(named) == 1:
        return named[0]
    place = meant("tickets", "places", text) if len(typed) <= SHORT and not named else None
    keys = list(titles)
    if place is None or not -1 <= (index := int(place)) <= len(keys):
        return None
    return keys[index - 1 if index > 0 else index]


def has(section: str, text: str) -> bool:
    """Whether any phrase of a section of data/staff/terms.yml stands in a text, as whole words."""
    return is_any_in(AREA, section, text)


def one_of_sections(section: str, text: str) -> str | None:
    """The one key of a section whose words a text names; None when it names none or several."""
    return meant(AREA, section, text)


def longest_named(section: str, text: str) -> set[str]:
    """The keys of a section whose words a text names.

    A phrase within a longer one does not count: «از ناهار برگشتم» is of those who are back, not of those who
    eat.
    """
    typed = f" {' '.join(words(text))} "
    places: list[tuple[int, int, str]] = []
    for key, phrases in terms(AREA)[section].items():
        for phrase in {" ".join(words(str(one))) for one in phrases}:
            start = typed.find(f" {phrase} ")
            while start >= 0:
                places.append((start, start + len(phrase), key))
                start = typed.find(f" {phrase} ", start + 1)
    return {
        key
        for start, end, key in places
        if not any(other <= start and end <= stop and stop - other > end - start for other, stop, _ in places)
    }


def said_in(text: str, *, commands: str) -> str:
    """What a request says besides asking: what stands behind a colon, or behind the words that ask.

    «یادداشت بذار: عصرها زنگ بزنیم» and «یادداشت بذار عصرها زنگ بزنیم» say the same.

    Args:
        text: the request.
        commands: the section of data/staff/terms.yml with the words that ask.
    """
    behind = behind_colon(text)
    if behind:
        return behind
    asking = {word for phrase in terms(AREA)[commands] for word in words(str(phrase))}
    rest = text.split()
    while rest and all(word in asking for word in words(rest[0])):
        rest = rest[1:]
    return " ".join(rest).lstrip("،؛,.- ").strip() if len(rest) < len(text.split()) else ""


def behind_colon(text: str) -> str:
    """What stands behind the first colon or in the lines below; empty for nothing."""
    return "".join(SAID.split(text, maxsplit=1)[1:]).strip()


def number_in(turn: Turn) -> int | None:
    """The one whole number that a text names, as points or by itself."""
    for entity in ("points", "number"):
        values = {int(value) for value in turn.entities.get(entity, ()) if _is_whole(value)}
        if len(values) == 1:
            return values.pop()
    return None


def rials_in(turn: Turn) -> int | None:
    """An amount of money in rials; a bare number, or one in thousands, is of tomans."""
    amounts = [int(one) for one in turn.entities.get("amount", ()) if _is_whole(one)]
    if len(set(amounts)) == 1:
        return amounts[0]
    candidates = [one.candidates for one in turn.found if one.entity == "amount" and one.candidates]
    if candidates:
        return int(candidates[0][0])
    number = number_in(turn)
    return number * 10 if number is not None else None


def _stands(word: str, typed: list[str]) -> bool:
    """Whether a word stands in a text, with an ending or without."""
    return any(one == word or (len(word) > TELLING and one.startswith(word)) for one in typed)


def _is_whole(value: object) -> bool:
    try:
        return float(str(value)).is_integer()
    except ValueError:
        return False
