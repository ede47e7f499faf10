"""Days as they are named, and the dates that such a name may mean.

A name is kept apart from its date because a span resolves it differently: «۱ تا ۱۵ مهر», «از شنبه تا حالا».
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from crm_store.persian.calendar_tokens import Message
from crm_store.persian.jalali_days import (
    add,
    add_months,
    gregorian_day,
    jalali,
    jalali_day,
    last_weekday,
    month_end,
    month_start,
    next_weekday,
    week_start,
    weekday,
)
from crm_store.persian.tense import tense_at
from crm_store.persian.verbs import Tense

#: Stands for the last day of a month.
LAST = 0


class Day(NamedTuple):
    """A named day.

    Attributes:
        start: Its first word.
        end: One past its last word.
        kind: ``fixed``, ``year`` (a day of a month without its year), ``month`` (a day without its month) or
            ``weekday`` (without its week).
        dates: The dates of a fixed one, the likeliest first.
        number: Day of the month, `LAST` for the last one, or days since Saturday.
        month: Month.
        is_jalali: Whether it is a month of the Jalali calendar.
        tense: What is said about it besides its verbs: ``past`` for «پنجشنبهٔ قبل».
        is_strict: Whether today is out of the question.
        hint: Days since Saturday of the weekday that is named beside it.
    """

    start: int
    end: int
    kind: Literal["fixed", "year", "month", "weekday"] = "fixed"
    dates: tuple[date, ...] = ()
    number: int = 0
    month: int = 0
    is_jalali: bool = True
    tense: Tense = ""
    is_strict: bool = False
    hint: int | None = None

    @property
    def width(self) -> int:
        """How many words it has."""
        return self.end - self.start


def resolve(day: Day, message: Message) -> tuple[date, ...]:
    """The dates that a day may mean, the likeliest first; none if there is no such day."""
    tense = day.tense or (tense_at(message, day.start, day.end) if day.kind != "fixed" else "")
    if day.kind == "fixed":
        dates = day.dates
    elif day.kind == "weekday":
        dates = _weekdays(day, message.today, tense)
    else:
        dates = _by_tense(_occurrences(day, message.today), message.today, tense, day.is_strict)
    if day.hint is None:
        return dates
    fitting = tuple(found for found in dates if weekday(found) == day.hint)
    if fitting:
        return fitting[:1]
    near = last_weekday(message.today, day.hint) if tense == "past" else next_weekday(message.today, day.hint)
    return (*dates, near) if dates else ()


def in_year(day: Day, year: int) -> date | None:
    """The day of a month in a year of its calendar."""
    if not day.is_jalali:
        return gregorian_day(year, day.month, day.number)
    return month_end(year, day.month) if day.number == LAST else jalali_day(year, day.month, day.number)


def in_month(number: int, year: int, month: int) -> date | None:
    """A day of a Jalali month; months below 1 and above 12 are of other years."""
    first, last = month_start(year, month), month_end(year, month)
    if number == LAST:
        return last
    found = add(first, "d", number - 1)
    return found if found <= last else None


def _weekdays(day: Day, today: date, tense: Tense) -> tuple[date, ...]:
    if tense == "past":
        return (last_weekday(today, day.number),)
    following = next_weekday(today, day.number)
    return (following,) if day.is_strict or weekday(today) != day.number else (today, following)


def _occurrences(day: Day, today: date) -> list[date | None]:
    """The days of that name around today, in order; in the middle stands the one of this year or month."""
    year, month, _ = jalali(today)
    if day.kind == "month":
        return [in_month(day.number, year, month + shift) for shift in (-2, -1, 0, 1, 2)]
    base = year if day.is_jalali else today.year
    return [in_year(day, base + shift) for shift in (-1, 0, 1)]


def _by_tense(days: list[date | None], today: date, tense: Tense, is_strict: bool) -> tuple[date, ...]:
    past = [one for one in days if one and (one < today or (one == today and not is_strict))]
    coming = [one for one in days if one and (one > today or (one == today and not is_strict))]
    if tense in ("past", "future"):
        return tuple(past[-1:] if tense == "past" else coming[:1])
    this = days[len(days) // 2]
    if this is None:  # the 30th of Esfand of a common year, the 31st of Mehr
        return ()
    return (this,) if this >= today else (this, *coming[:1])


def shifted(today: date, unit: str, count: int, half: bool = False) -> date:
    """Today and so many units, with half a unit more away from today if asked for."""
    moved = add(today, unit, count)
    sign = 1 if count > 0 else -1
    if not half:
        return moved
    return (
        add_months(moved, 6 * sign) if unit == "y" else add(moved, "d", sign * {"l": 15, "k": 3}.get(unit, 0))
    )


def weekday_of_week(today: date, number: int, weeks: int) -> date:
    """The weekday of the week so many weeks after this one."""
    return add(week_start(today), "d", number + 7 * weeks)
