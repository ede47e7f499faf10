"""What a finder reads from a text: a value, or the values it may be."""

from __future__ import annotations

from typing import Any, NamedTuple

from crm_store.persian.folding import fold_with_offsets, source_span


class Reading(NamedTuple):
    """A passage of a text and what it says.

    Attributes:
        start: Its first character, in code points of the text.
        end: One past its last character.
        value: What it says; None if two readings are as good as each other.
        candidates: The possible values, the likeliest first; empty with a value, never without one.
    """

    start: int
    end: int
    value: Any | None
    candidates: tuple[Any, ...] = ()


#: White space, half-spaces and marks of direction.
_UNSEEN = (
    " \t\n\r\f\v\u00a0\u00ac\u200b\u200c\u200d\u200e\u200f"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


class Source:
    """A text with its folded form, and the way back from one to the other.

    Attributes:
        folded: The folded text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.folded, self._offsets = fold_with_offsets(text)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a passage of the folded text stands in the text.

        Args:
            start: First folded character.
            end: One past the last one.

        Returns:
            Start and end in code points of the text, without white space or half-spaces at the end.
        """
        first, last = source_span(self._offsets, start, end, len(self._text))
        return first, first + len(self._text[first:last].rstrip(_UNSEEN))

    def reading(self, start: int, end: int, *values: Any) -> Reading:
        """A reading of a passage of the folded text.

        Args:
            start: First folded character.
            end: One past the last one.
            *values: One value, or the possible ones, the likeliest first; equal ones count once.

        Returns:
            The reading, with offsets into the text.
        """
        different = [value for place, value in enumerate(values) if value not in values[:place]]
        if len(different) == 1:
            return Reading(*self.span(start, end), different[0])
        return Reading(*self.span(start, end), None, tuple(different))
