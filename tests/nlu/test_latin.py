"""Persian typed in Latin letters is read as Persian."""

from __future__ import annotations

import pytest

from bot.nlu.latin import LatinReader, lexicon
from bot.nlu.spoken import corpus_frequencies
from crm_store.persian import fold
from tests.nlu.disturb import wrong_keyboard

TAUGHT = dict.fromkeys(
    fold(
        "سلام شکایتم میخوام امتیازم چنده خسته نباشید یخچالم خرابه عوض کنید چی شد کد ادرس کجاست وقت بخیر"
    ).split(),
    9,
)


@pytest.fixture(scope="module")
def reader() -> LatinReader:
    """A reader that knows hazm's frequent words and some of ours."""
    return LatinReader(lexicon(corpus_frequencies(), TAUGHT))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("salam", "سلام"),
        ("khaste nabashid", "خسته نباشید"),
        ("xaste nabashid", "خسته نباشید"),
        ("shekayatam chi shod", "شکایتم چی شد"),
        ("shkaytm", "شکایتم"),
        ("emtiyazam chande?", "امتیازم چنده؟"),
        ("vaght", "وقت"),
        ("vagt", "وقت"),
        ("yakhchalam kharabe", "یخچالم خرابه"),
        ("avaz konid", "عوض کنید"),
        ("code 1234 chi shod", "کد 1234 چی شد"),
    ],
)
def test_finglish_is_read_whatever_vowels_are_written(reader: LatinReader, typed: str, meant: str) -> None:
    assert reader.read(typed) == meant


@pytest.mark.parametrize("meant", ["سلام", "خسته نباشید", "شکایتم چی شد", "آدرس کجاست", "وقت بخیر"])
def test_a_forgotten_keyboard_is_seen_through(reader: LatinReader, meant: str) -> None:
    read = reader.read(wrong_keyboard(meant, None))  # type: ignore[arg-type]  # leaves nothing to chance
    assert read == meant.replace("آ", "ا")


@pytest.mark.parametrize("typed", ["سلام", "سلام ok", "۱۲۳", "?!", "", "👍"])
def test_what_holds_persian_letters_or_no_latin_ones_is_left_alone(reader: LatinReader, typed: str) -> None:
    assert reader.read(typed) is None


def test_words_that_are_no_persian_stay(reader: LatinReader) -> None:
    assert reader.read("xqzv wjkp") == "xqzv wjkp"
