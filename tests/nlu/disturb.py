"""Phrases as they arrive from other keyboards and hurried fingers; the same each time.

Each disturbance takes a phrase and a source of chance and gives the disturbed phrase, or the same one where
there is nothing to disturb in it.
"""

from __future__ import annotations

import random
from collections.abc import Callable

#: Neighbours on a Persian keyboard, by rows.
_ROWS = ("ضصثقفغعهخحجچ", "شسیبلاتنمکگ", "ظطزرذدپو")
_TO_KEYS = {
    **dict(zip("ضصثقفغعهخحجچ", "qwertyuiop[]", strict=True)),
    **dict(zip("شسیبلاتنمکگ", "asdfghjkl;'", strict=True)),
    **dict(zip("ظطزرذدئو", "zxcvbnm,", strict=True)),
    "پ": "\\",
    "آ": "H",
    "ژ": "C",
    "؟": "?",
    "\u200c": " ",
}
_SHORTEST_WORD = 4

Disturbance = Callable[[str, random.Random], str]


def arabic_letters(text: str, _chance: random.Random) -> str:
    """Typed with an Arabic keyboard."""
    return text.translate(str.maketrans("یکه۰۱۲۳۴۵۶۷۸۹", "يكه٠١٢٣٤٥٦٧٨٩"))


def joined_half_spaces(text: str, _chance: random.Random) -> str:
    """Half-spaces left out."""
    return text.replace("\u200c", "")


def spaced_half_spaces(text: str, _chance: random.Random) -> str:
    """Spaces for half-spaces."""
    return text.replace("\u200c", " ")


def stretched(text: str, chance: random.Random) -> str:
    """One word drawn out: «لطفاااا»."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) >= 3 and word.isalpha()]
    if not places:
        return text
    place = chance.choice(places)
    words[place] += words[place][-1] * chance.randint(2, 5)
    return " ".join(words)


def one_typo(text: str, chance: random.Random) -> str:
    """One slip of the finger: a letter left out, doubled, swapped with the next or hit beside."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) >= _SHORTEST_WORD and word.isalpha()]
    if not places:
        return text
    place = chance.choice(places)
    words[place] = _slip(words[place], chance)
    return " ".join(words)


def wrong_keyboard(text: str, _chance: random.Random) -> str:
    """Typed with the keyboard left on English."""
    # Arabic letters are of another keyboard.
    persian = text.translate(str.maketrans("يكةأإؤ", "یکهااو"))
    return "".join(_TO_KEYS.get(letter, letter) for letter in persian)


#: What is measured, by name.
DISTURBANCES: dict[str, Disturbance] = {
    "arabic letters": arabic_letters,
    "half-spaces left out": joined_half_spaces,
    "spaces for half-spaces": spaced_half_spaces,
    "stretched letters": stretched,
    "one typo": one_typo,
    "wrong keyboard": wrong_keyboard,
}


def disturbed(name: str, texts: list[str], *, seed: int = 1405) -> list[str]:
    """Disturbed copies of texts, the same for the same seed."""
    chance = random.Random(seed)
    return [DISTURBANCES[name](text, chance) for text in texts]


def _slip(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word) - 1)
    kind = chance.choice(("left out", "doubled", "swapped", "beside"))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    if kind == "left out":
        return before + after
    if kind == "doubled":
        return before + letter * 2 + after
    if kind == "swapped":
        return before + after[0] + letter + after[1:]
    row = next((row for row in _ROWS if letter in row), letter)
    at = row.index(letter)
    neighbours = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    return before + (chance.choice(neighbours) if neighbours else letter) + after
