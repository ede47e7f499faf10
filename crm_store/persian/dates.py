"""Moments as Iranians read them: Jalali dates, Tehran time, Persian digits."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from persiantools.jdatetime import MONTH_NAMES_FA, WEEKDAY_NAMES_FA, JalaliDate

from crm_store.persian.digits import to_persian_digits

_TEHRAN = "Asia/Tehran"


def to_jalali_text(moment: datetime, tz: str = _TEHRAN) -> str:
    """Writes the date of a moment, such as «۱ آذر ۱۴۰۵».

    Args:
        moment: A moment with a time zone.
        tz: The time zone to show it in.

    Returns:
        Day, month's name and year.

    Raises:
        ValueError: If the moment has no time zone.
    """
    date = _jalali(_local(moment, tz))
    return to_persian_digits(f"{date.day} {MONTH_NAMES_FA[date.month]} {date.year}")


def to_jalali_datetime_text(moment: datetime, tz: str = _TEHRAN) -> str:
    """Writes a moment with weekday and time, such as «یکشنبه ۱ آذر ۱۴۰۵، ساعت ۱۴:۰۵».

    Args:
        moment: A moment with a time zone.
        tz: The time zone to show it in.

    Returns:
        Weekday, date and time (24 hours).

    Raises:
        ValueError: If the moment has no time zone.
    """
    local = _local(moment, tz)
    weekday = WEEKDAY_NAMES_FA[_jalali(local).weekday()]
    return f"{weekday} {to_jalali_text(moment, tz)}، ساعت {to_persian_digits(f'{local:%H:%M}')}"


def jalali_numeric(moment: datetime, tz: str = _TEHRAN) -> str:
    """Writes the date of a moment in digits, such as «۱۴۰۵/۰۹/۰۱».

    Args:
        moment: A moment with a time zone.
        tz: The time zone to show it in.

    Returns:
        Year, month and day.

    Raises:
        ValueError: If the moment has no time zone.
    """
    date = _jalali(_local(moment, tz))
    return to_persian_digits(f"{date.year:04}/{date.month:02}/{date.day:02}")


def _local(moment: datetime, tz: str) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(ZoneInfo(tz))


def _jalali(local: datetime) -> JalaliDate:
    return JalaliDate(local.date())  # type: ignore[no-untyped-call]  # persiantools leaves it untyped
