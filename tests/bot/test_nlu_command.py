"""``peyvand nlu`` shows what was not understood and teaches what the operator says it means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli import main
from crm_store.db import Database
from crm_store.learning.models import ASKED, LearningSample
from crm_store.learning.phrases import read_examples
from crm_store.learning.service import keep
from crm_store.migrate import upgrade
from crm_store.settings import PROJECT_ROOT
from tests.factories import a_complaint, a_conversation, an_inbox_id

RANKING = [("complaint_status", 0.31), ("faq/delivery", 0.2), ("request_human", 0.15), ("greet", 0.1)]
HEARD = ("این بسته‌هه کجا مونده پس", "یکی رو وصل کنید ببینم", "این بسته‌هه كجا مونده پس؟")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy's data folder."""
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Database]:
    """Three messages that were not understood, two of them in the same words."""
    database = Database(f"sqlite:///{folder / 'peyvand.db'}")
    upgrade(database)
    hear(database, *HEARD)
    yield database
    database.dispose()


def hear(database: Database, *texts: str) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        a_complaint(session, chat)
        for text in texts:
            keep(
                session,
                conversation_id=chat.id,
                inbox_id=an_inbox_id(session, chat),
                text=text,
                ranking=RANKING,
                reason=ASKED,
                by_default=True,
            )


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["nlu", *arguments], input=typed)


def learned(folder: Path) -> dict[str, list[str]]:
    file = folder / "learned" / "nlu.yml"
    return {label: texts for label, texts in read_examples(file).items() if texts} if file.exists() else {}


def states(database: Database) -> list[str]:
    with database.read() as session:
        return [one.state for one in session.query(LearningSample).order_by(LearningSample.id)]


def test_the_list_shows_each_phrase_once_with_its_count_and_likely_meanings(store: Database) -> None:
    shown = run("review", "--list")
    assert shown.exit_code == 0
    assert "complaint_status  31%" in shown.output
    assert "greet" not in shown.output, "three are enough"
    rows = [json.loads(line) for line in run("review", "--list", "--json").output.splitlines()]
    assert [(row["text"], row["count"]) for row in rows] == [(HEARD[0], 2), (HEARD[1], 1)]
    assert (rows[0]["id"], rows[0]["understood_as"], rows[0]["reasons"]) == (1, "complaint_status", [ASKED])


def test_where_nothing_waits_it_says_so(folder: Path) -> None:
    assert run("review").output == "nothing waits for a decision\n"
    assert run("review", "--list", "--json").output == ""


def test_a_number_or_a_name_teaches_and_d_discards(store: Database, folder: Path) -> None:
    result = run("review", typed="2\nd\n")
    assert result.exit_code == 0
    assert "1/2" in result.output
    assert "taught: 1; `peyvand train` learns from it" in result.output
    assert learned(folder) == {"faq/delivery": [HEARD[0]]}
    assert states(store) == ["accepted", "discarded", "accepted"]
    hear(store, "خسته شدم از این وضع")
    run("review", typed="complaint_file\n")
    assert learned(folder)["complaint_file"] == ["خسته شدم از این وضع"]


@pytest.mark.parametrize("typed", ["q\n", "s\ns\n", ""])
def test_skipping_and_leaving_decide_nothing(store: Database, folder: Path, typed: str) -> None:
    result = run("review", typed=typed)
    assert result.exit_code == 0
    assert set(states(store)) == {"open"}
    assert learned(folder) == {}


def test_what_cannot_be_taught_is_refused_with_near_names_and_asked_again(store: Database) -> None:
    result = run("review", typed="complain_status\nfaq\nchoose_category\n9\nq\n")
    assert "complain_status is no intent; near it: complaint_status" in result.output
    assert "faq needs a topic: faq/address, faq/contact" in result.output
    assert "choose_category is made by buttons only" in result.output
    assert "9 is no intent" in result.output
    assert set(states(store)) == {"open"}


def test_messages_are_decided_about_by_their_numbers_too(store: Database, folder: Path) -> None:
    assert run("accept", "3", "--intent", "complaint_status").output == "3: complaint_status, 2 messages\n"
    assert run("discard", "2").exit_code == 0
    assert states(store) == ["accepted", "discarded", "accepted"]
    assert learned(folder) == {"complaint_status": [HEARD[2]]}
    assert run("discard", "1").exit_code == 0
    assert learned(folder) == {}
    for refused in (
        ["accept", "1", "--intent", "faq"],
        ["discard", "77"],
        ["accept", "77", "--intent", "greet"],
    ):
        assert run(*refused).exit_code == 2


def test_a_phrase_that_understanding_is_measured_with_is_never_taught(store: Database, folder: Path) -> None:
    evaluation = yaml.safe_load((PROJECT_ROOT / "tests/nlu/evaluation.yml").read_text(encoding="utf-8"))
    hear(store, f"{evaluation['complaint_status'][0]}!!")
    result = run("accept", "4", "--intent", "complaint_status")
    assert result.exit_code == 2
    assert "is one of the phrases that understanding is measured with" in result.output
    assert learned(folder) == {}
    assert states(store)[3] == "open"


def test_a_customer_who_objects_is_excluded(store: Database, folder: Path) -> None:
    run("accept", "1", "--intent", "complaint_status")
    with store.read() as session:
        from crm_store.complaints.models import Complaint

        code = session.query(Complaint).one().code
    assert "let go of: 3 messages" in run("exclude", "--complaint", code).output
    assert states(store) == []
    assert learned(folder) == {}
    for refused in ([], ["--complaint", "1"], ["--complaint", code, "--callback", "1"]):
        assert run("exclude", *refused).exit_code == 2
