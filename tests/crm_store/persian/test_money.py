"""Money is kept in rials and shown in tomans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import to_ascii_digits, toman_text


@pytest.mark.parametrize(
    ("rials", "shown"),
    [
        (1_200_000, "۱۲۰٬۰۰۰ تومان"),
        (0, "۰ تومان"),
        (10, "۱ تومان"),
        (1_200_005, "۱٬۲۰۰٬۰۰۵ ریال"),
        (-1_200_000, "\u200e-۱۲۰٬۰۰۰ تومان"),
        (-5, "\u200e-۵ ریال"),
    ],
)
def test_an_amount_is_shown_without_rounding(rials: int, shown: str) -> None:
    assert toman_text(rials) == shown


@given(st.integers())
def test_an_amount_can_be_read_back(rials: int) -> None:
    number, unit = toman_text(rials).split(" ")
    read = int(to_ascii_digits(number).replace("٬", "").replace("\u200e", ""))
    assert read * {"تومان": 10, "ریال": 1}[unit] == rials
