"""What of a line is searched: its words, folded."""

from __future__ import annotations

from crm_store.persian import rich
from crm_store.persian.words import words

#: Who writes rich text; people's is plain.
_BOT = "bot"
#: PostgreSQL numbers no more words of a text than these, so phrases are found within them only.
MOST_WORDS = 16_000


def plain_text(author: str, text: str) -> str:
    """A line as people read it."""
    return rich.to_plain(text) if author == _BOT else text


def searchable(author: str, text: str) -> str:
    """The words of a line, folded, with single spaces between them; empty where there are none."""
    return " ".join(words(plain_text(author, text))[:MOST_WORDS])
