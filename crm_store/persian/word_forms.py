"""Words of the calendar that were typed with a slip of the finger, or together with their neighbours."""

from __future__ import annotations

import re
from functools import lru_cache

from crm_store.persian.calendar_words import JALALI_MONTHS, LEXICON, LONG_NAME, Entry, Glued
from crm_store.persian.folding import fold
from crm_store.persian.number_words import VALUES

#: Kinds of two words that are written together: «این‌هفته», «ماه‌قبل», «نیم‌ساعت», «آخرماه», «پنجشنبه‌عصر».
_PAIRS = re.compile("t[klsyW]|[klyd][np]|[AZV][kly]|[AZ]M|zh|[NW1][klydhm]|[DW]P|P[DW]|h[NC]|[NP]P|[np]X")
_SHORTEST_PAIR = 4
_NO_SLIPS = frozenset({"مردان", "مرداب", "مردا", "خردا"})
_LONG_MONTHS = tuple(
    (fold(name), number)
    for number, names in enumerate(JALALI_MONTHS, start=1)
    for name in names
    if len(name) >= LONG_NAME and " " not in name
)
_LONG_WEEKDAYS = (("یکشنبه", 1), ("دوشنبه", 2), ("سهشنبه", 3), ("چهارشنبه", 4), ("پنجشنبه", 5))
#: Letters that every misspelt weekday still has: «یک‌شبه» and «دوشاخه» are none.
_WEEKDAY_LETTERS = frozenset("شن")
_SHORTEST_WEEKDAY = 6


@lru_cache(maxsize=4096)
def pair_of(word: str) -> tuple[tuple[int, int, str, object], ...]:
    """Cuts a word into two words of the calendar that were typed without a space or with a half-space.

    Args:
        word: A folded word that is in no list.

    Returns:
        Start, end, kind and value of both; nothing if it is no such word.
    """
    for middle in range(1, len(word)) if len(word) >= _SHORTEST_PAIR else ():
        first, second = _entry(word[:middle]), LEXICON.get(word[middle:])
        if first is None or second is None or isinstance(second[1], Glued):
            continue
        if _PAIRS.fullmatch(first[0] + second[0]):
            return (0, middle, *first), (middle, len(word), *second)
    return ()


def _entry(word: str) -> Entry | None:
    entry = LEXICON.get(word)
    if entry is None and word in VALUES and 0 < VALUES[word] <= 31:
        entry = ("N", VALUES[word])
    return None if entry is None or isinstance(entry[1], Glued) else entry


def slipped_month(word: str) -> int | None:
    """A long month's name with one wrong, missing, additional or swapped letter; None if it is none."""
    if len(word) < LONG_NAME - 1 or word in _NO_SLIPS:
        return None
    near = {number for name, number in _LONG_MONTHS if word[0] == name[0] and one_slip(word, name)}
    return near.pop() if len(near) == 1 else None


@lru_cache(maxsize=4096)
def slipped_weekday(word: str) -> int | None:
    """Days since Saturday of a weekday's name with such a slip; None if it is none."""
    if len(word) < _SHORTEST_WEEKDAY or not set(word) >= _WEEKDAY_LETTERS:
        return None
    near = {number for name, number in _LONG_WEEKDAYS if word[0] == name[0] and one_slip(word, name)}
    return near.pop() if len(near) == 1 else None


def one_slip(typed: str, meant: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two neighbours are swapped."""
    if abs(len(typed) - len(meant)) > 1:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant))
    )
    rest, wanted = typed[start:], meant[start:]
    swapped = len(rest) > 1 and rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    return swapped or rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
