"""Moments as Iranians read them: Jalali dates, Tehran time, Persian digits."""

from __future__ import annotations

from datetime import date, datetime, timedelta
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
    jalali = _jalali(_local(moment, tz).date())
    return to_persian_digits(f"{jalali.day} {MONTH_NAMES_FA[jalali.month]} {jalali.year}")


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
    weekday = WEEKDAY_NAMES_FA[_jalali(local.date()).weekday()]
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
    jalali = _jalali(_local(moment, tz).date())
    return to_persian_digits(f"{jalali.year:04}/{jalali.month:02}/{jalali.day:02}")


def deadline_text(moment: datetime, *, now: datetime, tz: str = _TEHRAN) -> str:
    """Writes by when something is promised, such as «امروز تا ساعت ۱۶» or «شنبه ۷ آذر تا ساعت ۹:۳۰».

    Args:
        moment: The end of what is promised, with a time zone.
        now: The moment at which it is read, with a time zone: it makes a day today or tomorrow.
        tz: The time zone to show it in.

    Returns:
        Day and hour; a full hour stands without its minutes, and midnight belongs to the day that it ends.

    Raises:
        ValueError: If a moment has no time zone.
    """
    local, today = _local(moment, tz), _local(now, tz).date()
    day, hour = _end_of(local)
    return f"{_named(day, today)} تا ساعت {hour}"


def opening_text(moment: datetime, *, now: datetime, tz: str = _TEHRAN) -> str:
    """Writes from when somebody is there, such as «فردا از ساعت ۹» or «شنبه ۷ آذر از ساعت ۹:۳۰».

    Args:
        moment: The beginning, with a time zone.
        now: The moment at which it is read, with a time zone: it makes a day today or tomorrow.
        tz: The time zone to show it in.

    Returns:
        Day and hour; a full hour stands without its minutes.

    Raises:
        ValueError: If a moment has no time zone.
    """
    local = _local(moment, tz)
    return f"{_named(local.date(), _local(now, tz).date())} از ساعت {_hour_text(local)}"


def span_text(start: datetime, end: datetime, *, now: datetime, tz: str = _TEHRAN) -> str:
    """Writes from when to when somebody comes, such as «پنجشنبه ۵ آذر، ساعت ۱۴ تا ۱۷».

    Args:
        start: The beginning, with a time zone.
        end: The end, with a time zone.
        now: The moment at which it is read, with a time zone: it makes a day today or tomorrow.
        tz: The time zone to show it in.

    Returns:
        Day and hours; a span over midnight names both days.

    Raises:
        ValueError: If a moment has no time zone.
    """
    begin, today = _local(start, tz), _local(now, tz).date()
    last_day, last_hour = _end_of(_local(end, tz))
    until = last_hour if last_day <= begin.date() else f"{_named(last_day, today)}، ساعت {last_hour}"
    return f"{_named(begin.date(), today)}، ساعت {_hour_text(begin)} تا {until}"


def _end_of(local: datetime) -> tuple[date, str]:
    """The day that a moment ends, and its hour; nobody reads «تا ساعت ۰» as the end of the day before."""
    if (local.hour, local.minute) == (0, 0):
        return local.date() - timedelta(days=1), to_persian_digits("24")
    return local.date(), _hour_text(local)


def _hour_text(local: datetime) -> str:
    """A time as people say it: a full hour stands without its minutes."""
    return to_persian_digits(f"{local.hour}:{local:%M}".removesuffix(":00"))


def _named(day: date, today: date) -> str:
    return {today: "امروز", today + timedelta(days=1): "فردا"}.get(day) or _weekday_and_day(day)


def _weekday_and_day(day: date) -> str:
    jalali = _jalali(day)
    weekday, month = WEEKDAY_NAMES_FA[jalali.weekday()], MONTH_NAMES_FA[jalali.month]
    return f"{weekday} {to_persian_digits(jalali.day)} {month}"


def _local(moment: datetime, tz: str) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(ZoneInfo(tz))


def _jalali(day: date) -> JalaliDate:
    return JalaliDate(day)  # type: ignore[no-untyped-call]  # persiantools leaves it untyped
