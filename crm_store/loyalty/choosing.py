"""Which reward a text means, out of a list: by its place, by what it costs or is worth, or by its name.

Understanding and actions read it alike, so that «دومی» and «همون کد تخفیف پنجاه تومنی» mean the same to both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from crm_store.business.loyalty import Reward
from crm_store.persian import find_amounts, find_numbers, find_points, fold, to_ascii_digits
from crm_store.terms import terms

#: Most words of a text that is nothing but a place in the list: «شماره ۲».
PLACE_WORDS = 3
#: Shortest word of a title by which a reward is known, in characters; from here on with any ending.
_TELLING_LENGTH = 3
_RIALS_IN_A_TOMAN = 10
#: Smaller numbers are counts, places and articles.
_FEWEST_POINTS = 10
_WORD = re.compile(r"\w+")
#: What may be a friend's code: Latin letters and digits, in groups or without a gap.
_CODE = re.compile(r"(?<![\w-])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?![\w-])")
_CODE_LENGTHS = range(5, 13)


class Option(msgspec.Struct, frozen=True, array_like=True):
    """A reward as it was shown: its key, title, cost in points and worth in tomans."""

    key: str
    title: str
    points: int
    worth: int = 0


def option_of(reward: Reward) -> Option:
    """A reward of the catalogue as it is shown."""
    return Option(reward.key, reward.title, reward.points, reward.worth_tomans)


def write_options(options: Sequence[Option]) -> str:
    """A list as it is kept beside the question which one it shall be."""
    return msgspec.json.encode(options).decode()


def read_options(written: str) -> list[Option]:
    """A list as it was shown; none where it cannot be read."""
    try:
        return msgspec.json.decode(written, type=list[Option])
    except msgspec.DecodeError:
        return []


def meant_options(text: str, options: Sequence[Option], *, listed: bool) -> list[Option]:
    """Those that a text may mean, as good as each other; none where it names none.

    Args:
        text: as it was typed.
        options: what there is, in the order in which it was shown.
        listed: they were shown just before: «دومی» is the second of them.
    """
    place = _place(text, len(options)) if listed else None
    if place is not None:
        return [options[place]]
    tomans, points = _tomans_in(text), set(numbers_of_points(text))
    by_number = [option for option in options if _is_named(option, tomans, points)]
    typed = _words(text)
    scored = [(_score(option, typed), option) for option in by_number or options]
    best = max((score for score, _ in scored), default=0)
    return [option for score, option in scored if score == best] if best or by_number else []


def numbers_of_points(text: str) -> list[int]:
    """How many points a text may speak of, in its order: «۵۰۰ تا از امتیازامو خرج کن»."""
    points = [int(reading.value) for reading in find_points(text) if reading.value]
    amounts = find_amounts(text)
    bare = [
        int(number.value)
        for number in find_numbers(text)
        if number.value >= _FEWEST_POINTS
        and not any(amount.start <= number.start < amount.end for amount in amounts)
    ]
    return [number for number in points or bare if number > 0]


def friend_code_in(text: str, *, asked: bool = False) -> str | None:
    """What may be a friend's code in a text, in capitals; None where there is none.

    Args:
        text: as it was typed, digits in any script.
        asked: a code was asked for: one that stands alone may be all letters.
    """
    readable = to_ascii_digits(text)
    for match in _CODE.finditer(readable):
        code = match.group().replace("-", "")
        if len(code) not in _CODE_LENGTHS:
            continue
        has_digit, is_number = bool(re.search(r"\d", code)), code.isdigit()
        is_alone = asked and not _WORD.search(readable[: match.start()] + readable[match.end() :])
        if (has_digit and not is_number) or is_alone:
            return code.upper()
    return None


def _place(text: str, count: int) -> int | None:
    """Index of the place in a list of so many that a text names; None where it names none, or several."""
    typed = _words(text)
    numbers = {int(number.value) for number in find_numbers(text) if number.value == int(number.value)}
    if len(numbers) == 1 and len(typed) <= PLACE_WORDS and not find_points(text) and not find_amounts(text):
        places = numbers
    else:
        joined = f" {' '.join(typed)} "
        places = {
            place for place, names in _place_names().items() if any(f" {name} " in joined for name in names)
        }
    if len(places) != 1:
        return None
    place = places.pop()
    index = place - 1 if place > 0 else count + place
    return index if 0 <= index < count else None


def _tomans_in(text: str) -> set[int]:
    """Amounts of money, in whatever reading: «پنجاه تومنی» is fifty thousand to most."""
    found: set[int] = set()
    for amount in find_amounts(text):
        rials = [amount.value] if amount.value is not None else amount.candidates
        found |= {int(one) // _RIALS_IN_A_TOMAN for one in rials}
    return found


def _is_named(option: Option, tomans: set[int], points: set[int]) -> bool:
    """Whether a number is what a reward costs or is worth."""
    worth = _tomans_in(option.title) | ({option.worth} if option.worth else set())
    return bool(worth & tomans or points & {option.points, *worth})


def _score(option: Option, typed: list[str]) -> int:
    """How many words of a title stand in a text, with whatever endings."""
    return sum(any(_is_word(one, word) for one in typed) for word in set(_title_words(option.title)))


def _is_word(typed: str, word: str) -> bool:
    return typed == word or (len(word) >= _TELLING_LENGTH and typed.startswith(word))


@lru_cache(maxsize=512)
def _title_words(title: str) -> tuple[str, ...]:
    """Words of a title that tell it from others: no numbers, and nothing that is said of all rewards."""
    common = {word for name in terms("loyalty")["no_names"] for word in _words(name)}
    return tuple(word for word in _words(title) if not find_numbers(word) and word not in common)


@lru_cache(maxsize=1)
def _place_names() -> dict[int, tuple[str, ...]]:
    return {
        int(place): tuple(" ".join(_words(str(name))) for name in names)
        for place, names in terms("tickets")["places"].items()
    }


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
