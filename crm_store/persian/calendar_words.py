"""Words of the calendar and the clock, as people write them in Persian and in Latin letters.

Each word has a kind, one letter, so that the kinds of a message make up a string in which regular expressions
find what belongs together (`crm_store.persian.calendar_tokens` lists them all):

    D day word    K day word with a part of the day    W weekday    w weekdays in general
    M Jalali month    G Gregorian month    Y year word    S season    Q stretch of months
    P part of the day    d day    k week    l month    s season's word    y year
    h hour    m minute    z half    q quarter
    n next    p before this    r recent    t this    A first    Z last    R the last    V middle
    U beginnings, middles, ends    a from    b between    e until    B after    < before    v and later
    i to    & and    / or    x about    ! left    u now    X at the same time    E every    j several
    g name of a calendar    + day and part of it written together
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from crm_store.persian.folding import fold

#: Part of the day: from and to, ``HH:MM``; a day ends at ``24:00``.
DayParts = Mapping[str, tuple[str, str]]

#: What is meant where the owner says nothing else.
DEFAULT_DAY_PARTS: DayParts = {
    "early_morning": ("06:00", "08:00"),
    "first_thing": ("08:00", "10:00"),
    "morning": ("08:00", "12:00"),
    "forenoon": ("08:00", "12:00"),
    "noon": ("12:00", "14:00"),
    "afternoon": ("14:00", "17:00"),
    "late": ("15:00", "17:00"),
    "evening": ("16:00", "20:00"),
    "dusk": ("17:00", "20:00"),
    "night": ("20:00", "24:00"),
}

JALALI_MONTHS = (
    ("فروردین", "فرودین", "farvardin", "farvardine"),
    ("اردیبهشت", "اردی بهشت", "ordibehesht", "ordibeheshte", "ordibehest"),
    ("خرداد", "khordad", "khordade", "xordad"),
    ("تیر", "tir", "tire"),
    ("مرداد", "امرداد", "mordad", "mordade", "amordad"),
    ("شهریور", "shahrivar", "shahrivare", "shahrivr"),
    ("مهر", "mehr", "mehre"),
    ("آبان", "aban", "abane", "aaban"),
    ("آذر", "ازر", "azar", "azare", "aazar"),
    ("دی", "dey", "deye", "dei"),
    ("بهمن", "bahman", "bahmane"),
    ("اسفند", "اسپند", "esfand", "esfande"),
)
GREGORIAN_MONTHS = (
    ("ژانویه", "january", "jan", "janvieh", "zhanvieh"),
    ("فوریه", "february", "feb"),
    ("مارس", "march", "mar"),
    ("آوریل", "آپریل", "april", "apr"),
    ("مه", "می", "may"),
    ("ژوئن", "جون", "june", "jun"),
    ("ژوئیه", "جولای", "ژولای", "july", "jul"),
    ("اوت", "آگوست", "آگست", "august", "aug"),
    ("سپتامبر", "september", "sept", "sep"),
    ("اکتبر", "october", "oct"),
    ("نوامبر", "november", "nov"),
    ("دسامبر", "december", "dec"),
)
#: Shortest name of a month in which a slip of the finger is looked through.
LONG_NAME = 5

#: From Saturday.
_WEEKDAYS = (
    "شنبه|shanbe|shambe|shanbeh|shanbeye|saturday",
    "yekshanbe|yeshanbe|yekshanbeh|yek shanbe|ye shanbe|sunday",
    "doshanbe|doshanbeh|dooshanbe|dushanbe|do shanbe|monday",
    "seshanbe|seshanbeh|se shanbe|seshanbeye|tuesday",
    "chaharshanbe|charshanbe|chaharshanbeh|chahar shanbe|char shanbe|wednesday",
    "panjshanbe|panshanbe|panjshanbeh|panj shanbe|panjshanbeye|thursday",
    "جمعه|جمه|آدینه|jome|jomeh|jomee|jom'e|jomeye|friday",
)
_NUMBERED_WEEKDAYS = ("", "یک|ی|یه|1", "دو|2", "سه|س|3", "چهار|چار|چها|4", "پنج|پن|پنچ|پنش|5", "")
_DAYS: dict[int, str] = {
    0: "امروز|امروزی|امروزم|emruz|emrooz|emroz|emruze|today",
    1: "فردا|فردایی|farda|tomorrow",
    2: "پسفردا|پس فردا|پسفردایی|pasfarda|pas farda",
    3: (
        "پسونفردا|پسون فردا|پس اون فردا|پساونفردا|پسان فردا|پسانفردا|پس آن فردا|پسین فردا|"
        "پسینفردا|pasunfarda|pasun farda|pasoonfarda|pasoon farda"
    ),
    -1: "دیروز|دیروزی|diruz|dirooz|diroz|diruze|yesterday",
    -2: "پریروز|پریروزی|پریرو|pariruz|parirooz|pariroz",
    -3: "پسپریروز|پس پریروز|پیش پریروز|pas pariruz|pasparirooz",
}
_DAYS_WITH_PART: dict[tuple[int, str], str] = {
    (0, "night"): "امشب|امشبی|emshab",
    (-1, "night"): "دیشب|دیشبی|شب گذشته|dishab|deshab",
    (-2, "night"): "پریشب|parishab",
    (-3, "night"): "پسپریشب|پس پریشب",
    (0, "morning"): "امصبح|emsobh",
}
#: Parts of the day; those without an hour of their own in `DEFAULT_DAY_PARTS` only tell which hour is meant.
_PARTS: dict[str, str] = {
    "morning": "صبح|صبحی|صبحه|صبحست|صبحها|صبحا|sobh|sobhe|sob|sobha|morning",
    "early_morning": (
        "صبح زود|صبح خیلی زود|زود صبح|کله سحر|کله صبح|دم صبح|سپیده دم|خروس خون|sobh zud|"
        "sobhe zud|sobh zood|sobhe zood|kale sahar|early morning"
    ),
    "first_thing": (
        "اول وقت|اول وقت اداری|اول صبح|سر صبح|صبح اول وقت|اول وقت صبح|avale vaght|aval vaght|"
        "avval vaght|avvale vaght|avale sobh|sobh avale vaght"
    ),
    "late": "آخر وقت|آخر وقت اداری|akhare vaght|akhar vaght",
    "forenoon": (
        "قبل از ظهر|قبل ظهر|پیش از ظهر|قبلازظهر|قبلظهر|صبح قبل از ظهر|ghabl az zohr|ghabl zohr|"
        "ghable zohr|qabl az zohr"
    ),
    "noon": "ظهر|ظهری|ظهره|ظهرها|ظهرا|لنگ ظهر|صلات ظهر|صلاه ظهر|سرظهر|وسط ظهر|zohr|zohre|zohri|noon",
    "afternoon": (
        "بعدازظهر|بعداز ظهر|بعد ازظهر|بعد از ظهر|بعدظهر|بعد ظهر|بعدازظهری|بعدازظهره|بعد از ظهره|بعد از ظهری|"
        "بعد از ظهرها|بعدازظهرها|بعدازظهرا|بعد از ظهرا|bad az zohr|badazzohr|badazohr|bad azohr|"
        "bade zohr|badezohr|bad zohr|afternoon|bad azzohr"
    ),
    "evening": "عصر|عصری|عصره|عصرها|عصرا|asr|asre|asri|evening",
    "dusk": "غروب|غروبی|غروبا|تنگ غروب|ghorub|ghoroob|ghorob|qorub|qoroob|ghoroube",
    "night": (
        "شب|شبی|شبه|شبست|شبها|شبا|آخر شب|اول شب|آخرشب|سر شب|shab|shabe|shaba|night|akhare shab|akhar shab"
    ),
    "midnight": (
        "نصف شب|نصفه شب|نیمه شب|نصفشب|نصفهشب|نیمهشب|نصف شبی|نصفه شبی|نصفهشبی|nesf shab|"
        "nesfe shab|nesfeshab|nime shab|nimeshab|midnight"
    ),
    "small_hours": "بامداد|bamdad",
    "am": "am|a.m",
    "pm": "pm|p.m",
}
_SEASONS = (
    "بهار|bahar|bahare",
    "تابستان|تابستون|tabestan|tabestoon|tabestun|tabestane",
    "پاییز|پائیز|paeez|paiiz|payiz|paiz",
    "زمستان|زمستون|zemestan|zemestoon|zemestun|zemestane",
)
_STRETCHES: dict[int, str] = {
    2: "دو ماهه|2 ماهه",
    3: "سه ماهه|سهماهه|3 ماهه|3ماهه|سه ماههی|سهماههی|3 ماههی|se mahe|semahe|3 mahe",
    4: "چهار ماهه|4 ماهه|چهارماهه",
    6: "شش ماهه|ششماهه|شش ماههی|ششماههی|شیش ماهه|6 ماهه|6ماهه|نیم سال|نیمسال|shish mahe|6 mahe",
    9: "نه ماهه|نهماهه|9 ماهه|9ماهه",
}
_UNITS: dict[str, str] = {
    "d": "روز|روزه|rooz|ruz|roz|rooze|ruze|day|days",
    "k": "هفته|هفتهی|هفتهیی|هفنه|hafte|hafteh|hafteye|haftey|week|weeks",
    "l": "ماه|ماهه|برج|mah|mahe|maah|borj|borje|month|months",
    "s": "فصل|fasl|fasle",
    "y": "سال|ساله|sal|sale|saal|saale|year",
    "h": "ساعت|ساعته|ساعتی|ساعتای|ساعتهای|ساعات|سعت|saat|saate|sate|sat|hour|hours",
    "m": "دقیقه|دقیقهی|دقه|دیقه|دقیقس|daghighe|daghigheh|daqiqe|deyghe|daghe|daqighe|min|minutes",
}
#: What may go with a whole stretch («هفت روز گذشته») stands last.
_RELATIONS = {
    ("n", False): "بعد|بعدی|دیگه|دیگر|دگه|دیگ|bad|badi|dige|digeh|dg|digar|next",
    ("n", True): "آینده|آتی|پیشرو|ayande|ayandeh|aiande",
    ("p", False): "پیش|قبل|قبلی|پیشی|پیشین|pish|pishe|ghabl|qabl|gabl|ghabli|qabli|ghable|ago|last",
    ("p", True): "گذشته|سپری شده|gozashte|gozashteh",
}
_KINDS: dict[str, str] = {
    "R": "آخرین|akharin",
    "r": "اخیر|اخیرا|akhir",
    "t": "این|همین|جاری|حاضر|فعلی|in|hamin",
    "A": "اول|اولین روز|ابتدای|ابتدا|آغاز|شروع|نخست|اولای|aval|avval|avale|avvale|ebteda|ebtedaye",
    "Z": "آخر|پایان|انتهای|انتها|آخرین روز|ته|akhar|akhare|payan|payane",
    "V": "وسط|نیمه|وسطای|وسطهای|vasat|vasate|vasataye|nime|nimeye",
    "a": "از|az",
    "b": "بین|مابین|beyn|beyne|bein|beine",
    "e": "تا|الی|لغایت|ta|elaa|until|til",
    "B": "بعد از|بعداز|پس از|bad az|badaz|after",
    "<": "قبل از|قبلاز|پیش از|ghabl az|qabl az|ghablaz|before",
    "v": "به بعد|ببعد|به اونور|به اون ور|be bad",
    "i": "به|be",
    "&": "و|o|va|and",
    "/": "یا|ya|or",
    "z": "نیم|نصفی|nim",
    "q": "ربع|rob|robe",
    "!": "مونده|مانده|مونده بود|munde|moonde|mande|monde",
    "x": (
        "حدود|حدودا|حدودای|حدودهای|حوالی|حول و حوش|طرف|طرفای|طرفهای|نزدیک|نزدیکای|نزدیکهای|"
        "تقریبا|راس|سر|دوروبر|دور و بر|اطراف|دم|دمای|دقیقا|حداکثر|حداقل|hodud|hodude|hodoud|"
        "hodoode|hodudan|hodudaye|taghriban|tarafaye|tarafe|ras|rase|sar|sare|dame|nazdik|nazdike"
    ),
    "u": "حالا|الان|کنون|اکنون|alan|hala|konun|همین الان|همین حالا|این لحظه|now",
    "X": (
        "همین موقع|همین وقت|همین ساعت|همین روز|همین موقعها|این موقع|همین حوالی|hamin moghe|"
        "hamin mogheh|hamin vaght|hamin saat|hamin ruz|hamin rooz"
    ),
    "E": "هر|har|every",
    "j": "چند|چندین|چن|chand",
    "g": "میلادی|شمسی|خورشیدی|هجری|هجری شمسی|miladi|shamsi",
}
_YEARS: dict[int, str] = {
    0: "امسال|امسالی|emsal|emsaal",
    -1: "پارسال|پارسالی|parsal|parsaal",
    -2: "پیرارسال|پیارسال|pirarsal",
}
_ROUGH: dict[int, str] = {
    0: "اوایل|اوائل|اوایله|avayel|avayele",
    1: "اواسط|avaset|avasete",
    2: "اواخر|آخرای|آخرهای|avakher|avakhere",
}
#: «امروزصبح», «فرداشب»: days and parts of them that are written without a space.
_GLUED_PARTS = {
    "صبح": "morning",
    "ظهر": "noon",
    "عصر": "evening",
    "شب": "night",
    "غروب": "dusk",
    "بعدازظهر": "afternoon",
}
_GLUED_DAYS = {"امروز": 0, "فردا": 1, "پسفردا": 2, "دیروز": -1, "پریروز": -2, "farda": 1}
_GLUED_LATIN = {"shab": "night", "sobh": "morning", "asr": "evening", "zohr": "noon"}
#: With the ending of «مهره» it would be a village.
_TOO_SHORT = "دی"
#: «فرداست», «امروزو»; with these «امروز» is no adjective yet.
_PLAIN_DAYS, _ENDINGS_OF_DAYS = (0, 1, 2, -1, -2), ("ست", "س", "م", "و", "رو", "یه")
_ENDINGS_OF_WEEKDAYS = ("", "ی", "ای", "یی", "ه", "ست", "س", "م")
_PLURALS_OF_WEEKDAYS = ("ها", "ا", "هام", "هاش", "های", "هایی", "هاست")

Entry = tuple[str, Any]


class Glued(NamedTuple):
    """A day and a part of it in one word.

    Attributes:
        kind: Kind of the day.
        value: Value of the day.
        part: The part of the day.
        length: Of the part, in characters.
    """

    kind: str
    value: int
    part: str
    length: int


def word_set(words: str) -> frozenset[str]:
    """Words with spaces between them, folded."""
    return frozenset(fold(words).split())


def _entries() -> Iterator[tuple[str, str, Any]]:
    """Every word with its kind and value, not folded yet."""
    for kind, written in (*_KINDS.items(), *_UNITS.items()):
        yield from ((word, kind, None) for word in written.split("|"))
    tables: tuple[tuple[str, Mapping[Any, str]], ...] = (
        *(
            ("D", _DAYS),
            ("K", _DAYS_WITH_PART),
            ("P", _PARTS),
            ("Q", _STRETCHES),
            ("Y", _YEARS),
            ("U", _ROUGH),
        ),
        ("S", dict(enumerate(_SEASONS, start=1))),
    )
    for kind, table in tables:
        yield from ((word, kind, value) for value, written in table.items() for word in written.split("|"))
    for (kind, is_whole), written in _RELATIONS.items():
        yield from ((word, kind, is_whole) for word in written.split("|"))
    for kind, rows in (("M", JALALI_MONTHS), ("G", GREGORIAN_MONTHS)):
        yield from ((word, kind, place) for place, names in enumerate(rows, start=1) for word in names)
    for place, names in enumerate(JALALI_MONTHS, start=1):
        yield from ((name + ending, "M", place) for name in names for ending in ("ماه", "mah"))
        if names[0] != _TOO_SHORT:
            yield f"{names[0]}ه", "M", place
    for offset in _PLAIN_DAYS:
        day = _DAYS[offset].split("|", 1)[0]
        yield from ((day + ending, "D", offset) for ending in _ENDINGS_OF_DAYS)
    for part, name in (*_GLUED_PARTS.items(), *_GLUED_LATIN.items()):
        yield from (
            (day + part, "+", Glued("D", offset, name, len(part))) for day, offset in _GLUED_DAYS.items()
        )
    yield from _weekdays()


def _weekdays() -> Iterator[tuple[str, str, Any]]:
    for place, written in enumerate(_WEEKDAYS):
        names = set(written.split("|"))
        names |= {
            f"{number}{space}شنبه" for number in _NUMBERED_WEEKDAYS[place].split("|") for space in ("", " ")
        }
        names |= {name.replace("شنبه", "شمبه") for name in names}
        for name in names:
            yield from ((name + ending, "W", place) for ending in _ENDINGS_OF_WEEKDAYS)
            yield from ((name + plural, "w", place) for plural in _PLURALS_OF_WEEKDAYS)
            for part, part_name in _GLUED_PARTS.items():
                yield name + part, "+", Glued("W", place, part_name, len(part))


def _lexicon() -> dict[str, Entry]:
    words: dict[str, Entry] = {}
    for word, kind, value in _entries():
        words.setdefault(fold(word), (kind, value))
    return words


#: Folded word or words with single spaces between them: kind and value.
LEXICON: dict[str, Entry] = _lexicon()
#: First words of those entries that have several, and how many words the longest has.
FIRST_WORDS = frozenset(entry.split(" ", 1)[0] for entry in LEXICON if " " in entry)
MOST_WORDS = max(entry.count(" ") + 1 for entry in LEXICON)
