from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner
from sqlalchemy import select

from bot.cli import main
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.errors import InvalidInput, LoginRefused, NotFound
from crm_store.staff import service as staff
from crm_store.staff.models import ConsoleSession, StaffMember


def a_member(database: Database) -> str:
    """The first member of staff; returns the password."""
    with database.write() as session:
        password = staff.ensure_first_admin(session)
    assert password is not None
    return password


def audited(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(row.action, row.actor, row.target_id) for row in rows]


def change(database: Database, **values: Any) -> None:
    with database.write() as session:
        member = session.scalars(select(StaffMember)).one()
        for name, value in values.items():
            setattr(member, name, value)


def test_the_first_password_is_given_once_and_kept_as_a_hash_only(database: Database) -> None:
    password = a_member(database)
    with database.write() as session:
        assert staff.ensure_first_admin(session) is None
        member = session.scalars(select(StaffMember)).one()
        assert member.login == "admin"
        assert member.password_hash.startswith("$argon2id$")
        assert password not in member.password_hash
        assert (
            staff.admit(session, staff.check_password(session, login=" Admin ", password=password)).id
            == member.id
        )


def test_a_password_is_long_and_has_no_letters_that_look_alike(database: Database) -> None:
    password = a_member(database)
    assert [len(group) for group in password.split("-")] == [4, 4, 4, 4]
    assert not set(password) & set("01iloIO")


@pytest.mark.parametrize(
    ("login", "password"), [("admin", "wrong"), ("nobody", "wrong"), ("ad\0min", "\0"), ("", "")]
)
def test_a_wrong_login_looks_like_a_wrong_password(database: Database, login: str, password: str) -> None:
    a_member(database)
    with database.write() as session, pytest.raises(LoginRefused, match="do not fit"):
        staff.admit(session, staff.check_password(session, login=login, password=password))


def test_a_refused_try_is_audited_without_what_was_typed(database: Database) -> None:
    a_member(database)
    for login in ("admin", "my-secret-password"):
        with database.write() as session:
            try:
                staff.admit(session, staff.check_password(session, login=login, password="wrong"))
            except LoginRefused:
                continue
    assert audited(database)[1:] == [
        ("staff.login_refused", "system", "1"),
        ("staff.login_refused", "system", ""),
    ]


def test_who_was_disabled_can_neither_log_in_nor_go_on(database: Database) -> None:
    password = a_member(database)
    with database.write() as session:
        token = staff.open_session(session, staff_id=1)
    change(database, disabled_at=utcnow())
    with database.write() as session:
        assert staff.find_session(session, token=token) is None
        with pytest.raises(LoginRefused):
            staff.admit(session, staff.check_password(session, login="admin", password=password))


def test_an_old_hash_is_made_anew_at_the_next_log_in(database: Database) -> None:
    a_member(database)
    weak = PasswordHasher(time_cost=1, memory_cost=1024).hash("an old password")
    change(database, password_hash=weak)
    with database.write() as session:
        member = staff.admit(
            session, staff.check_password(session, login="admin", password="an old password")
        )
        assert member.password_hash != weak
        assert (
            staff.admit(session, staff.check_password(session, login="admin", password="an old password")).id
            == member.id
        )


def test_a_session_is_found_by_its_token_which_is_kept_nowhere(database: Database) -> None:
    a_member(database)
    with database.write() as session:
        token = staff.open_session(session, staff_id=1)
    with database.read() as session:
        found = staff.find_session(session, token=token)
        assert found is not None
        assert found.login == "admin"
        assert staff.find_session(session, token=token + "x") is None
        kept = session.scalars(select(ConsoleSession)).one()
        assert token not in kept.token_hash
        assert kept.expires_at - kept.created_at <= timedelta(hours=12, seconds=5)


def test_a_session_ends_with_its_time_and_is_cleared_away_at_the_next_log_in(database: Database) -> None:
    a_member(database)
    with database.write() as session:
        token = staff.open_session(session, staff_id=1)
        session.scalars(select(ConsoleSession)).one().expires_at = utcnow()
    with database.write() as session:
        assert staff.find_session(session, token=token) is None
        staff.open_session(session, staff_id=1)
        assert len(session.scalars(select(ConsoleSession)).all()) == 1


def test_a_closed_session_is_gone_and_every_step_was_audited(database: Database) -> None:
    a_member(database)
    with database.write() as session:
        token = staff.open_session(session, staff_id=1)
    with database.write() as session:
        staff.close_session(session, token=token)
        staff.close_session(session, token=token)
    with database.read() as session:
        assert staff.find_session(session, token=token) is None
    assert audited(database) == [
        ("staff.created", "system", "1"),
        ("staff.logged_in", "staff:1", "1"),
        ("staff.logged_out", "staff:1", "1"),
    ]


def test_a_new_password_ends_the_former_one_and_the_open_sessions(database: Database) -> None:
    former = a_member(database)
    with database.write() as session:
        token = staff.open_session(session, staff_id=1)
        password = staff.set_password(session, login="ADMIN")
    with database.write() as session:
        assert staff.find_session(session, token=token) is None
        assert staff.admit(session, staff.check_password(session, login="admin", password=password)).id == 1
        with pytest.raises(LoginRefused):
            staff.admit(session, staff.check_password(session, login="admin", password=former))
    assert ("staff.password_changed", "operator", "1") in audited(database)


def test_a_password_of_ones_own_needs_some_length_and_somebody_who_has_it(database: Database) -> None:
    a_member(database)
    with database.write() as session:
        assert staff.set_password(session, login="admin", password="ده نویسه یا بیشتر")
        with pytest.raises(InvalidInput):
            staff.set_password(session, login="admin", password="short")
        with pytest.raises(NotFound):
            staff.set_password(session, login="nobody")


def test_the_operator_makes_a_new_password_by_a_command(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PEYVAND_DATABASE_URL", f"sqlite:///{sqlite_database.engine.url.database}")
    run = CliRunner()
    first = run.invoke(main, ["staff", "password", "admin"])
    second = run.invoke(main, ["staff", "password", "admin"])
    passwords = [result.output.splitlines()[0].rpartition(" ")[2] for result in (first, second)]
    with sqlite_database.write() as session:
        assert (
            staff.admit(session, staff.check_password(session, login="admin", password=passwords[1])).id == 1
        )
        with pytest.raises(LoginRefused):
            staff.admit(session, staff.check_password(session, login="admin", password=passwords[0]))
    unknown = run.invoke(main, ["staff", "password", "nobody"])
    assert unknown.exit_code == 2
