"""Whether a piece of text asks for something by its form: a question, a command or a wish.

Of «نوبتم رو بندازید شنبه، هزینه‌ش چنده» and «نوبتم رو بندازید شنبه، جمعه نیستم» only the first asks twice;
the other one ends with a reason. Persian shows that in few words and endings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from crm_store.persian import fold

_QUESTION_MARKS = frozenset("؟?")


def _any_of(*words: str, ending: str = "") -> str:
    return f"(?:{'|'.join(fold(word) for word in words)}){ending}"


#: Question words, also with a verb or an ending («چنده», «کجاست»).
_QUESTION = (
    _any_of("چند", "چقدر", "چطور", "چجور", "چگونه", "کجا", "کدوم", "کدام", ending=r"\w*"),
    _any_of("چی", "چیه", "چیست", "چیا", "چیو", "چه", "چرا", "کی", "کیه", "کیا", "کیست", "آیا"),
    _any_of("میتون", "میتوان", ending=r"\w+"),
    _any_of("میشه", "میشود"),
)
#: Verbs as a command or as what shall be: «بفرستید», «نزنید», «بیاد». Most of them show it by their prefix
#: alone («بین» is "between"); some stand without one behind a noun («ثبت کنید»).
_COMMAND = (
    _any_of("ب", "ن")
    + _any_of(
        *("ده", "د", "گو", "گ", "فرست", "زن", "بند", "ذار", "گذار", "نداز", "انداز", "یار", "آور", "بر"),
        *("سپار", "سپر", "نویس", "رسون", "رسان", "گیر", "خون", "خوان", "یا", "بین", "پرس", "چین", "کش"),
        *("گرد", "رگرد", "رگردون", "رگردان", "پذیر", "شمر"),
    )
    + _any_of("ید", "ین", "ن", "د", "ه", "", ending=""),
    _any_of("ب", "ن", "") + _any_of("کن", "فرما", "نما") + _any_of("یید", "ید", "ین", "ن", "ند", "ه", ""),
    _any_of("دهید", "بشه", "نشه", "بشم", "شه", "بشود", "شود", "گردد", "باشید"),
)
_WISH = (
    _any_of("می", "نمی") + _any_of("خوا", "خا") + _any_of("م", "هم", "ستم", "یم", "هیم", "ستیم"),
    _any_of("لطفا", "خواهشا", "خواهشمند", "خواهشمندم", "خواهشمندیم", "مایلم", "تقاضا"),
)
#: The commonest of them as typed in Latin letters.
_LATIN = (
    r"ch(?:and|eghad|e?qad|etor|ejoor|etori)\w*|ch[ei]|chie|chiye|chist|chera|koja\w*|kei|key|kodo+m",
    r"mish[eh]|mitoon\w*|mitun\w*|mikh?a\w+|lotfan|befrest\w*|benevis\w*|bed[eiy]\w*|beg[ueio]\w*|bezan\w*",
    r"bandaz\w*|bendaz\w*|kon|koni[dn]|bia[dyi]\w*|biar\w*",
)
_ASKING = re.compile(f"(?:{'|'.join((*_QUESTION, *_COMMAND, *_WISH, *_LATIN))})\\Z")
_ONLY_A_QUESTION = re.compile(f"(?:{'|'.join((*_QUESTION, _LATIN[0]))})\\Z")
_ENDING = re.compile(
    f"(?:{'|'.join(_COMMAND)}|"
    + _any_of("هست", "است", "شد", "شده", "چنده", "چیه", "چیست", "کجاست", "کیه", "چقدره", "چقدر")
    + ")\\Z"
)
#: "Bad" has the form of a command, "the body" too.
_NOT_ASKING = frozenset({"بد", "بدن"})
#: «شکایت دارم», «پس می‌گیرم»: to say it is to do it.
_DONE_BY_SAYING = frozenset({"شکایت", "اعتراض", "درخواست", "پیشنهاد", "انتقاد"})
_TAKING_BACK = re.compile(r"\bپس میگیر")


def asks(words: Iterable[str]) -> bool:
    """Whether words ask for something.

    Args:
        words: Folded words of one piece of text in their order, its punctuation marks among them.
    """
    found = list(words)
    if any(not _QUESTION_MARKS.isdisjoint(word) or _is_asking(word) for word in found):
        return True
    is_done = "دارم" in found and not _DONE_BY_SAYING.isdisjoint(found)
    return is_done or _TAKING_BACK.search(" ".join(found)) is not None


def is_question(words: Iterable[str]) -> bool:
    """Whether words ask a question rather than for something to be done.

    Args:
        words: Folded words of a text, its punctuation marks among them or at their ends.
    """
    return any(not _QUESTION_MARKS.isdisjoint(word) or _ONLY_A_QUESTION.match(word) for word in words)


def may_end_a_clause(word: str) -> bool:
    """Whether clauses end with a folded word: with a command, or with what a question closes with."""
    return word not in _NOT_ASKING and _ENDING.match(word) is not None


def _is_asking(word: str) -> bool:
    return word not in _NOT_ASKING and _ASKING.match(word) is not None
