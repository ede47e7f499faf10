"""Moments are shown as Jalali dates in Tehran time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import (
    deadline_text,
    jalali_numeric,
    opening_text,
    span_text,
    to_ascii_digits,
    to_jalali_datetime_text,
    to_jalali_text,
)

TEHRAN = ZoneInfo("Asia/Tehran")
NOON = datetime(2026, 11, 22, 10, 35, tzinfo=timezone.utc)


def test_a_date_is_written_with_the_months_name() -> None:
    assert to_jalali_text(NOON) == "۱ آذر ۱۴۰۵"


def test_a_moment_is_written_with_weekday_and_tehran_time() -> None:
    assert to_jalali_datetime_text(NOON) == "یکشنبه ۱ آذر ۱۴۰۵، ساعت ۱۴:۰۵"


def test_a_date_in_digits_is_padded() -> None:
    assert jalali_numeric(NOON) == "۱۴۰۵/۰۹/۰۱"


def test_the_day_changes_at_midnight_in_tehran() -> None:
    last_minute = datetime(2026, 11, 21, 20, 29, tzinfo=timezone.utc)
    assert to_jalali_text(last_minute) == "۳۰ آبان ۱۴۰۵"
    assert to_jalali_text(last_minute + timedelta(minutes=1)) == "۱ آذر ۱۴۰۵"


def test_another_time_zone_can_be_asked_for() -> None:
    late = datetime(2026, 11, 21, 23, 0, tzinfo=timezone.utc)
    assert to_jalali_datetime_text(late, tz="UTC") == "شنبه ۳۰ آبان ۱۴۰۵، ساعت ۲۳:۰۰"


@pytest.mark.parametrize(
    ("gregorian", "jalali"),
    [
        # Nowruz of several years, and the last day of the leap year 1403.
        (datetime(2024, 3, 20, 12, tzinfo=TEHRAN), "۱۴۰۳/۰۱/۰۱"),
        (datetime(2025, 3, 20, 12, tzinfo=TEHRAN), "۱۴۰۳/۱۲/۳۰"),
        (datetime(2025, 3, 21, 12, tzinfo=TEHRAN), "۱۴۰۴/۰۱/۰۱"),
        (datetime(2026, 3, 21, 12, tzinfo=TEHRAN), "۱۴۰۵/۰۱/۰۱"),
        (datetime(1979, 2, 11, 12, tzinfo=TEHRAN), "۱۳۵۷/۱۱/۲۲"),
    ],
)
def test_known_days_are_converted(gregorian: datetime, jalali: str) -> None:
    assert jalali_numeric(gregorian) == jalali


@pytest.mark.parametrize("show", [to_jalali_text, to_jalali_datetime_text, jalali_numeric])
def test_a_moment_without_a_time_zone_is_refused(show: Callable[[datetime], str]) -> None:
    with pytest.raises(ValueError, match="time zone"):
        show(NOON.replace(tzinfo=None))


@given(st.integers(0, 4_000_000_000))
def test_a_later_day_has_a_later_date(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    today, tomorrow = (to_ascii_digits(jalali_numeric(day)) for day in (moment, moment + timedelta(days=1)))
    assert today < tomorrow


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in November 2026 in Tehran; the 22nd is Sunday, 1 Azar 1405."""
    return datetime(2026, 11, day, hour, minute, tzinfo=TEHRAN)


@pytest.mark.parametrize(
    ("now", "deadline", "text"),
    [
        (at(22, 14, 5), at(22, 16), "امروز تا ساعت ۱۶"),
        (at(22, 8, 0), at(22, 9, 30), "امروز تا ساعت ۹:۳۰"),
        (at(22, 18, 0), at(23, 12), "فردا تا ساعت ۱۲"),
        (at(26, 18, 0), at(28, 12), "شنبه ۷ آذر تا ساعت ۱۲"),
        (at(26, 18, 0), at(28, 9, 5), "شنبه ۷ آذر تا ساعت ۹:۰۵"),
        (at(22, 14, 0), at(21, 16), "شنبه ۳۰ آبان تا ساعت ۱۶"),
        # The day changes at midnight in Tehran, which is half past eight in the evening in UTC.
        (at(22, 23, 59), at(23, 0, 15), "فردا تا ساعت ۰:۱۵"),
        (at(23, 0, 0), at(23, 0, 15), "امروز تا ساعت ۰:۱۵"),
        (at(22, 23, 59), at(24, 9), "سه‌شنبه ۳ آذر تا ساعت ۹"),
        (at(23, 0, 0), at(24, 9), "فردا تا ساعت ۹"),
        # Midnight ends a day.
        (at(22, 20, 0), at(23, 0), "امروز تا ساعت ۲۴"),
        (at(22, 20, 0), at(24, 0), "فردا تا ساعت ۲۴"),
    ],
)
def test_a_deadline_is_said_as_people_say_it(now: datetime, deadline: datetime, text: str) -> None:
    assert deadline_text(deadline, now=now) == text
    in_utc = deadline.astimezone(timezone.utc), now.astimezone(timezone.utc)
    assert deadline_text(in_utc[0], now=in_utc[1]) == text


def test_a_deadline_stands_in_the_time_zone_that_is_asked_for() -> None:
    assert deadline_text(at(23, 1, 30), now=at(22, 23), tz="UTC") == "امروز تا ساعت ۲۲"


@pytest.mark.parametrize(
    ("now", "opens", "text"),
    [
        (at(22, 7), at(22, 9), "امروز از ساعت ۹"),
        (at(22, 18), at(23, 8, 30), "فردا از ساعت ۸:۳۰"),
        (at(26, 18), at(28, 9), "شنبه ۷ آذر از ساعت ۹"),
    ],
)
def test_from_when_somebody_is_there_is_said_as_people_say_it(
    now: datetime, opens: datetime, text: str
) -> None:
    assert opening_text(opens.astimezone(timezone.utc), now=now) == text


def test_a_deadline_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        deadline_text(NOON.replace(tzinfo=None), now=NOON)
    with pytest.raises(ValueError, match="time zone"):
        deadline_text(NOON, now=NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("now", "start", "end", "text"),
    [
        (at(22, 8), at(26, 14), at(26, 17), "پنجشنبه ۵ آذر، ساعت ۱۴ تا ۱۷"),
        (at(22, 8), at(22, 9, 30), at(22, 12), "امروز، ساعت ۹:۳۰ تا ۱۲"),
        (at(22, 23, 59), at(23, 9), at(23, 12, 15), "فردا، ساعت ۹ تا ۱۲:۱۵"),
        (at(23, 0), at(22, 9), at(22, 12), "یکشنبه ۱ آذر، ساعت ۹ تا ۱۲"),
        # Midnight ends a day; what goes on over it names both.
        (at(22, 8), at(22, 20), at(23, 0), "امروز، ساعت ۲۰ تا ۲۴"),
        (at(22, 8), at(22, 20), at(23, 2), "امروز، ساعت ۲۰ تا فردا، ساعت ۲"),
    ],
)
def test_a_span_is_said_as_people_say_it(now: datetime, start: datetime, end: datetime, text: str) -> None:
    assert span_text(start, end, now=now) == text
    in_utc = [moment.astimezone(timezone.utc) for moment in (start, end, now)]
    assert span_text(in_utc[0], in_utc[1], now=in_utc[2]) == text


def test_a_span_without_a_time_zone_is_refused() -> None:
    for start, end, now in [(None, NOON, NOON), (NOON, None, NOON), (NOON, NOON, None)]:
        moments = [moment or NOON.replace(tzinfo=None) for moment in (start, end, now)]
        with pytest.raises(ValueError, match="time zone"):
            span_text(moments[0], moments[1], now=moments[2])
