"""The quick half of understanding: words, stems and pieces of words into a linear model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

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


def text_features() -> FeatureUnion:
    """Makes TF-IDF features of documents: words, stems, pairs of both, and pieces of words."""
    return FeatureUnion(
        [
            ("words", TfidfVectorizer(analyzer=word_features, **_TFIDF)),
            (
                _LETTERS,
                TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), preprocessor=letter_text, **_TFIDF),
            ),
            ("stems", TfidfVectorizer(analyzer=stem_features, **_TFIDF)),
            ("pairs", TfidfVectorizer(analyzer=stem_pairs, min_df=2, **_TFIDF)),
        ],
        transformer_weights=_WEIGHTS,
    )


class SparseModel:
    """Logistic regression, one intent against the rest, over TF-IDF features."""

    def __init__(self, *, regularisation: float) -> None:
        """Creates an untrained model.

        Args:
            regularisation: Inverse strength (C) of the logistic regression.
        """
        self._regularisation = regularisation
        self._features = text_features()
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
        if len(documents) < _MANY:
            self._features.set_params(pairs__min_df=1)
        features = csr_matrix(self._features.fit_transform(documents))
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
        return csr_matrix(self._features.transform(documents))

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
        letters = dict(self._features.transformer_list)[_LETTERS]
        pieces = letters.build_analyzer()(document)
        share = sum(piece in letters.vocabulary_ for piece in pieces) / len(pieces) if pieces else 0.0
        return min(1.0, share / FAMILIAR_SHARE)


def _one_against_the_rest(
    features: csr_matrix, meant: npt.NDArray[np.bool_], regularisation: float
) -> tuple[npt.NDArray[np.float64], float]:
    # Balanced, because intents differ much in size.
    # Nothing is gained below this tolerance, and half of the time.
    model = LogisticRegression(solver="liblinear", C=regularisation, class_weight="balanced", tol=1e-3)
    model.fit(features, meant)
    return model.coef_[0], float(model.intercept_[0])
