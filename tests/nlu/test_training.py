"""Models by the fingerprint of what they come from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.nlu.choosing import ModelChoice
from bot.nlu.parse import load_understanding
from bot.nlu.training import MODELS_KEPT, TrainingFailed, current_model, fingerprint, model_of, train
from crm_store.learning.phrases import LearnedPhrases
from crm_store.settings import learned_path
from tests.nlu.conftest import TAUGHT

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


def test_what_was_learnt_from_use_changes_the_fingerprint_of_its_own_copy_alone(
    project: Path, copy: Path, tmp_path: Path
) -> None:
    learned = LearnedPhrases(learned_path(tmp_path / "var"))
    assert fingerprint(copy, tmp_path / "var") == fingerprint(copy)
    learned.put("greet", "چاکریم")
    assert fingerprint(copy, tmp_path / "var") != fingerprint(copy) == fingerprint(project)


def test_a_worse_model_is_refused_until_it_is_forced_and_the_former_one_is_never_forgotten(
    copy: Path, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Trained for real: thanks are taught as greetings, and what was measured falls."""
    data_dir = tmp_path / "var"
    evaluation = copy / "tests" / "nlu" / "evaluation.yml"
    evaluation.parent.mkdir(parents=True)
    thanks = ["خیلی ممنونم ازتون", "ممنون عزیز", "مرسی ازتون", "مرسی بابت راهنمایی", "ممنون بابت راهنمایی"]
    lines = "".join(f"- {text}\n" for text in [*thanks, "خیلی مرسی ازتون"])
    evaluation.write_text(f"thank:\n{lines}", encoding="utf-8")
    former = copy / "models" / model.name
    former.parent.mkdir()
    shutil.copy(model, former)
    assert train(root=copy, data_dir=data_dir) == former == current_model(copy, data_dir)

    nlu = copy / "data" / "nlu.yml"
    good = nlu.read_text(encoding="utf-8")
    nlu.write_text(
        good.replace("- intent: thank", "- intent: goodbye", 1).replace("    - ممنون\n", "    - تا بعدتر\n"),
        encoding="utf-8",
    )
    LearnedPhrases(learned_path(data_dir)).put("thank", "قربون محبتتون")
    worse = model_of(copy, data_dir)
    assert train(root=copy, data_dir=data_dir) == former == current_model(copy, data_dir)
    assert worse.exists()
    said = capfd.readouterr().err
    assert "before: 100.0% of 6 evaluation phrases understood" in said
    assert f"the new model {worse.name} is not used" in said
    for number in range(MODELS_KEPT):
        (copy / "models" / f"newer{number}.tar.gz").touch()
    assert train(force=True, root=copy, data_dir=data_dir) == worse == current_model(copy, data_dir)
    assert former.exists(), "it was in use until now"
    assert "thank is left out" in capfd.readouterr().err
    assert ModelChoice(data_dir).in_use == worse


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


def test_what_was_learnt_from_use_is_understood_and_what_cannot_be_taught_is_left_out(
    model: Path, taught_model: Path
) -> None:
    assert load_understanding(model).parse(TAUGHT)["intent"] != "greet"
    assert load_understanding(taught_model).parse(TAUGHT)["intent"] == "greet"
