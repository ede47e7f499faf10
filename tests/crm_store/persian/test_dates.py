"""Moments are shown as Jalali dates in Tehran time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import jalali_numeric, to_ascii_digits, to_jalali_datetime_text, to_jalali_text

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
