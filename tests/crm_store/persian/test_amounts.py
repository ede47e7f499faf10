"""Amounts are whole rials; where the thousand or the unit is left out, all that may be meant is listed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import to_persian_digits
from crm_store.persian.amounts import find_amounts
from crm_store.persian.points import find_points
from tests.crm_store.persian.test_numbers import SPOKEN, in_words

M = 10_000_000  # a million tomans in rials
K = 10_000  # a thousand tomans in rials

SCRIPTS = st.sampled_from(
    [str, to_persian_digits, lambda text: text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))]
)
TOMANS = st.sampled_from(
    [
        "تومان",
        " تومان",
        " تومن",
        " تومنی",
        "تومن",
        " تومنو",
        " تومنم",
        " تومنیه",
        " تومانش",
        " toman",
        "toman",
        " T",
        "t",
        " tmn",
        " ت",
        "ت",
        " تومان.",
    ]
)
RIALS = st.sampled_from([" ریال", "ریال", " ریالی", " ريال", " rial", "rial"])
AROUND = st.sampled_from(
    [("", ""), ("مبلغ ", " پس بدید"), ("سلام، ", "!"), ("دیروز ", "\nاز حسابم کم شد"), ("\u200f", " گرفتن؟")]
)


def read(text: str) -> list[int | list[int]]:
    return [
        found.value if found.value is not None else list(found.candidates) for found in find_amounts(text)
    ]


@given(st.integers(1_000, 10**10), st.sampled_from([",", "٬", "،", ".", "/", ""]), SCRIPTS, TOMANS, AROUND)
def test_figures_with_a_unit_read_back(
    number: int, mark: str, script: Callable[[str], str], unit: str, around: tuple[str, str]
) -> None:
    amount = script(f"{number:,}".replace(",", mark)) + unit
    text = around[0] + amount + around[1]
    (found,) = find_amounts(text)
    assert found.value == number * 10
    assert text[found.start : found.end] == amount.rstrip(".")


@given(st.integers(0, 10**10), st.sampled_from([",", "٬", ""]), SCRIPTS, RIALS, AROUND)
def test_rials_are_literal(
    number: int, mark: str, script: Callable[[str], str], unit: str, around: tuple[str, str]
) -> None:
    assert read(around[0] + script(f"{number:,}".replace(",", mark)) + unit + around[1]) == [number]


@given(
    st.one_of(
        st.integers(2, 999).map(lambda n: n * 1_000),
        st.integers(1, 9_999).map(lambda n: n * 1_000_000),
        st.integers(1_000, 10_000_000).map(lambda n: n * 1_000),
    ),
    st.booleans(),
    st.sampled_from([" ", "\u200c", ""]),
    TOMANS.filter(lambda unit: not unit.strip(" .").isascii() and unit.strip() != "ت"),
    AROUND,
)
def test_words_with_a_unit_read_back(
    number: int, spoken: bool, joint: str, unit: str, around: tuple[str, str]
) -> None:
    words = [SPOKEN.get(word, word) if spoken else word for word in in_words(number)]
    assert read(around[0] + joint.join(words) + unit + around[1]) == [number * 10]


@given(
    st.integers(1, 999),
    st.sampled_from(
        [("هزار", 1_000), ("میلیون", 10**6), ("ملیون", 10**6), ("هزااار", 1_000), ("hezar", 1_000)]
    ),
    st.sampled_from(["", " "]),
    SCRIPTS,
    TOMANS,
)
def test_figures_with_a_scale_read_back(
    count: int, scale: tuple[str, int], gap: str, script: Callable[[str], str], unit: str
) -> None:
    assert read(f"{script(str(count))}{gap}{scale[0]} {unit.strip(' .')}") == [count * scale[1] * 10]


@given(st.integers(10, 999), SCRIPTS, TOMANS, AROUND)
def test_a_missing_thousand_is_ambiguous(
    count: int, script: Callable[[str], str], unit: str, around: tuple[str, str]
) -> None:
    assert read(around[0] + script(str(count)) + unit + around[1]) == [[count * K, count * 10]]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("صد و بیست تومن", [1_200_000, 1200]),
        ("دو تومن", [2 * M, 2 * K, 20]),
        ("۵ تومن", [5 * M, 5 * K, 50]),
        ("یه تومن", [M, K, 10]),
        ("۲.۵ تومن", [2.5 * M, 2.5 * K, 25]),
        ("۲/۵ تومن", [2.5 * M, 2.5 * K, 25]),
        ("یک و نیم تومن", [1.5 * M, 1.5 * K, 15]),
        ("دو تومن و نیم", [2.5 * M, 2.5 * K, 25]),
        ("یه تومن و دویست", [1.2 * M, 1.2 * K]),
        ("یک و هشتصد تومن", [1.8 * M, 1.8 * K]),
        ("۱۵۰۰ تومان", 15_000),
        ("هزار و پونصد تومن", 15_000),
        ("هزار تومن", 10_000),
        ("۱.۵۰۰ تومان", 15_000),
        ("۵۰۰۰تومن", 50_000),
        ("۵۰۰ هزار تومان", 500 * K),
        ("۵۰۰هزارتومان", 500 * K),
        ("۵۰۰ هزارتومنی", 500 * K),
        ("پانصدهزارتومان", 500 * K),
        ("پونصدهزار تومنم", 500 * K),
        ("دویست و پنجاه هزار تومنو", 250 * K),
        ("دويست و پنجاه هزار تومن", 250 * K),
        ("پنجاااه هزار تومن", 50 * K),
        ("۵۰۰ تومنو پس بدید", [500 * K, 5000]),
        ("دویست تومنم رفت", [200 * K, 2000]),
        ("قیمتش دویست تومنیه", [200 * K, 2000]),
        ("سیصد تومنشو دادم", [300 * K, 3000]),
        ("۵۰۰ت", [500 * K, 5000]),
        ("۵۰۰ ت", [500 * K, 5000]),
        ("500T", [500 * K, 5000]),
        ("500 tmn", [500 * K, 5000]),
        ("120,000 T", 120 * K),
        ("500k toman", 500 * K),
        ("500kt", 500 * K),
        ("۵۰۰ هزار ت", 500 * K),
        ("۵۰۰ ه.ت", 500 * K),
        ("۳ م.ت", 3 * M),
        ("۲ میلیون و ۵۰۰ هزار تومن", 2.5 * M),
        ("۲ میلیون ۵۰۰ هزار تومن", 2.5 * M),
        ("یک میلیون و دویست هزار تومن", 1.2 * M),
        ("یک میلیون و دویست تومن", [1.2 * M, 10_002_000]),
        ("۲.۵ میلیون تومان", 2.5 * M),
        ("۲/۵ میلیون تومان", 2.5 * M),
        ("۲٫۵ میلیون تومن", 2.5 * M),
        ("یک و نیم میلیون تومن", 1.5 * M),
        ("یه میلیون و نیم تومن", 1.5 * M),
        ("یه میلیون تومن و نیم", 1.5 * M),
        ("نیم میلیون تومن", 0.5 * M),
        ("یه میلیون تومنش", M),
        ("دو میلیارد تومن", 2000 * M),
        ("۱ میلیون ریال", 1_000_000),
        ("صد هزار ریال", 100_000),
        ("۵۰۰ ریال", 500),
        ("مبلغ ۱٬۲۵۰٬۰۰۰ ریال", 1_250_000),
        ("مبلغ ۱۲۰۰۰۰۰۰۰۰۰ ریال", 12_000_000_000),
        ("۵۰۰ هزار پس بدید", 500 * K),
        ("پول من ۲ میلیون بود", 2 * M),
        ("۳۰۰ هزار از حسابم کسر شد", 300 * K),
        ("مبلغ یک و نیم میلیون واریز کردم", 1.5 * M),
        ("۵۰۰ هزار تا فردا پس بدید", 500 * K),
        ("هزینه‌ش شد دو میلیون و پونصد", [2.5 * M, 20_005_000]),
        ("pas bedid 500 hezar", 500 * K),
        ("۵۰۰ هزار", [500 * K, 500_000]),
        ("یک و نیم میلیون", [1.5 * M, 1_500_000]),
        ("پنج میلیون گرفتن", [5 * M, 5_000_000]),
        ("یه ۲۰۰ هزاری", [200 * K, 200_000]),
        ("دو میلیون و پونصد", [2.5 * M, 20_005_000, 2_500_000, 2_000_500]),
        ("panjah hezar toman", 50 * K),
        ("do milion toman", 2 * M),
        ("do milion o pansad hezar toman", 2.5 * M),
        ("sad toman", [100 * K, 1000]),
        ("divist hezar tomane", 200 * K),
        ("do o nim milyoon toman", 2.5 * M),
        ("پنجاه تومان", [50 * K, 500]),
        ("۵۰ تمن", [50 * K, 500]),
        ("دو سه میلیون تومن", [2 * M, 3 * M]),
        ("سیصد چهارصد تومن", [300 * K, 400 * K, 3000, 4000]),
        ("دو تا پونصد تومنی", [500 * K, 5000]),
        ("نه صد هزار تومن بود", 100 * K),
        ("کارت هدیه ۱۰۰ تومنی", [100 * K, 1000]),
        ("۱۲ میلیون و ۳ تا کیف، ۵ هزار تومن", [12 * M, 5 * K]),
    ],
)
def test_an_amount_is_read_however_it_is_written(text: str, amount: object) -> None:
    expected = amount if text.startswith("۱۲ میلیون و ۳") else [amount]
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("از ۵۰۰ تا ۸۰۰ هزار تومن", [500 * K, 800 * K]),
        ("بین دو تا سه میلیون تومن", [2 * M, 3 * M]),
        ("بین ۲۰۰ و ۳۰۰ تومن", [[200 * K, 2000], [300 * K, 3000]]),
        ("۵۰۰ هزار تا یک میلیون تومن", [500 * K, M]),
        ("۱۵۰۰ تومن و ۲۰۰ ریال", [15_000, 200]),
        ("مبلغ ۲۰۰ هزار تومن بود ولی ۳۰۰ هزار کم شده", [200 * K, 300 * K]),
    ],
)
def test_several_amounts_are_read(text: str, amounts: list[object]) -> None:
    assert read(text) == amounts


@pytest.mark.parametrize(
    "text",
    [
        "سلام",
        "۵۰۰",
        "مبلغ ۵۰۰۰۰۰",
        "چند تومن میشه",
        "چند صد هزار تومن",
        "چند میلیون تومن ضرر کردم",
        "صدها هزار تومن",
        "میلیون تومن",
        "دویست و خرده‌ای هزار تومن",
        "هزار بار گفتم",
        "هزار تا مشکل",
        "۵۰ هزار نفر",
        "۱۰۰ هزارتا فالوور",
        "۵۰ هزار امتیاز",
        "۲ هزار کیلومتر",
        "۵۰۰ دلار",
        "سال هزار و سیصد و هفتاد",
        "۰۹۱۲۱۲۳۴۵۶۷ تومن",
        "09121234567",
        "کد ملی ۰۰۱۲۳۴۵۶۷۸",
        "۱۴۰۳/۲/۵ تومن",
        "ساعت ۱۷:۳۰",
        "ORD-1234 T",
        "8 از 10",
        "دو سه روز",
        "تومن",
        "ریال",
        "serial 12",
        "4k tv",
        "تراکنش ۱۲۳۴۵۶۷۸",
    ],
)
def test_what_is_no_money_is_no_amount(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("۵۰۰ امتیاز", [500]),
        ("۵۰۰امتیاز", [500]),
        ("۵۰۰ امتياز", [500]),
        ("۵۰۰ امتیازم کو", [500]),
        ("دویست امتیاز بهش بده", [200]),
        ("صد و پنجاه تا امتیاز", [150]),
        ("۲۰۰تا امتیاز", [200]),
        ("هزارتا امتیاز دارم", [1000]),
        ("دو هزار و پانصد امتیاز", [2500]),
        ("۲ هزار امتیاز", [2000]),
        ("۱٬۲۰۰ امتیازی که داشتم", [1200]),
        ("امتیازم ۵۰۰ه", [500]),
        ("امتیازم شده ۱۲۰۰", [1200]),
        ("امتیازم الان دویسته", [200]),
        ("امتیازشو بکن ۳۰۰", [300]),
        ("امتیاز ۵۰", [50]),
        ("امتیاز: ۵۰", [50]),
        ("امتیازم ۵۰۰ تاست", [500]),
        ("امتیازم از ۵۰۰ به ۳۰۰ رسیده", [500, 300]),
        ("امتیازش صفر شد", [0]),
        ("۵۰ تا بهش امتیاز بده", [50]),
        ("یک امتیاز", [1]),
        ("+۵۰ امتیاز", [50]),
        ("-۵۰ امتیاز", [-50]),
        ("emtiazam 500 shode", [500]),
        ("200 emtiaz", [200]),
        ("100 points", [100]),
        ("به ازای هر ۱۰۰۰ تومن ۱ امتیاز", [1]),
        ("مشتری ۲۲۱ امتیاز ۹۰ کم شه", [90]),
        ("افزایش امتیاز مشتری ۱۲۰۳ به میزان ۵۰۰", [500]),
        ("امتیازمو ندادید", []),
        ("یه امتیاز", []),
        ("امتیاز من ۴ از ۵ است", []),
        ("امتیازم به این خرید ۹ از ده", []),
        ("امتیازم ۳ روزه نیومده", []),
        ("امتیازم چرا با ۵۰۰ تومن خرید نیومد", []),
        ("سفارش ۱۲۳۴۵ امتیاز نداده", []),
        ("امتیاز سفارش ۱۲۳۴۵", []),
        ("امتیازم نیومده ۰۹۱۲۱۲۳۴۵۶۷", []),
        ("امتیاز دو برابر", []),
        ("۵۰۰ تومن امتیاز", []),
        ("۵۰۰", []),
    ],
)
def test_points_are_numbers_beside_their_word(text: str, points: list[int]) -> None:
    assert [found.value for found in find_points(text)] == points


def test_amounts_and_points_are_found_where_they_stand() -> None:
    text = "ســـلام، ۵۰۰ هزار تومنو با ۲۰۰ امتیازم حساب کنید"
    assert [text[found.start : found.end] for found in find_amounts(text)] == ["۵۰۰ هزار تومنو"]
    assert [text[found.start : found.end] for found in find_points(text)] == ["۲۰۰ امتیازم"]


@given(st.text(st.sampled_from("صددوسهنیکوهزارمیلیون تومنتامتیاز۲۵۰.,/:-٬از ab\u200c\n"), max_size=40))
def test_any_text_is_read_without_failing(text: str) -> None:
    for found in [*find_amounts(text), *find_points(text)]:
        assert 0 <= found.start < found.end <= len(text)
        assert (found.value is None) is bool(found.candidates)
