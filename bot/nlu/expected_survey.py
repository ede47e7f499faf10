"""Answers to the question that waits in a survey: a grade, a choice, words, or that one would rather not."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from bot.nlu.asking import is_question
from crm_store.persian import fold
from crm_store.persian.grades import Grade, read_grade
from crm_store.surveys.choosing import meant_choices, tells_opinion
from crm_store.surveys.waiting import REASON_KIND, Waiting
from crm_store.terms import terms

SURVEY_ENTITY = "survey"
ANSWER, SKIP, PASS, LATER = "survey_answer", "survey_skip", "survey_pass", "survey_later"

#: What is nothing else than what it was understood as, whatever was asked.
_OWN_WISHES = frozenset(
    {
        *("greet", "goodbye", "help", "explain", "bot_challenge", "request_human"),
        *("complaint_status", "complaint_withdraw", "complaint_appeal", "complaint_add_note"),
        *("service_cancel", "service_status", "service_reschedule"),
        *("marketing_opt_out", "marketing_opt_in", "my_data_export", "my_data_erase"),
    }
)
#: Of these a text that answers no grade or choice may be an answer that was not understood.
_UNCLEAR = frozenset({"nlu_fallback", "out_of_scope", ANSWER, "affirm", "deny", "skip"})
#: The wish to say something; what is said along with it may be what was asked for.
_WISH = "survey_start"
#: What a text that was asked for is only in a question or in hardly any words.
_FEW_WORDS = 3
#: Courtesies of more words than these say something besides.
_COURTEOUS_WORDS = 4
#: Longest refusal, in words.
_REFUSAL_WORDS = 8
#: Longest choice or grade, in words, that is one although something else has been said since.
_LATE_WORDS = 5
_GRADED = frozenset({"csat", "nps", "ces", "scale"})
_WORD = re.compile(r"\w+")

#: An intent and its values by entity.
Answer = tuple[str, dict[str, str]]


def survey_answer(expected: dict[str, Any], understood: str, text: str, *, has_files: bool) -> Answer | None:
    """What a typed message is in answer to a survey; None where it is something else.

    Args:
        expected: the open question as the gateway knows it.
        understood: the intent without it.
        text: as it was typed; empty for bare media.
        has_files: whether a photo or the like came along.
    """
    if not expected.get("question"):
        return None
    asked = msgspec.convert(expected["question"], Waiting)
    intent = _intent(asked, understood, text, has_files, is_latest=bool(expected["is_latest"]))
    return (intent, {SURVEY_ENTITY: str(expected["ticket"])}) if intent is not None else None


def _intent(asked: Waiting, understood: str, text: str, has_files: bool, *, is_latest: bool) -> str | None:
    if asked.is_over:
        grade = _grade(asked, text)
        is_correction = grade.value is not None and (grade.corrects or (is_latest and grade.is_number))
        return ANSWER if is_correction and not _asks(text) else None
    refusal = _refusal(asked, understood, text, is_latest=is_latest)
    if refusal is not None:
        return refusal
    is_answer = _is_answer if is_latest else _is_late_answer
    return ANSWER if is_answer(asked, understood, text, has_files) else None


def _refusal(asked: Waiting, understood: str, text: str, *, is_latest: bool) -> str | None:
    """Never again, not now, not this question, or not at all; None where nothing is refused."""
    typed = _WORD.findall(fold(text))
    if not 0 < len(typed) <= _REFUSAL_WORDS or _is_bare_grade(asked, text):
        return None
    if _says(typed, "never"):
        return SKIP
    if not is_latest or (asked.kind == "choice" and meant_choices(text, asked.choices)):
        return None
    if _says(typed, "later"):
        return LATER
    # «نه» to "what shall we do better?" is an answer to that question alone.
    is_open_question = asked.kind in ("text", "photo", REASON_KIND) and len(typed) <= _COURTEOUS_WORDS
    has_nothing = is_open_question and (understood == "deny" or _has_nothing(typed))
    if understood == "skip" or has_nothing or _says(typed, "passing"):
        return PASS
    return SKIP if understood in (SKIP, "cancel") else None


def _is_answer(asked: Waiting, understood: str, text: str, has_files: bool) -> bool:
    """Whether a message straight after the question answers it, be it so that it cannot be understood."""
    if asked.kind == "photo":
        return has_files or understood in _UNCLEAR
    if not text or (understood in _OWN_WISHES and not _is_bare_grade(asked, text)):
        return False
    if asked.kind in ("text", REASON_KIND):
        return _is_told(understood, text)
    if _asks(text) and understood not in (ANSWER, "nlu_fallback"):
        return False
    if asked.kind in _GRADED:
        return understood in _UNCLEAR or _is_graded(asked, understood, text)
    is_named = bool(meant_choices(text, asked.choices)) and not _complains(understood, text)
    return understood in _UNCLEAR or is_named


def _is_graded(asked: Waiting, understood: str, text: str) -> bool:
    """Whether a text holds a grade that does not only stand beside a wish of its own."""
    grade = _grade(asked, text)
    if grade.value is None:
        return grade.why not in ("", "none") and (understood in _UNCLEAR or not grade.has_words)
    if _complains(understood, text) or (understood == _WISH and not grade.is_number):
        return False
    is_other = understood.startswith(("loyalty_", "service_", "profile_", "my_data_")) or understood == "faq"
    return not is_other or not grade.has_words or (grade.is_number and not _asks(text))


def _is_told(understood: str, text: str) -> bool:
    """Whether a text is what was asked for: whatever is written, unless it clearly asks for something."""
    words = len(_WORD.findall(text))
    if understood in ("thank", "affirm", "deny"):
        return words > _COURTEOUS_WORDS
    if _complains(understood, text):
        return False
    if understood == _WISH:
        return tells_opinion(text)
    if understood in _UNCLEAR or understood == "complaint_file":
        return True
    return words > _FEW_WORDS and not _asks(text)


def _is_late_answer(asked: Waiting, understood: str, text: str, has_files: bool) -> bool:
    """Whether a text answers although something else has been said since: it can hardly be anything else."""
    if asked.kind == "photo":
        return has_files and understood in ("media", "nlu_fallback", ANSWER)
    words = len(_WORD.findall(text))
    if understood not in (ANSWER, "nlu_fallback") or not text or _asks(text):
        return False
    if asked.kind in _GRADED:
        return _grade(asked, text).value is not None and (understood == ANSWER or words <= _LATE_WORDS)
    if asked.kind == "choice":
        return len(meant_choices(text, asked.choices)) == 1 and words <= _LATE_WORDS
    return understood == ANSWER


def _complains(understood: str, text: str) -> bool:
    """Whether somebody says in so many words that they wish to complain."""
    return understood == "complaint_file" and _says(_WORD.findall(fold(text)), "complaining")


def _is_bare_grade(asked: Waiting, text: str) -> bool:
    if asked.kind not in _GRADED:
        return False
    grade = _grade(asked, text)
    return grade.value is not None and grade.is_number and not grade.has_words


def _grade(asked: Waiting, text: str) -> Grade:
    return read_grade(text, low=asked.low, high=asked.high, kind=asked.kind)


def _asks(text: str) -> bool:
    return is_question(fold(text).split())


def _has_nothing(typed: list[str]) -> bool:
    """«ندارم» alone says it, in «حوصله ندارم» it says something else; «چیزی ندارم» says it anywhere."""
    phrases = [_WORD.findall(fold(str(one))) for one in terms("surveys")["nothing"]]
    joined = f" {' '.join(typed)} "
    return typed in phrases or any(len(one) > 1 and f" {' '.join(one)} " in joined for one in phrases)


def _says(typed: list[str], section: str) -> bool:
    """Whether a phrase of a section of data/surveys/terms.yml stands among folded words."""
    joined = f" {' '.join(typed)} "
    return any(f" {' '.join(_WORD.findall(fold(str(one))))} " in joined for one in terms("surveys")[section])
