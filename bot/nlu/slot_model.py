"""Slots of a text by a model that is trained on annotated phrases. No Rasa here.

What was measured on MASSIVE's Persian part stands in docs/measurements.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import joblib

from bot.nlu.linear_tagger import BEGIN, INSIDE, OUTSIDE, LinearTagger, TaggerSettings
from bot.nlu.persian import Word, words
from bot.nlu.phrase_book import Filled, PhraseBook
from bot.nlu.slot_features import Ranking, SlotFeatures, text_of
from bot.nlu.word_groups import learn_groups

_FILE = "slot_model.joblib"


class Span(NamedTuple):
    """An annotated part of a text; start and end in code points of the text as it was typed."""

    slot: str
    start: int
    end: int


class Slot(NamedTuple):
    """A part of a text that was found.

    Attributes:
        slot: What it is.
        start: Its first character, in code points of the text as it was typed.
        end: One past its last character.
        confidence: The probability of its least sure word, between 0 and 1.
    """

    slot: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True)
class Example:
    """A phrase to learn from.

    Attributes:
        text: The phrase.
        spans: Its slots, none of which overlap.
        ranking: What it means according to an intent model that was not trained with it (`held_out_rankings`
            of `bot.nlu.slot_intents`): one that was would be right too often to be doubted.
    """

    text: str
    spans: Sequence[Span] = ()
    ranking: Ranking = ()


class SlotModel:
    """Finds slots in texts."""

    def __init__(self, lists: Mapping[str, Iterable[str]] | None = None) -> None:
        """Creates an untrained model.

        Args:
            lists: Known words by what they are, such as given names; a word in one counts as a hint.
        """
        self._lists = lists or {}
        self._features: SlotFeatures | None = None
        self._tagger: LinearTagger | None = None

    @property
    def is_trained(self) -> bool:
        """Whether there was anything to learn."""
        return self._tagger is not None

    def train(self, examples: Sequence[Example], settings: TaggerSettings | None = None) -> None:
        """Learns from phrases, those without slots among them.

        Args:
            examples: The phrases. Without a single slot nothing is learnt, and nothing will be found.
            settings: See `TaggerSettings`.
        """
        self._features = self._tagger = None
        if not any(example.spans for example in examples):
            return
        sentences = [words(example.text) for example in examples]
        filled = [_filled(found, one.spans) for found, one in zip(sentences, examples, strict=True)]
        texts = [tuple(text_of(word) for word in found) for found in sentences]
        self._features = SlotFeatures(learn_groups(texts), PhraseBook(texts, filled), self._lists)
        features = [
            self._features.of(found, example.ranking, but=slots)
            for found, example, slots in zip(sentences, examples, filled, strict=True)
        ]
        labels = [_labels(len(found), slots) for found, slots in zip(sentences, filled, strict=True)]
        self._tagger = LinearTagger.train(features, labels, settings)

    def tag(self, text: str, ranking: Ranking = ()) -> list[Slot]:
        """Finds the slots of a text.

        Args:
            text: What somebody wrote.
            ranking: What it means, best first, with confidences; empty where the model was trained without.

        Returns:
            The slots in the order of the text; none of a model that had nothing to learn.
        """
        if self._tagger is None or self._features is None:
            return []
        found = words(text)
        labels, probabilities = self._tagger.tag(self._features.of(found, ranking))
        sure = [
            float(row[self._tagger.labels.index(label)])
            for row, label in zip(probabilities, labels, strict=True)
        ]
        return [
            Slot(slot, found[first].start, found[end - 1].end, min(sure[first:end]))
            for slot, first, end in _fillings(labels)
        ]

    def save(self, directory: Path) -> None:
        """Writes the model into a directory."""
        joblib.dump((self._features, self._tagger), directory / _FILE, compress=3)

    @classmethod
    def load(cls, directory: Path) -> SlotModel:
        """Reads a model that `save` wrote; like every pickle, only from a trusted place."""
        model = cls()
        model._features, model._tagger = joblib.load(directory / _FILE)
        return model


def _filled(found: Sequence[Word], spans: Iterable[Span]) -> list[Filled]:
    """Spans by words: those that a span touches."""
    filled = []
    for slot, start, end in spans:
        touched = [place for place, word in enumerate(found) if word.start < end and start < word.end]
        if touched:
            filled.append(Filled(slot, touched[0], touched[-1] + 1))
    return filled


def _labels(size: int, filled: Iterable[Filled]) -> list[str]:
    labels = [OUTSIDE] * size
    for slot, first, end in filled:
        labels[first:end] = [BEGIN + slot, *[INSIDE + slot] * (end - first - 1)]
    return labels


def _fillings(labels: Sequence[str]) -> list[Filled]:
    """The slots of a sequence of labels that is possible."""
    found: list[Filled] = []
    for place, label in enumerate(labels):
        if label.startswith(BEGIN):
            found.append(Filled(label.removeprefix(BEGIN), place, place + 1))
        elif label.startswith(INSIDE):
            found[-1] = found[-1]._replace(end=place + 1)
    return found
