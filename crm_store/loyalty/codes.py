"""Codes that people read out, copy by hand and type: of rewards, and of chances in a raffle.

Letters and digits that are mistaken for each other never stand in them together (0 and O, 1, I and L, 2 and
Z, 5 and S, 6 and G, 8 and B, U and V, M and N). There are 23 of them, a prime number, and the last is a check
digit by ISO 7064 with that modulus: every single wrong character is noticed, and any two that changed places.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from stdnum.iso7064 import mod_37_2

from crm_store.persian import to_ascii_digits

ALPHABET = "23456789ACDEFHJKNPRTUXY"
LENGTH = 10
_GROUP = 5
#: What somebody types who took a character for its neighbour; none of the former stands in a code.
_MISREAD = str.maketrans("BGSVZM", "865U2N")
_BETWEEN = re.compile(r"[\s\-_./\u2010-\u2015\u2212\u0640]+")


def new_code() -> str:
    """Draws a code; it says nothing about any other one.

    Returns:
        Ten characters, the last one the check digit.
    """
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + str(mod_37_2.calc_check_digit(body, ALPHABET))


def read_code(text: str) -> str | None:
    """Reads a code that stands alone.

    Args:
        text: in any case, digits in any script, with spaces, hyphens, half-spaces or bidi marks anywhere.

    Returns:
        The code as it is kept; None if the text is anything else or the check digit is wrong.
    """
    visible = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf")
    code = _BETWEEN.sub("", to_ascii_digits(visible)).upper().translate(_MISREAD)
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        return None
    return code if mod_37_2.is_valid(code, ALPHABET) else None


def grouped(code: str) -> str:
    """A code as it is shown, ``2K7HA-9TRXC``."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))
