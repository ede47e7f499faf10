"""Masking: what tells who somebody is, or what exactly they said about money, replaced by stand-ins.

A stand-in is of the same kind as what it stands for (a phone number for a phone number, as many digits for a
number), so whatever reads the text afterwards finds the same kinds in the same places. Names are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crm_store.persian.codes import find_tracking_codes
from crm_store.persian.digits import to_persian_digits
from crm_store.persian.orders import find_order_numbers
from crm_store.persian.phones import find_phones

#: Stand-ins: a number that is valid and nobody's in particular, a code with a right check digit.
PHONE, CODE = "09120000000", "12345679"
EMAIL, URL, MENTION = "name@example.com", "https://example.com", "@name"
_DIGITS = "1234567890"
#: A single run of so many digits tells something; shorter ones are counts, hours and ratings.
_TELLING_RUN = 4
#: So many digits in several runs may be a number that is written with gaps.
_TELLING_SEQUENCE = 6

_ADDRESSES = re.compile(
    r"(?P<email>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    r"|(?P<url>https?://\S+|(?<![\w.@])(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?:/\S*)?)"
    r"|(?P<mention>(?<![\w@])@[A-Za-z0-9_]+)"
)
_ADDRESS_STAND_INS = {"email": EMAIL, "url": URL, "mention": MENTION}
_DATE = re.compile(r"(?<!\d)\d{1,4}([/.-])\d{1,2}\1\d{1,4}(?!\d)")
_SEQUENCE = re.compile(r"\d+(?:[\s.,/_\u066b\u066c\u200c\u2010-\u2015-]{1,3}\d+)*")
_RUN = re.compile(r"\d+")
# Read as it is typed: with Arabic ي and ك, with or without spaces.
_MONEY = re.compile(
    r"[\s\u200c]*(?:و[\s\u200c]*نیم[\s\u200c]*)?"
    r"(?:هزار|میل[یي]ون|مل[یي]ون|م[یي]ل[یي]ارد|تومن|تومان|ر[یي]ال|دلار|hezar|mil+i?[oy]+n|toman|tuman|tomeni?|rial|\$)",
    re.IGNORECASE,
)


def mask_particulars(text: str) -> str:
    """Replaces phone numbers, codes, order numbers, addresses, dates, amounts and other long numbers.

    Args:
        text: What somebody typed.

    Returns:
        The text with stand-ins, digits in the script in which they were typed; masking it again changes
        nothing.
    """
    masked, position = [], 0
    for start, end, stand_in in _without_overlaps(_spans(text)):
        masked += [text[position:start], stand_in]
        position = end
    return "".join([*masked, text[position:]])


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """What is to be replaced, and by what; of two that overlap the first one counts."""
    for address in _ADDRESSES.finditer(text):
        yield *address.span(), _ADDRESS_STAND_INS[str(address.lastgroup)]
    for phone in find_phones(text):
        yield phone.start, phone.end, _in_script_of(text[phone.start : phone.end], PHONE)
    for code in find_tracking_codes(text):
        yield code.start, code.end, _in_script_of(text[code.start : code.end], CODE)
    for order in find_order_numbers(text):
        yield order.start, order.end, _count_up(text[order.start : order.end])
    for date in _DATE.finditer(text):
        yield *date.span(), _new_year(date.group(), date[1])
    for sequence in _SEQUENCE.finditer(text):
        if _tells(sequence.group()) or _MONEY.match(text, sequence.end()):
            yield *sequence.span(), _count_up(sequence.group())


def _without_overlaps(spans: Iterator[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    taken: list[tuple[int, int, str]] = []
    for start, end, stand_in in spans:
        if not any(start < other_end and other_start < end for other_start, other_end, _ in taken):
            taken.append((start, end, stand_in))
    return sorted(taken)


def _tells(numbers: str) -> bool:
    runs = [len(run) for run in _RUN.findall(numbers)]
    return max(runs) >= _TELLING_RUN or sum(runs) >= _TELLING_SEQUENCE


def _count_up(numbers: str) -> str:
    """The same shape, with each run of digits counting up from one."""

    def counted(run: re.Match[str]) -> str:
        digits = (_DIGITS * (len(run.group()) // len(_DIGITS) + 1))[: len(run.group())]
        return _in_script_of(run.group(), digits)

    return _RUN.sub(counted, numbers)


def _new_year(date: str, separator: str) -> str:
    """The first day of a year in the same shape, so that it is still a date."""
    lengths = [len(part) for part in date.split(separator)]
    year = "1400" if max(lengths) > 2 else "01"
    parts = ["01", "01", year] if lengths[2] > 2 else [year, "01", "01"]
    return _in_script_of(date, separator.join(parts))


def _in_script_of(written: str, stand_in: str) -> str:
    digit = next((character for character in written if character.isdigit()), "0")
    return stand_in if digit.isascii() else to_persian_digits(stand_in)
