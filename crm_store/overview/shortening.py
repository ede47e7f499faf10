"""Words of customers and staff, as long as there is room for on a card."""

from __future__ import annotations

from crm_store.persian import find_phones

MOST_LETTERS = 90
_ELLIPSIS = "…"
_HALF_SPACE = "\u200c"
#: No phone number is written with more characters.
_LONGEST_PHONE = 40


def shortened(text: str, most: int = MOST_LETTERS) -> str:
    """A text on one line, cut between words.

    No phone number is cut: half of one would not be known as a number that is to be hidden.
    """
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    words = cut.rsplit(" ", 1)[0] if " " in cut[most // 2 :] else cut
    end = len(words)
    phones = find_phones(line[: end + _LONGEST_PHONE])
    end = next((phone.start for phone in phones if phone.start < end < phone.end), end)
    return words[:end].rstrip(f" {_HALF_SPACE}") + _ELLIPSIS
