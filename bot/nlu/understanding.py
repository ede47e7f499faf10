"""The understanding half of a trained model: no policies, no tracker, no server.

Import it after `bot.nlu.light_rasa.leave_tensorflow_out`.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE
from rasa.engine.graph import ExecutionContext
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage

from bot.nlu.incoming import without_leading_slashes


class Understanding:
    """Says what a text means."""

    def __init__(self, model: Path) -> None:
        """Loads the part of the model's graph that understanding needs.

        Args:
            model: The model archive.
        """
        with tempfile.TemporaryDirectory() as directory:
            storage, metadata = LocalModelStorage.from_model_archive(Path(directory), model)
            self._target = metadata.nlu_target
            schema = metadata.predict_schema.minimal_graph_schema([self._target])
            context = ExecutionContext(graph_schema=schema, model_id=metadata.model_id)
            self._runner = DaskGraphRunner.create(schema, storage, context)

    def parse(self, text: str, *, audience: str = "customer") -> dict[str, Any]:
        """Understands one text; see `bot.nlu.parse.parse_lines`."""
        started = time.perf_counter()
        understood, cut = without_leading_slashes(text)
        message = UserMessage(understood, metadata={"audience": audience})
        parsed = self._runner.run({PLACEHOLDER_MESSAGE: [message]}, targets=[self._target])[self._target][0]
        intent = parsed.get("intent")
        return {
            "text": text,
            "intent": intent["name"],
            "confidence": round(float(intent["confidence"]), 4),
            **_topic(intent),
            "entities": [
                {
                    "entity": entity["entity"],
                    "value": entity["value"],
                    "start": entity["start"] + cut,
                    "end": entity["end"] + cut,
                }
                for entity in parsed.get("entities", [])
            ],
            "ms": round((time.perf_counter() - started) * 1000, 2),
        }


def _topic(intent: dict[str, Any]) -> dict[str, Any]:
    if "topic" not in intent:
        return {}
    return {"topic": intent["topic"], "topic_confidence": round(float(intent["topic_confidence"]), 4)}
