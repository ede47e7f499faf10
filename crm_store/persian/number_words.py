"""The words of numbers, formal, spoken and in Latin letters, and how a text is cut into them.

A word that was typed without its spaces («دویستوپنجاه», «پنجاه‌تومن») is cut where nothing else can be meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from crm_store.persian.folding import fold

Kind = Literal["word", "value", "digits", "scale", "and", "half", "ordinal"]

_VALUES = {
    0: "صفر sefr",
    1: "یک یه yek ye",
    2: "دو do doo",
    3: "سه se seh",
    4: "چهار چار chahar chaahar chehar char chaar",
    5: "پنج پنش پنچ panj pang pnj",
    6: "شش شیش shish shesh",
    7: "هفت haft hft",
    8: "هشت hasht hsht",
    9: "نه noh nuh",
    10: "ده dah dh",
    11: "یازده یازه yazdah yaazdah yazda",
    12: "دوازده دوازه davazdah davaazdah davazda",
    13: "سیزده سیزه sizdah sizda",
    14: "چهارده چارده chahardah chardah charda",
    15: "پانزده پونزده پانزه پونزه panzdah poonzdah punzdah ponzdah poonzda",
    16: "شانزده شونزده شانزه شونزه shanzdah shoonzdah shunzdah shonzdah shoonzda",
    17: "هفده هیفده هیوده هوده hefdah hifdah hivdah hevdah hefda hivda",
    18: "هجده هیجده هیژده هژده هیچده hejdah hijdah hizhdah hejda hijda",
    19: "نوزده نوزه noozdah nuzdah nozdah noozda",
    20: "بیست بیس bist bees",
    30: "سی si",
    40: "چهل چل chehel chehl chel",
    50: "پنجاه پنجا panjah panja panjaah",
    60: "شصت شص شست shast shasst",
    70: "هفتاد haftad haftaad hafdad",
    80: "هشتاد hashtad hashtaad",
    90: "نود navad navvad",
    100: "صد یکصد sad yeksad",
    200: "دویست دیویست دیوست دویس دیویس دیویصت دوصد divist devist divis davist dosad",
    300: "سیصد سیسد سصد sisad sissad",
    400: "چهارصد چارصد چهارسد chaharsad charsad",
    500: "پانصد پونصد پونسد پانسد پنصد pansad poonsad punsad ponsad paansad",
    600: "ششصد شیشصد شیصد شیشسد ششسد shishsad sheshsad shissad",
    700: "هفتصد هفصد هفتسد haftsad hafsad",
    800: "هشتصد هشصد هشتسد hashtsad hashsad",
    900: "نهصد نهسد nohsad nuhsad",
}
_SCALES = {
    1_000: "هزار هزر hezar hezaar hzar hezr",
    1_000_000: (
        "میلیون ملیون میلون میلین میلیوم "
        "milion million milyon milyoon milyun milioon miliun melion melyon melyoon meliun"
    ),
    1_000_000_000: "میلیارد ملیارد میلیاد miliard milliard milyard miliyard melyard",
    1_000_000_000_000: "تریلیون trilion trillion",
}
_ORDINALS = {
    1: "اول یکم اولین aval avval avalin",
    2: "دوم دویم دومین dovom dovvom dovomin",
    3: "سوم سومین sevom sevvom sevomin",
    4: "چهارم چارم chaharom charom",
    5: "panjom",
    6: "shishom sheshom",
    7: "haftom",
    8: "hashtom",
    9: "nohom",
    10: "dahom",
    11: "yazdahom",
    12: "davazdahom",
    13: "sizdahom",
    14: "chahardahom chardahom",
    15: "panzdahom poonzdahom punzdahom",
    16: "shanzdahom shoonzdahom",
    17: "hefdahom hivdahom",
    18: "hejdahom hijdahom",
    19: "noozdahom nuzdahom",
    20: "bistom",
    30: "سیام سیامین siom",
}
_HALVES = ("نیم", "nim")
AND_WORDS = frozenset({"و", "o", "va", "vo"})


def listed(words: str) -> frozenset[str]:
    """A set of words that are written with spaces between.

    Args:
        words: Folded words.

    Returns:
        The words.
    """
    return frozenset(words.split())


#: Words that look like a number with an ordinal's ending: a share, durability, Saddam, a wire, I washed.
_NO_ORDINALS = listed("سهم سهمین سیم سیمین شستم شستمین یهم پنجام بیسم شصم یکم")
_PERSIAN_ENDINGS = ("م", "مین")

VALUES = {fold(word): value for value, words in _VALUES.items() for word in words.split()}
SCALES = {fold(word): value for value, words in _SCALES.items() for word in words.split()}
ORDINALS = {
    word + ending: value
    for word, value in VALUES.items()
    if 2 <= value <= 100 and not word.isascii()
    for ending in _PERSIAN_ENDINGS
    if word + ending not in _NO_ORDINALS
}
ORDINALS |= {fold(word): value for value, words in _ORDINALS.items() for word in words.split()}
#: What makes an ordinal of figures: «۱۵ام», 15th.
ORDINAL_ENDINGS = listed("ام م امین مین om th st nd rd omin")

#: Endings of nouns: «تومنیه», «هزارتومنشو», «نفرمون».
ENDINGS = (
    "(?:ی|ای)?(?:هاشون|هاش|هام|ها|مونو|تونو|شونو|مون|تون|شون|مان|تان|شان|است|اس|ست|ه|م|ت|ش|ا|س)?"
    "(?:رو|یه|ست|و|ه|س|م|ی)?"
)
LATIN_ENDINGS = (
    "(?:ie|ye|e|i|y)?(?:emoon|emun|etoon|etun|eshoon|eshun|esh|ash|am|et|m|sh|s)?(?:ist|ast|ro|ie|o|e|i)?"
)
#: The units of money, with the slips of hurried fingers.
TOMAN = (
    f"(?:(?:تومان|تومن|تمن|تمان|طومان|توممن|تومون|تونم|تومنن|تومانن|تامن){ENDINGS}"
    f"|t(?:oo?|u)m[aei]n{LATIN_ENDINGS}|tmn|tomn|irt)"
)
RIAL = f"(?:(?:ریال|ریاال){ENDINGS}|ri?y?al{LATIN_ENDINGS}|irr)"
_COUNTERS = (
    "تا|بار|دفعه|مرتبه|روز|هفته|ماه|سال|ساعت|دقیقه|دیقه|ثانیه|نفر|ستاره|امتیاز|درصد|کیلومتر|کیلو|گرم|متر|لیتر"
    "|عدد|دونه|دانه|قلم|مورد|گیگ|نمره|شب|جلسه|قسط|درجه|دلار|یورو|برابر"
)
_LATIN_COUNTERS = (
    "ta|bar|dafe|rooz|ruz|hafte|mah|sal|saat|daghighe|nafar|setare|star|emtiaz|point|darsad|kilo|gig|adad"
)
_UNIT = f"(?:{TOMAN}|{RIAL}|(?:{_COUNTERS}){ENDINGS}|(?:{_LATIN_COUNTERS}){LATIN_ENDINGS})"
#: What is counted or measured, mostly.
COUNTER_WORDS = f"(?!نفرست)(?:{_UNIT}|روزه|ماهه|ساله|ساعته|نفره|٪|%)"
#: Without one of these there is no number in a text.
HINTS = (
    r"\d|یک|یه|دو|سه|چ[هاسنل]|پن|شش|شیش|هف|هش|نه|ده|زده|یازه|وزه|بیس|سی|نجا|ش[صس]|نود|صد|دوی|دیو|هز|میل|ملی|صفر|نیم"
    r"|یست|y[ea]|do|se|ch|pa|pn|sh|h[aefisz]|n[ouia]|da|dh|si|bi|sa|di|de|mi|me"
)
#: Cut into a number and something else, these words would lose their meaning: again, unique, an instrument.
_WHOLE = re.compile(
    r"دوبار(?:ه|م|ه ?\w+)|یکتا(?:ی|م)?|یهتا|سیتا|یکبار(?:ه|م)?|دوتار|سهتار|هزار(?:ان|م|ه)"
    r"|(?:یک|سه|چهار|پنج|دو)شن?به"
    r"|dobar\w+|yekta|yekbare?|serial\w*|dostar|sitar|panjshanbe"
)


class Piece(NamedTuple):
    """A word, or a part of one, on the way to a number.

    Attributes:
        kind: What it is.
        value: Its number; 0 for a word.
        start: Its first character.
        end: One past its last character.
    """

    kind: Kind
    value: int | Decimal
    start: int
    end: int


def _alternatives(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})"


def _grammar(is_latin: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """How numbers of one script are joined, and what they are cut into."""

    def spelled(low: int, high: int) -> str:
        return _alternatives(w for w, v in VALUES.items() if low <= v <= high and w.isascii() is is_latin)

    scale = _alternatives(w for w in SCALES if w.isascii() is is_latin)
    half = _HALVES[is_latin]
    ordinal = _alternatives(w for w, v in ORDINALS.items() if v < 10 and w.isascii() is is_latin)
    connective = "(?:va|vo|o)" if is_latin else "و"
    ones, teens, tens, hundreds = spelled(1, 9), spelled(10, 19), spelled(20, 99), spelled(100, 900)
    below_100 = f"(?:{tens}{connective}{ones}|{teens}|{tens}|{ones})"
    below_1000 = f"(?:{hundreds}(?:{connective}{below_100})?|{below_100})"
    group = f"(?:{below_1000}?{scale}{scale}?)"
    whole = (
        f"(?:{group}(?:{connective}?{group})*(?:{connective}(?:{below_1000}|{half}))?"
        f"|{below_1000}(?:{connective}{half}{scale}?)?|{half}{scale})"
    )
    counted = f"(?P<a>{whole})(?P<unit>{_UNIT})"
    scaled = f"(?P<b>(?:{group}{connective}?)*{group})(?P<b_end>{LATIN_ENDINGS if is_latin else ENDINGS})"
    plain = f"(?P<c>{whole})(?P<and>{connective}?)"
    ended = f"(?:{spelled(20, 20)}|{spelled(11, 19)}|{spelled(200, 900)}|چهار|هشت|صفر)"
    copula = f"(?P<d>(?:{hundreds}{connective})?{ended})(?P<d_end>ه|ی|یه|ست)"
    ordinals = f"(?P<e>(?:{hundreds}{connective})?{tens}{connective}{ordinal})(?P<e_end>ه?)"
    joined = re.compile(f"{plain}|{ordinals}|{counted}|{scaled}|{copula}")
    numbers = _alternatives(w for w in [*VALUES, *SCALES, half] if w.isascii() is is_latin)
    return joined, re.compile(f"{ordinal}$|{numbers}|{connective}")


_GRAMMARS = (_grammar(False), _grammar(True))
_DOUBLED = re.compile(r"(\w)\1")
_SCALE_WORD = _alternatives(SCALES)
_MILLION_WORD = _alternatives(w for w, v in SCALES.items() if v > 1_000)
_MONEY_UNIT = rf"(?:{TOMAN}|{RIAL}|t|ت)(?!\w)"
#: Before one of these «۲/۵» is a fraction.
_MEASURE = (
    rf"(?:{_SCALE_WORD}|{_MONEY_UNIT}|کیلو|متر|لیتر|گرم|درصد|٪|%|ساعت|سال|روز|ماه|هفته|برابر|گیگ|دلار|یورو|اینچ"
    r"|تن(?!\w)|kilo|kg|darsad|saat)"
)
#: Latin letters that may stick to figures without making a code of them.
_GLUED_LATIN = (
    f"(?:(?:{_alternatives(w for w in SCALES if w.isascii())}|{_UNIT}){LATIN_ENDINGS}"
    "|t|k|kt|mt|tmn|tayi|omin|om|th|st|nd|rd|az|ta|o|e|ro|nomre|stars?|points?)(?![a-z0-9])|az\\d"
)
_WEEKDAY = (
    r"(?<![^\W\d_])(?:یک|دو|سه|چهار|چار|پنج|پنش|پن|yek|ye|do|se|chahar|char|panj|pan) ?"
    r"(?:شنبه|شمبه|shanbe|shambe)[^\W\d_]*"
)
_FREE = r"(?<!\d)(?<!\d[.,/٬،٫:-])"
#: What only looks like numbers: addresses, names, codes with Latin letters.
_OTHER = (
    r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)*|[@#]\w+"
    r"|(?<![^\W\d_])(?!az\d)(?=[a-z][a-z0-9/_-]*\d)[a-z][a-z0-9]*(?:[-_/][a-z0-9]+)*"
    r"|(?<!\d)\dk(?!\w)"
    rf"|\d+(?!{_GLUED_LATIN})[-_]?[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*|{_WEEKDAY}"
)
#: 2,500,000; but 1.250 million is not 1250 millions, and 85/100 a rating.
_GROUPED = (
    rf"{_FREE}(?!\d\d?/100(?!\d|/\d| ?{_MONEY_UNIT}))(?!\d{{1,3}}[.٫]\d{{3}} ?{_MILLION_WORD})[1-9]\d{{0,2}}"
    r"(?:(?P<mark>[.,/٬،٫'])\d{3}(?:(?P=mark)\d{3})*(?!\d|[.,/٬،٫:-]\d)"
    r"|(?<!\d \d)(?<!\d \d\d)(?<!\d \d\d\d)"
    rf"(?:(?: \d{{3}})+(?= ?{_MONEY_UNIT})|(?: \d{{3}}){{2,}}| 000)(?!\d|[ .,/٬،٫:-]\d))"
)
#: 2.5; 2,5 and 2/5 only before a unit; 4.5/5 is a rating of 4.5.
_DECIMAL = (
    rf"{_FREE}\d+(?:[.٫]\d+|[,،]\d{{1,2}}(?= ?{_SCALE_WORD})|/\d{{1,2}}(?= ?{_MEASURE}| از | az ))"
    r"(?!\d|[.,٬،٫:-]\d|/(?!(?:5|10|20|100)(?!\d))\d)"
)
_LEX = re.compile(
    rf"(?P<other>{_OTHER})|(?P<grouped>{_GROUPED})|(?P<decimal>{_DECIMAL})|(?P<digits>\d+)|(?P<word>[^\W\d_]+)"
)


def lex(folded: str) -> Iterator[Piece]:
    """Cuts folded text into words, figures and words of numbers.

    Args:
        folded: Folded text.

    Yields:
        The pieces in the order of the text; marks are left out.
    """
    previous, before, is_figure = "", 0, False
    for match in _LEX.finditer(folded):
        kind, start, end = match.lastgroup, match.start(), match.end()
        text = match.group()
        if kind == "word":
            if text == "k" and is_figure and end == before + 1:
                yield Piece("scale", 1_000, start, end)
            elif text == "دهم" and previous in {"می", "نمی"}:
                yield Piece("word", 0, start, end)
            else:
                for name, value, first, last in cut(text):
                    yield Piece(name, value, start + first, start + last)
        elif kind == "other":
            yield Piece("word", 0, start, end)
        else:
            yield Piece("digits", _figures(text, str(kind)), start, end)
        previous, before, is_figure = text, end, kind not in {"word", "other"}


@lru_cache(maxsize=4096)
def cut(word: str) -> tuple[Piece, ...]:
    """Cuts a folded word into the numbers that it is written together from.

    Args:
        word: Letters only.

    Returns:
        Its pieces; the word itself as the only one if it is no number.
    """
    for spelling in (word, word if word.isascii() else _DOUBLED.sub(r"\1", word)):
        kind = _kind(spelling)
        if kind is not None:
            return (Piece(*kind, 0, len(word)),)
    if _WHOLE.fullmatch(word):
        return (Piece("word", 0, 0, len(word)),)
    joined, pieces = _GRAMMARS[word.isascii()]
    match = joined.fullmatch(word)
    if match is None:
        return (Piece("word", 0, 0, len(word)),)
    name = next(name for name in "abcde" if match[name] is not None)
    end = match.end(name)
    found = [
        Piece(*(_kind(piece.group()) or ("word", 0)), piece.start(), piece.end())
        for piece in pieces.finditer(word, 0, end)
    ]
    if name == "a":
        found.append(Piece("word", 0, end, len(word)))
    elif match["and"]:
        found.append(Piece("and", 0, end, len(word)))
    else:
        found[-1] = found[-1]._replace(end=len(word))
    return tuple(found)


def _kind(word: str) -> tuple[Kind, int | Decimal] | None:
    if word in VALUES:
        return "value", VALUES[word]
    if word in SCALES:
        return "scale", SCALES[word]
    if word in ORDINALS:
        return "ordinal", ORDINALS[word]
    if word in _HALVES:
        return "half", Decimal("0.5")
    return ("and", 0) if word in AND_WORDS else None


def _figures(text: str, kind: str) -> int | Decimal:
    if kind == "decimal":
        return Decimal(re.sub(r"[^\d]", ".", text))
    return int(re.sub(r"[^\d]", "", text))
