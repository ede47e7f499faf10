"""An hour as it is told, before anything says which half of the day is meant."""

from __future__ import annotations

import re
from typing import NamedTuple

from crm_store.persian.calendar_tokens import Message

HOUR, HALF_DAY, DAY = 60, 12 * 60, 24 * 60
#: Likelier than the other half of the day: hours in which people work.
_WORKING = (8 * HOUR, 20 * HOUR)

_FIGURES = re.compile(r"\d+")


class Hour(NamedTuple):
    """An hour and its minutes.

    Attributes:
        start: Its first word.
        end: One past its last word.
        minutes: Minutes since midnight or noon; since midnight if exact.
        is_exact: Whether only one half of the day can be meant.
        is_said: Whether «ساعت» stands before it.
        is_plain: Whether it is a bare number, which may be anything else.
        is_half: Whether it is a number and a half, which may be anything else too.
    """

    start: int
    end: int
    minutes: int
    is_exact: bool = False
    is_said: bool = False
    is_plain: bool = False
    is_half: bool = False


#: Minutes to an hour and after it: «ربع به ۶», «ده دقیقه مونده به ۸», «۶ و ربع», «۸ و ۲۰ دقیقه».
_TO = re.compile("(?:(?P<count>[N1])?(?P<quarter>q)|(?P<minutes>[NT1])m)!?ih?x?(?P<hour>[N])")
_PAST = re.compile(
    "(?P<hour>[N0])&(?:(?P<half>z)|1?(?P<quarter>q)|(?P<one>N)(?P<quarters>q)|(?P<minutes>[NT1])m)"
)
_PAST_BARE = re.compile("(?P<hour>[N0])&?(?P<minutes>[NT])(?![TNOMldkyqzh9f])m?")


def hour_at(message: Message, place: int) -> Hour | None:
    """The hour that is told from a word on.

    Args:
        message: The message.
        place: A place in it.

    Returns:
        The hour, or None.
    """
    while message.kind(place) == "x":
        place += 1
    start, is_said = place, message.kind(place) == "h"
    while message.kind(place) in "xh" or (is_said and message.text(place) == ":"):
        place += 1
    if is_said and not _is_clock(message, start):
        return None
    found = _figures(message, place, is_said) or _spelled(message, place, is_said)
    return None if found is None else found._replace(start=start, is_said=is_said)


def _is_clock(message: Message, place: int) -> bool:
    """«ساعت ۵», but not «۲ ساعت ۵ دقیقه» and «چند ساعت»."""
    is_no = message.text(place - 1) == "نه" and message.kind(place + 1) in "NC"
    return is_no or message.kind(place - 1) not in "N1Tzj" or message.kind(place - 2) in "MGWd"


def _figures(message: Message, place: int, is_said: bool) -> Hour | None:
    kind = message.kind(place)
    if kind == "C" or (is_said and kind in "cf"):
        parts = _FIGURES.findall(message.text(place))
        hour, minute = int(parts[0]), parts[1]
        if kind == "c" and len(minute) == 1:
            minute = "30" if minute == "5" else "99"  # «ساعت ۷.۵» is half past seven
        minutes = int(minute)
        if hour > 24 or minutes > 59 or (kind == "f" and len(minute) == 1) or (hour == 24 and minutes):
            return None
        is_exact = (kind == "C" and len(parts[0]) == 2) or not 1 <= hour <= 12
        return Hour(place, place + 1, (hour * HOUR + minutes) % DAY, is_exact)
    return None


def _spelled(message: Message, place: int, is_said: bool) -> Hour | None:
    match = _TO.match(message.kinds, place)
    if match:
        hour = message.value(match.start("hour"))
        count = message.value(match.start("count")) if match["count"] else 1
        before = 15 * count if match["quarter"] else message.value(match.start("minutes"))
        if hour <= 24 and before < 60:
            minutes = (hour * HOUR - before) % DAY
            return Hour(place, match.end(), minutes, hour > 12)
    match = _PAST.match(message.kinds, place)
    if match and message.value(place) <= 24:
        minutes = _minutes(message, match)
        if minutes < 60:
            hour = message.value(place)
            is_half = match["half"] is not None
            return Hour(place, match.end(), hour % 24 * HOUR + minutes, not 1 <= hour <= 12, is_half=is_half)
    match = _PAST_BARE.match(message.kinds, place) if is_said else None
    if match and message.value(place) <= 24 and _is_minutes(message, match):
        hour = message.value(place)
        minutes = message.value(match.start("minutes"))
        return Hour(place, match.end(), hour % 24 * HOUR + minutes, not 1 <= hour <= 12)
    if message.kind(place) in "N0" and message.value(place) <= 24:
        hour = message.value(place)
        return Hour(place, place + 1, hour % 24 * HOUR, not 1 <= hour <= 12, is_plain=True)
    return None


def _minutes(message: Message, match: re.Match[str]) -> int:
    if match["half"]:
        return 30
    if match["quarter"]:
        return 15
    if match["quarters"]:
        return 15 * int(message.value(match.start("one")))
    return int(message.value(match.start("minutes")))


def _is_minutes(message: Message, match: re.Match[str]) -> bool:
    """«ساعت هشت و بیست», but not «ساعت ۵ و ۶»."""
    minutes = message.value(match.start("minutes"))
    has_and = message.kind(match.start("minutes") - 1) == "&"
    is_two_figures = message.words[match.start("minutes")].width == 2
    return 10 <= minutes < 60 and minutes % 5 == 0 and (has_and or is_two_figures)


def both_halves(minutes: int) -> tuple[int, ...]:
    """What an hour of 1 to 12 may be: the one between 8 and 20 o'clock first, then the other."""
    early, late = minutes % HALF_DAY, minutes % HALF_DAY + HALF_DAY
    return (early, late) if _WORKING[0] <= early <= _WORKING[1] else (late, early)


def in_part(minutes: int, part: str) -> tuple[int, ...]:
    """What an hour of 1 to 12 is in a part of the day."""
    early, late = minutes % HALF_DAY, minutes % HALF_DAY + HALF_DAY
    hour = early // HOUR  # 0 for twelve
    if part in ("morning", "forenoon", "early_morning", "first_thing"):
        return (early,) if hour else (late, early)
    if part in ("small_hours", "am"):
        return (early,)
    if part == "noon":
        return (early,) if hour in (10, 11) else (late,)
    if part == "night":
        return _at_night(hour, early, late)
    if part == "midnight":
        return (late,) if hour >= 7 else (early,)
    return (late,)


def _at_night(hour: int, early: int, late: int) -> tuple[int, ...]:
    if hour == 5:  # as rare in the evening as before dawn
        return late, early
    return (late,) if hour > 5 else (early,)


def text_of(minutes: int, *, is_end: bool = False) -> str:
    """``HH:MM``; the end of a span that is midnight is ``24:00``."""
    minutes %= DAY
    if is_end and not minutes:
        return "24:00"
    return f"{minutes // HOUR:02}:{minutes % HOUR:02}"
