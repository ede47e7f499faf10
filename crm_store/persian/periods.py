"""Periods in a message: stretches of time that have a name, and spans from one day to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from crm_store.persian import stretches
from crm_store.persian.calendar_tokens import Found, Message
from crm_store.persian.day_dates import days_in, longest
from crm_store.persian.day_words import SHIFTS, at
from crm_store.persian.days import LAST, Day, in_month, in_year, resolve
from crm_store.persian.jalali_days import add, jalali, last_weekday, month_start, next_weekday, week_start
from crm_store.persian.readings import Reading
from crm_store.persian.stretches import Stretch
from crm_store.persian.tense import is_hoped, is_report, tense_at

_FILLERS = frozenset({"تاریخ", "مورخ", "ماه", "tarikh", "tarikhe"})
_DAY = timedelta(days=1)
#: «از اول ماه», «از ابتدای امسال», «از اول مهر»: up to today.
_SINCE = re.compile("aA(?:(?P<this>t)?(?P<unit>[kly])(?P<rel>[np])?|(?P<word>Y)|l?(?P<month>M)l?)(?![e4TY-])")

Span = tuple[date, date]
#: First and last day, where there are such days.
Pair = tuple[date | None, date | None]


def find_periods(text: str, *, now: datetime) -> list[Reading]:
    """Finds the periods in a message.

    Args:
        text: The message as it was typed.
        now: The moment it was written, with a time zone.

    Returns:
        The periods in the order of the text, ``{"from": "YYYY-MM-DD", "to": "YYYY-MM-DD"}``; ``to`` is the
        first day after it. Conflicts with dates and times are not settled (see `crm_store.persian.when`).

    Raises:
        ValueError: If the moment has no time zone.
    """
    message = Message(text, now)
    return [message.reading(found) for found in periods_in(message, days_in(message))]


def periods_in(message: Message, days: list[Day]) -> list[Found]:
    """The periods of a message, given its named days."""
    named = [
        stretch
        for pattern, make in stretches.PATTERNS
        for match in pattern.finditer(message.kinds)
        for stretch in make(message, match)
    ]
    found = [
        *_spans(message, days, named),
        *_since(message, days),
        *(
            Found(one.start, one.end, _values(one.spans))
            for one in longest(named)
            if not _is_of_day(one, days)
        ),
    ]
    return [one for one in longest(found) if one.values]


def _is_of_day(stretch: Stretch, days: list[Day]) -> bool:
    """Whether it only tells a day more closely: the month of «۱۵ مهر»."""
    length = stretch.end - stretch.start
    return any(day.start <= stretch.start and stretch.end <= day.end and day.width > length for day in days)


def _values(spans: tuple[Span, ...]) -> tuple[dict[str, str], ...]:
    return tuple(
        {"from": begin.isoformat(), "to": after.isoformat()} for begin, after in spans if begin < after
    )


def _since(message: Message, days: list[Day]) -> Iterator[Found]:
    """What has begun and lasts: `to` is tomorrow."""
    tomorrow = message.today + _DAY
    for match in _SINCE.finditer(message.kinds):
        begin = _beginning(message, match)
        end = match.end() + (message.kind(match.end()) == "v")
        if begin <= message.today:
            yield Found(match.start(), end, _values(((begin, tomorrow),)))
    for day in days:
        if message.kind(day.end) == "v" and message.kind(day.start - 1) == "a":
            dates = resolve(day, message)
            past = [one for one in dates if one <= message.today]
            if past:
                yield Found(day.start - 1, day.end + 1, _values(((past[-1], tomorrow),)))


def _beginning(message: Message, match: re.Match[str]) -> date:
    year, month, _ = jalali(message.today)
    shift = SHIFTS[match["rel"]] if match["rel"] else 0
    if match["month"]:
        return month_start(year, message.value(at(match, "month")))
    if match["word"]:
        return month_start(year + message.value(at(match, "word")), 1)
    if match["unit"] == "k":
        return add(week_start(message.today), "k", shift)
    return month_start(year, month + shift) if match["unit"] == "l" else month_start(year + shift, 1)


def _spans(message: Message, days: list[Day], named: list[Stretch]) -> Iterator[Found]:
    """«از ۱ تا ۱۵ مهر», «از شنبه تا چهارشنبه», «بین ۵ و ۱۰ آبان», «از دیروز تا حالا»."""
    for place, kind in enumerate(message.kinds):
        if kind not in "e-&":
            continue
        ends = _ends(message, days, named, place)
        if ends is None:
            continue
        first, second = ends
        start = _with_prefix(message, first.start)
        if kind == "&" and message.kind(start) != "b":
            continue
        spans = _between(message, first, second)
        if spans:
            yield Found(start, second.end, _values(spans))


def _with_prefix(message: Message, place: int) -> int:
    """Where a span begins that may have «از» or «بین» before its first day."""
    begin = place
    while message.kind(begin - 1) in "dx" or message.text(begin - 1) in _FILLERS:
        begin -= 1
    return begin - 1 if begin > 0 and message.kind(begin - 1) in "ab" else place


def _ends(message: Message, days: list[Day], named: list[Stretch], place: int) -> tuple[Day, Day] | None:
    """The days on both sides of «تا»; a bare number or «اول» borrows the other's month."""
    after = place + 1
    while message.kind(after) in "dx" or message.text(after) in _FILLERS:
        after += 1
    second = next((day for day in days if day.start == after), None)
    stretch = max((one for one in named if one.start == after), key=lambda one: one.end, default=None)
    if stretch is not None and (second is None or stretch.end > second.end):
        second = _last_day(stretch)
    if second is None and message.kind(after) == "u":
        second = Day(after, after + 1, dates=(message.today,))
    first = next((day for day in days if day.end == place), None)
    stretch = min((one for one in named if one.end == place), key=lambda one: one.start, default=None)
    if stretch is not None and (first is None or stretch.start < first.start):
        first = _first_day(stretch)
    first = _beginning_of_week(message, first)
    if first is None and second is not None and second in days:
        first = _borrowed(message, place - 1, second)
    elif first is not None and first.kind == "month" and first.width == 1 and second is not None:
        first = _borrowed(message, place - 1, second) or first
    if second is None and first is not None and message.kind(after) == "O":
        second = _lent(message, after, first)
    if second is not None and second.kind == "month" and second.width == 1 and first is not None:
        second = _lent(message, after, first) or second
    return None if first is None or second is None else (first, second)


def _first_day(stretch: Stretch) -> Day:
    if stretch.month:
        return Day(stretch.start, stretch.end, "year", (), 1, stretch.month)
    return Day(stretch.start, stretch.end, dates=(stretch.spans[0][0],))


def _last_day(stretch: Stretch) -> Day:
    if stretch.month:
        return Day(stretch.start, stretch.end, "year", (), LAST, stretch.month + stretch.months - 1)
    return Day(stretch.start, stretch.end, dates=(stretch.spans[0][1] - _DAY,))


def _beginning_of_week(message: Message, day: Day | None) -> Day | None:
    """«از اول هفته تا حالا» begins in this week."""
    if day is not None and message.kinds[day.start : day.end] == "Ak":
        return day._replace(dates=(week_start(message.today),))
    return day


def _borrowed(message: Message, place: int, second: Day) -> Day | None:
    """The first day of «از ۱ تا ۱۵ مهر», «از اول تا دهم همین ماه»."""
    if message.kind(place) not in "NOA" or message.kind(place - 1) in "hMG9":
        return None
    number = 1 if message.kind(place) == "A" else int(message.value(place))
    if second.kind in ("year", "month"):
        return second._replace(start=place, end=place + 1, number=number, hint=None)
    has_month = set(message.kinds[second.start : second.end]) & set("Ml")
    if second.kind != "fixed" or not has_month or not second.dates:
        return None
    found = in_month(number, *jalali(second.dates[0])[:2])
    return None if found is None else Day(place, place + 1, dates=(found,))


def _lent(message: Message, place: int, first: Day) -> Day | None:
    """The last day of «از ۱۵ مهر تا ۲۰ام»."""
    number = int(message.value(place))
    if first.kind == "year":
        return first._replace(start=place, end=place + 1, number=number, hint=None)
    if first.kind == "fixed" and set(message.kinds[first.start : first.end]) & set("MF") and first.dates:
        found = in_month(number, *jalali(first.dates[0])[:2])
        return None if found is None else Day(place, place + 1, dates=(found,))
    return None


def _between(message: Message, first: Day, second: Day) -> tuple[Span, ...]:
    """The possible spans, each up to the day after its last one."""
    pairs: list[Pair]
    if first.kind == "fixed" and second.kind == "fixed":
        pairs = [(begin, end) for end in second.dates for begin in first.dates]
    elif first.kind == "fixed":
        pairs = [(begin, _next(second, begin)) for begin in first.dates]
    elif second.kind == "fixed":
        pairs = [(_previous(first, end), end) for end in second.dates]
    elif first.kind == "weekday":
        pairs = [(begin, _next(second, begin)) for begin in resolve(first, message)]
    elif first.kind == "year":
        pairs = _in_some_year(message, first, second)
    else:
        pairs = _in_some_month(message, first, second)
    return tuple((begin, end + _DAY) for begin, end in pairs if begin and end and begin <= end)


def _in_some_year(message: Message, first: Day, second: Day) -> list[Pair]:
    """Begun this year, or last year's since reports look back; days to come may be meant as well."""
    year = jalali(message.today)[0] if first.is_jalali else message.today.year
    this, last = in_year(first, year), in_year(first, year - 1)
    spans: dict[date | None, Pair] = {
        begin: (begin, _next(second, begin) if begin else None) for begin in (this, last)
    }
    if this is None or this <= message.today:
        return [spans[this]]
    until = spans[last][1]
    if until is not None and until >= message.today:  # over the turn of the year
        return [spans[last]]
    is_past = is_report(message) or tense_at(message, first.start, second.end) == "past"
    are_months = (first.number, second.number) == (1, LAST)
    if is_hoped(message):
        return [spans[this], spans[last]] if are_months else [spans[this]]
    return [spans[last]] if is_past or are_months else [spans[this], spans[last]]


def _in_some_month(message: Message, first: Day, second: Day) -> list[Pair]:
    year, month, _ = jalali(message.today)
    begin = in_month(first.number, year, month)
    is_past = is_report(message) or tense_at(message, first.start, second.end) == "past"
    if begin is not None and begin > message.today and is_past:
        begin = in_month(first.number, year, month - 1)
    return [(begin, _next(second, begin) if begin else None)]


def _next(day: Day, begin: date) -> date | None:
    """The first such day from another on."""
    if day.kind == "weekday":
        return next_weekday(begin, day.number)
    year, month, _ = jalali(begin)
    if day.kind == "year":
        base = year if day.is_jalali else begin.year
        found = [in_year(day, base + shift) for shift in (0, 1)]
    else:
        found = [in_month(day.number, year, month + shift) for shift in (0, 1)]
    return next((one for one in found if one is not None and one >= begin), None)


def _previous(day: Day, end: date) -> date | None:
    """The last such day up to another; of a weekday before it."""
    if day.kind == "weekday":
        return last_weekday(end, day.number)
    year, month, _ = jalali(end)
    if day.kind == "year":
        base = year if day.is_jalali else end.year
        found = [in_year(day, base + shift) for shift in (0, -1)]
    else:
        found = [in_month(day.number, year, month + shift) for shift in (0, -1)]
    return next((one for one in found if one is not None and one <= end), None)
