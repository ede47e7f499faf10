"""What the owner saves at the console is said by every role within seconds, and after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from bot.gateway.render import Responses
from crm_store.audit import AuditEntry
from crm_store.business import EXAMPLE, BusinessFile, Faq
from crm_store.db import Database
from crm_store.errors import Conflict, InvalidInput
from crm_store.texts.models import FAQ, RESPONSE
from crm_store.texts.service import (
    LOOK_SECONDS,
    EditedTexts,
    TextRefused,
    current_texts,
    faq_in_force,
    history,
    newest_id,
    save,
)
from crm_store.wording_faults import faults_of, placeholders
from crm_store.wordings import Wording, Wordings
from tests.crm_store.test_business import SMALL
from tests.crm_store.test_business import save as write

ACTOR = "staff:1"
OWN: dict[str, list[Wording]] = {
    "utter_greet": [{"text": "سلام", "buttons": [{"title": "راهنما", "payload": "/help"}]}, {"text": "درود"}],
    "utter_filed": [{"text": "ثبت شد: {code}"}],
}


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def put(database: Database, key: str, text: str, *, kind: str = RESPONSE, original: str = "") -> int:
    """Save a text; returns the version's number."""
    with database.write() as session:
        return save(session, kind=kind, key=key, text=text, actor=ACTOR, original=original).id


def test_the_newest_version_is_in_force_and_an_empty_one_gives_the_word_back(database: Database) -> None:
    put(database, "hours", "۹ تا ۱۷", kind=FAQ)
    put(database, "hours", "۸ تا ۱۶", kind=FAQ)
    put(database, "utter_greet", "سلام گلم", original="سلام")
    with database.read() as session:
        assert current_texts(session).faq == {"hours": "۸ تا ۱۶"}
        assert current_texts(session).responses == {"utter_greet": "سلام گلم"}
        assert [one.text for one in history(session, kind=FAQ, key="hours")] == ["۸ تا ۱۶", "۹ تا ۱۷"]
    put(database, "hours", "  ", kind=FAQ)
    with database.read() as session:
        assert current_texts(session).faq == {}
        assert len(history(session, kind=FAQ, key="hours")) == 3


def test_the_same_text_again_makes_no_version_and_a_change_is_in_the_trail(database: Database) -> None:
    first = put(database, "hours", "۹ تا ۱۷\r\nجمعه‌ها تعطیل ", kind=FAQ)
    assert put(database, "hours", "۹ تا ۱۷\nجمعه‌ها تعطیل", kind=FAQ) == first
    with database.read() as session:
        entries = session.query(AuditEntry).filter_by(action="text.saved").all()
    assert [(one.actor, one.target_id, one.detail["version"]) for one in entries] == [
        (ACTOR, "faq:hours", first)
    ]


def test_who_saw_an_older_version_overwrites_nothing(database: Database) -> None:
    first = put(database, "hours", "۹ تا ۱۷", kind=FAQ)
    about: dict[str, Any] = {"kind": FAQ, "key": "hours", "actor": ACTOR}
    with database.write() as session:
        save(session, **about, text="۸ تا ۱۶", based_on=first)
    for seen in (first, 0):
        with pytest.raises(Conflict), database.write() as session:
            save(session, **about, text="همیشه", based_on=seen)
    with database.read() as session:
        assert current_texts(session).faq["hours"] == "۸ تا ۱۶"
        assert newest_id(session, kind=FAQ, key="hours") > first
        assert newest_id(session, kind=FAQ, key="address") == 0


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("ثبت شد", ["{code} is missing"]),
        ("ثبت شد {code} {name}", ["{name} is not known here"]),
        ("ثبت شد {code} {", ["a brace stands alone"]),
        ("<a href=x>{code}</a>", ["<a href=x> is no tag of a message", "</a> is no tag of a message"]),
        ("<b>{code}", ["a tag is not closed"]),
        ("<b><i>{code}</b></i>", ["a tag is not closed"]),
        ("{business}: <b>{code}</b> <i>۵ < ۶</i>", []),
    ],
)
def test_what_cannot_be_said_is_refused_with_all_that_is_wrong(
    database: Database, text: str, faults: list[str]
) -> None:
    assert faults_of(text, "ثبت شد: {code}").lines() == faults
    if faults:
        with pytest.raises(TextRefused) as refused:
            put(database, "utter_filed", text, original="ثبت شد: {code}")
        assert refused.value.faults.lines() == faults
    else:
        put(database, "utter_filed", text, original="ثبت شد: {code}")


def test_braces_are_text_in_an_answer_and_a_long_one_is_refused(database: Database) -> None:
    put(database, "hours", "{هر روز} از {business}", kind=FAQ)
    with pytest.raises(TextRefused) as refused:
        put(database, "hours", "ا" * 4001, kind=FAQ)
    assert refused.value.is_too_long
    for kind, key in ((FAQ, "weather"), ("poem", "hours")):
        with pytest.raises(InvalidInput):
            put(database, key, "x", kind=kind)


def test_placeholders_are_told_in_order_without_the_businesss_name() -> None:
    assert placeholders("{code} {business} {name} {code}") == ["code", "name"]


def test_an_answer_of_the_console_stands_in_place_of_the_files(database: Database) -> None:
    put(database, "hours", "۸ تا ۱۶", kind=FAQ)
    with database.read() as session:
        faq = faq_in_force(session, Faq(hours="۹ تا ۱۷", address="ونک"))
    assert (faq.answer("hours"), faq.answer("address")) == ("۸ تا ۱۶", "ونک")
    assert "hours" in faq.answered


def test_a_role_hears_of_a_text_within_seconds_and_looks_no_more_often(sqlite_database: Database) -> None:
    clock = Clock()
    texts = EditedTexts(sqlite_database, clock=clock)
    before = texts.current()
    put(sqlite_database, "utter_greet", "سلام گلم", original="سلام")
    assert texts.current() is before
    clock.now += LOOK_SECONDS
    after = texts.current()
    assert after.responses == {"utter_greet": "سلام گلم"}
    clock.now += LOOK_SECONDS
    assert texts.current() is after
    assert EditedTexts(sqlite_database).current().responses == after.responses


def test_while_the_store_cannot_be_read_the_last_texts_go_on(sqlite_database: Database) -> None:
    clock = Clock()
    put(sqlite_database, "utter_greet", "سلام گلم", original="سلام")
    texts = EditedTexts(sqlite_database, clock=clock)
    assert texts.current().responses == {"utter_greet": "سلام گلم"}
    with sqlite_database.write() as session:
        session.execute(sql("ALTER TABLE text_versions RENAME TO away"))
    clock.now += LOOK_SECONDS
    assert texts.current().responses == {"utter_greet": "سلام گلم"}
    assert EditedTexts(sqlite_database, clock=clock).current().responses == {}


def test_the_consoles_wording_goes_before_the_files_and_keeps_the_buttons(
    sqlite_database: Database, tmp_path: Path
) -> None:
    clock = Clock()
    file = BusinessFile(write(tmp_path / "business.toml", f'{SMALL}[texts]\nutter_greet = "سلام از فایل"'))
    wordings = Wordings(OWN, file, EditedTexts(sqlite_database, clock=clock))
    assert [one["text"] for one in wordings.current()["utter_greet"]] == ["سلام از فایل"]
    put(sqlite_database, "utter_greet", "سلام از میز کار", original="سلام")
    clock.now += LOOK_SECONDS
    (said,) = wordings.current()["utter_greet"]
    assert said == {**OWN["utter_greet"][0], "text": "سلام از میز کار"}
    assert wordings.current() is wordings.current()
    put(sqlite_database, "utter_greet", "", original="سلام")
    clock.now += LOOK_SECONDS
    assert [one["text"] for one in wordings.current()["utter_greet"]] == ["سلام از فایل"]


def test_a_text_that_no_longer_fits_its_response_gives_way_to_peyvands_own(
    sqlite_database: Database, tmp_path: Path
) -> None:
    put(sqlite_database, "utter_filed", "ثبت شد {number}", original="{number}")
    wordings = Wordings(OWN, BusinessFile(tmp_path / "none.toml"), EditedTexts(sqlite_database))
    assert wordings.current()["utter_filed"] == OWN["utter_filed"]


def test_the_gateway_says_what_was_saved(sqlite_database: Database, tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "responses.yml"
    path.write_text("responses:\n  utter_filed:\n  - text: 'ثبت شد: {code}'\n", encoding="utf-8")
    texts = EditedTexts(sqlite_database, clock=clock)
    responses = Responses.load([path], BusinessFile(EXAMPLE), texts)
    assert "ثبت شد" in responses.render("utter_filed", {"code": "۱۲"}, turn=0).text
    put(sqlite_database, "utter_filed", "کد شما {code} است", original="{code}")
    clock.now += LOOK_SECONDS
    assert responses.render("utter_filed", {"code": "۱۲"}, turn=1).text == "کد شما \u2068۱۲\u2069 است"
