"""How what a member of staff wrote is meant: for the customer, or, behind ``//``, for colleagues alone."""

from __future__ import annotations

import re

#: Marks of the writing direction and the like, which nobody sees; right-to-left text often begins with one.
_UNSEEN = "\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_AROUND = re.compile(rf"^[\s{_UNSEEN}]+|[\s{_UNSEEN}]+$")
#: Two slashes, also those of full width that some keyboards have.
_SLASHES = ("/", "\uff0f")
_WHISPER = re.compile(rf"[/\uff0f][{_UNSEEN}]*[/\uff0f][/\uff0f{_UNSEEN}]*")


def bare(text: str) -> str:
    """A text without spaces and unseen marks around it."""
    return _AROUND.sub("", text)


def whispered(text: str) -> str | None:
    """What stays among the staff, without the slashes that say so; None for words to the customer."""
    begins = _WHISPER.match(bare(text))
    return bare(bare(text)[begins.end() :]) if begins else None


def is_slip(text: str) -> bool:
    """Whether a text begins with one slash: a command or a shortcut, mistyped unless it is known.

    It may hold words for colleagues alone, so it goes to no customer.
    """
    return bare(text).startswith(_SLASHES) and whispered(text) is None
