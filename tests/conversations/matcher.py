"""Tells which response of data/*/responses.yml a message was made from."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from crm_store.persian import rich
from crm_store.settings import PROJECT_ROOT

_PLACEHOLDER = re.compile(r"\\\{[a-z_]+\\\}")
_ANYTHING = "(?s:.*)"
_LETTER = re.compile(r"[^\W\d_]")
#: Fewer letters beside the placeholders, as in «{since} تا {until}», tell nothing for certain.
_TELLING_LETTERS = 4


class ResponseMatcher:
    """Compares plain texts with every wording of every response."""

    def __init__(self, data: Path = PROJECT_ROOT / "data") -> None:
        self._wordings: list[tuple[str, re.Pattern[str]]] = []
        for file in sorted(data.glob("*/responses.yml")):
            for name, variations in yaml.safe_load(file.read_text(encoding="utf-8"))["responses"].items():
                for variation in variations:
                    self._wordings.append((name, _pattern(variation.get("text", ""))))

    def names(self, plain_text: str) -> set[str]:
        """Names of the responses that could have given this text.

        One that is nearly all placeholders could have given any text: it is named where no other could.
        """
        shown = _squeezed(plain_text)
        found = [(name, pattern) for name, pattern in self._wordings if pattern.fullmatch(shown)]
        certain = {name for name, pattern in found if _is_telling(pattern)}
        return certain or {name for name, _pattern in found}


def _pattern(wording: str) -> re.Pattern[str]:
    literal = re.escape(_squeezed(rich.to_plain(wording)))
    return re.compile(_PLACEHOLDER.sub(_ANYTHING, literal))


def _is_telling(pattern: re.Pattern[str]) -> bool:
    return len(_LETTER.findall(pattern.pattern.replace(_ANYTHING, ""))) >= _TELLING_LETTERS


def _squeezed(text: str) -> str:
    return " ".join(text.split())
