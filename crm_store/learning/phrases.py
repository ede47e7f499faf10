"""Phrases and the file that holds those which an operator accepted: ``<data folder>/learned/nlu.yml``.

The file is what training reads. It lasts longer than the rows of the store that it comes from, and by then it
names no one: texts are masked, and nothing in it says who wrote them.
"""

from __future__ import annotations

import fcntl
import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from crm_store.errors import ConfigurationError
from crm_store.persian import fold

_WORD = re.compile(r"\w+")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Rasa reads ``[a](b)``, ``[a]{b}`` and ``[a][b]`` in an example as an entity.
_ANNOTATION_MARKS = str.maketrans("[]{}", "()()")
#: Joins letters without a space in Persian; the one invisible character that is part of a text.
_HALF_SPACE = "\u200c"

HEADER = """\
# Messages of customers that an operator accepted (`peyvand nlu review`); `peyvand train` learns from them.
# Written anew at each decision: lines may be taken out or added by hand, comments do not stay.
"""


def phrase_key(text: str) -> str:
    """A phrase without what makes no other phrase of it: spelling variants and punctuation."""
    return " ".join(_WORD.findall(fold(text)))


def as_example(text: str) -> str:
    """A text as one line of training data.

    Without what would be markup there: line breaks, brackets, invisible and unprintable characters, and the
    leading slashes that the dialogue does not read either.
    """
    spaced = " ".join(text.split())
    visible = "".join(
        character
        for character in spaced
        if character == _HALF_SPACE or not unicodedata.category(character).startswith("C")
    )
    return visible.translate(_ANNOTATION_MARKS).lstrip("/ ").strip()


def load_yaml(file: Path) -> Any:
    """The contents of a YAML file, by the parser in C where there is one: it needs a tenth of the time."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  # a safe one


def read_examples(file: Path) -> dict[str, list[str]]:
    """The phrases of a file of training data by label, ``faq/hours`` where an intent has topics.

    Raises:
        ConfigurationError: it is no training data.
    """
    try:
        entries = (load_yaml(file) or {}).get("nlu") or []
        examples: dict[str, list[str]] = {}
        for entry in entries:
            if "intent" in entry:
                lines = [line.partition("- ")[2].strip() for line in entry["examples"].splitlines()]
                examples.setdefault(entry["intent"], []).extend(line for line in lines if line)
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigurationError(f"{file} cannot be read as training data: {reason}") from error
    return examples


def write_examples(file: Path, examples: Mapping[str, Collection[str]]) -> None:
    """Write a file of training data in one step, sorted, each phrase once."""
    lines = [HEADER, 'version: "3.1"\nnlu:']
    for label in sorted(label for label in examples if examples[label]):
        lines.append(f"- intent: {label}\n  examples: |")
        lines += [f"    - {phrase}" for phrase in sorted(set(examples[label]))]
    if len(lines) == 2:
        lines[1] += " []"
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fresh.replace(file)


class LearnedPhrases:
    """The file of accepted phrases.

    Args:
        file: where it lies (`crm_store.settings.Settings.learned_path`); it need not be there yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, list[str]]:
        """The phrases by label.

        Raises:
            ConfigurationError: somebody made a mistake in it.
        """
        return read_examples(self._file) if self._file.exists() else {}

    def put(self, label: str, text: str) -> None:
        """Add a phrase to a label and take it away from any other."""
        with self._changing() as examples:
            _drop(examples, {phrase_key(text)})
            examples.setdefault(label, []).append(as_example(text))

    def drop(self, texts: Collection[str]) -> None:
        """Take phrases out, in whatever spelling they stand there."""
        keys = {phrase_key(text) for text in texts}
        if keys and self._file.exists():
            with self._changing() as examples:
                _drop(examples, keys)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, list[str]]]:
        """One change at a time, also among processes."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with (self._file.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            examples = self.read()
            yield examples
            write_examples(self._file, examples)


def _drop(examples: dict[str, list[str]], keys: Collection[str]) -> None:
    for label, phrases in examples.items():
        examples[label] = [phrase for phrase in phrases if phrase_key(phrase) not in keys]
