"""Folding: one spelling for text that people type in many, for matching and for features.

Shown text is never folded. Offsets lead from the folded text back to what was typed.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters of other keyboards and of older spellings. Hamza and madda need no entry: Unicode decomposes
# them into a letter and a mark, and marks are dropped.
_LETTERS = {
    "\u064a": "ی",  # Arabic yeh
    "\u0649": "ی",  # alef maksura
    "\u06cd": "ی",  # yeh with tail
    "\u06ce": "ی",  # Kurdish yeh
    "\u06d0": "ی",  # Pashto e
    "\u06d2": "ی",  # yeh barree
    "\u0643": "ک",  # Arabic kaf
    "\u06aa": "ک",  # swash kaf
    "\u06ab": "گ",  # kaf with ring
    "\u0629": "ه",  # teh marbuta
    "\u06be": "ه",  # heh doachashmee
    "\u06c1": "ه",  # heh goal
    "\u06c3": "ه",  # teh marbuta goal
    "\u06d5": "ه",  # ae, also the base of heh with yeh above
    "\u0671": "ا",  # alef wasla
    "\u0621": "",  # a bare hamza is left out as often as it is written: جزء, اعضاء
    "\u0640": "",  # tatweel
    "\u00ac": "",  # how old Persian keyboards wrote the half-space
}

# Marks, half-spaces and bidi controls, stray control characters, lone surrogates.
_DROPPED_CATEGORIES = frozenset({"Mn", "Me", "Cf", "Cc", "Cs"})
_SHORTEST_COLLAPSED_RUN = 3


def fold(text: str) -> str:
    """Folds text for matching and features.

    Letters and digits get one form each (Persian letters, ASCII digits, lower-case Latin); marks, tatweel,
    half-spaces and bidi controls go; a letter repeated three times or more stays once (digits never
    collapse); white space becomes single spaces, none at the ends. Folding twice changes nothing more.

    Args:
        text: Any text.

    Returns:
        The folded text.
    """
    return fold_with_offsets(text)[0]


# Several finders read one message: it is folded once.
@lru_cache(maxsize=8)
def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Folds text and says where each folded character came from.

    Args:
        text: Any text.

    Returns:
        The same as `fold`, and for each of its characters the index (code points) in `text`; none falls. The
        list is shared: it must not be changed.
    """
    characters: list[str] = []
    offsets: list[int] = []
    for index, original in enumerate(text):
        for character in _fold_character(original):
            if character == " " and (not characters or characters[-1] == " "):
                continue
            characters.append(character)
            offsets.append(index)
    if characters and characters[-1] == " ":
        characters.pop()
        offsets.pop()
    return _collapse_long_runs(characters, offsets)


def source_span(offsets: list[int], start: int, end: int, text_len: int) -> tuple[int, int]:
    """Maps a span of the folded text back to the original.

    What folding dropped after the last character (its marks, its repetitions) belongs to the span.

    Args:
        offsets: From `fold_with_offsets`.
        start: First folded character of the span.
        end: One past its last folded character.
        text_len: Length of the original text, or of `text.rstrip()` to leave white space at its end out.

    Returns:
        Start and end in the original text, in code points.

    Raises:
        ValueError: If the span does not lie in the folded text.
    """
    if not 0 <= start <= end <= len(offsets):
        raise ValueError(f"span {start}:{end} does not lie in a text of {len(offsets)} characters")
    source_start = offsets[start] if start < len(offsets) else text_len
    if start == end:
        return source_start, source_start
    next_start = offsets[end] if end < len(offsets) else text_len
    # One original character may fold to several (…): the span then still covers that character.
    return source_start, max(next_start, offsets[end - 1] + 1)


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """Returns what one original character becomes: nothing, one character or a few."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).lower())
    return "".join(_fold_decomposed(part) for part in decomposed)


def _fold_decomposed(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in _DROPPED_CATEGORIES:
        return ""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    return _LETTERS.get(character, character)


def _collapse_long_runs(characters: list[str], offsets: list[int]) -> tuple[str, list[int]]:
    kept: list[str] = []
    kept_offsets: list[int] = []
    start = 0
    while start < len(characters):
        end = start + 1
        while end < len(characters) and characters[end] == characters[start]:
            end += 1
        if end - start >= _SHORTEST_COLLAPSED_RUN and characters[start].isalpha():
            kept.append(characters[start])
            kept_offsets.append(offsets[start])
        else:
            kept.extend(characters[start:end])
            kept_offsets.extend(offsets[start:end])
        start = end
    return "".join(kept), kept_offsets
