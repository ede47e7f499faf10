"""Order numbers are told by the words beside them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import find_order_numbers, find_phones, to_persian_digits

#: Words of ordering, with and without "number", as people write them.
NAMING = st.sampled_from(
    [
        "سفارش ",
        "سفارشم ",
        "شماره سفارش: ",
        "شماره‌ی سفارشم هست ",
        "سفارش شماره‌ی ",
        "سفارش من به شماره ",
        "کد سفارش #",
        "فاكتور ",
        "order ",
        "Order no. ",
        "sefaresh ",
        "shomare sefaresham ",
    ]
)
NUMBERS = st.one_of(
    st.integers(10_000, 99_999_999).map(str),
    st.from_regex(r"[A-Z]{1,3}-[0-9]{4,8}", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[A-Z0-9]{2,4}[0-9]", fullmatch=True),
)
AROUND = st.sampled_from(["", "سلام، ", "😡 ", "پیک نیومد\n", "غذا سرد بود، ", "\u200fبله "])
AFTER = st.sampled_from(
    ["", "، پولمو می‌خوام", " هنوز نرسیده", " تا الان نیومده!", ".", " رو لغو کنید", "ه", "\n۲ بار گفتم"]
)


@given(AROUND, NAMING, NUMBERS, AFTER, st.booleans())
def test_a_number_with_words_of_ordering_is_found_where_it_stands(
    before: str, naming: str, number: str, after: str, in_persian: bool
) -> None:
    written = to_persian_digits(number) if in_persian else number.lower()
    text = f"{before}{naming}{written}{after}"
    (found,) = find_order_numbers(text)
    assert found.value == number
    assert text[found.start : found.end] == written


@given(
    st.lists(
        st.one_of(
            NAMING,
            NUMBERS,
            st.text(st.sampled_from("سفارش شماره order ۱۲۳456-/.,:٬\u200cآهرو\n"), max_size=12),
        ),
        max_size=8,
    ).map("".join)
)
def test_what_is_found_in_any_text_is_a_code_with_digits_and_no_phone(text: str) -> None:
    for found in find_order_numbers(text):
        assert re.fullmatch(r"(?=.*[0-9])[0-9A-Z][0-9A-Z/_-]{1,18}[0-9A-Z]", found.value)
        assert 0 <= found.start < found.end <= len(text)
        # The same number, named beyond doubt, is found again.
        again = find_order_numbers(f"شماره سفارش {text[found.start : found.end]}")
        assert [match.value for match in again] == [found.value]
        assert not any(p.start < found.end and found.start < p.end for p in find_phones(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("پیک شما غذا رو یخ‌زده آورد، سفارش ۱۲۳۴۵، پولمو می‌خوام", "12345"),
        ("شماره سفارشم A-10233", "A-10233"),
        ("سفارش شماره‌ی ۹۸۷۶", "9876"),
        ("order 4455", "4455"),
        ("فاکتور ۵۵۴۳", "5543"),
        ("۱۲۳۴۵ شماره سفارشمه", "12345"),
        ("ORD-2026-0012 کد سفارش منه", "ORD-2026-0012"),
        ("سفارشم نیومده، شماره‌ش ۱۲۳۴۵ هست", "12345"),
        ("سفارش ۴۴۵۵ تا حالا نرسیده", "4455"),
        ("سفارش ۱۲۳۴۵ ساعت ۱۲ قرار بود بیاد", "12345"),
        ("سفارش شماره ۱۲۳۴۵ رو ۲۰۰ هزار تومن خریدم", "12345"),
        ("۰۹۱۲۳۴۵۶۷۸۹ شماره سفارش ۵۵۴۴", "5544"),
        ("شماره سفارش ٤٤٥٥", "4455"),
        ("سفارش\u200cم ۱۲۳۴۵", "12345"),
        ("شماره سفارشم ABC12", "ABC12"),
    ],
)
def test_an_order_number_is_read_as_people_write_it(text: str, value: str) -> None:
    assert [found.value for found in find_order_numbers(text)] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "سفارش ۲۰۰ هزار تومنی",
        "سفارش ۲۰۰تومنی",
        "سفارش ۲۰۰۰۰۰ تومانی",
        "سفارش ۲۰۰٬۰۰۰ تومانی",
        "سفارش به مبلغ ۳۵۰۰۰۰",
        "سفارش ۳ تا پیتزا",
        "سفارش ۱۵۰ تا پیتزا",
        "سفارش ۱۰۰ نفره",
        "سفارش ۵۰۰ گرم زعفران",
        "سفارش ۱۲۰ روز پیش",
        "سفارش دیروز ساعت ۱۲",
        "سفارش ساعت ۱۵۳۰",
        "سفارش ۱۲:۳۰ ظهر",
        "سفارش ۱۲ مهر",
        "سفارش ۱۴۰۵/۰۷/۱۲",
        "سفارش 2026-11-20",
        "سفارش S21",
        "سفارش دادم، ۱۲۳۴۵",
        "کد پیگیری سفارشم ۹۱۳۸۷۹۲۰",
        "کد رهگیری سفارش 12345678",
        "شماره سفارش ۰۹۱۲۳۴۵۶۷۸۹",
        "سفارش ۰۹۱۲۳۴۵۶۷۸",
        "شماره تماسم ۱۲۳۴۵",
        "شکایت ۱۲۳۴۵",
        "شماره سفارش 123456789012345678901",
        "سفارش",
    ],
)
def test_sums_counts_dates_times_phones_and_other_codes_are_none(text: str) -> None:
    assert find_order_numbers(text) == []
