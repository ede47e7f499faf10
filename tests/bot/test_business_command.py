"""``peyvand business check`` tells the owner what is wrong with the file, and where."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from crm_store.business import EXAMPLE


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The owner's file, as a new copy of Peyvand has it."""
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    path = tmp_path / "business.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def add(file: Path, texts: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + texts, encoding="utf-8")


def check() -> Result:
    return CliRunner().invoke(main, ["business", "check"])


def test_the_file_that_is_shipped_is_in_order_and_its_gaps_are_named(file: Path) -> None:
    result = check()
    assert result.exit_code == 0
    assert f"{file} is in order" in result.output
    assert "no answer yet in [faq]: hours, address, contact" in result.output


def test_texts_that_can_be_said_are_in_order(file: Path) -> None:
    add(file, 'utter_greet = ["سلام، <b>{business}</b> هستم."]\nutter_complaint_filed = "ثبت شد: {code}"\n')
    assert check().exit_code == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('utter_great = "سلام"', "[texts] utter_great: there is no such response"),
        ('utter_complaint_filed = "ثبت شد"', "[texts] utter_complaint_filed: {code} is missing"),
        ('utter_greet = ["سلام", "سلام {name}"]', "[texts] utter_greet, text 2: {name} is not known here"),
        ('utter_greet = "سلام }"', "[texts] utter_greet: a brace stands alone"),
        ('utter_greet = "<a href=x>سلام</a>"', "[texts] utter_greet: <a href=x>, </a> is shown as it is"),
    ],
)
def test_a_text_that_cannot_be_said_is_named_with_the_reason(file: Path, text: str, complaint: str) -> None:
    add(file, text + "\n")
    result = check()
    assert result.exit_code == 1
    assert complaint in result.output
    assert "in order" not in result.output


def test_answers_are_looked_at_as_well(file: Path) -> None:
    content = file.read_text(encoding="utf-8")
    file.write_text(content.replace('hours = ""', 'hours = "<u>ساعت {open}</u>"'), encoding="utf-8")
    result = check()
    assert "[faq] hours: {open} is not known here; only {business} is filled in" in result.output
    assert "[faq] hours: <u>, </u> is shown as it is written" in result.output


def test_a_broken_file_is_told_with_its_place(file: Path) -> None:
    add(file, "[texts\n")
    result = check()
    assert result.exit_code == 2
    assert "business.toml is not valid TOML" in result.output
