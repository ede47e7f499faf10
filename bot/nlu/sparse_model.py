"""The quick half of understanding: words, stems and pieces of words into a linear model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from bot.nlu.features import Document, letter_text, stem_features, stem_pairs, word_features

#: Below this share of known letter n-grams a text is unlike anything learnt, and confidence sinks with it.
#: Of phrases held out 98 in 100 lie above 0.67; of random letters 95 in 100 lie below 0.47.
FAMILIAR_SHARE = 0.5

_LETTERS = "letters"
#: How much each kind of feature weighs; all four together were best on MASSIVE's development part.
_WEIGHTS = {"words": 0.5, _LETTERS: 1.0, "stems": 0.35, "pairs": 0.5}
#: Of so many examples a pair of stems that stands in one of them only is left out: most are chance.
_MANY = 1000
# Features are folded already; logarithmic counts because a word said twice is not twice the evidence.
_TFIDF: dict[str, Any] = {"lowercase": False, "sublinear_tf": True, "dtype": np.float32}

Probabilities = npt.NDArray[np.float32]


class TextFeatures:
    """TF-IDF features of documents: words, stems, pairs of both, and pieces of words.

    scikit-learn learns them. Of single documents they are made here: what its vectorizers check and convert
    for each call takes five times as long as the features themselves.
    """

    def __init__(self) -> None:
        """Creates features that are still to be learnt."""
        self._kinds: dict[str, TfidfVectorizer] = {
            "words": TfidfVectorizer(analyzer=word_features, **_TFIDF),
            _LETTERS: TfidfVectorizer(
                analyzer="char_wb", ngram_range=(2, 5), preprocessor=letter_text, **_TFIDF
            ),
            "stems": TfidfVectorizer(analyzer=stem_features, **_TFIDF),
            "pairs": TfidfVectorizer(analyzer=stem_pairs, min_df=2, **_TFIDF),
        }

    def learn(self, documents: Sequence[Document]) -> csr_matrix:
        """Learns the features of examples.

        Returns:
            The features (examples × features).
        """
        if len(documents) < _MANY:
            self._kinds["pairs"].set_params(min_df=1)
        blocks = [kind.fit_transform(documents) * _WEIGHTS[name] for name, kind in self._kinds.items()]
        # scikit-learn takes these out of a matrix each time it is asked.
        self._rarities = {name: kind.idf_.astype(np.float32) for name, kind in self._kinds.items()}
        return csr_matrix(hstack(blocks))

    def of(self, documents: Sequence[Document]) -> csr_matrix:
        """The features of documents (documents × features)."""
        rows = [self._row(document) for document in documents]
        ends = np.cumsum([0, *(len(places) for places, _ in rows)])
        places = np.concatenate([places for places, _ in rows])
        values = np.concatenate([values for _, values in rows])
        return csr_matrix((values, places, ends), shape=(len(rows), self._count()))

    def pieces(self, document: Document) -> list[str]:
        """The letter n-grams of a document, known or not."""
        pieces: list[str] = self._analyzer(_LETTERS)(document)
        return pieces

    def knows(self, piece: str) -> bool:
        """Whether a letter n-gram stood in an example."""
        return piece in self._kinds[_LETTERS].vocabulary_

    def _row(self, document: Document) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Where a document's features stand, and their values: what `TfidfVectorizer.transform` gives."""
        places: list[npt.NDArray[np.int32]] = []
        values: list[npt.NDArray[np.float32]] = []
        offset = 0
        for name, kind in self._kinds.items():
            known = kind.vocabulary_
            counts = Counter(known[one] for one in self._analyzer(name)(document) if one in known)
            place = np.fromiter(counts.keys(), dtype=np.int32, count=len(counts))
            count = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
            value = (1 + np.log(count)) * self._rarities[name][place]
            length = np.sqrt(value @ value) or 1.0
            places.append(place + offset)
            values.append((value / length * _WEIGHTS[name]).astype(np.float32))
            offset += len(self._rarities[name])
        return np.concatenate(places), np.concatenate(values)

    def _count(self) -> int:
        return sum(map(len, self._rarities.values()))

    def _analyzer(self, name: str) -> Callable[[Document], list[str]]:
        # Made once: scikit-learn puts it together anew for each call.
        if name not in self._analyzers:
            self._analyzers[name] = self._kinds[name].build_analyzer()
        return self._analyzers[name]

    @cached_property
    def _analyzers(self) -> dict[str, Callable[[Document], list[str]]]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """What is saved: everything but the analyzers, which are functions."""
        return {"_kinds": self._kinds, "_rarities": self._rarities}


class SparseModel:
    """Logistic regression, one intent against the rest, over TF-IDF features."""

    def __init__(self, *, regularisation: float) -> None:
        """Creates an untrained model.

        Args:
            regularisation: Inverse strength (C) of the logistic regression.
        """
        self._regularisation = regularisation
        self._features = TextFeatures()
        self.labels: npt.NDArray[np.str_] = np.array([], dtype=str)

    def train(self, documents: Sequence[Document], labels: Sequence[str]) -> csr_matrix:
        """Learns from examples.

        Returns:
            Their features (examples × features).

        Raises:
            ValueError: Fewer than two intents.
        """
        self.labels = np.unique(labels)
        if len(self.labels) < 2:
            raise ValueError("intents can be told apart only if there are two of them")
        features = self._features.learn(documents)
        meant = np.asarray(labels)
        # liblinear learns one intent against the rest: its probabilities are calibrated as they come, and it
        # needs a tenth of the time of a multinomial solver. It lets other threads run meanwhile.
        learnt = Parallel(n_jobs=-1, prefer="threads")(
            delayed(_one_against_the_rest)(features, meant == label, self._regularisation)
            for label in self.labels
        )
        self._weights = np.stack([weights for weights, _ in learnt], axis=1).astype(np.float32)
        self._offsets = np.array([offset for _, offset in learnt], dtype=np.float32)
        return features

    def features(self, documents: Sequence[Document]) -> csr_matrix:
        """The features of documents (documents × features)."""
        return self._features.of(documents)

    def probabilities(self, features: csr_matrix) -> Probabilities:
        """The probability of each intent (documents × intents); each row adds up to 1."""
        each = 1 / (1 + np.exp(-(features @ self._weights + self._offsets)))
        shares: Probabilities = each / each.sum(axis=1, keepdims=True)
        return shares

    def familiarity(self, document: Document) -> float:
        """How like the examples a text is, between 0 (nothing in it is known) and 1.

        Logistic regression does not know what it does not know: gibberish still gets some intent, at times
        with high confidence. What gives it away is the share of letter n-grams that stood in no example.
        """
        pieces = self._features.pieces(document)
        share = sum(map(self._features.knows, pieces)) / len(pieces) if pieces else 0.0
        return min(1.0, share / FAMILIAR_SHARE)


def _one_against_the_rest(
    features: csr_matrix, meant: npt.NDArray[np.bool_], regularisation: float
) -> tuple[npt.NDArray[np.float64], float]:
    # Balanced, because intents differ much in size.
    # Nothing is gained below this tolerance, and half of the time.
    model = LogisticRegression(solver="liblinear", C=regularisation, class_weight="balanced", tol=1e-3)
    model.fit(features, meant)
    return model.coef_[0], float(model.intercept_[0])
