"""Birthdays are read as people write them; what is not certain is no date."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from persiantools.jdatetime import MONTH_NAMES_FA, JalaliDate

from crm_store.persian import to_persian_digits
from crm_store.persian.birthdays import date_text, read_date

TODAY = date(2026, 11, 22)
MEHR = date(1991, 10, 7)

some_days = st.dates(date(1930, 1, 1), TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "۱۵ مهر ۱۳۷۰",
        "15/7/1370",
        "۱۳۷۰/۰۷/۱۵",
        "۷۰/۷/۱۵",
        "15-7-70",
        "١٥.٠٧.١٣٧٠",
        "15 7 1370",
        "۱۳۷۰۰۷۱۵",
        "متولد ۱۵ مهر ۷۰ هستم",
        "تولدم ۱۵ مهرماه سال ۱۳۷۰ هجری شمسی است",
        "سلام وقت بخیر تاریخ تولد من: ۱۵ مهر ۷۰",
        "پانزدهم مهر هفتاد",
        "پونزده مهر هزار و سیصد و هفتاد",
        "سال ۷۰، پانزدهم مهر",
        "۱۳۷۰ مهر ۱۵",
        "15 mehr 70",
        "15 mehre 1370",
        "tavalodam 15om mehr 1370",
        "1991-10-07",
        "7 oct 1991",
        "October 7, 1991",
        "۷ اکتبر ۱۹۹۱",
    ],
)
def test_the_same_day_is_read_however_it_is_written(text: str) -> None:
    assert read_date(text, today=TODAY).value == MEHR


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("متولد ۲۲ بهمن ۵۷", "۲۲ بهمن ۱۳۵۷"),
        ("سی و یکم شهریور شصت و پنج", "۳۱ شهریور ۱۳۶۵"),
        ("اول اردی بهشت ۶۸", "۱ اردیبهشت ۱۳۶۸"),
        ("۲۸ امرداد ۳۲", "۲۸ مرداد ۱۳۳۲"),
        ("۱۲ ديماه ۶۲", "۱۲ دی ۱۳۶۲"),
        ("۳ خردد ۶۸", "۳ خرداد ۱۳۶۸"),
        ("۵ شهرویر ۷۵", "۵ شهریور ۱۳۷۵"),
        ("۲ فروردین ۰۲", "۲ فروردین ۱۴۰۲"),
        ("30/12/1375", "۳۰ اسفند ۱۳۷۵"),
    ],
)
def test_months_are_read_with_slips_and_years_with_two_digits(text: str, shown: str) -> None:
    value = read_date(text, today=TODAY).value
    assert value is not None
    assert date_text(value) == shown


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("۱۵ مهر", "incomplete"),
        ("مهر ۷۰", "incomplete"),
        ("متولد ۱۳۷۰", "incomplete"),
        ("۳۱ مهر ۱۳۷۰", "impossible"),
        ("۳۰ اسفند ۱۳۷۶", "impossible"),
        ("۱۳۷۰/۱۳/۱۵", "impossible"),
        ("29 feb 1991", "impossible"),
        ("۱۵ مهر ۱۹۹۱", "impossible"),
        ("7/5/1991", "ambiguous"),
        ("05/07/15", "ambiguous"),
        ("۱۵ مهر ۷۰ یا ۱۶ مهر ۷۰", "ambiguous"),
        ("۱۵ مهر ۵", "ambiguous"),
        ("سلام", "absent"),
        ("۰۹۱۲ ۳۴۵ ۶۷۸۹", "absent"),
        ("مهر خانم ۱۵ بار زنگ زد", "absent"),
        ("", "absent"),
    ],
)
def test_what_is_not_certain_is_no_date(text: str, problem: str) -> None:
    assert read_date(text, today=TODAY) == (None, problem)


@given(some_days)
def test_what_is_shown_is_read_again(day: date) -> None:
    assert read_date(date_text(day), today=TODAY).value == day


@given(some_days, st.sampled_from(["{0}/{1}/{2}", "{2}/{1}/{0}", "{0:02}-{1:02}-{2:02}", "{2} {3} {0}"]))
def test_every_jalali_day_is_read_in_every_form(day: date, form: str) -> None:
    jalali = JalaliDate(day)
    text = form.format(jalali.year, jalali.month, jalali.day, MONTH_NAMES_FA[jalali.month])
    for written in (text, to_persian_digits(text), f"تولد من {text} است"):
        assert read_date(written, today=TODAY).value == day


@given(some_days)
def test_an_iso_date_is_gregorian(day: date) -> None:
    assert read_date(day.isoformat(), today=TODAY).value == day


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    value, problem = read_date(text, today=TODAY)
    assert (value is None) == bool(problem)
