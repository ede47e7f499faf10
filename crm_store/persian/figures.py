"""Dates in figures: «۱۴۰۳/۲/۵», «۵-۲-۱۴۰۳», «۰۳/۰۲/۰۵», «15/7», 2024-05-12."""

from __future__ import annotations

import re
from datetime import date

from crm_store.persian.calendar_tokens import GREGORIAN_YEARS, JALALI_YEARS, LAST_DAY, Message
from crm_store.persian.jalali_days import gregorian_day, jalali, jalali_day

LAST_MONTH = 12
#: Two figures that may be a Jalali year: of the thirteen-eighties and -nineties, and of this century.
_OLD_SHORT_YEARS, _NEW_SHORT_YEARS = range(80, 100), range(31)
_CENTURY = 1300
#: A year of two figures in the first place that lies further ahead is as likely a day.
_FAR_AHEAD = 2
#: What grades are given out of.
_SCALES = frozenset({5, 10, 20, 100})


def dates_in_figures(text: str, today: date) -> tuple[date, ...]:
    """Reads three numbers with marks between them.

    Args:
        text: Such as ``1403/2/5``, ASCII digits.
        today: Tells how likely a year of two figures is.

    Returns:
        The dates that it may be, the likeliest first; none if it is in no calendar.
    """
    first, middle, last = re.findall(r"\d+", text)
    if len(first) == 3 or len(last) == 3 or len(first) + len(last) > 6:
        return ()
    if "." in text and len(first) + len(last) < 6:
        return ()  # 2.5.1 is a version
    month = int(middle)
    if len(first) == 4:
        return _real(int(first), month, int(last))
    if len(last) == 4:
        return _year_last(int(first), month, int(last))
    return _short(first, month, last, today)


def short_year(number: int) -> int | None:
    """The Jalali year that two figures stand for; None for those that stand for none."""
    if number in _OLD_SHORT_YEARS:
        return 1300 + number
    return 1400 + number if number in _NEW_SHORT_YEARS else None


def _year_last(first: int, middle: int, year: int) -> tuple[date, ...]:
    if year in GREGORIAN_YEARS:  # day and month here, month and day elsewhere
        return tuple(dict.fromkeys((*_real(year, middle, first), *_real(year, first, middle))))
    return _real(year, middle, first)


def _short(first: str, month: int, last: str, today: date) -> tuple[date, ...]:
    this_year = jalali(today)[0]
    found: list[tuple[date, ...]] = []
    for written, day in ((first, last), (last, first)):
        year = short_year(int(written)) if len(written) == 2 else None
        found.append(_real(year, month, int(day)) if year is not None else ())
    leading, trailing = found
    if leading and trailing and jalali(leading[0])[0] > this_year + _FAR_AHEAD >= jalali(trailing[0])[0]:
        return tuple(dict.fromkeys((*trailing, *leading)))
    return leading or trailing


def _real(year: int, month: int, day: int) -> tuple[date, ...]:
    found = None
    if year in JALALI_YEARS:
        found = jalali_day(year, month, day)
    elif year in GREGORIAN_YEARS:
        found = gregorian_day(year, month, day)
    return () if found is None else (found,)


def pair_in_figures(text: str, is_dated: bool) -> list[tuple[int, int]]:
    """Reads two numbers with a slash between them as the day and the month of the Jalali calendar.

    Args:
        text: Such as ``15/7`` or ``7/15``.
        is_dated: Whether something beside it says that it is a date; a grade or a fraction is one only then.

    Returns:
        Pairs of day and month that it may be: the day first, as most write it.
    """
    first, second = (int(part) for part in text.split("/"))
    if second in _SCALES and first <= second and not is_dated:
        return []
    pairs = [(first, second), (second, first)]
    real = [(day, month) for day, month in pairs if 1 <= month <= LAST_MONTH and 1 <= day <= LAST_DAY]
    return list(dict.fromkeys(real))


def whole_year(message: Message, place: int, *, is_jalali: bool, is_named: bool) -> int | None:
    """The year that a number after a month stands for.

    Args:
        message: The message.
        place: The number's place.
        is_jalali: Whether the month is one of the Jalali calendar.
        is_named: Whether «سال» stands before it.

    Returns:
        Four figures, or None if the number is no year: «۱۵ مهر ۲۰ نفر».
    """
    word = message.words[place]
    years = JALALI_YEARS if is_jalali else GREGORIAN_YEARS
    if word.kind == "4":
        return int(word.value) if word.value in years else None
    if not is_jalali:
        return None
    year = short_year(int(word.value))
    if year is None:
        return _CENTURY + int(word.value) if word.kind == "T" else None  # «۲۲ بهمن ۵۷»
    is_likely = is_named or word.width == 2 or (not word.width and word.kind == "T")
    return year if is_likely and year <= jalali(message.today)[0] + 1 else None
