"""Phone numbers: read as people write them, kept as E.164."""

from __future__ import annotations

import re
from typing import NamedTuple

import phonenumbers

from crm_store.persian.digits import to_ascii_digits, to_persian_digits, without_marks

_REGION = "IR"
_IRAN = 98
# phonenumbers also knows Iran's four- to seven-digit service numbers; no customer is reached at one.
_IRANIAN_NATIONAL_LENGTH = 10
_NUMBER_ALONE = re.compile(r"\+?[\d\s()./\u2010-\u2015\u2212-]+")
# phonenumbers finds no national number without its leading zero. A mobile number is read without it too; any
# other ten digits are as likely a national id.
_BARE_MOBILE = re.compile(
    r"(?<![0-9A-Za-z_+])(?<![0-9][.,/\u066b\u066c-])9[0-9]{9}(?![0-9A-Za-z_])(?![.,/\u066b\u066c-][0-9])"
)

_DOTS = "\u2022\u2022\u2022"
_HIDDEN_AT_LEAST = 3
_SHOWN_AT_START = 6
_MASKED_HEAD = 4
_SHOWN_AT_END = 4


class PhoneMatch(NamedTuple):
    """A phone number found in a text.

    Attributes:
        start: Its first character, in code points of the text.
        end: One past its last character.
        value: The number as E.164.
    """

    start: int
    end: int
    value: str


def normalize_phone(text: str) -> str:
    """Reads a phone number that stands alone; without a country code it is an Iranian one.

    Args:
        text: The number, digits in any script, with or without spaces, hyphens and the leading zero.

    Returns:
        The number as E.164, such as +989121234567.

    Raises:
        ValueError: If the text is anything else than a valid phone number.
    """
    number_text = without_marks(text)[0].strip()
    if not _NUMBER_ALONE.fullmatch(number_text):
        raise ValueError("not a phone number")
    try:
        number = phonenumbers.parse(number_text, _REGION)
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a phone number") from error
    if not _is_reachable(number):
        raise ValueError("not a valid phone number")
    return _e164(number)


def find_phones(text: str) -> list[PhoneMatch]:
    """Finds the phone numbers in a text.

    Args:
        text: Any text, digits in any script.

    Returns:
        The numbers in the order of the text, with offsets into it.
    """
    searched, offsets = without_marks(text)
    found = {
        (match.start, match.end): match.number for match in phonenumbers.PhoneNumberMatcher(searched, _REGION)
    }
    for bare in _BARE_MOBILE.finditer(searched):
        if not any(start < bare.end() and bare.start() < end for start, end in found):
            found[bare.span()] = phonenumbers.parse(bare.group(), _REGION)
    return [
        PhoneMatch(offsets[start], offsets[end - 1] + 1, _e164(number))
        for (start, end), number in sorted(found.items(), key=lambda item: item[0])
        if _is_reachable(number)
    ]


def phone_text(phone: str) -> str:
    """Writes a phone number as people read it here.

    Args:
        phone: A number as E.164.

    Returns:
        The number in Persian digits: national for an Iranian one, such as ۰۹۱۲ ۱۲۳ ۴۵۶۷, else international.
    """
    number = phonenumbers.parse(phone)
    style = phonenumbers.PhoneNumberFormat
    written = phonenumbers.format_number(
        number, style.NATIONAL if number.country_code == _IRAN else style.INTERNATIONAL
    )
    return to_persian_digits(to_ascii_digits(written))


def mask_phone(phone: str) -> str:
    """Hides the middle of a phone number, for logs and screens.

    Args:
        phone: A number as E.164.

    Returns:
        A text of the same length, such as +98912***4567; of a shorter number less is shown.
    """
    tail = min(_SHOWN_AT_END, len(phone) // 3)
    head = max(0, min(_SHOWN_AT_START, len(phone) - tail - _HIDDEN_AT_LEAST))
    return phone[:head] + "*" * (len(phone) - head - tail) + phone[len(phone) - tail :]


def masked_phone(phone: str, *, full: bool = False) -> str:
    """Writes a phone number for the staff, with its middle hidden from those who need not see it.

    Args:
        phone: A number as E.164; anything else is hidden but for its last two characters.
        full: Whether it is shown whole.

    Returns:
        In Persian digits: ۰۹۱۲•••۴۵۶۷, or whole ۰۹۱۲ ۱۲۳ ۴۵۶۷.
    """
    try:
        shown = phone_text(phone)
    except phonenumbers.NumberParseException:
        return to_persian_digits(phone if full else _DOTS + phone[-2:])
    if full:
        return shown
    digits = "".join(character for character in shown if character.isdigit())
    head = digits[:_MASKED_HEAD] if len(digits) > _MASKED_HEAD + _SHOWN_AT_END + 2 else ""
    return head + _DOTS + digits[-min(_SHOWN_AT_END, len(digits) // 2) :]


def hide_phones(text: str) -> str:
    """Masks the phone numbers that somebody wrote within a text.

    Args:
        text: Plain text.

    Returns:
        The text with numbers as `masked_phone` writes them.
    """
    hidden, position = [], 0
    for match in find_phones(text):
        hidden += [text[position : match.start], masked_phone(match.value)]
        position = match.end
    return "".join([*hidden, text[position:]])


def _is_reachable(number: phonenumbers.PhoneNumber) -> bool:
    if not phonenumbers.is_valid_number(number):
        return False
    national = phonenumbers.national_significant_number(number)
    return number.country_code != _IRAN or len(national) == _IRANIAN_NATIONAL_LENGTH


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
