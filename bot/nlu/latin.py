"""Persian typed in Latin letters: Finglish («shekayatam chi shod»), or the keyboard left on English («sghl»).

Finglish writes vowels that Persian leaves out, each writer differently, and leaves out which of several
letters for one sound is meant. What both scripts share are the consonants in their order: a word is looked
up by them in a lexicon, and among the words found there the one whose long vowels and frequency fit best is
taken. Of a text typed with the wrong layout every key is one Persian letter; it is read that way when that
gives more frequent words than reading it as Finglish.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from crm_store.persian import fold

_CONSONANTS = {
    "b": "ب",
    "p": "پ",
    "t": "تط",
    "s": "سصث",
    "j": "ج",
    "C": "چ",
    "h": "هح",
    "x": "خ",
    "d": "د",
    "z": "زضظذ",
    "r": "ر",
    "Z": "ژ",
    "S": "ش",
    "q": "قغ",
    "f": "ف",
    "k": "ک",
    "g": "گ",
    "l": "ل",
    "m": "م",
    "n": "ن",
}
_SOUND_OF = {letter: sound for sound, letters in _CONSONANTS.items() for letter in letters}
#: What is written as one sound in Latin letters, longest first.
_LATIN_SOUND = re.compile(r"kh|gh|sh|ch|zh|ph|aa|ee|oo|ou|ei|ey|ay|[a-z]")
_LATIN_CONSONANTS = {
    "kh": "x",
    "gh": "q",
    "sh": "S",
    "ch": "C",
    "zh": "Z",
    "ph": "f",
    "c": "k",
    **{sound: sound for sound in "bptsjhxdzrqfkglmn"},
}
#: Which Persian letters a vowel of Finglish may stand for; the first costs nothing.
_LATIN_VOWELS = {
    "a": ("", "ا", "ع"),
    "aa": ("ا",),
    "e": ("", "ی", "ا", "ع"),
    "ee": ("ی",),
    "i": ("ی", "", "ا"),
    "o": ("", "و", "ا", "ع"),
    "oo": ("و",),
    "ou": ("و",),
    "u": ("و", ""),
    "ei": ("ی",),
    "ey": ("ی",),
    "ay": ("ی", "ای"),
    "v": ("و",),
    "w": ("و",),
    "y": ("ی", ""),
}
_LAYOUT = dict(
    zip(
        "qwertyuiop[]\\asdfghjkl;'zxcvbnm,",
        "ضصثقفغعهخحجچپشسیبلاتنمکگظطزرذدئو",
        strict=True,
    )
) | {"H": "آ", "C": "ژ", "`": "پ", "?": "؟"}
#: Endings of Finglish words that may be missing from a lexicon with them.
_ENDINGS = {
    "amoon": "مون", "emoon": "مون", "emun": "مون", "etoon": "تون", "etun": "تون", "eshoon": "شون",
    "eshun": "شون",
    "hamo": "هامو", "hato": "هاتو", "haye": "های", "ham": "هام", "ha": "ها", "amo": "مو", "eto": "تو",
    "esho": "شو", "ash": "ش", "esh": "ش", "at": "ت", "et": "ت", "am": "م", "em": "م", "ro": "رو",
    "im": "یم", "id": "ید", "in": "ین", "and": "اند", "an": "ن", "a": "ا", "i": "ی", "o": "و", "e": "",
}  # fmt: skip
_SHORTEST_STEM = 3
_LATIN_WORD = re.compile(r"[a-z][a-z']*")
_KEYS = re.compile(r"[A-Za-z;',\[\]\\`]+")
_WORD = re.compile(r"[^\W\d_]+")
#: Keys of Persian letters that are none in English, within a word («v,d»), and how much they speak for the
#: other layout.
_MARK_WITHIN_A_WORD = re.compile(r"[a-z][,;\[\]\\][a-z]")
_WITHIN_A_WORD = 3.0
_PERSIAN = re.compile(r"[\u0621-\u064a\u067e\u0686\u0698\u06a9\u06af\u06cc]")
#: How much likelier a word is for every time it stands in the training phrases; hazm's counts are of a corpus
#: of newspapers.
TAUGHT_WEIGHT = 2_000_000
#: Below this similarity a word of the lexicon is not what was typed.
_WORST = 2.6


class _Word(NamedTuple):
    text: str
    frequency: float


class LatinReader:
    """Reads Latin-typed Persian with a lexicon of folded words and their frequencies."""

    def __init__(self, frequencies: Mapping[str, float]) -> None:
        """Indexes the lexicon.

        Args:
            frequencies: How often each folded Persian word is written; any unit.
        """
        self._frequencies = frequencies
        self._by_sounds: dict[str, list[_Word]] = defaultdict(list)
        for word, frequency in frequencies.items():
            for sounds in _sounds_of_persian(word):
                self._by_sounds[sounds].append(_Word(word, frequency))
        self._read_word = lru_cache(maxsize=10_000)(self._best_reading)

    def read(self, text: str) -> str | None:
        """Reads a text in Persian letters.

        Args:
            text: What somebody typed.

        Returns:
            The text in folded Persian letters; None where it holds Persian letters already or no Latin word.
        """
        if _PERSIAN.search(text):
            return None
        folded = fold(text)
        latin = _LATIN_WORD.findall(folded)
        if not latin:
            return None
        by_layout = fold(_KEYS.sub(lambda match: "".join(_LAYOUT.get(k, k) for k in match[0]), text))
        readings = {word: self._read_word(word) for word in set(latin)}
        finglish = _LATIN_WORD.sub(lambda match: readings[match[0]] or match[0], folded)
        looks_like_it = _WITHIN_A_WORD if _MARK_WITHIN_A_WORD.search(folded) else 0.0
        by_layout_is_known = self._familiarity(by_layout) + looks_like_it > self._familiarity(finglish)
        return (by_layout if by_layout_is_known else finglish).replace("?", "؟")

    def _familiarity(self, text: str) -> float:
        """How frequent the words of a text are on average, as a logarithm; a word counts by its letters."""
        words = _WORD.findall(text)
        letters = sum(map(len, words))
        known = sum(len(word) * math.log10(self._frequencies.get(word, 0.0) + 1) for word in words)
        return known / letters if letters else 0.0

    def _best_reading(self, word: str) -> str | None:
        """The word of the lexicon that is meant, or None."""
        plain = word.replace("'", "")
        found = self._in_lexicon(plain)
        if found is None and "g" in plain:  # «vagt» for «vaght»
            found = self._in_lexicon(plain.replace("gh", "g").replace("g", "gh"))
        for latin, persian in _ENDINGS.items() if found is None else ():
            if plain.endswith(latin) and len(plain) - len(latin) >= _SHORTEST_STEM:
                stem = self._in_lexicon(plain.removesuffix(latin))
                if stem is not None:
                    return stem + persian
        return found

    def _in_lexicon(self, plain: str) -> str | None:
        candidates = self._by_sounds.get(_sounds_of_latin(plain), ())
        scored = [
            (_distance(plain, one.text) - 0.28 * math.log10(one.frequency + 1), one.text)
            for one in candidates
            if _distance(plain, one.text) <= _WORST
        ]
        return min(scored)[1] if scored else None


def lexicon(corpus: Mapping[str, int], taught: Mapping[str, int]) -> dict[str, float]:
    """Puts together the words that Latin letters may stand for.

    Args:
        corpus: Folded words with their counts in a large corpus.
        taught: Folded words of the training phrases with their counts there.

    Returns:
        Frequencies by word.
    """
    frequencies: dict[str, float] = dict(corpus)
    for word, count in taught.items():
        if _PERSIAN.match(word):
            frequencies[word] = frequencies.get(word, 0) + count * TAUGHT_WEIGHT
    return frequencies


def _sounds_of_persian(word: str) -> set[str]:
    sounds = "".join(_SOUND_OF.get(letter, "") for letter in word)
    # «خسته»: the last letter stands for a vowel, «راه»: for a sound.
    return {sounds, sounds[:-1]} if word.endswith("ه") and len(word) > 1 else {sounds}


def _sounds_of_latin(word: str) -> str:
    sounds, last = "", ""
    for part, following in _parts(word):
        # A doubled letter («tashakkor») is one in Persian.
        if part != last:
            sounds += "s" if part == "c" and following[:1] in "eiy" else _LATIN_CONSONANTS.get(part, "")
        last = part
    return sounds


def _parts(word: str) -> list[tuple[str, str]]:
    found = [match[0] for match in _LATIN_SOUND.finditer(word)]
    return list(zip(found, [*found[1:], "-"], strict=True))


@lru_cache(maxsize=20_000)
def _distance(latin: str, persian: str) -> float:
    """How badly the vowels of a Latin word fit a Persian one with the same consonants; 0 is a perfect fit."""
    parts: list[str] = []
    for part, _ in _parts(latin):
        if not parts or part != parts[-1] or part in _LATIN_VOWELS:
            parts.append(part)
    # best[j]: cost of having read the first j Persian letters.
    best = [0.0, *[math.inf] * len(persian)]
    for place, part in enumerate(parts):
        following = [math.inf] * (len(persian) + 1)
        for j, cost in enumerate(best):
            if cost == math.inf:
                continue
            for letters, price in _spellings(part, place, len(parts)):
                if persian.startswith(letters, j):
                    end = j + len(letters)
                    following[end] = min(following[end], cost + price)
        # Letters that Latin writers leave out: the و of «خواهر», an ا, ی, و or ع between consonants.
        for j, letter in enumerate(persian):
            if letter in "ایوعه":
                price = 0.5 if letter in "عه" or (letter == "و" and j and persian[j - 1] == "خ") else 0.8
                following[j + 1] = min(following[j + 1], following[j] + price)
        best = following
    return best[-1]


#: What a last vowel may also be: «خسته» is khaste, «مدرسه‌ها» madreseha, and an ezafe is not written at all.
_FINAL = {
    "e": [("ه", 0.0), ("ای", 0.3), ("هی", 0.3)],
    "a": [("ا", 0.0), ("ه", 0.2)],
    "o": [("و", 0.0)],
}


def _beginning_with(first: str, letters: str) -> str:
    return letters if letters.startswith(first) else first + letters


def _at_the_end(part: str, letters: str, price: float) -> tuple[str, float]:
    return letters, (1.2 if part in ("i", "a", "u") else 0.3) if not letters else price


def _spellings(part: str, place: int, count: int) -> list[tuple[str, float]]:
    if part in _LATIN_VOWELS:
        spelled = [(letters, 0.0 if not i else 0.3) for i, letters in enumerate(_LATIN_VOWELS[part])]
        if place == 0:  # no Persian word begins with a bare vowel
            return [
                *((letters if letters[:1] == "ا" else "ا" + letters, price) for letters, price in spelled),
                *(
                    (letters if letters[:1] == "ع" else "ع" + letters, price + 0.2)
                    for letters, price in spelled
                ),
                *((letters, 0.0) for letters in ("و", "ی", "ه") if part[0] in "vwy"),
            ]
        if place == count - 1:
            return [_at_the_end(part, letters, price) for letters, price in spelled] + _FINAL.get(part, [])
        return spelled
    sound = _LATIN_CONSONANTS.get(part, part)
    letters = _CONSONANTS.get(sound, "") + ("سصث" if part == "c" else "")
    return [(letter, 0.05 * i) for i, letter in enumerate(letters)]
