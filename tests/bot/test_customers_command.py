from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bot.cli import main
from crm_store.complaints.models import Complaint
from crm_store.customers.linking import link_by_proof
from crm_store.customers.models import ContactPoint
from crm_store.customers.service import add_phone
from crm_store.db import Database
from tests.factories import a_complaint, a_conversation
from tests.factories.stores import sqlite_store

PHONE = "+989121234567"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    with sqlite_store(tmp_path / "peyvand.db") as database:
        yield database


def test_a_disputed_number_is_listed_and_settled_once(store: Database) -> None:
    with store.write() as session:
        for chat in ("1", "2"):
            identity = a_conversation(session, chat_id=chat).identity_id
            link_by_proof(session, identity_id=identity or 0, phone=PHONE)
    run = CliRunner().invoke
    assert PHONE in run(main, ["customers", "conflicts"]).output
    assert run(main, ["customers", "settle", "1"]).exit_code == 2
    assert "joined" in run(main, ["customers", "settle", "1", "--join"]).output
    assert "no number is disputed" in run(main, ["customers", "conflicts"]).output
    refused = run(main, ["customers", "settle", "1", "--move"])
    assert (refused.exit_code, "settled already" in refused.output) == (2, True)


def test_the_number_in_a_complaint_is_confirmed_by_its_code(store: Database) -> None:
    with store.write() as session:
        conversation = a_conversation(session, channel="web")
        complaint = a_complaint(session, conversation)
        point = add_phone(session, customer_id=complaint.customer_id, phone=PHONE)
        complaint.contact_point_id = point.id
        code = complaint.code
    confirmed = CliRunner().invoke(main, ["customers", "confirm-phone", "--complaint", code])
    assert (confirmed.exit_code, confirmed.output) == (0, "confirmed\n")
    with store.read() as session:
        assert session.scalars(select(ContactPoint)).one().proven_at is not None


def test_a_case_without_a_number_is_refused(store: Database) -> None:
    with store.write() as session:
        a_complaint(session, a_conversation(session))
        code = session.scalars(select(Complaint.code)).one()
    for asked in (["--complaint", code], ["--complaint", "1"], ["--callback", "7"], []):
        assert CliRunner().invoke(main, ["customers", "confirm-phone", *asked]).exit_code == 2
