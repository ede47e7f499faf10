"""Codes are read as people write them, and no slip of one goes unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.loyalty.codes import ALPHABET, LENGTH, grouped, new_code, read_code
from crm_store.persian import to_persian_digits
from crm_store.persian.names import mask_name

_GAPS = st.sampled_from(["", " ", "-", "\u200c", "\u200f", " - ", "_", "\u00a0"])


def test_no_two_characters_of_a_code_are_mistaken_for_each_other() -> None:
    alike = ["0OQD"[:3], "1IL", "2Z", "5S", "6G", "8B", "UV", "MN"]
    assert all(len(set(group) & set(ALPHABET)) <= 1 for group in alike)
    assert len(ALPHABET) == len(set(ALPHABET)) == 23


@given(st.lists(_GAPS, min_size=LENGTH, max_size=LENGTH), st.booleans(), st.booleans())
def test_a_code_is_read_in_any_case_with_persian_digits_and_gaps(
    gaps: list[str], is_small: bool, is_persian: bool
) -> None:
    code = new_code()
    typed = "".join(gap + character for gap, character in zip(gaps, code, strict=True)) if gaps else code
    typed = typed.lower() if is_small else typed
    typed = to_persian_digits(typed) if is_persian else typed
    assert read_code(typed) == code
    assert read_code(grouped(code)) == code


def test_a_code_is_shown_in_groups() -> None:
    assert grouped("2K7HA9TRXC") == "2K7HA-9TRXC"


def test_what_was_taken_for_its_neighbour_is_read_right() -> None:
    codes = (new_code() for _ in range(1_000))
    for code in codes:
        assert read_code(code.translate(str.maketrans("865U2N", "BGSVZM"))) == code


@given(st.data())
def test_every_wrong_character_and_every_swap_is_noticed(data: st.DataObject) -> None:
    code = new_code()
    place, other = (data.draw(st.integers(0, LENGTH - 1)) for _ in range(2))
    wrong = data.draw(st.sampled_from(sorted(set(ALPHABET) - {code[place]})))
    assert read_code(code[:place] + wrong + code[place + 1 :]) is None
    swapped = list(code)
    swapped[place], swapped[other] = swapped[other], swapped[place]
    assert read_code("".join(swapped)) == (code if code[place] == code[other] else None)


@given(st.text(max_size=30))
def test_any_other_text_is_no_code_and_breaks_nothing(text: str) -> None:
    read = read_code(text)
    assert read is None or len(read) == LENGTH


def test_codes_are_not_drawn_twice() -> None:
    assert len({new_code() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("سارا محمدی", "س*** م***"),
        ("سیدعلی رضا  حسینی‌نژاد", "س*** ح***"),
        ("Sara", "S***"),
        ("🌸", "***"),
        ("", "***"),
        ("09121234567", "***"),
    ],
)
def test_a_masked_name_tells_no_more_than_its_letters(name: str, shown: str) -> None:
    assert mask_name(name) == shown
