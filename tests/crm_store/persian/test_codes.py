"""Tracking codes are hard to mistype and easy to find."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm_store.persian import (
    find_tracking_codes,
    is_tracking_code,
    new_tracking_code,
    parse_tracking_code,
    to_persian_digits,
)

CODE = "91387920"
CODES = st.integers().map(lambda seed: new_tracking_code(random.Random(seed)))
SEPARATORS = st.text(" -\u2010\u2011\u2013\u200c\u200d\u200e\u200f\u2068\u2069", max_size=3)


@given(CODES)
def test_a_new_code_has_eight_digits_and_is_valid(code: str) -> None:
    assert len(code) == 8
    assert code.isascii()
    assert code.isdigit()
    assert code[0] != "0"
    assert is_tracking_code(code)


def test_codes_are_drawn_at_random() -> None:
    assert len({new_tracking_code() for _ in range(200)}) > 190


def test_the_same_source_of_randomness_gives_the_same_code() -> None:
    assert new_tracking_code(random.Random(7)) == new_tracking_code(random.Random(7))


@given(CODES, st.integers(0, 7), st.sampled_from("0123456789"))
def test_a_single_wrong_digit_is_always_caught(code: str, place: int, digit: str) -> None:
    assume(code[place] != digit)
    assert not is_tracking_code(code[:place] + digit + code[place + 1 :])


@given(CODES, st.integers(0, 6))
def test_a_swap_of_two_neighbours_is_always_caught(code: str, place: int) -> None:
    assume(code[place] != code[place + 1])
    assert not is_tracking_code(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


@given(CODES, st.lists(SEPARATORS, min_size=9, max_size=9))
def test_a_code_is_read_in_either_script_with_separators(code: str, separators: list[str]) -> None:
    for written in (code, to_persian_digits(code)):
        spaced = "".join(digit + separator for digit, separator in zip(written, separators[1:], strict=True))
        assert parse_tracking_code(separators[0] + spaced) == code


@pytest.mark.parametrize(
    "text",
    ["", "9138792", "913879200", "91387921", "کد 91387920", "9138.7920", "+91387920", "01387920", "9138792O"],
)
def test_anything_else_is_not_a_code(text: str) -> None:
    assert parse_tracking_code(text) is None
    assert not is_tracking_code(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (CODE, CODE),
        (f"کد پیگیری من {CODE} است", CODE),
        (f"کد:{CODE}.", CODE),
        (f"#{CODE}،ممنون", CODE),
        ("وضعیت ۹۱۳۸۷۹۲۰؟", "۹۱۳۸۷۹۲۰"),
        ("وضعیت ۹۱۳۸ ۷۹۲۰ چیست", "۹۱۳۸ ۷۹۲۰"),
        ("وضعیت ۹۱۳۸-۷۹۲۰ چیست", "۹۱۳۸-۷۹۲۰"),
        ("وضعیت \u2068۹۱۳۸\u200c۷۹۲۰\u2069 چیست", "۹۱۳۸\u200c۷۹۲۰"),
        (f"{CODE} ۲ بار گفتم", CODE),
        (f"{CODE}\n2", CODE),
        (f"😂 {CODE}ها", CODE),
    ],
)
def test_a_code_is_found_where_it_stands_in_the_original(text: str, written: str) -> None:
    (found,) = find_tracking_codes(text)
    assert text[found.start : found.end] == written
    assert found.value == CODE


def test_several_codes_are_found_in_order() -> None:
    other = new_tracking_code(random.Random(1))
    assert [code.value for code in find_tracking_codes(f"{CODE} {other} و {CODE}")] == [CODE, other, CODE]


@pytest.mark.parametrize(
    "text",
    [
        "91387921",
        f"1{CODE}",
        f"{CODE}1",
        f"{CODE}-1",
        f"021{CODE}",
        f"021 {CODE}",
        f"021-{CODE}",
        f"+{CODE}",
        f"{CODE},000",
        f"۱٬{CODE}",
        f"1.{CODE}",
        f"ORD{CODE}",
        f"ORD-{CODE}",
        "09121234567",
        "9138 7920 1234 5678",
        "9138\n7920",
    ],
)
def test_a_code_is_not_seen_inside_another_number(text: str) -> None:
    assert find_tracking_codes(text) == []


@given(st.text(st.sampled_from("0123456789۱۲ -,./:+AآO\u200c\n")))
def test_what_is_found_is_always_a_code_in_the_text(text: str) -> None:
    for found in find_tracking_codes(text):
        assert parse_tracking_code(text[found.start : found.end]) == found.value
        assert not text[found.start - 1 : found.start].isdigit()
        assert not text[found.end : found.end + 1].isdigit()
