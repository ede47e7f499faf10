"""Answers to the club's own questions: which reward, whether to take it, a friend's code, more of a list."""

from __future__ import annotations

import re
from typing import Any

from bot.nlu.asking import is_question
from crm_store.loyalty.choosing import friend_code_in, meant_options, read_options
from crm_store.persian import fold
from crm_store.terms import terms
from crm_store.tickets.expecting import FRIEND_CODE, HISTORY, REDEEM, REWARD

#: Longest answer, in words; who chooses a reward may name it at length.
_LONGEST, _LONGEST_CHOICE = 5, 9
#: In what a question is about, between a reward or a raffle and the message that the question answered.
SEPARATOR = ":"
#: What is nothing else than what it was understood as, whatever was asked.
_OWN_WISHES = frozenset(
    {
        "greet",
        "thank",
        "goodbye",
        "help",
        "explain",
        "bot_challenge",
        "request_human",
        "complaint_file",
        "complaint_status",
        "my_data_export",
        "my_data_erase",
        "loyalty_balance",
        "loyalty_history",
        "loyalty_tier",
    }
)
#: A question about the business names a reward without choosing it; what only looks like one may choose.
FAQ = "faq"
_WORD = re.compile(r"\w+")

#: An intent and its values by entity.
Answer = tuple[str, dict[str, str]]


def club_answer(expected: dict[str, Any], understood: str, text: str) -> Answer | None:
    """What a typed message is in answer to a question of the club's; None where it is no answer to it."""
    what, about = str(expected["what"]), str(expected["ticket"])
    if not expected["is_latest"] or not text:
        return None
    is_own_wish = understood in _OWN_WISHES
    if what == FRIEND_CODE:
        # A code is no word that was ever learnt, so what it was taken for says nothing; one of letters alone
        # may be a word after all.
        code = friend_code_in(text, asked=not is_own_wish)
        return ("enter_friend_code", {"code": code}) if code is not None else None
    return None if is_own_wish else _answer_to(what, about, understood, text)


def _answer_to(what: str, about: str, understood: str, text: str) -> Answer | None:
    if what == HISTORY:
        return ("history_more", {"before": about}) if _says(text, "more") else None
    if understood in ("deny", "cancel") or _says(text, "dropping"):
        return "drop_redeem", {}
    if what == REWARD:
        return _chosen(about, understood, text)
    return _confirmed(what, about) if _agrees(understood, text) else None


def _chosen(shown: str, understood: str, text: str) -> Answer | None:
    """The reward that a text names; several of them are shown again by themselves."""
    is_asked = understood == FAQ and is_question(fold(text).split())
    is_choice = len(_words(text)) <= _LONGEST_CHOICE and not is_asked
    meant = meant_options(text, read_options(shown), listed=True) if is_choice else []
    if len(meant) == 1:
        return "choose_reward", {"reward": meant[0].key}
    return ("loyalty_redeem", {}) if meant else None


def _agrees(understood: str, text: str) -> bool:
    """A yes and nothing that turns it round; points are not spent on a word that may mean the contrary."""
    is_yes = understood == "affirm" or _says(text, "confirming")
    unsure = f" {' '.join(_words(text))} "
    is_turned = any(f" {fold(str(word))} " in unsure for word in terms("tickets")["unsure"])
    return is_yes and not is_turned and not is_question(fold(text).split())


def _confirmed(what: str, about: str) -> Answer:
    """The reward or raffle that is agreed to, and which question that answers."""
    key, _, asked = about.rpartition(SEPARATOR)
    name, intent = ("reward", "confirm_redeem") if what == REDEEM else ("raffle", "join_raffle")
    return intent, {name: key, "asked": asked}


def _says(text: str, section: str) -> bool:
    """Whether a phrase of a section of data/loyalty/terms.yml stands in a short text, as whole words."""
    typed = _words(text)
    if len(typed) > _LONGEST:
        return False
    joined = f" {' '.join(typed)} "
    return any(f" {' '.join(_words(str(phrase)))} " in joined for phrase in terms("loyalty")[section])


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
