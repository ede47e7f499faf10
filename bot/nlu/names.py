"""Names of people in a message: told by a title, by how people introduce themselves, and by frequent names.

Of any other word only the shape of a family name tells, and many words have it («قدیمی», «منشی»), so it
counts only where a name is announced. A name is kept as it was typed, without title and endings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot.nlu.persian import Word, words
from bot.nlu.values import Found
from crm_store.persian import fold, fold_with_offsets, source_span
from crm_store.persian.calendar_words import word_set

_LADIES_AND_GENTLEMEN = word_set(
    "آقای خانم خانوم خانومِ جناب سرکار aghaye khanom khanoom khanome khanoome mr mrs"
)
_TITLES = _LADIES_AND_GENTLEMEN | word_set("آقا حاج حاجی استاد مهندس دکتر agha mohandes doctor doktor dr")
#: What announces a name, alone or with the word after it.
_INTRODUCING = word_set(
    "اسمم نامم فامیلم فامیلیم اسممو معرفم گیرنده خریدار esmam esmamo famili familim famil namam"
)
_INTRODUCING_PAIRS = frozenset(
    (fold(first), fold(second))
    for first, seconds in {
        "اسم": "من بنده خودم معرف مشتری پدر :",
        "نام": "من بنده خانوادگی خانوادگیم معرف مشتری :",
        "به": "نام اسم",
        "مشتری": ":",
        "معرف": ":",
        "فرستنده": ":",
        "esme": "man",
        "be": "esme name",
        "esm": ":",
        "name": ":",
    }.items()
    for second in seconds.split()
)
#: «اینجانب غلامرضا تقوی»; but «اینجانب تقاضای رسیدگی دارم».
_FORMAL = word_set("بنده اینجانب")
#: Between an introduction and the name.
_FILLING = word_set(
    ": ، - = هم خودم من رو را بذارید بزارید بذارین بزنید بزنین هست است اینه همسرم پدرم مادرم خواهرم "
    "برادرم دخترم پسرم شوهرم خانمم مامانم بابام عوض شده شد میشه معرف خانوادگی خانوادگیم و نام اسم "
    "مشتری آقای خانم جناب خانوم دکتر مهندس man ro ham hast ine bezanin"
)
_MOST_FILLING = 7
_I_AM = word_set("هستم هستیم هستش hastam hastim")
_I = word_set("من بنده اینجانب منم man")
_NOT = word_set("نیست نیستم نبود nist nistam")
#: Staff name a customer or a colleague after these, or before «رو پیدا کن».
_RECORDS = word_set(
    "پرونده پرونده‌ی سابقه سابقه‌ی سوابق مشتری مشترک پروفایل کارتابل تاریخچه تاریخچه‌ی همکارم "
    "همکارمون parvande moshtari sabeghe"
)
_OBJECT = word_set("رو را ro")
_LOOKING_UP = word_set("پیدا پیداش بیار بیارید نشون نشونم نشان سرچ جستجو بگرد peyda biar")
_TO = word_set("به با از be ba az")
_HANDING_OVER = re.compile(
    r"بگ(?:و|ید|ین|ن)|بگویید|بد(?:ه|ید|ین)|بدهید|بسپار\w*|سپرد\w*|محول\w*|ارجاع\w*|وصل\w*"
    r"|واگذار\w*|منتقل|صحبت|تشکر|زنگ|تماس|bede|bedin|bego\w*|vasl|begi\w*"
)
#: «خیابان رضایی», «امام رضا»: the name of a place or of somebody else.
_NAMED_AFTER = word_set(
    "خیابان خیابون خ کوچه بلوار بولوار میدان میدون فلکه اتوبان بزرگراه شهید شهدای امام حضرت مسجد "
    "بیمارستان درمانگاه مدرسه دبیرستان هتل رستوران پل پارک ایستگاه مترو یا khiaban khiabane kooche "
    "meydan shahid emam"
)
_SURE_SHAPE = re.compile(
    r"(?!ن?می|ب).{3,}(?:نژاد|پور|زاده|منش|وند|نیا)|(?!ن?می).{4,}(?:یان|فر|لو)|پور.{3,}"
    r"|[a-z]{3,}(?:pour|zadeh?|nejad|nia|vand)"
)
#: «اینطوری», «سؤالاتی», «حرف‌هایی» have the shape and are never names.
_SHAPE = re.compile(r"(?!ن?می)(?!\w+(?:طوری|جوری|اتی|هایی|ترین?ی)$)\w{3,}ی|[a-z]{4,}i")
#: Second parts of family names: «محمدی نژاد».
_PARTS = word_set("پور زاده نژاد نیا فر اصل منش تبار دوست pour zadeh nejad nia")
_COPULAS = ("هستم", "هست", "ست", "ام", "یم", "ه", "م", "am", "e", "eh")
_FIRST_PERSON = frozenset({"ام", "م", "یم", "am"})
_UNSEEN = "\u200c\u200d\u00ac "


class _Name(NamedTuple):
    """Words that make a name.

    Attributes:
        first: Place of the first one.
        end: One past the place of the last one.
        letters: How many letters of the last one belong to the name.
        ending: What it ends with otherwise.
        given: How many of them are given names.
        family: How many are family names.
    """

    first: int
    end: int
    letters: int
    ending: str = ""
    given: int = 0
    family: int = 0


class NameFinder:
    """Finds the names of people."""

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        """Prepares the search.

        Args:
            lists: The contents of ``data/shared/given_names.yml``.
        """
        folded = {name: frozenset(map(fold, some)) for name, some in lists.items()}
        self._given = folded["women"] | folded["men"] | folded["latin"]
        self._compounds = folded["compounds"]
        self._doubtful, self._others = folded["also_words"], folded["no_names"]
        self._family, self._origins = folded["family"], folded["origins"]

    def find(self, text: str) -> list[Found]:
        """Finds the names in a text.

        Args:
            text: Any text.

        Returns:
            The names in the order of the text; the value is the name as it was typed.
        """
        known = words(text)
        found, place = [], 0
        while place < len(known):
            name = self._announced(known, place) or self._said(known, place)
            if name is None:
                place += 1
                continue
            start, end = known[name.first].start, _end(text, known[name.end - 1], name.letters)
            found.append(Found(start, end, "person_name", text[start:end]))
            place = name.end
        return found

    def _announced(self, known: list[Word], place: int) -> _Name | None:
        """The name that a title or an introduction announces, which begins with this word."""
        word = known[place].text
        if word in _TITLES:
            after = _skip(known, place, _TITLES, len(known))
            is_named = any(one.text in _LADIES_AND_GENTLEMEN for one in known[place:after])
            return self._name(known, after, by_shape=is_named)
        pair = (word, known[place + 1].text if place + 1 < len(known) else "")
        if word in _INTRODUCING or pair in _INTRODUCING_PAIRS:
            begin = place + (2 if pair in _INTRODUCING_PAIRS else 1)
            after = _skip(known, begin, _FILLING, begin + _MOST_FILLING)
            name = self._name(known, after, by_shape=True, with_ending=True)
            is_denied = name is not None and name.end < len(known) and known[name.end].text in _NOT
            return None if is_denied else name
        return self._name(known, place + 1) if word in _FORMAL else None

    def _said(self, known: list[Word], place: int) -> _Name | None:
        """The name that begins here and is told by itself or by what stands around it."""
        before = known[place - 1].text if place else ""
        name = None if before in _NAMED_AFTER else self._self_named(known, place) or self._name(known, place)
        if name is None:
            return None
        after = [word.text for word in known[name.end : name.end + 2]]
        is_doubtful = name.given > 0 and known[place].text in self._doubtful
        if name.given and name.family:
            return None if is_doubtful and name.ending else name
        is_origin = known[name.end - 1].text in self._origins
        if name.ending:
            is_i = name.ending in _FIRST_PERSON and before in _I
            return name if is_i and name.given and not is_doubtful else None
        if is_origin or _I_AM & set(after[:1]):
            return None if is_origin else name
        is_looked_up = bool(_OBJECT & set(after[:1])) and bool(_LOOKING_UP & set(after[1:]))
        is_told = before in _TO and any(_HANDING_OVER.fullmatch(word.text) for word in known)
        return name if not is_doubtful and (before in _RECORDS or is_looked_up or is_told) else None

    def _self_named(self, known: list[Word], place: int) -> _Name | None:
        """The name in «بهروز اسکویی هستم», whose family name need only have the shape of one."""
        if known[place].text in self._doubtful:
            return None
        name = self._name(known, place, by_shape=True)
        is_whole = name is not None and name.given and name.family and not name.ending
        if name is None or not is_whole or name.end == len(known):
            return None
        return name if known[name.end].text in _I_AM else None

    def _name(
        self, known: list[Word], place: int, *, by_shape: bool = False, with_ending: bool = False
    ) -> _Name | None:
        """The longest name that begins with a word.

        Args:
            known: The words of the message.
            place: The first word.
            by_shape: Whether a name is announced, so that any word in the shape of a family name is one.
            with_ending: Whether it may have an ending as well: «اسمم دلاوریه»; frequent names always may.
        """
        end, given, family = place, 0, 0
        while end < len(known) and self._is_given(known[end].text):
            end, given = end + 1, given + 1
        if end < len(known) and self._is_family(known[end].text, by_shape=by_shape, is_expected=given > 0):
            end, family = end + 1, 1
            while end < len(known) and known[end].text in _PARTS:
                end += 1
        if not family and end < len(known):
            name = self._ending_name(known, place, end, by_shape=by_shape and with_ending)
            if name is not None:
                return name
        return _Name(place, end, len(known[end - 1].text), "", given, family) if end > place else None

    def _ending_name(self, known: list[Word], place: int, last: int, *, by_shape: bool) -> _Name | None:
        """The name whose last word has an ending: «کاظمیه», «لیلاست», «رضام»."""
        word, given = known[last].text, last - place
        if word in self._others:
            return None
        for ending in _COPULAS:
            bare = word.removesuffix(ending)
            if bare == word:
                continue
            if self._is_given(bare):
                return _Name(place, last + 1, len(bare), ending, given + 1, 0)
            if self._is_family(bare, by_shape=by_shape, is_expected=given > 0):
                return _Name(place, last + 1, len(bare), ending, given, 1)
        return None

    def _is_given(self, word: str) -> bool:
        if word in self._others:
            return False
        if word in self._given:
            return True
        return any(
            word[:cut] in self._compounds and word[cut:] in self._given for cut in range(2, len(word) - 1)
        )

    def _is_family(self, word: str, *, by_shape: bool, is_expected: bool) -> bool:
        """Whether a word is a family name: a frequent one, or one by its shape where a name is expected."""
        if word in self._others or word in _TITLES:
            return False
        if word in self._family or word in self._origins:
            return True
        if not (by_shape or is_expected):
            return False
        is_derived = word.endswith("ی") and self._is_given(word[:-1])  # «مرادی»
        return is_derived or bool(_SURE_SHAPE.fullmatch(word)) or (by_shape and bool(_SHAPE.fullmatch(word)))


def _skip(known: list[Word], place: int, skipped: frozenset[str], limit: int) -> int:
    while place < min(len(known), limit) and known[place].text in skipped:
        place += 1
    return place


def _end(text: str, word: Word, letters: int) -> int:
    """Where so many letters of a word end in the text as it was typed."""
    typed = text[word.start : word.end]
    folded, offsets = fold_with_offsets(typed)
    last = source_span(offsets, 0, min(letters, len(folded)), len(typed))[1]
    return word.start + len(typed[:last].rstrip(_UNSEEN))
