"""Phrases that stood in slots: where they stand again, and how surely they are the same there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

#: Longest phrase that is remembered, in words.
LONGEST = 6

Words = tuple[str, ...]


class Filled(NamedTuple):
    """A slot and the words that fill it, by their places: from `first` to before `end`."""

    slot: str
    first: int
    end: int


class Match(NamedTuple):
    """A known phrase in a sentence.

    Attributes:
        slot: The slot that it filled elsewhere.
        first: Place of its first word.
        end: One past the place of its last word.
        share: How many of its other occurrences filled the slot; more than 0, less than 1.
    """

    slot: str
    first: int
    end: int
    share: float


class PhraseBook:
    """Remembers what fills slots."""

    def __init__(self, sentences: Sequence[Words], fillings: Sequence[Iterable[Filled]]) -> None:
        """Learns phrases.

        Args:
            sentences: The words of each sentence.
            fillings: The filled slots of each sentence.
        """
        self._slots: defaultdict[Words, Counter[str]] = defaultdict(Counter)
        for words, filled in zip(sentences, fillings, strict=True):
            for phrase, slot in _filling(words, filled):
                self._slots[phrase][slot] += 1
        self._occurrences = Counter(
            phrase for words in sentences for _, _, phrase in _phrases(words) if phrase in self._slots
        )

    def find(self, words: Words, but: Iterable[Filled] | None = None) -> list[Match]:
        """Finds known phrases.

        Args:
            words: The words of a sentence.
            but: The filled slots of the sentence if it is one of those that were learnt from: what is known
                from this sentence alone does not count, or training would see each phrase as known.

        Returns:
            For each word and slot the longest phrase that begins there.
        """
        slots: Counter[tuple[Words, str]] = Counter()
        occurrences: Counter[Words] = Counter()
        if but is not None:
            slots.update(_filling(words, but))
            occurrences.update(phrase for _, _, phrase in _phrases(words))
        longest: dict[tuple[int, str], Match] = {}
        for first, end, phrase in _phrases(words):
            for slot, count in self._slots.get(phrase, {}).items():
                elsewhere = count - slots[phrase, slot]
                if elsewhere > 0:
                    share = elsewhere / (self._occurrences[phrase] - occurrences[phrase] + 0.5)
                    longest[first, slot] = Match(slot, first, end, share)
        return list(longest.values())


def _filling(words: Words, filled: Iterable[Filled]) -> Iterator[tuple[Words, str]]:
    return ((words[one.first : one.end], one.slot) for one in filled if one.end - one.first <= LONGEST)


def _phrases(words: Words) -> Iterator[tuple[int, int, Words]]:
    """All phrases of a sentence, the shorter ones of each word first."""
    for first in range(len(words)):
        for end in range(first + 1, min(len(words), first + LONGEST) + 1):
            yield first, end, words[first:end]
