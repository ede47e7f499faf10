"""Words and phrases of Persian text, with offsets into what was typed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.persian import PhraseFinder, words
from crm_store.persian import fold, new_tracking_code


def kinds(text: str) -> dict[str, str]:
    """The typed words of a text with their kinds."""
    return {text[word.start : word.end]: word.kind for word in words(text)}


def test_words_are_folded_and_lead_back_to_what_was_typed() -> None:
    text = "مي‌خواهم   شکایت كنم!"
    assert [word.text for word in words(text)] == ["میخواهم", "شکایت", "کنم", "!"]
    assert [text[word.start : word.end] for word in words(text)] == ["مي‌خواهم", "شکایت", "كنم", "!"]


def test_persian_punctuation_without_spaces_parts_words() -> None:
    assert [word.text for word in words("سلام،خوبی؟چه خبر")] == ["سلام", "،", "خوبی", "؟", "چه", "خبر"]


@pytest.mark.parametrize(
    ("text", "whole", "kind"),
    [
        ("ایمیلم ali.b+c@test.co.ir است", "ali.b+c@test.co.ir", "email"),
        ("ببینید https://shop.ir/p?id=۱۲ خرابه", "https://shop.ir/p?id=۱۲", "url"),
        ("شماره‌ام ۰۹۱۲ ۳۴۵ ۶۷ ۸۹ است", "۰۹۱۲ ۳۴۵ ۶۷ ۸۹", "phone"),
        ("سفارش ORD-1234 نرسید", "ORD-1234", "identifier"),
        ("مبلغ ۱۲۰,۰۰۰ تومان", "۱۲۰,۰۰۰", "number"),
        ("تاریخ ۱۴۰۵/۰۹/۰۱ بود", "۱۴۰۵/۰۹/۰۱", "number"),
        ("آیدی من @ali_b هست", "@ali_b", "mention"),
    ],
)
def test_what_belongs_together_stays_one_word(text: str, whole: str, kind: str) -> None:
    assert kinds(text)[whole] == kind


def test_a_tracking_code_is_one_word_even_with_spaces() -> None:
    code = new_tracking_code()
    typed = f"{code[:4]} {code[4:]}"
    assert kinds(f"کد {typed} چی شد")[typed] == "code"


@given(st.text(alphabet="سلامکيی‌ ،.؟!۱۲3aB@-_/\n\tـً😡", max_size=40))
def test_the_words_of_any_text_are_in_order_and_fold_to_themselves(text: str) -> None:
    found = words(text)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(fold(text[word.start : word.end]).replace(" ", "") == word.text for word in found)


@pytest.mark.parametrize("typed", ["می‌خواهم", "میخواهم", "می خواهم", "ميخواهم", "می  خواهم"])
def test_a_verb_is_one_word_however_its_prefix_is_written(typed: str) -> None:
    text = f"لطفاً {typed} بدانم"
    assert [word.text for word in words(text)] == ["لطفا", "میخواهم", "بدانم"]
    assert text[words(text)[1].start : words(text)[1].end] == typed


@pytest.mark.parametrize(
    ("typed", "word"), [("گوشی ها", "گوشیها"), ("سفارش هام", "سفارشهام"), ("بزرگ تر", "بزرگتر")]
)
def test_an_ending_belongs_to_its_word(typed: str, word: str) -> None:
    assert [one.text for one in words(typed)] == [word]


def test_what_only_looks_like_a_prefix_stays_alone() -> None:
    assert [word.text for word in words("می ۳ نمی")] == ["می", "3", "نمی"]


@pytest.fixture(scope="module")
def finder() -> PhraseFinder:
    """A finder of two labels."""
    return PhraseFinder({"delivery": ["پیک", "دیر رسید"], "payment": ["پول"]})


@pytest.mark.parametrize("typed", ["پیک", "پيک", "پیک‌ها", "پیکتون", "پیکشان", "پیکی"])
def test_a_phrase_is_found_in_every_spelling_and_with_endings(finder: PhraseFinder, typed: str) -> None:
    text = f"سلام، {typed} بد بود"
    assert [(phrase.label, text[phrase.start : phrase.end]) for phrase in finder.find(text)] == [
        ("delivery", typed)
    ]


def test_a_phrase_of_two_words_is_found_across_spaces(finder: PhraseFinder) -> None:
    text = "سفارشم خیلی دیر   رسید!"
    assert [text[phrase.start : phrase.end] for phrase in finder.find(text)] == ["دیر   رسید"]


def test_a_phrase_inside_another_word_is_not_found(finder: PhraseFinder) -> None:
    assert finder.find("پولکی و پیکان") == []


@pytest.mark.parametrize("typed", ["پولمو می‌خوام", "پولم رو ميخوام", "پولم را   میخام"])
def test_a_pattern_stands_for_several_ways_to_say_the_same(typed: str) -> None:
    finder = PhraseFinder({"refund": ["پولمو/پولم رو/را? می‌خوام/میخام"]}, are_patterns=True)
    text = f"سلام، {typed}!"
    assert [(phrase.label, text[phrase.start : phrase.end]) for phrase in finder.find(text)] == [
        ("refund", typed)
    ]
    assert finder.find("پولم") == finder.find("رو می‌خوام") == []


def test_a_phrase_with_nothing_in_it_finds_nothing() -> None:
    finder = PhraseFinder({"delivery": ["", " ", "پیک"]})
    assert [phrase.label for phrase in finder.find("پیک ، !")] == ["delivery"]
