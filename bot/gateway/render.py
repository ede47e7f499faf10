"""The texts of notices, from the responses that the dialogue uses as well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from crm_store.business import BusinessFile
from crm_store.persian import rich
from crm_store.texts.service import EditedTexts
from crm_store.wordings import BUSINESS, Wordings, read_responses

# Rasa wants literal braces doubled in responses.
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([a-z_][a-z0-9_]*)\}")


class Rendered(msgspec.Struct, frozen=True):
    """A message that is ready to leave.

    Attributes:
        text: rich text.
        buttons: ``{"title", "payload"}`` each, and the ``row`` in which it stands where it names one.
        request_contact: the messenger's contact button belongs below it.
        image: address of a picture.
    """

    text: str
    buttons: list[dict[str, Any]] = []
    request_contact: bool = False
    image: str = ""


class MissingParameter(Exception):
    """A response names a value that the notice does not give."""


class Responses:
    """All responses by name, each with its wordings.

    Args:
        wordings: what they say now.
    """

    def __init__(self, wordings: Wordings) -> None:
        self._wordings = wordings

    @classmethod
    def load(
        cls, paths: Iterable[Path], business: BusinessFile, texts: EditedTexts | None = None
    ) -> Responses:
        """Read response files in Rasa's YAML.

        Args:
            paths: the files.
            business: where the owner's texts and the business's name come from.
            texts: what was saved at the console; None where nothing is looked up.

        Raises:
            ConfigurationError: a file cannot be read, or a response is defined twice.
        """
        return cls(Wordings(read_responses(paths), business, texts))

    def render(self, name: str, params: Mapping[str, object], *, turn: int) -> Rendered:
        """Fill in one wording of a response.

        Args:
            name: of the response.
            params: its values, unescaped; ``{"response", "params"}`` for the text of another response, and a
                list of such for several lines. The payloads of buttons may name values, too. ``buttons`` are
                further buttons, ready as they are.
            turn: chooses the wording; the same number gives the same one.

        Raises:
            KeyError: there is no such response.
            MissingParameter: a value is missing.
        """
        wordings = self._wordings.current()[name]
        wording = wordings[turn % len(wordings)]
        buttons: list[dict[str, Any]] = [
            {
                **button,
                "title": rich.to_plain(self._filled(button["title"], params, name)),
                "payload": _filled_payload(str(button["payload"]), params, name),
            }
            for button in wording.get("buttons") or []
        ]
        # Those that only the notice itself knows, such as the choices of an owner's question, go first.
        given = params.get("buttons")
        buttons = [*(given if isinstance(given, list) else []), *buttons]
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
            if match[1] == BUSINESS:
                return self._wordings.business_name
            if match[1] not in params:
                raise MissingParameter(f"{name} needs {match[1]}")
            return self._shown(params[match[1]])

        return _PLACEHOLDER.sub(value, text)

    def _shown(self, value: object) -> str:
        """A value in rich text; ``{"response", "params"}`` stands for another response's text."""
        if isinstance(value, list):
            return "\n".join(self._shown(line) for line in value)
        if isinstance(value, dict):
            return self.render(value["response"], value["params"], turn=0).text
        return rich.value(value)


def _filled_payload(payload: str, params: Mapping[str, object], name: str) -> str:
    """A button's payload, JSON behind the intent's name: values go in as they are, within their quotes."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        if match[1] not in params:
            raise MissingParameter(f"{name} needs {match[1]}")
        return json.dumps(str(params[match[1]]), ensure_ascii=False)[1:-1]

    return _PLACEHOLDER.sub(value, payload)
