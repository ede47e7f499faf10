"""The texts of notices, from the responses that the dialogue uses as well."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from crm_store.errors import ConfigurationError
from crm_store.persian import rich

# Rasa wants literal braces doubled in responses.
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([a-z_][a-z0-9_]*)\}")


class Rendered(msgspec.Struct, frozen=True):
    """A message that is ready to leave.

    Attributes:
        text: rich text.
        buttons: ``{"title", "payload"}`` each.
        request_contact: the messenger's contact button belongs below it.
        image: address of a picture.
    """

    text: str
    buttons: list[dict[str, str]] = []
    request_contact: bool = False
    image: str = ""


class MissingParameter(Exception):
    """A response names a value that the notice does not give."""


class Responses:
    """All responses by name, each with its wordings."""

    def __init__(self, responses: dict[str, list[dict[str, Any]]]) -> None:
        self._responses = responses

    @classmethod
    def load(cls, paths: Iterable[Path]) -> Responses:
        """Read response files in Rasa's YAML.

        Raises:
            ConfigurationError: a file cannot be read, or a response is defined twice.
        """
        responses: dict[str, list[dict[str, Any]]] = {}
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
        return cls(responses)

    def button_title(self, name: str, value: str) -> str:
        """The title of a response's button that stands for a value."""
        ending = f'"{value}"}}'
        for button in self._responses[name][0]["buttons"]:
            if _without_doubled_braces(str(button["payload"])).endswith(ending):
                return str(button["title"])
        return value

    def render(self, name: str, params: Mapping[str, object], *, turn: int) -> Rendered:
        """Fill in one wording of a response.

        Args:
            name: of the response.
            params: its values, unescaped; ``{"response", "params"}`` for the text of another response.
            turn: chooses the wording; the same number gives the same one.

        Raises:
            KeyError: there is no such response.
            MissingParameter: a value is missing.
        """
        wordings = self._responses[name]
        wording = wordings[turn % len(wordings)]
        buttons = [
            {
                "title": rich.to_plain(self._filled(button["title"], params, name)),
                "payload": _without_doubled_braces(str(button["payload"])),
            }
            for button in wording.get("buttons") or []
        ]
        return Rendered(
            text=self._filled(wording.get("text") or "", params, name),
            buttons=buttons,
            request_contact=bool((wording.get("custom") or {}).get("request_contact")),
            image=str(wording.get("image") or ""),
        )

    def _filled(self, text: str, params: Mapping[str, object], name: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0][0]
            if match[1] not in params:
                raise MissingParameter(f"{name} needs {match[1]}")
            return self._shown(params[match[1]])

        return _PLACEHOLDER.sub(value, text)

    def _shown(self, value: object) -> str:
        """A value in rich text; ``{"response", "params"}`` stands for another response's text."""
        if isinstance(value, dict):
            return self.render(value["response"], value["params"], turn=0).text
        return rich.value(value)


def _without_doubled_braces(payload: str) -> str:
    return payload.replace("{{", "{").replace("}}", "}")
