"""Times in a message: hours, spans of hours, parts of the day, distances from now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from crm_store.persian.calendar_tokens import Found, Message
from crm_store.persian.calendar_words import DEFAULT_DAY_PARTS, DayParts, word_set
from crm_store.persian.day_dates import longest
from crm_store.persian.day_parts import is_night_count, is_part, linked_part, part_of
from crm_store.persian.hours import DAY, HALF_DAY, HOUR, Hour, both_halves, hour_at, in_part, text_of
from crm_store.persian.month_days import COUNTED
from crm_store.persian.readings import Reading
from crm_store.persian.tense import is_verb, tense_at

_LAST = ("اخر", "akhar")
_MIDNIGHT = "midnight"
_NOON = "12:00"
#: «نیم ساعت دیگه», «یه ساعت و ربع دیگه», «دو و نیم ساعت پیش», «سه ربع دیگه».
_DISTANCE = re.compile(
    "(?:(?P<half>z)h|(?:(?P<low>N)[e/-]?)?(?P<hours>[N1T])h(?:&(?P<more_half>z)|&1?(?P<more_quarter>q)"
    "|&(?P<more>[NT1])m)?|(?P<count>N)&(?P<count_half>z)h|(?P<decimal>c)h|(?:(?P<low_m>N)[e/-]?)?(?P<minutes>[N1T9])m"
    "|(?P<quarters>[N1])?(?P<quarter>q))(?P<rel>[np])"
)
#: Kinds of words with which an hour may begin.
_BEGINNINGS = "hNC01TPqab<Benpx"
_AFTERWARDS = frozenset({"بعد", "bad", "ba'd"})
#: What may follow a bare number that is an hour.
_SAFE = word_set(
    "خوبه چطوره اوکیه اوکی هم که با به در لطفا بیکارم خونه خونم خونهام وقت ok okay اینا اینها است هست "
    "حدودا میشه دیگه"
)
#: Before these a number counts something.
_NO_HOUR_BEFORE = "MGdklyhmqzNT49cfO"
#: Behind these a number tells where somebody lives: «پلاک ۸، فردا صبح».
_IN_ADDRESSES = word_set(
    "پلاک پلاکش پلاکمون واحد واحدش طبقه کوچه خیابان خیابون بلوک فاز زنگ شماره منطقه فلکه "
    "pelak vahed tabaghe kooche koche khiaban khiaboon block zang shomare"
)
#: Nine, or no.
_NO = "نه"
_GRADES = (5, 10, 20, 100)
_GRADING = re.compile(r"(?:نمره|نمرم|امتیاز|ستاره|راضی|رضایت|nomre|emtiaz)\w*")


def find_times(text: str, *, now: datetime, day_parts: DayParts = DEFAULT_DAY_PARTS) -> list[Reading]:
    """Finds the times in a message.

    Args:
        text: The message as it was typed.
        now: The moment it was written, with a time zone.
        day_parts: What the parts of the day are, ``HH:MM`` each.

    Returns:
        The times in the order of the text, ``HH:MM`` or a span ``{"from": "HH:MM", "to": "HH:MM"}``.
        Conflicts with dates and periods are not settled (see `crm_store.persian.when`).

    Raises:
        ValueError: If the moment has no time zone.
    """
    message = Message(text, now)
    return [message.reading(found) for found in times_in(message, day_parts)]


def times_in(message: Message, day_parts: DayParts = DEFAULT_DAY_PARTS) -> list[Found]:
    """The times in a message."""
    return longest(list(_Clock(message, day_parts).times()))


class _Clock:
    """One reading of the times in a message."""

    def __init__(self, message: Message, day_parts: DayParts) -> None:
        self._message, self._parts = message, {**DEFAULT_DAY_PARTS, **day_parts}
        #: Places of parts of the day that tell which half of the day an hour is in.
        self._claimed: set[int] = set()

    def times(self) -> Iterator[Found]:
        """Distances first, then hours in the order of the text, then the parts of the day that are left."""
        distances = list(self._distances())
        yield from distances
        taken = {place for found in distances for place in range(found.start, found.end)}
        end = 0
        for place, kind in enumerate(self._message.kinds):
            if kind not in _BEGINNINGS or place < end or place in taken:
                continue
            found = self._span(place) or self._hour(place)
            if found is not None:
                yield found
                end = found.end
        yield from self._parts_alone()

    def _distances(self) -> Iterator[Found]:
        message = self._message
        for match in _DISTANCE.finditer(message.kinds):
            relation = match.start("rel")
            is_told = message.text(relation) in _AFTERWARDS and tense_at(message, *match.span()) == "past"
            if message.value(relation) or is_told or message.kind(match.start() - 1) == "h":
                continue
            sign = 1 if match["rel"] == "n" else -1
            moments = [
                message.now + timedelta(minutes=sign * minutes) for minutes in _distance(message, match)
            ]
            if moments:
                yield Found(*match.span(), tuple(f"{moment:%H:%M}" for moment in moments))

    def _span(self, place: int) -> Found | None:
        """«از ۱۰ تا ۱۲», «بین ۴ و ۶ عصر», «۱۰ صبح تا ظهر»."""
        message = self._message
        prefix = message.kind(place) if message.kind(place) in "ab" else ""
        first = self._end_of_span(place + len(prefix))
        if first is None or message.kind(first.end) not in ("e-&" if prefix == "b" else "e-"):
            return None
        second = self._end_of_span(first.end + 1)
        if second is None or not self._is_span(place, prefix, first, second):
            return None
        values = tuple(self._span_values(place, first, second))
        part = self._own_part(second)
        linked = linked_part(message, place, second.end, self._claimed) if part is None else part
        self._claimed |= {one for one in (self._own_part(first), linked) if one is not None}
        return Found(place, second.end, values) if values else None

    def _end_of_span(self, place: int) -> Hour | None:
        """An hour with its part of the day, or a part alone (its minutes are -1)."""
        message = self._message
        hour = hour_at(message, place)
        if hour is not None:
            has_part = message.kind(hour.end) == "P" and not is_night_count(message, hour.end)
            return hour._replace(end=hour.end + 1) if has_part else hour
        while message.kind(place) == "x":
            place += 1
        if message.kind(place) == "P" and is_part(message, place):
            return Hour(place, place + 1, -1)
        return None

    def _own_part(self, hour: Hour) -> int | None:
        return hour.end - 1 if self._message.kind(hour.end - 1) == "P" else None

    def _is_span(self, place: int, prefix: str, first: Hour, second: Hour) -> bool:
        """Whether two ends are hours at all; one that is a part of the day or has one is."""
        message = self._message
        ends = (first, second)
        if any(self._own_part(end) is not None for end in ends):
            return True
        if message.kind(second.end) in _NO_HOUR_BEFORE or message.text(second.end) in COUNTED:
            return False
        is_clock = any(end.is_said or not (end.is_plain or end.is_half) for end in ends)
        if is_clock or linked_part(message, place, second.end, self._claimed) is not None:
            return True
        is_grade = first.minutes <= HOUR and second.minutes // HOUR in _GRADES
        if is_grade or any(_GRADING.fullmatch(text) for text in message.texts):
            return False
        return bool(prefix) or message.kind(place - 1) in "DWKMF"

    def _span_values(self, place: int, first: Hour, second: Hour) -> Iterator[dict[str, str]]:
        if first.minutes < 0 or second.minutes < 0:
            yield from self._part_spans(place, first, second)
            return
        begins, ends = self._minutes(first), self._minutes(second)
        if begins is None and ends is None:
            linked = linked_part(self._message, place, second.end, self._claimed)
            if linked is None:
                begins = both_halves(first.minutes)
            elif linked > place:
                ends = self._in_part(second, linked)
            else:
                begins = self._in_part(first, linked)
        length = (second.minutes - first.minutes) % HALF_DAY or HALF_DAY
        if begins is not None and ends is not None:
            spans = [(begin, end) for begin, end in zip(begins, ends, strict=False)]
        elif begins is not None:
            spans = [(begin, begin + length) for begin in begins]
        else:
            # Twelve after «صبح» or «ظهر» ends a span at noon, after «شب» at midnight.
            spans = [((end or DAY) - length, end or DAY) for end in (ends or ())[:1]]
        for begin, end in spans:
            yield {"from": text_of(begin), "to": text_of(end, is_end=True)}

    def _minutes(self, hour: Hour) -> tuple[int, ...] | None:
        """What an hour may be by itself and its part of the day; None if either half of the day fits."""
        own = self._own_part(hour)
        if hour.is_exact and (own is None or hour.minutes >= HALF_DAY + HOUR or hour.minutes < HOUR):
            return (hour.minutes,)
        return None if own is None else self._in_part(hour, own)

    def _in_part(self, hour: Hour, place: int) -> tuple[int, ...]:
        if hour.minutes >= HALF_DAY + HOUR:
            return (hour.minutes,)
        return in_part(hour.minutes, part_of(self._message, place))

    def _part_spans(self, place: int, first: Hour, second: Hour) -> Iterator[dict[str, str]]:
        begins = self._edge(first, is_end=False)
        for end in self._edge(second, is_end=True, after=begins[0] if begins else ""):
            for begin in begins:
                yield {"from": begin, "to": end}

    def _edge(self, hour: Hour, *, is_end: bool, after: str = "") -> tuple[str, ...]:
        """Where a span begins or ends, if one of its ends is a part of the day."""
        if hour.minutes < 0:
            return self._part_edge(part_of(self._message, hour.start), is_end=is_end)
        minutes = self._minutes(hour) or both_halves(hour.minutes)
        texts = tuple(text_of(one, is_end=is_end) for one in minutes)
        later = tuple(text for text in texts if text > after)
        return (later or texts)[:1] if is_end else texts

    def _part_edge(self, part: str, *, is_end: bool) -> tuple[str, ...]:
        if part == _MIDNIGHT:
            return ("24:00",) if is_end else ("00:00",)
        span = self._parts.get(part)
        if span is None:
            return ()
        if not is_end:
            return (span[0],)
        return (_NOON,) if part == "noon" else tuple(dict.fromkeys(span))

    def _hour(self, place: int) -> Found | None:
        """One hour, or all the time before or after it."""
        message = self._message
        kind = message.kind(place)
        is_after_all = kind in "np" and message.kind(place - 1) not in "klydqmhWN"  # «بعد ۵ عصر»
        bound = kind if kind in "B<e" or is_after_all else ""
        hour = hour_at(message, place + 1 if bound or kind == "a" else place)
        if hour is None or (hour.is_plain and message.text(hour.start - 1) in _IN_ADDRESSES):
            return None
        part = linked_part(message, hour.start, hour.end, self._claimed)
        # «دیشب» is a date as well, and no part of the hour's passage.
        end = hour.end + 1 if part == hour.end and message.kind(part) == "P" else hour.end
        is_open = message.kind(end) == "v"
        if not self._is_hour(hour, part, end, bound or ("v" if is_open else "")):
            return None
        if part is not None and "N" not in message.kinds[hour.end : part]:  # «۵ یا ۶ عصر» share theirs
            self._claimed.add(part)
        minutes = self._in_half(hour, part)
        if is_open:
            return Found(place if kind in "aB" else hour.start, end + 1, _open(minutes, "B"))
        values = _open(minutes, bound) if bound else tuple(map(text_of, minutes))
        return Found(place if bound else hour.start, end, values)

    def _in_half(self, hour: Hour, part: int | None) -> tuple[int, ...]:
        if part is not None and not (hour.is_exact and hour.minutes < HOUR):
            return self._in_part(hour, part)
        return (hour.minutes,) if hour.is_exact else both_halves(hour.minutes)

    def _is_hour(self, hour: Hour, part: int | None, end: int, bound: str) -> bool:
        """Whether a number is an hour at all."""
        message = self._message
        before, after = message.kind(hour.start - 1), message.kind(end)
        if hour.is_said:
            return True
        if part is not None and part == hour.end:
            is_day = before in "MG" and message.kind(hour.start - 2) not in "NOAZ"  # «مهر ۱۵ صبح»
            is_other = message.kind(hour.start) == "1" or is_night_count(message, part)
            return not (hour.is_plain and (is_day or is_other or self._is_no(hour, part)))
        is_counting = after in _NO_HOUR_BEFORE or message.text(end) in COUNTED
        if is_counting or not (hour.is_plain or hour.is_half):
            return not is_counting
        is_safe = after in ";,/DWKXv" or message.text(end) in _SAFE or is_verb(message.text(end))
        is_word = not message.words[hour.start].width
        is_other = is_word and hour.is_plain and (hour.minutes > HALF_DAY or message.text(hour.start) == _NO)
        if is_other or not is_safe or any(_GRADING.fullmatch(text) for text in message.texts):
            return False
        if hour.is_half:
            return before not in "N9T" and message.text(hour.start - 1) not in COUNTED
        is_on_day = before in "DWK" and hour.minutes <= HALF_DAY
        return part is not None or bound in tuple("B<vnp") or is_on_day

    def _is_no(self, hour: Hour, part: int) -> bool:
        """«نه صبح» is nine o'clock, «عصر بیاد نه صبح» and «نه ظهر» say no."""
        message = self._message
        if message.text(hour.start) != _NO:
            return False
        is_contrast = bool(set(message.kinds[: hour.start]) & set("PK"))
        return is_contrast or part_of(message, part) not in ("morning", "night")

    def _parts_alone(self) -> Iterator[Found]:
        message = self._message
        for place, kind in enumerate(message.kinds):
            if kind not in "PK" or place in self._claimed or not is_part(message, place):
                continue
            part = part_of(message, place)
            if part == _MIDNIGHT:
                is_end = message.kind(place - 1) == "e"
                value: object = {"from": "00:00", "to": "24:00"} if is_end else "00:00"
                yield Found(place - is_end, place + 1, (value,))
            elif part in self._parts:
                yield self._part_alone(place, *self._parts[part], is_noon=part == "noon")

    def _part_alone(self, place: int, begin: str, end: str, *, is_noon: bool) -> Found:
        message = self._message
        before = message.kind(place - 1)
        is_new = message.kind(place - 2) not in "PKCN"
        if message.kind(place) == "K":
            return Found(place, place + 1, ({"from": begin, "to": end},))
        if message.kind(place + 1) == "v":
            return Found(place, place + 2, ({"from": begin, "to": "24:00"},))
        if before == "e" and is_new:
            is_last = message.text(place).startswith(_LAST)  # «تا آخر وقت»
            ends = (_NOON,) if is_noon else (end,) if is_last else (begin, end)
            return Found(place - 1, place + 1, tuple({"from": "00:00", "to": one} for one in ends))
        if before == "<":
            return Found(place - 1, place + 1, ({"from": "00:00", "to": begin},))
        if before == "B":
            return Found(place - 1, place + 1, tuple({"from": one, "to": "24:00"} for one in (end, begin)))
        return Found(place, place + 1, ({"from": begin, "to": end},))


def _open(minutes: tuple[int, ...], bound: str) -> tuple[Any, ...]:
    if bound in "Bn":
        return tuple({"from": text_of(one), "to": "24:00"} for one in minutes)
    return tuple({"from": "00:00", "to": text_of(one, is_end=True)} for one in minutes)


def _distance(message: Message, match: re.Match[str]) -> list[int]:
    """Minutes from now; several where «دو سه ساعت دیگه» leaves it open."""

    def number(name: str) -> int:
        return int(message.value(match.start(name))) if match[name] else 0

    if match["half"]:
        return [HOUR // 2]
    if match["quarter"]:
        return [15 * (number("quarters") or 1)]
    if match["count"]:
        return [number("count") * HOUR + HOUR // 2]
    if match["decimal"]:
        text = message.text(match.start("decimal"))
        return [round(float(text.replace("٫", ".").replace("/", ".")) * HOUR)] if text.count(".") == 1 else []
    if match["minutes"]:
        return list(range(number("low_m") or number("minutes"), number("minutes") + 1))
    more = 30 * bool(match["more_half"]) + 15 * bool(match["more_quarter"]) + number("more")
    return [hours * HOUR + more for hours in range(number("low") or number("hours"), number("hours") + 1)]
