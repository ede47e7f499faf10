"""Each passage of a message is a date, a time or a period: what reads most of it."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian.when import find_when

NOW = datetime(2026, 12, 1, 11, 20, tzinfo=ZoneInfo("Asia/Tehran"))


@pytest.mark.parametrize(
    ("text", "dates", "times", "periods"),
    [
        ("از ۱ تا ۱۵ مهر", [], [], ["از ۱ تا ۱۵ مهر"]),
        ("از ۱۰ تا ۱۲ آبان", [], [], ["از ۱۰ تا ۱۲ آبان"]),
        ("پنجشنبه همین هفته", ["پنجشنبه همین هفته"], [], []),
        ("هفته دیگه همین موقع", ["هفته دیگه همین موقع"], [], []),
        ("ساعت ۵ تا ۷ عصر", [], ["ساعت ۵ تا ۷ عصر"], []),
        ("اول مهر", ["اول مهر"], [], []),
        ("مهر", [], [], ["مهر"]),
        ("۳۱ مهر", [], [], []),
        ("دو ماه پیش", ["دو ماه پیش"], [], []),
        ("ماه پیش", [], [], ["ماه پیش"]),
        ("فردا صبح", ["فردا"], ["صبح"], []),
        ("امشب", ["امشب"], ["امشب"], []),
        ("امشب ساعت ۸", ["امشب"], ["ساعت ۸"], []),
        ("ساعت ۱۰ فردا صبح", ["فردا"], ["ساعت ۱۰"], []),
        ("ساعت ۹ شب پنجشنبه", ["پنجشنبه"], ["ساعت ۹ شب"], []),
        ("پنجشنبه بعد از ظهر", ["پنجشنبه"], ["بعد از ظهر"], []),
        ("۱۵ آذر ۱۰ صبح", ["۱۵ آذر"], ["۱۰ صبح"], []),
        ("شنبه تا پنجشنبه ساعت ۹ تا ۱۷", [], ["ساعت ۹ تا ۱۷"], ["شنبه تا پنجشنبه"]),
        ("دوشنبه هفته بعد ساعت ۱۰ صبح بیاید", ["دوشنبه هفته بعد"], ["ساعت ۱۰ صبح"], []),
        ("گزارش این هفته رو تا فردا ظهر بفرستید", ["فردا"], ["ظهر"], ["این هفته"]),
        ("سلام، شبتون بخیر", [], [], []),
        ("شماره سفارشم ۱۲۳۴۵۶ و مبلغش ۲۵۰ هزار تومنه", [], [], []),
        ("", [], [], []),
    ],
)
def test_the_longest_reading_wins(text: str, dates: list[str], times: list[str], periods: list[str]) -> None:
    when = find_when(text, now=NOW)
    assert [[text[one.start : one.end] for one in group] for group in when] == [dates, times, periods]


@given(st.text(alphabet="۰۱۲۵۹ ساعتمهرشنبهفردصوگیظوزیکپ/:-،", max_size=40))
def test_no_passage_is_read_in_two_ways(text: str) -> None:
    found = sorted((one.start, one.end) for group in find_when(text, now=NOW) for one in group)
    assert all(first == second or first[1] <= second[0] for first, second in pairwise(found))
