"""Digits: read in any script, shown in Persian."""

from __future__ import annotations

import unicodedata

from persiantools import digits

_THOUSANDS_SEPARATOR = "\u066c"
_LEFT_TO_RIGHT_MARK = "\u200e"


def to_ascii_digits(text: str) -> str:
    """Replaces the decimal digits of every script by 0 to 9; nothing else changes, nor does the length.

    Args:
        text: Any text.

    Returns:
        The text with ASCII digits.
    """
    return "".join(_ascii_digit(character) for character in text)


def to_persian_digits(value: str | int) -> str:
    """Replaces the decimal digits of every script by ۰ to ۹; no separators are added.

    Args:
        value: A text, or a number to write.

    Returns:
        The text with Persian digits.
    """
    return str(digits.en_to_fa(to_ascii_digits(str(value))))


def group_thousands(n: int) -> str:
    """Writes a number in Persian digits, in groups of three.

    Args:
        n: Any whole number. A minus sign gets a left-to-right mark, so that it stays left of the number.

    Returns:
        For instance ۱۲۰٬۰۰۰ for 120000.
    """
    grouped = to_persian_digits(f"{n:,}".replace(",", _THOUSANDS_SEPARATOR))
    return _LEFT_TO_RIGHT_MARK + grouped if n < 0 else grouped


def without_marks(text: str) -> tuple[str, list[int]]:
    """Prepares a text for finding numbers: ASCII digits, no half-spaces or bidi marks between them.

    Args:
        text: Any text.

    Returns:
        The prepared text, and for each of its characters the index (code points) in `text`.
    """
    kept = [
        (index, character) for index, character in enumerate(text) if unicodedata.category(character) != "Cf"
    ]
    return "".join(_ascii_digit(character) for _, character in kept), [index for index, _ in kept]


def _ascii_digit(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
