"""Whether what is said about a day has happened or is hoped for: the verbs and wishes around it."""

from __future__ import annotations

import re

from crm_store.persian.calendar_tokens import Message
from crm_store.persian.calendar_words import word_set
from crm_store.persian.verbs import Tense, is_past_at_end, tense_of

#: Wishes that are no verbs.
_WISHES = word_set(
    "رزرو رزروش رزرومو رزرف نوبت نوبتم نوبتی برای واسه واسم برام براتون برایم اینده ارسال "
    "rezerv reserve nobat baraye vase bara"
)
_FOR = word_set("برای واسه baraye vase")
_BUT = word_set("ولی اما ولیکن vali ama amma")
_WAS_TO, _WAS = word_set("قرار gharar"), word_set("بود بوده bud bood")
#: Who said something said it before, what was said may be to come: «گفتید پنجشنبه میاد».
_SPEECH = re.compile(r"(?:می)?(?:گفت|فرمود|goft)\w*")
_PROMISE = word_set("قول وعده ghol")
_REPORTS = re.compile(
    r"(?:گزارش|امار|فروش|درامد|عملکرد|مقایسه|میانگین|نمودار|خروجی|اکسل|تعداد|خلاصه|جمع|چندتا|چقدر)\w{0,5}"
    r"|(?:gozaresh|amar|forush|foroosh|tedad|report)\w{0,5}"
)
_HOPES = word_set("رزرو رزروش نوبت برای واسه قراره مسافرت سفر سفرم rezerv nobat baraye vase")
#: What a day tells more closely: «سفارش ۱۵ مهر رو لغو کنید» wishes for nothing on that day.
_THINGS = re.compile(
    r"(?:سفارش|خرید|فاکتور|تراکنش|واریزی|پرداخت|گزارش|شکایت|مرسوله|بسته|پیام|تماس|تیکت|رسید|فیش|صورتحساب"
    r"|درخواست|امار|فروش|sefaresh|kharid|faktor|shekayat|gozaresh)"
    r"(?:م|ش|ی|ای|مو|هام|ها|های|هایی|e|am|)"
)
_DONE = word_set("خرید خریدم سفارش ثبت واریز پرداخت فاکتور kharid sefaresh")
_DATE_WORDS = word_set("تاریخ مورخ مورخه روز من ما tarikh tarikhe man ma")
#: «بکنید ۱۶ مهر», «بندازید شنبه».
_MOVED = word_set(
    "بکنید بکنین بکن بندازید بندازین بنداز بذارید بذارین بذار ببرید ببرین بیفته bendazid bendazin bokonid"
)
_OBJECT = frozenset({"رو", "را", "ro"})
_NEAR = 2
#: A verb further away, in words, says nothing about a day.
_FARTHEST = 60


def tense_at(message: Message, start: int, end: int) -> Tense:
    """What the words around a day say about it.

    Args:
        message: The message.
        start: The day's first word.
        end: One past its last word.

    Returns:
        ``past``, ``future`` (a wish, an offer, an appointment), ``present`` (a wish about what belongs to the
        day, which may be over or to come) or nothing.
    """
    texts = message.texts
    if _FOR & set(texts[max(0, start - _NEAR) : start]):
        return "future"
    if any(text in _WAS_TO and message.text(place + 1) in _WAS for place, text in enumerate(texts)):
        return "past"
    named = _named(message, start)
    if named == "done" or message.text(start - 1) in _MOVED:
        return "past" if named == "done" else "future"
    first, last = start, end
    begin, stop = max(0, start - _FARTHEST), min(len(texts), end + _FARTHEST)
    while first > begin and not _breaks(message, first - 1):
        first -= 1
    while last < stop and not _breaks(message, last):
        last += 1
    near = _first_cue(message, [*range(end, last), *range(start - 1, first - 1, -1)], start)
    if near:
        is_told = named == "thing" or message.text(end) in _OBJECT
        is_booked = message.text(start - 1) in _WISHES
        return "present" if near == "future" and is_told and not is_booked else near
    far = _first_cue(message, [*range(last, stop), *range(first - 1, begin - 1, -1)], start)
    return "" if far == "present" or (far == "future" and named) else far


def is_report(message: Message) -> bool:
    """Whether a message asks for figures, which look back."""
    return any(_REPORTS.fullmatch(word.text) for word in message.words if word.kind == "o")


def is_hoped(message: Message) -> bool:
    """Whether a message asks for something to come, not for figures of what was."""
    is_hope = any(text in _HOPES or tense_of(text) == "future" for text in message.texts)
    return is_hope and not is_report(message)


def is_verb(text: str) -> bool:
    """Whether a word is a verb, or a wish that is none."""
    return text in _WISHES or bool(tense_of(text)) or is_past_at_end(text)


def _named(message: Message, start: int) -> str:
    """What the day belongs to: ``done`` («تاریخ خرید ۱۵ مهر»), a ``thing`` («فاکتور مورخ ۱۵ مهر»)."""
    if message.text(start - 1) in _DONE and message.text(start - 2) in _DATE_WORDS:
        return "done"
    place = start - 1
    while message.text(place) in _DATE_WORDS:
        place -= 1
    return "thing" if _THINGS.fullmatch(message.text(place)) else ""


def _first_cue(message: Message, places: list[int], start: int) -> Tense:
    """The first verb that says when; without one a wish, then a verb that says nothing."""
    cues = [cue for place in places if (cue := _cue(message, place, start))]
    telling: Tense = next((cue for cue in cues if cue != "present"), "")
    if not telling and any(message.texts[place] in _WISHES for place in places):
        return "future"
    return telling or next(iter(cues), "")


def _breaks(message: Message, place: int) -> bool:
    return message.kind(place) in ",;" or message.text(place) in _BUT


def _cue(message: Message, place: int, start: int) -> Tense:
    text, before = message.text(place), message.text(place - 1)
    if message.kind(place) not in "oGn" or before.startswith("خواه"):
        return ""
    if place < start and (_SPEECH.fullmatch(text) or before in _PROMISE or message.kind(start - 1) == "e"):
        return ""  # what was said, and what lasts until a day, may be to come
    if text == "می" and message.kind(place + 1) == "o":
        return tense_of(text + message.text(place + 1)) or "present"
    is_last = place + 1 == len(message.words) or _breaks(message, place + 1) or message.kind(place + 1) == "&"
    if is_last and is_past_at_end(text):
        return "past"
    return tense_of(text)
