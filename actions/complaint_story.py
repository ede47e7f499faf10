"""What is a complaint's story, and what is something else although a story or an answer was asked for."""

from __future__ import annotations

from collections.abc import Iterable

from actions.texts import count_other_words
from actions.turn import Found, Turn

#: A message that starts a complaint is its story when it has more words than this …
SHORT_STORY = 5
#: … or than this, where they name what went wrong: «کفش خریدم سایزش غلط اومده» …
VERY_SHORT_STORY = 4
#: … and at least so many that say more than "I have a complaint".
TELLING_WORDS = 3
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
    "loyalty_tier": 4,
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
#: What is never the name of a category or a field, whatever words stand in it.
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


def tells_what_happened(text: str, found: Iterable[Found] = ()) -> bool:
    """Whether a text tells a story rather than that there is one.

    Args:
        text: what was typed.
        found: the entities in it; a few words are enough where they name what went wrong.
    """
    says_what = any(one.entity == "category" for one in found)
    if len(text.split()) <= (VERY_SHORT_STORY if says_what else SHORT_STORY):
        return False
    return count_other_words("complaints", "announcing", text) >= TELLING_WORDS


def begins_digression(turn: Turn) -> bool:
    """Whether a text is something else than an answer: a question, a courtesy, a wish to stop."""
    if turn.word_count <= NO_STORY.get(turn.intent, 0):
        return True
    asks = turn.text.rstrip().endswith(("؟", "?"))
    return asks and turn.intent in QUESTIONS and turn.word_count <= LONG_QUESTION
