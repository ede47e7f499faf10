"""Measures what the product's model understands, also of disturbed phrases; draws the confusions.

``python -m tests.bench.understanding`` alone; part of `make bench`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import yaml

from bot.nlu.evaluation import Evaluation, Phrase, evaluate, evaluation_phrases
from bot.nlu.intent_model import IntentSettings
from bot.nlu.labels import training_files
from bot.nlu.parse import load_understanding
from bot.nlu.training import train
from crm_store.settings import PROJECT_ROOT
from tests.bench.figures import Figure, emit, percentile, stock_figures
from tests.nlu.disturb import DISTURBANCES, disturbed

mpl.use("Agg")
from matplotlib import pyplot as plt  # only after the back end is chosen

PICTURE = PROJECT_ROOT / "docs" / "images" / "confusion.png"
FINGLISH = PROJECT_ROOT / "tests" / "nlu" / "finglish.yml"
SPOKEN = PROJECT_ROOT / "tests" / "nlu" / "formal_and_spoken.yml"


def figures() -> Iterator[Figure]:
    """Measure one thing after the other."""
    stock = stock_figures()
    understanding = load_understanding(train())
    phrases = evaluation_phrases(taught=training_files())
    plain = evaluate(understanding, phrases)
    yield Figure("intents understood", 100 * plain.accuracy, "%", stock.get("intents understood"))
    yield Figure("topics understood", 100 * plain.topic_accuracy, "%")
    yield Figure("calibration error", 100 * plain.calibration_error, "%")
    for name in DISTURBANCES:
        texts = disturbed(name, [phrase.text for phrase in phrases])
        copies = [Phrase(phrase.label, text) for phrase, text in zip(phrases, texts, strict=True)]
        yield Figure(f"intents understood, {name}", 100 * evaluate(understanding, copies).accuracy, "%")
    kept = {phrase.text for phrase in phrases}
    latin = [one for one in _read(FINGLISH) if one["text"] in kept]
    for name, records, key in (
        ("before Finglish", latin, "text"),
        ("Finglish", latin, "finglish"),
        ("formal", _read(SPOKEN), "formal"),
        ("the same spoken", _read(SPOKEN), "spoken"),
    ):
        copies = [Phrase(one["intent"], one[key]) for one in records]
        yield Figure(f"intents understood, {name}", 100 * evaluate(understanding, copies).accuracy, "%")
    yield from _latency(understanding, phrases)
    draw(plain, PICTURE)


def _latency(understanding: Any, phrases: Sequence[Phrase]) -> Iterator[Figure]:
    """Milliseconds where the quick model is sure, and where it is not."""
    waits: dict[bool, list[float]] = {True: [], False: []}
    for label, text in phrases:
        started = time.perf_counter()
        answer = understanding.parse(text, audience="staff" if label.startswith("staff_") else "customer")
        waits[answer["confidence"] >= IntentSettings().sure].append(1000 * (time.perf_counter() - started))
    yield Figure("parse where sure, p50", percentile(waits[True], 0.5), "ms")
    yield Figure("parse where not sure, p50", percentile(waits[False], 0.5), "ms")
    yield Figure("share of messages that are sure", 100 * len(waits[True]) / len(phrases), "%")


def draw(measured: Evaluation, file: Path) -> None:
    """Draws what was taken for what, as shares of an intent's phrases; the diagonal was understood."""
    meant = list(measured.by_intent)
    got = [*meant, "nlu_fallback"]
    shares = [[0.0] * len(got) for _ in meant]
    for row, name in enumerate(meant):
        shares[row][row] = measured.by_intent[name].value
    for one in measured.confusions:
        row, column = meant.index(one.meant), got.index(one.got)
        shares[row][column] = one.count / measured.by_intent[one.meant].of
    figure, axes = plt.subplots(figsize=(15, 14), layout="constrained")
    picture = axes.imshow(shares, cmap="viridis", norm=mpl.colors.PowerNorm(0.4, 0, 1))
    axes.set_xticks(range(len(got)), got, rotation=90, fontsize=8)
    axes.set_yticks(range(len(meant)), meant, fontsize=8)
    axes.set_xlabel("understood as")
    axes.set_ylabel("meant")
    axes.set_title(f"{measured.accuracy:.1%} of {measured.intents.of} evaluation phrases understood")
    figure.colorbar(picture, shrink=0.6, label="share of the phrases of an intent")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=90)
    plt.close(figure)


def _read(file: Path) -> list[dict[str, str]]:
    records: list[dict[str, str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return records


if __name__ == "__main__":
    emit(figures())
