"""What the responses say: Peyvand's wordings from ``data/<area>/responses.yml``, the owner's in their place.

The owner's texts stand in the section ``[texts]`` of the business file, or were saved at the console, which
goes first. One that could break a message (with a placeholder that the response has no value for, without one
that it needs, with a stray brace) never does: Peyvand's own wording is said instead, and the reason is logged
once for each version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
import yaml

from crm_store.business import Business, BusinessFile
from crm_store.errors import ConfigurationError
from crm_store.persian import rich
from crm_store.texts.service import EditedTexts, Texts
from crm_store.wording_faults import BUSINESS, foreign_tags, placeholder_faults

__all__ = [
    "BUSINESS",
    "NAME_PLACEHOLDER",
    "Wording",
    "Wordings",
    "foreign_tags",
    "read_responses",
    "text_problems",
]

#: ``buttons``, ``custom`` and the like beside ``text``, as Rasa writes them.
Wording = dict[str, Any]
Responses = Mapping[str, list[Wording]]

NAME_PLACEHOLDER = f"{{{BUSINESS}}}"

log = structlog.get_logger(__name__)


def read_responses(paths: Iterable[Path]) -> dict[str, list[Wording]]:
    """Read response files in Rasa's YAML.

    Raises:
        ConfigurationError: a file cannot be read, or a response is defined twice.
    """
    responses: dict[str, list[Wording]] = {}
    for path in sorted(paths):
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            place = f"{path.parent.name}/{path.name}"
            raise ConfigurationError(f"{place} is not valid YAML: {error}") from error
        for name, wordings in (document.get("responses") or {}).items():
            if name in responses:
                raise ConfigurationError(f"the response {name} is defined twice")
            responses[name] = wordings
    return responses


class Wordings:
    """All responses as they are said now.

    Args:
        own: Peyvand's responses by name, each with its wordings.
        business: where the owner's texts and the business's name come from.
        texts: what was saved at the console; None where nothing is looked up.
    """

    def __init__(self, own: Responses, business: BusinessFile, texts: EditedTexts | None = None) -> None:
        self._own = own
        self._business = business
        self._texts = texts
        self._nothing = Texts()
        self._merged_for: tuple[Business, Texts] | None = None
        self._merged: dict[str, list[Wording]] = {}

    def current(self) -> dict[str, list[Wording]]:
        """The responses, with the owner's texts in their place."""
        business = self._business.current()
        texts = self._texts.current() if self._texts is not None else self._nothing
        known = self._merged_for
        if known is None or known[0] is not business or known[1] is not texts:
            of_console = {name: (text,) for name, text in texts.responses.items()}
            self._merged = {
                **self._own,
                **_replaced(self._own, business.texts),
                **_replaced(self._own, of_console),
            }
            self._merged_for = (business, texts)
        return self._merged

    @property
    def business_name(self) -> str:
        """What stands for ``{business}``: rich text."""
        return rich.value(self._business.current().name)


def text_problems(text: str, original: str) -> list[str]:
    """What keeps a text of the owner from being said in place of an original one.

    Args:
        text: of the owner.
        original: the first of Peyvand's wordings; all of a response's wordings have the same placeholders.

    Returns:
        One line each; none if it can be said.
    """
    return placeholder_faults(text, original).lines()


def _replaced(own: Responses, by_name: Mapping[str, Sequence[str]]) -> dict[str, list[Wording]]:
    replaced = {}
    for name, texts in by_name.items():
        if name not in own:
            log.warning("business_text_unknown", response=name)
            continue
        # Buttons and the like stay those of the first wording.
        first = own[name][0]
        good = []
        for text in texts:
            problems = text_problems(text, first.get("text") or "")
            if problems:
                log.warning("business_text_not_said", response=name, reason="; ".join(problems))
            else:
                # Rasa gives up on a text in which "0[" stands (rasa.core.nlg.interpolator).
                good.append({**first, "text": text.replace("0[", "0&#91;")})
        if good:
            replaced[name] = good
    return replaced
