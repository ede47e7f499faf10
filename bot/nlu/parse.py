"""Understanding without dialogue: what a text means, for ``peyvand parse`` and for measuring."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.nlu.light_rasa import leave_tensorflow_out, silence_deprecations
from bot.nlu.training import train

if TYPE_CHECKING:
    from bot.nlu.understanding import Understanding


def parse_lines(
    lines: Iterable[str],
    *,
    model: Path | None = None,
    audience: str = "customer",
    now: datetime | None = None,
    explain: bool = False,
) -> Iterator[dict[str, Any]]:
    """Understands texts one after the other.

    Args:
        lines: Texts as people write them, one a line.
        model: The model archive; the project's own if left out, trained if need be.
        audience: Who is asking: ``customer`` or ``staff``.
        now: The moment that «فردا» is counted from, with a time zone; the present if left out.
        explain: Whether to say what stands behind an answer: ``tokens`` (folded, with stem, kind and place)
            and ``ranking`` (the likeliest intents).

    Yields:
        For each text ``text``, ``intent`` (``nlu_fallback`` if unsure), ``confidence``, for ``faq`` also
        ``topic`` and ``topic_confidence``, ``intents`` (all that the text asks for, the most certain first,
        each with ``intent`` and ``confidence``; the first is ``intent``), ``entities`` (each with
        ``entity``, ``value``, where that is null ``candidates``, ``start`` and ``end`` in code points of
        ``text``; see ``docs/entities.md``), ``signals`` (``danger``, ``urgency`` and ``anger`` where they are
        heard, in this order) and ``ms``.
    """
    understanding = load_understanding(model or train())
    for line in lines:
        yield understanding.parse(line.rstrip("\r\n"), audience=audience, now=now, explain=explain)


def load_understanding(model: Path) -> Understanding:
    """Loads a model without TensorFlow.

    Args:
        model: The model archive.
    """
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    leave_tensorflow_out()
    silence_deprecations()
    # Only now, with the stand-ins in place.
    from bot.nlu.understanding import Understanding  # noqa: PLC0415  # it loads Rasa

    return Understanding(model)
