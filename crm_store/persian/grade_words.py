"""What words say of how content somebody is: «عالی بود», «بدک نبود», «اصلاً راضی نیستم», «خیلی راحت».

A word of praise or blame is looked at with what makes it stronger before it and what denies it behind it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crm_store.persian.folding import fold

#: How content somebody is. FAIR is what denies something bad: «بد نبود».
WORST, BAD, MIDDLING, FAIR, GOOD, BEST = 10, 20, 30, 35, 40, 50


class Level(NamedTuple):
    """How content somebody is, by some words.

    Attributes:
        level: WORST … BEST.
        start: the first folded character of these words.
        end: one past the last one.
    """

    level: int
    start: int
    end: int


def _phrases(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


def _any_of(*phrases: str) -> str:
    folded = sorted((fold(phrase) for phrase in phrases), key=len, reverse=True)
    return "|".join(re.escape(phrase).replace(r"\ ", " ?") for phrase in folded)


#: Ends of an adjective in speech: «عالیه», «خوبن», «راضیم», «آسونه».
_ENDING = r"(?:ه|ست|ن|ند|م|ام|یم|ایم|ید|ی|س|اند)?"
_WORDS = {
    BEST: _phrases(
        "عالی, محشر, فوق‌العاده, فوقالعاده, بی‌نظیر, بینظیر, معرکه, خفن, حرف نداشت, "
        "شاهکار, حرف نداره, حرف ندارید, حرف ندارین, درجه یک, پرفکت, ترکوندید, ترکوندین, "
        "گل کاشتید, گل کاشتین, سنگ تموم گذاشتید, سنگ تموم گذاشتن, بهترین, ایده‌آل, بی‌نقص, "
        "کارتون درسته, عالیی, ماه بود, ماه بودن, کیف کردم, حال کردم, امتیاز کامل, "
        "نمره کامل, رضایت کامل, بالاترین نمره, بالاترین امتیاز, همه چی تموم, ali, aali, "
        "awli, mahshar, perfect, excellent, great, harf nadasht, harf nadare, بی عیب, تاپ, "
        "فول ستاره, فوقولاده"
    ),
    GOOD: _phrases(
        "خوب, راضی, رضایت داشتم, رضایت دارم, رضایت داریم, رضایت‌بخش, خوشم اومد, خوشم آمد, "
        "پسندیدم, مناسب, اوکی, اکی, باحال, مرتب, khoob, khub, khob, razi, raziam, good, "
        "ok, okay, دلچسب, بالاتر از متوسط, متوسط رو به بالا, مثبت, خشنود"
    ),
    MIDDLING: _phrases(
        "متوسط, معمولی, نه خوب نه بد, نه خوب بود نه بد, نه راضی نه ناراضی, نه بد نه خوب, "
        "قابل قبول, نه عالی نه بد, قابل تحمل, بینابین, ممتنع, بستگی داره, motavaset, "
        "mamooli, mamuli, so so, نه راضیم نه ناراضی, نه راضی‌ام نه ناراضی, "
        "na khoob na bad"
    ),
    BAD: _phrases(
        "بد, بدک, ضعیف, ناراضی, ناراضیم, نارضایتی, چنگی به دل نمی‌زد, چنگی به دل نزد, "
        "تعریفی نداشت, خوشم نیومد, خوشم نیامد, نپسندیدم, رضایت ندارم, رضایت نداشتم, "
        "پایین‌تر از متوسط, متوسط رو به پایین, منفی, bad bood, bad bud, zaeef, zaif, "
        "narazi, naraziam"
    ),
    WORST: _phrases(
        "افتضاح, داغون, مزخرف, فاجعه, چرت, آشغال, گند, بدترین, وحشتناک, اسفناک, اسفبار, "
        "بیخود, بی‌خود, به درد نخور, کمترین نمره, پایین‌ترین نمره, کمترین ستاره, "
        "پایین‌ترین امتیاز, شرم‌آور, غیرقابل قبول, eftezah, eftezaah, daghoon, "
        "mozakhraf, terrible, awful, صفر مطلق, گندتون بزنن, حالم بهم خورد, پشیمونم, "
        "پشیمون شدم"
    ),
}
#: Likewise where it is asked how easy something was.
_EASE = {
    BEST: _phrases("مثل آب خوردن, آب خوردن, بی‌دردسر, بدون دردسر, در سه سوت"),
    GOOD: _phrases("آسون, آسان, راحت, ساده, سریع, روان, روون, سرراست, سهل, asoon, asun, rahat, sade, easy"),
    MIDDLING: _phrases("نه آسون نه سخت, نه سخت نه آسون, نه آسان نه سخت, نه راحت نه سخت, نه سخت نه راحت"),
    BAD: _phrases("سخت, دشوار, پیچیده, مشکل, طولانی, وقت‌گیر, اذیت شدم, پردردسر, sakht, hard"),
    WORST: _phrases("پدرم دراومد, پدرم درومد, مکافات, عذاب, پوستم کنده شد, جونم دراومد, هفت‌خان"),
}
#: Likewise where it is asked whether one would recommend something.
_SURENESS = {
    BEST: _phrases(
        "حتما, قطعا, صد در صد, صددرصد, بی‌شک, بدون شک, یقینا, با کمال میل, صد البته, hatman, ghatan, 100%"
    ),
    WORST: _phrases("هرگز, عمرا, به هیچ وجه, بهیچوجه, هیچ‌وقت, ابدا, اصلا, محاله, امکان نداره, hargez, aslan"),
}
#: Answers to "how much" that are nothing else.
_AMOUNTS = {
    BEST: _phrases(
        "خیلی زیاد, خیلی خیلی, بسیار زیاد, خیلی, بسیار, کاملا, حسابی, kheili, kheyli ziad, صد در صد, صددرصد"
    ),
    GOOD: _phrases("زیاد, تا حد زیادی, ziad"),
    BAD: _phrases("کم, یه کم, یکم, نه زیاد, نه خیلی, نه چندان, نه زیاد خوب, kam"),
    WORST: _phrases("خیلی کم, بسیار کم, اصلا, اصلا و ابدا, ابدا, به هیچ وجه, kheili kam, aslan"),
    MIDDLING: _phrases("تا حدی, تا حدودی, کم و بیش, ای, ای همچین, همچین, نصف نصف, پنجاه پنجاه, fifty fifty"),
}
_STRONGER = _any_of(
    *_phrases(
        "خیلی, بسیار, واقعا, کاملا, کامل, حسابی, فوق العاده, صد در صد, بشدت, "
        "به شدت, بی‌نهایت, شدیدا, زیادی, kheili, kheyli, kamelan, vaghean, besyar"
    )
)
_WEAKER = _any_of(*_phrases("نسبتا, تقریبا, تا حدی, تا حدودی, کم و بیش, یکم, یه کم, کمی, یه مقدار, nesbatan"))
#: «زیاد راضی نبودم», «اون‌قدرها خوب نبود»: not very.
_NOT_VERY = _any_of(
    *_phrases("زیاد, چندان, خیلی, اونقدر, آنقدر, اونقدرها, خیلی هم, زیاد هم, همچین, ziad, kheili")
)
_AT_ALL = _any_of(*_phrases("اصلا, ابدا, به هیچ وجه, بهیچوجه, هیچ, هیچم, اصن, aslan"))
_NEGATION = (
    r"(?:نبود\w{0,3}|نیست\w{0,3}|نیس|نداشت\w{0,2}|ندار\w{1,2}|نشد\w{0,2}|نمی ?(?:باش|شه|شود|ش)\w*"
    r"|nabood\w{0,2}|nabud\w{0,2}|nist\w{0,2}|nadashtam)"
)
#: What is wished for is not what was: «خوب میشه اگه», «راضی باشید».
_WISHED = re.compile(
    r" ?(?:می ?شه|می ?شد|میشود|باشید|باشین|باشه|باشد|باشی|بشه|بشید|شدن|کنید|کنین|کننده)(?!\w)"
)
_BEFORE = (
    rf"(?:(?P<at_all>{_AT_ALL}) |(?P<weaker>{_WEAKER}) |(?P<not_very>{_NOT_VERY}) "
    rf"|(?P<stronger>{_STRONGER}) )?"
)
_SMILEYS = {
    BEST: "😍🤩❤👌🔥💯🥰😘💖🏆👏🙌",
    GOOD: "👍🙂😊😀😃😄😁☺🌹💐",
    MIDDLING: "😐😑🤷",
    BAD: "👎🙁☹😕😞😒😔",
    WORST: "😡🤬💩😤😠🤮",
}


def levels_in(folded: str, *, kind: str) -> list[Level]:
    """What the words of a text say of how content somebody is, in their order.

    Args:
        folded: the folded text.
        kind: of the question that they answer; ``ces`` and ``nps`` have words of their own.
    """
    whole = re.sub(r"[^\w ]+", " ", folded).strip()
    whole = re.sub(r" +", " ", whole)
    for level, amounts in _folded_amounts().items():
        if whole in amounts:
            return [Level(level, 0, len(folded))]
    found: list[Level] = []
    taken = 0
    for match in _pattern(kind).finditer(folded):
        said = _level_of(match)
        if match.start() < taken or said is None:
            continue
        found.append(Level(said, match.start(), match.end()))
        taken = match.end()
    return found or list(_smileys_in(folded))


def _level_of(match: re.Match[str]) -> int | None:
    """A word of praise or blame with what stands about it; None where it says nothing certain."""
    level = next(level for level in _WORDS if match[f"w{level}"])
    if match["negation"]:
        return _denied(level, match)
    if _WISHED.match(match.string, match.end()):
        return None
    if match["weaker"]:
        return {BEST: GOOD, WORST: BAD}.get(level, level)
    if match["stronger"] or match["not_very"]:
        return {GOOD: BEST, BAD: WORST}.get(level, level)
    # «اصلاً بد» is no Persian for "not bad at all"; «اصلا افتضاح» is what it says.
    return level if not match["at_all"] or level <= BAD else None


def _denied(level: int, match: re.Match[str]) -> int | None:
    if level == GOOD:
        if match["at_all"]:
            return WORST
        return None if match["stronger"] and not match["not_very"] else BAD
    if level == BAD:
        return FAIR
    return None


@lru_cache
def _pattern(kind: str) -> re.Pattern[str]:
    """Words of praise and blame, the longest first, each with what stands about it."""
    words = {level: list(phrases) for level, phrases in _WORDS.items()}
    for level, phrases in ({"ces": _EASE, "nps": _SURENESS}.get(kind) or {}).items():
        words[level] += phrases
    # What denies itself is looked for before what it holds: «ناراضی», «نه خوب نه بد».
    alternatives = [f"(?P<w{level}>(?:{_any_of(*phrases)}){_ENDING})" for level, phrases in words.items()]
    order = sorted(alternatives, key=lambda one: not one.startswith((f"(?P<w{MIDDLING}>", f"(?P<w{BAD}>")))
    behind = r"(?: (?:هم|بود|که))?"
    return re.compile(
        rf"(?<!\w){_BEFORE}(?:{'|'.join(order)})(?!\w)(?:{behind} ?(?P<negation>{_NEGATION})(?!\w))?"
    )


@lru_cache(maxsize=1)
def _folded_amounts() -> dict[int, frozenset[str]]:
    return {level: frozenset(fold(amount) for amount in amounts) for level, amounts in _AMOUNTS.items()}


def _smileys_in(folded: str) -> list[Level]:
    """The level of a text that has hardly a word beside its smileys."""
    return [
        Level(level, place, place + 1)
        for place, character in enumerate(folded)
        for level, smileys in _SMILEYS.items()
        if character in smileys
    ]
