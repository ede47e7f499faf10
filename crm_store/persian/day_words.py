"""Days that are told from today: «فردا», «سه روز دیگه», «پنجشنبهٔ هفتهٔ بعد»."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from crm_store.persian.calendar_tokens import Message
from crm_store.persian.calendar_words import word_set
from crm_store.persian.days import Day, resolve, shifted, weekday_of_week
from crm_store.persian.jalali_days import add, week_start
from crm_store.persian.tense import tense_at

Match = re.Match[str]
Maker = Callable[[Message, Match], Iterator[Day]]

#: Which way each kind of relation leads.
SHIFTS = {"n": 1, "p": -1, "t": 0}
_NO_WEEKDAY = ("سوری", "سیاه", "بازار", "suri", "soori")
#: «روزهای جمعه», «نماز جمعه», black Friday.
_NO_DATE_BEFORE = word_set("روزهای روزای نماز غسل امام دعای هر black ruzhaye roozhaye")
_AFTERWARDS = frozenset({"بعد", "bad", "ba'd"})
_ARTICLES = frozenset({"یه", "ye"})
#: «دو سه روز دیگه» is no more than that.
_FARTHEST = 10_000
_WIDEST_GUESS = 10
_PUT_OFF = re.compile(r"ن?(?:می)?کن(?:ید|ین|ن|ند|ه|ی)")
_FRIDAY = 6


def at(match: Match, name: str) -> int:
    """Where a group begins; -1 where there is none."""
    return match.start(name) if name in match.re.groupindex else -1


def _named(message: Message, match: Match) -> Iterator[Day]:
    """«فردا», «امشب»."""
    start, end = match.span()
    value = message.value(start)
    # «امروز و فردا می‌کنید» puts off, it names no day.
    after = end + 2 if message.kind(end) == "&" else end
    is_pair = "D" in (
        message.kind(end),
        message.kind(end + 1),
        message.kind(start - 1),
        message.kind(start - 2),
    )
    if is_pair and (_PUT_OFF.fullmatch(message.text(after)) or _puts_off(message, after)):
        return
    yield Day(start, end, dates=(add(message.today, "d", value[0] if isinstance(value, tuple) else value),))


def _puts_off(message: Message, place: int) -> bool:
    return message.text(place) in ("می", "نمی") and bool(_PUT_OFF.fullmatch(message.text(place + 1)))


def _distant(message: Message, match: Match) -> Iterator[Day]:
    """«سه روز دیگه», «دو هفته پیش», «دو سه ماه بعد»."""
    is_next = match["rel"] == "n"
    unit = "d" if match["unit"] == "P" else match["unit"]
    if not _is_distance(message, match, is_next, unit):
        return
    last = message.value(at(match, "count"))
    if last != int(last) or last > _FARTHEST:
        return
    last = int(last)
    first = int(message.value(at(match, "low"))) if at(match, "low") >= 0 else last
    if not 0 <= last - first <= _WIDEST_GUESS:
        return
    sign = 1 if is_next else -1
    dates = [
        shifted(message.today, unit, sign * count, half=at(match, "half") >= 0)
        for count in range(first, last + 1)
    ]
    if at(match, "more") >= 0:
        dates = [add(one, "d", sign * int(message.value(at(match, "more")))) for one in dates]
    yield Day(*match.span(), dates=tuple(dates))


def _is_distance(message: Message, match: Match, is_next: bool, unit: str) -> bool:
    relation = at(match, "rel")
    if match["unit"] == "P" and message.value(at(match, "unit")) != "night":
        return False
    if message.value(relation):  # «هفت روز گذشته» is a period, «تا هفت روز آینده» a day
        return is_next and message.kind(match.start() - 1) == "e"
    if unit == "d" and message.text(at(match, "count")) in _ARTICLES and is_next:
        return False  # «یه روز دیگه» is another day
    # «سفارش دادم و دو روز بعد لغو شد» is told from the order, not from today.
    is_told = message.text(relation) in _AFTERWARDS
    return not (is_told and tense_at(message, *match.span()) == "past")


def _yesterday(message: Message, match: Match) -> Iterator[Day]:
    """«روز گذشته»."""
    if message.value(match.end() - 1) and message.kind(match.start() - 1) not in "N1TOj9":
        yield Day(*match.span(), dates=(add(message.today, "d", -1),))


def _same_time(message: Message, match: Match) -> Iterator[Day]:
    """«هفته دیگه همین موقع», «پارسال همین روز»."""
    if at(match, "year") >= 0:
        yield Day(*match.span(), dates=(add(message.today, "y", message.value(at(match, "year"))),))
    elif at(match, "today") < 0 or message.value(at(match, "today")) == 0:
        yield Day(*match.span(), dates=(add(message.today, match["unit"], SHIFTS[match["rel"]]),))


def _weekday(message: Message, match: Match) -> Iterator[Day]:
    place = at(match, "w")
    number = message.value(place)
    before = message.text(match.start() - 1)
    if message.text(place + 1).startswith(_NO_WEEKDAY) or message.kind(match.start() - 1) in "Ej":
        return
    if before in _NO_DATE_BEFORE:
        return
    if message.kind(place - 1) in "RO" and message.kind(place + 1) in "lM":
        return  # «آخرین جمعه ماه»
    weeks = _weeks(message, match)
    if weeks is not None:
        yield Day(*match.span(), dates=(weekday_of_week(message.today, number, weeks),))
    elif at(match, "rel") < 0:
        yield Day(*match.span(), "weekday", number=number)
    else:
        tense = message.kind(at(match, "rel")) in "nO"
        yield Day(
            *match.span(), "weekday", number=number, tense="future" if tense else "past", is_strict=True
        )


def _weekday_apart(message: Message, match: Match) -> Iterator[Day]:
    """«پنجشنبه صبح هفته بعد»: the part of the day between is none of the date."""
    place = at(match, "w")
    weeks = _weeks(message, match)
    if weeks is None:
        weeks = int(message.value(at(match, "count"))) * SHIFTS[match["week2"]]
    date = weekday_of_week(message.today, message.value(place), weeks)
    yield Day(place, place + 1, dates=(date,))
    # Without a date, so that the week is no period either.
    yield Day(match.start(), match.end() - 2) if place > match.start() else Day(place + 2, match.end())


def _weeks(message: Message, match: Match) -> int | None:
    """How many weeks after this one; None where no week is named."""
    if at(match, "this") >= 0:
        return 0
    if at(match, "week") < 0:
        return None
    count = int(message.value(at(match, "count"))) if at(match, "count") >= 0 else 1
    return count * SHIFTS[match["week"]]


def _eve(message: Message, match: Match) -> Iterator[Day]:
    """«شب جمعه» is Thursday's night; of other days it is said in both ways."""
    place = match.end() - 1
    if message.value(match.start()) != "night" or message.kind(place + 1) in "nptk":
        return
    if message.kind(match.start() - 1) in "DWNCzqmM":
        return  # «ساعت ۹ شب جمعه», «فردا شب جمعه»
    named = Day(*match.span(), "weekday", number=message.value(place))
    dates = resolve(named, message)
    eves = tuple(add(date, "d", -1) for date in dates)
    yield named._replace(kind="fixed", dates=eves if named.number == _FRIDAY else (*dates, *eves))


def _of_week(message: Message, match: Match) -> Iterator[Day]:
    """«اول هفته», «اول هفته بعد»."""
    start = week_start(message.today)
    shift = match["rel"] or match["this"]
    if shift:
        start = add(start, "k", SHIFTS[shift])
    elif start < message.today and tense_at(message, *match.span()) != "past":
        start = add(start, "k", 1)
    yield Day(*match.span(), dates=(start,))


_COUNT = "(?P<count>[N1])k(?P<week>[np])"
PATTERNS: list[tuple[re.Pattern[str], Maker]] = [
    (re.compile(pattern), make)
    for pattern, make in (
        ("[DK]", _named),
        ("dp", _yesterday),
        (
            "(?:(?P<low>N)[e/-]?)?(?P<count>[N1T9])(?P<unit>[dklyP])(?:&(?P<half>z)|&(?P<more>N)d)?(?P<rel>[np])X?",
            _distant,
        ),
        ("(?P<unit>[kly])(?P<rel>[np])(?:X|(?P<today>D))", _same_time),
        ("X(?P<unit>[kly])(?P<rel>[np])", _same_time),
        ("(?P<year>Y)X|X(?P<later>Y)", _same_time),
        ("(?P<w>W)(?P<this>tk|kt)", _weekday),
        ("(?P<this>tk)d?(?P<w>W)", _weekday),
        ("(?P<this>t)(?P<w>W)", _weekday),
        ("(?P<w>W)k(?P<week>[np])", _weekday),
        ("k(?P<week>[np])d?(?P<w>W)", _weekday),
        (f"(?P<w>W){_COUNT}", _weekday),
        (f"{_COUNT}d?(?P<w>W)", _weekday),
        ("(?P<w>W)P(?:k(?P<week>[np])|(?P<this>tk)|(?P<count>[N1])k(?P<week2>[np]))", _weekday_apart),
        ("(?:k(?P<week>[np])|(?P<this>tk))P(?P<w>W)", _weekday_apart),
        ("(?P<w>W)(?P<rel>[np])", _weekday),
        ("(?P<rel>[RO])(?P<w>W)", _weekday),
        ("(?P<w>W)", _weekday),
        ("PW", _eve),
        ("A(?P<this>t)?k(?P<rel>[npt])?", _of_week),
    )
]
