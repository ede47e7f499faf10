"""By when a call is promised: working time only, and never on a holiday."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from crm_store.business import EXAMPLE, WEEKDAYS, Callbacks, Weekday, read_business
from crm_store.errors import ConfigurationError
from crm_store.handoff.promise import promised_by
from crm_store.working_time import public_holidays

TEHRAN = "Asia/Tehran"
HOURS = read_business(EXAMPLE).call_hours
FIRST = datetime(2025, 1, 1, tzinfo=timezone.utc)


def tehran(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment given as a Jalali date and the time in Tehran."""
    gregorian = JalaliDate(year, month, day).to_gregorian()
    return datetime(gregorian.year, gregorian.month, gregorian.day, hour, minute, tzinfo=ZoneInfo(TEHRAN))


@pytest.mark.parametrize(
    ("now", "promised"),
    [
        # Sunday, 1 Azar 1405
        (tehran(1405, 9, 1, 10, 0), tehran(1405, 9, 1, 12, 0)),
        (tehran(1405, 9, 1, 10, 7), tehran(1405, 9, 1, 12, 15)),
        (tehran(1405, 9, 1, 6, 30), tehran(1405, 9, 1, 11, 0)),
        (tehran(1405, 9, 1, 16, 0), tehran(1405, 9, 2, 10, 0)),
        (tehran(1405, 9, 1, 15, 0), tehran(1405, 9, 1, 17, 0)),
        (tehran(1405, 9, 1, 23, 59), tehran(1405, 9, 2, 11, 0)),
        # Thursday evening: nobody works on Friday
        (tehran(1405, 9, 5, 18, 0), tehran(1405, 9, 7, 11, 0)),
        (tehran(1405, 9, 5, 12, 30), tehran(1405, 9, 7, 10, 30)),
        # The evening before Nowruz 1406, and 13 Farvardin, which is a Friday
        (tehran(1405, 12, 28, 18, 0), tehran(1406, 1, 5, 11, 0)),
        # The evening before Imam Ali's birthday, a Wednesday that the lunar calendar gives
        (tehran(1405, 10, 1, 17, 0), tehran(1405, 10, 3, 11, 0)),
    ],
)
def test_a_call_is_promised_within_two_hours_of_working_time(now: datetime, promised: datetime) -> None:
    assert promised_by(now, HOURS, TEHRAN) == promised
    assert promised_by(now, HOURS, TEHRAN).tzinfo is timezone.utc


def test_the_businesss_own_holiday_is_left_out() -> None:
    closed = Callbacks(within_minutes=60, hours={"sunday": ("09:00-17:00",)}, holidays=("۱۴۰۵/۹/۱",))
    assert promised_by(tehran(1405, 9, 1, 10), closed, TEHRAN) == tehran(1405, 9, 8, 10)


def test_a_business_may_call_on_public_holidays() -> None:
    nowruz, hours = tehran(1406, 1, 1, 10), dict.fromkeys(WEEKDAYS, ("09:00-17:00",))
    assert promised_by(nowruz, Callbacks(hours=hours, on_public_holidays=True), TEHRAN) == tehran(
        1406, 1, 1, 12
    )
    assert promised_by(nowruz, Callbacks(hours=hours), TEHRAN) == tehran(1406, 1, 5, 11)


def test_a_break_at_noon_does_not_count() -> None:
    hours: dict[Weekday, tuple[str, ...]] = {"sunday": ("16:00-20:00", "09:00-13:00")}
    assert promised_by(tehran(1405, 9, 1, 12, 20), Callbacks(hours=hours), TEHRAN) == tehran(
        1405, 9, 1, 17, 30
    )


def test_intervals_that_overlap_count_once() -> None:
    hours: dict[Weekday, tuple[str, ...]] = {"sunday": ("09:00-11:00", "10:00-12:00", "09:30-10:00")}
    calls = Callbacks(within_minutes=150, hours=hours)
    assert promised_by(tehran(1405, 9, 1, 9), calls, TEHRAN) == tehran(1405, 9, 1, 11, 30)


@pytest.mark.parametrize("hours", [{}, {"sunday": ()}])
def test_a_business_without_hours_promises_a_day(hours: dict[Weekday, tuple[str, ...]]) -> None:
    now = tehran(1405, 9, 1, 10, 1)
    assert promised_by(now, Callbacks(hours=hours), TEHRAN) == tehran(1405, 9, 2, 10, 15)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        promised_by(FIRST.replace(tzinfo=None), HOURS, TEHRAN)


@pytest.mark.parametrize(
    "day", [(1405, 1, 1), (1405, 4, 4), (1405, 6, 8), (1405, 10, 2), (1405, 12, 20), (1406, 1, 13)]
)
def test_holidays_of_both_calendars_are_known(day: tuple[int, int, int]) -> None:
    gregorian = JalaliDate(*day).to_gregorian()
    assert gregorian in public_holidays(gregorian.year)


# Properties

AT_QUARTERS = st.builds(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}", st.integers(0, 95))
INTERVALS = st.tuples(AT_QUARTERS, AT_QUARTERS).filter(lambda pair: pair[0] < pair[1]).map("-".join)
SOME_HOURS = st.dictionaries(
    st.sampled_from(WEEKDAYS), st.lists(INTERVALS, min_size=1, max_size=3), min_size=1
)
CALLBACKS = st.builds(
    Callbacks,
    within_minutes=st.integers(1, 1000),
    on_public_holidays=st.booleans(),
    holidays=st.lists(
        st.integers(0, 1500).map(
            lambda day: str(JalaliDate((FIRST + timedelta(days=day)).date())).replace("-", "/")
        ),
        max_size=5,
    ).map(tuple),
    hours=SOME_HOURS.map(lambda hours: {day: tuple(texts) for day, texts in hours.items()}),
)
MOMENTS = st.integers(0, 3 * 365 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))


def is_closed(day: date, callbacks: Callbacks) -> bool:
    return day in callbacks.days_off() or (
        not callbacks.on_public_holidays and day in public_holidays(day.year)
    )


@given(MOMENTS, CALLBACKS)
def test_a_promise_is_kept_while_somebody_works(now: datetime, callbacks: Callbacks) -> None:
    promised = promised_by(now, callbacks, TEHRAN)
    local = promised.astimezone(ZoneInfo(TEHRAN))
    assert promised > now
    assert local.minute % 15 == 0
    assert not is_closed(local.date(), callbacks)
    intervals = callbacks.intervals(WEEKDAYS[local.weekday()])
    assert any(begin < local.time() <= end for begin, end in intervals)


@given(MOMENTS, MOMENTS, CALLBACKS)
def test_who_asks_later_is_not_promised_an_earlier_call(
    one: datetime, other: datetime, callbacks: Callbacks
) -> None:
    first, second = sorted((one, other))
    assert promised_by(first, callbacks, TEHRAN) <= promised_by(second, callbacks, TEHRAN)


@given(MOMENTS, CALLBACKS)
def test_at_least_the_time_that_was_allowed_lies_in_between(now: datetime, callbacks: Callbacks) -> None:
    promised = promised_by(now, callbacks, TEHRAN)
    assert promised - now >= timedelta(minutes=callbacks.within_minutes)


# The owner's file


@pytest.mark.parametrize("day", ["1405/13/01", "1405/12/30", "2026/10/01", "05/1/1", "1405-10-01", "x", ""])
def test_a_holiday_that_is_no_jalali_date_is_refused_with_its_place(tmp_path: Path, day: str) -> None:
    path = tmp_path / "business.toml"
    text = EXAMPLE.read_text(encoding="utf-8").replace("holidays = []", f'holidays = ["{day}"]')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f'calendar.holidays: "{day}"'):
        read_business(path)


def test_the_owners_holidays_are_read() -> None:
    assert Callbacks(holidays=("1405/10/01",)).days_off() == {date(2026, 12, 22)}
