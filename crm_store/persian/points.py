"""Points of the loyalty programme: a number beside «امتیاز»."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crm_store.persian.number_words import ENDINGS, LATIN_ENDINGS
from crm_store.persian.numbers import COUNTER, Token, plain, read_tokens, signed, signed_span, stands_free
from crm_store.persian.ratings import ratings_in
from crm_store.persian.readings import Reading, Source

_HINT = re.compile("امتی|پوینت|emt|point")
_POINTS = re.compile(
    rf"(?:امتیاز|امتیاض|امتیار|امتیز|امیتاز|امتباز)(?:ات)?{ENDINGS}|پوینت{ENDINGS}"
    rf"|emt(?:iya|ia|eya|ya)z{LATIN_ENDINGS}|points?{LATIN_ENDINGS}"
)
#: What may stand between the number and its word: «۵۰ تا بهش امتیاز بده».
_BEFORE = re.compile(r"تا|عدد|دونه|دانه|بهش|بهم|بهشون|براش|برام|به|من|هم|دیگه|ta|behesh|behem")
#: «امتیازم الان شده ۱۲۰۰», «امتیازشو بکن ۳۰۰».
_AFTER = re.compile(
    r"من|ما|الان|الانم|شده|شد|میشه|میشد|هست|هستش|است|بود|بوده|رو|را|هم|که|به|با|باید|از|تا|برابر|حدود|حدودا|تقریبا|فقط|کل|کلا"
    r"|جمع|مجموع|بکن|بکنید|کن|کنید|کنین|بذار|بذارید|کردید|کردین|کرده|نشون|نشان|میده|مونده|باقی|مانده|مانده|اضافه|اضاف|کم|کسر|افزایش|کاهش"
    r"|بده|بدید|بدین|داده|دادید|برسون|برسونید|رسیده|رسید|داشتم|دارم|گرفتم|گرفته|اش|شون|م|مشتری|ایشون|ایشان|براش|براشون|بهش|فعلی|فعلیم"
    r"|قبلی|جدید|خودم|خالص|یعنی|میگه|نوشته|زده|فعلا|دیروز|امروز|دیگه|تغییر|حساب|حسابم|حسابش|باشگاه|باشگاهم|وفاداری"
    r"|هدیه|هدیش|جبرانی|تشویقی|دستی|زیاد|ببر|بالا|پایین|اصلاح|میزان|مقدار|تعداد|شارژ|واریز|ثبت|درست|گردد|شود|بشه|مثبت|منفی|فعلیش|کلش|کلم"
    r"|همه|نهایی|میگیرم|بگیر|پس|رسوند|رسوندین|برسه|بیاد|man|alan|shode|shod|hast|ast|bood|ro|ham|be|ba|az|ta|faghat|bokon|kon|mikonid|daram|dashtam|add|is|are|am|bede|bedin|jobrani|ziad"
)
#: The number before or after these is theirs.
_NAMES_ANOTHER = re.compile(
    r"سفارش\w*|مشتری|مشترک|اشتراک|کاربر|عضو|میز|تیکت|شعبه|فاکتور\w*|شماره\w*|کد\w*|پیگیری|سال|ساعت|تاریخ|ماه|پلاک|واحد|ملی|مدل|کارت|sefaresh\w*|code|shomare\w*|saat"
)
_NEARLY_POINTS = re.compile(r"(?:تا|عدد|دونه|دانه|ta)\w{0,4}")
_STEP = re.compile(r"به|تا|be|ta")
_FARTHEST = 5


def find_points(text: str) -> list[Reading]:
    """Finds the points of a loyalty programme in a text.

    Args:
        text: Any text.

    Returns:
        The points in the order of the text; values are whole numbers.
    """
    source = Source(text)
    if not _HINT.search(source.folded):
        return []
    return points_in(source, read_tokens(source.folded))


def points_in(source: Source, tokens: list[Token]) -> list[Reading]:
    """Finds points in a text that is folded and cut already.

    Args:
        source: The text.
        tokens: The tokens of its folded form.

    Returns:
        The same as `find_points`.
    """
    folded = source.folded
    if not _HINT.search(folded):
        return []
    taken = [(reading.start, reading.end) for reading in ratings_in(source, tokens)]
    found: dict[int, Reading] = {}
    for place, token in enumerate(tokens):
        if token.number is None and _POINTS.fullmatch(token.text):
            for number, first, last in _beside(folded, tokens, place):
                reading = source.reading(first, last, plain(signed(folded, number)))
                if not any(start < reading.end and reading.start < end for start, end in taken):
                    found.setdefault(number.start, reading)
    return [found[start] for start in sorted(found)]


def _beside(folded: str, tokens: list[Token], place: int) -> Iterator[tuple[Token, int, int]]:
    """Yields the numbers that belong to a word of points, each with the passage it makes."""
    before = _walk(folded, tokens, place, -1)
    if before is not None:
        yield tokens[before], signed_span(folded, tokens[before])[0], tokens[place].end
        return
    after = _walk(folded, tokens, place, 1)
    if after is None:
        return
    yield tokens[after], signed_span(folded, tokens[after])[0], _end(tokens, after)
    # «از ۵۰۰ به ۳۰۰»
    steps = after + 2 < len(tokens) and _STEP.fullmatch(tokens[after + 1].text)
    if steps and _is_number(folded, tokens, after + 2) and not _is_counted(tokens, after + 2):
        yield tokens[after + 2], tokens[after + 2].start, _end(tokens, after + 2)


def _walk(folded: str, tokens: list[Token], place: int, step: int) -> int | None:
    """The place of the nearest number in one direction, if only small words are between."""
    small = _BEFORE if step < 0 else _AFTER
    at = place + step
    while 0 <= at < len(tokens) and abs(at - place) <= _FARTHEST:
        left, right = sorted((at, at - step))
        if re.search(
            r"[.!?؟;؛]|،" if step < 0 else r"[.!?؟;؛]", folded[tokens[left].end : tokens[right].start]
        ):
            return None
        if tokens[at].number is not None:
            if step > 0 and _is_named(tokens, at):
                at += step
                continue
            is_mine = _is_number(folded, tokens, at) and not (step > 0 and _is_counted(tokens, at))
            return at if is_mine else None
        if not small.fullmatch(tokens[at].text):
            return None
        at += step
    return None


def _is_number(folded: str, tokens: list[Token], place: int) -> bool:
    token = tokens[place]
    if (
        token.number is None
        or token.ordinal
        or token.number != int(token.number)
        or token.text in {"یه", "ye"}
    ):
        return False
    if _is_named(tokens, place) or token.scale > 1_000:
        return False
    return not token.digits or stands_free(folded, token)


def _is_named(tokens: list[Token], place: int) -> bool:
    """Whether the word before the number makes it another: «مشتری ۱۲۰۳»; but not «مشتری ۲۰۰ تا»."""
    after = tokens[place + 1].text if place + 1 < len(tokens) else ""
    is_name = place > 0 and _NAMES_ANOTHER.fullmatch(tokens[place - 1].text) is not None
    return is_name and not (_NEARLY_POINTS.fullmatch(after) or after == "واحد")


def _is_counted(tokens: list[Token], place: int) -> bool:
    """Whether the number counts something else: «۳ روزه», «۵۰۰ تومن»."""
    after = tokens[place + 1].text if place + 1 < len(tokens) else ""
    if _POINTS.fullmatch(after) or _NEARLY_POINTS.fullmatch(after):
        return False
    return COUNTER.fullmatch(after) is not None


def _end(tokens: list[Token], place: int) -> int:
    """The end of a number, with the word of points after it."""
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return after.end if after is not None and _POINTS.fullmatch(after.text) else tokens[place].end
