"""The words of a text, folded, as they are searched: the same on every database.

A word is a run of letters or a run of digits; everything else stands between words, a change from letters to
digits too: «سفارش۱۲۳» is «سفارش» and «123». Only letters that Unicode had in its version 3.2 count, so that
the tokenizers of SQLite and PostgreSQL, which know later versions or none, see the same words.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from crm_store.persian.folding import fold_with_offsets, source_span

#: Of a longer word the rest counts for nothing.
LONGEST_WORD = 100
_LAST_OF_BMP = "\uffff"


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        start: Its first character, in code points of the text.
        end: One past its last character.
        text: Folded.
    """

    start: int
    end: int
    text: str


def words(text: str) -> list[str]:
    """Lists the words of a text, folded.

    Args:
        text: Any text.

    Returns:
        Runs of letters and runs of digits, in order.
    """
    return [_shown(run) for _, run in _runs(fold_with_offsets(text)[0])]


def find_words(text: str) -> list[Word]:
    """Lists the words of a text with their places.

    Args:
        text: Any text.

    Returns:
        The same as `words`, in order.
    """
    folded, offsets = fold_with_offsets(text)
    return [
        Word(*source_span(offsets, start, start + len(run), len(text)), _shown(run))
        for start, run in _runs(folded)
    ]


def _shown(run: str) -> str:
    return run.casefold()[:LONGEST_WORD]


def _runs(folded: str) -> list[tuple[int, str]]:
    runs: list[tuple[int, str]] = []
    start, kind = 0, ""
    for index, character in enumerate(folded):
        now = _kind(character)
        if now != kind:
            if kind:
                runs.append((start, folded[start:index]))
            start, kind = index, now
    if kind:
        runs.append((start, folded[start:]))
    return runs


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """``L`` for a letter, ``N`` for a digit, empty for what stands between words."""
    if character.isdecimal():
        return "N"
    is_letter = character <= _LAST_OF_BMP and unicodedata.ucd_3_2_0.category(character).startswith("L")
    return "L" if is_letter else ""
