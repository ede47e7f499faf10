"""What the console's templates of tickets, customers and the club show figures and moments with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timezone
from functools import partial
from zoneinfo import ZoneInfo

from bot.console.labels import label
from crm_store.base import utcnow
from crm_store.loyalty.codes import grouped
from crm_store.persian import (
    deadline_text,
    group_thousands,
    jalali_numeric,
    masked_phone,
    rich,
    span_text,
    to_jalali_text,
    to_persian_digits,
    toman_text,
)

_MINUS, _DECIMAL_POINT = "\u2212", "\u066b"


def desk_filters(zone: str) -> dict[str, Callable[..., object]]:
    """Filters of Jinja by their names.

    Args:
        zone: the time zone in which moments are shown.
    """
    return {
        "day": partial(to_jalali_text, tz=zone),
        "date": partial(jalali_numeric, tz=zone),
        "short": partial(_short, zone=zone),
        "due": partial(_due, zone=zone),
        "birthday": _birthday,
        "window": partial(_window, zone=zone),
        "clock_time": partial(_clock_time, zone=zone),
        "number": group_thousands,
        "decimal": _decimal,
        "tomans": toman_text,
        "grouped": grouped,
        "plain": rich.to_plain,
        "masked_phone": masked_phone,
        "label": label,
    }


def _short(moment: datetime, *, zone: str) -> str:
    """A Jalali date and the time, in digits."""
    return f"{jalali_numeric(moment, zone)} {_clock_time(moment, zone=zone)}"


def _clock_time(moment: datetime, *, zone: str) -> str:
    return to_persian_digits(f"{moment.astimezone(ZoneInfo(zone)):%H:%M}")


def _due(moment: datetime, *, zone: str) -> str:
    return deadline_text(moment, now=utcnow(), tz=zone)


def _birthday(day: date) -> str:
    """A day of the calendar, whatever the time zone."""
    return to_jalali_text(datetime.combine(day, time(12), timezone.utc), "UTC")


def _window(window: object, *, zone: str) -> str:
    """From when to when; anything with ``starts_at`` and ``ends_at``."""
    starts_at, ends_at = (getattr(window, name) for name in ("starts_at", "ends_at"))
    return span_text(starts_at, ends_at, now=utcnow(), tz=zone)


def _decimal(value: float, places: int = 1) -> str:
    text = f"{abs(value):.{places}f}"
    sign = _MINUS if value < 0 and float(text) else ""
    return sign + to_persian_digits(text.replace(".", _DECIMAL_POINT))
