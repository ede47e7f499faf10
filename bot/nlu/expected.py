"""Reads a message as the answer to a question that we asked in a notice, which the dialogue knows nothing of.

The gateway tells which question is open (crm_store/tickets/expecting.py). A message that answers it becomes
an intent of its own, with the ticket's code beside it, as if a button had been tapped; whose ticket it is, is
looked up by the action all the same. Whatever asks for something of its own stays what it is.
"""

from __future__ import annotations

import re
from typing import Any

from rasa.shared.nlu.constants import ENTITIES, INTENT

from bot.nlu.asking import is_question
from bot.nlu.expected_club import club_answer
from bot.nlu.expected_handoff import handoff_answer
from bot.nlu.expected_staff import staff_answer
from bot.nlu.expected_survey import survey_answer
from bot.nlu.requests import REQUESTS
from crm_store.persian import fold
from crm_store.terms import terms
from crm_store.tickets.expecting import CLUB_KINDS, HANDOFF_KINDS, STAFF, SURVEY

#: Metadata of a turn: ``{"what", "ticket", "is_latest"}``.
EXPECTED = "expected"
TICKET_ENTITY, EXTRACTOR = "ticket", "expected"

#: What is an answer whatever has been said since: it is nothing else.
_LATE_ANSWERS = frozenset({"media", "nlu_fallback", "complaint_add_note"})
#: What answers no question of the staff's, even straight after it, unless something was sent along.
_OWN_WISHES = frozenset(
    {
        "greet",
        "thank",
        "goodbye",
        "help",
        "explain",
        "cancel",
        "bot_challenge",
        "request_human",
        "complaint_status",
        "complaint_withdraw",
        "complaint_appeal",
        "marketing_opt_out",
        "marketing_opt_in",
        "my_data_export",
        "my_data_erase",
        "loyalty_balance",
        "service_cancel",
        "service_status",
        "service_reschedule",
    }
)
#: Whoever tells what went wrong or asks for something names numbers that are no grade.
_NO_GRADES = ("complaint_file", "faq", "service_")
#: A number among more words than these is of something else.
_GRADE_WORDS = 3
#: What may tell that something was solved and is not, or ask whether it is.
_NOT_SURELY_SOLVED = frozenset({"deny", "complaint_file", "complaint_status"})
_NO_WORD_ON_IT = frozenset({"complaint_appeal", "complaint_withdraw", "request_human"})
_WORD = re.compile(r"\w+")


def as_expected(
    parsed: dict[str, Any], text: str, expected: dict[str, Any] | None, *, has_files: bool = False
) -> dict[str, Any]:
    """The parse of a message, with another intent where it answers the open question.

    Args:
        parsed: what the message was understood as.
        text: as it was typed; empty for bare media.
        expected: the open question as the gateway knows it; None for none.
        has_files: whether a photo, a voice message or the like came along.
    """
    if not expected:
        return parsed
    answer = _answer_with_values(expected, parsed, text, has_files)
    if answer is None:
        return parsed
    intent, values = answer
    told = [{"entity": name, "value": value, "extractor": EXTRACTOR} for name, value in values.items()]
    kept = {key: value for key, value in parsed.items() if key != REQUESTS}
    certain = {"name": intent, "confidence": 1.0}
    return {
        **kept,
        INTENT: certain,
        "intent_ranking": [certain, *parsed.get("intent_ranking", [])],
        ENTITIES: [*parsed[ENTITIES], *told],
    }


def _answer_with_values(
    expected: dict[str, Any], parsed: dict[str, Any], text: str, has_files: bool
) -> tuple[str, dict[str, str]] | None:
    """What an answer is understood as, with its values by entity; None where a message answers nothing."""
    if expected["what"] in CLUB_KINDS:
        return club_answer(expected, str(parsed[INTENT]["name"]), text)
    if expected["what"] in HANDOFF_KINDS:
        return handoff_answer(expected, str(parsed[INTENT]["name"]), text)
    if expected["what"] == STAFF:
        return staff_answer(expected, str(parsed[INTENT]["name"]), text)
    if expected["what"] == SURVEY:
        return survey_answer(expected, str(parsed[INTENT]["name"]), text, has_files=has_files)
    intent = _answer_to(expected, parsed, text, has_files)
    return (intent, {TICKET_ENTITY: str(expected["ticket"])}) if intent is not None else None


def _answer_to(expected: dict[str, Any], parsed: dict[str, Any], text: str, has_files: bool) -> str | None:
    understood = str(parsed[INTENT]["name"])
    what = expected["what"]
    if what == "answer":
        is_own_wish = understood in _OWN_WISHES and not has_files
        is_answer = not is_own_wish if expected["is_latest"] else understood in _LATE_ANSWERS
        return "answer_staff" if is_answer else None
    if what == "solved":
        return _whether_solved(understood, text)
    if what == "closed":
        is_left = understood not in _NO_WORD_ON_IT and _says(text, "not_solved")
        return "deny_solved" if is_left else None
    if what == "visit":
        return {"affirm": "confirm_visit", "deny": "service_reschedule"}.get(understood)
    return "rate_visit" if what == "rating" and _is_grade(understood, text, parsed) else None


def _is_grade(understood: str, text: str, parsed: dict[str, Any]) -> bool:
    """A grade says of what it is («۴ از ۵»), or is a number with hardly a word beside it."""
    found = {entity["entity"] for entity in parsed[ENTITIES]}
    is_bare = len(_WORD.findall(text)) <= _GRADE_WORDS and not understood.startswith(_NO_GRADES)
    return "rating" in found or ("number" in found and is_bare and not _is_question(text))


def _whether_solved(understood: str, text: str) -> str | None:
    """Yes, no, or neither: thanks are neither, and nothing is closed on a word that may mean the contrary."""
    if understood in _NO_WORD_ON_IT:
        return None
    if understood == "deny" or _says(text, "not_solved"):
        return "deny_solved"
    is_yes = understood == "affirm" or _says(text, "solved")
    is_sure = understood not in _NOT_SURELY_SOLVED and not _is_question(text) and not _leaves_open(text)
    return "confirm_solved" if is_yes and is_sure else None


def _is_question(text: str) -> bool:
    return is_question(fold(text).split())


def _leaves_open(text: str) -> bool:
    """Whether a word stands in a text that turns round what is said: a no, a but, an again."""
    beginnings = tuple(fold(beginning) for beginning in terms("tickets")["unsure_beginnings"])
    is_negated = any(word.startswith(beginnings) for word in _words(text).split())
    return is_negated or _says(text, "unsure")


def _says(text: str, section: str) -> bool:
    """Whether a phrase of a section of data/tickets/terms.yml stands in a text, as whole words."""
    typed = f" {_words(text)} "
    return any(f" {_words(phrase)} " in typed for phrase in terms("tickets")[section])


def _words(text: str) -> str:
    """The words of a text with blanks between them: «حل نشده!» says what «حل نشده» does."""
    return " ".join(_WORD.findall(fold(text)))
