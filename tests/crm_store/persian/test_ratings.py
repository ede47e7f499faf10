"""Ratings are told by their scale; a grade without one is ambiguous."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import to_persian_digits
from crm_store.persian.ratings import find_ratings

WORDS = ["صفر", "یک", "دو", "سه", "چهار", "پنج", "شش", "هفت", "هشت", "نه", "ده"]
SPOKEN = ["صفر", "یک", "دو", "سه", "چار", "پنش", "شیش", "هفت", "هشت", "نه", "ده"]
LATIN = ["sefr", "yek", "do", "se", "chahar", "panj", "shish", "haft", "hasht", "noh", "dah"]
AROUND = st.sampled_from(
    [("", ""), ("سلام، ", " خیلی خوب بود"), ("من بهتون ", " میدم"), ("کیفیت ", "."), ("به نظرم ", " 👍")]
)


def written(number: int, style: int) -> str:
    """A number up to ten in one of six ways, a larger one in figures."""
    ways: list[Callable[[], str]] = [
        lambda: str(number),
        lambda: to_persian_digits(number),
        lambda: str(number).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        lambda: WORDS[number],
        lambda: SPOKEN[number],
        lambda: LATIN[number],
    ]
    return ways[style if number <= 10 else style % 3]()


def read(text: str) -> list[object]:
    """The ratings: (value, scale), or a list of those."""
    return [
        tuple(found.value.values())
        if found.value is not None
        else [tuple(candidate.values()) for candidate in found.candidates]
        for found in find_ratings(text)
    ]


@given(
    st.sampled_from([5, 10, 20, 100]).flatmap(lambda scale: st.tuples(st.integers(0, scale), st.just(scale))),
    st.sampled_from(["{} از {}", "{}از {}", "{} az {}", "{} تا از {}", "{} out of {}"]),
    st.integers(0, 5),
    st.integers(0, 5),
    AROUND,
)
def test_a_value_of_its_scale_reads_back(
    rating: tuple[int, int], form: str, style: int, other: int, around: tuple[str, str]
) -> None:
    value, scale = written(rating[0], style), written(rating[1], other)
    if form == "{}از {}" and not value.isdigit():
        form = "{} از {}"
    text = around[0] + form.format(value, scale) + around[1]
    (found,) = find_ratings(text)
    assert found.value == {"value": rating[0], "scale": rating[1]}
    assert text[found.start : found.end] == form.format(value, scale)


@given(
    st.sampled_from([10, 20, 100]).flatmap(lambda scale: st.tuples(st.integers(6, scale), st.just(scale))),
    st.sampled_from(["از {} میدم {}", "از {} بهتون {} میدم", "از {}، {}", "از {} نمره {}", "از {} {} میدم"]),
    st.integers(0, 2),
)
def test_the_scale_may_come_first(rating: tuple[int, int], form: str, style: int) -> None:
    assert read(form.format(written(rating[1], style), written(rating[0], style))) == [rating]


@given(
    st.integers(0, 10), st.sampled_from([5, 10, 20, 100]), st.sampled_from(["/", " / "]), st.integers(0, 2)
)
def test_a_value_above_its_scale_is_none(value: int, scale: int, slash: str, style: int) -> None:
    found = read(f"{written(value, style)}{slash}{written(scale, style)}")
    assert found == ([(value, scale)] if value <= scale else [])


@given(
    st.integers(1, 5),
    st.sampled_from(["{} ستاره", "{} تا ستاره", "{} setare", "{}⭐", "{} ستارهههه"]),
    st.integers(0, 5),
)
def test_stars_are_of_five(stars: int, form: str, style: int) -> None:
    text = form.format(written(stars, style))
    assert read(text) == [(stars, 5)]


@given(
    st.integers(2, 5),
    st.sampled_from(["⭐", "⭐️", "🌟", "★", "⭐ "]),
    st.sampled_from(["", "مرسی ", "عالی! "]),
)
def test_rows_of_stars_are_counted(stars: int, star: str, before: str) -> None:
    assert read(before + star * stars) == [(stars, 5)]


@given(
    st.integers(0, 20), st.sampled_from(["نمره {}", "نمره‌م {}", "نمرم {} میدم", "نمره {} میدم", "nomre {}"])
)
def test_a_grade_without_a_scale_is_of_twenty_or_ambiguous(grade: int, form: str) -> None:
    scales = (5, 10, 20) if grade <= 5 else (10, 20) if grade <= 10 else (20,)
    expected: object = [(grade, scale) for scale in scales]
    assert read(form.format(to_persian_digits(grade))) == [(grade, 20) if grade > 10 else expected]


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("۸ از ۱۰", (8, 10)),
        ("۸از۱۰", (8, 10)),
        ("۸ ااز ۱۰", None),
        ("۴ از ۵", (4, 5)),
        ("۸/۱۰", (8, 10)),
        ("4/5 midam", (4, 5)),
        ("۱۸/۲۰", (18, 20)),
        ("۱۰/۱۰ بودین", (10, 10)),
        ("از ۲۰ میدم ۱۸", (18, 20)),
        ("از بیست هفده میدم", (17, 20)),
        ("از ده شیش میدم", (6, 10)),
        ("از ده هشت", (8, 10)),
        ("از صد نود میدم", (90, 100)),
        ("از صد، هشتاد و پنج", (85, 100)),
        ("از بیست هفت میدم", (7, 20)),
        ("از ده، شش", (6, 10)),
        ("از ۱۰ به برخوردش ۷ میدم", (7, 10)),
        ("از ۱ تا ۱۰ نمره ۸ میدم", (8, 10)),
        ("از یک تا پنج میدم چهار", (4, 5)),
        ("از ۵ تا ستاره ۴ تا", (4, 5)),
        ("از پنج ستاره چهار تا میدم", (4, 5)),
        ("نه از ده", (9, 10)),
        ("یک از ده", (1, 10)),
        ("صفر از ده", (0, 10)),
        ("ده از ده", (10, 10)),
        ("هشت و نیم از ده", (8.5, 10)),
        ("۸.۵ از ۱۰", (8.5, 10)),
        ("۸/۵ از ۱۰", (8.5, 10)),
        ("۴.۵/۵", (4.5, 5)),
        ("۱۹/۷۵ از ۲۰", (19.75, 20)),
        ("۸ میدم از ۱۰", (8, 10)),
        ("نمره‌م ۷ه از ۱۰", (7, 10)),
        ("نمره ۸ از ۱۰", (8, 10)),
        ("نمره میدم ۸/۱۰", (8, 10)),
        ("امتیاز من ۴ از ۵ است", (4, 5)),
        ("امتیازم به این خرید ۹ از ده", (9, 10)),
        ("رضایتم هفت از ده", (7, 10)),
        ("پنج ستاره", (5, 5)),
        ("پنج‌ستاره", (5, 5)),
        ("۵ستاره", (5, 5)),
        ("چارتا ستاره", (4, 5)),
        ("یه ستاره هم زیاده", (1, 5)),
        ("سه و نیم ستاره", (3.5, 5)),
        ("ستاره ۴", (4, 5)),
        ("۴ ستاره از ۵", (4, 5)),
        ("دو ستاره از پنج ستاره", (2, 5)),
        ("پنج از پنج ستاره", (5, 5)),
        ("5 stars", (5, 5)),
        ("panj setare", (5, 5)),
        ("⭐⭐⭐⭐⭐", (5, 5)),
        ("⭐️⭐️⭐️", (3, 5)),
        ("⭐", (1, 5)),
        ("★★★★☆", (4, 5)),
        ("۵ ⭐", (5, 5)),
        ("نمره ۱۸ میدم", (18, 20)),
        ("نمره من بیسته", (20, 20)),
        ("نمرتون بیست", (20, 20)),
        ("نمره ۱۷/۵", (17.5, 20)),
        ("نمره‌ای که به خدماتتون میدم ۱۹ هست", (19, 20)),
        ("۱۸ نمره میدم", (18, 20)),
        ("نمرم ۷", [(7, 10), (7, 20)]),
        ("نمره‌م ۴", [(4, 5), (4, 10), (4, 20)]),
        ("نمره ۱۰", [(10, 10), (10, 20)]),
        ("نمره هشت و نیم", [(8.5, 10), (8.5, 20)]),
        ("nomram 9", [(9, 10), (9, 20)]),
        ("نمره: ۶", [(6, 10), (6, 20)]),
        ("۹۰ درصد راضی‌ام", (90, 100)),
        ("نود درصد راضی بودم", (90, 100)),
        ("۹۰٪ راضی بودم", (90, 100)),
        ("٪۹۰ راضی بودم", (90, 100)),
        ("صد در صد راضی", (100, 100)),
        ("صددرصد راضیم", (100, 100)),
        ("رضایتم ۸۰ درصده", (80, 100)),
        ("میزان رضایت: ۷۰٪", (70, 100)),
        ("۹۰ درصد از کارتون راضی بودم", (90, 100)),
        ("90 darsad raziam", (90, 100)),
    ],
)
def test_a_rating_is_read_however_it_is_written(text: str, rating: object) -> None:
    assert read(text) == ([] if rating is None else [rating])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "۸",
        "بیست",
        "به پیک ۸ میدم",
        "امتیاز ۸",
        "۱۲ از ۱۰",
        "۶ از ۵",
        "۸ از ۱۲",
        "۷ ستاره",
        "⭐⭐⭐⭐⭐⭐",
        "نمره ۲۵",
        "نمره ۳ روزه نیومده",
        "نمره نمیدم",
        "مرسی ⭐",
        "از ۱۰ تا ۱۲",
        "از ۱۰ صبح تا ۵ عصر",
        "ساعت ۸/۱۰",
        "تاریخ ۸/۱۰",
        "۱۴۰۳/۸/۱۰",
        "از ۱/۵ تا ۱/۱۰",
        "بعد از ۱۰ روز",
        "بعد از ۵ ۳ بار",
        "یکی از ۵ کالا",
        "۳ از ۵ تا کالا نرسید",
        "۲ از ۵ سفارشم نرسیده",
        "۲/۵ میلیون",
        "۲/۵ کیلو",
        "هتل پنج ستاره",
        "۲۰ درصد تخفیف",
        "۵۰ درصد راضی نیستم",
        "۹۰ درصد ناراضی‌ام",
        "۱۲۰ درصد راضی‌ام",
        "نه راضی نه ناراضی",
        "۱۵ از مهر",
        "۵ از ۱۰ مهر",
        "از ۱ تا ۵ نمره بدم؟",
        "نمره‌ش منفی سه",
        "شماره ۰۹۱۲۱۲۳۴۵۶۷",
        "rate shoma chande",
    ],
)
def test_what_is_no_rating_is_none(text: str) -> None:
    assert read(text) == []


def test_several_ratings_are_found_where_they_stand() -> None:
    text = "ســـلام کیفیت ۸ از ۱۰، ارسال پنج‌ستاره ولی به پیک نمره ۳ میدم"
    found = find_ratings(text)
    assert [text[one.start : one.end] for one in found] == ["۸ از ۱۰", "پنج‌ستاره", "نمره ۳"]


@given(st.text(st.sampled_from("صددوسهنیکوازستارهنمره راضیدرصد۲۵۱۰.,/:-٪ az\u200c\n⭐☆"), max_size=40))
def test_any_text_is_read_without_failing(text: str) -> None:
    for found in find_ratings(text):
        assert 0 <= found.start < found.end <= len(text)
        for rating in [found.value] if found.value else found.candidates:
            assert 0 <= rating["value"] <= rating["scale"]
