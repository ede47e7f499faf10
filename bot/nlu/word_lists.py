"""Words of which it is known what they name: given names, family names and cities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from crm_store.settings import PROJECT_ROOT

_NAMES, _CITIES = "data/shared/given_names.yml", "data/shared/cities.yml"


def known_words(root: Path = PROJECT_ROOT) -> dict[str, list[str]]:
    """Reads the project's lists of names and cities; words by what they name, in all their spellings."""
    names, cities = _read(root / _NAMES), _read(root / _CITIES)["places"]
    return {
        "given name": [*names["women"], *names["men"], *names["latin"]],
        "family name": list(names["family"]),
        "city": [*cities, *(spelling for spellings in cities.values() for spelling in spellings)],
    }


def fingerprint(root: Path = PROJECT_ROOT) -> str:
    """The text of the lists; another one means that something else would be learnt."""
    return "".join((root / file).read_text(encoding="utf-8") for file in (_NAMES, _CITIES))


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content
