"""How names sound: what is written with other letters of the same sound, or with Latin ones, comes together.

«طاهره» and «تاهره» sound alike, «محمدی» and "Mohammadi" have the same consonants. Only for finding: two names
that come together here may well be two.
"""

from __future__ import annotations

import re
from functools import lru_cache

# One sign for each sound; capitals for those that Latin writes with two letters.
_PERSIAN = {
    "ا": "a", "ع": "a", "ب": "b", "پ": "p", "ت": "t", "ط": "t", "ث": "s", "س": "s", "ص": "s", "ج": "j",
    "چ": "C", "ح": "h", "ه": "h", "خ": "X", "د": "d", "ذ": "z", "ز": "z", "ض": "z", "ظ": "z", "ر": "r",
    "ژ": "Z", "ش": "S", "غ": "q", "ق": "q", "ف": "f", "ک": "k", "گ": "g", "ل": "l", "م": "m", "ن": "n",
    "و": "o", "ی": "i",
}  # fmt: skip
_LATIN_PAIRS = {
    "sh": "S", "ch": "C", "kh": "X", "gh": "q", "zh": "Z", "ph": "f", "th": "t", "oo": "o", "ou": "o",
    "ow": "o", "ee": "i", "ei": "ei", "ey": "ei", "ck": "k",
}  # fmt: skip
_LATIN = {"c": "k", "w": "o", "v": "o", "u": "o", "y": "i", "x": "X"}
_PAIR = re.compile("|".join(_LATIN_PAIRS))
_TWICE = re.compile(r"(.)\1+")
_VOWELS = str.maketrans("", "", "aeio")
_LATIN_LETTER = re.compile("[a-z]")

#: Stand before or behind names and are none.
TITLES = frozenset(
    {
        "اقا", "اقای", "خانم", "خانوم", "خانمه", "جناب", "سرکار", "حاج", "حاجی", "مهندس", "دکتر", "استاد",
        "مشتری", "بنام", "نام", "اسم", "aghaye", "agha", "khanom", "khanoom", "mr", "mrs", "ms", "dr",
    }
)  # fmt: skip


def sound(word: str) -> str:
    """Writes a word by its sounds.

    Args:
        word: Folded, in Persian or Latin letters.

    Returns:
        Latin signs, one for each sound that is written; a doubled sound stands once.
    """
    if is_latin(word):
        paired = _PAIR.sub(lambda pair: _LATIN_PAIRS[pair.group()], word)
        return _TWICE.sub(r"\1", "".join(_LATIN.get(letter, letter) for letter in paired))
    return _TWICE.sub(r"\1", "".join(_PERSIAN.get(letter, letter) for letter in word))


def consonants(sounds: str) -> str:
    """Leaves the vowels out, with the heh that stands for one at the end.

    Args:
        sounds: From `sound`.

    Returns:
        What both scripts write.
    """
    if len(sounds) > 2 and sounds.endswith("h"):
        sounds = sounds[:-1]
    return _TWICE.sub(r"\1", sounds.translate(_VOWELS))


def is_latin(word: str) -> bool:
    """Says whether a folded word is written in Latin letters."""
    return _LATIN_LETTER.match(word) is not None


@lru_cache(maxsize=4096)
def says_the_same(persian: str, latin: str) -> bool:
    """Says whether a Latin name reads as a Persian one does, apart from vowels that Persian leaves out.

    Args:
        persian: From `sound`, of a Persian word.
        latin: From `sound`, of a Latin word.
    """
    if consonants(persian) != consonants(latin):
        return False
    bare = persian[:-1] if len(persian) > 2 and persian.endswith("h") else persian
    # An alef at the beginning carries any vowel.
    bare = bare[1:] if bare.startswith("a") and latin[:1] in "aeio" else bare
    rest = iter(latin)
    return all(sign in rest for sign in bare)
