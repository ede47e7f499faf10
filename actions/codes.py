"""Tracking codes in messages."""

from __future__ import annotations

import re

from actions.texts import count_other_words
from actions.turn import Turn
from crm_store.persian import find_phones, find_tracking_codes, to_ascii_digits

CODE_LENGTH = 8
_LOOKS_LIKE_A_CODE = re.compile(r"\d{5,}")


def given_code(turn: Turn) -> str | None:
    """The tracking code in a message; a number that can be none counts as one that does not exist."""
    found = find_tracking_codes(turn.text)
    if found:
        return found[0].value
    number = _LOOKS_LIKE_A_CODE.search(to_ascii_digits(turn.text))
    return number.group() if number and not find_phones(turn.text) else None


def named_ticket(turn: Turn) -> str | None:
    """The code of the ticket that a button, a notice or a message names; other numbers may be anything."""
    code = turn.entity("ticket") or given_code(turn)
    return code if code is not None and len(code) == CODE_LENGTH else None


def names_only_a_code(turn: Turn) -> bool:
    """Whether a message is a tracking code, right or wrong, and no more: «کد ۱۲۳۴۵۶۷۸»."""
    code = given_code(turn)
    besides = re.sub(r"\d+", " ", turn.text)
    return (
        code is not None
        and not code.startswith("0")
        and not count_other_words("complaints", "naming_a_code", besides)
    )
