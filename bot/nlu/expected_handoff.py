"""Answers to what is asked when a hand-over has ended: to go on where we were, to be called instead."""

from __future__ import annotations

import re
from typing import Any

from bot.nlu.asking import is_question
from crm_store.persian import find_phones, fold
from crm_store.terms import terms
from crm_store.tickets.expecting import GO_ON

#: Longest answer, in words.
_LONGEST = 5
_WORD = re.compile(r"\w+")

#: An intent and its values by entity.
Answer = tuple[str, dict[str, str]]


def handoff_answer(expected: dict[str, Any], understood: str, text: str) -> Answer | None:
    """What a typed message is in answer to such a question; None where it is no answer to it.

    Args:
        expected: the open question as the gateway knows it.
        understood: the intent without it.
        text: as it was typed; empty for bare media.
    """
    if not expected["is_latest"] or not text or len(_words(text)) > _LONGEST:
        return None
    if expected["what"] == GO_ON:
        return ("handoff_resume", {}) if understood == "affirm" or _says(text, "resuming") else None
    is_yes = understood == "affirm" and not is_question(fold(text).split())
    return ("request_callback", {}) if is_yes or find_phones(text) else None


def _says(text: str, section: str) -> bool:
    """Whether a text is one of the phrases of a section of data/handoff/terms.yml."""
    typed = " ".join(_words(text))
    return any(typed == " ".join(_words(str(phrase))) for phrase in terms("handoff")[section])


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
