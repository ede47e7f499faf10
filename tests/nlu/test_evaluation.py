"""How well the product's own model understands phrases that nobody trained it with; how that is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from bot.nlu.evaluation import (
    Confusion,
    Phrase,
    Share,
    evaluate,
    evaluation_keys,
    evaluation_phrases,
    expected_calibration_error,
)
from bot.nlu.labels import training_files
from bot.nlu.parse import load_understanding

pytestmark = pytest.mark.rasa

REQUIRED_ACCURACY = 0.92
REQUIRED_TOPIC_ACCURACY = 0.92


class Understands:
    """An understanding of a few texts: intent, topic and confidence of each; another one for staff."""

    def __init__(self, **answers: tuple[str, str, float]) -> None:
        self._answers = answers

    def parse(self, text: str, *, audience: str = "customer") -> dict[str, Any]:
        intent, topic, confidence = self._answers[text]
        if intent.startswith("staff_") and audience != "staff":
            intent = "out_of_scope"
        return {"intent": intent, "confidence": confidence, **({"topic": topic} if topic else {})}


def test_the_product_understands_phrases_it_was_not_trained_with(trained_model: Path) -> None:
    measured = evaluate(load_understanding(trained_model), evaluation_phrases(taught=training_files()))
    print(measured.report())  # noqa: T201
    assert measured.accuracy >= REQUIRED_ACCURACY
    assert measured.topic_accuracy >= REQUIRED_TOPIC_ACCURACY


def test_intents_topics_and_confusions_are_counted() -> None:
    understanding = Understands(
        hi=("greet", "", 0.9),
        bye=("greet", "", 0.6),
        open_=("faq", "hours", 0.8),
        where=("faq", "hours", 0.7),
        odd=("nlu_fallback", "", 0.7),
        report=("staff_report", "", 0.9),
    )
    phrases = [
        Phrase("greet", "hi"),
        Phrase("goodbye", "bye"),
        Phrase("faq/hours", "open_"),
        Phrase("faq/address", "where"),
        Phrase("goodbye", "odd"),
        Phrase("staff_report", "report"),
    ]
    measured = evaluate(cast("Any", understanding), phrases)
    assert (measured.intents, measured.topics) == (Share(4, 6), Share(1, 2))
    assert measured.by_intent["goodbye"] == Share(0, 2)
    assert Confusion("goodbye", "nlu_fallback", 1) in measured.confusions
    assert measured.topic_confusions == [Confusion("faq/address", "faq/hours", 1)]
    assert "66.7% of 6 intents understood" in measured.report()
    assert "faq/address taken for faq/hours: 1" in measured.report()


def test_confidence_that_comes_true_as_often_as_it_says_has_no_error() -> None:
    assert expected_calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0)
    assert expected_calibration_error([(1.0, True), (1.0, False)]) == pytest.approx(0.5)
    assert expected_calibration_error([(0.25, True), (0.95, True)]) == pytest.approx(0.4)
    assert expected_calibration_error([]) == 0


def test_phrases_that_were_taught_do_not_count_however_they_are_spelt(tmp_path: Path) -> None:
    taught, measured = tmp_path / "nlu.yml", tmp_path / "evaluation.yml"
    taught.write_text("nlu:\n- intent: greet\n  examples: |\n    - سلام عليكم!\n", encoding="utf-8")
    measured.write_text("greet:\n- سلام علیکم\n- درود بر شما\n", encoding="utf-8")
    assert evaluation_phrases(measured, taught=[taught]) == [Phrase("greet", "درود بر شما")]
    assert evaluation_keys(measured) == {"سلام علیکم", "درود بر شما"}
    assert evaluation_keys(tmp_path / "of an installed copy.yml") == frozenset()
