"""Amounts of money: a number with its unit, or with a thousand and no unit, in rials.

People leave out the thousand («صد و بیست تومن») or the unit («پونصد هزار»); then an amount is ambiguous.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal, NamedTuple

from crm_store.persian.number_words import AND_WORDS, ENDINGS, RIAL, TOMAN, listed
from crm_store.persian.numbers import COUNTER, Token, read_tokens, stands_free
from crm_store.persian.points import points_in
from crm_store.persian.readings import Reading, Source

_Unit = Literal["toman", "rial", ""]
_Number = Decimal | int

_HALF = Decimal("0.5")
_THOUSAND, _MILLION = 1_000, 1_000_000
_RIALS = 10  # a toman
_LONGEST = 15
#: «دو تا پونصد تومن» is no span: its ends are never that far apart.
_FEW = 20

_HINT = re.compile(
    r"تو?م|تم[ان]|طوم|تامن|ریا|to|tu|tm|ri|ry|ir|هزا?ر|میل|ملی|تریل|hez|hz|mi|me|tri|\dk"
    r"|[\d ]ت\b|[\d ]m?t\b|[هم][. ]{0,2}ت\b"
)
_TOMAN, _RIAL = re.compile(TOMAN), re.compile(RIAL)
_SHORT_TOMAN = frozenset({"ت", "t"})
_GLUED = {"ه": "kt", "م": "mt"}
_DOUBLED = re.compile(r"(\w)\1")
#: The unit may stand in brackets.
_BEFORE_UNIT = re.compile(r"\s?[(\[]?\s?")
_MONEY = re.compile(
    r"(?<!\w)(?:(?:پول|مبلغ|قیمت|هزینه|پرداخت|واریز|خسارت|بدهی|بدهکار|طلب|طلبکار|بستانکار|کرایه|اجرت|دستمزد|قسط|اقساط|بیعانه"
    r"|کارمزد|تخفیف|جریمه|خرج|مخارج|وجه|پیش پرداخت|پیشپرداخت|پردخت|گیمت|کیف پول|ضرر|فاکتور|بها|نرخ|غرامت)"
    rf"{ENDINGS}|(?:حساب|کسر)(?!ی(?!\w)){ENDINGS}|(?:گرو?ا?ن|ارزو?ا?ن)(?:تر|ی)?{ENDINGS}"
    r"|پس (?:ب?د[اهیم]|می ?د|ند|نمی ?د|ب?گیر|می ?خوا|بر)\w*|(?:برگردو?ا?ن|عودت|بازپرداخت|تسویه|نقد)\w*"
    r"|کارت به کارت"
    rf"|{TOMAN}|poo?l\w*|pul\w*|gh?e?ymat\w*|hazine\w*|pardakht\w*|variz\w*|mablagh\w*|hesab\w*|geroon\w*|gerun\w*|khesarat\w*"
    r"|pas bedi\w*|pas bede\w*|kasr)(?!\w)"
)
_YEAR_BEFORE = re.compile(
    r"(?:سال|فروردین|اردیبهشت|خرداد|تیر|مرداد|شهریور|مهر|ابان|اذر|دی|بهمن|اسفند|sal|sale)(?: ماه)? ?$"
)
#: Before a number, these make it a vague one: «چند صد هزار», «ده ها هزار».
_VAGUE = listed(
    "چند چندین چن چندتا چندصد چندهزار ها دهها صدها هزاران خردهای خوردهای خرده خورده ای اندی chand"
)
_UNTIL = re.compile(
    r"فردا\w*|امروز|پس|شنبه\w*|\w+شنبه|جمعه|اخر\w*|اول|این|ماه|الان|حالا|امشب|شب|عصر|صبح|ظهر|ساعت|کی|هفته|عید|هنوز"
)
_TO = listed("تا الی ta ela")


class _Sum(NamedTuple):
    """A number of money.

    Attributes:
        first: Place of its first token.
        last: Place of its last one, which may be the unit.
        number: Its value.
        meant: What is mostly meant instead; None if there is no doubt.
        scale: Its largest scale.
        unit: Its unit; empty if there is none.
    """

    first: int
    last: int
    number: _Number
    meant: _Number | None
    scale: int
    unit: _Unit


def find_amounts(text: str) -> list[Reading]:
    """Finds the amounts of money in a text.

    Args:
        text: Any text.

    Returns:
        The amounts in the order of the text; values are whole rials.
    """
    source = Source(text)
    if not _HINT.search(source.folded):
        return []
    tokens = read_tokens(source.folded)
    points = points_in(source, tokens)
    found: list[Reading] = []
    place = 0
    while place < len(tokens):
        readings, place = _amounts_at(source, tokens, place)
        for reading in readings:
            if not any(point.start < reading.end and reading.start < point.end for point in points):
                found.append(reading)
    return found


def _amounts_at(source: Source, tokens: list[Token], place: int) -> tuple[list[Reading], int]:
    """The amounts that begin at a token (two for a span), and where to go on."""
    folded = source.folded
    if not _is_number(folded, tokens, place):
        return [], place + 1
    span = _span_at(folded, tokens, place)
    if span is not None:
        low, high, is_one = span
        lows, highs = _rials(folded, low), _rials(folded, high)
        if is_one:
            return _readings(
                source, tokens, [(low.first, high.last, _alternating(lows, highs))]
            ), high.last + 1
        return (
            _readings(source, tokens, [(low.first, low.last, lows), (high.first, high.last, highs)]),
            high.last + 1,
        )
    money = _short_at(folded, tokens, place) or _sum_at(folded, tokens, place)
    if money is None:
        return [], place + 1
    return _readings(source, tokens, [(place, money.last, _rials(folded, money))]), money.last + 1


def _readings(source: Source, tokens: list[Token], found: list[tuple[int, int, list[int]]]) -> list[Reading]:
    return [
        source.reading(tokens[first].start, tokens[last].end, *values)
        for first, last, values in found
        if values
    ]


def _alternating(first: list[int], second: list[int]) -> list[int]:
    return [value for pair in zip(first, second, strict=False) for value in pair] or first or second


def _is_number(folded: str, tokens: list[Token], place: int) -> bool:
    token = tokens[place]
    if token.number is None or token.ordinal or (token.digits and not stands_free(folded, token, _LONGEST)):
        return False
    before = tokens[place - 1].text if place else ""
    is_half = token.number == _HALF and before in AND_WORDS  # «میلیون و نیم تومن»
    return before not in _VAGUE and not is_half


def _span_at(folded: str, tokens: list[Token], place: int) -> tuple[_Sum, _Sum, bool] | None:
    """Two numbers with one unit: «از ۵۰۰ تا ۸۰۰ هزار تومن», and the rough «دو سه میلیون», which are one.

    Returns:
        Both sums and whether they are one; None if there are not two.
    """
    word = tokens[place + 1] if place + 1 < len(tokens) else None
    if word is None or place + 2 > len(tokens):
        return None
    is_rough = word.number is not None and not word.digits and not tokens[place].digits
    is_between = place > 0 and tokens[place - 1].text in {"بین", "از", "beyn", "bein", "az"}
    is_step = word.text in _TO or (word.text in AND_WORDS and is_between and tokens[place - 1].text != "از")
    other = place + (1 if is_rough else 2)
    if not (is_rough or is_step) or other >= len(tokens) or not _is_number(folded, tokens, other):
        return None
    if folded[tokens[place].end : tokens[other].start].strip(" ") != ("" if is_rough else word.text):
        return None
    high = _sum_at(folded, tokens, other)
    is_no = "نه" in {tokens[place].text, tokens[other].text}
    if high is None or (is_rough and is_no):
        return None
    low = tokens[place]
    number, scale = low.number or 0, low.scale
    is_count = tokens[high.last].text.endswith("ی") or number * high.scale * _FEW < high.number
    if is_step and not is_between and scale == 1 and is_count:
        return None
    if scale == 1 and high.scale > 1 and number * high.scale <= high.number:
        number, scale = number * high.scale, high.scale
    return _Sum(place, place, number, low.meant, scale, high.unit), high, is_rough


def _short_at(folded: str, tokens: list[Token], place: int) -> _Sum | None:
    """A sum whose millions and thousands are left out: «یک و هشتصد تومن»."""
    rest = place + 2
    if rest >= len(tokens) or tokens[place].scale > 1 or not _is_number(folded, tokens, rest):
        return None
    millions, thousands = tokens[place].number or 0, tokens[rest].number or 0
    between = folded[tokens[place].end : tokens[rest].start].strip(" ")
    is_short = isinstance(millions, int) and 0 < millions < 10 and 100 <= thousands < _THOUSAND
    if not is_short or between not in AND_WORDS or _unit_of(folded, tokens, rest) != "toman":
        return None
    number = millions * _THOUSAND + thousands
    return _Sum(place, rest + 1, number, number * _THOUSAND, _THOUSAND, "toman")


def _sum_at(folded: str, tokens: list[Token], place: int) -> _Sum | None:
    """The number at a place with its unit, or without one if it has a thousand; None if it is no money."""
    token = tokens[place]
    number, scale = token.number or 0, token.scale
    for letter, abbreviated in (("ه", _THOUSAND), ("م", _MILLION)):  # «۵۰۰ ه.ت», «۲ م.ت»
        shortened = [near.text for near in tokens[place + 1 : place + 3]]
        if token.digits and scale == 1 and shortened[:1] == [_GLUED[letter]]:
            return _Sum(place, place + 1, number * abbreviated, None, abbreviated, "toman")
        if token.digits and scale == 1 and shortened == [letter, "ت"]:
            return _Sum(place, place + 2, number * abbreviated, None, abbreviated, "toman")
    if token.digits and token.text.endswith(("هزارت", "میلیونت")):
        return _Sum(place, place, number, token.meant, scale, "toman")
    unit = _unit_of(folded, tokens, place)
    if unit:
        return _with_rest(folded, tokens, _Sum(place, place + 1, number, token.meant, scale, unit))
    is_bare = token.parts == 1 and not token.digits  # «هزار بار»
    if scale < _THOUSAND or is_bare or _is_counted(folded, tokens, place):
        return None
    is_year = 1_300 <= number < 1_450 and _YEAR_BEFORE.search(folded[: token.start])
    return None if is_year else _Sum(place, place, number, token.meant, scale, "")


def _unit_of(folded: str, tokens: list[Token], place: int) -> _Unit:
    if place + 1 >= len(tokens):
        return ""
    token, unit = tokens[place], tokens[place + 1]
    if not _BEFORE_UNIT.fullmatch(folded, token.end, unit.start):
        return ""
    for text in (unit.text, _DOUBLED.sub(r"\1", unit.text)):
        if _TOMAN.fullmatch(text):
            return "toman"
        if _RIAL.fullmatch(text):
            return "rial"
    is_short = unit.text in _SHORT_TOMAN and (token.digits or token.scale > 1 or unit.start > token.end)
    return "toman" if is_short else ""


def _with_rest(folded: str, tokens: list[Token], money: _Sum) -> _Sum:
    """Adds what is said after the unit: «دو تومن و نیم», «یه تومن و دویست»."""
    rest = money.last + 2
    if rest >= len(tokens) or tokens[money.last + 1].text not in AND_WORDS or money.unit != "toman":
        return money
    token = tokens[rest]
    if folded[tokens[money.last].end : token.start].strip() != tokens[money.last + 1].text:
        return money
    if token.number == _HALF and not token.digits and not _is_counted(folded, tokens, rest):
        return money._replace(last=rest, number=money.number + token.number * money.scale)
    is_part = (
        token.number is not None and not token.ordinal and token.scale == 1 and 100 <= token.number < 1_000
    )
    if not is_part or money.scale > 1 or money.number >= 1_000 or _unit_of(folded, tokens, rest):
        return money
    if _is_counted(folded, tokens, rest) or not isinstance(money.number, int):
        return money
    number = money.number * _THOUSAND + (token.number or 0)
    meant = number * _THOUSAND if money.number < 10 else None
    return money._replace(last=rest, number=number, meant=meant, scale=_THOUSAND)


def _is_counted(folded: str, tokens: list[Token], place: int) -> bool:
    """Whether something else is counted: «۵۰۰ هزار نفر»; but «۵۰۰ هزار تا فردا» is until tomorrow."""
    if place + 1 >= len(tokens) or folded[tokens[place].end : tokens[place + 1].start].strip():
        return False
    text = tokens[place + 1].text
    if text == "تا" and place + 2 < len(tokens):
        return _UNTIL.fullmatch(tokens[place + 2].text) is None
    # «بالای ۵ میلیون امتیاز اضافه داره؟»: nobody has millions of points.
    is_points = tokens[place].scale > _THOUSAND and text.startswith(("امتیاز", "emti"))
    return COUNTER.fullmatch(text) is not None and not is_points


def _rials(folded: str, money: _Sum) -> list[int]:
    """The possible values of an amount in rials, the likeliest first."""
    number, meant = money.number, money.meant
    literal = [number] if meant is None else [meant, number]
    if money.unit == "rial":
        values = [number]
    elif money.unit == "" and not _MONEY.search(folded):
        values = [*(value * _RIALS for value in literal), *literal]
    elif money.unit == "toman" and money.scale == 1 and 0 < number < _THOUSAND:
        scales = (_MILLION, _THOUSAND, 1) if number < 10 else (_THOUSAND, 1)
        values = [number * scale * _RIALS for scale in scales]
    else:
        values = [value * _RIALS for value in literal]
    return [int(value) for value in values if value == int(value)]
