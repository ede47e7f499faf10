"""Numbers written in words, as far as dates need them: «بیست و دوم», «هزار و سیصد و هفتاد»."""

from __future__ import annotations

from collections.abc import Sequence

from crm_store.persian.folding import fold

_CARDINALS = {
    "یک": 1,
    "دو": 2,
    "سه": 3,
    "چهار": 4,
    "پنج": 5,
    "شش": 6,
    "شیش": 6,
    "هفت": 7,
    "هشت": 8,
    "نه": 9,
    "ده": 10,
    "یازده": 11,
    "دوازده": 12,
    "سیزده": 13,
    "چهارده": 14,
    "پانزده": 15,
    "پونزده": 15,
    "شانزده": 16,
    "شونزده": 16,
    "هفده": 17,
    "هجده": 18,
    "هیجده": 18,
    "نوزده": 19,
    "بیست": 20,
    "سی": 30,
    "چهل": 40,
    "پنجاه": 50,
    "شصت": 60,
    "هفتاد": 70,
    "هشتاد": 80,
    "نود": 90,
    "سیصد": 300,
    "چهارصد": 400,
    "نهصد": 900,
    "هزار": 1000,
    "یکهزار": 1000,
}
_ORDINALS = {"اول": 1, "سوم": 3} | {f"{word}م": value for word, value in _CARDINALS.items() if value < 100}
_ORDINALS |= {"سیام": 30}
_CARDINALS_FOLDED = {fold(word): value for word, value in _CARDINALS.items()}
_ORDINALS_FOLDED = {fold(word): value for word, value in _ORDINALS.items()}
_AND = "و"


def read_numbers(words: Sequence[str]) -> list[str | int]:
    """Replaces numbers in words by their values.

    Args:
        words: Folded words.

    Returns:
        The words, each number in words as one whole number in their place.
    """
    read: list[str | int] = []
    place = 0
    while place < len(words):
        value, used = _number_at(words, place)
        read.append(words[place] if value is None else value)
        place += used or 1
    return read


def _number_at(words: Sequence[str], start: int) -> tuple[int | None, int]:
    """The number that begins at a word, and how many words it takes."""
    total, used, room = 0, 0, 10_000
    place = start
    while place < len(words):
        ordinal = _ORDINALS_FOLDED.get(words[place])
        value = _CARDINALS_FOLDED.get(words[place], ordinal)
        if value is None or value >= room:
            break
        total, used = total + value, place + 1 - start
        room = next((size for size in (1000, 100) if value >= size), 10 if value >= 20 else 0)
        if ordinal is not None or not room:
            break
        joined = place + 1 < len(words) and words[place + 1] == _AND
        if not joined and room < 100:
            break
        place += 2 if joined else 1
    return (total, used) if used else (None, 0)
