"""How well the product's own model understands phrases that nobody trained it with."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bot.nlu.parse import load_understanding
from crm_store.persian import fold
from crm_store.settings import PROJECT_ROOT

pytestmark = pytest.mark.rasa

_WORD = re.compile(r"\w+")
DATA = PROJECT_ROOT / "data"
EVALUATION = Path(__file__).parent / "evaluation.yml"
REQUIRED_ACCURACY = 0.92
REQUIRED_TOPIC_ACCURACY = 0.92


def plain(text: str) -> str:
    """A phrase without what makes no other phrase of it: spelling variants and punctuation."""
    return " ".join(_WORD.findall(fold(text)))


def taught_phrases() -> set[str]:
    """All phrases that the model is trained with."""
    files = [*DATA.glob("*/nlu.yml"), *DATA.glob("*/upcoming.yml")]
    return {
        plain(line.partition("- ")[2])
        for file in files
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
        for line in entry.get("examples", "").splitlines()
    }


def evaluate(model: Path) -> tuple[float, float]:
    """Measures and prints the share of evaluation phrases whose intent and whose topic is understood.

    Nobody can write «سلام» or «بله» apart from the training phrases: what stands there too does not count.

    Args:
        model: The model archive.

    Returns:
        The shares, between 0 and 1: intents of all phrases, topics of those that are understood to have one.
    """
    understanding = load_understanding(model)
    taught = taught_phrases()
    phrases = [
        (label, text)
        for label, texts in yaml.safe_load(EVALUATION.read_text(encoding="utf-8")).items()
        for text in texts
        if plain(text) not in taught
    ]
    answers = [(label, understanding.parse(text)) for label, text in phrases]
    intents = [(label.partition("/")[0], answer["intent"]) for label, answer in answers]
    topics = [
        (label, f"{answer['intent']}/{answer['topic']}")
        for label, answer in answers
        if label.startswith(f"{answer['intent']}/")
    ]
    return _share_right("intents", intents), _share_right("topics", topics)


def _share_right(what: str, meant_and_got: list[tuple[str, str]]) -> float:
    mistaken = Counter(pair for pair in meant_and_got if pair[0] != pair[1])
    accuracy = 1 - sum(mistaken.values()) / len(meant_and_got)
    report = "".join(
        f"\n  {meant} taken for {got}: {count}" for (meant, got), count in mistaken.most_common()
    )
    print(f"{accuracy:.1%} of {len(meant_and_got)} {what} understood{report}")  # noqa: T201
    return accuracy


def test_the_product_understands_phrases_it_was_not_trained_with(trained_model: Path) -> None:
    intents, topics = evaluate(trained_model)
    assert intents >= REQUIRED_ACCURACY
    assert topics >= REQUIRED_TOPIC_ACCURACY
