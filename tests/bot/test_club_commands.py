"""What the operator does with rewards and raffles at the terminal."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from bot.cli import main
from crm_store.base import utcnow
from crm_store.business.loyalty import Reward
from crm_store.db import Database
from crm_store.loyalty.codes import grouped
from crm_store.loyalty.models import Raffle
from crm_store.loyalty.raffles import find_raffle, join, seal
from crm_store.loyalty.redemptions import redeem
from crm_store.persian import jalali_numeric
from crm_store.settings import PROJECT_ROOT
from tests.factories.club import a_club_member, a_raffle, club

RULES = club(Reward(key="mug", title="لیوان سرامیکی", points=100, worth_tomans=50_000, stock=5))


@pytest.fixture(autouse=True)
def _store(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PEYVAND_DATABASE_URL", f"sqlite:///{sqlite_database.engine.url.database}")
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)
    shipped = (PROJECT_ROOT / "business.example.toml").read_text(encoding="utf-8")
    own = shipped.replace("tomans_per_point = 0 ", "tomans_per_point = 10000 ", 1)
    assert own != shipped
    own += '\n[[loyalty.rewards]]\nkey = "mug"\ntitle = "لیوان سرامیکی"\npoints = 100\nstock = 5\n'
    (tmp_path / "business.toml").write_text(own, encoding="utf-8")
    monkeypatch.setenv("PEYVAND_BUSINESS_FILE", str(tmp_path / "business.toml"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


def done(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def a_code(database: Database) -> str:
    with database.write() as session:
        customer, _ = a_club_member(session, points=100, now=utcnow())
        return grouped(
            redeem(session, customer_id=customer, reward="mug", key=f"m:{customer}", rules=RULES).code
        )


def test_rewards_are_listed_with_what_is_left(sqlite_database: Database) -> None:
    a_code(sqlite_database)
    (row,) = (line for line in done("rewards", "list").splitlines() if "mug" in line)
    assert [cell.strip() for cell in row.split("│")[3:6]] == ["100", "1", "4"]


def test_a_code_is_checked_taken_once_and_no_longer_given_back(sqlite_database: Database) -> None:
    code = a_code(sqlite_database)
    assert "it can be taken" in done("rewards", "check", code.lower())
    assert "order-7" in done("rewards", "use", *code.split("-"), "--order", "order-7")
    assert "it cannot be taken" in done("rewards", "check", code)
    for arguments in (("use", code), ("cancel", code), ("check", "2222222222")):
        assert run("rewards", *arguments).exit_code == 2


def test_an_unused_code_is_given_back(sqlite_database: Database) -> None:
    assert "100 points went back" in done("rewards", "cancel", a_code(sqlite_database))


def moment(after: timedelta) -> str:
    local = (utcnow() + after).astimezone(ZoneInfo("Asia/Tehran"))
    return f"{jalali_numeric(local)} {local:%H:%M}"


def test_a_raffle_goes_from_its_opening_to_a_file_that_anybody_can_check(
    sqlite_database: Database, tmp_path: Path
) -> None:
    assert "no raffle" in done("raffle", "list")
    opening = ["--title", "یلدا", "--prize", "گوشی", "--points", "10", "--closes", moment(timedelta(days=1))]
    done("raffle", "open", "yalda", *opening)
    assert run("raffle", "open", "yalda", *opening).exit_code == 2
    with sqlite_database.write() as session:
        raffle_id = find_raffle(session, key="yalda").id
        for _ in range(3):
            customer, _ = a_club_member(session, points=100, now=utcnow())
            join(session, customer_id=customer, raffle_id=raffle_id, key=f"j:{customer}", rules=RULES)
    wrong = run("raffle", "seal", "yalda", "--drand", "tomorrow")
    assert (wrong.exit_code, "--drand" in wrong.output) == (2, True)
    assert run("raffle", "seal", "yalda").exit_code == 2
    assert (
        run("raffle", "seal", "yalda", "--drand", moment(timedelta(days=2))).exit_code == 2
    )  # not closed yet
    with sqlite_database.write() as session:
        session.execute(update(Raffle).values(opens_at=utcnow() - timedelta(2), closes_at=utcnow()))
    sealed = done("raffle", "seal", "yalda", "--drand", moment(timedelta(days=2)))
    file = tmp_path / "raffle-yalda.json"
    told = json.loads(file.read_text(encoding="utf-8"))["entries_hash"]
    assert told in sealed
    assert "not drawn yet" in done("raffle", "verify", str(file), "--hash", told)
    assert run("raffle", "draw", "yalda", "--value", "ab" * 32).exit_code == 2  # its value is still to come
    assert "sealed" in done("raffle", "list")
    before = file.read_text(encoding="utf-8")
    done("raffle", "publish", "yalda")
    assert file.read_text(encoding="utf-8") == before
    file.write_text(before.replace("گوشی", "پفک"), encoding="utf-8")
    assert run("raffle", "verify", str(file)).exit_code == 2
    file.write_text("{}", encoding="utf-8")
    assert run("raffle", "verify", str(file)).exit_code == 2
    done("raffle", "call-off", "yalda")
    assert "called_off" in done("raffle", "list")


def test_a_draw_shows_the_winners_and_writes_the_file(sqlite_database: Database) -> None:
    past, day = utcnow() - timedelta(days=30), timedelta(days=1)
    with sqlite_database.write() as session:
        raffle = a_raffle(session, key="yalda", closes_at=past + day, now=past)
        for _ in range(3):
            customer, _ = a_club_member(session, points=100, now=past)
            join(
                session, customer_id=customer, raffle_id=raffle.id, key=f"j:{customer}", rules=RULES, now=past
            )
        value_at = past + 2 * day
        seal(
            session,
            raffle=raffle,
            random_source="x",
            random_at=value_at,
            actor="operator",
            rules=RULES,
            now=past + day,
        )
        hashed = raffle.entries_hash
    drawn = done("raffle", "draw", "yalda", "--value", "۲٬۱۳۷٬۴۷۴", "--out", "out.json")
    assert "(customer " in drawn
    checked = done("raffle", "verify", "out.json", "--hash", hashed, "--value", "2137474")
    assert "agrees" in checked
    assert run("raffle", "verify", "out.json", "--value", "2137475").exit_code == 2
    assert run("raffle", "verify", "out.json", "--hash", "0" * 64).exit_code == 2
    assert run("raffle", "draw", "yalda", "--value", "1").exit_code == 2
