"""The thorough half of understanding: how like an example a text is, in words and in meaning.

Kernel ridge regression on one column per intent (C. Saunders, A. Gammerman, V. Vovk, "Ridge Regression
Learning Algorithm in Dual Variables", ICML 1998) with the sum of two kernels: the inner product of sparse
features and a Gaussian of the distance between sentence vectors. It is solved in closed form.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve
from scipy.sparse import csr_matrix

from bot.nlu.sentence_vectors import Vectors

Scores = npt.NDArray[np.float32]

#: Chosen on MASSIVE's development part and by leaving examples of our own out.
_MEANING_WEIGHT = 3.0
_GAUSSIAN_WIDTH = 1.0
_RIDGE = 0.3
#: What scores, which lie between 0 and 1, are multiplied with to become logarithms of probabilities: of our
#: phrases, each predicted as if it had been left out, the meanings are likeliest with 14 to 16.
_TEMPERATURE = 15.0


class KernelModel:
    """Scores intents by likeness to examples."""

    def train(self, features: csr_matrix, vectors: Vectors, labels: Sequence[str]) -> None:
        """Learns from examples.

        Args:
            features: Sparse features (examples × features).
            vectors: Sentence vectors (examples × dimensions).
            labels: The intent of each example.
        """
        self.labels, meant = np.unique(labels, return_inverse=True)
        # All sentence vectors lie in one narrow cone; what tells them apart is what remains without its axis.
        self._axis = vectors.mean(axis=0)
        self._examples = self._centred(vectors)
        kernel = (features @ features.T).toarray() + self._meaning(self._examples)
        kernel[np.diag_indices_from(kernel)] += _RIDGE
        wanted = np.zeros((len(meant), len(self.labels)), dtype=np.float32)
        wanted[np.arange(len(meant)), meant] = 1
        self._dual = solve(
            kernel.astype(np.float32), wanted, assume_a="pos", overwrite_a=True, check_finite=False
        )
        self._primal = np.asarray(features.T @ self._dual, dtype=np.float32)

    def probabilities(self, features: csr_matrix, vectors: Vectors) -> Scores:
        """The probability of each intent (texts × intents).

        Args:
            features: Sparse features (texts × features).
            vectors: Sentence vectors (texts × dimensions).
        """
        scores = features @ self._primal + self._meaning(self._centred(vectors)) @ self._dual
        return _softmax(scores * _TEMPERATURE)

    def _centred(self, vectors: Vectors) -> Vectors:
        moved = vectors - self._axis
        centred: Vectors = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
        return centred

    def _meaning(self, vectors: Vectors) -> Scores:
        """The Gaussian kernel between texts and examples; of unit vectors |a - b|² is 2 - 2ab."""
        distances = np.maximum(0, 2 - 2 * vectors @ self._examples.T)
        likeness: Scores = _MEANING_WEIGHT * np.exp(-_GAUSSIAN_WIDTH * distances)
        return likeness


def _softmax(scores: Scores) -> Scores:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Scores = powers / powers.sum(axis=1, keepdims=True)
    return shares
