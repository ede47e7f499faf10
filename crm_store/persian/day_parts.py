"""Parts of the day in a message, and where a word for one means something else: «شب بخیر», «کرم شب»."""

from __future__ import annotations

import re

from crm_store.persian.calendar_tokens import Message
from crm_store.persian.calendar_words import word_set
from crm_store.persian.month_days import ADDRESSES

_WISHES = word_set(
    "بخیر بخیرباشه خیر خوش بخیرو بخیره bekheir bekheyr bekhair bkheir bkheyr bekheer khosh bekher"
)
#: «عصر خوبی داشته باشید».
_NICE = word_set("خوبی خوب دلانگیز زیبا زیبای قشنگی ارومی ارام شیرین پرانرژی عالی khubi khoobi khobi")
_WISH_REACH = 3
_NOT_AFTER = word_set(
    "کرم کرمهای لباس ماسک شیفت سرویس نماز اذان رژیم شام سرم چراغ پماد کفش لوسیون creme good"
)
_NOT_BEFORE = tuple(
    word_set("یلدا عید قدر چله نشینی کاری حجر جدید ارتباطات خواب ادراری نامه پره خیز سال yalda eid chele")
)
#: «شماره شبا» is that of an account.
_IBAN, _IBAN_BEFORE = "شبا", word_set("شماره کد شمارهی حساب shomare kode")
#: «یک‌شبه»: written with its verb night is one only after an hour.
_ONLY_AFTER_HOURS = frozenset({"شبه", "صبحه", "صبحست", "شبست"})
_STAYS = word_set("هتل اقامت اقامتی سوییت اتاق متوالی تخت تور اقامتگاه ویلا سوئیت hotel")
_FEW = range(1, 6)
_NO = "نه"
_WALI = "ولی"

#: A part of the day after an hour or before it, with a day between: «ساعت ۵ فردا عصر», «صبح شنبه از ۹ تا ۱۱».
_DAY = "(?:d|D|W|F|[NOA]l?Ml?4?|tk|k[np])"
_AFTER = re.compile(f",?{_DAY}{{0,3}}(?P<part>[PK])")
_BEFORE = re.compile(f"(?P<part>[PK])(?:,?{_DAY}){{0,3}},?o?[abB<enp]?x?$")
#: «ساعت ۵ یا ۶ عصر»: one part for both.
_SHARED = re.compile("(?:[/&,]h?x?(?:N&z|N&1?q|N|C))+(?P<part>P)")
#: Hours at which somebody may be with a word between: «صبح میام ساعت ۱۰».
_NATURAL = {
    "morning": range(6, 12),
    "noon": range(12, 16),
    "afternoon": range(12, 19),
    "evening": range(15, 21),
    "night": range(18, 25),
}


def part_of(message: Message, place: int) -> str:
    """The part of the day that a word names."""
    value = message.value(place)
    return str(value[1]) if message.kind(place) == "K" else str(value)


def is_part(message: Message, place: int) -> bool:
    """Whether a word means its part of the day."""
    if message.kind(place) == "K":
        return True
    if message.kind(place) != "P" or _is_greeting(message, place):
        return False
    before, after = message.text(place - 1), message.text(place + 1)
    if before in _NOT_AFTER or after.startswith(_NOT_BEFORE) or message.kind(place - 1) in "Ej":
        return False
    if message.text(place) in _ONLY_AFTER_HOURS or (message.text(place) == _IBAN and before in _IBAN_BEFORE):
        return False
    if message.kind(place + 1) in "AO" and message.kind(place + 2) not in "Ml":
        return False  # «شب اول»
    is_counted = message.kind(place - 1) in "N1" and before != _NO and message.kind(place - 2) not in "MG"
    return not is_counted and not (before == _WALI and _is_street(message, place))


def is_night_count(message: Message, place: int) -> bool:
    """«دو شب هتل», «سه شب پیش»: nights, not an hour of the night."""
    if message.kind(place) != "P" or message.value(place) != "night":
        return False
    is_so_long = message.text(place) in _ONLY_AFTER_HOURS and message.value(place - 1) in _FEW  # «دو شبه»
    if is_so_long:
        return True
    if message.kind(place + 1) in "np" or message.text(place - 1) == "یک":
        return message.text(place + 1) != "دیگه"
    return any(text in _STAYS for text in message.texts)


def linked_part(message: Message, start: int, end: int, claimed: set[int]) -> int | None:
    """The place of the part of the day that an hour belongs to.

    Args:
        message: The message.
        start: The hour's first word.
        end: One past its last word.
        claimed: Places of parts that belong to other hours.

    Returns:
        A place, or None.
    """
    before = _before(message, start, claimed)
    match = _AFTER.match(message.kinds, end)
    after = match.start("part") if match else None
    if after is not None and (after in claimed or _is_greeting(message, after)):
        after = None
    if after is not None and before is not None and message.kind(after + 1) in "hNC":
        return before  # «صبح ساعت ۹ عصر ساعت ۵»
    if after is not None:
        return after
    if before is not None:
        return before
    shared = _SHARED.match(message.kinds, end)
    return shared.start("part") if shared else None


def _before(message: Message, start: int, claimed: set[int]) -> int | None:
    match = _BEFORE.search(message.kinds, max(0, start - 8), start)
    place = match.start("part") if match else None
    if place is None or place in claimed or not is_part(message, place):
        return None
    if "o" in message.kinds[place:start] and not _is_natural(message, place, start):
        return None
    return place


def _is_natural(message: Message, place: int, start: int) -> bool:
    number = next((word for word in message.words[start : start + 3] if word.kind in "N"), None)
    hours = _NATURAL.get(part_of(message, place), range(0))
    return number is not None and any(hour in hours for hour in (number.value, number.value + 12))


def _is_greeting(message: Message, place: int) -> bool:
    """«صبح شما بخیر», «عصر خوبی داشته باشید»; the wish belongs to the part nearest to it."""
    for distance in range(1, _WISH_REACH + 2):
        text, kind = message.text(place + distance), message.kind(place + distance)
        if text in _WISHES or (distance == 1 and text in _NICE):
            return True
        if kind == "P" and message.kind(place + distance - 1) == "&":
            continue
        if kind not in "oi&":
            return False
    return False


def _is_street(message: Message, place: int) -> bool:
    """Vali Asr, the street; «ولی عصر میام» is but in the evening."""
    before, after = message.text(place - 2), message.text(place + 1)
    return before in ADDRESSES or after in (
        "پلاک",
        "نرسیده",
        "بالاتر",
        "پایینتر",
        "تهران",
        "کوچه",
        "نبش",
        "روبروی",
    )
