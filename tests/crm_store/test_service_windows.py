"""Which windows of time customers can choose from."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import select

from crm_store.business import Calendar, Service, ServiceKind
from crm_store.db import Database
from crm_store.errors import FullyBooked
from crm_store.rules import Rules
from crm_store.service_requests.booking import book, free_slots
from crm_store.service_requests.models import BookingWindow
from crm_store.service_requests.windows import is_offered_in, visit_text, windows_on
from tests.factories.services import NOW, REPAIR, TEHRAN, WEEK, at, rules_with


def starts(
    rules: Rules, database: Database, *, kind: ServiceKind = REPAIR, **wanted: object
) -> list[datetime]:
    """Beginnings of the free windows."""
    with database.read() as session:
        slots = free_slots(session, kind=kind, rules=rules, **{"now": NOW, "limit": 100, **wanted})  # type: ignore[arg-type]
        return [slot.starts_at for slot in slots]


def test_windows_come_in_order_from_the_first_that_can_still_be_reached(sqlite_database: Database) -> None:
    # It is Sunday at eight: the morning's window is too close, that of the afternoon is not.
    found = starts(rules_with(), sqlite_database, limit=4)
    assert found == [at(22, 14), at(23, 9), at(23, 14), at(24, 9)]


def test_a_window_can_be_booked_exactly_as_long_before_as_the_business_wants(
    sqlite_database: Database,
) -> None:
    rules = rules_with(notice_minutes=120)
    assert starts(rules, sqlite_database, now=at(22, 12), limit=1) == [at(22, 14)]
    assert starts(rules, sqlite_database, now=at(22, 12) + timedelta(seconds=1), limit=1) == [at(23, 9)]


def test_windows_end_with_the_last_day_that_is_offered(sqlite_database: Database) -> None:
    found = starts(rules_with(days_ahead=3), sqlite_database)
    assert found[-1] == at(25, 14)
    assert starts(rules_with(days_ahead=3), sqlite_database, on=date(2026, 11, 26)) == []
    assert starts(rules_with(days_ahead=3), sqlite_database, on=date(2026, 11, 21)) == []


def test_nobody_comes_on_holidays_unless_they_are_struck() -> None:
    wednesday = date(2026, 12, 23)  # the birthday of Imam Ali, by the lunar calendar
    hours = dict.fromkeys(WEEK, ("09:00-17:00",))

    def on(calendar: Calendar) -> int:
        return len(windows_on(wednesday, kind=REPAIR, rules=rules_with(calendar=calendar)))

    assert on(Calendar(hours=hours)) == 0
    assert on(Calendar(hours=hours, working_days=("1405/10/02",))) == 2
    assert on(Calendar(hours=hours, on_public_holidays=True)) == 2
    assert on(Calendar(hours=hours, on_public_holidays=True, holidays=("1405/10/02",))) == 0


def test_a_visit_is_offered_only_in_windows_that_are_long_enough(sqlite_database: Database) -> None:
    long = msgspec.structs.replace(REPAIR, duration_minutes=240)
    rules = rules_with(long, windows={"sunday": ("08:00-12:00", "14:00-17:00")})
    assert starts(rules, sqlite_database, kind=long) == [at(29, 8), at(29, 8) + timedelta(days=7)]


def test_a_kind_that_fits_into_no_window_is_a_mistake_in_the_file() -> None:
    long = msgspec.structs.replace(REPAIR, duration_minutes=181)
    with pytest.raises(ValueError, match="repair takes longer"):
        Service(kinds=(long,), windows={"sunday": ("09:00-12:00",)}).check()
    until_midnight = msgspec.structs.replace(REPAIR, duration_minutes=24 * 60)
    Service(kinds=(until_midnight,), windows={"sunday": ("00:00-24:00",)}).check()


@pytest.mark.parametrize(
    ("between", "found"),
    [
        (("08:00", "12:00"), [at(24, 9)]),
        (("16:00", "20:00"), [at(24, 14)]),  # «عصر» overlaps what ends at five
        (("12:00", "14:00"), []),  # it ends when the one begins and begins when the other ends
        (("08:00", "24:00"), [at(24, 9), at(24, 14)]),
        (("10:00", "10:00"), [at(24, 9)]),  # «ساعت ده»
        (("12:00", "12:00"), []),
        (("14:00", "14:00"), [at(24, 14)]),
    ],
)
def test_a_day_and_a_part_of_it_can_be_asked_for(
    sqlite_database: Database, between: tuple[str, str], found: list[datetime]
) -> None:
    assert starts(rules_with(), sqlite_database, on=date(2026, 11, 24), between=between) == found


def test_a_window_until_midnight_belongs_to_the_night(sqlite_database: Database) -> None:
    rules = rules_with(windows={"monday": ("20:00-24:00",)})
    night = starts(rules, sqlite_database, on=date(2026, 11, 23), between=("21:00", "24:00"))
    assert night == [at(23, 20)]
    with sqlite_database.read() as session:
        slot = free_slots(session, kind=REPAIR, rules=rules, now=NOW)[0]
        assert slot.ends_at == at(24, 0)


def test_windows_stand_in_the_business_own_time(sqlite_database: Database) -> None:
    found = starts(rules_with(), sqlite_database)
    assert {(moment.astimezone(TEHRAN).hour, moment.astimezone(TEHRAN).minute) for moment in found} == {
        (9, 0),
        (14, 0),
    }


def test_a_window_without_a_place_left_is_not_offered(database: Database) -> None:
    rules = rules_with()
    with database.write() as session:
        for _ in range(REPAIR.capacity):
            book(session, kind=REPAIR, starts_at=at(23, 9), rules=rules, now=NOW)
        book(session, kind=REPAIR, starts_at=at(23, 14), rules=rules, now=NOW)
        slots = free_slots(session, kind=REPAIR, rules=rules, now=NOW, on=date(2026, 11, 23))
        assert [(slot.starts_at, slot.free) for slot in slots] == [(at(23, 14), 1)]


@pytest.mark.parametrize(
    "starts_at",
    [at(23, 10), at(27, 9), at(22, 9), at(21, 9), at(22, 14) + timedelta(days=21)],
    ids=["within a window", "a Friday", "too close", "over", "too far"],
)
def test_what_is_no_window_is_not_booked_and_leaves_nothing(database: Database, starts_at: datetime) -> None:
    with database.write() as session:
        with pytest.raises(FullyBooked):
            book(session, kind=REPAIR, starts_at=starts_at, rules=rules_with(), now=NOW)
        assert session.scalars(select(BookingWindow)).all() == []


def test_kinds_have_places_of_their_own(database: Database) -> None:
    other = msgspec.structs.replace(REPAIR, key="other_kind", capacity=1)
    rules = rules_with(REPAIR, other)
    with database.write() as session:
        book(session, kind=other, starts_at=at(23, 9), rules=rules, now=NOW)
        day = {"rules": rules, "now": NOW, "on": date(2026, 11, 23)}
        assert at(23, 9) not in [slot.starts_at for slot in free_slots(session, kind=other, **day)]
        assert at(23, 9) in [slot.starts_at for slot in free_slots(session, kind=REPAIR, **day)]


def test_a_kind_is_offered_in_its_areas_however_they_are_spelled() -> None:
    kind = msgspec.structs.replace(REPAIR, areas=("تهران", "بندرعباس"))
    assert is_offered_in(kind, "تهران")
    assert is_offered_in(kind, "بندر عباس")
    assert is_offered_in(kind, "تهرا\u0646 ")
    assert not is_offered_in(kind, "کرج")
    assert not is_offered_in(kind, "")
    assert is_offered_in(REPAIR, "")


def test_a_visit_is_named_as_people_name_it() -> None:
    window = BookingWindow(starts_at=at(26, 9), ends_at=at(26, 12))
    assert visit_text(window, rules_with(), NOW) == "پنجشنبه ۵ آذر، ساعت ۹ تا ۱۲"
    assert visit_text(window, rules_with(), at(25, 20)) == "فردا، ساعت ۹ تا ۱۲"
    assert visit_text(window, rules_with(), at(26, 8)) == "امروز، ساعت ۹ تا ۱۲"
