"""Identifiers and values of a message: which of the readings of a passage counts.

Every reader of `crm_store.persian` sees only its own kind; «۸/۱۰» is a grade to one, a day to another and two
numbers to a third. Here they are weighed: the surer a sign, the earlier it takes its passage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from crm_store.persian import (
    Reading,
    find_amounts,
    find_numbers,
    find_order_numbers,
    find_phones,
    find_points,
    find_ratings,
    find_tracking_codes,
    to_ascii_digits,
)
from crm_store.persian.calendar_words import DEFAULT_DAY_PARTS, DayParts
from crm_store.persian.when import find_when


class Found(NamedTuple):
    """Something found in a message.

    Attributes:
        start: Its first character, in code points of the text.
        end: One past its last character.
        entity: What kind of thing it is.
        value: What it says; None if two readings are as good as each other.
        candidates: The possible values then, the likeliest first.
    """

    start: int
    end: int
    entity: str
    value: Any
    candidates: tuple[Any, ...] = ()


#: «۱۴۰۳-۰۲-۰۵» has eight digits and is no tracking code.
_FULL_DATE = re.compile(r"\d{4}[-\u2010-\u2015\u2212]\d{2}[-\u2010-\u2015\u2212]\d{2}")
#: The word for an hour, and how hours and minutes are written.
_OF_THE_CLOCK = re.compile(r"[سث]اعت|sa+t|:", re.IGNORECASE)
#: A grade that is nothing but two numbers and a slash is a day as soon as something beside it says so.
_SLASHED = re.compile(r"\d+ ?[/\\] ?\d+")


def find_values(
    text: str, *, now: datetime, day_parts: DayParts = DEFAULT_DAY_PARTS, taken: Iterable[Found] = ()
) -> list[Found]:
    """Finds identifiers, dates, times, periods, amounts, points, ratings and numbers.

    Args:
        text: Any text.
        now: The moment it was written, with a time zone.
        day_parts: What the parts of the day are, ``HH:MM`` each.
        taken: What was found already; its passages are read no further.

    Returns:
        What is found, in the order of the text. Passages of different kinds overlap only where a sum without
        its unit («۵۰۰ هزار») or a message of nothing but hours without their word («هشت و نیم») may be a
        number as well.

    Raises:
        ValueError: If the moment has no time zone.
    """
    kept: list[Found] = []
    closed = list(taken)
    for group in _by_sureness(text, now, day_parts):
        free = [
            found for found in group if not any(_shared(found, other, text) for other in (*kept, *closed))
        ]
        kept += free
    return sorted(kept, key=lambda found: found[:3])


def overlap(one: Found, other: Found) -> bool:
    """Whether two passages have a character in common."""
    return one.start < other.end and other.start < one.end


def _by_sureness(text: str, now: datetime, day_parts: DayParts) -> Iterator[list[Found]]:
    """Yields everything that may be read, the surest first; within a group nothing is weighed."""
    yield list(_identifiers(text))
    numbers = [Found(*number[:2], "number", number.value) for number in find_numbers(text)]
    spans = {number[:2] for number in numbers}
    amounts, ratings = _of("amount", find_amounts(text)), _of("rating", find_ratings(text))
    # The same passage as the number's own is one without a unit, which may be no money at all.
    bare = [found for found in amounts if found[:2] in spans]
    slashed = [
        found for found in ratings if _SLASHED.fullmatch(to_ascii_digits(text[found.start : found.end]))
    ]
    yield [found for found in amounts if found not in bare]
    yield _of("points", find_points(text)) + [found for found in ratings if found not in slashed]
    when = find_when(text, now=now, day_parts=day_parts)
    yield _of("date", when.dates) + _of("time", when.times) + _of("period", when.periods)
    yield bare + slashed
    yield numbers


def _shared(found: Found, other: Found, text: str) -> bool:
    """Whether two findings stand in the same passage and cannot both count."""
    if not overlap(found, other):
        return False
    is_open = found.entity == "number" and other.value is None
    is_bare_sum = other.entity == "amount" and found[:2] == other[:2]
    return not (is_open and (is_bare_sum or (other.entity == "time" and _is_all(other, text))))


def _is_all(time: Found, text: str) -> bool:
    """Whether a message is nothing but numbers that may be hours: «هشت و نیم», «بین ۷ و ۸»."""
    is_rest_empty = not any(map(str.isalnum, text[: time.start] + text[time.end :]))
    return is_rest_empty and not _OF_THE_CLOCK.search(text[time.start : time.end])


def _identifiers(text: str) -> Iterator[Found]:
    if not any(map(str.isdigit, text)):
        return
    phones = [Found(*phone[:2], "phone_number", phone.value) for phone in find_phones(text)]
    yield from phones
    codes = []
    for code in find_tracking_codes(text):
        if not _FULL_DATE.fullmatch(to_ascii_digits(text[code.start : code.end])):
            codes.append(Found(*code[:2], "ticket_code", code.value))
    yield from codes
    for order in find_order_numbers(text):
        yield Found(*order[:2], "order_number", order.value)


def _of(entity: str, readings: Iterable[Reading]) -> list[Found]:
    return [Found(one.start, one.end, entity, one.value, one.candidates) for one in readings]
