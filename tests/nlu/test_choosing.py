"""A new model is used if it understands as much as the one before, and refused if it does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.nlu.choosing import ModelChoice, choose
from bot.nlu.evaluation import Evaluation, Share

pytestmark = pytest.mark.rasa


def understood(greet: int, thank: int = 100) -> Evaluation:
    """An evaluation by how many of a hundred phrases of each intent were understood."""
    by_intent = {"greet": Share(greet, 100), "thank": Share(thank, 100)}
    return Evaluation(Share(greet + thank, 200), Share(0, 0), 0.02, by_intent, [], [])


class Copy:
    """A copy's data folder with two models, and what the operator was told."""

    def __init__(self, folder: Path) -> None:
        self.former, self.new = folder / "former.tar.gz", folder / "new.tar.gz"
        for model in (self.former, self.new):
            model.write_bytes(b"model")
        self.choice = ModelChoice(folder / "var")
        self.said: list[str] = []
        self.measured: list[list[Path]] = []
        self.results: list[Evaluation | None] = []

    def measure(self, models: Sequence[Path]) -> list[Evaluation | None]:
        self.measured.append(list(models))
        return self.results

    def choose(self, model: Path, *results: Evaluation | None, accept_worse: bool = False) -> Path:
        self.results = list(results)
        self.said.clear()
        return choose(
            model, self.choice, measure=self.measure, say=self.said.append, accept_worse=accept_worse
        )


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_the_first_model_is_used_without_a_comparison(copy: Copy) -> None:
    assert copy.choose(copy.new) == copy.new
    assert copy.choice.in_use == copy.new
    assert copy.choose(copy.new) == copy.new
    assert copy.measured == []


def test_a_better_one_takes_its_place_and_the_difference_is_told(copy: Copy) -> None:
    copy.choose(copy.former)
    assert copy.choose(copy.new, understood(80), understood(95)) == copy.new
    assert copy.choice.in_use == copy.new
    assert copy.measured == [[copy.former, copy.new]]
    assert copy.said == [
        "before: 90.0% of 200 evaluation phrases understood",
        "now:    97.5% of 200 evaluation phrases understood",
        "  greet: 80 of 100 before, 95 now",
    ]


def test_a_difference_that_chance_makes_is_none(copy: Copy) -> None:
    copy.choose(copy.former)
    assert copy.choose(copy.new, understood(100), understood(96)) == copy.new


def test_a_worse_one_is_refused_and_remembered(copy: Copy) -> None:
    copy.choose(copy.former)
    for results in ((understood(95), understood(80)), ()):
        assert copy.choose(copy.new, *results) == copy.former
        assert "understands 90.0% of the evaluation phrases instead of 97.5%" in copy.said[-1]
        assert "former.tar.gz stays in use" in copy.said[-1]
        assert "--force" in copy.said[-1]
    assert len(copy.measured) == 1, "it is refused again without measuring"
    assert copy.choice.in_use == copy.former


def test_a_worse_one_is_used_where_the_operator_insists_and_then_for_good(copy: Copy) -> None:
    copy.choose(copy.former)
    copy.choose(copy.new, understood(95), understood(80))
    assert copy.choose(copy.new, understood(95), understood(80), accept_worse=True) == copy.new
    assert "although" in copy.said[-1]
    assert copy.choose(copy.new) == copy.new
    assert copy.choice.refusal_of(copy.new) == ""


def test_a_refused_one_is_used_when_the_former_one_is_gone(copy: Copy) -> None:
    copy.choose(copy.former)
    copy.choose(copy.new, understood(95), understood(80))
    copy.former.unlink()
    assert copy.choose(copy.new) == copy.new


def test_a_former_one_that_cannot_be_read_any_more_is_no_reason_to_refuse(copy: Copy) -> None:
    copy.choose(copy.former)
    assert copy.choose(copy.new, None, understood(80)) == copy.new


def test_a_new_one_that_cannot_be_read_is_refused(copy: Copy) -> None:
    copy.choose(copy.former)
    assert copy.choose(copy.new, understood(80), None) == copy.former


def test_where_nothing_can_be_measured_the_new_one_is_used_and_that_is_said(copy: Copy) -> None:
    copy.choose(copy.former)
    assert copy.choose(copy.new) == copy.new
    assert copy.said == ["the new model is used without a comparison"]
