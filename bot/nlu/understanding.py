"""The understanding half of a trained model: no policies, no tracker, no server.

Import it after `bot.nlu.light_rasa.leave_tensorflow_out`.
"""

from __future__ import annotations

import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE
from rasa.engine.graph import ExecutionContext
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.advice import SIGNALS_KEY
from bot.nlu.incoming import without_leading_slashes
from bot.nlu.persian import words
from bot.nlu.requests import REQUESTS
from bot.nlu.spoken import stem

#: How many of the likeliest intents an explanation lists.
EXPLAINED = 5
_FALLBACK = "nlu_fallback"


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

    def parse(
        self, text: str, *, audience: str = "customer", now: datetime | None = None, explain: bool = False
    ) -> dict[str, Any]:
        """Understands one text; see `bot.nlu.parse.parse_lines`."""
        started = time.perf_counter()
        understood, cut = without_leading_slashes(text)
        metadata = {"audience": audience, **({"now": now.isoformat()} if now else {})}
        message = UserMessage(understood, metadata=metadata)
        parsed = self._runner.run({PLACEHOLDER_MESSAGE: [message]}, targets=[self._target])[self._target][0]
        intents = _intents(parsed)
        return {
            "text": text,
            "intent": intents[0]["name"],
            "confidence": _rounded(intents[0]),
            **_topic(intents[0]),
            "intents": [{"intent": intent["name"], "confidence": _rounded(intent)} for intent in intents],
            "entities": [
                {
                    "entity": entity["entity"],
                    "value": entity["value"],
                    **({"candidates": entity["candidates"]} if "candidates" in entity else {}),
                    "start": entity["start"] + cut,
                    "end": entity["end"] + cut,
                }
                for entity in parsed.get("entities", [])
            ],
            "signals": [signal["name"] for signal in parsed.get(SIGNALS_KEY, [])],
            **(_explanation(understood, parsed) if explain else {}),
            "ms": round((time.perf_counter() - started) * 1000, 2),
        }


def _intents(parsed: Message) -> list[dict[str, Any]]:
    """All that a text asks for, the most certain first; one for an ordinary text, whatever it means."""
    ranked = {intent["name"]: intent for intent in parsed.get("intent_ranking", [])}
    requests = sorted(parsed.get(REQUESTS, []), key=lambda request: -float(request["confidence"]))
    return [
        {**ranked.get(request["intent"], {}), "name": request["intent"], "confidence": request["confidence"]}
        for request in requests
    ] or [parsed.get("intent")]


def _explanation(text: str, parsed: Message) -> dict[str, Any]:
    """What stands behind an answer: the tokens as they were read, and the likeliest intents."""
    ranking = [intent for intent in parsed.get("intent_ranking", []) if intent["name"] != _FALLBACK]
    return {
        "tokens": [
            {"text": word, "stem": stem(word), "start": start, "end": end, "kind": kind}
            for word, start, end, kind in words(text)
        ],
        "ranking": [
            {"intent": intent["name"], "confidence": _rounded(intent)} for intent in ranking[:EXPLAINED]
        ],
    }


def _rounded(intent: dict[str, Any]) -> float:
    return round(float(intent["confidence"]), 4)


def _topic(intent: dict[str, Any]) -> dict[str, Any]:
    if "topic" not in intent:
        return {}
    return {"topic": intent["topic"], "topic_confidence": round(float(intent["topic_confidence"]), 4)}
