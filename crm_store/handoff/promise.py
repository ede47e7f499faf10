"""By when a call is promised: working time, counted as the owner's business file says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

from crm_store.business import Callbacks, Weekday

#: In the order of `datetime.date.weekday`.
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
#: Seconds to whose full number a promise is rounded up: "by 11:15" reads better than "by 11:07".
QUARTER = 900
#: The promise of a business that has not said when it works.
WITHOUT_HOURS = timedelta(hours=24)


def promised_by(now: datetime, callbacks: Callbacks, timezone: str) -> datetime:
    """The moment by which a call that is asked for now is promised.

    It lies ``within_minutes`` of working time after now, rounded up to a quarter of an hour but never past
    the end of the interval that it falls into. Holidays are no working time.

    Args:
        now: a moment with a time zone.
        callbacks: working hours, holidays and how soon calls are made.
        timezone: the time zone of the working hours, such as ``Asia/Tehran``.

    Returns:
        The moment, in UTC.

    Raises:
        ValueError: the moment has no time zone.
    """
    if now.utcoffset() is None:
        raise ValueError("a moment needs a time zone")
    if not any(callbacks.hours.values()):
        return _rounded_up(now + WITHOUT_HOURS)
    working_time = _working_time(now, callbacks, ZoneInfo(timezone))
    left, (begin, end) = timedelta(minutes=callbacks.within_minutes), next(working_time)
    while left > end - begin:
        left, (begin, end) = left - (end - begin), next(working_time)
    return min(_rounded_up(begin + left), end)


@lru_cache(maxsize=8)
def public_holidays(year: int) -> frozenset[date]:
    """Iran's public holidays within a Gregorian year, those of the lunar calendar included.

    The dates of the lunar ones are estimates for the years to come, until they are announced.
    """
    return frozenset(country_holidays("IR", years=year))


def _working_time(now: datetime, callbacks: Callbacks, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Intervals of working time from now on, in UTC; they do not overlap."""
    free, over = callbacks.days_off(), now.astimezone(timezone.utc)
    day = now.astimezone(zone).date()
    while True:
        if not (day in free or (not callbacks.on_public_holidays and day in public_holidays(day.year))):
            for begins, ends in callbacks.intervals(WEEKDAYS[day.weekday()]):
                begin, end = (
                    datetime.combine(day, moment, zone).astimezone(timezone.utc) for moment in (begins, ends)
                )
                # What is over, or stands in another interval already, counts no more.
                begin, over = max(begin, over), max(end, over)
                if begin < end:
                    yield begin, end
        day += timedelta(days=1)


def _rounded_up(moment: datetime) -> datetime:
    seconds = -(-moment.timestamp() // QUARTER) * QUARTER
    return datetime.fromtimestamp(seconds, tz=timezone.utc)
