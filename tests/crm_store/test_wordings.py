"""The owner's texts stand in place of ours, and cannot break a message."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from crm_store.business import BusinessFile
from crm_store.wordings import Wording, Wordings, foreign_tags, text_problems
from tests.crm_store.test_business import SMALL, save

OWN: dict[str, list[Wording]] = {
    "utter_greet": [
        {"text": "سلام", "buttons": [{"title": "راهنما", "payload": "/help"}]},
        {"text": "درود", "buttons": []},
    ],
    "utter_filed": [{"text": "ثبت شد: {code}"}],
}


def wordings(tmp_path: Path, texts: str) -> Wordings:
    return Wordings(OWN, BusinessFile(save(tmp_path / "business.toml", f"{SMALL}[texts]\n{texts}")))


def said(found: Wordings, name: str) -> list[str]:
    return [wording["text"] for wording in found.current()[name]]


def test_without_texts_of_the_owner_ours_are_said(tmp_path: Path) -> None:
    assert wordings(tmp_path, "").current() == OWN


def test_the_owners_texts_replace_all_of_ours_and_keep_the_first_ones_buttons(tmp_path: Path) -> None:
    found = wordings(tmp_path, 'utter_greet = ["سلام از {business}", "خوش آمدید"]')
    assert said(found, "utter_greet") == ["سلام از {business}", "خوش آمدید"]
    assert [wording["buttons"] for wording in found.current()["utter_greet"]] == [
        OWN["utter_greet"][0]["buttons"]
    ] * 2
    assert said(found, "utter_filed") == ["ثبت شد: {code}"]


def test_texts_change_with_the_file(tmp_path: Path) -> None:
    found = wordings(tmp_path, 'utter_greet = "سلام گلم"')
    assert said(found, "utter_greet") == ["سلام گلم"]
    save(tmp_path / "business.toml", SMALL)
    assert said(found, "utter_greet") == ["سلام", "درود"]


def test_a_text_that_cannot_be_said_gives_way_to_ours_and_is_logged_once(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logged:
        found = wordings(tmp_path, 'utter_filed = "ثبت شد"\nutter_unknown = "x"')
        for _ in range(3):
            assert said(found, "utter_filed") == ["ثبت شد: {code}"]
    assert [line["event"] for line in logged] == ["business_text_not_said", "business_text_unknown"]
    assert logged[0]["reason"] == "{code} is missing"


def test_of_several_texts_the_good_ones_are_said(tmp_path: Path) -> None:
    found = wordings(tmp_path, 'utter_filed = ["کد شما {code}", "ثبت شد {date}"]')
    assert said(found, "utter_filed") == ["کد شما {code}"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("{code}", []),
        ("{business}: {code}", []),
        ("ثبت شد", ["{code} is missing"]),
        ("{code} {date}", ["{date} is not known here"]),
        ("{code} {", ["a brace stands alone"]),
        ("{{code}} {code}", ["a brace stands alone"]),
        ("{code} {Date}", ["a brace stands alone"]),
    ],
)
def test_a_text_needs_the_placeholders_of_the_original(text: str, problems: list[str]) -> None:
    assert text_problems(text, "ثبت شد: {code}") == problems


def test_only_three_tags_are_ours() -> None:
    assert foreign_tags("<b>a</b> <i>b</i> <code>c</code> 1<2 >") == []
    assert foreign_tags('<a href="x">a</a> <script>') == ['<a href="x">', "</a>", "<script>"]


def test_the_name_is_rich_text(tmp_path: Path) -> None:
    path = save(tmp_path / "business.toml", SMALL.replace("نیلوفر", "<b>و & یاس"))
    assert Wordings(OWN, BusinessFile(path)).business_name == "\u2068گل‌فروشی &lt;b&gt;و &amp; یاس\u2069"
