"""What a verb says about time: that something happened, that somebody is to come or send, or neither."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from crm_store.persian.calendar_words import word_set

#: ``present`` is a verb that says neither: «لغو کنید», «میشه».
Tense = Literal["past", "future", "present", ""]

_PAST_STEMS = (
    "خرید|گرفت|داد|کرد|بود|اومد|امد|شد|رفت|گفت|زد|دید|فرستاد|رسید|رسوند|رساند|نوشت|گذاشت|ذاشت|برد|اورد"
    "|افتاد|شکست|موند|ماند|ریخت|پرداخت|داشت|خورد|بست|فروخت|سوخت|پرسید|فهمید|کشید|برگشت|گشت|پیچید|شنید"
    "|ساخت|دوخت|برداشت|گذشت|نمود|فرمود|گردید|یافت|انداخت|پذیرفت|سپرد"
)
_ENDINGS = "(?:م|ی|یم|ید|ین|ند)(?:ش|شون|شان|ت|تون|تان|مون|مان)?"
_PERFECT = "ه(?:م|ی|ایم|اید|این|اند|ان|است|ست|س|ام|ای)?(?:بود(?:م|ی|یم|ید|ین|ن|ند)?)?"
_NOT_NOUNS = (
    "گرفت|کرد|بود|اومد|امد|شد|رفت|گفت|زد|فرستاد|رسوند|نوشت|گذاشت|افتاد|موند|داشت|خورد|گذشت|نمود|فرمود|گردید"
)
_PAST = re.compile(
    rf"(?:ن|می|نمی)?(?:(?:{_PAST_STEMS})(?:{_ENDINGS}|{_PERFECT})|(?:{_NOT_NOUNS})(?:ش|شون|ن)?)"
    r"|ن(?:رسید|داد|خرید|دید|یومد|یامد|یاورد|یوفتاد)(?:ن|ش)?|ن?یومد(?:م|ی|یم|ید|ین|ن|ه)?"
    r"|نیاورد(?:م|ی|ید|ین|ن|ه)?"
    r"|(?:kharid|gereft|dad|kard|bud|bood|umad|oomad|shod|raft|goft|zad|did|resid|ferestad|nevesht|dasht)"
    r"(?:am|i|im|in|id|an|e|eh|amesh|amo|esh|eam)?"
    r"|(?:na|ne)(?:resid|gereft|shod|umad|dad|yumad)(?:am|e|eh|in|id)?"
)
#: Third persons that are nouns as well, or infinitives: past only as the last word of a clause.
_PAST_LAST = re.compile(
    rf"خرید|پرداخت|برگشت|شکست|رسید|داد|دید|ساخت|برد|اورد|(?:{_PAST_STEMS})ن|خریدش|دادش|رسیدش"
)
_PERSONS = "(?:م|ی|ه|د|یم|ین|ید|ن|ند)"
#: To come, send, arrive, bring, call, put, buy, go.
_FUTURE = re.compile(
    rf"(?:بی|می|نمی|نی)ا{_PERSONS}|(?:بی|می)ایی(?:د|ن|م)|(?:بی|می|نمی|نی)ا(?:و)?ر{_PERSONS}"
    rf"|(?:ب|می|نمی|ن)?فرست(?:{_PERSONS})?"
    rf"|(?:ب|می|نمی|ن)(?:رس|رسون|رسان|گیر|زن|ذار|زار|گذار|نداز|خر){_PERSONS}|(?:ب|می|نمی|ن)ر(?:م|ه|یم|ین|ید)|بیا|بیار|بزن|بذار|بزار"
    r"|(?:bi|mi|nemi)a(?:m|d|im|in|yn|id|y|ym)|(?:bi|mi)y?a(?:m|d|in|id)|b?e?mi?frest(?:am|e|id|in)"
    r"|befrest(?:id|in)?|(?:be|mi)res(?:e|am|id|in)|(?:be|mi)zan(?:am|id|in)|(?:be|mi)gir(?:am|id|in)"
    r"|biar(?:id|in|e)|miar(?:id|in|e)"
)
#: Who asks whether a shop is open asks for a day to come.
_OPEN = word_set("هستید هستین بازید بازین بازه بازن تعطیله تعطیلید تعطیلین hastid hastin bazid bazin")
_PRESENT = word_set(
    "کنید کنین کنم کنه کن کنن کنیم کنند بکنید بکنم بشه بشم بشود شه شود شم گردد باشه باشید باشین باشم باشد "
    "باشن بدید بدین بده بدم بدن بدیم بدهید ببرید ببرن ببرم ببینم ببینید است هست هستم دارم دارید دارین داره "
    "باید قراره خواهم خواهد خواهید خواهند خواهیم خواستم خواستیم میخواستم مایلم "
    "konid konin kone beshe bashe bashid bashin bede bedid bedin bayad gharare daram darid"
)
_WITH_PREFIX = re.compile(r"ن?می(?=..)|(?:ne)?mi(?=kh|sh|k|d|t)")
_NO_VERBS = word_set(
    "میز میزی میل میلی میدان میدون میلیون میزان میهن میوه میان میانگین میلاد میلادی مینا میثم میترا میخ "
    "میراث میکروفون میکروفر مینی میکس میرزا میلیارد میوها میزبان میکروب بیان میان mikrofon"
)


@lru_cache(maxsize=4096)
def tense_of(text: str) -> Tense:
    """The tense of a word; nothing if it is no verb.

    Args:
        text: A folded word.
    """
    if text in _NO_VERBS:
        return "future" if text in _COMING else ""
    if text in _PRESENT:
        return "present"
    if _PAST.fullmatch(text):
        return "past"
    if text in _OPEN or _FUTURE.fullmatch(text):
        return "future"
    return "present" if _WITH_PREFIX.match(text) else ""


def is_past_at_end(text: str) -> bool:
    """Whether a word is a verb of the past as the last one of a clause: «رسید», «خریدن»."""
    return _PAST_LAST.fullmatch(text) is not None


#: «بیان», «میان» are written like a speech and a middle, and mean that they come.
_COMING = frozenset({"بیان", "میان"})
