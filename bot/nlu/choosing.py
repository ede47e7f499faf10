"""Which model a copy of Peyvand uses: a new one that understands less than the one before is refused.

The model in use is a link in the data folder, ``model.tar.gz``, so that whoever starts Rasa again finds the
one that was chosen last; refused ones are remembered beside it with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from bot.nlu.evaluation import Evaluation

#: How much of its accuracy a new model may lose. Of 1,700 phrases half a point is eight or nine. Where twenty
#: phrases change sides by chance, as after some new examples, two equally good models differ by √20, four or
#: five phrases: what lies within twice that says nothing, what lies beyond it does.
TOLERANCE = 0.005
#: So few phrases never say anything, however few there are in all.
CHANCE = 4
#: An intent is worth a line from so many phrases of difference on.
WORTH_TELLING = 3

LINK = "model.tar.gz"
_REFUSED = "refused-models.json"

#: Measures models, in the order given; None for one that cannot be read. Nothing where it cannot be done.
Measure = Callable[[Sequence[Path]], "list[Evaluation | None]"]
Say = Callable[[str], None]


class ModelChoice:
    """What a copy remembers of its models.

    Args:
        folder: its data folder.
    """

    def __init__(self, folder: Path) -> None:
        self.link = folder / LINK
        self._refused_file = folder / _REFUSED

    @property
    def in_use(self) -> Path | None:
        """The model that was chosen last, as long as its file is there."""
        return self.link.resolve() if self.link.exists() else None

    def use(self, model: Path) -> None:
        """Choose a model, in one step."""
        self.link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link.with_name(f".{LINK}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(model.resolve())
        fresh.replace(self.link)
        self._remember({name: why for name, why in self._refused().items() if name != model.name})

    def refuse(self, model: Path, reason: str) -> None:
        """Remember that a model is not to be used."""
        self._remember({**self._refused(), model.name: reason})

    def refusal_of(self, model: Path) -> str:
        """Why a model was refused; empty if it was not."""
        return self._refused().get(model.name, "")

    def _refused(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._refused_file.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}

    def _remember(self, refused: dict[str, str]) -> None:
        if refused == self._refused():
            return
        fresh = self._refused_file.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(msgspec.json.encode(refused))
        fresh.replace(self._refused_file)


def choose(
    candidate: Path, choice: ModelChoice, *, measure: Measure, say: Say, accept_worse: bool = False
) -> Path:
    """Decides which model is used from now on, and says why.

    Args:
        candidate: The model of the present files.
        choice: What this copy remembers.
        measure: See `Measure`.
        say: Receives lines for the operator.
        accept_worse: Use the candidate whatever it understands.

    Returns:
        The candidate, or the model that was in use.
    """
    former = choice.in_use
    if former is None or former == candidate.resolve():
        choice.use(candidate)
        return candidate
    refusal = "" if accept_worse else choice.refusal_of(candidate)
    if not refusal:
        refusal = _compare(former, candidate, measure, say)
    if not refusal or accept_worse:
        if refusal:
            say(f"the new model is used although it {refusal}")
        choice.use(candidate)
        return candidate
    choice.refuse(candidate, refusal)
    say(
        f"the new model {candidate.name} is not used: it {refusal}. {former.name} stays in use; "
        "`peyvand train --force` takes the new one all the same"
    )
    return former


def _compare(former: Path, candidate: Path, measure: Measure, say: Say) -> str:
    """Measures both; why the candidate is the worse one, or nothing."""
    measured = measure([former, candidate])
    if not measured:
        say("the new model is used without a comparison")
        return ""
    before, now = measured
    if now is None:
        return "cannot be read"
    if before is None:
        say(f"the former model cannot be read any more; the new one: {_figures(now)}")
        return ""
    say(f"before: {_figures(before)}")
    say(f"now:    {_figures(now)}")
    for line in changes(before, now):
        say(f"  {line}")
    if before.intents.right - now.intents.right > max(TOLERANCE * before.intents.of, CHANCE):
        return f"understands {now.accuracy:.1%} of the evaluation phrases instead of {before.accuracy:.1%}"
    return ""


def changes(before: Evaluation, now: Evaluation) -> Iterator[str]:
    """Intents that are understood notably better or worse, those that lost most first."""
    differences = {
        name: share.right - before.by_intent[name].right
        for name, share in now.by_intent.items()
        if name in before.by_intent
    }
    for name, difference in sorted(differences.items(), key=lambda item: item[1]):
        if abs(difference) >= WORTH_TELLING:
            right, of = now.by_intent[name].right, now.by_intent[name].of
            yield f"{name}: {right - difference} of {of} before, {right} now"


def _figures(one: Evaluation) -> str:
    topics = f", {one.topic_accuracy:.1%} of {one.topics.of} topics" if one.topics.of else ""
    return f"{one.accuracy:.1%} of {one.intents.of} evaluation phrases understood{topics}"
