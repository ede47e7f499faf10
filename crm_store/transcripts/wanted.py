"""What somebody searches for, read from what they typed; nothing in it is a command."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from crm_store.persian.words import words

#: Of a longer text only the first terms count.
MOST_TERMS, MOST_WORDS = 10, 30
#: Letters from which on a word stands for its beginning, too.
_BEGINS_FROM = 3
_QUOTED = re.compile(r'[«"“”](?P<phrase>[^«»"“”]*)[»"“”](?P<star>\*?)|(?P<plain>[^\s«»"“”]+)')


class Term(msgspec.Struct, frozen=True):
    """Words that stand side by side.

    Attributes:
        words: folded, only letters and digits.
        begins: whether the last one may be the beginning of a longer word.
    """

    words: tuple[str, ...]
    begins: bool

    def places(self, found: Sequence[str]) -> list[int]:
        """Where in some words it begins."""
        return [start for start in range(len(found)) if self._fits(found, start)]

    def _fits(self, found: Sequence[str], start: int) -> bool:
        part = found[start : start + len(self.words)]
        if len(part) < len(self.words):
            return False
        *before, last = part
        wanted = self.words[-1]
        is_last = last.startswith(wanted) if self.begins else last == wanted
        return is_last and tuple(before) == self.words[:-1]


def read_terms(typed: str) -> list[Term]:
    """The terms that have all to be found.

    Args:
        typed: words, and phrases in quotes; a star behind either asks for beginnings.
    """
    terms: list[Term] = []
    for match in _QUOTED.finditer(typed):
        plain = match["plain"]
        told = words(plain if plain is not None else match["phrase"])[:MOST_WORDS]
        if not told:
            continue
        has_star = plain.endswith("*") if plain is not None else _has_star(match)
        begins = has_star or (plain is not None and len(told[-1]) >= _BEGINS_FROM)
        terms.append(Term(tuple(told), begins))
    return list(dict.fromkeys(terms))[:MOST_TERMS]


def _has_star(match: re.Match[str]) -> bool:
    return bool(match["star"]) or match["phrase"].rstrip().endswith("*")


def as_fts5(terms: Sequence[Term]) -> str:
    """The terms as SQLite's FTS5 takes them: https://www.sqlite.org/fts5.html#full_text_query_syntax."""
    return " AND ".join(f'"{" ".join(one.words)}"{" *" if one.begins else ""}' for one in terms)


def as_tsquery(terms: Sequence[Term]) -> str:
    """The terms as the text of a PostgreSQL tsquery.

    See https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY.
    """
    return " & ".join(
        "(" + " <-> ".join(f"'{word}'" for word in one.words) + (":*" if one.begins else "") + ")"
        for one in terms
    )
