"""Folding gives one spelling to what people type in many, and leads back to what they typed."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import fold, fold_with_offsets, source_span

# Letters, marks and controls that meet in real Persian messages, more often than chance would have it.
PERSIAN_TEXT = st.text(
    st.one_of(st.sampled_from("اآأيیىكکةۀهمم ءّـ\u200c\u200f\u2068\u2069۱۱٢3…ﷲAaé\n "), st.characters())
)


@pytest.mark.parametrize(
    "written", ["می‌خواهم", "میخواهم", "ميخواهم", "مي\u200dخواهم", "\u200fمی\u200bخواهم", "می¬خواهم"]
)
def test_spellings_of_one_word_fold_alike(written: str) -> None:
    assert fold(written) == "میخواهم"


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("كتابي", "کتابی"),
        ("مدرسة", "مدرسه"),
        ("آب أب إب ٱب", "اب اب اب اب"),
        ("مؤمن", "مومن"),
        ("مسئله", "مسیله"),
        ("خانۀ ما", "خانه ما"),
        ("خانهٔ ما", "خانه ما"),
        ("مُحَمَّد", "محمد"),
        ("ســـلام", "سلام"),
        ("اعضاء", "اعضا"),
        ("ﻼﻡ ﷼", "لام ریال"),
        ("۱۲٣ ４५", "123 45"),
        ("iPhone CAFÉ", "iphone cafe"),
        ("  سلام \n\t خوبید  ", "سلام خوبید"),
        ("سلااااام", "سلام"),
        ("الله", "الله"),
        ("خیییییلی!!!!", "خیلی!!!!"),
        ("۱۰۰۰۰۰ تومان", "100000 تومان"),
        ("ali@test.com ORD-1234", "ali@test.com ord-1234"),
        ("", ""),
        ("\u200c \u200f", ""),
    ],
)
def test_a_text_folds_to_its_plain_form(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_folding_any_single_character_again_changes_nothing() -> None:
    assigned = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) not in ("Cn", "Co")]
    assert [c for c in assigned if fold(fold(c)) != fold(c)] == []


@given(PERSIAN_TEXT)
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(PERSIAN_TEXT)
def test_folded_text_can_always_be_encoded_and_has_no_stray_white_space(text: str) -> None:
    folded = fold(text)
    assert folded.encode("utf-8").decode("utf-8") == folded
    assert folded == " ".join(folded.split())


@given(PERSIAN_TEXT)
def test_every_folded_character_has_an_offset_in_range_and_in_order(text: str) -> None:
    folded, offsets = fold_with_offsets(text)
    assert folded == fold(text)
    assert len(offsets) == len(folded)
    assert offsets == sorted(offsets)
    assert all(0 <= offset < len(text) for offset in offsets)


@given(PERSIAN_TEXT)
def test_every_folded_character_comes_from_the_character_at_its_offset(text: str) -> None:
    folded, offsets = fold_with_offsets(text)
    for character, offset in zip(folded, offsets, strict=True):
        assert (character in fold(text[offset])) if character != " " else (fold(f"x{text[offset]}x") != "xx")


@given(PERSIAN_TEXT, st.data())
def test_spans_of_the_folded_text_lie_in_the_original_and_do_not_overlap(
    text: str, data: st.DataObject
) -> None:
    folded, offsets = fold_with_offsets(text)
    start, middle, end = sorted(data.draw(st.tuples(*[st.integers(0, len(folded))] * 3)))
    left = source_span(offsets, start, middle, len(text))
    right = source_span(offsets, middle, end, len(text))
    assert 0 <= left[0] <= left[1] <= len(text)
    assert 0 <= right[0] <= right[1] <= len(text)
    assert left[0] <= right[0]


@pytest.mark.parametrize(
    ("text", "word", "original"),
    [
        ("كد  می‌خواهم لطفا", "میخواهم", "می‌خواهم"),
        ("خیییلی ممنونمممم", "ممنونم", "ممنونمممم"),
        ("سلام علیّ جان", "علی", "علیّ"),
        ("شمارهٔ ۱۲۳۴ است", "1234", "۱۲۳۴"),
        ("😂 سلام", "سلام", "سلام"),
    ],
)
def test_a_folded_word_leads_back_to_what_was_typed(text: str, word: str, original: str) -> None:
    folded, offsets = fold_with_offsets(text)
    start = folded.index(word)
    source_start, source_end = source_span(offsets, start, start + len(word), len(text))
    assert text[source_start:source_end] == original


def test_part_of_a_character_that_folds_to_several_leads_back_to_the_whole_character() -> None:
    folded, offsets = fold_with_offsets("x…y")
    assert folded == "x...y"
    assert source_span(offsets, 1, 2, 3) == (1, 2)


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (2, 1), (0, 5)])
def test_a_span_outside_the_folded_text_is_refused(start: int, end: int) -> None:
    _, offsets = fold_with_offsets("سلام")
    with pytest.raises(ValueError, match="does not lie"):
        source_span(offsets, start, end, 4)
