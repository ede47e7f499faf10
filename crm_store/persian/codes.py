"""Tracking codes: what a customer keeps, reads out on the phone and types back.

Eight digits, the last a check digit by the Verhoeff algorithm (J. Verhoeff, "Error Detecting Decimal Codes",
Mathematical Centre Tracts 29, Amsterdam 1969), which catches every single wrong digit and every swap of two
neighbours; of the other usual slips it catches more than Damm's does.
"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterator
from typing import NamedTuple

from stdnum import verhoeff

from crm_store.persian.digits import without_marks
from crm_store.persian.phones import find_phones

_LENGTH = 8
_HYPHENS = r"\-\u2010-\u2015\u2212"
_CODE = re.compile(rf"[1-9][0-9]{{{_LENGTH - 1}}}")
_BETWEEN_DIGITS = re.compile(rf"[\s{_HYPHENS}]+")
_HYPHENATED = rf"[0-9]+(?:[{_HYPHENS}][0-9]+)*"
_CLUSTER = re.compile(_HYPHENATED)
# Hyphenated clusters with a single space between them. Not part of an amount, a date, a time, a number with +
# before it or an identifier with Latin letters such as ORD-1234.
_SEQUENCE = re.compile(
    rf"(?<![0-9A-Za-z_+])(?<![0-9][.,/:\u066b\u066c])(?<![A-Za-z_][=/{_HYPHENS}])"
    rf"{_HYPHENATED}(?:[^\S\n]{_HYPHENATED})*"
    rf"(?![0-9A-Za-z_])(?![.,/:\u066b\u066c][0-9])(?![{_HYPHENS}][0-9A-Za-z])"
)


class CodeMatch(NamedTuple):
    """A tracking code found in a text.

    Attributes:
        start: Its first character, in code points of the text.
        end: One past its last character.
        value: The code, eight ASCII digits.
    """

    start: int
    end: int
    value: str


def new_tracking_code(rng: random.Random | None = None) -> str:
    """Draws a tracking code; it says nothing about the one before it.

    Args:
        rng: A source of randomness for repeatable data; the operating system's if left out.

    Returns:
        Eight ASCII digits, the first not zero, the last the check digit.
    """
    source = rng or secrets.SystemRandom()
    body = str(source.randrange(10 ** (_LENGTH - 2), 10 ** (_LENGTH - 1)))
    return body + verhoeff.calc_check_digit(body)


def is_tracking_code(text: str) -> bool:
    """Says whether a text is a tracking code, however it is written.

    Args:
        text: Any text.

    Returns:
        True if `parse_tracking_code` reads it.
    """
    return parse_tracking_code(text) is not None


def parse_tracking_code(text: str) -> str | None:
    """Reads a tracking code that stands alone.

    Args:
        text: The code, digits in any script, with spaces, hyphens, half-spaces or bidi marks between them.

    Returns:
        Eight ASCII digits, or None if the text is anything else or the check digit is wrong.
    """
    digits = _BETWEEN_DIGITS.sub("", without_marks(text)[0])
    return digits if _CODE.fullmatch(digits) and verhoeff.is_valid(digits) else None


def find_tracking_codes(text: str) -> list[CodeMatch]:
    """Finds the tracking codes in a text.

    Args:
        text: Any text, digits in any script.

    Returns:
        The codes in the order of the text, with offsets into it; none inside a longer number or a phone
        number.
    """
    searched, offsets = without_marks(text)
    phones = find_phones(text)
    found = []
    for start, end in _candidates(searched):
        value = parse_tracking_code(searched[start:end])
        match = CodeMatch(offsets[start], offsets[end - 1] + 1, value or "")
        if value and not any(phone.start < match.end and match.start < phone.end for phone in phones):
            found.append(match)
    return found


def _candidates(searched: str) -> Iterator[tuple[int, int]]:
    """Yields the spans that may be a code: a sequence of eight digits, or such a cluster in a longer one."""
    for sequence in _SEQUENCE.finditer(searched):
        if _digit_count(sequence.group()) == _LENGTH:
            yield sequence.span()
        # A sequence that starts with zero is a phone number, mistyped or not.
        elif not sequence.group().startswith("0"):
            for cluster in _CLUSTER.finditer(searched, *sequence.span()):
                if _digit_count(cluster.group()) == _LENGTH:
                    yield cluster.span()


def _digit_count(text: str) -> int:
    return sum(character.isdigit() for character in text)
