"""Stretches of time that have a name: weeks, months, quarters, years, «هفت روز گذشته»."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from crm_store.persian.calendar_tokens import GREGORIAN_YEARS, JALALI_YEARS, Message
from crm_store.persian.calendar_words import word_set
from crm_store.persian.day_words import SHIFTS, at
from crm_store.persian.figures import LAST_MONTH, short_year
from crm_store.persian.jalali_days import add, jalali, month_start, week_start
from crm_store.persian.month_days import ADDRESSES, COUNTED, NO_YEAR
from crm_store.persian.tense import is_hoped, is_report

#: From Saturday: the weekend is Thursday and Friday.
_THURSDAY, _WEEKEND_DAYS = 5, 2
_WEEK_DAYS = 7
_ROUGH_DAYS = 10
_HALF_MONTH = 15
_QUARTER = 3
_MOST = 1000
_EXACT = 2
#: Names of months that are names of people or words for something else as well.
_NAMES = frozenset({4, 7, 8, 9, 10, 11})
#: Before or after such a word it is none: «آذر جان», «با مهر شرکت», «خانم بهار», «تیر برق».
_PERSON_AFTER = word_set(
    "جان جون خانم خانوم اقا عزیز هستم هستن هستند صحبت شما شرکت برق چراغ اهن اهنی کمان خلاص شده شد "
    "خورده خورد زده زد زدن کردن کردم کردید کنید کنم بزنید ندارد نداره نداشت داره دارد مادری خاموش jan "
    "joon khanom khanoom aziz hastam am ام پور زاده نژاد دود دونه دانه خان"
)
_PERSON_BEFORE = word_set(
    "اقای خانم خانوم اقا سرکار جناب اسمم اسم نام نامم با من دود امضا امضای بی ضربه بانک مسکن خبرگزاری "
    "هتل سیگار یه دکتر مهندس محل بدون ال وی اچ ان سی پاره روی دختر پسر مامان دخترم پسرم همسرم agha "
    "aghaye khanom khanome man esmam ba"
)
_MONTH_BEFORE = word_set(
    "در تو توی طی واسه برای مال به فروش گزارش امار درامد سفارش سفارشات سفارشهای شکایت شکایات شکایتهای "
    "مشتری مشتریهای مشتریان حقوق قسط قبض فاکتور فاکتورهای خرید خریدهای پرداخت پرداختهای عملکرد میانگین "
    "امتیاز امتیازات نظرسنجی تخفیف جشنواره اوایل اواخر خلاصه لیست هزینه هزینههای کارکرد تماسهای تعداد "
    "کل tu too tooye dar vase baraye forush gozareshe gozaresh foroosh forooshe forushe amar amare "
    "sefaresh sefareshat shekayat shekayathaye"
)
_MONTH_AFTER = word_set("چقدر چند چنده چطور چطوره چه رو را چندتا امسال پارسال هم که chand cheghadr chetor ro")
#: A season that is a name as well.
_NAMED_SEASON = frozenset({"بهار", "bahar"})
_WISHED = ("خوبی", "خوش")
_STILL = frozenset({"ولی", "اما", "هنوز", "hanuz", "vali"})
_I_AM = "هستم"
#: How many parts of so many months a year has.
_PARTS_OF_YEAR = {2: 6, 3: 4, 4: 3, 6: 2, 9: 1}


class Stretch(NamedTuple):
    """A named stretch of time.

    Attributes:
        start: Its first word.
        end: One past its last word.
        spans: Its possible first days and days after the last, the likeliest first.
        month: Its first month where it is named without its year; 0 otherwise.
        months: How many such months it has.
    """

    start: int
    end: int
    spans: tuple[tuple[date, date], ...]
    month: int = 0
    months: int = 1


Match = re.Match[str]
Maker = Callable[[Message, Match], Iterator[Stretch]]


def months_of(year: int, month: int, count: int = 1) -> tuple[date, date]:
    """So many whole months."""
    return month_start(year, month), month_start(year, month + count)


def look_back(message: Message, month: int, count: int) -> tuple[tuple[date, date], ...]:
    """Months without a year: this year's if they have begun, last year's if not, since reports look back.

    Where somebody wishes for something in them, they may be those to come.
    """
    year = jalali(message.today)[0]
    this, last = months_of(year, month, count), months_of(year - 1, month, count)
    if this[0] <= message.today:
        return (this,)
    return (this, last) if is_hoped(message) else (last,)


def _unit(message: Message, match: Match) -> Iterator[Stretch]:
    """«این هفته», «ماه قبل», «سال آینده»."""
    unit, shift = match["unit"], SHIFTS[match["rel"]]
    is_counted = match["rel"] != "t" and message.kind(match.start() - 1) in "N1TOj9"
    # «دو هفته پیش» is a date, but «ساعت ۵ هفته بعد» has its number elsewhere.
    if is_counted and message.kind(match.start() - 2) not in "hMG":
        return
    yield Stretch(*match.span(), (_shifted(message.today, unit, shift),))


def _shifted(today: date, unit: str, shift: int) -> tuple[date, date]:
    if unit == "k":
        start = add(week_start(today), "k", shift)
        return start, add(start, "k", 1)
    year, month, _ = jalali(today)
    if unit == "s":
        return months_of(year, (month - 1) // _QUARTER * _QUARTER + 1 + shift * _QUARTER, _QUARTER)
    return months_of(year, month + shift) if unit == "l" else months_of(year + shift, 1, LAST_MONTH)


def _weekend(message: Message, match: Match) -> Iterator[Stretch]:
    if message.text(match.end()).startswith(_WISHED):
        return  # «آخر هفته خوبی داشته باشید»
    shift = next((match[name] for name in ("rel", "this") if at(match, name) >= 0), "t")
    start = add(week_start(message.today), "k", SHIFTS[shift])
    start += timedelta(days=_THURSDAY)
    yield Stretch(*match.span(), ((start, start + timedelta(days=_WEEKEND_DAYS)),))


def _counted(message: Message, match: Match) -> Iterator[Stretch]:
    """«هفت روز گذشته» before today, «۳۰ روز اخیر» with it, «سه ماه آینده» from tomorrow."""
    relation = at(match, "rel")
    kind = match["rel"]
    if kind in "np" and not message.value(relation):
        return  # «دو هفته پیش» is a date
    if kind == "n" and message.kind(match.start() - 1) == "e":
        return  # «تا سه روز آینده» as well
    count = int(message.value(at(match, "count"))) if at(match, "count") >= 0 else 1
    if count > _MOST:
        return
    if kind == "p" and _has_passed(message, match):
        return
    tomorrow = message.today + timedelta(days=1)
    if kind == "n":
        yield Stretch(*match.span(), ((tomorrow, add(tomorrow, match["unit"], count)),))
        return
    end = tomorrow if kind in "rR" else message.today
    yield Stretch(*match.span(), ((add(end, match["unit"], -count), end),))


def _has_passed(message: Message, match: Match) -> bool:
    """«الان ده روز گذشته», «یه هفته گذشته از شکایتم»: so long ago, no period."""
    is_told = message.kind(match.start() - 1) == "u" or message.text(match.end()) in _STILL
    return is_told or message.kind(match.end()) == "a"


def _month(message: Message, match: Match) -> Iterator[Stretch]:
    """«مهر», «مهر ماه ۱۴۰۴», «آبان پارسال»."""
    place = at(match, "month")
    month = message.value(place)
    has_year = at(match, "year") >= 0 or at(match, "word") >= 0 or at(match, "of") >= 0
    is_marked = (
        has_year
        or "l" in match["name"]
        or "ماه" in message.text(place)
        or message.text(place).endswith("mah")
    )
    if message.text(match.start() - 1) in ADDRESSES or not (is_marked or _is_month(message, place, month)):
        return
    end = match.end()
    year = _year(message, match)
    if at(match, "year") >= 0 and (year is None or not _is_year(message, at(match, "year"))):
        return  # «بهمن ۵۷», «مهر ۱۵»
    if year is None:
        end = match.end("name")
        yield Stretch(match.start(), end, look_back(message, month, 1), month)
    elif year in JALALI_YEARS:
        yield Stretch(match.start(), end, (months_of(year, month),))


def _is_month(message: Message, place: int, month: int) -> bool:
    """Whether the bare name of a month is one."""
    before, after = message.text(place - 1), message.text(place + 1)
    if (
        message.kind(place - 1) in "NOT"
        or before in _PERSON_BEFORE
        or after in _PERSON_AFTER
        or message.kind(place - 1) == "1"
    ):
        return False
    if month not in _NAMES:
        return True
    if _I_AM in message.texts[place : place + 4] or {"امضا", "موم"} & set(message.texts[place : place + 3]):
        return False
    is_alone = len(message.words) == 1
    is_count = message.kind(place - 1) == "e" and message.kind(place - 2) in "N19"  # «۴ تا مهر»
    fits_before = (message.kind(place - 1) in "aebM&" and not is_count) or before in _MONTH_BEFORE
    fits_after = message.kind(place + 1) in "eYM" or after in _MONTH_AFTER
    if message.kind(place - 1) == "&":
        fits_before = message.kind(place - 2) == "M"
    if message.kind(place + 1) == "&" and message.kind(place + 2) == "o" and before not in _MONTH_BEFORE:
        fits_before = False  # «از مهر و محبتتون»
    return (
        is_alone
        or fits_before
        or fits_after
        or (message.kind(place + 1) == "&" and message.kind(place + 2) == "M")
    )


def _is_year(message: Message, place: int) -> bool:
    """«مهر ۰۳» is a month of 1403, «مهر ۱۵» a day."""
    return message.kind(place) not in "N0" or message.text(place).startswith("0")


def _year(message: Message, match: Match) -> int | None:
    this_year = jalali(message.today)[0]
    if at(match, "word") >= 0:
        return this_year + int(message.value(at(match, "word")))
    if at(match, "of") >= 0:
        return this_year + SHIFTS[match["of"]]
    place = at(match, "year")
    if place < 0:
        return None
    number = int(message.value(place))
    if message.kind(place) == "4":
        return number
    return short_year(number)


def _of_year(message: Message, match: Match) -> Iterator[Stretch]:
    """«امسال», «سال ۱۴۰۳», «سال ۹۹»."""
    year = _year(message, match)
    if year is not None and year in JALALI_YEARS:
        yield Stretch(*match.span(), (months_of(year, 1, LAST_MONTH),))
    elif year is not None and year in GREGORIAN_YEARS:
        yield Stretch(*match.span(), ((date(year, 1, 1), date(year + 1, 1, 1)),))


def _season(message: Message, match: Match) -> Iterator[Stretch]:
    """«بهار», «تابستون امسال»."""
    place = at(match, "season")
    year = _year(message, match)
    before, after = message.text(place - 1), message.text(place + 1)
    is_name = message.text(place) in _NAMED_SEASON and year is None
    is_person = (
        before in _PERSON_BEFORE or after in _PERSON_AFTER or _I_AM in message.texts[place : place + 4]
    )
    if before in ADDRESSES or (is_name and is_person):
        return
    month = message.value(place) * _QUARTER - 2
    yield from _whole_months(message, match, month, _QUARTER, year)


def _latest(message: Message, match: Match) -> Iterator[Stretch]:
    """«پاییز گذشته», «مهر آینده»: the last that is over, the next that has not begun."""
    if message.text(at(match, "rel")) in NO_YEAR or message.text(match.start() - 1) in ADDRESSES:
        return
    place = at(match, "rel") - 1
    is_season = message.kind(place) == "S"
    if message.kind(place) == "l":
        place -= 1
    month, count = (message.value(place) * _QUARTER - 2, _QUARTER) if is_season else (message.value(place), 1)
    year = jalali(message.today)[0]
    spans = [months_of(year + shift, month, count) for shift in (-2, -1, 0, 1, 2)]
    if match["rel"] == "n":
        found = next(span for span in spans if span[0] > message.today)
    else:
        found = next(span for span in reversed(spans) if span[1] <= message.today)
    yield Stretch(*match.span(), (found,))


def _whole_months(
    message: Message, match: Match, month: int, count: int, year: int | None
) -> Iterator[Stretch]:
    start, end = match.span()
    if year is None:
        yield Stretch(start, end, look_back(message, month, count), month, count)
    elif year in JALALI_YEARS:
        yield Stretch(start, end, (months_of(year, month, count),))


def _part_of_year(message: Message, match: Match) -> Iterator[Stretch]:
    """«سه ماهه اول امسال», «شش ماه دوم سال», «نیمه اول سال», «فصل دوم»."""
    length = _length(message, match)
    last = _PARTS_OF_YEAR.get(length, 0)
    nth = _nth(message, at(match, "nth"), last)
    # «شش ماه اول» may be those of a warranty.
    is_of_year = at(match, "stretch") >= 0 or is_report(message) or match.end() > at(match, "nth") + 1
    if is_of_year and 1 <= nth <= last:
        month = (nth - 1) * length + 1
        yield from _whole_months(message, match, month, length, _year(message, match))


def _length(message: Message, match: Match) -> int:
    if at(match, "stretch") >= 0:
        return int(message.value(at(match, "stretch")))
    return int(message.value(at(match, "count"))) if at(match, "count") >= 0 else LAST_MONTH // 2


def _nth(message: Message, place: int, last: int) -> int:
    kind = message.kind(place)
    return {"A": 1, "Z": last}.get(kind) or int(message.value(place))


def _part_of_month(message: Message, match: Match) -> Iterator[Stretch]:
    """«نیمه اول مهر», «هفته دوم آبان», «دهه آخر ماه», «اواخر مهر»."""
    months = list(_months_named(message, match))
    for first, after in months:
        span = _within(message, match, first, after)
        if span is not None:
            yield Stretch(*match.span(), (span,))


def _months_named(message: Message, match: Match) -> Iterator[tuple[date, date]]:
    if at(match, "month") >= 0:
        year = _year(message, match)
        month = message.value(at(match, "month"))
        yield look_back(message, month, 1)[0] if year is None else months_of(year, month)
        return
    rel = next((match[name] for name in ("rel", "this") if at(match, name) >= 0), "t")
    yield _shifted(message.today, "l", SHIFTS[rel])


def _within(message: Message, match: Match, first: date, after: date) -> tuple[date, date] | None:
    if at(match, "rough") >= 0:
        part, length = message.value(at(match, "rough")), _ROUGH_DAYS
        begin = first + timedelta(days=part * length)
        return begin, after if part == _EXACT else begin + timedelta(days=length)
    place = at(match, "nth")
    length = _HALF_MONTH if at(match, "half") >= 0 else _days(message, match)
    if message.kind(place) == "Z":
        return after - timedelta(days=length), after
    nth = 1 if message.kind(place) == "A" else int(message.value(place))
    begin = first + timedelta(days=(nth - 1) * length)
    end = after if at(match, "half") >= 0 and nth == _EXACT else begin + timedelta(days=length)
    return (begin, min(end, after)) if begin < after else None


def _days(message: Message, match: Match) -> int:
    count = int(message.value(at(match, "count"))) if at(match, "count") >= 0 else 1
    if at(match, "unit") >= 0 and match["unit"] == "k":
        return _WEEK_DAYS * count
    return count if at(match, "count") >= 0 else _ROUGH_DAYS


def _numbered_month(message: Message, match: Match) -> Iterator[Stretch]:
    """«برج ۷», «ماه هفتم امسال»."""
    month = message.value(at(match, "month"))
    is_borj = message.text(match.start()) in ("برج", "borj", "borje")
    is_named = (
        is_borj or match["month"] == "O" or message.text(match.start() - 1) in ("در", "تو", "توی", "برای")
    )
    has_number_before = message.kind(match.start() - 1) in "N1TOj"
    following = message.text(match.end())
    if month > LAST_MONTH or not is_named or has_number_before or following in COUNTED:
        return
    yield from _whole_months(message, match, month, 1, _year(message, match))


_YEAR = "(?:y?(?P<year>4|T(?![Phmdke:cz]))g?|y(?P<year2>[NT0])g?|(?P<word>Y)|t?y(?P<of>[npt])|)"
_YEARS = _YEAR.replace("|y(?P<year2>[NT0])g?", "")
_OF_MONTH = f"(?:l?(?P<month>M)l?{_YEARS}|(?P<this>t)?l(?P<rel>[npt])?)"
PATTERNS: list[tuple[re.Pattern[str], Maker]] = [
    (re.compile(pattern), make)
    for pattern, make in (
        ("(?P<rel>t)(?P<unit>[klsy])", _unit),
        ("(?P<unit>[klsy])(?P<rel>[npt])", _unit),
        ("Z(?P<this>t)?k(?P<rel>[npt])?", _weekend),
        ("(?P<count>[N1T9])(?P<unit>[dkly])(?P<rel>[npr])", _counted),
        ("(?P<rel>R)(?P<count>[N1T9])(?P<unit>[dkly])", _counted),
        ("(?P<unit>[kly])(?P<rel>r)", _counted),
        (f"(?P<name>l?(?P<month>M)l?){_YEARS}", _month),
        ("(?P<name>l?(?P<month>M)l?)(?P<year>[N0])", _month),
        ("(?P<word>Y)", _of_year),
        ("y(?P<year>[4T0N])g?", _of_year),
        (f"s?(?P<season>S){_YEARS}", _season),
        ("(?:(?P<word>Y)|y(?P<of>[np]))s?(?P<season>S)", _season),
        ("(?:(?P<word>Y)|y(?P<of>[np]))(?P<name>l?(?P<month>M)l?)", _month),
        ("(?P<season>S|(?P<name>l?Ml?))(?P<rel>[np])", _latest),
        (f"(?P<stretch>Q)(?P<nth>[OAZ])y?{_YEARS}", _part_of_year),
        (f"(?P<count>N)l(?P<nth>[OAZ])y?{_YEARS}", _part_of_year),
        (f"V(?P<nth>[OAZ])(?:y|(?=Y)){_YEARS}", _part_of_year),
        (f"(?P<half>V)(?P<nth>[OAZ]){_OF_MONTH}", _part_of_month),
        (f"(?P<unit>k)(?P<nth>[OAZ]){_OF_MONTH}", _part_of_month),
        (f"(?P<count>N)(?P<unit>[dk])(?P<nth>[AZ]){_OF_MONTH}", _part_of_month),
        (f"(?P<rough>U){_OF_MONTH}", _part_of_month),
        (f"l(?P<month>[NO])y?{_YEARS}", _numbered_month),
    )
]
