"""How well the product's own model understands phrases that nobody trained it with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from bot.nlu.parse import load_understanding

pytestmark = pytest.mark.rasa

EVALUATION = Path(__file__).parent / "evaluation.yml"
REQUIRED_ACCURACY = 0.92


def evaluate(model: Path) -> float:
    """Measures and prints the share of evaluation phrases whose intent is understood.

    Args:
        model: The model archive.

    Returns:
        The share, between 0 and 1.
    """
    understanding = load_understanding(model)
    phrases = [
        (intent, text)
        for intent, texts in yaml.safe_load(EVALUATION.read_text(encoding="utf-8")).items()
        for text in texts
    ]
    understood = [understanding.parse(text)["intent"] for _, text in phrases]
    mistaken = Counter(
        (meant, got) for (meant, _), got in zip(phrases, understood, strict=True) if meant != got
    )
    accuracy = 1 - sum(mistaken.values()) / len(phrases)
    report = "".join(
        f"\n  {meant} taken for {got}: {count}" for (meant, got), count in mistaken.most_common()
    )
    print(f"{accuracy:.1%} of {len(phrases)} phrases understood{report}")  # noqa: T201
    return accuracy


def test_the_product_understands_phrases_it_was_not_trained_with(trained_model: Path) -> None:
    assert evaluate(trained_model) >= REQUIRED_ACCURACY
