"""What a member of staff wrote goes to the customer, or, behind two slashes, to colleagues alone."""

from __future__ import annotations

import pytest

from crm_store.handoff.written import bare, whispered

RIGHT_TO_LEFT, ISOLATE, JOINER = "\u200f", "\u2067", "\u200d"


@pytest.mark.parametrize(
    "text",
    [
        "//راز",
        "  //  راز ",
        "///راز",
        f"{RIGHT_TO_LEFT}//راز",
        f"{ISOLATE}/{RIGHT_TO_LEFT}/{JOINER}راز",
        "\n\ufeff／／راز",
    ],
)
def test_two_slashes_whisper_whatever_unseen_stands_around_them(text: str) -> None:
    assert whispered(text) == "راز"


@pytest.mark.parametrize(
    "text", ["راز", "/راز", "/ /راز", "نشانی: https://x", "", f"{RIGHT_TO_LEFT} /release"]
)
def test_other_words_are_for_the_customer(text: str) -> None:
    assert whispered(text) is None


def test_a_whisper_may_be_empty_and_half_spaces_within_it_stay() -> None:
    assert whispered("//") == ""
    assert whispered("// می‌آید ") == "می‌آید"
    assert bare(f"{RIGHT_TO_LEFT} می‌آید\u200c ") == "می‌آید"
