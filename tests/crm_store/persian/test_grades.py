"""Answers to "how content are you" as people give them, on the scale of the question or on none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.persian import to_persian_digits
from crm_store.persian.grades import Grade, read_grade

SCALES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7), "scale": (1, 3)}


def read(kind: str, text: str) -> Grade:
    low, high = SCALES[kind]
    return read_grade(text, low=low, high=high, kind=kind)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("۵", 5),
        ("پنج", 5),
        ("5", 5),
        ("panj", 5),
        ("یک", 1),
        ("۴-", 4),
        ("چارتا", 4),
        ("۵ از ۵", 5),
        ("5 از 5", 5),
        ("۰ از ۵", 1),
        ("صفر", 1),
        ("4/5", 4),
        ("۸ از ۱۰", 4),
        ("۲۰ از ۲۰", 5),
        ("بیست", 5),
        ("صد در صد", 5),
        ("چهار ستاره", 4),
        ("۳ ستاره", 3),
        ("۴ تا ستاره", 4),
        ("⭐⭐⭐", 3),
        ("یه ۵ بهتون میدم", 5),
        ("پنج میدم", 5),
        ("من ۴ میدم بهتون", 4),
        ("امتیاز ۲", 2),
        ("گزینه ۴", 4),
        ("کل خدمات 4", 4),
        ("از ۱ تا ۵ میدم ۴", 4),
        ("۵ نه، ۴", 4),
        ("عالی بود", 5),
        ("عالیه", 5),
        ("عالییییی", 5),
        ("بسیار عالی، متشکرم", 5),
        ("فوق‌العاده بود", 5),
        ("حرف نداشت", 5),
        ("کارتون حرف نداره دمتون گرم", 5),
        ("بهترین بودید", 5),
        ("خیلی خوب بود", 5),
        ("کاملا راضی", 5),
        ("کامل راضی بودم", 5),
        ("خیلی زیاد", 5),
        ("خوب", 4),
        ("خوب بود ممنون", 4),
        ("خوبه", 4),
        ("راضی‌ام", 4),
        ("راضیم", 4),
        ("راضی بودم", 4),
        ("تقریبا راضی", 4),
        ("نسبتاً راضی بودم", 4),
        ("زیاد", 4),
        ("khoob bood", 4),
        ("متوسط", 3),
        ("معمولی بود", 3),
        ("بد نبود", 3),
        ("ای بدک نبود", 3),
        ("نه خوب نه بد", 3),
        ("نه راضی نه ناراضی", 3),
        ("قابل قبول بود", 3),
        ("بد", 2),
        ("بد بود", 2),
        ("ضعیف بود", 2),
        ("خوب نبود", 2),
        ("راضی نیستم", 2),
        ("نه راضی نبودم", 2),
        ("زیاد راضی نبودم", 2),
        ("ناراضی", 2),
        ("خوشم نیومد", 2),
        ("افتضاح", 1),
        ("افتضاح بود", 1),
        ("داغون بود", 1),
        ("خیلی بد بود", 1),
        ("خیلی ضعیف", 1),
        ("خیلی ناراضی", 1),
        ("اصلا راضی نبودم", 1),
        ("اصلاً خوب نبود", 1),
        ("خیلی کم", 1),
        ("eftezah", 1),
        ("👍", 4),
        ("😍", 5),
        ("😡", 1),
        ("😐", 3),
        ("👎", 2),
    ],
)
def test_contentment_out_of_five(text: str, grade: int) -> None:
    found = read("csat", text)
    assert found == Grade(grade, is_number=found.is_number)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("۸", 8),
        ("هشت", 8),
        ("hasht", 8),
        ("۸ از ۱۰", 8),
        ("8 az 10", 8),
        ("۸/۱۰", 8),
        ("ده", 10),
        ("۱۰ از ۱۰", 10),
        ("ده از ده", 10),
        ("صفر", 0),
        ("نه از ده", 9),
        ("نه میدم", 9),
        ("نمره‌م نه", 9),
        ("نُه", 9),
        ("نمره ۷", 7),
        ("هشت نمره", 8),
        ("هشت تا میدم", 8),
        ("از ده، شش", 6),
        ("۸ نه ۷", 7),
        ("۷ نه، ۸", 8),
        ("۴ از ۵", 8),
        ("۱۸ از ۲۰", 9),
        ("نمره ۱۸", 9),
        ("پنج ستاره", 10),
        ("چهار ستاره", 8),
        ("۹۰ درصد", 9),
        ("صد در صد", 10),
        ("۹ 👍", 9),
        ("حتما", 10),
        ("حتماً پیشنهاد می‌کنم", 10),
        ("عالی", 10),
        ("خیلی زیاد", 10),
        ("به هیچ وجه", 0),
        ("عمرا", 0),
        ("اصلا", 0),
        ("افتضاح", 0),
    ],
)
def test_recommendation_out_of_ten(text: str, grade: int) -> None:
    found = read("nps", text)
    assert found == Grade(grade, is_number=found.is_number)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("۷", 7),
        ("۶ از ۷", 6),
        ("پنج ستاره", 7),
        ("خیلی راحت بود", 7),
        ("مثل آب خوردن", 7),
        ("آسون بود", 6),
        ("آسونه", 6),
        ("راحت", 6),
        ("سخت نبود", 5),
        ("معمولی", 4),
        ("نه آسون نه سخت", 4),
        ("سخت بود", 2),
        ("خیلی سخت", 1),
        ("پدرم دراومد", 1),
        ("اصلا آسون نبود", 1),
    ],
)
def test_ease_out_of_seven(text: str, grade: int) -> None:
    assert read("ces", text).value == grade


@pytest.mark.parametrize(("text", "grade"), [("۲", 2), ("خوب", 3), ("متوسط", 2), ("بد بود", 1)])
def test_a_scale_of_the_owners(text: str, grade: int) -> None:
    assert read("scale", text).value == grade


@pytest.mark.parametrize(
    ("kind", "text", "grade"),
    [
        ("csat", "راضی بودم ولی دیر اومدن", 4),
        ("csat", "افتضاح بود، دو ساعت معطل شدم", 1),
        ("csat", "۴، فقط گرون بود", 4),
        ("csat", "۴ ولی ۲ ساعت دیر کردن", 4),
        ("csat", "چهار. فقط بسته‌بندی بد بود", 4),
        ("csat", "خیلی خوب بود فقط ۲ روز دیر رسید", 5),
        ("csat", "از خدماتتون راضی نبودم چون سه بار اومدن و درست نشد", 2),
        ("csat", "خیلی راضی بودم مرسی از آقای احمدی", 5),
        ("nps", "۷ چون گرونید", 7),
        ("nps", "بین هفت تا هشت، بزن هشت", 8),
        ("ces", "سخت بود چون باید چند بار زنگ می‌زدم", 2),
    ],
)
def test_words_beside_a_grade_are_worth_keeping(kind: str, text: str, grade: int) -> None:
    found = read(kind, text)
    assert (found.value, found.has_words, found.corrects) == (grade, True, False)


@pytest.mark.parametrize(
    ("kind", "text", "grade"),
    [
        ("csat", "نه ۴", 4),
        ("csat", "نه، ۳", 3),
        ("csat", "ببخشید اشتباه زدم ۲", 2),
        ("nps", "نه ۷", 7),
        ("nps", "منظورم ۶ بود", 6),
        ("nps", "اشتباه شد بزن ۵", 5),
    ],
)
def test_corrections(kind: str, text: str, grade: int) -> None:
    found = read(kind, text)
    assert (found.value, found.corrects) == (grade, True)


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("csat", "۷ از ۱۰", "scale"),
        ("csat", "نمره ۸", "scale"),
        ("nps", "۱۷ از ۲۰", "scale"),
        ("ces", "چهار ستاره", "scale"),
        ("csat", "هشت", "range"),
        ("nps", "۱۱", "range"),
        ("nps", "منفی ده", "range"),
        ("csat", "۴.۵", "fraction"),
        ("nps", "نه و نیم", "fraction"),
        ("nps", "۸.۵", "fraction"),
        ("csat", "۴ یا ۵", "several"),
        ("nps", "۷ یا ۸", "several"),
        ("nps", "بین ۷ و ۸", "several"),
        ("nps", "برخورد ۱۰، سرعت ۶", "several"),
        ("nps", "نه", "nine"),
        ("csat", "برخورد خوب بود ولی کار افتضاح بود", "mixed"),
        ("csat", "هم خوب بود هم بد", "mixed"),
    ],
)
def test_what_is_no_grade_of_this_scale_says_why(kind: str, text: str, why: str) -> None:
    found = read(kind, text)
    assert (found.value, found.why) == (None, why)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("csat", "نه"),
        ("csat", "دیر اومدن"),
        ("csat", "سه هفته طول کشید"),
        ("csat", "۳ بار زنگ زدم"),
        ("csat", "سفارشم ۳ روز دیر رسید"),
        ("csat", "یه بار گفتم"),
        ("csat", "ساعت کارتون چنده"),
        ("csat", "خوب میشه اگه زودتر بیاید"),
        ("csat", "راضی باشید"),
        ("csat", "می‌تونست بهتر باشه"),
        ("csat", "نمی‌دونم"),
        ("csat", "نظری ندارم"),
        ("nps", "خوب"),
        ("nps", "شاید"),
        ("nps", "احتمالا"),
        ("nps", "زیاد"),
        ("nps", "به دوستام معرفی می‌کنم"),
    ],
)
def test_what_says_nothing_certain_is_no_grade(kind: str, text: str) -> None:
    found = read(kind, text)
    assert (found.value, found.why) == (None, "none")


@given(st.sampled_from(sorted(SCALES)), st.text(max_size=80))
def test_a_grade_is_always_on_the_scale(kind: str, text: str) -> None:
    found = read(kind, text)
    assert found.value is None or SCALES[kind][0] <= found.value <= SCALES[kind][1]
    assert (found.value is None) is bool(found.why)


@given(st.integers(0, 10), st.sampled_from(["{}", "{} از ۱۰", "نمره {}", "{} میدم", "{}!", "{} ممنون"]))
def test_figures_read_back(grade: int, form: str) -> None:
    assert read("nps", form.format(to_persian_digits(grade))).value == grade
