"""Digits are read in any script and shown in Persian."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import group_thousands, to_ascii_digits, to_persian_digits


def test_digits_of_any_script_become_ascii_and_nothing_else_changes() -> None:
    assert to_ascii_digits("کد ۱۲۳ و ٤٥٦ و ７८9؛ m² ½ ①") == "کد 123 و 456 و 789؛ m² ½ ①"


def test_digits_of_any_script_become_persian() -> None:
    assert to_persian_digits("ORD-120 / ٤٥") == "ORD-۱۲۰ / ۴۵"
    assert to_persian_digits(1405) == "۱۴۰۵"


@given(st.integers())
def test_a_number_survives_persian_digits(number: int) -> None:
    assert int(to_ascii_digits(to_persian_digits(number))) == number


@given(st.text())
def test_reading_digits_keeps_the_length_so_offsets_hold(text: str) -> None:
    assert len(to_ascii_digits(text)) == len(text)
    assert to_ascii_digits(to_persian_digits(text)) == to_ascii_digits(text)


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "۰"), (999, "۹۹۹"), (1000, "۱٬۰۰۰"), (1234567, "۱٬۲۳۴٬۵۶۷"), (-1200, "\u200e-۱٬۲۰۰")],
)
def test_thousands_are_grouped_with_the_persian_separator(number: int, written: str) -> None:
    assert group_thousands(number) == written
