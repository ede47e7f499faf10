"""What is a complaint's story."""

from __future__ import annotations

from collections.abc import Iterable

from actions.texts import count_other_words
from actions.turn import Found

#: A message that starts a complaint is its story when it has more words than this …
SHORT_STORY = 5
#: … or than this, where they name what went wrong: «کفش خریدم سایزش غلط اومده» …
VERY_SHORT_STORY = 4
#: … and at least so many that say more than "I have a complaint".
TELLING_WORDS = 3


def tells_what_happened(text: str, found: Iterable[Found] = ()) -> bool:
    """Whether a text tells a story rather than that there is one.

    Args:
        text: what was typed.
        found: the entities in it; a few words are enough where they name what went wrong.
    """
    says_what = any(one.entity == "category" for one in found)
    if len(text.split()) <= (VERY_SHORT_STORY if says_what else SHORT_STORY):
        return False
    return count_other_words("complaints", "announcing", text) >= TELLING_WORDS
