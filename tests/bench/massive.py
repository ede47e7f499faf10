"""Measures understanding on MASSIVE's Persian part: the product's own models, trained on other people's data.

MASSIVE (J. FitzGerald and others, "MASSIVE: A 1M-Example Multilingual Natural Language Understanding Dataset
with 51 Typologically-Diverse Languages", 2022; CC BY 4.0) is not ours to ship: the folder of its files
``massive-fa-IR.train.jsonl`` and ``massive-fa-IR.dev.jsonl`` is the argument or PEYVAND_MASSIVE_DIR.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from bot.nlu.features import Reader
from bot.nlu.intent_model import IntentModel, IntentSettings
from bot.nlu.sentence_vectors import CachedEncoder, SentenceEncoder, default_encoder
from bot.nlu.slot_features import Ranking
from bot.nlu.slot_intents import held_out_rankings
from bot.nlu.slot_model import Example, SlotModel, Span
from bot.nlu.word_lists import known_words
from crm_store.settings import PROJECT_ROOT
from tests.bench.figures import Figure, emit, percentile

FOLDER = PROJECT_ROOT.parent / "shared" / "data"
#: Examples an intent where there are few.
FEW = 16
#: Vectors of its texts, kept from one measurement to the next, apart from the product's.
VECTORS = PROJECT_ROOT / "models" / "massive-vectors.npz"
TRAIN, DEV = "massive-fa-IR.train.jsonl", "massive-fa-IR.dev.jsonl"
_ANNOTATION = re.compile(r"\[(\S+) : (.*?)\]")


class Utterance(NamedTuple):
    """An utterance; its spans in code points of the text."""

    text: str
    intent: str
    spans: tuple[Span, ...]


def read(file: Path) -> list[Utterance]:
    """The utterances of a file, one JSON object a line."""
    with file.open(encoding="utf-8") as lines:
        return [_utterance(json.loads(line)) for line in lines]


def slot_scores(
    expected: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]
) -> tuple[float, float, float]:
    """Micro-averaged F1, precision and recall (0 to 100) of slots, as conlleval and seqeval count them.

    A slot is right if its label, its first and its last character are.
    """
    right = sum(len(set(one) & set(other)) for one, other in zip(expected, found, strict=True))
    all_found, all_expected = sum(map(len, found)), sum(map(len, expected))
    precision, recall = right / max(all_found, 1), right / max(all_expected, 1)
    return 200 * right / max(all_found + all_expected, 1), 100 * precision, 100 * recall


def figures(folder: Path) -> Iterator[Figure]:
    """Train on the training part, measure on the development part."""
    learnt, held_out = read(folder / TRAIN), read(folder / DEV)
    reader = Reader.learn(one.text for one in learnt)
    started = time.monotonic()
    rank = _intents(reader, learnt)
    yield Figure("massive_intent_training", time.monotonic() - started, "s")
    rankings = [rank(one.text) for one in held_out]
    right = sum(ranking[0][0] == one.intent for ranking, one in zip(rankings, held_out, strict=True))
    yield Figure("massive_intent_accuracy", 100 * right / len(held_out), "%")
    yield Figure("massive_intent_accuracy_16_examples", _few_examples(learnt, held_out), "%")
    started = time.monotonic()
    model = _slots(reader, learnt)
    yield Figure("massive_slot_training", time.monotonic() - started, "s")
    found, milliseconds = [], []
    for one, ranking in zip(held_out, rankings, strict=True):
        started = time.perf_counter()
        slots = model.tag(one.text, ranking)
        milliseconds.append(1000 * (time.perf_counter() - started))
        found.append([Span(*slot[:3]) for slot in slots])
    scores = slot_scores([one.spans for one in held_out], found)
    for name, score in zip(("f1", "precision", "recall"), scores, strict=True):
        yield Figure(f"massive_slot_{name}", score, "%")
    for share in (0.5, 0.95):
        yield Figure(f"massive_slot_tagging_p{100 * share:.0f}", percentile(milliseconds, share), "ms")


def _utterance(record: dict[str, str]) -> Utterance:
    text, spans, position = "", [], 0
    annotated = record["annot_utt"]
    for match in _ANNOTATION.finditer(annotated):
        text += annotated[position : match.start()]
        spans.append(Span(match[1], len(text), len(text) + len(match[2])))
        text += match[2]
        position = match.end()
    return Utterance(text + annotated[position:], record["intent"], tuple(spans))


def _intents(reader: Reader, learnt: Sequence[Utterance]) -> Callable[[str], Ranking]:
    # As configured for it: all examples have vectors, and there are no phrases to calibrate with.
    model = IntentModel(reader, _encoder(), IntentSettings(examples_per_intent=0))
    model.train([one.text for one in learnt], [one.intent for one in learnt])
    return model.rank


@lru_cache
def _encoder() -> SentenceEncoder | None:
    encoder = default_encoder()
    return CachedEncoder(encoder, VECTORS) if encoder else None


def _few_examples(learnt: Sequence[Utterance], held_out: Sequence[Utterance]) -> float:
    """Accuracy (0 to 100) with sixteen examples an intent, the mean of three draws."""
    by_intent: dict[str, list[Utterance]] = {}
    for one in learnt:
        by_intent.setdefault(one.intent, []).append(one)
    right = 0
    for seed in range(3):
        chance = random.Random(seed)
        few = [one for some in by_intent.values() for one in chance.sample(some, min(FEW, len(some)))]
        rank = _intents(Reader.learn(one.text for one in few), few)
        right += sum(rank(one.text)[0][0] == one.intent for one in held_out)
    return 100 * right / (3 * len(held_out))


def _slots(reader: Reader, learnt: Sequence[Utterance]) -> SlotModel:
    documents = [reader.read(one.text) for one in learnt]
    rankings = held_out_rankings(documents, [one.intent for one in learnt])
    model = SlotModel(known_words())
    model.train(
        [Example(one.text, one.spans, ranking) for one, ranking in zip(learnt, rankings, strict=True)]
    )
    return model


def main() -> None:
    """Measure, where the data are."""
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PEYVAND_MASSIVE_DIR")
    folder = Path(given) if given else FOLDER
    if not (folder / TRAIN).exists():
        sys.stderr.write(f"MASSIVE is not in {folder}: nothing is measured\n")
        return
    emit(figures(folder))


if __name__ == "__main__":
    main()
