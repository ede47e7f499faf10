"""Days of months: «۱۵ مهر», «آخر آبان ۱۴۰۳», «دهم همین ماه», «15/7», 12 May 2024."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from crm_store.persian.calendar_tokens import JALALI_YEARS, Message
from crm_store.persian.calendar_words import word_set
from crm_store.persian.day_words import SHIFTS, Maker, Match, at
from crm_store.persian.days import LAST, Day, in_month, in_year, resolve
from crm_store.persian.figures import LAST_MONTH, dates_in_figures, pair_in_figures, whole_year
from crm_store.persian.jalali_days import jalali, month_end, month_start
from crm_store.persian.tense import is_verb
from crm_store.persian.verbs import Tense

_MIDDLE = 15
_MAY = "می"
#: Nine, or no.
_NO = "نه"
_DISC = "سی"
_DEY = 10
#: «خیابان ۱۷ شهریور», «میدان ۷ تیر»: a place is no date.
ADDRESSES = word_set(
    "خیابان خیابون خ میدان میدون بلوار کوچه پل مترو متروی ایستگاه بیمارستان مدرسه چهارراه چارراه شهرک "
    "محله تقاطع اتوبان بزرگراه ورزشگاه سالن خیابونه khiaban khiabun khiaboon meydan meydun meydoon "
    "bolvar kuche"
)
#: What is counted, so that the number before it is no day and no hour.
COUNTED = word_set(
    "تا بار عدد نفر نفره دفعه مرتبه هزار میلیون ملیون میلیارد تومن تومان ریال درصد کیلو گرم متر لیتر "
    "دونه دانه جفت بسته قلم مورد امتیاز ستاره نمره گیگ مگ سانت اینچ برابر قسط شماره واحد پلاک طبقه "
    "سفارش محصول کالا مدل نوبت جلسه ta bar adad nafar hezar milion milyon toman tomen rial darsad kilo "
    "emtiaz setare"
)
#: After a day of a month these mean no year: «۱۵ مهر دیگه میام», «۱۵ مهر پیش شما بودم».
NO_YEAR = frozenset({"دیگه", "دیگر", "دگه", "دیگ", "dige", "digeh", "dg", "پیش", "پیشی", "pish", "pishe"})
DATES_NAMED = word_set("تاریخ مورخ مورخه بتاریخ تاریخه tarikh tarikhe")
#: Beside «دهم» alone: anything else makes it a place in a row («سفارش دوم», «طبقه سوم»).
_BEFORE_DAY = DATES_NAMED | word_set("برای در روز واسه واسم که baraye vase dar ruz rooz")
_AFTER_DAY = word_set("هم رو که به ساعت ham ro")
_LUNAR_MONTHS = word_set("رمضان محرم صفر رجب شعبان شوال ربیع جمادی ذیحجه ذیقعده")
_FIRST_PLACES = 4


def _of_month(message: Message, match: Match) -> Iterator[Day]:
    """«۱۵ مهر», «آخر آبان ۱۴۰۳», «12 May 2024», «اول پاییز»."""
    place = at(match, "day")
    number, month = _number(message, place), message.value(at(match, "month"))
    if message.text(match.start() - 1) in ADDRESSES or (message.text(place) == _DISC and month == _DEY):
        return  # «سی دی» is a disc
    if match["month"] == "S":
        if number not in (1, LAST):
            return
        month = month * 3 - 2 if number == 1 else month * 3
    if message.text(place) == _NO and match.start() == place and not _is_ninth(message, place):
        return
    is_jalali = match["month"] != "G"
    year, end = _year(message, match, is_jalali)
    if not is_jalali and (number == LAST or (year is None and _is_prefix(message, at(match, "month")))):
        return
    day = Day(match.start(), end, "year", (), number, month, is_jalali)
    yield from (placed for one in _with_neighbours(message, day) for placed in _placed(one, year))


def _is_ninth(message: Message, place: int) -> bool:
    """«نه مهر» is the ninth at the beginning or after what leads to a date, else «not Mehr»."""
    return place == 0 or message.kind(place - 1) in "aeWdb" or message.text(place - 1) in _BEFORE_DAY


def _with_neighbours(message: Message, day: Day) -> Iterator[Day]:
    """The day, and those before it that share its month: «۱۵ و ۱۶ مهر»."""
    yield day
    place = day.start
    while message.kind(place - 1) in "&,/" and message.kind(place - 2) in "NO":
        place -= 2
        if message.kind(place - 1) in "hMG":
            break
        yield day._replace(start=place, end=place + 1, number=message.value(place))


def _placed(day: Day, year: int | Tense | None) -> Iterator[Day]:
    if year is None:
        yield day
    elif isinstance(year, int):
        found = in_year(day, year)
        yield day._replace(kind="fixed", dates=() if found is None else (found,))
    else:
        yield day._replace(tense=year, is_strict=True)


def _is_prefix(message: Message, place: int) -> bool:
    """«۱۲ می خوام» is no day of May."""
    return message.text(place) == _MAY and message.kind(place + 1) == "o"


def _number(message: Message, place: int) -> int:
    places = {"A": 1, "Z": LAST, "V": _MIDDLE}
    kind = message.kind(place)
    return places[kind] if kind in places else int(message.value(place))


def _year(message: Message, match: Match, is_jalali: bool) -> tuple[int | Tense | None, int]:
    """The year named after a day and a month, or which way it lies; and where the day ends."""
    end = match.end()
    this_year = jalali(message.today)[0] if is_jalali else message.today.year
    if at(match, "word") >= 0:
        return this_year + int(message.value(at(match, "word"))), end
    if at(match, "of") >= 0:
        return this_year + SHIFTS[match["of"]], end
    if at(match, "rel") >= 0 and message.text(at(match, "rel")) not in NO_YEAR:
        return ("future" if match["rel"] == "n" else "past"), end
    place = at(match, "year")
    if place >= 0:
        is_named = at(match, "yword") >= 0
        year = whole_year(message, place, is_jalali=is_jalali, is_named=is_named)
        if year is not None and message.text(place + 1) not in COUNTED:
            return year, end
        if message.kind(place) == "4":  # a year of the other calendar
            return -1, end
    return None, match.end("name")


def _month_first(message: Message, match: Match) -> Iterator[Day]:
    """«مهر ۱۵», «October 7, 1991»."""
    place = at(match, "day")
    word = message.words[place]
    if word.width == 2 and word.value < 10 and match["month"] == "M":
        return  # «مهر ۰۳» is a month of 1403
    if message.text(place + 1) in COUNTED or message.text(match.start() - 1) in ADDRESSES:
        return
    month, is_jalali = message.value(at(match, "month")), match["month"] == "M"
    day = Day(*match.span(), "year", (), word.value, month, is_jalali)
    year = max(at(match, "late"), at(match, "early"))
    yield from _placed(day, int(message.value(year)) if year >= 0 else None)


def _of_this_month(message: Message, match: Match) -> Iterator[Day]:
    """«دهم همین ماه», «آخر ماه بعد», «اول ماه»."""
    if "E" in (message.kind(match.start() - 1), message.kind(match.end() - 1)):
        return
    if message.text(match.end()) in _LUNAR_MONTHS:
        return  # «اول ماه رمضان»
    number = _number(message, at(match, "day"))
    shift = next((match[name] for name in ("rel", "this") if at(match, name) >= 0), "")
    if not shift:
        yield Day(*match.span(), "month", number=number)
        return
    year, month, _ = jalali(message.today)
    found = in_month(number, year, month + SHIFTS[shift])
    if found is not None:
        yield Day(*match.span(), dates=(found,))


def _of_numbered_month(message: Message, match: Match) -> Iterator[Day]:
    """«۱۵ برج ۷», «پانزدهم ماه هفتم»."""
    number, month = message.value(at(match, "day")), message.value(at(match, "month"))
    # «پانزدهم ماه هفتم», but «سه ماه دوم» is a quarter.
    is_place = match["day"] == "O" or (match["month"] == "O" and number > LAST_MONTH)
    is_named = is_place or message.text(at(match, "name")) in ("برج", "borj", "borje")
    if month > LAST_MONTH or not is_named:
        return
    day = Day(*match.span(), "year", (), number, month)
    yield from _placed(day, message.value(at(match, "year")) if at(match, "year") >= 0 else None)


def _of_year(message: Message, match: Match) -> Iterator[Day]:
    """«اول سال», «آخر پارسال», «اول سال ۱۴۰۴»."""
    year = jalali(message.today)[0]
    if at(match, "word") >= 0:
        year += message.value(at(match, "word"))
    elif at(match, "number") >= 0:
        year = message.value(at(match, "number"))
    elif match["rel"] or match["this"]:
        year += SHIFTS[match["rel"] or match["this"]]
    elif match["day"] == "A":
        yield Day(*match.span(), "year", (), 1, 1)
        return
    if year in JALALI_YEARS:
        found: date = month_start(year, 1) if match["day"] == "A" else month_end(year, LAST_MONTH)
        yield Day(*match.span(), dates=(found,))


def _place_alone(message: Message, match: Match) -> Iterator[Day]:
    """«بیستم میام»: of this month or the next; «سفارش دوم» is none."""
    place = match.start()
    before, after = message.text(place - 1), message.text(place + 1)
    kind_before, kind_after = message.kind(place - 1), message.kind(place + 1)
    is_named = kind_before in "aeWd" or before in _BEFORE_DAY
    fits_before = is_named or kind_before in ",;-xDPB<&" or is_verb(before)
    fits_after = kind_after in ",;ePxD&-" or is_verb(after) or after in _AFTER_DAY
    # «دوم اینکه», «سوم هم»: the first few mostly count reasons.
    if fits_before and fits_after and (is_named or message.value(place) >= _FIRST_PLACES):
        yield Day(place, place + 1, "month", number=message.value(place))


def _in_figures(message: Message, match: Match) -> Iterator[Day]:
    dates = dates_in_figures(message.text(match.start()), message.today)
    if dates:
        yield Day(*match.span(), dates=dates)


def _spaced(message: Message, match: Match) -> Iterator[Day]:
    """«۱۴۰۳ ۲ ۵»."""
    words = message.words[match.start() : match.end()]
    dates = dates_in_figures("/".join(word.text for word in words), message.today)
    if len(dates) == 1:
        yield Day(*match.span(), dates=dates)


def _glued(message: Message, match: Match) -> Iterator[Day]:
    """«تاریخ ۱۴۰۳۰۲۰۵»."""
    text = message.text(match.start())
    if len(text) == 8 and text.isdigit() and message.text(match.start() - 1) in DATES_NAMED:
        dates = dates_in_figures(f"{text[:4]}/{text[4:6]}/{text[6:]}", message.today)
        if dates:
            yield Day(*match.span(), dates=dates)


def _pair(message: Message, match: Match) -> Iterator[Day]:
    """«۱۵/۷»; a grade («۸/۱۰») and a fraction are none, unless something names a date."""
    place = match.start()
    before, after = message.text(place - 1), message.text(place + 1)
    if message.kind(place + 1) == "a" and message.kind(place + 2) in "NT9":
        return  # «۷/۵ از ۱۰»
    is_dated = before in DATES_NAMED or message.kind(place - 1) in "Wd"
    if message.kind(place - 1) == "h" or message.kind(place + 1) in "dklyhmP" or after in COUNTED:
        return
    days = [
        Day(place, place + 1, "year", (), day, month)
        for day, month in pair_in_figures(message.text(place), is_dated)
    ]
    if len(days) == 1:
        yield days[0]
    elif days:
        # First each reading's likeliest date, then the others.
        dates = [resolve(day, message) for day in days]
        firsts = [one for found in dates for one in found[:1]]
        yield Day(
            place, place + 1, dates=tuple(dict.fromkeys([*firsts, *(o for found in dates for o in found)]))
        )


_DAY, _NAME = "(?P<day>[NOAZV])", "(?P<month>[MGS])"
_YEAR = (
    "(?:,?(?P<yword>y)?(?P<year>4|[TN0](?![PhmdkeMGln:&cz]))g?|,?(?P<word>Y)|t?y(?P<of>[npt])|(?P<rel>[np]))?"
)
PATTERNS: list[tuple[re.Pattern[str], Maker]] = [
    (re.compile(pattern), make)
    for pattern, make in (
        ("F", _in_figures),
        ("4NN|NN4", _spaced),
        ("9", _glued),
        ("f", _pair),
        (f"(?P<name>{_DAY}l?{_NAME}l?){_YEAR}", _of_month),
        (f"(?:(?P<word>Y)|y(?P<of>[np])),?(?P<name>{_DAY}l?{_NAME}l?)", _of_month),
        (
            "(?:(?P<early>4))?(?P<month>[MG])l?(?P<day>[NO])(?![dkymhl9eP:&cz])(?:,?(?P<late>4))?",
            _month_first,
        ),
        ("(?P<day>[OAZV])(?P<this>t)?l(?P<rel>[npt])?E?", _of_this_month),
        ("(?P<day>N)(?P<this>t)l", _of_this_month),
        ("d(?P<day>N)l(?P<rel>[npt])?", _of_this_month),
        ("l(?P<rel>[np])d?(?P<day>[OAZ])", _of_this_month),
        ("(?P<this>t)ld?(?P<day>[OAZ])", _of_this_month),
        ("(?P<day>[NO])(?P<name>l)(?P<month>[NO])(?:y?(?P<year>4))?", _of_numbered_month),
        ("(?P<day>[AZ])(?:(?P<word>Y)|(?P<this>t)?y(?:(?P<rel>[npt])|(?P<number>4))?)", _of_year),
        ("O", _place_alone),
    )
]
