"""Moments as they are read in Iran, worked out without asking the time zone database."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from persiantools.jdatetime import JalaliDate

#: Iran's distance from UTC; until 1401 it was another one from 2 Farvardin to 30 Shahrivar.
_STANDARD, _SUMMER = timedelta(hours=3, minutes=30), timedelta(hours=4, minutes=30)


def at(text: str) -> datetime:
    """A moment, in UTC, such as ``1405/09/01 10:00``; ``+04:30`` behind it in daylight saving time."""
    day, clock, *offset = text.split()
    year, month, day_of_month = (int(part) for part in day.split("/"))
    hour, minute = (int(part) for part in clock.split(":"))
    gregorian = JalaliDate(year, month, day_of_month).to_gregorian()
    midnight = datetime(gregorian.year, gregorian.month, gregorian.day, tzinfo=timezone.utc)
    return midnight + timedelta(hours=hour, minutes=minute) - (_SUMMER if offset == ["+04:30"] else _STANDARD)
