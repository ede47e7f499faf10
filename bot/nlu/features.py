"""What intents are learnt from: a text read as Persian, its words, and their stems.

Whatever the script, the keyboard and the spelling, one meaning is to give one set of features: Latin letters
are read as Persian (`bot.nlu.latin`), folding gives each letter one form, joining each word one, slips of the
finger are mended (`bot.nlu.spelling`), and stems bring the spoken and the written word together
(`bot.nlu.spoken`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import NamedTuple

import joblib

from bot.nlu.latin import LatinReader, lexicon
from bot.nlu.persian import Word, words
from bot.nlu.spelling import Spelling
from bot.nlu.spoken import corpus_frequencies, stem
from crm_store.persian import fold

#: Of phones, codes and addresses only the kind counts: which one it is says nothing about what somebody
#: wants, that there is one says much. Upper-case, so that no folded word can be one of them.
MARKERS = {"phone": "PHONE", "code": "CODE", "email": "EMAIL", "url": "URL"}
#: Words from here on pair with none before: in a story nearly every pair would occur.
_PAIRED_WORDS = 20
_LETTERS = re.compile(r"[^\W\d_]+")
_FILE = "lexicon.joblib"


class Document(NamedTuple):
    """A text as the models see it.

    Attributes:
        text: The words as read, separated by spaces; for letter n-grams and sentence vectors.
        words: The words as read, markers in place of numbers that identify something.
        stems: The stem of each word.
        typed: Words typed in Latin letters, as they were typed.
    """

    text: str
    words: tuple[str, ...]
    stems: tuple[str, ...]
    typed: tuple[str, ...]


class Reader:
    """Makes documents of texts, with the lexicon of a trained model."""

    def __init__(self, frequencies: dict[str, float]) -> None:
        """Creates a reader.

        Args:
            frequencies: See `bot.nlu.latin.lexicon`; empty to leave Latin letters as they are.
        """
        self._frequencies = frequencies
        self._latin = LatinReader(frequencies)
        self._spelling = Spelling(frequencies)
        # Intent model, topics and signals ask for the same message.
        self.read = lru_cache(maxsize=8)(self._read)

    @classmethod
    def learn(cls, texts: Iterable[str]) -> Reader:
        """Creates a reader that knows Persian's frequent words and those of some texts."""
        taught = Counter(word for text in texts for word in _LETTERS.findall(fold(text)))
        return cls(lexicon(corpus_frequencies(), taught))

    @classmethod
    def load(cls, directory: Path) -> Reader:
        """Reads what `save` wrote; like every pickle, only from a trusted place."""
        return cls(joblib.load(directory / _FILE))

    def save(self, directory: Path) -> None:
        """Writes the lexicon into a directory."""
        joblib.dump(self._frequencies, directory / _FILE)

    def _read(self, text: str) -> Document:
        as_persian = self._latin.read(text)
        found = [
            word._replace(text=self._spelling.corrected(word.text)) if word.kind == "word" else word
            for word in words(text if as_persian is None else as_persian)
        ]
        return Document(
            " ".join(word.text for word in found),
            tuple(MARKERS.get(word.kind, word.text) for word in found),
            tuple(_stem_of(word) for word in found),
            () if as_persian is None else tuple(fold(text).split()),
        )


def word_features(document: Document) -> list[str]:
    """Words and pairs of neighbours; Latin words besides, marked so that no Persian word is one of them."""
    neighbours = (f"{one} {other}" for one, other in pairwise(document.words))
    return [*document.words, *neighbours, *(f"~{word}" for word in document.typed)]


def letter_text(document: Document) -> str:
    """The text of which letter n-grams are made."""
    return " ".join(document.words)


def stem_features(document: Document) -> list[str]:
    """The stems."""
    return list(document.stems)


def stem_pairs(document: Document) -> list[str]:
    """Pairs of stems in whatever order and distance, what is done to what; a sign where there is no pair."""
    return list(_pairs(document.stems[:_PAIRED_WORDS])) or ["|"]


def _pairs(stems: Iterable[str]) -> Iterator[str]:
    for one, other in combinations(sorted(set(stems)), 2):
        yield f"{one}|{other}"


def _stem_of(word: Word) -> str:
    return stem(word.text) if word.kind == "word" else MARKERS.get(word.kind, word.text)
