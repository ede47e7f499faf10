"""Numbers in a text: figures of any script, words formal, spoken and in Latin letters, and both together.

`read_tokens` says what the words are, `find_numbers` which of them are meant as numbers: «نه» is mostly "no",
«یه» mostly an article.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from crm_store.persian.number_runs import Token, read_tokens
from crm_store.persian.number_words import AND_WORDS, COUNTER_WORDS, HINTS, SCALES, VALUES, listed
from crm_store.persian.readings import Source

__all__ = [
    "NumberMatch",
    "Token",
    "find_numbers",
    "follows",
    "may_hold_number",
    "plain",
    "read_tokens",
    "signed",
]

_HALF = Decimal("0.5")
#: Plain figures longer than these are a phone number, a card or an identity card.
_LONGEST = 9

_HINT = re.compile(HINTS)
COUNTER = re.compile(COUNTER_WORDS)
_MEASURE = re.compile(
    r"(?:کیلو|کیلوگرم|کیلومتر|گرم|لیتر|متر|سانت|درصد|عدد|گیگ|گیگابایت|kilo|darsad|adad)(?:ی|م|و)?"
)
_NAMING = re.compile(
    r"(?:شماره|گزینه|عدد|رقم|نمره|مورد|ردیف|طبقه|واحد|پلاک|سطح|تعداد|shomare|gozine)(?:ی|م|ش)?"
)
_GIVING = re.compile(r"می ?(?:دم|دهم|دیم|شه|شد)|میشود|بدید|بدین|بده|شد|شده|بود|midam|mide")
_ARTICLES = listed("یک یه yek ye")
_ONES = frozenset({"یک", "yek"})
#: Also other words: no, village, cc, lung, and English words in Latin letters.
_CAREFUL = listed("نه ده سی شست شص چل بیس نود do se si sad char chel dah dh noh shast panja")
_NEVER_ALONE = listed("نه do se si sad char chel")
_SURE = frozenset({*VALUES, *SCALES})
_AND_SOME = re.compile(r" ?و ?(?:خرده|خورده|اندی)")
_NO_FIRST = re.compile(
    r"نه (?:شب |ساعت (?:\d|خوب)|تا (?:(?:همین|اخر|شنبه|\w+شنبه|این)\w*|فردا|پس|جمعه|الان|حالا|امشب|شب|عصر|صبح"
    r"|ساعت|کی|هفته|ماه|\d+)(?!\w))"
)
_ROUGH_WORDS = listed("یکی چند چندین چن yeki chand")
_IDIOM = re.compile(
    r"(?<!\w)(?:صد در صد|دو دل\w*|دو رو(?:یی)?|هر دو\w*|صد البته|سی (?:دی|سی|تی|ان|یو)|(?:سی|بی|ای|تی|وی) سی"
    r"|چهار راه|سه راه\w*|دو راهی|سیزده به ?در|در صد|هفت سین|هفت تیر|سی تیر|چهار چوب|دو باره|یک سره|دو زاری"
    r"|دو به شک|چهار شانه|هفت خط|سه پیچ|دو دستی|دو طرف\w*|دو جانبه)(?!\w)"
)
_MINUS = re.compile(r"(?:(?<!\S)[-\u2212]|(?<!\w)(?:منفی|منهای) )$")
_PART_BEFORE = re.compile(r"(?:\d[ء-ی]|\d[-:/\\.,٬،٫\u2010-\u2015\u2212]|[\d*⁄_])$")
_PART_AFTER = re.compile(r"[ء-ی]\d|[-:/\\.,٬،٫\u2010-\u2015\u2212]\d|[#⁄_]|[-\u2010-\u2015]?[a-z]*[-_]\d")


#: So many figures after «کد» or «شماره» are somebody's or something's, and no quantity.
_SHORTEST_CODE, _FARTHEST_NAME = 5, 30
_CODE_BEFORE = re.compile(
    r"(?<!\w)(?:کد|شماره|پیگیری|رهگیری|سریال|شناسه|ملی|پستی|تیکت|code|kod|shomare|ticket|serial)\w{0,3}"
    r"(?: (?:من|ملی|پستی|پیگیری|رهگیری|سفارش|سریال|تیکت)\w{0,2})?[ :]{0,3}$"
)


class NumberMatch(NamedTuple):
    """A number found in a text.

    Attributes:
        start: Its first character, in code points of the text.
        end: One past its last character.
        value: The number; a float only for a fraction.
    """

    start: int
    end: int
    value: int | float


def find_numbers(text: str) -> list[NumberMatch]:
    """Finds what is meant as a number; what else the figures may be (a date, a price) is not asked.

    Args:
        text: Any text.

    Returns:
        The numbers in the order of the text, with offsets into it. Parts of codes, addresses, dates in
        figures, times and fractions are left out, and «یه», «نه» or «سی» where they are mostly other words.
    """
    source = Source(text)
    folded = source.folded
    if not may_hold_number(folded):
        return []
    tokens = read_tokens(folded)
    idioms = [match.span() for match in _IDIOM.finditer(folded)]
    found = []
    for place, token in enumerate(tokens):
        if token.number is None or token.ordinal or not _is_meant(folded, tokens, place):
            continue
        if not any(start < token.end and token.start < end for start, end in idioms):
            start, end = signed_span(folded, token)
            half = _half_after_unit(folded, tokens, place)
            value = signed(folded, token) if half is None else token.number + _HALF
            found.append(NumberMatch(*source.span(start, end if half is None else half), plain(value)))
    return found


def _half_after_unit(folded: str, tokens: list[Token], place: int) -> int | None:
    """Where the half ends that comes after the unit: «دو کیلو و نیم»."""
    if place + 3 >= len(tokens):
        return None
    unit, joint, half = tokens[place + 1 : place + 4]
    between = folded[tokens[place].end : unit.start] + folded[unit.end : half.start]
    is_half = half.number == _HALF and half.parts == 1 and not half.digits and joint.text in AND_WORDS
    is_unit = COUNTER.fullmatch(unit.text) is not None and between.replace(" ", "") == joint.text
    return half.end if is_half and is_unit else None


def signed(folded: str, token: Token) -> Decimal | int:
    """The value of a number, below zero with a minus sign or «منفی» before it.

    Args:
        folded: Folded text.
        token: A number in it.

    Returns:
        The value.
    """
    number = token.number or 0
    return -number if signed_span(folded, token)[0] < token.start else number


def signed_span(folded: str, token: Token) -> tuple[int, int]:
    """Where a number stands with its sign.

    Args:
        folded: Folded text.
        token: A number in it.

    Returns:
        Start and end in the folded text; the token's own if it has no sign.
    """
    minus = _MINUS.search(folded, max(0, token.start - 6), token.start)
    return (minus.start() if minus else token.start), token.end


def may_hold_number(folded: str) -> bool:
    """A cheap look before the dear one.

    Args:
        folded: Folded text.

    Returns:
        False if there is certainly no number in it.
    """
    return _HINT.search(folded) is not None


def plain(number: Decimal | int) -> int | float:
    """Writes a number as JSON can.

    Args:
        number: A number.

    Returns:
        An int if it is whole, else a float.
    """
    return int(number) if number == int(number) else float(number)


def stands_free(folded: str, token: Token, longest: int = _LONGEST) -> bool:
    """Whether figures are a number of their own: no part of a date, a time, a phone number or a span.

    Args:
        folded: Folded text.
        token: A number in it.
        longest: More figures in a row than this are no number.

    Returns:
        True too if the token begins and ends with words.
    """
    if _PART_BEFORE.search(folded, max(0, token.start - 2), token.start):
        return False
    if _PART_AFTER.match(folded, token.end):
        return False
    first = token.text.split(" ")[0]
    return not (first.isdigit() and (len(first) > longest or (len(first) > 1 and first.startswith("0"))))


def follows(folded: str, tokens: list[Token], place: int) -> Token | None:
    """The token after another, if nothing but a space is between them.

    Args:
        folded: Folded text.
        tokens: Its tokens.
        place: Of the first one.

    Returns:
        The next token; None if there is none or a mark is between.
    """
    if place + 1 >= len(tokens):
        return None
    between = folded[tokens[place].end : tokens[place + 1].start]
    return tokens[place + 1] if between in {"", " "} else None


def _is_meant(folded: str, tokens: list[Token], place: int) -> bool:
    token = tokens[place]
    after = follows(folded, tokens, place)
    before = tokens[place - 1] if place and follows(folded, tokens, place - 1) else None
    if _AND_SOME.match(folded, token.end) or (not place and _NO_FIRST.match(folded)):
        return False  # «دویست و خرده‌ای», «نه تا همین‌جا کافیه»
    if token.digits:
        is_code = token.text.isdigit() and token.digits >= _SHORTEST_CODE
        return stands_free(folded, token) and not (is_code and _is_named_code(folded, token))
    is_part = after is not None and after.ordinal  # «یک سوم»
    is_rough = any(near is not None and _is_rough(token, near) for near in (before, after))  # «دو سه روز»
    if is_part or is_rough or _is_rest(folded, tokens, place):
        return False
    return token.parts > 1 or _is_meant_alone(token, before, after, is_only=len(tokens) == 1)


def _is_named_code(folded: str, token: Token) -> bool:
    return _CODE_BEFORE.search(folded, max(0, token.start - _FARTHEST_NAME), token.start) is not None


def _is_meant_alone(token: Token, before: Token | None, after: Token | None, *, is_only: bool) -> bool:
    """Whether a single word is meant as a number, by the words beside it."""
    is_measured = after is not None and _MEASURE.fullmatch(after.text) is not None
    is_named = before is not None and _NAMING.fullmatch(before.text) is not None
    if token.text in _ARTICLES:
        return token.text in _ONES and (is_measured or is_named or is_only)
    if token.number == _HALF:
        return is_measured
    if token.text not in _CAREFUL and token.text in _SURE:
        return True
    is_counted = after is not None and COUNTER.fullmatch(after.text) is not None
    gives = after is not None and _GIVING.fullmatch(after.text) is not None
    return is_counted or is_named or (token.text not in _NEVER_ALONE and (gives or is_only))


def _is_rest(folded: str, tokens: list[Token], place: int) -> bool:
    """Whether a number is what follows the millions that were left out: «یک و هشتصد»."""
    if place < 2 or not 100 <= (tokens[place].number or 0) < 1_000 or tokens[place - 1].text not in AND_WORDS:
        return False
    first = tokens[place - 2].number
    between = folded[tokens[place - 2].end : tokens[place].start].strip(" ")
    return first is not None and 0 < first < 10 and between == tokens[place - 1].text


def _is_rough(token: Token, near: Token) -> bool:
    """Whether two numbers in words side by side are one rough number."""
    if near.text in _ROUGH_WORDS:
        return True
    if near.number is None or near.digits or near.ordinal:
        return False
    return "نه" not in {token.text, near.text}
