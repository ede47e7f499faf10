"""A linear-chain model: which label each word of a sentence has, seen together with its neighbours' labels.

Trained by CRFsuite's passive-aggressive algorithm (K. Crammer and others, "Online Passive-Aggressive
Algorithms", 2006; N. Okazaki, CRFsuite, 2007), which on MASSIVE's Persian part was better than a conditional
random field trained by L-BFGS and took a tenth of the time. Several models, each of which misses some of the
features, are added up to one: that costs nothing when tagging and evens out what one happened to learn.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Features = dict[str, float]
Array = npt.NDArray[np.float64]

#: Label of a word that belongs to nothing. Those of other words begin with `BEGIN` or `INSIDE`.
OUTSIDE, BEGIN, INSIDE = "O", "B-", "I-"

#: Makes probabilities of scores; with this one they agree best with how often slots are right (MASSIVE, dev).
_SHARPNESS = 7.0
#: Weights below this change nothing but the size of the model.
_NEGLIGIBLE = 1e-3
_IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class TaggerSettings:
    """What can be chosen about the training.

    Attributes:
        models: How many models are added up.
        rounds: How often each of them sees every sentence.
        missing: The share of features that each of them misses, at random.
    """

    models: int = 5
    rounds: int = 8
    missing: float = 0.2


class LinearTagger:
    """Labels the words of a sentence; made by `train`."""

    def __init__(
        self, labels: Sequence[str], rows: dict[str, int], weights: csr_matrix, moves: Array
    ) -> None:
        """Creates a tagger of known weights.

        Args:
            labels: All labels.
            rows: The row of each feature in `weights`.
            weights: For each feature (row) and label (column).
            moves: For each label (row) and the label that follows it (column).
        """
        self.labels = list(labels)
        self._rows = rows
        self._weights = weights
        self._moves = moves + _impossible_moves(self.labels)
        self._move_factors = np.exp(_SHARPNESS * (self._moves - self._moves.max()))
        self._starts = np.array([_IMPOSSIBLE if label.startswith(INSIDE) else 0.0 for label in labels])

    @classmethod
    def train(
        cls,
        sentences: Sequence[Sequence[Features]],
        labels: Sequence[Sequence[str]],
        settings: TaggerSettings | None = None,
    ) -> LinearTagger:
        """Learns from sentences.

        Args:
            sentences: The features of each word of each sentence.
            labels: The label of each word.
            settings: See `TaggerSettings`.

        Returns:
            The trained tagger. It differs a little each time: CRFsuite draws the order of the sentences from
            the C library's random numbers.
        """
        settings = settings or TaggerSettings()
        known = sorted({label for sentence in labels for label in sentence} | {OUTSIDE})
        rows = _numbered(feature for sentence in sentences for word in sentence for feature in word)
        places = _numbered(known)
        # CRFsuite writes features and labels down line by line: numbers are safe whatever they are.
        numbered = [
            [{str(rows[name]): value for name, value in word.items()} for word in sentence]
            for sentence in sentences
        ]
        meant = [[str(places[label]) for label in sentence] for sentence in labels]
        states: Counter[tuple[int, int]] = Counter()
        moves = np.zeros((len(known), len(known)))
        for seed in range(settings.models):
            chance = random.Random(seed)  # noqa: S311  # no secret hangs on it
            model = _one_model(numbered, meant, settings, chance)
            for (feature, label), weight in model.state_features.items():
                states[int(feature), int(label)] += weight / settings.models
            for (before, after), weight in model.transitions.items():
                moves[int(before), int(after)] += weight / settings.models
        return cls(known, *_compact(rows, states, len(known)), moves)

    def tag(self, sentence: Sequence[Features]) -> tuple[list[str], Array]:
        """Labels a sentence.

        Args:
            sentence: The features of each word.

        Returns:
            The likeliest possible sequence of labels, and the probabilities of all labels for each word
            (words × labels; each row adds up to 1).
        """
        if not sentence:
            return [], np.zeros((0, len(self.labels)))
        scores = self._scores(sentence)
        return [self.labels[place] for place in self._best(scores)], self._probabilities(scores)

    def _scores(self, sentence: Sequence[Features]) -> Array:
        columns: list[int] = []
        values: list[float] = []
        ends = [0]
        for word in sentence:
            for feature, value in word.items():
                row = self._rows.get(feature)
                if row is not None:
                    columns.append(row)
                    values.append(value)
            ends.append(len(columns))
        counts = csr_matrix((values, columns, ends), shape=(len(sentence), self._weights.shape[0]))
        scores: Array = (counts @ self._weights).toarray().astype(np.float64)
        scores[0] += self._starts
        return scores

    def _best(self, scores: Array) -> list[int]:
        """The Viterbi algorithm."""
        best = scores[0]
        came_from = []
        for score in scores[1:]:
            paths = best[:, None] + self._moves
            came_from.append(paths.argmax(axis=0))
            best = paths.max(axis=0) + score
        path = [int(best.argmax())]
        for places in reversed(came_from):
            path.append(int(places[path[-1]]))
        return path[::-1]

    def _probabilities(self, scores: Array) -> Array:
        """The forward-backward algorithm, scaled anew at each word."""
        states = np.exp(_SHARPNESS * (scores - scores.max(axis=1, keepdims=True)))
        forward, backward = [_shares(states[0])], [np.ones(len(self.labels))]
        for state in states[1:]:
            forward.append(_shares(_product(forward[-1], self._move_factors) * state))
        for state in states[:0:-1]:
            backward.append(_shares(_product(state * backward[-1], self._move_factors.T)))
        together = np.stack(forward) * np.stack(backward[::-1])
        probabilities: Array = together / together.sum(axis=1, keepdims=True)
        return probabilities


def _one_model(
    sentences: Sequence[Sequence[Features]],
    labels: Sequence[Sequence[str]],
    settings: TaggerSettings,
    chance: random.Random,
) -> Any:
    """Weights as CRFsuite shows them."""
    import pycrfsuite  # type: ignore[import-untyped]  # noqa: PLC0415 (only training needs it)

    trainer: Any = pycrfsuite.Trainer(
        algorithm="pa", params={"max_iterations": settings.rounds}, verbose=False
    )
    for place in chance.sample(range(len(sentences)), len(sentences)):
        seen = [
            {name: value for name, value in word.items() if chance.random() >= settings.missing}
            for word in sentences[place]
        ]
        trainer.append(pycrfsuite.ItemSequence(seen), labels[place])
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "model")
        trainer.train(file)
        tagger: Any = pycrfsuite.Tagger()
        with tagger.open(file):
            return tagger.info()


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _compact(
    rows: Mapping[str, int], states: Mapping[tuple[int, int], float], labels: int
) -> tuple[dict[str, int], csr_matrix]:
    """Features that weigh something, with their new rows, and the weights."""
    kept = {state: weight for state, weight in states.items() if abs(weight) >= _NEGLIGIBLE}
    new_row = {row: number for number, row in enumerate(sorted({feature for feature, _ in kept}))}
    where = ([new_row[feature] for feature, _ in kept], [label for _, label in kept])
    weights = np.array(list(kept.values()), dtype=np.float32)
    matrix = csr_matrix((weights, where), shape=(len(new_row), labels))
    return {name: new_row[row] for name, row in rows.items() if row in new_row}, matrix


def _impossible_moves(labels: Sequence[str]) -> Array:
    """Only the beginning and the inside of something are followed by its inside."""
    moves = np.zeros((len(labels), len(labels)))
    for after, label in enumerate(labels):
        if label.startswith(INSIDE):
            name = label.removeprefix(INSIDE)
            for before, other in enumerate(labels):
                if other not in (BEGIN + name, INSIDE + name):
                    moves[before, after] = _IMPOSSIBLE
    return moves


def _product(vector: Array, matrix: Array) -> Array:
    # BLAS shares out even this little among threads, and then waits for them.
    product: Array = np.einsum("i,ij->j", vector, matrix)
    return product


def _shares(values: Array) -> Array:
    shares: Array = values / values.sum()
    return shares
