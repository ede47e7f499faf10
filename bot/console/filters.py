"""What the console's templates of tickets, customers and the club show figures and moments with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timezone
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.console.labels import label
from crm_store.base import utcnow
from crm_store.handoff.presence import presence_of
from crm_store.loyalty.codes import grouped
from crm_store.persian import (
    deadline_text,
    find_phones,
    group_thousands,
    jalali_numeric,
    masked_phone,
    normalize_phone,
    rich,
    span_text,
    to_jalali_text,
    to_persian_digits,
    toman_text,
)
from crm_store.staff.phones import said
from crm_store.transcripts.search import Piece

Mark = TypeVar("Mark")

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
        "contact_phone": _contact_phone,
        "said": _said,
        "said_runs": _said_runs,
        "said_pieces": _said_pieces,
        "label": label,
        "presence_now": presence_of,
    }


def _said(text: str, shows_phones: bool) -> str:
    """What somebody wrote, with its phone numbers hidden from those who do not see them whole."""
    return said(text, is_whole=bool(shows_phones))


def _said_runs(runs: Iterable[tuple[str, Mark]], shows_phones: bool) -> list[tuple[str, Mark]]:
    """The same of a text in runs of one style each: a number that several runs share stands in the first."""
    runs, begin = list(runs), 0
    if shows_phones:
        return runs
    text = "".join(run for run, _ in runs)
    phones = find_phones(text)
    hidden: list[tuple[str, Mark]] = []
    for run, mark in runs:
        shown, position, end = [], begin, begin + len(run)
        for phone in phones:
            if phone.start < end and position < phone.end:
                shown.append(text[position : phone.start])
                if phone.start >= begin:
                    shown.append(masked_phone(phone.value))
                position = min(phone.end, end)
        hidden.append(("".join([*shown, text[position:end]]), mark))
        begin = end
    return hidden


def _said_pieces(pieces: Iterable[Piece], shows_phones: bool) -> list[Piece]:
    """The same of what a search found."""
    runs = _said_runs([(piece.text, piece.is_match) for piece in pieces], shows_phones)
    return [Piece(text, is_match) for text, is_match in runs if text]


def _contact_phone(number: str, shows_phones: bool) -> str:
    """The number of a contact that somebody shared, as their messenger wrote it."""
    if shows_phones:
        return to_persian_digits(number)
    try:
        return masked_phone(normalize_phone(number))
    except ValueError:
        return masked_phone(number)


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
