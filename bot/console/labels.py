"""Names of what the store keeps as codes, for the console; they live in ``templates/console/labels.yml``."""

from __future__ import annotations

from functools import cache

import yaml

from bot.console.texts import TEMPLATES


@cache
def _labels() -> dict[str, dict[str, str]]:
    text = (TEMPLATES / "console" / "labels.yml").read_text(encoding="utf-8")
    labels: dict[str, dict[str, str]] = yaml.safe_load(text)
    return labels


def label(key: object, section: str) -> str:
    """What people read for a code; one that has no name is shown as it is kept.

    Args:
        key: the code.
        section: of the file.
    """
    return _labels()[section].get(str(key), str(key))


def labels(section: str) -> dict[str, str]:
    """All names of a section, in order."""
    return dict(_labels()[section])
