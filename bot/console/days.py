"""Jalali days that the console's forms and addresses limit something to."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crm_store.business.calendar import read_day
from crm_store.persian import to_ascii_digits
from crm_store.rules import Rules
from crm_store.service_requests.windows import day_begins

_TIME = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?")


class Span(NamedTuple):
    """A span of days as it was typed.

    Attributes:
        since: its first moment; None for no limit.
        until: the first moment after it; None for no limit.
        is_right: whether both days could be read.
    """

    since: datetime | None
    until: datetime | None
    is_right: bool


def day_of(text: str) -> date | None:
    """A Jalali day such as ``1405/09/01`` or ``1405-09-01``, in any digits; None for anything else."""
    try:
        return read_day(text.strip().replace("-", "/"), "day")
    except ValueError:
        return None


def span_of(first: str, last: str, rules: Rules) -> Span:
    """From the first of two days to the end of the second; an empty one limits nothing."""
    begins, ends = (day_of(text) if text.strip() else None for text in (first, last))
    is_right = (begins is not None or not first.strip()) and (ends is not None or not last.strip())
    since = day_begins(begins, rules) if begins is not None else None
    until = day_begins(ends + timedelta(days=1), rules) if ends is not None else None
    return Span(since, until, is_right)


def moment_of(day: str, time_of_day: str, rules: Rules) -> datetime | None:
    """A moment of a Jalali day and a time such as ``20:00``, in any digits; None for anything else."""
    found = day_of(day)
    match = _TIME.fullmatch(to_ascii_digits(time_of_day).strip())
    if found is None or match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if hour > 23 or minute > 59:
        return None
    return datetime.combine(found, time(hour, minute), ZoneInfo(rules.timezone)).astimezone(timezone.utc)
