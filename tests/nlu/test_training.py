"""Models by the fingerprint of what they come from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.nlu.training import MODELS_KEPT, TrainingFailed, current_model, fingerprint, train

pytestmark = pytest.mark.rasa


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """The small project without its models."""
    root = tmp_path / "copy"
    shutil.copytree(project, root, ignore=shutil.ignore_patterns("models"))
    return root


def test_a_trained_model_is_found_again(project: Path, model: Path) -> None:
    modified = model.stat().st_mtime_ns
    assert train(root=project) == model == current_model(project)
    assert model.stat().st_mtime_ns == modified


def test_there_is_no_model_before_training(copy: Path) -> None:
    assert current_model(copy) is None


@pytest.mark.parametrize("changed", ["config.yml", "domain.yml", "data/nlu.yml", "data/new/rules.yml"])
def test_any_change_of_what_a_model_comes_from_changes_the_fingerprint(copy: Path, changed: str) -> None:
    before = fingerprint(copy)
    file = copy / changed
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as end:
        end.write("\n# changed\n")
    assert fingerprint(copy) != before


def test_the_same_files_elsewhere_have_the_same_fingerprint(project: Path, copy: Path) -> None:
    assert fingerprint(copy) == fingerprint(project)


def test_wrong_files_say_what_is_wrong_and_leave_no_model(
    copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (copy / "domain.yml").write_text('version: "3.1"\nintents: {', encoding="utf-8")
    with pytest.raises(TrainingFailed, match=r"domain\.yml"):
        train(root=copy)
    assert current_model(copy) is None
    assert list((copy / "models").iterdir()) == []


def test_training_shows_its_steps_and_forgets_old_models(
    copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    models = copy / "models"
    models.mkdir()
    for number in range(MODELS_KEPT + 2):
        (models / f"old{number}.tar.gz").touch()
    trained = train(root=copy)
    assert trained.exists()
    assert len(list(models.iterdir())) == MODELS_KEPT
    assert "PersianIntentClassifier" in capfd.readouterr().err
