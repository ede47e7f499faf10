"""The sentences that the web chat's server says itself; they live in ``templates/notices.yml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from crm_store.persian import to_persian_digits

TEMPLATES = Path(__file__).parent / "templates"


@cache
def _notices() -> dict[str, str]:
    notices: dict[str, str] = yaml.safe_load((TEMPLATES / "notices.yml").read_text(encoding="utf-8"))
    return notices


def notice(code: str, **numbers: int) -> str:
    """The text of a notice.

    Args:
        code: its key in the file.
        numbers: values for its placeholders; shown in Persian digits.
    """
    return _notices()[code].format(**{name: to_persian_digits(number) for name, number in numbers.items()})


@cache
def _messages() -> dict[str, dict[str, str]]:
    messages: dict[str, dict[str, str]] = {"done": {}, "problem": {}}
    for path in sorted((TEMPLATES / "console").glob("messages*.yml")):
        for section, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            messages[section].update(texts)
    return messages


def message(section: str, key: str) -> str:
    """What a console page says after a form was sent; empty where the address names nothing that we say.

    Args:
        section: ``done`` or ``problem``.
        key: its key in ``templates/console/messages*.yml``.
    """
    return _messages()[section].get(key, "")
