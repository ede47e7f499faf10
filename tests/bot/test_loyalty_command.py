"""What the operator does with points at the terminal."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from bot.cli import main
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.business import Loyalty
from crm_store.customers.models import ContactPoint, Customer
from crm_store.db import Database
from crm_store.loyalty import ledger
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.earning import earn_for_purchase
from crm_store.loyalty.models import LedgerPosting
from crm_store.loyalty.tiers import tier_points
from crm_store.persian.jalali_days import add_months, jalali
from crm_store.settings import PROJECT_ROOT
from tests.factories.club import club
from tests.factories.purchases import a_purchase

SWITCHED_OFF = "tomans_per_point = 0 "
PHONE = "۰۹۱۲ ۱۲۳ ۴۵۶۷"


@pytest.fixture(autouse=True)
def _store(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PEYVAND_DATABASE_URL", f"sqlite:///{sqlite_database.engine.url.database}")
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("PEYVAND_BUSINESS_FILE", str(a_business_file(tmp_path, "business.toml", 10_000)))


def a_business_file(folder: Path, name: str, tomans_per_point: int) -> Path:
    shipped = (PROJECT_ROOT / "business.example.toml").read_text(encoding="utf-8")
    own = shipped.replace(SWITCHED_OFF, f"tomans_per_point = {tomans_per_point} ", 1)
    assert own != shipped
    (folder / name).write_text(own, encoding="utf-8")
    return folder / name


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["loyalty", *arguments])


def a_customer(database: Database) -> int:
    with database.write() as session:
        customer = Customer(contact_points=[ContactPoint(value="+989121234567")])
        session.add(customer)
        session.flush()
        return customer.id


def test_other_rules_are_tried_on_the_purchases_of_a_month(sqlite_database: Database, tmp_path: Path) -> None:
    who, now = a_customer(sqlite_database), utcnow().astimezone(ZoneInfo("Asia/Tehran"))
    last_month = now - (now.date() - add_months(now.date(), -1))
    with sqlite_database.write() as session:
        for paid_at in (last_month, last_month, last_month - timedelta(days=70)):
            purchase = a_purchase(session, customer_id=who, paid_at=paid_at, tomans=995_000)
            earn_for_purchase(session, purchase=purchase, rules=club(), now=now)
        before = session.scalars(select(LedgerPosting.id)).all()
    other = a_business_file(tmp_path, "other.toml", 5_000)
    result = run("dry-run", "--rules", str(other))
    assert result.exit_code == 0, result.output
    year, month, _day = jalali(last_month.date())
    assert result.output.splitlines() == [
        f"{year}/{month:02}: 2 purchases of 1 customers",
        "given: 198 points",
        "with other.toml: 398 points (+200)",
    ]
    same = run("dry-run", "--rules", str(other), "--month", f"{year}/{month:02}")
    assert same.output == result.output
    assert "0 purchases" in run("dry-run", "--rules", str(other), "--month", "۱۳۹۵/۱۲").output
    assert run("dry-run", "--rules", str(other), "--month", "1405/13").exit_code == 2
    with sqlite_database.read() as session:
        assert session.scalars(select(LedgerPosting.id)).all() == before, "nothing was booked"


def test_points_are_corrected_by_hand_with_a_reason_and_shown(sqlite_database: Database) -> None:
    who = a_customer(sqlite_database)
    assert run("adjust", PHONE, "100").exit_code == 2, "without a reason"
    given = run("adjust", PHONE, "100", "--reason", "opening gift")
    assert re.fullmatch(r"posting \d+: \+100 points\n", given.output)
    assert run("adjust", PHONE, "--reason", "a mistake", "--", "-30").exit_code == 0
    assert run("adjust", PHONE, "--reason", "a mistake", "--", "-71").exit_code == 2, "below zero"
    shown = run("statement", PHONE).output
    assert f"customer {who}: 70 points, 0 owed" in shown
    assert re.search(r"adjust.*-30.*operator", shown)
    with sqlite_database.read() as session:
        assert balance_of(session, customer_id=who, soon=timedelta(0)).points == 70
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "loyalty.adjust")).all()
        assert [entry.detail["reason"] for entry in entries] == ["opening gift", "a mistake"]


def test_numbers_that_nobody_or_two_customers_have_are_refused(sqlite_database: Database) -> None:
    assert run("statement", PHONE).exit_code == 2
    assert run("statement", "a friend").exit_code == 2
    a_customer(sqlite_database)
    a_customer(sqlite_database)
    assert run("adjust", PHONE, "5", "--reason", "x").exit_code == 2
    assert run("statement", PHONE).output.count("0 points, 0 owed") == 2


def test_the_proof_of_the_ledger_is_shown(sqlite_database: Database) -> None:
    a_customer(sqlite_database)
    run("adjust", PHONE, "100", "--reason", "opening gift")
    result = run("proof")
    assert (result.exit_code, "1 postings, 100 points, 0 owed, 0 faults" in result.output) == (0, True)


def test_the_club_is_off_in_the_file_that_comes_along() -> None:
    assert not Loyalty().is_on
    assert SWITCHED_OFF in (PROJECT_ROOT / "business.example.toml").read_text(encoding="utf-8")


def test_a_posting_is_undone_once_and_its_reason_is_audited(sqlite_database: Database) -> None:
    customer = a_customer(sqlite_database)
    given = run("adjust", PHONE, "70", "--reason", "a gift")
    number = given.output.split()[1].rstrip(":")
    assert run("reverse", number).exit_code == 2, "without a reason"
    for _ in range(2):
        assert "-70 points" in run("reverse", number, "--reason", "somebody else's").output
    with sqlite_database.read() as session:
        assert balance_of(session, customer_id=customer, soon=timedelta(days=1)).points == 0
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "loyalty.reversed")).one()
        assert (entry.actor, entry.target_id) == ("operator", number)
        assert (entry.detail["reason"], entry.detail["points"]) == ("somebody else's", -70)
    missing = run("reverse", "99999", "--reason", "x")
    assert (missing.exit_code, "no posting 99999" in missing.output) == (2, True)


def test_undoing_a_purchases_points_takes_the_tier_that_they_brought_into_account(
    sqlite_database: Database,
) -> None:
    who, now = a_customer(sqlite_database), utcnow()
    with sqlite_database.write() as session:
        purchase = a_purchase(session, customer_id=who, paid_at=now, tomans=4_000_000)
        posting = earn_for_purchase(session, purchase=purchase, rules=club(), now=now)
        assert posting is not None
    assert run("reverse", str(posting.id), "--reason", "told twice").exit_code == 0
    with sqlite_database.read() as session:
        assert tier_points(session, customer_id=who, now=utcnow(), timezone="Asia/Tehran") == 0


def test_what_is_not_undone_is_refused_with_what_to_do_instead(sqlite_database: Database) -> None:
    by: dict[str, Any] = {"actor": "system", "now": utcnow()}
    who = a_customer(sqlite_database)
    with sqlite_database.write() as session:
        earned = ledger.earn(
            session, customer_id=who, points=100, cause="purchase:1", key="e", expires_at=None, **by
        )
        for number, cause in enumerate(("redemption:1", "raffle:1")):
            ledger.spend(session, customer_id=who, points=10, cause=cause, key=f"s{number}", **by)
        ledger.take_back(
            session, customer_id=who, earned=earned, points=50, base=0, cause="purchase:1", key="r", **by
        )
        numbers = dict(
            session.execute(select(LedgerPosting.idempotency_key, LedgerPosting.id)).tuples().all()
        )
    for key, instead in (
        ("r", "peyvand loyalty adjust"),
        ("s0", "peyvand rewards cancel"),
        ("s1", "peyvand raffle call-off"),
    ):
        refused = run("reverse", str(numbers[key]), "--reason", "x")
        assert refused.exit_code == 2
        assert instead in refused.output
    with sqlite_database.read() as session:
        assert balance_of(session, customer_id=who, soon=timedelta(0)).points == 30
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "loyalty.reversed")).all() == []
