"""Ratings: «۸ از ۱۰», «پنج ستاره», «نمره ۱۸», «۹۰ درصد راضی‌ام», ⭐⭐⭐⭐.

The message becomes a string of one letter a word (its shape), in which the ways of rating are searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from crm_store.persian.number_words import AND_WORDS, COUNTER_WORDS, ENDINGS, LATIN_ENDINGS, listed
from crm_store.persian.numbers import Token, plain, read_tokens, signed_span, stands_free
from crm_store.persian.readings import Reading, Source

_SCALES = (5, 10, 20, 100)
_STARS = 5
_FULL = "⭐🌟★✭✮"
_EMOJI = re.compile(f"[{_FULL}](?: ?[{_FULL}☆✩])*")
_HINT = re.compile(
    rf"\d[/\\ ]|[{_FULL}]|از|az|of|/|بین|ستا?ر|setar|star|نمر|nomr|score|درصد|در صد|%|٪|darsad"
)

#: The letter of a word in the shape; the first that fits.
_CLASSES = (
    ("A", r"از|az|of"),
    ("S", rf"(?:ستاره|ستارس|استاره|ستره){ENDINGS}|setar(?:e|eh|ei|ast){LATIN_ENDINGS}|stars?|استار"),
    ("G", rf"(?:نمره|نمر|نومره|نمرات){ENDINGS}|nom(?:re|reh|ra|r){LATIN_ENDINGS}|score|rate|rating"),
    ("P", r"درصد(?:ی|ه|م|ش)?|darsad(?:i|e)?"),
    ("Z", r"ناراضی\w*|نیست\w*|نبود\w*|ندار\w*|نداشت\w*|نشد\w*|نمی\w*|nist\w*|naraz\w*|nabood\w*"),
    ("R", r"راضی\w*|رضایت\w*|خشنود\w*|raziy?\w*|rezayat\w*"),
    (
        "D",
        r"می?دم|میدهم|میدیم|دادم|بدم|دم|دهم|میذارم|میگم|دادیم|دادن|میدن|midam|dadam|bedam|midim|midahm|midham",
    ),
    ("E", rf"امتیاز(?:ات)?{ENDINGS}|emtiaz{LATIN_ENDINGS}|points?"),
    ("T", r"تا|دونه|دانه|عدد|تاش|تاشو|تارو|تاست|ta"),
    ("B", r"ولی|اما|چون|پس|هنوز|vali|chon"),
    ("O", r"سفارش\w*|کد\w*|فاکتور\w*|شماره\w*|ساعت|sefaresh\w*|code|saat"),
    (
        "U",
        rf"{COUNTER_WORDS}|فروردین|اردیبهشت|خرداد|تیر|مرداد|شهریور|مهر|ابان|اذر|دی|بهمن|اسفند|صبح|ظهر|عصر|شب|غروب|بعدازظهر"
        r"|کالا\w*|بسته\w*|محصول\w*|مرسوله\w*|جنس\w*|ساله|تایی|sobh|asr|shab|zohr",
    ),
    (
        "L",
        r"به|بهتون|بهش|بهشون|شما|من|ما|رو|را|هم|حدود|تقریبا|حداقل|برا|برای|براتون|براش|برای|می|بود|هست|است|میشه|باشه|با|out"
        r"|اگه|بخوام|فقط|همون|نظرم|کلا|خدمات|خدماتتون|کارتون|پیکتون|be|behetoon|behetun|man|az|mn|ro|shoma|behesh|bood|mishe",
    ),
)
_CLASS = re.compile("|".join(f"(?P<{letter}>{words})" for letter, words in _CLASSES))
_BETWEEN_MARKS = re.compile(r"(?P<slash>^ ?[/\\] ?$)|(?P<percent>[%٪])|(?P<stop>[.!?؟;؛])|(?P<mark>\S)")

#: The ways of rating, the surer first where they begin at the same word. The groups are rating and scale.
_GIVES = "[LDGE]"
_NOT_COUNTED = "(?![PUO/]|T(?!S))"
_WAYS = re.compile(
    rf"(?P<of>(?P<of_n>N)[SET]?,?{_GIVES}{{0,2}},?A,?(?P<of_scale>N)(?:T?S)?{_NOT_COUNTED}(?!AN))"
    rf"|(?P<range>A?(?P<range_low>N)T(?P<range_scale>N),?[LDGEX]{{0,4}},?(?P<range_n>N)(?![PUOA/N]))"
    rf"|(?P<out>A,?(?P<out_scale>N)(?:T?S|E|G)?,?(?:{_GIVES}{{0,4}},?(?P<out_n>N)(?:T|S|TS)?(?![PUO/N]|,?AN)"
    r"|(?:T|[LDGEX]{1,4},?)(?P<out_n2>N)T?(?=D)))"
    r"|(?P<short>A(?P<short_n>N)(?![PUTSOA/N]))"
    r"|(?P<slash>(?<![/A])(?P<slash_n>N)/(?P<slash_scale>N)(?:T?S)?(?![/UPT]))"
    rf"|(?P<stars>(?P<stars_n>N)T?S(?!,?{_GIVES}{{0,2}},?AN))"
    r"|(?P<stars_after>S[LDE]{0,3},?(?P<stars_after_n>N)T?(?![PUSOA/N]|[LDGET]{0,3}AN))"
    rf"|(?P<grade>G[LDGEXT,]{{0,5}}?(?P<grade_n>N)(?![UOA/N]|[SET]?{_GIVES}{{0,2}},?AN|T?S))"
    r"|(?P<grade_after>(?<![TA])(?P<grade_after_n>N)GL{0,2}D)"
    r"|(?P<percent>(?P<percent_n>N)P[LXDA]{0,4}R(?![XL]{0,2}Z))"
    r"|(?P<percent_after>R(?!Z)[XLD,]{0,3}(?P<percent_after_n>N)P(?![LX]{0,2}Z))"
)
_COPULAS = listed("ه ست س و یه ی e o")
_FRACTIONS = frozenset({"5", "25", "50", "75"})
_ABOUT_HOTELS = re.compile(r"(?<!\w)(?:هتل|رستوران|هتلی|hotel)$")
_ABOUT_DATES = re.compile(
    r"(?<!\w)(?:تاریخ|مورخ|تولد\w*|متولد|ساعت|روز|فاکتور|سفارش|شماره|پلاک|واحد|از|تا) ?:? ?$"
)
_NOT_OF = re.compile(r"(?<!\w)(?:بعد|قبل|بیش|بیشتر|کمتر|غیر|پیش|پس|bad|bish|kamtar|ghabl) $")

_MARKS = {"slash": "/", "percent": "P", "stop": "."}


class _Shape(NamedTuple):
    """The letters of a message's words, and the word each of them stands for."""

    letters: str
    places: list[int]


def find_ratings(text: str) -> list[Reading]:
    """Finds the ratings in a text.

    Args:
        text: Any text.

    Returns:
        The ratings in the order of the text. A value is a dict of `value` (a float only for a fraction) and
        `scale`; a grade without a scale is ambiguous.
    """
    source = Source(text)
    return sorted(ratings_in(source, read_tokens(source.folded))) if _HINT.search(source.folded) else []


def ratings_in(source: Source, tokens: list[Token]) -> list[Reading]:
    """Finds the ratings in a text that is folded and cut already.

    Args:
        source: The text.
        tokens: The tokens of its folded form.

    Returns:
        The same as `find_ratings`, emoji last.
    """
    folded = source.folded
    if not _HINT.search(folded):
        return []
    tokens = list(_with_fractions(folded, tokens))
    shape = _shape(folded, tokens)
    found = []
    for match in _WAYS.finditer(shape.letters):
        values = _values(match, shape, folded, tokens)
        if values:
            first, last = shape.places[match.start()], shape.places[match.end() - 1]
            end = _end(folded, tokens[last])
            found.append(source.reading(tokens[first].start, end, *values))
    return found + list(_emoji(source, tokens))


def _shape(folded: str, tokens: list[Token]) -> _Shape:
    letters, places = [], []
    end = 0
    skip = False
    for place, token in enumerate(tokens):
        gap = folded[end : token.start]
        before = tokens[place - 1] if place else None
        is_percent = gap.endswith(("%", "٪")) and (before is None or before.number is None or gap[0] == " ")
        marks = _BETWEEN_MARKS.search(gap) if before and gap not in {"", " "} and not is_percent else None
        if marks is not None:
            letters.append(_MARKS.get(marks.lastgroup or "", ","))
            places.append(place - 1)
        is_ending = before is not None and gap == "" and before.number is not None and token.text in _COPULAS
        end = token.end
        if skip or is_ending:
            skip = False
            continue
        skip = token.text == "در" and place + 1 < len(tokens) and tokens[place + 1].text == "صد"
        letters.append("P" if skip else _letter(folded, token))
        places.append(place + skip)
        if is_percent or (place + 1 == len(tokens) and re.match(" ?[%٪]", folded[end:])):
            letters.append("P")
            places.append(place)
    return _Shape("".join(letters), places)


def _with_fractions(folded: str, tokens: list[Token]) -> Iterator[Token]:
    """Puts «۱۷/۵» together: what is more than its scale is a fraction."""
    skip = False
    for place, token in enumerate(tokens):
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if skip:
            skip = False
        elif after is not None and _is_fraction(folded, token, after):
            skip = True
            number = Decimal(f"{token.text}.{after.text}")
            yield Token(
                folded[token.start : after.end], token.start, after.end, number, token.digits + after.digits
            )
        else:
            yield token


def _is_fraction(folded: str, token: Token, after: Token) -> bool:
    is_alone = folded[token.end : after.start] == "/" and stands_free(folded.replace("/", " ", 1), token)
    if not is_alone or folded[after.end : after.end + 1] == "/" or not token.text.isdigit():
        return False
    return (after.text in _FRACTIONS and int(after.text) < int(token.text) <= 20) or after.text in {
        "25",
        "75",
    }


def _letter(folded: str, token: Token) -> str:
    if token.number is not None:
        is_free = (
            not token.ordinal
            and signed_span(folded, token)[0] == token.start
            and (not token.digits or _is_plain(folded, token))
        )
        return "N" if is_free else "X"
    return _class_of(token.text)


@lru_cache(maxsize=4096)
def _class_of(word: str) -> str:
    match = _CLASS.fullmatch(word)
    return match.lastgroup or "X" if match else "X"


def _is_plain(folded: str, token: Token) -> bool:
    """Whether figures are a number of their own, or one side of a single slash."""
    around = folded[max(0, token.start - 1) : token.end + 1]
    return (
        stands_free(folded.replace("/", " ").replace("\\", " "), token)
        if "/" in around or "\\" in around
        else (stands_free(folded, token))
    )


def _end(folded: str, token: Token) -> int:
    percent = re.compile(r" ?[%٪]").match(folded, token.end)
    return percent.end() if percent else token.end


def _values(
    match: re.Match[str], shape: _Shape, folded: str, tokens: list[Token]
) -> list[dict[str, int | float]]:
    """The possible ratings of a passage; none if it is something else."""
    way = match.lastgroup or ""
    number = _token(match, "out_n2" if way == "out" and match["out_n2"] else f"{way}_n", shape, tokens)
    before = folded[: tokens[shape.places[match.start()]].start]
    value, scale = number.number or 0, 0
    if way == "range" and _token(match, "range_low", shape, tokens).number not in {0, 1}:
        return []
    if way in {"of", "out", "slash", "range"}:
        scale = _scale_of(_token(match, f"{way}_scale", shape, tokens))
        if (way == "slash" and _ABOUT_DATES.search(before)) or (way == "out" and _NOT_OF.search(before)):
            return []
    elif way == "short":
        value, scale = _after_its_scale(number)
    elif way in {"stars", "stars_after"}:
        scale = 0 if _ABOUT_HOTELS.search(before.rstrip()) else _STARS
    elif way in {"percent", "percent_after"} or match.string[match.end() : match.end() + 1] == "P":
        scale = 100
    elif value <= 20:
        scales = (5, 10, 20) if value <= 5 else (10, 20) if value <= 10 else (20,)
        return [_rating(value, scale) for scale in scales]
    return [_rating(value, scale)] if scale in _SCALES and 0 <= value <= scale else []


def _token(match: re.Match[str], group: str, shape: _Shape, tokens: list[Token]) -> Token:
    return tokens[shape.places[match.start(group)]]


def _scale_of(token: Token) -> int:
    return int(token.number) if token.number in _SCALES else 0


def _after_its_scale(token: Token) -> tuple[int | Decimal, int]:
    """Two numbers in words that look like one: «از صد نود», «از بیست هفت»."""
    words = token.text.split(" ")
    if token.digits or len(words) < 2 or words[1] in AND_WORDS or token.number is None:
        return 0, 0
    scale = 100 if token.number > 100 else 20
    return token.number - scale, scale


def _rating(value: int | Decimal, scale: int) -> dict[str, int | float]:
    return {"value": plain(value), "scale": scale}


def _emoji(source: Source, tokens: list[Token]) -> Iterator[Reading]:
    """Rows of stars; a single one is an ornament, unless it is the whole message or a number's unit."""
    folded = source.folded
    for match in _EMOJI.finditer(folded):
        stars = sum(character in _FULL for character in match.group())
        start = match.start()
        number = next((t for t in tokens if folded[t.end : start] in {"", " "} and t.end <= start), None)
        if stars == 1 and number is not None and number.number is not None:
            if 0 <= number.number <= _STARS:
                yield source.reading(number.start, match.end(), _rating(number.number, _STARS))
        elif stars <= _STARS and (stars > 1 or len(match.group()) > 1 or not tokens):
            yield source.reading(start, match.end(), _rating(stars, _STARS))
