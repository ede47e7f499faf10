from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from bot.cli import main
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.surveys import quiet
from crm_store.surveys.answering import Reading, answer
from crm_store.surveys.asking import look_at
from crm_store.surveys.models import SurveyFollowUp, SurveyInvitation
from tests.factories import RULES, a_conversation
from tests.factories.stores import sqlite_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    with sqlite_store(tmp_path / "peyvand.db") as database:
        yield database


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, ["surveys", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def phones(store: Database) -> list[str]:
    """Numbers of three customers, the last of whom shares one with a fourth."""
    numbers = ["09121234567", "۰۹۳۵۱۲۳۴۵۶۷", "09361112233", "09361112233"]
    with store.write() as session:
        for number in numbers:
            add_phone(session, customer_id=customer_of(a_conversation(session)), phone=number)
    return numbers


def test_surveys_are_listed(store: Database) -> None:
    shown = run("list").output
    assert "after_purchase" in shown
    assert "nps" in shown
    assert "whoever speaks up" in shown


def test_a_survey_is_sent_to_numbers_and_files(store: Database, phones: list[str], tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        f"phone;name\n{phones[1]};Sara\n\n# a remark\n{phones[2]}\n09120000000\n", encoding="utf-8"
    )
    result = run("send", "open", phones[0], str(file))
    assert "2 planned" in result.output
    assert "2 left out: not known" in result.output
    assert "1 left out: no phone number" in result.output
    with store.read() as session:
        assert len(session.scalars(select(SurveyInvitation)).all()) == 2
        assert session.scalars(select(AuditEntry.action)).all() == ["survey.sent"]
    assert run("send", "unknown", phones[0]).exit_code == 2


def test_results_and_follow_ups_are_shown_and_done(store: Database, phones: list[str]) -> None:
    run("send", "open", phones[0])
    with store.write() as session:
        invitation = session.scalars(select(SurveyInvitation)).one()
        now = quiet.allowed_from(utcnow(), rules=RULES)
        invitation.due_at = now
        session.flush()
        assert look_at(session, invitation_id=invitation.id, rules=RULES, now=now) == "asked"
        answer(
            session,
            invitation=invitation,
            question="satisfaction",
            reading=Reading(value=1, text="دیر بود"),
            inbox_id=1,
            rules=RULES,
            now=now,
        )
        follow_up = session.scalars(select(SurveyFollowUp)).one()
    shown = run("results", "open", "--by", "month").output
    assert "1 asked, 100% of them answered" in shown
    assert "CSAT 0%" in shown
    assert "0 asked" in run("results", "open", "--until", "1400/01/01").output
    assert "دیر بود" in run("follow-ups").output
    assert run("follow-ups", "--done", str(follow_up.id)).exit_code == 2
    assert "is done" in run("follow-ups", "--done", str(follow_up.id), "--note", "تماس گرفتیم").output
    assert "nobody waits" in run("follow-ups").output
