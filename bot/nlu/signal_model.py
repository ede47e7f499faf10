"""What is heard beside the intent: danger to somebody's safety, urgency, anger. No Rasa here.

One logistic regression for each signal over the same features as the intents', and signs of how something was
typed. A quick one needs a millisecond; where it is unsure of any signal, one that knows the text's sentence
vector too answers in its place.

From which probability on a signal counts as heard is chosen on predictions for training phrases by models
that had not seen them. For anger and urgency a missed one is as bad as a false one (F1). A danger that is
missed is worse than one that is not there, which costs a glance and a line of advice: there recall counts
twice as much as precision (F2, C. J. van Rijsbergen, "Information Retrieval", 1979, chapter 7).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier

from bot.nlu.features import Reader
from bot.nlu.sentence_vectors import SentenceEncoder, Vectors
from bot.nlu.sparse_model import TextFeatures
from crm_store.learning.phrases import load_yaml

#: The most dangerous first.
SIGNALS = ("danger", "urgency", "anger")
#: How much more a missed signal counts than a false one, as the beta of an F-score.
_BETA = {"danger": 2.0, "urgency": 1.0, "anger": 1.0}

#: Intents that nobody has in anger, haste or danger; by what their names begin with.
CALM_INTENTS = (
    *("greet", "goodbye", "thank", "faq", "help", "loyalty_", "profile_", "survey_"),
    *("staff_", "my_data_", "marketing_"),
)
#: So many of their phrases are learnt as without signals; there are thousands, each with a vector to make.
_CALM_PHRASES = 2000
_NOTHING = "none"

#: Weights beside the words', which have length 1 or so: found by cross-validation, like the rest.
_VECTOR_WEIGHT = 0.5
_TYPING_WEIGHT = 0.3
_THRESHOLDS = np.arange(10, 90) / 100
_FOLDS = 5
_SEED = 1405
_FILE = "signal_model.joblib"

_STRETCHED = re.compile(r"([^\W\d_])\1{2}")
_SHOUTED = re.compile(r"[A-Z]{2,}(?:\s+[A-Z]+)+")

Matrix = npt.NDArray[np.float64]


class SignalPhrase(NamedTuple):
    """What somebody wrote and the signals in it."""

    text: str
    signals: frozenset[str] = frozenset()


class Heard(NamedTuple):
    """A signal and how sure it is, from its threshold up to 1."""

    name: str
    confidence: float


@dataclass(frozen=True)
class SignalSettings:
    """What can be chosen about a signal model.

    Attributes:
        regularisation: Inverse strength (C) of the logistic regressions.
        unsure: Between these two probabilities the quick model is not believed.
    """

    regularisation: float = 30.0
    unsure: tuple[float, float] = (0.15, 0.85)


class SignalModel:
    """Hears anger, urgency and danger in a text, any of them together."""

    def __init__(
        self, reader: Reader, encoder: SentenceEncoder | None, settings: SignalSettings | None = None
    ) -> None:
        """Creates an untrained model.

        Args:
            reader: Makes documents of texts.
            encoder: Makes vectors of texts; without one the quick model answers alone.
            settings: See `SignalSettings`.
        """
        self._reader = reader
        self._encoder = encoder
        self._settings = settings or SignalSettings()
        self._words = TextFeatures()
        self._quick = self._untrained()
        self._thorough: OneVsRestClassifier | None = None
        self._thresholds = np.full(len(SIGNALS), 0.5)

    def train(self, phrases: Sequence[SignalPhrase]) -> None:
        """Learns from phrases and chooses the thresholds.

        Raises:
            ValueError: A signal stands in none of the phrases, or in all.
        """
        meant = np.array([[name in phrase.signals for name in SIGNALS] for phrase in phrases])
        if not meant.any(axis=0).all() or meant.all(axis=0).any():
            raise ValueError("each signal needs phrases with it and phrases without it")
        documents = [self._reader.read(phrase.text) for phrase in phrases]
        features = self._beside_words(self._words.learn(documents), [text for text, _ in phrases])
        self._quick.fit(features, meant)
        unseen = _predictions_of_unseen(self._untrained(), features, meant)
        if self._encoder is not None:
            vectors = self._encoder.encode([document.text for document in documents])
            self._axis = vectors.mean(axis=0)
            features = self._with_vectors(features, vectors)
            self._thorough = self._untrained().fit(features, meant)
            thorough = _predictions_of_unseen(self._untrained(), features, meant)
            unseen = np.where(self._is_unsure(unseen)[:, None], thorough, unseen)
        self._thresholds = np.array(
            [
                _best_threshold(unseen[:, column], meant[:, column], _BETA[name])
                for column, name in enumerate(SIGNALS)
            ]
        )

    def hear(self, text: str) -> list[Heard]:
        """Hears the signals in a text, the most dangerous first."""
        probabilities = self.probabilities(text)
        heard = zip(SIGNALS, probabilities, probabilities >= self._thresholds, strict=True)
        return [Heard(name, float(probability)) for name, probability, is_heard in heard if is_heard]

    def probabilities(self, text: str) -> Matrix:
        """The probability of each of `SIGNALS` in a text."""
        document = self._reader.read(text)
        features = self._beside_words(self._words.of([document]), [text])
        probabilities: Matrix = self._quick.predict_proba(features)
        if self._thorough is not None and self._encoder is not None and self._is_unsure(probabilities)[0]:
            features = self._with_vectors(features, self._encoder.encode([document.text]))
            probabilities = self._thorough.predict_proba(features)
        of_this_text: Matrix = probabilities[0]
        return of_this_text

    @property
    def thresholds(self) -> dict[str, float]:
        """From which probability on each signal counts as heard."""
        return {name: float(threshold) for name, threshold in zip(SIGNALS, self._thresholds, strict=True)}

    def save(self, directory: Path) -> None:
        """Writes the trained model into a directory, without its reader."""
        state = {name: value for name, value in vars(self).items() if name not in ("_reader", "_encoder")}
        joblib.dump((state, self._encoder.name if self._encoder else None), directory / _FILE)

    @classmethod
    def load(cls, directory: Path, reader: Reader, encoder: SentenceEncoder | None) -> SignalModel:
        """Reads a model that `save` wrote; like every pickle, only from a trusted place.

        An encoder other than the one that the model was trained with is not asked.
        """
        state, name = joblib.load(directory / _FILE)
        model = cls(reader, encoder if encoder and encoder.name == name else None)
        vars(model).update(state)
        return model

    def _untrained(self) -> OneVsRestClassifier:
        # Balanced, because few messages have a signal among the thousands that have none.
        return OneVsRestClassifier(
            LogisticRegression(solver="liblinear", C=self._settings.regularisation, class_weight="balanced")
        )

    def _is_unsure(self, probabilities: Matrix) -> npt.NDArray[np.bool_]:
        lower, upper = self._settings.unsure
        unsure: npt.NDArray[np.bool_] = ((probabilities > lower) & (probabilities < upper)).any(axis=1)
        return unsure

    def _beside_words(self, words: csr_matrix, texts: Iterable[str]) -> csr_matrix:
        signs = np.array([_typing_signs(text) for text in texts], dtype=np.float32)
        return hstack([words, csr_matrix(_TYPING_WEIGHT * signs)], format="csr")

    def _with_vectors(self, features: csr_matrix, vectors: Vectors) -> csr_matrix:
        # All sentence vectors lie in one narrow cone; what tells them apart is what remains without its axis.
        moved = vectors - self._axis
        moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
        return hstack([features, csr_matrix(_VECTOR_WEIGHT * moved)], format="csr")


def signal_phrases(file: Path, examples: Iterable[tuple[str, str]] = ()) -> list[SignalPhrase]:
    """Reads the phrases to learn from.

    Args:
        file: Phrases by signals that hold together, joined with ``+``; ``none`` for those without any.
        examples: Intents with a phrase of each; some of the calm ones are added as without signals.
    """
    by_signals: dict[str, list[str]] = load_yaml(file)
    taught = [
        SignalPhrase(text, frozenset() if label == _NOTHING else frozenset(label.split("+")))
        for label, texts in by_signals.items()
        for text in texts
    ]
    known = {phrase.text for phrase in taught}
    calm = {text for intent, text in examples if intent.startswith(CALM_INTENTS)} - known
    # By their hashes: where one phrase comes or goes, the others stay the same and their vectors are known.
    chosen = sorted(calm, key=lambda text: hashlib.blake2b(text.encode()).digest())[:_CALM_PHRASES]
    return [*taught, *(SignalPhrase(text) for text in chosen)]


def _typing_signs(text: str) -> list[float]:
    """How a text was typed, which folding forgets: stretched letters, marks in a row, capital letters."""
    exclamations, questions = text.count("!"), text.count("?") + text.count("؟")
    return [
        bool(_STRETCHED.search(text)),
        min(exclamations, 4) / 4,
        exclamations > 1,
        questions > 1,
        exclamations > 0 and questions > 0,
        bool(_SHOUTED.search(text)),
    ]


def _predictions_of_unseen(classifier: OneVsRestClassifier, features: csr_matrix, meant: Any) -> Matrix:
    """Probabilities for each phrase by a classifier that learnt from others."""
    folds = KFold(_FOLDS, shuffle=True, random_state=_SEED)
    predicted: Matrix = cross_val_predict(classifier, features, meant, cv=folds, method="predict_proba")
    return predicted


def _best_threshold(probabilities: Matrix, meant: npt.NDArray[np.bool_], beta: float) -> float:
    scores = [fbeta_score(meant, probabilities >= threshold, beta=beta) for threshold in _THRESHOLDS]
    return float(_THRESHOLDS[int(np.argmax(scores))])
