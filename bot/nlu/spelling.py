"""Slips of the finger: a word that nobody knows, one letter away from one that the examples use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from bot.nlu.latin import TAUGHT_WEIGHT

_LETTERS = "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی"
#: Shorter words have too many neighbours.
_SHORTEST = 4


class Spelling:
    """Mends words with a lexicon; only towards words that stand in the examples."""

    def __init__(self, frequencies: Mapping[str, float]) -> None:
        """Creates it.

        Args:
            frequencies: See `bot.nlu.latin.lexicon`.
        """
        self._frequencies = frequencies
        self.corrected = lru_cache(maxsize=20_000)(self._corrected)

    def _corrected(self, word: str) -> str:
        if len(word) < _SHORTEST or word in self._frequencies or not word.isalpha() or word.isascii():
            return word
        # Of all words one slip away the most frequent: P. Norvig, "How to Write a Spelling Corrector", 2007.
        likeliest = max(_one_slip_away(word), key=lambda one: self._frequencies.get(one, 0.0))
        return likeliest if self._frequencies.get(likeliest, 0.0) >= TAUGHT_WEIGHT else word


def _one_slip_away(word: str) -> Iterator[str]:
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in _LETTERS:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]
