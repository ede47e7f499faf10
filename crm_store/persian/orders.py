"""Order numbers: a number or a code that stands with the words of ordering.

Every business numbers its orders differently, so the words around a number decide: «شماره سفارش ۱۲۳۴۵»,
«order A-10233», «۹۸۷۶ شماره فاکتورمه». Sums, counts, dates, times, phone numbers and codes that are named as
something else stand beside the same words and are none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from crm_store.persian.digits import without_marks
from crm_store.persian.folding import fold_with_offsets, source_span
from crm_store.persian.phones import find_phones

_SHORTEST, _LONGEST = 3, 20
#: A number of more digits than these is no count of things, and no span of time.
_COUNT_DIGITS, _SPAN_DIGITS = 4, 3


class OrderMatch(NamedTuple):
    """An order number found in a text.

    Attributes:
        start: Its first character, in code points of the text.
        end: One past its last character.
        value: The number in ASCII digits and capitals.
    """

    start: int
    end: int
    value: str


# All of these read folded text: one form of each letter, ASCII digits, small Latin letters, no half-spaces.
_ENDINGS = "(?:م|ت|ش|ی|مون|تون|شون|مان|تان|شان)?(?:و|ه|رو)?"
_ORDER = (
    rf"(?:(?:سفارش|فاکتور|صورتحساب){_ENDINGS}"
    r"|(?:sefaresh|sefarsh|faktor|factor)(?:e|am|et|esh|amo|emoon|emun)?|orders?|ordere|orderam|invoice)"
)
_NUMBER_WORD = (
    r"(?:شماره(?:ی|اش|ش|ام|م)?|شمارش|شمارم|کد(?:ش|م|ی)?"
    r"|shomare(?:ye|sh|am|m|ash)?|shomaram|shomarash|code?e?|kod(?:e|esh|am)?|number|num|no|id)"
)
_BETWEEN = (
    r"(?:من|ما|خودم|خودمون|بنده|اینجانب|قبلی|قبلیم|اخیر|اخیرم|آخرم|اخرم|به|با|رو|را|هم|که|این|اینه|هست|هستش|است|میشه"
    r"|اش|ی|بود|شد|اشتباه|غلط|درست|درستش|پیدا|عوض|man|mane|ma|ba|be|ro|ham|in|ine|hast|hastesh|is|my)"
)
# «BA-10233»: small Latin words may also be how a code begins.
_NO_PREFIX = r"(?!(?:(?<=\b[a-z]{2})|(?<=\b[a-z]{3}))[-_/])"
_GAP = r"[\s:#=،,.()\[\]«»\"'\u2010-\u2015/-]*"
# Latin letters and digits with marks inside; small, because folded.
_CODE = r"[a-z0-9]+(?:[-_/\u2010-\u2015\u2212][a-z0-9]+)*"
_CODE_ALONE = (
    rf"(?<![\w+])(?<![0-9][.,/:\u066b\u066c-])(?P<code>(?=[a-z/_\u2010-\u2015\u2212-]*[0-9]){_CODE})"
    # «۱۲۳۴۵ه», «۱۲۳۴۵رو»: an ending that is written without a space.
    r"(?=(?:ست|است|ه|و|رو|را)?(?!\w))(?![.,/:\u066b\u066c][0-9])"
)
_BEFORE = re.compile(
    rf"(?<!\w)(?P<order>(?P<numbered>{_NUMBER_WORD}{_GAP})?{_ORDER})"
    rf"(?P<gap>(?:{_GAP}(?<!\w)(?:{_BETWEEN}|{_NUMBER_WORD})(?!\w){_NO_PREFIX}){{0,4}}{_GAP}){_CODE_ALONE}"
)
_AFTER = re.compile(
    rf"{_CODE_ALONE}(?:ست|است|ه)?{_GAP}(?:{_BETWEEN}{_GAP})?(?<!\w){_NUMBER_WORD}{_GAP}(?P<order>{_ORDER})(?!\w)"
)
# «سفارشم نیومده، شماره‌ش ۱۲۳۴۵»: the number's own word refers back to the order.
_REFERRING = re.compile(
    rf"(?<!\w)(?P<order>{_ORDER})(?!\w)[^.!?؟0-9]{{1,60}}?(?<!\w)"
    r"(?P<gap>(?:شماره(?:اش|ش)|شماره اش|شمارش|کدش|کد اش|shomarash|shomaresh|kodesh)"
    rf"(?:{_GAP}{_BETWEEN}(?!\w))?{_GAP}){_CODE_ALONE}"
)

# What is said right before the words of ordering names the number as something else.
_OTHER_CODE = re.compile(
    r"(?:پیگیری|رهگیری|مرسوله|پستی|تخفیف|پست|ملی|تایید|peygiri|peigiri|rahgiri|tracking|takhfif|posti)"
    r"[\wء-ی]{0,3}\s*(?:این|in)?\s*$"
)
_SUM = re.compile(
    r"\s*(?:و نیم\s*)?(?:هزار|میلیون|ملیون|تومن|تومان|تومنی|تومانی|ریال|ریالی|درصد|٪|%|\$|دلار"
    r"|hezar|milyoon|milion|toman|tomani|tomeni|tuman|rial)"
)
_COUNT = re.compile(
    r"\s*(?:تا(?!\s*(?:الان|حالا|امروز|کنون|این|اینجا|کی|دیروز|فردا|به|ساعت|همین))"
    r"|(?:تایی|عدد|عددی|نفر|نفره|نفری|دونه|دانه|جفت|پرس|بسته|جعبه|کارتن|کیلو|کیلویی|گرم|گرمی|متر|متری|لیتر|لیتری"
    r"|سی سی|میلی|میل|مورد|جلد|شاخه|دست|بار|گیگ|گیگی|وات|اینچ|سانت|سانتی|برگ|برگی|صفحه|صفحه ای|قطعه|قلم|مدل)"
    r"|ta|tayi|adad|nafar|nafare|kilo|geram|gerami|bar|gig|gb|ml|cc|cm)(?!\w)"
)
_SPAN_OF_TIME = re.compile(
    r"\s*(?:روز|روزه|روزیه|ساعت|ساعته|ساعتیه|دقیقه|دقیقست|هفته|ماه|ماهه|سال|ساله|rooz|ruz|saat|daghighe|mah|sal)(?!\w)"
)
_DATE = re.compile(r"(?:1[34]|20)[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}-(?:[0-9]{2}){1,2}")
# Digits that want to be a phone number, with a digit too few or too many.
_MISTYPED_PHONE = re.compile(r"0[0-9]{9,}|(?:98)?9[0-9]{9}")
_VALUE = re.compile(r"(?=[A-Z/_-]*[0-9])[A-Z0-9]+(?:[/_-][A-Z0-9]+)*")
_HYPHENS = re.compile("[\u2010-\u2015\u2212]")


def find_order_numbers(text: str) -> list[OrderMatch]:
    """Finds the order numbers in a text.

    Args:
        text: Any text, digits in any script.

    Returns:
        The numbers in the order of the text, with offsets into it; each of 3 to 20 characters.
    """
    folded, offsets = fold_with_offsets(text)
    spans = list(_candidates(folded))
    phones = find_phones(text) if spans else []
    found: dict[int, OrderMatch] = {}
    for start, end in spans:
        source_start, source_end = source_span(offsets, start, end, len(text))
        source_end = source_start + len(text[source_start:source_end].rstrip())
        match = OrderMatch(source_start, source_end, _value(text[source_start:source_end]))
        is_phone = any(phone.start < match.end and match.start < phone.end for phone in phones)
        if not is_phone and _VALUE.fullmatch(match.value) and _SHORTEST <= len(match.value) <= _LONGEST:
            found.setdefault(match.start, match)
    return [found[start] for start in sorted(found)]


def _candidates(folded: str) -> Iterator[tuple[int, int]]:
    """Yields the spans of folded text that stand with the words of ordering and are nothing else."""
    taken: set[int] = set()
    for pattern in (_BEFORE, _REFERRING, _AFTER):
        for match in pattern.finditer(folded):
            words = match.groupdict()
            # Each word of ordering names one number: «ساعت ۱۵۳۰ شماره سفارش ۴۴۵۵» names the second.
            if match.start("order") in taken or _OTHER_CODE.search(folded[: match.start("order")]):
                continue
            is_named = pattern is not _BEFORE or bool(
                words["numbered"] or re.search(rf"(?<!\w){_NUMBER_WORD}(?!\w)", words["gap"])
            )
            start, end = match.span("code")
            if not _is_something_else(folded[start:end], folded[end:], is_named=is_named):
                taken.add(match.start("order"))
                yield start, end


def _is_something_else(code: str, rest: str, *, is_named: bool) -> bool:
    """Whether a number is a sum, a count, a time, a date or a phone number.

    Args:
        code: The number.
        rest: What follows it.
        is_named: A word for "number" or "code" names it, so that it is hardly a count.
    """
    digits = sum(character.isdigit() for character in code)
    if _SUM.match(rest) or _DATE.fullmatch(code) or _MISTYPED_PHONE.fullmatch(code):
        return True
    # Slashes between digits alone make a date or a fraction.
    if "/" in code and code.replace("/", "").isdigit():
        return True
    if is_named:
        return False
    is_count = digits <= _COUNT_DIGITS and _COUNT.match(rest)
    is_span = digits <= _SPAN_DIGITS and _SPAN_OF_TIME.match(rest)
    # Few digits with letters are a product's name: «سفارش S21».
    return bool(is_count or is_span) or digits < _SHORTEST


def _value(written: str) -> str:
    plain = without_marks(unicodedata.normalize("NFKC", written))[0]
    return _HYPHENS.sub("-", plain).upper()
