"""Dates in a message: days named by words, weekdays, days of months, figures, distances from today."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_store.persian import day_words, month_days
from crm_store.persian.calendar_tokens import Found, Message
from crm_store.persian.days import Day, resolve
from crm_store.persian.jalali_days import weekday
from crm_store.persian.readings import Reading

_PATTERNS = [*month_days.PATTERNS, *day_words.PATTERNS]
_BESIDE = frozenset({"که", "یعنی", "مورخ", "مورخه", "(", "ke", "yani"})


def find_dates(text: str, *, now: datetime) -> list[Reading]:
    """Finds the dates in a message.

    Args:
        text: The message as it was typed.
        now: The moment it was written, with a time zone.

    Returns:
        The dates in the order of the text, ``YYYY-MM-DD``; conflicts with times and periods are not settled
        (see `crm_store.persian.when`).

    Raises:
        ValueError: If the moment has no time zone.
    """
    message = Message(text, now)
    found = dates_in(message, days_in(message))
    return [message.reading(one) for one in found if one.values]


def dates_in(message: Message, days: list[Day]) -> list[Found]:
    """The dates that the days of a message may mean; without values for a day that is in no calendar."""
    return [
        Found(day.start, day.end, tuple(one.isoformat() for one in resolve(day, message))) for day in days
    ]


def days_in(message: Message) -> list[Day]:
    """The named days of a message; of those that overlap, the longest."""
    found = [
        day
        for pattern, make in _PATTERNS
        for match in pattern.finditer(message.kinds)
        for day in make(message, match)
    ]
    return _joined(longest(found), message)


def longest(found: list[Any]) -> list[Any]:
    """Of findings that overlap the longest, in the order of the text; of equals the first found."""
    kept: list[Any] = []
    for one in sorted(found, key=lambda one: int(one.start) - int(one.end)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: int(one.start))


def _joined(days: list[Day], message: Message) -> list[Day]:
    """Puts a weekday and the date beside it together: «پنجشنبه ۱۵ مهر», «فردا که شنبه‌ست»."""
    kept: list[Day] = []
    for day in days:
        joined = _pair(kept[-1], day, message) if kept else None
        if joined is None:
            kept.append(day)
        else:
            kept[-1] = joined
    return kept


def _pair(first: Day, second: Day, message: Message) -> Day | None:
    for name, date in ((first, second), (second, first)):
        if (
            name.kind != "weekday"
            or name.tense
            or date.kind == "weekday"
            or not _is_beside(first, second, message)
        ):
            continue
        is_written = set(message.kinds[date.start : date.end]) & set("MGF")
        if date.kind == "fixed" and not is_written and any(weekday(one) != name.number for one in date.dates):
            continue  # «فردا یا شنبه»
        return date._replace(start=first.start, end=second.end, hint=name.number)
    return None


def _is_beside(first: Day, second: Day, message: Message) -> bool:
    between = range(first.end, second.start)
    return len(between) <= 2 and all(
        message.kind(place) in ",d" or message.text(place) in _BESIDE for place in between
    )
