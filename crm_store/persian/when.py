"""Dates, times and periods in a message, each passage read as what it is for the longest."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from crm_store.persian.calendar_tokens import Found, Message
from crm_store.persian.calendar_words import DEFAULT_DAY_PARTS, DayParts
from crm_store.persian.clock import times_in
from crm_store.persian.day_dates import dates_in, days_in
from crm_store.persian.periods import periods_in
from crm_store.persian.readings import Reading


class When(NamedTuple):
    """What a message says about time.

    Attributes:
        dates: Days.
        times: Hours, spans of hours, parts of the day.
        periods: Weeks, months, years, spans of days.
    """

    dates: list[Reading]
    times: list[Reading]
    periods: list[Reading]


#: Kinds of words without one of which there is no date, no time and no period.
_TELLING = re.compile("[DKWMGSYPQCFfOhqzmdksly9]|[ab<B]x?N|Nv|4N|N4")


def find_when(text: str, *, now: datetime, day_parts: DayParts = DEFAULT_DAY_PARTS) -> When:
    """Finds what a message says about time; where readings overlap, the longest wins.

    Args:
        text: The message as it was typed.
        now: The moment it was written, with a time zone.
        day_parts: What the parts of the day are, ``HH:MM`` each.

    Returns:
        Dates, times and periods, each in the order of the text.

    Raises:
        ValueError: If the moment has no time zone.
    """
    message = Message(text, now)
    if not _TELLING.search(message.kinds):
        return When([], [], [])
    days = days_in(message)
    groups = dates_in(message, days), times_in(message, day_parts), periods_in(message, days)
    kept: list[Found] = []
    for found in sorted([*groups[0], *groups[2], *groups[1]], key=lambda one: one.start - one.end):
        if all(not _overlap(found, other) or _is_one_word(message, found, other) for other in kept):
            kept.append(found)
    dates, times, periods = (
        [message.reading(one) for one in group if one in kept and one.values] for group in groups
    )
    return When(dates, times, periods)


def _overlap(one: Found, other: Found) -> bool:
    return one.start < other.end and other.start < one.end


def _is_one_word(message: Message, one: Found, other: Found) -> bool:
    """«امشب» is a day and a part of it."""
    return (one.start, one.end) == (other.start, other.end) and message.kinds[one.start : one.end] == "K"
