"""Birthdays: a whole date read from a text as people write it, Jalali or Gregorian.

A birthday is kept for good, so nothing is guessed: without a year, with a day that is in no calendar, or
where two readings are as good as each other, there is no date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Literal, NamedTuple

from persiantools.jdatetime import MONTH_NAMES_FA, JalaliDate

from crm_store.persian.calendar_words import GREGORIAN_MONTHS, JALALI_MONTHS, LONG_NAME
from crm_store.persian.digits import to_persian_digits
from crm_store.persian.folding import fold
from crm_store.persian.numbers import read_tokens
from crm_store.persian.word_forms import one_slip

Problem = Literal["", "absent", "incomplete", "impossible", "ambiguous"]

_JALALI_YEARS, _GREGORIAN_YEARS = range(1200, 1500), range(1800, 2100)
_LAST_DAY, _LAST_MONTH = 31, 12
#: A two-digit year that would make somebody so old is one of the present century.
_OLDEST = 100
_MONTHS: dict[str, tuple[bool, int]] = {
    fold(name): (is_jalali, number)
    for is_jalali, months in ((True, JALALI_MONTHS), (False, GREGORIAN_MONTHS))
    for number, names in enumerate(months, start=1)
    for name in names
}
#: What may stand between a day, its month and its year.
_BETWEEN = frozenset(
    map(fold, ("م", "ام", "ماه", "سال", "روز", "از", "هجری", "شمسی", "خورشیدی", "میلادی", "ه", "ش", "ی"))
) | {"mah", "mahe", "sal", "sale", "th", "st", "nd", "rd", "of", "e", "om", "the"}
#: What is written together with the name of a month: «مهرماه», «مهره», mehre.
_ENDINGS = ("", "ماه", "ه", "mah", "e")
_YEAR_FOLLOWS = frozenset({"سال", "sal", "sale"})

_SEPARATED = re.compile(r"(?<![\d/.-])(\d{1,4})\s?([/\\.\-\u2013])\s?(\d{1,2})\s?\2\s?(\d{1,4})(?![\d/])")
_SPACED = re.compile(r"(?<![\d/.-])(\d{1,4}) (\d{1,2}) (\d{1,4})(?![\d/])")
_GLUED = re.compile(r"(?<!\d)(1[34]\d\d|19\d\d|20\d\d)(\d\d)(\d\d)(?!\d)")


class DateReading(NamedTuple):
    """What a text says about a date.

    Attributes:
        value: The date; None when there is none, or none for certain.
        problem: Why there is none: ``absent``, ``incomplete`` (mostly the year is missing), ``impossible``
            (in no calendar) or ``ambiguous``; empty with a date.
    """

    value: date | None
    problem: Problem = ""


class _Word(NamedTuple):
    """A word, or a number with the count of its digits (0 for one in words)."""

    text: str
    number: int | None = None
    digits: int = 0


def read_date(text: str, *, today: date) -> DateReading:
    """Reads the one whole date that stands in a text.

    Args:
        text: What somebody wrote, such as «متولد ۲۲ بهمن ۵۷», «15/7/1370» or «may 15, 1991».
        today: Tells which century a two-digit year means.

    Returns:
        The date, or what is wrong with it.
    """
    folded = fold(text)
    found = [*_numeric(folded, today), *_named(folded, today)]
    dates = {reading.value for reading in found if reading.value is not None}
    if len(dates) == 1:
        return DateReading(dates.pop())
    problems = {reading.problem for reading in found}
    if len(dates) > 1:
        problems = {"ambiguous"}
    order: tuple[Problem, ...] = ("ambiguous", "impossible", "incomplete")
    return DateReading(None, next((problem for problem in order if problem in problems), "absent"))


def date_text(day: date) -> str:
    """Writes a day, such as «۱۵ مهر ۱۳۷۰».

    Args:
        day: Any day.

    Returns:
        Day, month's name and year, Jalali.
    """
    jalali = JalaliDate(day)  # type: ignore[no-untyped-call]  # persiantools leaves it untyped
    return to_persian_digits(f"{jalali.day} {MONTH_NAMES_FA[jalali.month]} {jalali.year}")


def _numeric(folded: str, today: date) -> Iterator[DateReading]:
    """Dates in figures."""
    for match in _SEPARATED.finditer(folded):
        yield _of_figures(match[1], match[3], match[4], today)
    for match in _SPACED.finditer(folded):
        # Without a year of four digits three numbers in a row may be anything.
        if any(_is_year(int(match[place])) for place in (1, 3)):
            yield _of_figures(match[1], match[2], match[3], today)
    for match in _GLUED.finditer(folded):
        yield _real(int(match[1]), int(match[2]), int(match[3]))


def _of_figures(first: str, middle: str, last: str, today: date) -> DateReading:
    a, b, c = int(first), int(middle), int(last)
    if len(first) > 2 and len(last) > 2:
        return DateReading(None, "impossible")
    if len(first) > 2 or (a > _LAST_DAY >= c):
        return _with_year(first, b, c, today)
    if len(last) > 2 or c > _LAST_DAY >= a:
        if c in _GREGORIAN_YEARS and a <= _LAST_MONTH and b <= _LAST_MONTH and a != b:
            return DateReading(None, "ambiguous")  # 7/5/1991 is July in one country and May in another
        return _with_year(last, b, a, today)
    return DateReading(None, "impossible" if min(a, c) > _LAST_DAY else "ambiguous")


def _with_year(year: str, month: int, day: int, today: date) -> DateReading:
    """A year as it was written, and two numbers of which the month usually comes first."""
    if month > _LAST_MONTH >= day:
        month, day = day, month
    if len(year) > 2:
        return _real(int(year), month, day)
    return _real(_whole_year(int(year), True, today), month, day)


def _named(folded: str, today: date) -> Iterator[DateReading]:
    """Dates with the name of a month."""
    words = list(_joined(_words(folded)))
    for place, word in enumerate(words):
        month = _month_of(word.text) if word.number is None else None
        if month is None:
            if word.digits == 4 and _is_year(word.number or 0):
                yield DateReading(None, "incomplete")  # a year alone
            continue
        before, after = _numbers(words[:place][::-1]), _numbers(words[place + 1 :])
        if not before and not after:
            continue  # a name of a month alone is mostly a name or a season
        yield _of_words(words, month, before[:1], after[:2], today)


def _of_words(
    words: list[_Word], month: tuple[bool, int], before: list[_Word], after: list[_Word], today: date
) -> DateReading:
    is_jalali, number = month
    if before and (before[0].number or 0) <= _LAST_DAY and before[0].digits <= 2:
        day, year = before[0], after[0] if after else _year_elsewhere(words)
    elif before and after:
        day, year = after[0], before[0]
    elif len(after) == 2:
        day, year = after
    else:
        return DateReading(None, "incomplete")
    if year is None or year.number is None or day.number is None:
        return DateReading(None, "incomplete")
    if year.digits == 1 or (not year.digits and year.number < 10):
        return DateReading(None, "ambiguous")
    whole = year.number if year.number > 99 else _whole_year(year.number, is_jalali, today)
    if whole not in (_JALALI_YEARS if is_jalali else _GREGORIAN_YEARS):
        return DateReading(None, "impossible")
    return _real(whole, number, day.number)


def _words(folded: str) -> list[_Word]:
    """Words and numbers, numbers in words read already."""
    return [
        _Word(token.text, token.number, token.digits)
        if isinstance(token.number, int)
        else _Word("" if token.number else token.text)
        for token in read_tokens(folded)
    ]


def _joined(words: list[_Word]) -> Iterator[_Word]:
    """Puts together the name of a month that was written as two words."""
    skip = False
    for word, following in pairwise([*words, _Word("")]):
        pair = f"{word.text} {following.text}"
        if not skip:
            yield _Word(pair) if pair in _MONTHS else word
        skip = not skip and pair in _MONTHS


def _numbers(words: list[_Word]) -> list[_Word]:
    """Numbers that follow, with nothing between that belongs to no date."""
    found: list[_Word] = []
    for word in words:
        if word.number is not None:
            found.append(word)
        elif word.text not in _BETWEEN:
            break
    return found


def _year_elsewhere(words: list[_Word]) -> _Word | None:
    """The year of a text that names it apart from the day: «سال ۷۰، پانزدهم مهر»."""
    for word, following in pairwise(words):
        if word.text in _YEAR_FOLLOWS and following.number is not None:
            return following
    whole = [word for word in words if word.number is not None and _is_year(word.number)]
    return whole[0] if len(whole) == 1 else None


def _month_of(word: str) -> tuple[bool, int] | None:
    for ending in _ENDINGS:
        name = word.removesuffix(ending)
        if name in _MONTHS:
            return _MONTHS[name]
    if len(word) < LONG_NAME - 1:
        return None
    near = {month for name, month in _MONTHS.items() if len(name) >= LONG_NAME and one_slip(word, name)}
    return near.pop() if len(near) == 1 else None


def _is_year(number: int) -> bool:
    return number in _JALALI_YEARS or number in _GREGORIAN_YEARS


def _whole_year(short: int, is_jalali: bool, today: date) -> int:
    this_year = JalaliDate(today).year if is_jalali else today.year  # type: ignore[no-untyped-call]  # ships no types
    century = this_year // 100 * 100
    this_century, last_century = century + short, century - 100 + short
    is_likely_now = this_century <= this_year and this_year - last_century >= _OLDEST
    return int(this_century if is_likely_now else last_century)


def _real(year: int, month: int, day: int) -> DateReading:
    try:
        if year in _JALALI_YEARS:
            return DateReading(JalaliDate(year, month, day).to_gregorian())  # type: ignore[no-untyped-call]  # ships no types
        if year in _GREGORIAN_YEARS:
            return DateReading(date(year, month, day))
    except ValueError:
        pass
    return DateReading(None, "impossible")
