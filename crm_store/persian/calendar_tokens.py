"""A message as the readers of dates, times and periods see it: words of the calendar, numbers and marks.

Besides the kinds of `crm_store.persian.calendar_words` there are:

    N number of 1 to 31    1 the article «یه»    0 zero    T number of 32 to 99    4 a year
    9 another number    O place of 1 to 31    F date in figures    f two figures with a slash
    C hour and minutes    c decimal
    , comma    ; another mark    - dash    o another word
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from crm_store.persian.calendar_words import FIRST_WORDS, LEXICON, MOST_WORDS, Glued
from crm_store.persian.numbers import read_tokens
from crm_store.persian.readings import Reading, Source
from crm_store.persian.word_forms import pair_of, slipped_month, slipped_weekday

TEHRAN = ZoneInfo("Asia/Tehran")
JALALI_YEARS, GREGORIAN_YEARS = range(1300, 1500), range(1900, 2100)
LAST_DAY = 31

_PIECE = re.compile(
    r"(?P<code>(?<![^\W_])[a-z][a-z0-9]*[-_/.]?\d[a-z0-9_/-]*|[@#]\w+|(?:https?://|www\.)\S+|\S+@\S+)"
    r"|(?P<full>(?<![\d/.:-])\d{1,4}\ ?(?P<mark>[/\\.\-\u2013])\ ?\d{1,2}\ ?(?P=mark)\ ?\d{1,4}"
    r"(?![\d/:]|[.-]\d))"
    r"|(?P<clock>(?<![\d:.])\d{1,2}:\d{2}(?::\d{2})?(?![\d:]))"
    r"|(?P<pair>(?<![\d/.])\d{1,2}\ ?/\ ?\d{1,2}(?!\d|\ ?/\ ?\d|[.:]\d))"
    r"|(?P<decimal>\d+(?:[./,٬،٫]\d+)+)"
    r"|(?P<figures>\d+)"
    r"|(?P<short>(?<!\w)[بق]\ ?\.?\ ?ظ(?!\w)\.?|(?<![a-z])[ap]\.m\.?)"
    r"|(?P<word>[^\W\d_]+(?:['’`][^\W\d_]+)*)"
    r"|(?P<dash>[-\u2010-\u2015\u2212])|(?P<comma>[,،])|(?P<other>[^\w\s]|_)"
)
_SHORT = {"ب": "afternoon", "ق": "forenoon", "a": "am", "p": "pm"}
#: What makes an ordinal of figures; alone only before a month.
_ORDINAL_ENDINGS = frozenset({"م", "ام", "امین", "om", "th", "st", "nd", "rd"})
#: What makes an ordinal of a number in words, typed as a word of its own; «نه ام» is more likely a no.
_LOOSE_ORDINAL_ENDINGS = frozenset({"ام", "امین", "om"})
_NINE = "نه"
#: An ending that was typed as a word of its own: «۵ ی عصر», «هفته ی بعد».
_LOOSE_ENDINGS = frozenset({"ی", "ای", "e", "ye", "of"})
_ARTICLES = frozenset({"یه", "ye"})
#: «این هفته‌ای»; elsewhere «هفته‌ای» is a week's pay or pace.
_THIS_WEEK = frozenset({"هفتهای", "هفتهایی"})
_PLURALS = frozenset({"ها", "های", "ha", "haye"})
#: «سر برج», «یکی دو روز».
_AT = frozenset({"سر", "sar", "sare"})
_ONE_OR = frozenset({"یکی", "yeki"})
_BEFORE_OR_WITH = "پیش از"
_WEEKDAY_ROOT = re.compile(r"(?:شنبه|شمبه|shanbe|shambe)(?:ی|ای|ست)?")
_PLURAL_ROOT = re.compile(r"(?:شنبه|شمبه)ها\w*|(?:shanbe|shambe)ha\w*")


class Word(NamedTuple):
    """A word, a number or a mark.

    Attributes:
        text: As it stands in the folded text.
        start: Its first character in the folded text.
        end: One past its last character.
        kind: One letter.
        value: What it stands for.
    """

    text: str
    start: int
    end: int
    kind: str
    value: Any = None

    @property
    def width(self) -> int:
        """How many figures it was written with."""
        return len(self.text) if self.text.isdigit() else 0


class Found(NamedTuple):
    """Words of a message and what they may mean.

    Attributes:
        start: The first of them.
        end: One past the last.
        values: Their possible values, the likeliest first.
    """

    start: int
    end: int
    values: tuple[Any, ...]


class Message:
    """A message cut into words, read at a moment.

    Attributes:
        now: The moment, in Tehran.
        words: The words in the order of the text.
        kinds: Their kinds, a character each.

    Args:
        text: The message.
        now: A moment with a time zone.

    Raises:
        ValueError: If the moment has no time zone.
    """

    def __init__(self, text: str, now: datetime) -> None:
        if now.utcoffset() is None:
            raise ValueError("a moment needs a time zone")
        self.now = now.astimezone(TEHRAN)
        self._source = Source(text)
        self.words = _words(self._source.folded)
        self.kinds = "".join(word.kind for word in self.words)

    @property
    def today(self) -> date:
        """The day in Tehran."""
        return self.now.date()

    @cached_property
    def texts(self) -> list[str]:
        """The words as they stand in the folded text."""
        return [word.text for word in self.words]

    def text(self, place: int) -> str:
        """The word at a place; empty beyond the message."""
        return self.words[place].text if 0 <= place < len(self.words) else ""

    def kind(self, place: int) -> str:
        """The kind of the word at a place; a full stop beyond the message."""
        return self.kinds[place] if 0 <= place < len(self.kinds) else ";"

    def value(self, place: int) -> Any:
        """The value of the word at a place."""
        return self.words[place].value

    def reading(self, found: Found) -> Reading:
        """A passage with offsets into the text as it was typed."""
        first, last = self.words[found.start], self.words[found.end - 1]
        return self._source.reading(first.start, last.end, *found.values)


def _words(folded: str) -> list[Word]:
    pieces = list(_PIECE.finditer(folded))
    spelled = {
        token.start: token for token in read_tokens(folded) if token.number is not None and not token.digits
    }
    words: list[Word] = []
    place = 0
    while place < len(pieces):
        match = pieces[place]
        found = list(_of_piece(match, folded, pieces, place, spelled))
        _append(words, found)
        end = found[-1].end if found else match.end()
        place += 1
        while place < len(pieces) and pieces[place].start() < end:
            place += 1
    return words


def _of_piece(
    match: re.Match[str], folded: str, pieces: list[re.Match[str]], place: int, spelled: dict[int, Any]
) -> Iterator[Word]:
    kind, text, start, end = match.lastgroup, match.group(), match.start(), match.end()
    if kind == "mark":
        kind = "full"
    if kind == "word":
        phrase = _phrase(folded, pieces, place)
        if phrase is not None:
            yield from phrase
        elif start in spelled and text not in LEXICON:
            token = spelled[start]
            yield from _spelled(token)
            if token.end < end:  # «دوهفته»
                yield from _plain(folded[token.end : end], token.end, end)
        else:
            yield from _plain(text, start, end)
    elif kind == "figures":
        yield _figures(text, start, end)
    elif kind == "short":
        yield Word(text, start, end, "P", _SHORT[text[0]])
    else:
        kinds = {
            "code": "o",
            "full": "F",
            "clock": "C",
            "pair": "f",
            "decimal": "c",
            "dash": "-",
            "comma": ",",
        }
        yield Word(text, start, end, kinds.get(str(kind), ";"))


def _phrase(folded: str, pieces: list[re.Match[str]], place: int) -> list[Word] | None:
    """The entry of several words that begins here, if there is one."""
    start = pieces[place].start()
    if pieces[place].group() not in FIRST_WORDS:
        return None
    for last in range(min(place + MOST_WORDS, len(pieces)) - 1, place, -1):
        end = pieces[last].end()
        entry = LEXICON.get(folded[start:end])
        if entry is not None:
            return _entry_words(folded[start:end], start, end, *entry)
    return None


def _entry_words(text: str, start: int, end: int, kind: str, value: Any) -> list[Word]:
    if not isinstance(value, Glued):
        return [Word(text, start, end, kind, value)]
    middle = end - value.length
    return [
        Word(text[: middle - start], start, middle, value.kind, value.value),
        Word(text[middle - start :], middle, end, "P", value.part),
    ]


def _plain(text: str, start: int, end: int) -> Iterator[Word]:
    key = text.replace("'", "").replace("’", "").replace("`", "")
    entry = LEXICON.get(key)
    if entry is not None:
        yield from _entry_words(text, start, end, *entry)
        return
    if text in ("ونیم", "وربع"):
        yield Word(text[:1], start, start + 1, "&")
        yield Word(text[1:], start + 1, end, "z" if text == "ونیم" else "q")
        return
    weekday = slipped_weekday(text)
    pair = () if weekday is not None else pair_of(text)
    for first, last, kind, value in pair:
        yield Word(text[first:last], start + first, start + last, kind, value)
    if not pair:
        yield Word(text, start, end, "o" if weekday is None else "W", weekday)


def _spelled(token: Any) -> Iterator[Word]:
    """A number in words; «هشت و نیم» is taken apart again."""
    number, start, end = token.number, token.start, token.end
    if number % 1:
        if number == number // 1 + type(number)("0.5") and token.text.rstrip("ه").endswith(("نیم", "nim")):
            half = 3
            if number > 1:
                yield from _number(token.text[:-half], int(number), start, end - half - 1, False)
                yield Word("و", end - half - 1, end - half, "&")
            yield Word(token.text[-half:], end - half, end, "z")
        else:
            yield Word(token.text, start, end, "9", number)
    else:
        yield from _number(token.text, int(number), start, end, token.ordinal)


def _number(text: str, number: int, start: int, end: int, is_ordinal: bool) -> Iterator[Word]:
    if is_ordinal:
        yield Word(text, start, end, "O" if 1 <= number <= LAST_DAY else "o", number)
    elif text in _ARTICLES:
        yield Word(text, start, end, "1", 1)
    else:
        yield Word(text, start, end, _kind_of_number(number), number)


def _kind_of_number(number: int) -> str:
    if number <= LAST_DAY:
        return "N" if number else "0"
    if number < 100:
        return "T"
    return "4" if number in JALALI_YEARS or number in GREGORIAN_YEARS else "9"


def _figures(text: str, start: int, end: int) -> Word:
    number = int(text)
    if len(text) > 4 or (len(text) > 2 and number < 100):
        return Word(text, start, end, "9", number)
    return Word(text, start, end, _kind_of_number(number), number)


def _append(words: list[Word], found: list[Word]) -> None:
    """Adds words; what belongs to the word before goes into it."""
    for word in found:
        if not words:
            words.append(word)
            continue
        joined = _joined(words, word)
        if joined is None:
            words[-1:] = _beside(words[-1], word)
        else:
            words[-1] = joined


def _joined(words: list[Word], word: Word) -> Word | None:
    """What the last word becomes together with a new one, if they are one."""
    last = words[-1]
    is_glued = last.end == word.start
    if word.text in _LOOSE_ENDINGS and last.kind in "NOTklyhmDWPM" and (word.kind == "o" or is_glued):
        return last._replace(end=word.end)
    if last.kind == "N" and _makes_ordinal(last, word):
        return Word(last.text, last.start, word.end, "O", last.value)
    if last.kind in "N1" and last.value <= 5 and _is_numbered_weekday(words, word):
        is_general = bool(_PLURAL_ROOT.fullmatch(word.text))
        return Word("", last.start, word.end, "w" if is_general else "W", last.value)
    if last.kind == "W" and word.text in _PLURALS:  # «جمعه ها»
        return last._replace(end=word.end, kind="w")
    if last.width and is_glued and word.kind == "o" and word.text.isascii() and word.text.isalpha():
        return Word(last.text, last.start, word.end, "o")  # 12a, 5gb
    return None


def _makes_ordinal(number: Word, word: Word) -> bool:
    """Whether a word is the ending of an ordinal: «۱۵م», «۱۵ ام», «سی ام»."""
    if number.width:
        return word.text in _ORDINAL_ENDINGS and (number.end == word.start or word.text != "م")
    return word.text in _LOOSE_ORDINAL_ENDINGS and number.text != _NINE


def _beside(last: Word, word: Word) -> list[Word]:
    """Two words that tell each other's kinds."""
    if word.kind == "l" and last.text in _AT:
        return [last._replace(kind="A"), word]
    if word.kind == "N" and last.text in _ONE_OR:
        return [last._replace(kind="N", value=1), word]
    if word.text == _BEFORE_OR_WITH and last.kind in "dklyhm":  # «۲ روز پیش از شما خریدم»
        middle = word.text.index(" ")
        before = Word(word.text[:middle], word.start, word.start + middle, "p", False)
        return [last, before, Word(word.text[middle + 1 :], word.start + middle + 1, word.end, "a")]
    if word.kind != "o":
        return [last, word]
    if last.kind == "t" and word.text in _THIS_WEEK:
        return [last, word._replace(kind="k")]
    month = slipped_month(word.text) if last.kind in "NO" else None
    return [last, word if month is None else word._replace(kind="M", value=month)]


def _is_numbered_weekday(words: list[Word], word: Word) -> bool:
    """«5 شنبه» is Thursday, but «ساعت 5 شنبه» five o'clock on Saturday."""
    if not (_WEEKDAY_ROOT.fullmatch(word.text) or _PLURAL_ROOT.fullmatch(word.text)):
        return False
    return words[-1].end == word.start or len(words) < 2 or words[-2].kind != "h"
