"""What the operator does about members of staff: invite, list, give a new code, keep out."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from bot.cli import main
from crm_store.audit import AuditEntry
from crm_store.db import Database
from crm_store.staff import totp
from crm_store.staff.accounts import staff_of
from crm_store.staff.invitations import looks_like_invitation, redeem
from crm_store.staff.models import StaffAccount, StaffMember
from crm_store.staff.pin import TRIES, try_pin
from tests.factories import a_conversation, a_member
from tests.factories.tickets import a_complaint_row, a_request_row

#: A business file with what it cannot do without, and teams.
CATEGORY = """
name = "x"

[[complaints.categories]]
key = "other"
title = "other"
"""
TEAMS = """
[handoff]
teams = ["accounts"]
"""


@pytest.fixture(autouse=True)
def _store(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PEYVAND_DATABASE_URL", f"sqlite:///{sqlite_database.engine.url.database}")
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["staff", *arguments])


def code_in(result: Result) -> str:
    assert result.exit_code == 0, result.output
    (code,) = (line.strip() for line in result.output.splitlines() if looks_like_invitation(line))
    return code


def link(database: Database, code: str) -> int:
    with database.write() as session:
        identity_id = a_conversation(session).identity_id
        assert identity_id is not None
        return redeem(session, identity_id=identity_id, code=code).id


def test_the_code_that_is_shown_links_an_account(sqlite_database: Database) -> None:
    invited = run("invite", "--name", "رضا نوری", "--role", "technician", "--area", "تهران", "--area", "کرج")
    assert "10 minutes" in invited.output
    staff_id = link(sqlite_database, code_in(invited))
    with sqlite_database.read() as session:
        member = session.get_one(StaffMember, staff_id)
        assert (member.name, member.role, member.areas) == ("رضا نوری", "technician", ["تهران", "کرج"])
    assert link(sqlite_database, code_in(run("link", str(staff_id)))) == staff_id


def test_everybody_is_listed_with_their_accounts(sqlite_database: Database) -> None:
    assert "nobody" in run("list").output
    link(sqlite_database, code_in(run("invite", "--name", "Reza", "--role", "technician")))
    run("invite", "--name", "Sara", "--role", "agent")
    run("disable", "2")
    rows = {
        line.split("│")[2].strip(): line for line in run("list").output.splitlines() if line.count("│") > 3
    }
    assert "telegram" in rows["Reza"]
    assert "works here" in rows["Reza"]
    assert "kept out" in rows["Sara"]


def test_who_was_kept_out_is_nobody_to_the_bot(sqlite_database: Database) -> None:
    staff_id = link(sqlite_database, code_in(run("invite", "--name", "Reza", "--role", "agent")))
    assert run("disable", str(staff_id)).exit_code == 0
    with sqlite_database.read() as session:
        assert staff_of(session, identity_id=1) is None
    refused = run("link", str(staff_id))
    assert (refused.exit_code, "disabled" in refused.output) == (2, True)


def test_what_somebody_leaves_behind_is_listed_with_how_to_hand_it_over(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        member = a_member(session, role="technician")
        complaint = a_complaint_row(session, assignee_id=member.id)
        visit = a_request_row(session, technician_id=member.id, state="assigned")
        over = a_request_row(session, technician_id=member.id, state="done")
    shown = run("disable", str(member.id)).output
    assert f"{complaint.code}  complaint, " in shown
    assert f"{visit.code}  visit, assigned" in shown
    assert over.code not in shown
    assert "peyvand tickets assign CODE STAFF_ID" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["invite", "--name", "Reza", "--role", "boss"], "technician, agent, supervisor, admin"),
        (["invite", "--name", " ", "--role", "agent"], "a name has"),
        (["link", "7"], "no member of staff with the id 7"),
        (["disable", "7"], "no member of staff with the id 7"),
    ],
)
def test_what_cannot_be_done_is_explained(arguments: list[str], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.output


def test_a_skill_that_no_service_asks_for_is_pointed_out() -> None:
    result = run("invite", "--name", "Reza", "--role", "technician", "--skill", "juggling")
    assert result.exit_code == 0
    assert "no kind of service asks for the skill juggling" in result.output


def test_a_role_is_changed_and_another_one_is_refused(sqlite_database: Database) -> None:
    run("invite", "--name", "Sara", "--role", "agent")
    assert "supervisor from now on" in run("role", "1", "supervisor").output
    refused = run("role", "1", "king")
    assert refused.exit_code == 2
    assert "no role king" in refused.output
    with sqlite_database.read() as session:
        assert session.get_one(StaffMember, 1).role == "supervisor"


def test_team_and_skills_are_said_anew(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    business = tmp_path / "business.toml"
    business.write_text(f"{CATEGORY}{TEAMS}", encoding="utf-8")
    run("invite", "--name", "Sara", "--role", "agent", "--skill", "gas")
    assert "the team accounts" in run("team", "1", "accounts").output
    assert run("team", "1", "garden").exit_code == 2
    assert "can do: tv, phone" in run("skills", "1", "tv", "phone").output
    with sqlite_database.read() as session:
        member = session.get_one(StaffMember, 1)
        assert (member.team, member.skills) == ("accounts", ["tv", "phone"])
    assert "no team" in run("team", "1").output
    assert "nothing in particular" in run("skills", "1").output


def test_a_pin_is_shown_once_and_opens_locked_accounts(sqlite_database: Database) -> None:
    staff_id = link(sqlite_database, code_in(run("invite", "--name", "Sara", "--role", "agent")))
    with sqlite_database.write() as session:
        session.scalars(select(StaffAccount)).one().pin_failures = TRIES
    shown = run("pin", str(staff_id)).output
    made = next(word for word in shown.split() if word.isdecimal())
    with sqlite_database.write() as session:
        account = session.scalars(select(StaffAccount)).one()
        assert account.pin_failures == 0
        assert try_pin(session, account, text=made)
        assert made not in session.get_one(StaffMember, staff_id).pin_hash
    assert "no PIN any more" in run("pin", str(staff_id), "--drop").output
    with sqlite_database.read() as session:
        assert session.get_one(StaffMember, staff_id).pin_hash == ""


def test_nobody_who_left_is_changed(sqlite_database: Database) -> None:
    run("invite", "--name", "Sara", "--role", "agent")
    run("disable", "1")
    for arguments in (["role", "1", "admin"], ["pin", "1"], ["skills", "1", "tv"]):
        assert run(*arguments).exit_code == 2


def test_who_lost_their_phone_logs_in_without_the_code_of_its_app(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        member = a_member(session, name="نگار")
        secret = totp.begin(session, staff_id=member.id)
        totp.confirm(session, staff_id=member.id, code=pyotp.TOTP(secret).now())
        staff_id = member.id
    assert "with the password alone" in run("totp-off", str(staff_id)).output
    assert "nothing has changed" in run("totp-off", str(staff_id)).output
    with sqlite_database.read() as session:
        found = session.get_one(StaffMember, staff_id)
        assert not totp.is_on(found)
        assert found.totp_secret == ""
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.totp_off")).all()
        assert [(one.actor, one.target_id) for one in entries] == [("operator", str(staff_id))]
    assert run("totp-off", "99").exit_code != 0
