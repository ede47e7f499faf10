"""Names and typed words of an area, from ``data/<area>/terms.yml``: the store keeps codes, people words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

from crm_store.settings import PROJECT_ROOT


@lru_cache
def terms(area: str) -> Mapping[str, Any]:
    """All sections of an area's terms."""
    text = (PROJECT_ROOT / "data" / area / "terms.yml").read_text(encoding="utf-8")
    document: Mapping[str, Any] = yaml.safe_load(text)
    return document


def term(area: str, section: str, key: str) -> str | None:
    """The Persian name of something that the store keeps as a code; None when it has none."""
    name: str | None = terms(area)[section].get(key)
    return name
