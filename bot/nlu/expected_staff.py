"""Answers of members of staff to the questions of a task: a note's words, a choice, a number, a yes, the PIN.

A text that was asked for is taken as it is, even where it looks like a request; only to leave the task is
understood whatever was asked. What a choice means is decided by the action, which knows the choices.
"""

from __future__ import annotations

import re
from typing import Any

from crm_store.persian import fold
from crm_store.terms import terms
from crm_store.tickets.expecting import STAFF
from crm_store.tickets.staff_questions import CONFIRM, DROP, TEXT, YES, asked_for

INTENT = "staff_answer"
PIN = "pin"
#: Longest refusal, in words: «بی‌خیال» leaves the task, a sentence with it may be what was asked for.
_LONGEST_REFUSAL = 3
#: What is nothing else than what it was understood as, where no words of one's own are asked for.
_OWN_WISHES = frozenset(
    {"greet", "thank", "goodbye", "help", "explain", "bot_challenge", "request_human", "faq"}
)
_WORD = re.compile(r"\w+")

#: An intent and its values by entity.
Answer = tuple[str, dict[str, str]]


def staff_answer(expected: dict[str, Any], understood: str, text: str) -> Answer | None:
    """What a typed message is in answer to a question of a task; None where it is no answer to it.

    Args:
        expected: the open question as the gateway knows it.
        understood: the intent without it.
        text: as it was typed; empty for bare media.
    """
    name = str(expected["ticket"])
    what = asked_for(name)
    if not expected["is_latest"] or not text:
        return None
    if what != PIN and _refuses(understood, text, is_confirming=what == CONFIRM):
        return INTENT, {"step": name, "value": DROP}
    if what not in (PIN, TEXT) and understood in _OWN_WISHES:
        return None
    agreed = {"value": YES} if what == CONFIRM and _agrees(understood, text) else {}
    return INTENT, {"step": name, **agreed}


def is_secret(expected: dict[str, Any] | None) -> bool:
    """Whether the answer to a question is to be read nowhere: a PIN."""
    if not expected or expected["what"] != STAFF or not expected["is_latest"]:
        return False
    return asked_for(str(expected["ticket"])) == PIN


def _refuses(understood: str, text: str, *, is_confirming: bool) -> bool:
    typed = _WORD.findall(fold(text))
    if len(typed) > _LONGEST_REFUSAL:
        return False
    if is_confirming and understood in ("deny", "cancel"):
        return True
    joined = " ".join(typed)
    return any(joined == " ".join(_WORD.findall(fold(str(one)))) for one in terms("staff")["dropping"])


def _agrees(understood: str, text: str) -> bool:
    """A yes and nothing that turns it round."""
    joined = f" {' '.join(_WORD.findall(fold(text)))} "
    is_turned = any(f" {fold(str(word))} " in joined for word in terms("tickets")["unsure"])
    is_yes = understood == "affirm" or any(
        f" {' '.join(_WORD.findall(fold(str(one))))} " in joined for one in terms("loyalty")["confirming"]
    )
    return is_yes and not is_turned
