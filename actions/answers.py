"""What is an answer to a form's question and what is none, whatever the form is about."""

from __future__ import annotations

import re
from collections.abc import Mapping

from actions.texts import is_any_in, is_one_of, words
from actions.turn import Found, Turn
from crm_store.persian import find_phones

#: Longest text, in words, in which the name of a field, a choice or a number without a word is looked for.
SHORT_ANSWER = 5
#: Longest refusal to answer, in words.
LONG_REFUSAL = 8
#: Most words between a value and the word that denies it: «پرداخت اصلاً نبود».
DENIED_WITHIN = 2
#: Longest text, in words, that is no story although one was asked for, by what it was understood as. A person
#: asks in a sentence what a question is for, but drops a form in a word or two.
NO_STORY = {
    "explain": 7,
    "help": 7,
    "faq": 7,
    "cancel": 4,
    "skip": 4,
    "complaint_withdraw": 4,
    "request_human": 4,
    "complaint_status": 4,
    "greet": 3,
    "thank": 3,
    "goodbye": 3,
    "affirm": 3,
    "deny": 3,
    "bot_challenge": 3,
    "out_of_scope": 4,
    "loyalty_balance": 4,
    "loyalty_history": 4,
    "loyalty_tier": 4,
    "loyalty_redeem": 4,
    "loyalty_how_to_earn": 4,
    "loyalty_referral": 4,
    "loyalty_raffle": 4,
    "marketing_opt_out": 8,
    "marketing_opt_in": 8,
    "my_data_export": 9,
    "my_data_erase": 9,
    "nlu_fallback": 1,
}
#: A question about the business or about the form itself is one at greater length too if it ends like one.
QUESTIONS = frozenset({"explain", "help", "faq"})
LONG_QUESTION = 14
#: What is never the name of a choice or a field, whatever words stand in it.
NO_ANSWER = frozenset(
    {
        "explain",
        "help",
        "faq",
        "cancel",
        "complaint_withdraw",
        "request_human",
        "complaint_status",
        "marketing_opt_out",
        "marketing_opt_in",
        "my_data_export",
        "my_data_erase",
    }
)

_CLAUSE_END = re.compile(r"[،؛,.;!؟?\n]")


def begins_digression(turn: Turn, besides: Mapping[str, int] | None = None) -> bool:
    """Whether a text is something else than an answer: a question, a courtesy, a wish to stop.

    Args:
        turn: the message.
        besides: further intents of which a text of so many words at the most is no answer.
    """
    longest = {**NO_STORY, **(besides or {})}.get(turn.intent, 0)
    if turn.word_count <= longest:
        return True
    return is_question(turn.text) and turn.intent in QUESTIONS and turn.word_count <= LONG_QUESTION


def is_question(text: str) -> bool:
    """Whether a text ends like a question."""
    return text.rstrip().endswith(("؟", "?"))


def passes_over(turn: Turn) -> bool:
    """Whether a short text says that there is nothing to answer, or that one would rather not."""
    if turn.word_count > (LONG_REFUSAL if turn.intent == "skip" else SHORT_ANSWER):
        return False
    if turn.intent in ("skip", "deny", "survey_skip") or is_one_of("shared", "passing", turn.text):
        return True
    return turn.intent not in NO_ANSWER and is_any_in("shared", "passing", turn.text)


def does_not_know(turn: Turn) -> bool:
    """Whether a short text says that one does not know or does not mind."""
    return turn.word_count <= SHORT_ANSWER and is_any_in("shared", "not_knowing", turn.text)


def confirms(turn: Turn, summary: str, area: str) -> bool:
    """Whether a summary is agreed to.

    Args:
        turn: the message.
        summary: the response that shows the summary.
        area: whose words confirm it besides a plain yes.
    """
    if turn.trusted:
        return turn.intent == "affirm"
    # «بله» typed after another question, such as the offer of a call-back, is an answer to that one.
    if not turn.previous.ended_with(summary):
        return False
    return turn.intent == "affirm" or is_one_of(area, "confirming", turn.text)


def is_denied(text: str, one: Found, *areas: str) -> bool:
    """Whether a value is named only to say that it is not meant: «تحویل نبود», «پنجشنبه نه، شنبه».

    Args:
        text: the whole message.
        one: the value and its place.
        areas: whose words deny besides those that always do.
    """
    behind = clause_after(text, one.end)
    if is_one_of("shared", "plain_no", behind):
        return True
    before = words(_CLAUSE_END.split(text[: one.start])[-1])
    # A «نه» that opens the message denies what was said before it, not what follows.
    is_opening = len(words(text[: one.start])) == 1
    if before and not is_opening and is_any_in("shared", "denying_before", before[-1]):
        return True
    near = words(behind)[: DENIED_WITHIN + 1]
    return any(is_any_in(area, "denying_after", word) for area in ("shared", *areas) for word in near)


def clause_after(text: str, end: int) -> str:
    """The rest of the clause behind a place in a text."""
    return _CLAUSE_END.split(text[end:], maxsplit=1)[0]


def own_phone(text: str) -> str | None:
    """The one number in a text that is said to be the writer's, or stands there alone."""
    phones = find_phones(text)
    if len({phone.value for phone in phones}) != 1:
        return None
    phone = phones[0]
    stands_alone = not words(text[: phone.start] + " " + text[phone.end :])
    return phone.value if stands_alone or is_any_in("shared", "own_phone", text) else None
