"""Rich text: what our messages are made of. Plain text, HTML entities, and the tags <b>, <i> and <code> only.

Anything else that looks like a tag is text. Telegram reads it as is
(https://core.telegram.org/bots/api#html-style); other clients get `segments` or `to_plain`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from crm_store.persian.digits import to_persian_digits

FIRST_STRONG_ISOLATE = "\u2068"
POP_ISOLATE = "\u2069"
_ISOLATE_STARTS = "\u2066\u2067\u2068"

# Embeddings, overrides and isolates. The implicit marks (LRM, RLM, ALM) and the half-space do no harm.
_NESTING_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_TAG_OR_ENTITY = re.compile(r"<(/?)(b|i|code)>|&(?:amp|lt|gt|quot|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}

_CLOSERS = "»”’\"')\\]" + POP_ISOLATE
_ENDS = ".!?؟…"
# A run of marks is tried from its first one only, so that a long row of dots costs no more than its length.
_SENTENCE_END = re.compile(
    rf"(?<![{_ENDS}])(?:[{_ENDS}]+[{_CLOSERS}]*(?=\s)|[!؟…]+[{_CLOSERS}]*(?![{_ENDS}{_CLOSERS}]))|\n"
)
# Where a message is cut, the best first.
_CUTS = (_SENTENCE_END, re.compile(rf"؛[{_CLOSERS}]*"), re.compile(r"\s"))

_MAX_ISOLATE_DEPTH = 2
# Reopened isolates, one character of two units, and the isolates closed again, rounded up.
_SMALLEST_LIMIT = 8
_ZERO_WIDTH_JOINER = "\u200d"


class _Unit(NamedTuple):
    """One visible character, the tags it stands in and the isolates open before it, outermost first."""

    character: str
    tags: tuple[str, ...]
    isolates: tuple[str, ...]


def value(text: object) -> str:
    """Prepares a parameter for a message: escaped, and isolated so that it cannot disturb the text around it.

    The isolate follows Unicode Standard Annex 9: FSI and PDI around each line, since an isolate ends with
    its paragraph.

    Args:
        text: What to show. A whole number gets Persian digits; the digits of a text stay as they are.

    Returns:
        Rich text without tags. Control characters and stray bidi controls are gone.
    """
    plain = to_persian_digits(text) if isinstance(text, int) and not isinstance(text, bool) else str(text)
    lines = (_escape(_without_controls(line)) for line in plain.splitlines())
    return "\n".join(f"{FIRST_STRONG_ISOLATE}{line}{POP_ISOLATE}" if line else "" for line in lines)


def from_plain(text: str) -> str:
    """Turns what a person wrote into a message of its own, without tags; there is no text around it.

    Args:
        text: plain text.

    Returns:
        Rich text. Control characters and stray bidi controls are gone.
    """
    return "\n".join(_escape(_without_controls(line)) for line in text.splitlines())


def to_plain(rich: str) -> str:
    """Removes the three tags and resolves the entities.

    Args:
        rich: Rich text.

    Returns:
        Plain text, its isolates kept.
    """
    return "".join(text for text, _ in _pieces(rich))


def segments(rich: str) -> list[tuple[str, frozenset[str]]]:
    """Cuts rich text into runs of the same style, for a client that builds its own nodes.

    Args:
        rich: Rich text.

    Returns:
        Plain text and the tags it stands in ("b", "i", "code"), in order; no run is empty.
    """
    runs: list[tuple[str, frozenset[str]]] = []
    for text, tags in _pieces(rich):
        style = frozenset(tags)
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + text, style)
        else:
            runs.append((text, style))
    return runs


def utf16_length(text: str) -> int:
    """Measures a text as Telegram does.

    Args:
        text: Plain text.

    Returns:
        Its length in UTF-16 code units.
    """
    return sum(_width(character) for character in text)


def split(rich: str, limit: int = 4096) -> list[str]:
    """Splits a message that is too long for one.

    A part ends at a sentence's end if it holds one, else after ؛ or white space, else anywhere. Tags and
    isolates that are open at a cut are closed and opened again. White space around a cut goes.

    Args:
        rich: Rich text.
        limit: Largest visible length of a part, in UTF-16 code units, at least 8.

    Returns:
        The parts, each rich text with balanced tags and isolates; none for a text with nothing to see.

    Raises:
        ValueError: If the limit is too small to make progress.
    """
    if limit < _SMALLEST_LIMIT:
        raise ValueError(f"limit must be at least {_SMALLEST_LIMIT}, not {limit}")
    units = _balanced_units(rich)
    plain = "".join(unit.character for unit in units)
    parts = []
    start = 0
    while start < len(units):
        end = _cut(units, plain, start, _last_fitting(units, start, limit))
        shown_end = end if end == len(units) else start + len(plain[start:end].rstrip())
        if any(not _is_invisible(character) for character in plain[start:shown_end]):
            parts.append(_render(units, start, shown_end))
        start = end
        while start < len(units) and (plain[start].isspace() or plain[start] == POP_ISOLATE):
            start += 1
    return parts


def _without_controls(line: str) -> str:
    visible = _NESTING_BIDI_CONTROLS.sub("", line)
    return "".join(c for c in visible if c == "\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _pieces(rich: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields runs of plain text with the tags open around them, outermost first; no run is empty."""
    open_tags: list[str] = []
    position = 0
    for match in _TAG_OR_ENTITY.finditer(rich):
        if match.start() > position:
            yield rich[position : match.start()], tuple(open_tags)
        position = match.end()
        closing, tag = match.groups()
        if tag is None:
            character = html.unescape(match.group())
            if character:
                yield character, tuple(open_tags)
        elif not closing:
            open_tags.append(tag)
        elif tag in open_tags:
            # The innermost one of that name, whatever was closed in the wrong order.
            del open_tags[len(open_tags) - 1 - open_tags[::-1].index(tag)]
    if position < len(rich):
        yield rich[position:], tuple(open_tags)


def _balanced_units(rich: str) -> list[_Unit]:
    """Lists the characters of a text, without isolates that close nothing or that nest too deep."""
    units: list[_Unit] = []
    isolates: tuple[str, ...] = ()
    too_deep = 0
    for text, tags in _pieces(rich):
        for character in text:
            if character in _ISOLATE_STARTS and len(isolates) == _MAX_ISOLATE_DEPTH:
                too_deep += 1
            elif character == POP_ISOLATE and too_deep:
                too_deep -= 1
            elif character != POP_ISOLATE or isolates:
                units.append(_Unit(character, tags, isolates))
                isolates = _isolates_after(units[-1])
    return units


def _isolates_after(unit: _Unit) -> tuple[str, ...]:
    if unit.character in _ISOLATE_STARTS:
        return (*unit.isolates, unit.character)
    return unit.isolates[:-1] if unit.character == POP_ISOLATE else unit.isolates


def _last_fitting(units: list[_Unit], start: int, limit: int) -> int:
    """Returns the end of the longest part that starts here, with its isolates reopened and closed."""
    used = len(units[start].isolates)
    for end in range(start, len(units)):
        used += _width(units[end].character)
        if used + len(_isolates_after(units[end])) > limit:
            return end
    return len(units)


def _cut(units: list[_Unit], plain: str, start: int, fitting: int) -> int:
    if fitting == len(units):
        return fitting
    for pattern in _CUTS:
        # Two characters more, so that a pattern sees what follows the last one that fits.
        ends = [match.end() for match in pattern.finditer(plain, start, fitting + 2)]
        best = max((end for end in ends if end <= fitting), default=start)
        if best > start:
            return best
    whole = fitting
    while whole > start and _joins(plain[whole - 1], plain[whole]):
        whole -= 1
    return whole if whole > start else fitting


def _joins(before: str, after: str) -> bool:
    """Says whether two characters make one sign for the reader: a letter and its mark, a joined emoji."""
    is_skin_tone = "\U0001f3fb" <= after <= "\U0001f3ff"
    joined = _ZERO_WIDTH_JOINER in (before, after)
    return joined or is_skin_tone or unicodedata.category(after) in ("Mn", "Me", "Mc")


def _render(units: list[_Unit], start: int, end: int) -> str:
    """Writes a part: its isolates outermost, its tags opened and closed in order."""
    written = list(units[start].isolates)
    open_tags: tuple[str, ...] = ()
    for unit in units[start:end]:
        written += _tag_changes(open_tags, unit.tags)
        written.append(_escape(unit.character))
        open_tags = unit.tags
    written += _tag_changes(open_tags, ())
    written.append(POP_ISOLATE * len(_isolates_after(units[end - 1])))
    return "".join(written)


def _tag_changes(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    shared = 0
    while shared < min(len(before), len(after)) and before[shared] == after[shared]:
        shared += 1
    yield from (f"</{tag}>" for tag in reversed(before[shared:]))
    yield from (f"<{tag}>" for tag in after[shared:])


def _is_invisible(character: str) -> bool:
    return character.isspace() or character == POP_ISOLATE or character in _ISOLATE_STARTS


def _width(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1
