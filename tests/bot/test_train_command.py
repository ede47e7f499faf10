"""``peyvand train`` prints the model to use, and says by its exit code when that is the former one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import REFUSED, main
from bot.nlu.choosing import ModelChoice
from bot.up import lasting_path
from crm_store.settings import Settings


@pytest.mark.parametrize(
    ("code", "exit_code", "is_told"), [(0, 0, True), (REFUSED, REFUSED, False), (1, 2, False)]
)
def test_only_a_new_model_is_told_to_a_running_copy(
    monkeypatch: pytest.MonkeyPatch, code: int, exit_code: int, is_told: bool
) -> None:
    told: list[str] = []

    def training(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[-2:] == ["bot.nlu.training", "--force"]
        return subprocess.CompletedProcess(command, code, stdout="/models/ab.tar.gz\n" if code != 1 else "")

    def tell(_settings: Settings, model: Path) -> str:
        told.append(model.name)
        return "told"

    monkeypatch.setattr("bot.cli.subprocess.run", training)
    monkeypatch.setattr("bot.renewing.tell_running_copy", tell)
    result = CliRunner().invoke(main, ["train", "--force"])
    assert result.exit_code == exit_code
    assert ("/models/ab.tar.gz" in result.output) is (code != 1)
    assert told == (["ab.tar.gz"] if is_told else [])


def test_a_role_that_is_started_again_takes_the_newest_model(tmp_path: Path) -> None:
    settings, choice = Settings(data_dir=str(tmp_path)), ModelChoice(tmp_path)
    older, newer = tmp_path / "older.tar.gz", tmp_path / "newer.tar.gz"
    for model in (older, newer):
        model.touch()
    assert lasting_path(older, settings) == older, "nothing was chosen in this copy"
    choice.use(older)
    handed_over = lasting_path(older, settings)
    choice.use(newer)
    assert handed_over.resolve() == newer
