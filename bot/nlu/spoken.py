"""Words as they are spoken and as they are written, and what both have in common: a stem.

«میخوام», «می‌خواهم» and «نمی‌خواست» share the stem of one verb, «گوشیم», «گوشیتون» and «گوشی‌ها» that of one
noun. hazm's own lemmatizer needs two seconds and a hundred megabytes for the half million forms that it
writes out; the verbs and spoken words that it ships are taken apart here instead. All words are folded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

from crm_store.persian import fold

#: Shortest rest of a word that an ending is taken off.
_SHORTEST_STEM = 3
#: Rarer words of hazm's corpus of newspapers are hardly ever written to a business.
_FREQUENT = 5000
_VERB_PREFIX = re.compile("نمی|می|ن|ب|بی|نی")
#: Before these a single letter may be a root: «می‌ره».
_PRESENT = ("می", "نمی")
_VERB_REST = re.compile(
    "(?P<ending>هام|های|هایم|هاید|هاند|ه|م|ی|د|یم|ید|ین|ند|ن)?(?:ش|شون|شان|مون|مان|تون|تان|م|ت|و)?"
)
# Endings of nouns from the outside in: «م», «مون», «ها», «تر» …, each with or without what stands behind it.
_ENDINGS = tuple(
    sorted(
        (
            *(
                "رو",
                "را",
                "و",
                "م",
                "ت",
                "ش",
                "مون",
                "تون",
                "شون",
                "مان",
                "تان",
                "شان",
                "مو",
                "تو",
                "شو",
                "مونو",
            ),
            *(
                "تونو",
                "شونو",
                "ی",
                "ه",
                "سته",
                "ستش",
                "ها",
                "های",
                "هایی",
                "هام",
                "هات",
                "هاش",
                "هامون",
                "هاتون",
            ),
            *(
                "هاشون",
                "هایم",
                "هایت",
                "هایش",
                "هایمان",
                "هایتان",
                "هایشان",
                "هامو",
                "هارو",
                "اشو",
                "ا",
                "ای",
            ),
            *("اش", "ام", "ات", "اشون", "اتون", "امون", "ایی", "تر", "ترین", "تری", "ست", "است", "هست", "هم"),
            *(
                "یم",
                "یت",
                "یش",
                "یمو",
                "یشو",
                "یتون",
                "یمون",
                "یشون",
                "مه",
                "مونه",
                "تونه",
                "شونه",
                "یه",
                "اید",
            ),
            *("اند", "ان"),
        ),
        key=len,
        reverse=True,
    )
)
# Spoken words that hazm's list lacks, and its frequent ones again where it writes them otherwise.
_MORE_SPOKEN = {
    "رو": "را",
    "واسه": "برای",
    "برا": "برای",
    "چجوری": "چگونه",
    "چجور": "چگونه",
    "چطوری": "چگونه",
    "چطور": "چگونه",
    "چه‌جوری": "چگونه",
    "چه‌طور": "چگونه",
    "اونا": "آنها",
    "اونها": "آنها",
    "اینا": "اینها",
    "چنتا": "چند",
    "چندتا": "چند",
    "چقد": "چقدر",
    "انقد": "اینقدر",
    "انقدر": "اینقدر",
    "الان": "اکنون",
    "الآن": "اکنون",
    "بگین": "بگویید",
    "بگید": "بگویید",
    "باس": "باید",
    "یکی": "یک",
    "یدونه": "یک",
    "دونه": "دانه",
    "تلفون": "تلفن",
    "نشونی": "نشانی",
    "دیگر": "دیگه",
    "دیگ": "دیگه",
    "دگه": "دیگه",
    "اگه": "اگر",
    "خونه": "خانه",
    "مشتریا": "مشتری",
    "نمیدونم": "نمی‌دانم",
    "لطفن": "لطفا",
    "خاهش": "خواهش",
    "خاهشا": "خواهشا",
    "ممنونم": "ممنون",
    "مرسی": "ممنون",
    "هس": "هست",
    "نیس": "نیست",
    "میشه": "می‌شود",
    "نمیشه": "نمی‌شود",
    "بشه": "بشود",
    "نشه": "نشود",
    "شه": "شود",
    "چیه": "چیست",
    "کیه": "کیست",
    "کجاس": "کجاست",
    "کجان": "کجا",
    "منو": "من",
    "اینو": "این",
    "اونو": "آن",
    "اون": "آن",
}


def written(word: str) -> str:
    """Gives the written form of a spoken word.

    Args:
        word: A folded word.

    Returns:
        The written form, folded; the word itself where none is known.
    """
    return _spoken().get(word, word)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Reduces a word to what its spoken, written and inflected forms have in common.

    Args:
        word: A folded word.

    Returns:
        The stem of a noun, or the past stem of a verb («خواست» for «نمیخوام»).
    """
    known = written(word)
    return _verb_of(known) or _noun_of(known)


@lru_cache(maxsize=1)
def corpus_frequencies() -> dict[str, int]:
    """Counts of frequent words in hazm's corpus, by folded word."""
    counts: dict[str, int] = {}
    for line in _lines("words.dat"):
        word, count, *_ = (*line.split("\t"), "0")
        if int(count) >= _FREQUENT:
            counts[fold(word)] = int(count)
    return counts


def _verb_of(word: str) -> str | None:
    verbs = _verbs()
    if word in verbs:
        return verbs[word]
    match = _VERB_PREFIX.match(word)
    prefix = match[0] if match and len(match[0]) < len(word) else ""
    for end in range(len(prefix) + 1, len(word) + 1):
        root, rest = word[len(prefix) : end], _VERB_REST.fullmatch(word, end)
        # Without prefix and ending a root is as often a noun («کار», «بار»).
        if rest and root in verbs and (prefix or rest["ending"]) and (len(root) > 1 or prefix in _PRESENT):
            return verbs[root]
    return None


def _noun_of(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return _noun_of(word[: -len(ending)])
    return word


@lru_cache(maxsize=1)
def _spoken() -> dict[str, str]:
    """Written forms by spoken ones: hazm's list and ours."""
    pairs = (line.split(" ", 1) for line in _lines("iwords.dat") if " " in line)
    return {fold(spoken): fold(proper) for spoken, proper in (*pairs, *_MORE_SPOKEN.items())}


@lru_cache(maxsize=1)
def _verbs() -> dict[str, str]:
    """The past stem of each verb by its past, present and spoken stems."""
    stems: dict[str, str] = {}
    for line in _lines("verbs.dat"):
        past, _, present = (fold(part) for part in line.partition("#"))
        for one in (past, present):
            if one:
                stems.setdefault(one, past or present)
    for line in _lines("iverbs.dat"):
        verb, spoken, *_ = line.split()
        stems[fold(spoken)] = fold(verb.partition("#")[0])
    return stems


def _lines(name: str) -> list[str]:
    # The files of hazm, without importing it.
    text = files("hazm").joinpath("data").joinpath(name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]
