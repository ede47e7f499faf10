"""Working time is counted exactly: over nights, holidays, two intervals a day and changes of the clock.

The expected values were worked out by hand: a moment is written with its Jalali date, the local time and its
distance from UTC, so that nothing here asks the time zone database.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from crm_store.business import WEEKDAYS, Calendar
from crm_store.business.calendar import END_OF_DAY
from crm_store.errors import ConfigurationError
from crm_store.working_time import WorkingTime, public_holidays, span_of
from tests.iran import at

TEHRAN = "Asia/Tehran"


def daily(*intervals: str, observed: bool = False) -> Calendar:
    """The same hours every day; public holidays are worked unless they are observed."""
    return Calendar(hours=dict.fromkeys(WEEKDAYS, intervals), on_public_holidays=not observed)


def with_days(
    calendar: Calendar, *, holidays: tuple[str, ...] = (), struck: tuple[str, ...] = ()
) -> Calendar:
    return msgspec.structs.replace(calendar, holidays=holidays, working_days=struck)


#: Saturday to Wednesday from 9 to 17, Thursday until 13; 44 hours a week.
OFFICE = Calendar(
    hours={
        **dict.fromkeys(("saturday", "sunday", "monday", "tuesday", "wednesday"), ("09:00-17:00",)),
        "thursday": ("09:00-13:00",),
    }
)
#: Saturday to Thursday, closed at noon.
SHOP = Calendar(
    hours={day: ("16:00-20:00", "09:00-13:00") for day in WEEKDAYS if day != "friday"},
)
ALWAYS = Calendar()
ROUND_THE_CLOCK = daily("00:00-24:00")
ROUND_THE_CLOCK_BUT_HOLIDAYS = daily("00:00-24:00", observed=True)
NIGHTS = daily("00:00-06:00", "22:00-24:00")
NIGHTS_BUT_HOLIDAYS = daily("00:00-06:00", "22:00-24:00", observed=True)
EVENINGS = daily("20:00-24:00")
OFFICE_ON_HOLIDAYS = msgspec.structs.replace(OFFICE, on_public_holidays=True)
# 2 Dey 1405, a Wednesday, is the birthday of Imam Ali.
STRUCK = with_days(OFFICE, struck=("1405/10/02",))
MOVED = with_days(OFFICE, struck=("1405/10/02",), holidays=("1405/10/03",))
# 2 Azar 1405, a Monday.
CLOSED_ON_MONDAY = with_days(OFFICE, holidays=("1405/09/02",))


@pytest.mark.parametrize(
    ("calendar", "start", "minutes", "end"),
    [
        # A week without holidays: 1 Azar 1405 is a Sunday
        (OFFICE, "1405/09/01 10:00", 60, "1405/09/01 11:00"),
        (OFFICE, "1405/09/01 06:30", 120, "1405/09/01 11:00"),
        (OFFICE, "1405/09/01 00:00", 1, "1405/09/01 09:01"),
        (OFFICE, "1405/09/01 09:00", 480, "1405/09/01 17:00"),
        (OFFICE, "1405/09/01 09:00", 481, "1405/09/02 09:01"),
        (OFFICE, "1405/09/01 16:59", 2, "1405/09/02 09:01"),
        (OFFICE, "1405/09/01 17:00", 1, "1405/09/02 09:01"),
        (OFFICE, "1405/09/01 17:00", 0, "1405/09/01 17:00"),
        (OFFICE, "1405/09/01 20:00", 0, "1405/09/01 20:00"),
        (OFFICE, "1405/09/01 20:00", 480, "1405/09/02 17:00"),
        # Thursday is short, Friday closed
        (OFFICE, "1405/09/05 12:30", 60, "1405/09/07 09:30"),
        (OFFICE, "1405/09/05 13:00", 480, "1405/09/07 17:00"),
        (OFFICE, "1405/09/06 12:00", 30, "1405/09/07 09:30"),
        (OFFICE, "1405/09/07 09:00", 44 * 60, "1405/09/12 13:00"),
        (OFFICE, "1405/09/07 09:00", 44 * 60 + 1, "1405/09/14 09:01"),
        # Wednesday, 2 Dey 1405: a holiday of the lunar calendar
        (OFFICE, "1405/10/01 16:00", 120, "1405/10/03 10:00"),
        (OFFICE, "1405/10/02 11:00", 60, "1405/10/03 10:00"),
        (OFFICE, "1405/10/01 17:00", 240, "1405/10/03 13:00"),
        (OFFICE, "1405/10/01 17:00", 241, "1405/10/05 09:01"),
        # Wednesday and Thursday, 3 and 4 Tir 1405: Tasua and Ashura
        (OFFICE, "1405/04/02 16:59", 2, "1405/04/06 09:01"),
        # Wednesday and Thursday, 21 and 22 Mordad 1405
        (OFFICE, "1405/05/20 15:00", 180, "1405/05/24 10:00"),
        # Thursday, 14 Khordad 1405: both of the solar and of the lunar calendar
        (OFFICE, "1405/03/13 17:00", 60, "1405/03/16 10:00"),
        # Thursday, 22 Bahman 1405
        (OFFICE, "1405/11/21 16:00", 120, "1405/11/24 10:00"),
        # Nowruz 1406: Saturday, 29 Esfand, to Wednesday, 4 Farvardin
        (OFFICE, "1405/12/27 12:00", 120, "1406/01/05 10:00"),
        (OFFICE, "1405/12/27 13:00", 241, "1406/01/07 09:01"),
        (OFFICE, "1406/01/02 10:00", 60, "1406/01/05 10:00"),
        # Nowruz 1405: Saturday to Tuesday, which are Eid al-Fitr too
        (OFFICE, "1404/12/28 12:00", 120, "1405/01/05 10:00"),
        # 12 and 13 Farvardin 1405: Wednesday and Thursday
        (OFFICE, "1405/01/11 16:30", 60, "1405/01/15 09:30"),
        # Nowruz 1404, after a leap year: Wednesday, 29 Esfand, to Monday, 4 Farvardin
        (OFFICE, "1403/12/28 16:00", 120, "1404/01/05 10:00"),
        # 11 to 13 Farvardin 1404: Eid al-Fitr and the thirteenth, Monday to Wednesday
        (OFFICE, "1404/01/10 16:00", 120, "1404/01/14 10:00"),
        # Two intervals a day
        (SHOP, "1405/09/01 12:20", 70, "1405/09/01 16:30"),
        (SHOP, "1405/09/01 13:00", 30, "1405/09/01 16:30"),
        (SHOP, "1405/09/01 14:00", 240, "1405/09/01 20:00"),
        (SHOP, "1405/09/01 09:00", 240, "1405/09/01 13:00"),
        (SHOP, "1405/09/01 09:00", 241, "1405/09/01 16:01"),
        (SHOP, "1405/09/01 09:00", 480, "1405/09/01 20:00"),
        (SHOP, "1405/09/01 19:30", 60, "1405/09/02 09:30"),
        (SHOP, "1405/09/05 19:00", 120, "1405/09/07 10:00"),
        (SHOP, "1405/10/01 19:00", 120, "1405/10/03 10:00"),
        # A public holiday is struck; one is moved by a day, as the moon was seen late
        (STRUCK, "1405/10/01 16:00", 120, "1405/10/02 10:00"),
        (STRUCK, "1405/10/02 16:00", 120, "1405/10/03 10:00"),
        (MOVED, "1405/10/01 16:00", 120, "1405/10/02 10:00"),
        (MOVED, "1405/10/02 16:00", 120, "1405/10/05 10:00"),
        # A day of Nowruz is worked: Monday, 3 Farvardin 1405
        (with_days(OFFICE, struck=("1405/01/03",)), "1404/12/28 13:00", 540, "1405/01/05 10:00"),
        # Striking Friday, 15 Khordad 1405, gives Friday no hours
        (with_days(OFFICE, struck=("1405/03/15",)), "1405/03/13 17:00", 60, "1405/03/16 10:00"),
        # A holiday of the business's own
        (CLOSED_ON_MONDAY, "1405/09/01 16:00", 120, "1405/09/03 10:00"),
        (CLOSED_ON_MONDAY, "1405/09/02 12:00", 480, "1405/09/03 17:00"),
        # Public holidays are worked
        (OFFICE_ON_HOLIDAYS, "1406/01/01 10:00", 120, "1406/01/01 12:00"),
        (OFFICE_ON_HOLIDAYS, "1405/12/29 16:00", 120, "1406/01/01 10:00"),
        # Midnight
        (EVENINGS, "1405/09/01 23:30", 30, "1405/09/02 00:00"),
        (EVENINGS, "1405/09/01 23:30", 60, "1405/09/02 20:30"),
        (NIGHTS, "1405/09/01 23:00", 120, "1405/09/02 01:00"),
        (NIGHTS, "1405/09/01 22:00", 480, "1405/09/02 06:00"),
        (NIGHTS, "1405/09/01 05:00", 120, "1405/09/01 23:00"),
        (NIGHTS, "1405/09/01 00:00", 480, "1405/09/02 00:00"),
        (NIGHTS_BUT_HOLIDAYS, "1405/10/01 23:00", 120, "1405/10/03 01:00"),
        (ROUND_THE_CLOCK_BUT_HOLIDAYS, "1405/10/01 12:00", 24 * 60, "1405/10/03 12:00"),
        # Without hours all time counts, holidays included
        (ALWAYS, "1405/10/02 12:00", 24 * 60, "1405/10/03 12:00"),
        (with_days(ALWAYS, holidays=("1405/10/02",)), "1405/10/02 12:00", 24 * 60, "1405/10/03 12:00"),
        # 2 Farvardin 1401 begins at one o'clock: midnight and the hour after it are skipped
        (ALWAYS, "1401/01/01 12:00", 24 * 60, "1401/01/02 13:00 +04:30"),
        (ROUND_THE_CLOCK, "1401/01/01 12:00", 24 * 60, "1401/01/02 13:00 +04:30"),
        (ROUND_THE_CLOCK, "1401/01/01 23:00", 120, "1401/01/02 02:00 +04:30"),
        (ROUND_THE_CLOCK, "1400/01/01 23:00", 120, "1400/01/02 02:00 +04:30"),
        (NIGHTS, "1401/01/01 22:00", 480, "1401/01/02 23:00 +04:30"),
        (NIGHTS, "1401/01/02 03:00 +04:30", 60, "1401/01/02 04:00 +04:30"),
        (EVENINGS, "1401/01/01 20:00", 240, "1401/01/02 01:00 +04:30"),
        (OFFICE_ON_HOLIDAYS, "1401/01/01 16:00", 120, "1401/01/02 10:00 +04:30"),
        (daily("00:30-02:00"), "1401/01/01 12:00", 90, "1401/01/03 01:00 +04:30"),
        (daily("00:15-00:45"), "1401/01/01 12:00", 30, "1401/01/03 00:45 +04:30"),
        # Nowruz 1401 is closed from Monday to Thursday; on Saturday it is summer
        (OFFICE, "1400/12/28 12:00", 360, "1401/01/06 10:00 +04:30"),
        # 30 Shahrivar 1401, a Wednesday, has an hour more: it is eleven twice
        (ALWAYS, "1401/06/30 12:00 +04:30", 24 * 60, "1401/06/31 11:00"),
        (ROUND_THE_CLOCK, "1401/06/30 12:00 +04:30", 24 * 60, "1401/06/31 11:00"),
        (ROUND_THE_CLOCK, "1401/06/30 23:30 +04:30", 60, "1401/06/30 23:30"),
        (ROUND_THE_CLOCK, "1401/06/30 23:30", 60, "1401/06/31 00:30"),
        (NIGHTS, "1401/06/30 22:00 +04:30", 240, "1401/06/31 01:00"),
        (EVENINGS, "1401/06/30 20:00 +04:30", 300, "1401/06/31 00:00"),
        (daily("23:30-24:00"), "1401/06/30 12:00 +04:30", 90, "1401/06/31 00:00"),
        (daily("22:00-23:30"), "1401/06/30 12:00 +04:30", 100, "1401/06/31 22:10"),
        (OFFICE, "1401/06/30 16:00 +04:30", 120, "1401/06/31 10:00"),
        # From 1402 on clocks are left alone
        (ROUND_THE_CLOCK, "1402/01/01 12:00", 24 * 60, "1402/01/02 12:00"),
        (NIGHTS, "1402/06/30 22:00", 240, "1402/06/31 02:00"),
    ],
)
def test_working_time_is_added(calendar: Calendar, start: str, minutes: int, end: str) -> None:
    found = WorkingTime(calendar, TEHRAN).add(at(start), timedelta(minutes=minutes))
    assert found == at(end)
    assert found.tzinfo is timezone.utc


@pytest.mark.parametrize(
    ("calendar", "end", "minutes", "start"),
    [
        (OFFICE, "1405/09/02 10:00", 120, "1405/09/01 16:00"),
        (OFFICE, "1405/09/02 09:30", 30, "1405/09/02 09:00"),
        (OFFICE, "1405/09/02 09:00", 60, "1405/09/01 16:00"),
        (OFFICE, "1405/09/02 08:00", 60, "1405/09/01 16:00"),
        (OFFICE, "1405/10/03 10:00", 120, "1405/10/01 16:00"),
        (OFFICE, "1406/01/05 10:00", 120, "1405/12/27 12:00"),
        (SHOP, "1405/09/01 16:30", 70, "1405/09/01 12:20"),
        (ROUND_THE_CLOCK, "1401/01/02 13:00 +04:30", 24 * 60, "1401/01/01 12:00"),
        (NIGHTS, "1401/06/31 01:00", 240, "1401/06/30 22:00 +04:30"),
        (ALWAYS, "1405/10/03 12:00", 24 * 60, "1405/10/02 12:00"),
    ],
)
def test_a_negative_amount_leads_back(calendar: Calendar, end: str, minutes: int, start: str) -> None:
    assert WorkingTime(calendar, TEHRAN).add(at(end), -timedelta(minutes=minutes)) == at(start)


@pytest.mark.parametrize(
    ("calendar", "start", "end", "hours"),
    [
        (OFFICE, "1405/09/01 10:00", "1405/09/01 11:00", 1),
        (OFFICE, "1405/09/01 17:00", "1405/09/02 09:00", 0),
        (OFFICE, "1405/09/01 16:00", "1405/09/02 10:00", 2),
        (OFFICE, "1405/09/07 00:00", "1405/09/14 00:00", 44),
        (OFFICE, "1405/10/01 09:00", "1405/10/03 13:00", 12),
        (OFFICE, "1405/12/27 00:00", "1406/01/06 00:00", 8),
        (OFFICE, "1405/09/02 10:00", "1405/09/01 10:00", 0),
        (SHOP, "1405/09/01 12:00", "1405/09/01 17:00", 2),
        (STRUCK, "1405/10/01 09:00", "1405/10/03 13:00", 20),
        (NIGHTS, "1405/09/01 12:00", "1405/09/02 12:00", 8),
        (NIGHTS, "1401/01/01 12:00", "1401/01/02 12:00 +04:30", 7),
        (NIGHTS, "1401/06/30 12:00 +04:30", "1401/06/31 12:00", 9),
        (ROUND_THE_CLOCK, "1401/01/01 00:00", "1401/01/03 00:00 +04:30", 47),
        (ROUND_THE_CLOCK, "1401/06/30 00:00 +04:30", "1401/06/31 00:00", 25),
        (ALWAYS, "1406/01/01 00:00", "1406/01/02 00:00", 24),
        # From 1 Farvardin 1401 to the next: 365 days as the clock of the world counts them
        (ALWAYS, "1401/01/01 00:00", "1402/01/01 00:00", 365 * 24),
    ],
)
def test_working_time_is_counted(calendar: Calendar, start: str, end: str, hours: int) -> None:
    assert WorkingTime(calendar, TEHRAN).between(at(start), at(end)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("calendar", "moment", "begins"),
    [
        (OFFICE, "1405/09/01 09:00", "1405/09/01 09:00"),
        (OFFICE, "1405/09/01 16:59", "1405/09/01 16:59"),
        (OFFICE, "1405/09/01 17:00", "1405/09/02 09:00"),
        (OFFICE, "1405/09/05 13:00", "1405/09/07 09:00"),
        (OFFICE, "1405/10/02 12:00", "1405/10/03 09:00"),
        (SHOP, "1405/09/01 13:00", "1405/09/01 16:00"),
        (NIGHTS, "1405/09/02 00:00", "1405/09/02 00:00"),
        (daily("00:30-02:00"), "1401/01/01 12:00", "1401/01/02 01:00 +04:30"),
        (ALWAYS, "1406/01/01 03:00", "1406/01/01 03:00"),
    ],
)
def test_somebody_works_from_the_next_start_on(calendar: Calendar, moment: str, begins: str) -> None:
    working = WorkingTime(calendar, TEHRAN)
    assert working.next_start(at(moment)) == at(begins)
    assert working.is_working(at(begins))
    assert working.is_working(at(moment)) is (moment == begins)


def test_intervals_that_overlap_or_touch_count_once() -> None:
    working = WorkingTime(daily("09:00-11:00", "10:00-12:00", "09:30-10:00", "12:00-13:00"), TEHRAN)
    assert working.between(at("1405/09/01 00:00"), at("1405/09/02 00:00")) == timedelta(hours=4)
    assert working.add(at("1405/09/01 09:00"), timedelta(minutes=200)) == at("1405/09/01 12:20")


def test_a_day_off_is_a_holiday_of_the_business_or_a_public_one_that_is_not_struck() -> None:
    working = WorkingTime(MOVED, TEHRAN)
    days = [date(2026, 12, 22), date(2026, 12, 23), date(2026, 12, 24), date(2027, 3, 21)]
    assert [working.is_day_off(day) for day in days] == [False, False, True, True]


def test_other_places_change_their_clocks_at_other_times() -> None:
    berlin = WorkingTime(daily("02:00-04:00"), "Europe/Berlin")
    # In Berlin it was three right after two on 29 March 2026, and two o'clock twice on 25 October.
    for day, hours in ((28, 2), (29, 1)):
        morning = datetime(2026, 3, day, tzinfo=timezone.utc)
        assert berlin.between(morning, morning + timedelta(hours=12)) == timedelta(hours=hours)
    autumn = datetime(2026, 10, 24, 22, tzinfo=timezone.utc)
    assert berlin.between(autumn, autumn + timedelta(hours=12)) == timedelta(hours=3)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    working, naive = WorkingTime(OFFICE, TEHRAN), at("1405/09/01 10:00").replace(tzinfo=None)
    for ask in (working.is_working, working.next_start, lambda moment: working.add(moment, timedelta(1))):
        with pytest.raises(ValueError, match="time zone"):
            ask(naive)


@pytest.mark.parametrize("back", [False, True])
def test_a_calendar_in_which_nobody_ever_works_is_named(back: bool) -> None:
    start = JalaliDate(1403, 1, 3).to_gregorian()
    days = (start + timedelta(days=day) for day in range(0, 4 * 366, 7))
    fridays = tuple(JalaliDate(day).strftime("%Y/%m/%d") for day in days)
    never = with_days(Calendar(hours={"friday": ("09:00-13:00",)}), holidays=fridays)
    working = WorkingTime(never, TEHRAN, "callback")
    with pytest.raises(ConfigurationError, match=r"^callback: nobody works for 366 days"):
        working.add(at("1405/01/01 12:00"), timedelta(minutes=-1 if back else 1))


def test_a_rare_day_is_found_all_the_same() -> None:
    start = JalaliDate(1405, 1, 7).to_gregorian()
    fridays = tuple(JalaliDate(start + timedelta(days=7 * week)).strftime("%Y/%m/%d") for week in range(45))
    rare = with_days(Calendar(hours={"friday": ("09:00-13:00",)}), holidays=fridays)
    # Friday, 16 Bahman 1405, is the first one that is not struck.
    assert WorkingTime(rare, TEHRAN).next_start(at("1405/01/06 12:00")) == at("1405/11/16 09:00")


def test_a_year_of_working_time_is_added_and_measured_alike() -> None:
    working, start = WorkingTime(SHOP, TEHRAN), at("1405/09/01 10:00")
    end = working.add(start, timedelta(hours=300 * 8))
    assert working.between(start, end) == timedelta(hours=300 * 8)


# Properties

#: On the half hours between which nothing begins or ends: 1400 to 1402, with four changes of the clock.
FIRST, HALF_HOURS = datetime(2021, 2, 1, tzinfo=timezone.utc), 2 * 24 * 800
MOMENTS = st.integers(0, HALF_HOURS).map(lambda count: FIRST + timedelta(minutes=30) * count)
HOURS = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1])
INTERVALS = HOURS.map(lambda pair: f"{pair[0]:02}:00-{pair[1]:02}:00")
DAYS = st.integers(0, 800).map(lambda day: JalaliDate((FIRST + timedelta(day)).date()).strftime("%Y/%m/%d"))
CALENDARS = st.builds(
    Calendar,
    hours=st.dictionaries(
        st.sampled_from(WEEKDAYS), st.lists(INTERVALS, min_size=1, max_size=3).map(tuple), min_size=1
    ),
    on_public_holidays=st.booleans(),
    holidays=st.lists(DAYS, max_size=5).map(tuple),
    working_days=st.lists(DAYS, max_size=5).map(tuple),
)
AMOUNTS = st.integers(1, 40 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


def is_worked(moment: datetime, calendar: Calendar) -> bool:
    """Read off the wall clock and the calendar on the wall."""
    local = moment.astimezone(ZoneInfo(TEHRAN))
    day = local.date()
    if day in calendar.days_off():
        return False
    if not calendar.on_public_holidays and day in public_holidays(day.year) - calendar.days_on():
        return False
    spans = calendar.hours.get(WEEKDAYS[day.weekday()], ())
    return any(span[:5] <= f"{local:%H:%M}" < span[-5:] for span in spans)


@given(MOMENTS, st.integers(0, 20 * 48), CALENDARS)
def test_a_stretch_has_as_much_working_time_as_one_counts_on_the_wall_clock(
    start: datetime, half_hours: int, calendar: Calendar
) -> None:
    worked = sum(is_worked(start + timedelta(minutes=30) * count, calendar) for count in range(half_hours))
    end = start + timedelta(minutes=30) * half_hours
    assert WorkingTime(calendar, TEHRAN).between(start, end) == timedelta(minutes=30) * worked


@given(MOMENTS, CALENDARS)
def test_a_moment_is_worked_as_one_reads_on_the_wall_clock(moment: datetime, calendar: Calendar) -> None:
    assert WorkingTime(calendar, TEHRAN).is_working(moment) is is_worked(moment, calendar)


@given(MOMENTS, AMOUNTS, CALENDARS)
def test_what_was_added_lies_in_between_and_not_a_moment_earlier(
    start: datetime, amount: timedelta, calendar: Calendar
) -> None:
    working, second = WorkingTime(calendar, TEHRAN), timedelta(seconds=1)
    end = working.add(start, amount)
    assert working.between(start, end) == amount
    assert working.between(start, end - second) == amount - second
    assert working.is_working(end - second)


@given(MOMENTS, AMOUNTS, CALENDARS)
def test_going_back_is_going_forward_from_the_other_end(
    end: datetime, amount: timedelta, calendar: Calendar
) -> None:
    working = WorkingTime(calendar, TEHRAN)
    start = working.add(end, -amount)
    assert working.between(start, end) == amount
    assert working.is_working(start)
    if working.is_working(end - timedelta(seconds=1)):
        assert working.add(start, amount) == end


@given(MOMENTS, AMOUNTS, AMOUNTS, CALENDARS)
def test_two_amounts_after_another_are_one(
    start: datetime, one: timedelta, other: timedelta, calendar: Calendar
) -> None:
    working = WorkingTime(calendar, TEHRAN)
    assert working.add(working.add(start, one), other) == working.add(start, one + other)


@given(st.lists(MOMENTS, min_size=3, max_size=3).map(sorted), CALENDARS)
def test_a_stretch_is_the_sum_of_its_parts(moments: list[datetime], calendar: Calendar) -> None:
    working, (first, middle, last) = WorkingTime(calendar, TEHRAN), moments
    parts = working.between(first, middle) + working.between(middle, last)
    assert parts == working.between(first, last) <= last - first


@given(st.lists(MOMENTS, min_size=2, max_size=2).map(sorted), AMOUNTS, CALENDARS)
def test_who_begins_later_is_not_ready_earlier(
    moments: list[datetime], amount: timedelta, calendar: Calendar
) -> None:
    working = WorkingTime(calendar, TEHRAN)
    assert working.add(moments[0], amount) <= working.add(moments[1], amount)


@given(MOMENTS, CALENDARS)
def test_the_next_start_is_the_first_moment_that_is_worked(moment: datetime, calendar: Calendar) -> None:
    working = WorkingTime(calendar, TEHRAN)
    start = working.next_start(moment)
    assert start >= moment
    assert working.is_working(start)
    assert working.between(moment, start) == timedelta()


# What the owner writes


@pytest.mark.parametrize("text", ["22:00-06:00", "24:00-06:00", "17:00-09:00", "09:00-09:00", "09:00-00:00"])
def test_an_interval_does_not_cross_midnight_and_the_owner_learns_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"calendar\.hours: ") as refused:
        Calendar(hours={"sunday": (text,)}).check("calendar")
    if not text.startswith("24"):
        assert 'until "24:00", and from "00:00" of the next day' in str(refused.value)


@pytest.mark.parametrize("text", ["9-17", "09:00", "", "-", "09:00-24:30", "09:00-25:00", "nine-five"])
def test_an_interval_that_cannot_be_read_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"calendar\.hours: .* must be written like"):
        Calendar(hours={"sunday": (text,)}).check("calendar")


def test_an_interval_may_last_until_midnight() -> None:
    calendar = Calendar(hours={"sunday": ("20:00 - 24:00",)})
    calendar.check("calendar")
    ((begin, end),) = calendar.intervals("sunday")
    assert end == END_OF_DAY
    assert span_of(date(2026, 11, 22), (begin, end), ZoneInfo(TEHRAN)) == (
        at("1405/09/01 20:00"),
        at("1405/09/02 00:00"),
    )


def test_a_day_cannot_be_both_a_holiday_and_worked() -> None:
    both = with_days(OFFICE, holidays=("1405/10/02",), struck=("۱۴۰۵/۱۰/۰۲",))
    with pytest.raises(ValueError, match=r"calendar\.working_days: 1405/10/02 stands among the holidays"):
        both.check("calendar")
