"""How well a model understands phrases that nobody trained it with: for training, tests and the benchmark.

``python -m bot.nlu.evaluation PHRASES --taught FILE… --models MODEL…`` prints a JSON list with an evaluation
of each model, null for one that cannot be read: a process of its own, for Rasa takes seconds and memory.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crm_store.learning.phrases import load_yaml, phrase_key, read_examples
from crm_store.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from bot.nlu.understanding import Understanding

#: Phrases by label, as customers write them; part of the sources and not of an installed copy.
EVALUATION = PROJECT_ROOT / "tests" / "nlu" / "evaluation.yml"
_STAFF = "staff_"
_FALLBACK = "nlu_fallback"
#: Confidences are compared with what came true in so many equal steps from 0 to 1.
_BINS = 10


class Phrase(NamedTuple):
    """What somebody wrote and what it means: ``greet``, ``faq/hours``."""

    label: str
    text: str


class Share(msgspec.Struct, frozen=True):
    """How many of some phrases were understood."""

    right: int
    of: int

    @property
    def value(self) -> float:
        """Between 0 and 1; 1 of none."""
        return self.right / self.of if self.of else 1.0


class Confusion(msgspec.Struct, frozen=True):
    """One label taken for another one, and how often."""

    meant: str
    got: str
    count: int


class Evaluation(msgspec.Struct, frozen=True):
    """What a model makes of phrases that it was not trained with.

    Attributes:
        intents: phrases whose intent was understood.
        topics: of phrases whose intent has topics and was understood, those whose topic was too.
        calibration_error: expected calibration error of the answers that were no fallback (M. P. Naeini et
            al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015): how far
            confidence and accuracy lie apart, 0 to 1, in ten steps weighted by the number of phrases.
        by_intent: the same share for each intent.
        confusions: intents taken for others, the most frequent first.
        topic_confusions: topics likewise.
    """

    intents: Share
    topics: Share
    calibration_error: float
    by_intent: dict[str, Share]
    confusions: list[Confusion]
    topic_confusions: list[Confusion]

    @property
    def accuracy(self) -> float:
        """Share of phrases whose intent was understood, 0 to 1."""
        return self.intents.value

    @property
    def topic_accuracy(self) -> float:
        """Share of topics understood, 0 to 1."""
        return self.topics.value

    def report(self) -> str:
        """All of it in lines."""
        lines = [
            f"{self.accuracy:.1%} of {self.intents.of} intents understood",
            *_lines(self.confusions),
            f"{self.topic_accuracy:.1%} of {self.topics.of} topics understood",
            *_lines(self.topic_confusions),
            f"expected calibration error {self.calibration_error:.3f}",
        ]
        return "\n".join(lines)


def evaluate(understanding: Understanding, phrases: Iterable[Phrase]) -> Evaluation:
    """Measures what a model makes of some phrases.

    Args:
        understanding: The loaded model.
        phrases: What was written and meant; ``staff_…`` is understood as written by staff.
    """
    intents: list[tuple[str, str]] = []
    topics: list[tuple[str, str]] = []
    given: list[tuple[float, bool]] = []
    for label, text in phrases:
        intent, _, topic = label.partition("/")
        answer = understanding.parse(text, audience="staff" if intent.startswith(_STAFF) else "customer")
        intents.append((intent, answer["intent"]))
        if answer["intent"] != _FALLBACK:
            given.append((answer["confidence"], answer["intent"] == intent))
        if topic and answer["intent"] == intent:
            topics.append((label, f"{intent}/{answer.get('topic', '')}"))
    names = dict.fromkeys(meant for meant, _ in intents)
    return Evaluation(
        intents=_share(intents),
        topics=_share(topics),
        calibration_error=expected_calibration_error(given),
        by_intent={name: _share([pair for pair in intents if pair[0] == name]) for name in names},
        confusions=_confusions(intents),
        topic_confusions=_confusions(topics),
    )


def evaluation_phrases(file: Path = EVALUATION, *, taught: Iterable[Path] = ()) -> list[Phrase]:
    """The phrases of an evaluation file, without those that stand in training data too.

    Nobody can write «سلام» or «بله» apart from the training phrases: they would only measure memory.

    Args:
        file: Phrases by label.
        taught: Files of training data.
    """
    known = {phrase_key(text) for one in taught for texts in read_examples(one).values() for text in texts}
    return [
        Phrase(label, text)
        for label, texts in _read(file).items()
        for text in texts
        if phrase_key(text) not in known
    ]


def evaluation_keys(file: Path = EVALUATION) -> frozenset[str]:
    """What no phrase to train with may be, as `phrase_key` writes it; nothing where the file is not there."""
    if not file.exists():
        return frozenset()
    return frozenset(phrase_key(text) for texts in _read(file).values() for text in texts)


def expected_calibration_error(given: Sequence[tuple[float, bool]]) -> float:
    """How far confidences lie from what came true; see `Evaluation`.

    Args:
        given: Confidence (0 to 1) and whether it was right, of each answer.
    """
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, is_right in given:
        bins.setdefault(min(int(confidence * _BINS), _BINS - 1), []).append((confidence, is_right))
    gaps = (abs(sum(right for _, right in some) - sum(sure for sure, _ in some)) for some in bins.values())
    return sum(gaps) / len(given) if given else 0.0


def _read(file: Path) -> dict[str, list[str]]:
    phrases: dict[str, list[str]] = load_yaml(file)
    return phrases


def _share(meant_and_got: Sequence[tuple[str, str]]) -> Share:
    return Share(sum(meant == got for meant, got in meant_and_got), len(meant_and_got))


def _confusions(meant_and_got: Iterable[tuple[str, str]]) -> list[Confusion]:
    mistaken = Counter(pair for pair in meant_and_got if pair[0] != pair[1])
    return [Confusion(meant, got, count) for (meant, got), count in mistaken.most_common()]


def _lines(confusions: Iterable[Confusion]) -> list[str]:
    return [f"  {one.meant} taken for {one.got}: {one.count}" for one in confusions]


def main() -> None:
    """Evaluates models one after the other."""
    parser = argparse.ArgumentParser(description="Measure what models understand.")
    parser.add_argument("phrases", type=Path, help="what is written and meant, by label")
    parser.add_argument("--taught", nargs="*", type=Path, default=[], help="files of training data")
    parser.add_argument("--models", nargs="+", type=Path, required=True)
    given = parser.parse_args()
    phrases = evaluation_phrases(given.phrases, taught=given.taught)
    evaluations = [_evaluate_file(model, phrases) for model in given.models]
    sys.stdout.write(msgspec.json.encode(evaluations).decode() + "\n")


def _evaluate_file(model: Path, phrases: Sequence[Phrase]) -> Evaluation | None:
    from bot.nlu.parse import load_understanding  # noqa: PLC0415  # it loads Rasa

    try:
        return evaluate(load_understanding(model), phrases)
    except Exception as error:  # whatever a model of older code raises, when it is read or when it is asked
        sys.stderr.write(f"{model.name} cannot be measured: {type(error).__name__}\n")
        return None


if __name__ == "__main__":
    main()
