"""Phone numbers are read as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import find_phones, mask_phone, normalize_phone, to_persian_digits

MOBILES = st.integers(0, 9_999_999).map(lambda rest: f"+98912{rest:07}")


@pytest.mark.parametrize(
    "written",
    [
        "09121234567",
        "۰۹۱۲۱۲۳۴۵۶۷",
        "٠٩١٢١٢٣٤٥٦٧",
        "9121234567",
        "0912 123 4567",
        "0912-123-45-67",
        "(0912) 123.4567",
        "+98 912 123 4567",
        "00989121234567",
        "989121234567",
        "\u200e+98\u200c912\u200f1234567\u2069",
        "  ۰۹۱۲ ۱۲۳ ۴۵۶۷\n",
    ],
)
def test_every_way_to_write_a_mobile_number_gives_one_number(written: str) -> None:
    assert normalize_phone(written) == "+989121234567"


def test_landlines_and_foreign_numbers_are_phone_numbers_too() -> None:
    assert normalize_phone("021-88776655") == "+982188776655"
    assert normalize_phone("+1 202 456 1111") == "+12024561111"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "سلام",
        "0912123456",
        "091212345678",
        "1500",
        "12345678",
        "شماره من 09121234567",
        "09121234567 2x",
        "+",
    ],
)
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="phone number"):
        normalize_phone(written)


@given(MOBILES)
def test_a_normalized_number_is_normal(phone: str) -> None:
    assert normalize_phone(phone) == phone
    assert normalize_phone("0" + to_persian_digits(phone.removeprefix("+98"))) == phone


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("شماره‌ام ۰۹۱۲۱۲۳۴۵۶۷ است.", "۰۹۱۲۱۲۳۴۵۶۷"),
        ("شماره\u2068 \u200e0912\u200c123 4567\u2069 من", "0912\u200c123 4567"),
        ("9121234567 یا واتساپ", "9121234567"),
        ("زنگ بزنید:989121234567،ممنون", "989121234567"),
        ("😂۰۹۱۲ ۱۲۳ ۴۵۶۷", "۰۹۱۲ ۱۲۳ ۴۵۶۷"),
    ],
)
def test_a_number_is_found_where_it_stands_in_the_original(text: str, written: str) -> None:
    (phone,) = find_phones(text)
    assert text[phone.start : phone.end] == written
    assert phone.value == "+989121234567"


def test_several_numbers_are_found_in_order() -> None:
    text = "9121234567 یا ۰۹۳۵۱۲۳۴۵۶۷، ثابت 021-88776655"
    assert [phone.value for phone in find_phones(text)] == ["+989121234567", "+989351234567", "+982188776655"]
    assert [phone.value for phone in find_phones("9121234567 9351234567")] == [
        "+989121234567",
        "+989351234567",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "سلام",
        "کد ملی 0499370899",
        "کد پستی 1983969411",
        "کارت 6037 9912 3456 7890",
        "کارت ۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۰",
        "شبا IR062960000000100324200001",
        "مبلغ 9,121,234,567 ریال",
        "سفارش ORD09121234567",
        "۱۴۰۵/۰۹/۰۱ ساعت 12:30",
        "2188776655",
        "12-9121234567",
    ],
)
def test_other_numbers_are_not_taken_for_phones(text: str) -> None:
    assert find_phones(text) == []


@given(st.text(), MOBILES, st.text())
def test_offsets_always_lie_in_the_text(before: str, phone: str, after: str) -> None:
    text = f"{before} {phone} {after}"
    for found in find_phones(text):
        assert 0 <= found.start < found.end <= len(text)
        assert normalize_phone(found.value) == found.value


def test_a_masked_number_shows_its_operator_and_its_end() -> None:
    assert mask_phone("+989121234567") == "+98912***4567"


@given(st.text("+0123456789", max_size=20))
def test_a_mask_keeps_the_length_and_hides_three_digits_or_more(phone: str) -> None:
    masked = mask_phone(phone)
    assert len(masked) == len(phone)
    assert masked.count("*") >= min(3, len(phone) - len(phone) // 3)
