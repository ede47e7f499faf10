"""What staff ask for stands before a colon; the words behind are theirs and no request."""

from __future__ import annotations

import pytest

from bot.nlu.audience import head_of

STAFF = {"audience": "staff"}


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("پایان گفتگو: فردا زنگ می‌زنیم", "پایان گفتگو"),
        ("یادداشت بذار :عصرها تماس بگیریم", "یادداشت بذار"),
        ("پایان گفتگو:", None),
        ("ساعت ده و نیم است و این جمله پیش از دونقطه بلند است: نه", None),
        ("پایان گفتگو", None),
    ],
)
def test_a_request_ends_at_its_colon(text: str, head: str | None) -> None:
    assert head_of(text, STAFF) == head


def test_customers_are_read_as_a_whole() -> None:
    assert head_of("آدرس جدید: خیابان شریعتی", None) is None
