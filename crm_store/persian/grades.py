"""An answer to "how content are you": a grade on the question's own scale, whatever way it is said.

«هشت», «۸ از ۱۰», «چهار ستاره», «عالی بود», «راضی بودم ولی دیر اومدن». A grade on another scale counts only
where it is the same one exactly: «۸ از ۱۰» is 4 of 5, «۷ از ۱۰» is none of five grades.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from crm_store.persian.grade_words import BAD, BEST, FAIR, GOOD, MIDDLING, WORST, Level, levels_in
from crm_store.persian.numbers import Token, plain, read_tokens, signed_span
from crm_store.persian.ratings import ratings_in
from crm_store.persian.readings import Source

#: Why a text gives no grade: none is in it, it is no whole one, of another scale, beyond its ends, one of
#: several, «نه» alone, which is nine and no, or praise and blame at once.
Why = Literal["", "none", "fraction", "scale", "range", "several", "nine", "mixed"]

#: Grades that a level of contentment is, by kind of question; what is missing is asked for in figures.
_OF_LEVELS: dict[str, dict[int, int]] = {
    "csat": {WORST: 1, BAD: 2, MIDDLING: 3, FAIR: 3, GOOD: 4, BEST: 5},
    "ces": {WORST: 1, BAD: 2, MIDDLING: 4, FAIR: 5, GOOD: 6, BEST: 7},
    "nps": {WORST: 0, BEST: 10},
}
#: Of five and of three grades, in their order.
_FIVE = (WORST, BAD, MIDDLING, GOOD, BEST)
_THREE = {WORST: 0, BAD: 0, MIDDLING: 1, FAIR: 1, GOOD: 2, BEST: 2}
#: «بیست» is the best there is, whatever was asked.
_TOP_OF_SCHOOL = 20
#: A number among more words than these is a grade only where it stands apart or is said to be given.
_FEW_WORDS = 4
_LONGEST_NUMBER = 3

_GIVING = re.compile(
    r" ?,? ?(?:تا )?(?:رو |هم |بهتون |بهش |به شما |به |از من |براش |براتون |تون )*"
    r"(?:می ?دم|می ?دهم|میدیم|دادم|بدم|دادیم|می ?ذارم|میزارم|می ?گم|بزن|بذار|بزار|بنویس|حقتونه|حقشه|خوبه|ثبت"
    r"|midam|bezan|midahm)"
)
_GIVEN_BEFORE = re.compile(
    r"(?:^|(?<= ))(?:بزن|بزنید|بنویس|بنویسید|میدم|می دم|نمره|نمرم|نمره م|نمرهم|نمرهام|امتیاز|امتیازم|گزینه"
    r"|عدد|همون|جوابم|جواب|منظورم|ستاره|ارفاق|نهایتا|nomre)(?: من| م)? ?[:،,]? ?$"
)
_APART = re.compile(
    r" ?(?:[،,.؛;:!؟?\n)(-]|$)"
    r"| (?:ولی|اما|چون|فقط|منتها|منتهی|هرچند|البته|که|برای|بخاطر|به خاطر|vali|chon|faghat)(?!\w)"
)
_UNIT = re.compile(
    r" ?(?:بار|دفعه|مرتبه|روز|هفته|ماه|سال|ساعت|دقیقه|دیقه|ثانیه|نفر|جا|کیلو|گرم|متر|لیتر|گیگ|شب|جلسه|قسط"
    r"|درجه|دلار|یورو|تومن|تومان|ریال|هزار|میلیون|طبقه|مدل|نوع|بسته|سفارش|خرید|bar|dafe|rooz|hafte|mah|saat|daghighe)"
    r"\w{0,4}(?!\w)"
)
_NOT_GIVEN = re.compile(r"(?<!\w)(?:ساعت|تاریخ|سفارش|کد|طبقه|پلاک|واحد|شعبه|تا|از) ?$")
_PERCENT = re.compile(r" ?(?:درصد|%|٪|darsad)(?!\w)")
#: «صد در صد» is all of it, and no two numbers.
_ALL_OF_IT = re.compile(r"(?<!\w)صد ?در ?صد(?!\w)")
#: «یه کم», «یک بار»: no number.
_ARTICLES = frozenset({"یه", "یک", "ye", "yek"})
_NINE_OR_NO = re.compile(r"(?:نه|نه خیر|na|noh)[.!؟? ]*\Z")
#: Written with its vowel it is no "no".
_NINE = "ن\u064fه"
_CORRECTING = re.compile(
    r"^(?:نه(?! و نیم)(?:[،,.! ]|خیر)+ ?(?=(?:ببخشید |منظورم )?[^ ]+)|ببخشید|اشتباه|اصلاح|na |oops|sorry"
    r"|پشیمون شدم|نظرم عوض)"
    r"|(?<!\w)(?:منظورم|اشتباه (?:زدم|شد|گفتم|نوشتم|کردم)|اشتباهی|عوضش|تغییرش|بکنش|بکنیدش|اصلاحش|eshtebah"
    r"|manzooram)"
)
_OPENING_NO = re.compile(r"^(?:نه|na)(?:[،,.! ]+)(?=.)")
_WORD = re.compile(r"[\w⭐🌟]+")
#: What only carries a grade: none of it is worth keeping beside it.
_CARRYING = re.compile(
    r"(?:من|ما|نظرم|بنظرم|نظر|به|از|با|که|را|رو|هم|و|می|بود|بودم|بودن|بودیم|بودید|بوده|است|هست|هستم|هستیم|شد|شدم|شدیم|دارم|داشتم|داریم"
    r"|خیلی|واقعا|کلا|کاملا|در|کل|همه|چی|چیز|همه‌چی|دم|میدم|میدهم|میدیم|بدم|دادم|میگم|بزن|بزنید|بنویس|بنویسید|ثبت|کن|کنید|نمره|نمرم"
    r"|نمرهم|نمرهی|نمرهام|امتیاز|امتیازم|امتیازی|ستاره|تا|شما|شماها|بهتون|بهش|بهشون|براتون|براش|برای|کارتون|خدمات|خدماتتون|کار|یه|یک"
    r"|سلام|مرسی|ممنون|ممنونم|تشکر|متشکرم|لطفا|بله|اره|خب|اصلا|زیاد|نسبتا|تقریبا|حدی|حدودی|گزینه|نه|ببخشید|اشتباه|منظورم|زدم|شدش|همون"
    r"|دمتون|گرم|دستتون|درد|نکنه|ها|های|ی|م|ه|جواب|جوابم|پیشنهاد|پیشنهادتون|میکنم|میدم|معرفی|معرفیتون|midam|az|be|man|bood|boodam|nomre"
    r"|setare|kheili|shoma|salam|mersi|ahan|احتمالش|احتمال|رضایت|رضایتم|خدایی|انصافا|عزیز|جان|دوست|خوب|دیگه|الان|این|اون|بگم|بخوام|اگه"
    r"|درصد|بودین|بنده|امتیازتون|نمرتون|کنم)"
)


class Grade(NamedTuple):
    """What a text says of a grade.

    Attributes:
        value: on the question's scale; None where it cannot be told.
        why: why it cannot; empty with a value.
        has_words: whether the text says more than the grade, which is worth keeping.
        corrects: whether it takes back a former answer: «نه ۷», «ببخشید اشتباه زدم ۷».
        is_number: whether the grade is in figures, stars or number words.
    """

    value: int | None
    why: Why = ""
    has_words: bool = False
    corrects: bool = False
    is_number: bool = False


class _Given(NamedTuple):
    """A grade as it was said: its share of the scale, and its place in the folded text."""

    value: int | None
    why: Why
    start: int
    end: int


def read_grade(text: str, *, low: int, high: int, kind: str) -> Grade:
    """Reads a grade.

    Args:
        text: As it was typed.
        low: The lowest grade of the question.
        high: The highest one.
        kind: ``csat``, ``nps``, ``ces`` or ``scale``.
    """
    source = Source(text)
    folded = source.folded
    corrects = _CORRECTING.search(folded) is not None
    if _NINE_OR_NO.match(folded):
        if _NINE in text and low <= 9 <= high:
            return Grade(9, is_number=True)
        return Grade(None, "nine" if low <= 9 <= high else "none")
    given = _in_figures(source, low, high)
    said = levels_in(folded, kind=kind)
    places = [(level.start, level.end) for level in said]
    if given:
        one = _one_of(given, folded, corrects=corrects)
        places.append((one.start, one.end))
    else:
        one = _of_levels(said, low, high, kind)
    opening = _OPENING_NO.match(folded)
    # «نه ۷» takes something back, «نه از ده» and «نه، راضی نبودم» do not.
    takes_back = opening is None or (bool(given) and one.start >= opening.end())
    is_correction = corrects and one.value is not None and takes_back
    return Grade(one.value, one.why, _says_more(folded, places), is_correction, bool(given))


def _in_figures(source: Source, low: int, high: int) -> list[_Given]:
    """Everything that may be a grade in figures, stars or number words."""
    folded = source.folded
    tokens = read_tokens(folded)
    whole = _ALL_OF_IT.search(folded)
    if whole is not None and not any(one.number not in (None, 100) for one in tokens):
        return []
    found = [
        _of_rating(reading, low, high, *_place(source, reading)) for reading in ratings_in(source, tokens)
    ]
    if not found:
        found = _of_own_scale(tokens, low, high)
    return found or _bare(folded, tokens, low, high)


def _place(source: Source, reading: Any) -> tuple[int, int]:
    """Where a reading stands in the folded text."""
    starts = [
        index for index in range(len(source.folded)) if source.span(index, index + 1)[0] >= reading.start
    ]
    inside = [index for index in starts if source.span(index, index + 1)[0] < reading.end]
    return (inside[0], inside[-1] + 1) if inside else (0, len(source.folded))


def _of_rating(reading: Any, low: int, high: int, start: int, end: int) -> _Given:
    """«۸ از ۱۰», «چهار ستاره», «نمره ۷» on the question's scale."""
    if reading.value is not None:
        value, scale = Fraction(str(reading.value["value"])), int(reading.value["scale"])
    else:
        # A grade without a scale is of the question's, if it fits into that.
        value = Fraction(str(reading.candidates[0]["value"]))
        scales = [int(one["scale"]) for one in reading.candidates]
        is_of_ours = low <= value <= high
        scale = high if is_of_ours else scales[0] if len(scales) == 1 else 0
    if scale == 0:
        return _Given(None, "scale", start, end)
    if scale == high:
        if value.denominator != 1:
            return _Given(None, "fraction", start, end)
        # Nothing of five is the worst of five.
        return _Given(
            max(low, int(value)) if value <= high else None, "" if value <= high else "range", start, end
        )
    return _share(value, scale, low, high, (start, end))


def _share(value: Fraction, scale: int, low: int, high: int, place: tuple[int, int]) -> _Given:
    """A grade of another scale, where it is one of ours exactly."""
    exact = value * high / scale
    is_exact = exact.denominator == 1 and low <= exact <= high
    return _Given(int(exact), "", *place) if is_exact else _Given(None, "scale", *place)


def _of_own_scale(tokens: list[Token], low: int, high: int) -> list[_Given]:
    """«۶ از ۷»: a scale that only this question has."""
    found = []
    for place, token in enumerate(tokens[:-2]):
        of, scale = tokens[place + 1], tokens[place + 2]
        if token.number is None or of.text not in ("از", "az", "of") or scale.number != high:
            continue
        if low <= token.number <= high and token.number == int(token.number):
            found.append(_Given(int(token.number), "", token.start, scale.end))
    return found


def _bare(folded: str, tokens: list[Token], low: int, high: int) -> list[_Given]:
    """Numbers without a word of grading, where they can hardly be anything else."""
    words = len(_WORD.findall(folded))
    found = []
    for token in tokens:
        if not _may_be_grade(folded, token):
            continue
        behind, before = folded[token.end :], folded[: token.start]
        stands_apart = _APART.match(behind) is not None and (
            not before.strip() or before.rstrip()[-1:] in "،,.:؛!؟\n"
        )
        is_given = _GIVING.match(behind) is not None or _GIVEN_BEFORE.search(before) is not None
        ends_it = not behind.strip(" .!؟?،") and bool(levels_in(before, kind="csat"))
        if not (stands_apart or is_given or ends_it or words <= _FEW_WORDS):
            continue
        number = plain(token.number or 0)
        start = signed_span(folded, token)[0]
        if start < token.start:
            found.append(_Given(None, "range", start, token.end))
        elif number != int(number):
            found.append(_Given(None, "fraction", token.start, token.end))
        elif low <= number <= high and not _PERCENT.match(behind):
            found.append(_Given(int(number), "", token.start, token.end))
        elif _PERCENT.match(behind):
            found.append(_share(Fraction(str(number)), 100, low, high, (token.start, token.end)))
        elif number in (0, _TOP_OF_SCHOOL):
            # Nothing is the worst of whatever was asked.
            found.append(_Given(high if number else low, "", token.start, token.end))
        else:
            found.append(_Given(None, "range", token.start, token.end))
    return found


def _may_be_grade(folded: str, token: Token) -> bool:
    if token.number is None or token.ordinal or (token.digits and len(token.text) > _LONGEST_NUMBER + 1):
        return False
    behind, before = folded[token.end :], folded[: token.start]
    is_article = not token.digits and token.text in _ARTICLES and bool(behind.strip())
    if is_article and not (_APART.match(behind) or _GIVING.match(behind)):
        return False
    # «نه» before or after something is a no, unless it is given: «نه میدم».
    if token.text in ("نه", "na") and not (_GIVING.match(behind) or _GIVEN_BEFORE.search(before)):
        return False
    return not (_UNIT.match(behind) or _NOT_GIVEN.search(before))


def _one_of(given: list[_Given], folded: str, *, corrects: bool) -> _Given:
    """The one grade among several: what is not taken back, and else the one that opens the text."""
    values = {one.value for one in given if one.value is not None}
    if len(given) == 1:
        return given[0]
    if len(values) == 1 and all(one.value is not None for one in given):
        return given[0]
    kept = [one for one in given if not _is_denied(folded, one)]
    if len(kept) == 1:
        return kept[0]
    last = given[-1]
    if last.value is not None and (corrects or _GIVEN_BEFORE.search(folded[: last.start])):
        return last
    first = given[0]
    if first.start == 0 and first.value is not None and re.match(r" ?[،,.;؛\n]", folded[first.end :]):
        others = [one for one in given[1:] if one.value is not None]
        if not others:
            return first
    return _Given(None, "several", given[0].start, given[-1].end)


def _is_denied(folded: str, one: _Given) -> bool:
    """«۷ نه، ۸», «۸ نه ۷»: a number with a no behind it."""
    return re.match(r" ?(?:نه|na)(?!\w)", folded[one.end :]) is not None


def _of_levels(said: list[Level], low: int, high: int, kind: str) -> _Given:
    """The grade that words say; none where they praise and blame at once or the scale is too fine."""
    if not said:
        return _Given(None, "none", 0, 0)
    start, end = said[0].start, said[-1].end
    levels = {one.level for one in said}
    if max(levels) > FAIR and min(levels) < MIDDLING:
        return _Given(None, "mixed", start, end)
    level = max(levels) if max(levels) > FAIR else min(levels)
    grade = _grade_of(level, low, high, kind)
    return _Given(grade, "" if grade is not None else "none", start, end)


def _grade_of(level: int, low: int, high: int, kind: str) -> int | None:
    if kind in _OF_LEVELS:
        return _OF_LEVELS[kind].get(level)
    if high - low + 1 == len(_FIVE):
        return low + _FIVE.index(MIDDLING if level == FAIR else level)
    if high - low + 1 == len(set(_THREE.values())):
        return low + _THREE[level]
    return {WORST: low, BEST: high}.get(level)


def _says_more(folded: str, places: list[tuple[int, int]]) -> bool:
    """Whether a text says more than its grade."""
    rest = list(folded)
    for start, end in places:
        rest[start:end] = " " * (end - start)
    words = [word for word in re.findall(r"[^\W\d]+", "".join(rest)) if not _CARRYING.fullmatch(word)]
    return len(words) > 0 and sum(len(word) for word in words) > 2
