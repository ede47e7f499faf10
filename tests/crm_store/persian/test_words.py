"""The words of a text as they are searched, and how names sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import fold, masked_phone
from crm_store.persian.sounds import consonants, says_the_same, sound
from crm_store.persian.words import find_words, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("سلام، دنیا!", ["سلام", "دنیا"]),
        ("كتاب‌هاي من", ["کتابهای", "من"]),
        ("سفارش۱۲۳ و A-10233", ["سفارش", "123", "و", "a", "10233"]),
        ("می‌خواهم", ["میخواهم"]),
        ("نامه‌ی خانۀ سارا", ["نامهی", "خانه", "سارا"]),
        ("😀 … —", []),
        ("Straße ΣΟΦΟΣ", ["strasse", "σοφοσ"]),
        ("", []),
    ],
)
def test_words_are_runs_of_letters_or_digits_folded(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_places_of_words_lead_back_to_what_was_typed(text: str) -> None:
    found = find_words(text)
    assert [word.text for word in found] == words(text)
    assert [word.end for word in found] == sorted(word.end for word in found)
    for word in found:
        assert 0 <= word.start < word.end <= len(text)
        assert fold(text[word.start : word.end]) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("طاهره", "تاهره"), ("صادقی", "سادقی"), ("قاسمی", "غاسمی"), ("ذبیح", "زبیه")]
)
def test_letters_of_the_same_sound_come_together(one: str, other: str) -> None:
    assert sound(one) == sound(other)


@pytest.mark.parametrize(
    ("persian", "latin"),
    [
        ("محمدی", "mohammadi"),
        ("فاطمه", "fatemeh"),
        ("حسین", "hossein"),
        ("امید", "omid"),
        ("شیرین", "shirin"),
        ("یوسف", "yousef"),
        ("وحید", "vahid"),
        ("خدیجه", "khadijeh"),
        ("اسماعیل", "esmaeil"),
        ("قاسم", "ghasem"),
    ],
)
def test_a_latin_name_reads_as_the_persian_one(persian: str, latin: str) -> None:
    assert says_the_same(sound(persian), sound(latin))


def test_other_names_with_the_same_consonants_are_told_apart_by_their_vowels() -> None:
    assert consonants(sound("لیلا")) == consonants(sound("ali"))
    assert not says_the_same(sound("لیلا"), sound("ali"))


@pytest.mark.parametrize(
    ("phone", "masked", "full"),
    [
        ("+989121234567", "۰۹۱۲•••۴۵۶۷", "۰۹۱۲ ۱۲۳ ۴۵۶۷"),
        ("+982188776655", "۰۲۱۸•••۶۶۵۵", "۰۲۱ ۸۸۷۷ ۶۶۵۵"),
        ("erased-3", "•••-۳", "erased-۳"),
    ],
)
def test_a_phone_is_shown_whole_only_to_who_may_see_it(phone: str, masked: str, full: str) -> None:
    assert masked_phone(phone) == masked
    assert masked_phone(phone, full=True) == full
