"""Groups of words that are used alike, learnt from plain text: what is said of one holds for rare others.

Words are compared by the words around them (positive pointwise mutual information; J. Bullinaria and J. Levy,
"Extracting semantic representations from word co-occurrence statistics", 2007), in few dimensions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD

#: How many groups there are, coarse and fine; fewer where there are few words.
SIZES = (50, 200)
#: A word is known from so many occurrences on, and tells something about its neighbours from so many on.
_SEEN, _TELLING = 2, 8
_NEIGHBOURS = (-2, -1, 1, 2)
_DIMENSIONS = 60
_EDGE = ""
_SEED = 1405

Groups = dict[str, tuple[int, ...]]


def learn_groups(sentences: Sequence[Sequence[str]]) -> Groups:
    """Groups words.

    Args:
        sentences: The words of each sentence.

    Returns:
        For each word that occurs often enough its group of each size; nothing where there are too few words
        for even the coarsest ones.
    """
    counts = Counter(word for sentence in sentences for word in sentence)
    known = [word for word, count in counts.items() if count >= _SEEN]
    telling = [_EDGE, *(word for word, count in counts.items() if count >= _TELLING)]
    if len(known) < 2 * SIZES[0] or len(telling) < _DIMENSIONS:
        return {}
    vectors = _vectors(_information(sentences, known, telling))
    groups = []
    for size in SIZES:
        clusters = KMeans(min(size, len(known) // 2), n_init=2, random_state=_SEED)
        groups.append(clusters.fit_predict(vectors).tolist())
    return dict(zip(known, zip(*groups, strict=True), strict=True))


def _information(
    sentences: Sequence[Sequence[str]], known: Sequence[str], telling: Sequence[str]
) -> csr_matrix:
    """What each neighbour in each place tells about each word (words × places and neighbours)."""
    row_of = {word: row for row, word in enumerate(known)}
    column_of = {word: column for column, word in enumerate(telling)}
    rows, columns = [], []
    for sentence in sentences:
        padded = [_EDGE, _EDGE, *sentence, _EDGE, _EDGE]
        for place in range(2, len(padded) - 2):
            row = row_of.get(padded[place])
            if row is None:
                continue
            for side, distance in enumerate(_NEIGHBOURS):
                column = column_of.get(padded[place + distance])
                if column is not None:
                    rows.append(row)
                    columns.append(side * len(telling) + column)
    shape = (len(known), len(_NEIGHBOURS) * len(telling))
    together = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape).tocoo()
    of_words = np.asarray(together.sum(axis=1)).ravel()
    of_neighbours = np.asarray(together.sum(axis=0)).ravel()
    expected = of_words[together.row] * of_neighbours[together.col] / together.sum()
    information = np.maximum(np.log(together.data / expected), 0)
    return csr_matrix((information, (together.row, together.col)), shape=shape)


def _vectors(information: csr_matrix) -> npt.NDArray[Any]:
    reduced = TruncatedSVD(_DIMENSIONS, random_state=_SEED).fit_transform(information)
    vectors: npt.NDArray[Any] = reduced / (np.linalg.norm(reduced, axis=1, keepdims=True) + 1e-9)
    return vectors
