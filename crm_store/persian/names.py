"""Names of people, shown to others so that only their owners recognise them."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_](?:[^\W_]|\u200c)*")
_HIDDEN = "***"


def mask_name(name: str) -> str:
    """Hides all but the first letters of a name.

    Args:
        name: as it is kept; what a messenger calls an account may hold anything.

    Returns:
        The first letters of the first word and of the last one, with stars behind each; only stars when there
        is no word.
    """
    words = _WORD.findall(name)
    shown = words if len(words) < 2 else [words[0], words[-1]]
    return " ".join(f"{word[0]}{_HIDDEN}" for word in shown) or _HIDDEN
