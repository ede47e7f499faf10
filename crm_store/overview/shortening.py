"""Words of customers and staff, as long as there is room for on a card."""

from __future__ import annotations

MOST_LETTERS = 90
_ELLIPSIS = "…"
_HALF_SPACE = "\u200c"


def shortened(text: str, most: int = MOST_LETTERS) -> str:
    """A text on one line, cut between words."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    words = cut.rsplit(" ", 1)[0] if " " in cut[most // 2 :] else cut
    return words.rstrip(_HALF_SPACE) + _ELLIPSIS
