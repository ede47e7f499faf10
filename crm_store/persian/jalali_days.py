"""Reckoning with days, weeks, months and years of the Jalali calendar."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from persiantools.jdatetime import JalaliDate

WEEK = 7


@lru_cache(maxsize=2048)
def jalali(day: date) -> tuple[int, int, int]:
    """Year, month and day of the Jalali calendar."""
    converted = JalaliDate(day)  # type: ignore[no-untyped-call]  # persiantools leaves it untyped
    return int(converted.year), int(converted.month), int(converted.day)


@lru_cache(maxsize=2048)
def jalali_day(year: int, month: int, day: int) -> date | None:
    """A day of the Jalali calendar; None if there is none."""
    try:
        found: date = JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]  # ships no types
    except ValueError:
        return None
    return found


def gregorian_day(year: int, month: int, day: int) -> date | None:
    """A day of the Gregorian calendar; None if there is none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


@lru_cache(maxsize=2048)
def month_start(year: int, month: int) -> date:
    """First day of a Jalali month; months below 1 and above 12 are of other years."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    found: date = JalaliDate(year, month, 1).to_gregorian()  # type: ignore[no-untyped-call]  # ships no types
    return found


def month_end(year: int, month: int) -> date:
    """Last day of a Jalali month."""
    return month_start(year, month + 1) - timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """The same day so many Jalali months later; a shorter month's last day where it has no such day."""
    year, month, number = jalali(day)
    first = month_start(year, month + months)
    last = month_start(year, month + months + 1) - timedelta(days=1)
    return min(first + timedelta(days=number - 1), last)


def add(day: date, unit: str, count: int) -> date:
    """A day so many days (d), weeks (k), months (l) or years (y) later."""
    if unit in "dk":
        return day + timedelta(days=count * (WEEK if unit == "k" else 1))
    return add_months(day, count * (12 if unit == "y" else 1))


def weekday(day: date) -> int:
    """Days since Saturday."""
    return (day.weekday() + 2) % WEEK


def week_start(day: date) -> date:
    """The Saturday on or before a day."""
    return day - timedelta(days=weekday(day))


def next_weekday(day: date, number: int) -> date:
    """The next such weekday after a day."""
    return day + timedelta(days=(number - weekday(day) - 1) % WEEK + 1)


def last_weekday(day: date, number: int) -> date:
    """The last such weekday before a day."""
    return day - timedelta(days=(weekday(day) - number - 1) % WEEK + 1)
