"""Numbers are read as people write them; where a word is mostly something else it is no number."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import fold, to_persian_digits
from crm_store.persian.numbers import find_numbers, read_tokens

ONES = [
    "_",
    "یک",
    "دو",
    "سه",
    "چهار",
    "پنج",
    "شش",
    "هفت",
    "هشت",
    "نه",
    "ده",
    "یازده",
    "دوازده",
    "سیزده",
    "چهارده",
    "پانزده",
    "شانزده",
    "هفده",
    "هجده",
    "نوزده",
]
TENS = ["_", "_", "بیست", "سی", "چهل", "پنجاه", "شصت", "هفتاد", "هشتاد", "نود"]
HUNDREDS = ["_", "صد", "دویست", "سیصد", "چهارصد", "پانصد", "ششصد", "هفتصد", "هشتصد", "نهصد"]
SPOKEN = {
    "چهار": "چار",
    "شش": "شیش",
    "پانزده": "پونزده",
    "شانزده": "شونزده",
    "هفده": "هیفده",
    "هجده": "هیژده",
    "دویست": "دیویست",
    "چهارصد": "چارصد",
    "پانصد": "پونصد",
    "ششصد": "شیشصد",
    "هفتصد": "هفصد",
    "هشتصد": "هشصد",
    "میلیون": "ملیون",
    "میلیارد": "ملیارد",
}
LATIN = dict(
    zip(
        [*ONES[1:], *TENS[2:], *HUNDREDS[1:], "هزار", "میلیون", "میلیارد", "و"],
        [
            "yek",
            "do",
            "se",
            "chahar",
            "panj",
            "shish",
            "haft",
            "hasht",
            "noh",
            "dah",
            "yazdah",
            "davazdah",
            "sizdah",
            "chahardah",
            "poonzdah",
            "shoonzdah",
            "hefdah",
            "hejdah",
            "noozdah",
            "bist",
            "si",
            "chehel",
            "panjah",
            "shast",
            "haftad",
            "hashtad",
            "navad",
            "sad",
            "divist",
            "sisad",
            "chaharsad",
            "pansad",
            "shishsad",
            "haftsad",
            "hashtsad",
            "nohsad",
            "hezar",
            "milion",
            "miliard",
            "o",
        ],
        strict=True,
    )
)


def in_words(number: int) -> list[str]:
    """A whole number in formal words, «و» between them."""
    parts: list[list[str]] = []
    for size, name in ((10**9, "میلیارد"), (10**6, "میلیون"), (1_000, "هزار")):
        if number >= size:
            count, number = divmod(number, size)
            parts.append(([] if (count, size) == (1, 1_000) else in_words(count)) + [name])
    if number >= 100:
        parts.append([HUNDREDS[number // 100]])
        number %= 100
    if number >= 20:
        parts.append([TENS[number // 10]])
        number %= 10
    if number:
        parts.append([ONES[number]])
    return [word for place, part in enumerate(parts) for word in (["و"] if place else []) + part]


whole_numbers = st.one_of(
    st.integers(11, 999),
    st.integers(11, 999_999),
    st.integers(1, 999).map(lambda n: n * 1_000),
    st.integers(1, 999).map(lambda n: n * 1_000_000),
    st.integers(1_000_000, 10**11).map(lambda n: n - n % 1_000),
)
AROUND = st.sampled_from([("", ""), ("جمعا ", " نفر"), ("سلام، ", "."), ("شد ", "؟"), ("\u200f", "\n")])


def value_of(text: str) -> list[float]:
    return [match.value for match in find_numbers(text)]


@given(whole_numbers, st.booleans(), st.sampled_from([" ", "\u200c"]), AROUND)
def test_a_number_in_words_reads_back(number: int, spoken: bool, joint: str, around: tuple[str, str]) -> None:
    words = [SPOKEN.get(word, word) if spoken else word for word in in_words(number)]
    text = around[0] + joint.join(words) + around[1]
    (found,) = find_numbers(text)
    assert found.value == number
    assert text[found.start : found.end] == joint.join(words)


@given(whole_numbers, st.sampled_from(["", "و "]))
def test_a_number_typed_without_spaces_reads_back(number: int, ending: str) -> None:
    """«دویستوپنجاه»; or the «و» sticks to the word before it: «دویستو پنجاه»."""
    words = in_words(number)
    text = "".join(words) if not ending else " ".join(words).replace(" و ", "و ")
    assert value_of(text) == [number]


@given(whole_numbers, st.booleans())
def test_a_number_in_latin_letters_reads_back(number: int, capital: bool) -> None:
    text = " ".join(LATIN[word] for word in in_words(number))
    # A thing is counted: «si» and «sad» alone are mostly English.
    assert value_of((text.capitalize() if capital else text) + " ta") == [number]


@given(
    st.integers(0, 10**9 - 1),
    st.sampled_from([",", "٬", "،", ".", "/", ""]),
    st.sampled_from(
        [str, to_persian_digits, lambda t: t.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))]
    ),
    AROUND,
)
def test_figures_read_back_however_they_are_grouped(
    number: int, mark: str, script: Callable[[str], str], around: tuple[str, str]
) -> None:
    written = script(f"{number:,}".replace(",", mark))
    if mark == "/" and number % 1_000 == 100 and number < 100_000:
        return  # «۸۵/۱۰۰» is a rating
    text = around[0] + written + around[1]
    (found,) = find_numbers(text)
    assert (found.value, text[found.start : found.end]) == (number, written)


@given(st.integers(1, 999), st.integers(1, 99), st.sampled_from([".", "٫"]))
def test_a_fraction_reads_back(whole: int, hundredths: int, mark: str) -> None:
    text = to_persian_digits(f"{whole}{mark}{hundredths:02}")
    assert value_of(text) == [float(Decimal(whole) + Decimal(hundredths) / 100)]


@given(
    st.integers(2, 999), st.sampled_from([(1_000, "هزار"), (10**6, "میلیون")]), st.booleans(), st.booleans()
)
def test_figures_and_words_mix(count: int, scale: tuple[int, str], glued: bool, half: bool) -> None:
    text = f"{to_persian_digits(count)}{'' if glued else ' '}{scale[1]}" + (" و نیم" if half else "")
    assert value_of(text) == [count * scale[0] + scale[0] // 2 * half]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("۲۵", 25),
        ("٤٥٦", 456),
        ("۰", 0),
        ("صفر", 0),
        ("۲٬۵۰۰", 2500),
        ("۲،۵۰۰،۰۰۰", 2_500_000),
        ("2.500.000", 2_500_000),
        ("۵۰۰/۰۰۰", 500_000),
        ("۲ ۵۰۰ ۰۰۰", 2_500_000),
        ("۵۰ ۰۰۰", 50_000),
        ("۱.۵", 1.5),
        ("۲٫۵", 2.5),
        ("۲.۵ میلیون", 2_500_000),
        ("۲/۵ میلیون", 2_500_000),
        ("۲,۵ میلیون", 2_500_000),
        ("۱.۲۵۰ میلیون", 1_250_000),
        ("۲/۵ کیلو", 2.5),
        ("پونصد", 500),
        ("شیشصد", 600),
        ("شیصد", 600),
        ("هفصد", 700),
        ("نهصد", 900),
        ("دیویست", 200),
        ("پونزده", 15),
        ("شونزده", 16),
        ("هیوده", 17),
        ("هیفده", 17),
        ("هیژده", 18),
        ("شصت", 60),
        ("شص تا", 60),
        ("سی نفر", 30),
        ("چارصد", 400),
        ("چار تا", 4),
        ("پنش تا", 5),
        ("یازده", 11),
        ("صدو بیست", 120),
        ("بیستو پنج", 25),
        ("بیست‌و‌پنج", 25),
        ("بیست و پنج", 25),
        ("بیست پنج", 25),
        ("دویستوپنجاه", 250),
        ("دویست پنجاه", 250),
        ("هشتاد‌وپنج", 85),
        ("سی‌وسه", 33),
        ("چهار صد", 400),
        ("سی صد تا", 300),
        ("هزار", 1000),
        ("یک هزار", 1000),
        ("یکهزار و دویست", 1200),
        ("هزار و پونصد", 1500),
        ("هزار پونصد", 1500),
        ("صد هزار", 100_000),
        ("دویست و پنجاه هزار", 250_000),
        ("دويست و پنجاه هزار", 250_000),
        ("پانصدهزار", 500_000),
        ("یه میلیون", 1_000_000),
        ("دو ملیون", 2_000_000),
        ("یک میلیارد", 10**9),
        ("هزار میلیارد", 10**12),
        ("هزار و دویست میلیون", 1_200_000_000),
        ("یک و نیم", 1.5),
        ("یک و نیم میلیون", 1_500_000),
        ("دو و نیم میلیون", 2_500_000),
        ("دوونیم میلیون", 2_500_000),
        ("یه میلیون و نیم", 1_500_000),
        ("نیم میلیون", 500_000),
        ("نیم کیلو", 0.5),
        ("۲ میلیون و ۵۰۰ هزار", 2_500_000),
        ("۲ میلیون ۵۰۰ هزار", 2_500_000),
        ("دو میلیون و ۵۰۰ هزار", 2_500_000),
        ("۵۰۰هزار", 500_000),
        ("۲میلیون", 2_000_000),
        ("بیست و ۵ هزار", 25_000),
        ("پنجااه هزاار", 50_000),
        ("پنجاااااه", 50),
        ("میلیون ها نفر و ۳ نفر", 3),
        ("panjah hezar", 50_000),
        ("do milion", 2_000_000),
        ("do milyoon o nim", 2_500_000),
        ("chahar sad", 400),
        ("sad o bist", 120),
        ("sado bist", 120),
        ("bist o panj", 25),
        ("bistopanj", 25),
        ("si o se", 33),
        ("sisad hezar", 300_000),
        ("nim milion", 500_000),
        ("500hezar", 500_000),
        ("hezar o pansad", 1500),
        ("500k", 500_000),
        ("۲ تا کیف خریدم", 2),
        ("دو تا کیف خریدم", 2),
        ("دوتا کیف خریدم", 2),
        ("سه‌تا", 3),
        ("سه بار زنگ زدم", 3),
        ("نه بار زنگ زدم", 9),
        ("نه‌تا", 9),
        ("do bar zang zadam", 2),
        ("۲۰٪ تخفیف", 20),
        ("بیست درصد تخفیف", 20),
        ("صددرصد مطمئنم", 100),
        ("منفی ۵ درجه", -5),
        ("-5", -5),
        ("- 5", 5),
        ("گزینه یک", 1),
        ("یک", 1),
        ("یک عدد", 1),
        ("ده", 10),
        ("سی", 30),
        ("به پیک ده میدم", 10),
        ("ساعت۵", 5),
        ("5️⃣", 5),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, value: float) -> None:
    assert value_of(text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "سلام خسته نباشید",
        "نه",
        "نه نمی‌خوام",
        "نه تا همینجا کافیه",
        "نه نفرستید",
        "نه ساعت خوبی نیست",
        "صد در صد",
        "صد در صد با شما موافقم",
        "صد البته",
        "یه شکایت دارم",
        "یک شکایت دارم",
        "یه بار گفتم",
        "یه کم دیر شد",
        "یکم دیر شد",
        "یکی از همکاراتون",
        "هر دو خراب بود",
        "دو سه روز پیش",
        "سی چهل نفر بودیم",
        "یکی دو روز",
        "چند هزار نفر",
        "سه‌شنبه",
        "سه شنبه",
        "پنج شنبه میام",
        "panj shanbe miam",
        "دوشنبه و چهارشنبه",
        "دوست دارم",
        "دوباره خراب شد",
        "سهم من",
        "سیم شارژر",
        "سینه مرغ",
        "نهایتا",
        "نهار",
        "هفته بعد",
        "صدای گوشی",
        "دهات ما",
        "از ده ما تا شهر",
        "شستم",
        "هزاران نفر",
        "سی دی",
        "بی بی سی",
        "چهار راه ولیعصر",
        "سیزده به در",
        "میلیون تومان",
        "سوم",
        "بار سوم",
        "بیست و سوم",
        "۱۵ام",
        "پونزدهم مهر",
        "یک سوم پولم",
        "دو سوم",
        "شد یک و هشتصد",
        "انجام می دهم",
        "ORD-1234",
        "a52",
        "گوشی S21",
        "iphone13",
        "64gb",
        "5g",
        "info123@example.com",
        "https://example.com/p/1234?x=5",
        "www.shop24.ir",
        "@reza1370",
        "#12345",
        "۱۴۰۳/۲/۵",
        "1403-02-05",
        "۱۷:۳۰",
        "09121234567",
        "0912 ",
        "IR062960000000100324200001",
        "6037991234567890",
        "0012345678",
        "192.168.1.1",
        "*123#",
        "۵۵ب۳۲۱",
        "do you know",
        "no problem",
        "si",
        "se",
        "so sad",
        "dobare kharab shod",
        "serial number",
        "seo",
    ],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert value_of(text) == []


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("پونزدهم مهر", [("پونزدهم", 15, 0, True), ("مهر", None, 0, False)]),
        ("بیست و سوم", [("بیست و سوم", 23, 0, True)]),
        ("بیست‌وسوم", [("بیستوسوم", 23, 0, True)]),
        ("سی‌ام", [("سیام", 30, 0, True)]),
        ("۱۵ام", [("15ام", 15, 2, True)]),
        ("۱۵ ام", [("15 ام", 15, 2, True)]),
        ("۱۵م", [("15م", 15, 2, True)]),
        ("15th", [("15th", 15, 2, True)]),
        ("dovom", [("dovom", 2, 0, True)]),
        ("پنج و نیم عصر", [("پنج و نیم", Decimal("5.5"), 0, False), ("عصر", None, 0, False)]),
        ("۲ میلیون و ۵۰۰ هزار", [("2 میلیون و 500 هزار", 2_500_000, 4, False)]),
        ("دوماه پیش", [("دو", 2, 0, False), ("ماه", None, 0, False), ("پیش", None, 0, False)]),
        ("پنج شنبه", [("پنج شنبه", None, 0, False)]),
        ("سهو", [("سهو", None, 0, False)]),
        ("۸.۳۰", [("8.30", Decimal("8.30"), 3, False)]),
        ("۵ و ۶", [("5", 5, 1, False), ("و", None, 0, False), ("6", 6, 1, False)]),
        ("می دهم", [("می", None, 0, False), ("دهم", None, 0, False)]),
    ],
)
def test_tokens_are_words_and_whole_numbers(text: str, tokens: list[tuple[object, ...]]) -> None:
    folded = fold(text)
    read = read_tokens(folded)
    assert [(token.text, token.number, token.digits, token.ordinal) for token in read] == tokens
    assert all(folded[token.start : token.end] == token.text for token in read)


def test_several_numbers_of_a_message_are_found_where_they_stand() -> None:
    text = "ســـلام، دو تا کیف و ۳ کفش خریدم، كلا پنجاه‌وپنج هزار"
    found = [(text[match.start : match.end], match.value) for match in find_numbers(text)]
    assert found == [("دو", 2), ("۳", 3), ("پنجاه‌وپنج هزار", 55_000)]


@given(st.text(st.sampled_from("صددوسهنیکوهزارمیلیون تومن۲۵۰.,/:-٬از ab\u200c\n⭐"), max_size=40))
def test_any_text_is_read_without_failing_and_in_order(text: str) -> None:
    found = find_numbers(text)
    spans = [(match.start, match.end) for match in found]
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    tokens = read_tokens(fold(text))
    assert all(one.end <= other.start for one, other in pairwise(tokens))
