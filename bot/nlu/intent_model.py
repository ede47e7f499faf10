"""Intents by plain scikit-learn: a quick model that answers when it is sure, and a thorough one when not.

The quick one (`bot.nlu.sparse_model`) needs a few milliseconds. Where its best guess is less likely than
`sure`, the thorough one (`bot.nlu.kernel_model`) is asked too, which needs the text's sentence vector, and
their opinions are multiplied, each to a power that phrases held out for that (`IntentModel.calibrate`) make
likeliest. No Rasa here. What was measured stands in docs/measurements.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bot.nlu.features import Document, Reader
from bot.nlu.kernel_model import KernelModel
from bot.nlu.sentence_vectors import SentenceEncoder
from bot.nlu.sparse_model import SparseModel

#: Powers of the quick model's opinion alone, and of both where both are asked, before anything is calibrated.
_QUICK_ALONE, _QUICK, _THOROUGH = 1.0, 1.0, 0.5
#: Within these a power is looked for; nothing is less likely than the last.
_POWERS = (0.0, 4.0)
_LEAST = 1e-9
_FILE = "intent_model.joblib"

Weight = Callable[[str], float]
Shares = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class IntentSettings:
    """What can be chosen about an intent model.

    Attributes:
        regularisation: Inverse strength (C) of the quick model's logistic regression.
        sure: Confidence from which on the quick model's answer stands.
        examples_per_intent: How many examples of each intent the thorough model learns from, at most, 0 for
            all: a training takes time with the cube of their number, and 10 to 20 ms for each vector that is
            not known yet.
    """

    regularisation: float = 100.0
    sure: float = 0.8
    examples_per_intent: int = 220


class IntentModel:
    """Ranks the intents of a text."""

    def __init__(
        self, reader: Reader, encoder: SentenceEncoder | None, settings: IntentSettings | None = None
    ) -> None:
        """Creates an untrained model.

        Args:
            reader: Makes documents of texts.
            encoder: Makes vectors of texts; without one the quick model answers alone.
            settings: See `IntentSettings`.
        """
        self._reader = reader
        self._encoder = encoder
        self._settings = settings or IntentSettings()
        self._quick = SparseModel(regularisation=self._settings.regularisation)
        self._thorough: KernelModel | None = None
        self._powers = (_QUICK_ALONE, _QUICK, _THOROUGH)

    def train(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learns from examples.

        Args:
            texts: Phrases as people write them.
            labels: The intent of each; at least two different ones.

        Raises:
            ValueError: Fewer than two intents.
        """
        documents = [self._reader.read(text) for text in texts]
        features = self._quick.train(documents, labels)
        if self._encoder is not None:
            chosen = chosen_examples(texts, labels, self._settings.examples_per_intent)
            vectors = self._encoder.encode([documents[index].text for index in chosen])
            self._thorough = KernelModel()
            self._thorough.train(features[chosen], vectors, [labels[index] for index in chosen])

    def rank(
        self, text: str, weight: Weight | None = None, *, thorough: bool = True
    ) -> list[tuple[str, float]]:
        """Ranks the intents of a text.

        Args:
            text: What somebody wrote.
            weight: How likely each intent is beforehand, for who writes; 0 for one that is impossible.
            thorough: Whether to ask the thorough model where the quick one is not sure.

        Returns:
            The possible intents with their confidences, best first. The confidences add up to 1, or to less
            where the text is unlike anything learnt; to 0 where nothing in it is known.
        """
        document = self._reader.read(text)
        features = self._quick.features([document])
        weights = self._weights_of(weight)
        alone, *both = self._powers
        opinion = self._quick.probabilities(features)
        shares = _pooled(weights, (opinion, alone))[0]
        if thorough and self._thorough and self._encoder and shares.max() < self._settings.sure:
            other = self._thorough.probabilities(features, self._encoder.encode([document.text]))
            shares = _pooled(weights, *zip((opinion, other), both, strict=True))[0]
        shares = shares * self._quick.familiarity(document)
        best_first = np.argsort(-shares, kind="stable")
        return [
            (str(self._quick.labels[index]), float(shares[index]))
            for index in best_first
            if weights[0, index]
        ]

    def calibrate(self, texts: Sequence[str], labels: Sequence[str], weight: Callable[[str], Weight]) -> None:
        """Learns how far to trust each model, so that a confidence of 0.8 is right four times in five.

        Args:
            texts: Phrases that stand nowhere among the examples.
            labels: The intent of each.
            weight: For the intent of a phrase, how likely each intent is beforehand for who wrote it.
        """
        documents = [self._reader.read(text) for text in texts]
        features = self._quick.features(documents)
        weights = np.stack([self._weights_of(weight(label))[0] for label in labels])
        meant = np.searchsorted(self._quick.labels, labels)
        opinion = self._quick.probabilities(features)
        (alone,) = _likeliest_powers(weights, meant, opinion)
        self._powers = (alone, *self._powers[1:])
        unsure = _pooled(weights, (opinion, alone)).max(axis=1) < self._settings.sure
        if self._thorough is not None and self._encoder is not None and unsure.any():
            vectors = self._encoder.encode([document.text for document in documents])
            other = self._thorough.probabilities(features, vectors)
            both = _likeliest_powers(weights[unsure], meant[unsure], opinion[unsure], other[unsure])
            self._powers = (alone, both[0], both[1])

    def _weights_of(self, weight: Weight | None) -> Shares:
        return np.array([[weight(label) if weight else 1.0 for label in self._quick.labels]])

    def read(self, text: str) -> Document:
        """The text as the model sees it."""
        return self._reader.read(text)

    def save(self, directory: Path) -> None:
        """Writes the trained model into a directory."""
        name = self._encoder.name if self._encoder else None
        joblib.dump((self._settings, self._quick, self._thorough, self._powers, name), directory / _FILE)

    @classmethod
    def load(cls, directory: Path, reader: Reader, encoder: SentenceEncoder | None) -> IntentModel:
        """Reads a model that `save` wrote; like every pickle, only from a trusted place.

        An encoder other than the one that the model was trained with is not asked.
        """
        settings, quick, thorough, powers, name = joblib.load(directory / _FILE)
        model = cls(reader, encoder if encoder and encoder.name == name else None, settings)
        model._quick, model._thorough, model._powers = quick, thorough, powers
        return model


def _pooled(weights: Shares, *opinions: tuple[Shares, float]) -> Shares:
    """Multiplies opinions, each to its power: the logarithmic pool of C. Genest and J. V. Zidek (1986).

    Args:
        weights: How likely each intent is beforehand (1 or texts × intents).
        opinions: Probabilities (texts × intents) with their powers.

    Returns:
        Probabilities (texts × intents).
    """
    # In double precision: powers are found by small steps.
    logarithms = sum(
        np.log(np.maximum(shares.astype(np.float64), _LEAST)) * power for shares, power in opinions
    )
    powers = weights * np.exp(logarithms - np.max(logarithms, axis=1, keepdims=True))
    pooled: Shares = powers / np.maximum(powers.sum(axis=1, keepdims=True), _LEAST)
    return pooled


def _likeliest_powers(weights: Shares, meant: Any, *opinions: Shares) -> tuple[float, ...]:
    """The powers under which what was meant is likeliest."""
    rows = np.arange(len(meant))

    def unlikelihood(powers: Any) -> float:
        certain = _pooled(weights, *zip(opinions, powers, strict=True))[rows, meant]
        return float(-np.log(np.maximum(certain, _LEAST)).mean())

    start = [1.0 / len(opinions)] * len(opinions)
    found = minimize(unlikelihood, start, bounds=[_POWERS] * len(opinions), method="L-BFGS-B")
    return tuple(float(power) for power in found.x)


def chosen_examples(texts: Sequence[str], labels: Sequence[str], at_most: int) -> list[int]:
    """Chooses what the thorough model learns from.

    Args:
        texts: Examples.
        labels: The intent of each.
        at_most: How many of each intent, 0 for all.

    Returns:
        Indices of examples in their order. Which ones a text's own hash decides: a new example changes one of
        them and not all, and the vectors of the others are known.
    """
    by_label: dict[str, list[tuple[int, int]]] = {}
    for index, (text, label) in enumerate(zip(texts, labels, strict=True)):
        by_label.setdefault(label, []).append((zlib.crc32(text.encode()), index))
    return sorted(index for one in by_label.values() for _, index in sorted(one)[: at_most or None])
