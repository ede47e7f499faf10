"""Understanding without dialogue: what a text means, for ``peyvand parse`` and for measuring."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from bot.nlu.light_rasa import leave_tensorflow_out, silence_deprecations
from bot.nlu.training import train

if TYPE_CHECKING:
    from bot.nlu.understanding import Understanding


def parse_lines(
    lines: Iterable[str], *, model: Path | None = None, audience: str = "customer"
) -> Iterator[dict[str, Any]]:
    """Understands texts one after the other.

    Args:
        lines: Texts as people write them, one a line.
        model: The model archive; the project's own if left out, trained if need be.
        audience: Who is asking: ``customer`` or ``staff``.

    Yields:
        For each text ``text``, ``intent`` (``nlu_fallback`` if unsure), ``confidence``, for ``faq`` also
        ``topic`` and ``topic_confidence``, ``entities`` (each with ``entity``, ``value``, ``start`` and
        ``end`` in code points of ``text``) and ``ms``.
    """
    understanding = load_understanding(model or train())
    for line in lines:
        yield understanding.parse(line.rstrip("\r\n"), audience=audience)


def parse_stream(source: TextIO, target: TextIO, *, model: Path | None = None) -> None:
    """Reads a text a line and answers each at once with a JSON object a line; see `parse_lines`."""
    for answer in parse_lines(source, model=model):
        target.write(json.dumps(answer, ensure_ascii=False) + "\n")
        target.flush()


def load_understanding(model: Path) -> Understanding:
    """Loads a model without TensorFlow.

    Args:
        model: The model archive.
    """
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    leave_tensorflow_out()
    silence_deprecations()
    # Only now, with the stand-ins in place.
    from bot.nlu.understanding import Understanding  # noqa: PLC0415

    return Understanding(model)
