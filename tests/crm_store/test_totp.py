"""The second step of the log-in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pyotp
import pytest
from sqlalchemy import select

from crm_store.audit import AuditEntry
from crm_store.db import Database
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.persian import to_persian_digits
from crm_store.staff import service as staff
from crm_store.staff import totp
from crm_store.staff.models import StaffMember

NOW = datetime(2026, 11, 27, 12, 0, 10, tzinfo=timezone.utc)
STEP = timedelta(seconds=totp.STEP_SECONDS)


def a_member(database: Database) -> int:
    with database.write() as session:
        staff.ensure_first_admin(session)
        return session.scalars(select(StaffMember.id)).one()


def with_app(database: Database) -> tuple[int, pyotp.TOTP]:
    """A member whose app has the secret, confirmed a while ago."""
    staff_id = a_member(database)
    with database.write() as session:
        app = pyotp.TOTP(totp.begin(session, staff_id=staff_id))
        before = NOW - 10 * STEP
        totp.confirm(session, staff_id=staff_id, code=app.at(before), now=before)
    return staff_id, app


def fits(database: Database, staff_id: int, code: str, *, now: datetime = NOW) -> bool:
    with database.write() as session:
        return totp.check(session, staff_id=staff_id, code=code, now=now)


def test_the_step_is_asked_for_only_after_a_first_code_was_right(database: Database) -> None:
    staff_id = a_member(database)
    with database.write() as session:
        app = pyotp.TOTP(totp.begin(session, staff_id=staff_id))
        assert not totp.is_on(session.get_one(StaffMember, staff_id))
        with pytest.raises(InvalidInput):
            totp.confirm(session, staff_id=staff_id, code="000000", now=NOW - 1000 * STEP)
        totp.confirm(session, staff_id=staff_id, code=app.at(NOW), now=NOW)
        assert totp.is_on(session.get_one(StaffMember, staff_id))
        with pytest.raises(InvalidTransition):
            totp.begin(session, staff_id=staff_id)


def test_a_code_is_taken_once_the_one_that_confirmed_included(database: Database) -> None:
    staff_id = a_member(database)
    with database.write() as session:
        app = pyotp.TOTP(totp.begin(session, staff_id=staff_id))
        totp.confirm(session, staff_id=staff_id, code=app.at(NOW), now=NOW)
    assert not fits(database, staff_id, app.at(NOW))
    later = NOW + STEP
    assert fits(database, staff_id, app.at(later), now=later)
    assert not fits(database, staff_id, app.at(later), now=later)
    assert not fits(database, staff_id, app.at(NOW), now=later), "an earlier one is worth nothing either"


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(database: Database, steps: int, is_right: bool) -> None:
    staff_id, app = with_app(database)
    assert fits(database, staff_id, app.at(NOW + steps * STEP)) is is_right


@pytest.mark.parametrize("written", ["{half} {rest}", "{half}-{rest}", " {persian} ", "{persian}"])
def test_a_code_may_be_written_as_people_write(database: Database, written: str) -> None:
    staff_id, app = with_app(database)
    code = app.at(NOW)
    typed = written.format(half=code[:3], rest=code[3:], persian=to_persian_digits(code))
    assert fits(database, staff_id, typed)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "\0", "000000\n1"])
def test_what_is_no_code_is_refused_and_the_try_is_audited(database: Database, typed: str) -> None:
    staff_id, _ = with_app(database)
    assert not fits(database, staff_id, typed)
    with database.read() as session:
        newest = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (newest.action, newest.target_id, newest.detail) == ("staff.code_refused", str(staff_id), {})


def test_without_the_step_no_code_fits(database: Database) -> None:
    staff_id = a_member(database)
    with database.write() as session:
        app = pyotp.TOTP(totp.begin(session, staff_id=staff_id))
    assert not fits(database, staff_id, app.at(NOW))


def test_the_operator_turns_it_off_and_the_secret_is_gone(database: Database) -> None:
    staff_id, app = with_app(database)
    with database.write() as session:
        assert totp.turn_off(session, staff_id=staff_id)
        assert session.get_one(StaffMember, staff_id).totp_secret == ""
        assert not totp.turn_off(session, staff_id=staff_id)
    assert not fits(database, staff_id, app.at(NOW))


def test_what_the_app_reads_names_the_business_and_the_login(database: Database) -> None:
    staff_id, app = with_app(database)
    with database.read() as session:
        address = totp.address_of(session.get_one(StaffMember, staff_id), business="فروشگاه آفتاب")
    read = pyotp.parse_uri(address)
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer) == (app.secret, "admin", "فروشگاه آفتاب")


def test_at_the_door_one_is_not_in(database: Database) -> None:
    staff_id, app = with_app(database)
    with database.write() as session:
        token = staff.open_door(session, staff_id=staff_id)
        assert staff.find_session(session, token=token) is None
        found = staff.find_at_door(session, token=token)
        assert found is not None
        assert staff.pass_door(session, token=token, code="000000", now=NOW - 1000 * STEP) is None
        inside = staff.pass_door(session, token=token, code=app.at(NOW), now=NOW)
        assert inside is not None
        assert staff.find_session(session, token=inside) is not None
        assert staff.find_at_door(session, token=inside) is None
        assert staff.find_at_door(session, token=token) is None, "the door's token is worthless afterwards"
