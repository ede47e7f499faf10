"""What a message tells about a complaint besides its story: category, order number, remedy, phone.

«نه، تحویل نبود، پرداخت بود» names two categories and denies one of them; what is denied does not count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from actions.answers import clause_after, is_denied, own_phone
from actions.texts import is_any_in, meant, words
from actions.turn import Found
from crm_store.complaints.drafting import CATEGORY, ORDER_NUMBER, REMEDY
from crm_store.persian import find_phones, to_ascii_digits

#: A category named so many times as often as the next one is what a story is about.
CLEARLY_MORE = 2
#: Most words between a place and the word that says something was bought there.
BOUGHT_WITHIN = 6

_NUMBER = re.compile(r"(?<![\w/-])(?=[\w/-]*\d)[A-Za-z0-9]+(?:[/_-][A-Za-z0-9]+)*(?![\w/-])")
_LONG_NUMBER = 3


@dataclass(frozen=True)
class Details:
    """What a message states; None where it states nothing, or nothing clear.

    Attributes:
        category: what it is about.
        is_category_corrected: one category is denied and another one named.
        order_number: in ASCII digits and capitals.
        remedy: one of ``crm_store.complaints.models.REMEDIES``.
        phone: the writer's own number (E.164).
    """

    category: str | None = None
    is_category_corrected: bool = False
    order_number: str | None = None
    remedy: str | None = None
    phone: str | None = None


def details_in(text: str, found: Iterable[Found]) -> Details:
    """Read what a text states.

    Args:
        text: what was typed.
        found: the entities in it, with their places.
    """
    entities = list(found)
    stated = [one for one in entities if not is_denied(text, one)]
    remedies = [one for one in entities if one.entity == REMEDY]
    has_number = any(one.entity == ORDER_NUMBER for one in entities)
    # «پولمو می‌خوام» names a wish; that «پول» is about payments does not make payment the subject.
    # Neither does the «فاکتور» that a number is named by.
    about = [
        one
        for one in stated
        if one.entity == CATEGORY
        and not _overlaps(one, remedies)
        and not _is_place_of_purchase(text, one)
        and not (has_number and _names_a_number(text, one))
    ]
    denied = {one.value for one in entities if one.entity == CATEGORY and one not in stated}
    category = _clearest(one.value for one in about if one.value not in denied)
    return Details(
        category=category,
        is_category_corrected=bool(denied) and category is not None,
        order_number=_only(one.value for one in stated if one.entity == ORDER_NUMBER),
        remedy=_last(one.value for one in stated if one.entity == REMEDY),
        phone=own_phone(text),
    )


def bare_numbers(text: str) -> list[str]:
    """Numbers that may be an order's: of three characters or more, or the only word of a text."""
    ascii_text = to_ascii_digits(text)
    phones = find_phones(text)
    found = [
        match.group().upper()
        for match in _NUMBER.finditer(ascii_text)
        if not any(phone.start <= match.start() < phone.end for phone in phones)
        and (len(match.group()) >= _LONG_NUMBER or match.group() == ascii_text.strip())
    ]
    return list(dict.fromkeys(found))


def _is_place_of_purchase(text: str, one: Found) -> bool:
    """Whether a category is only where something was bought: «از سایتتون گرفتم»."""
    before, after = words(text[: one.start])[-1:], words(clause_after(text, one.end))
    comes_from = bool(before) and is_any_in("complaints", "from", before[0])
    return comes_from and any(is_any_in("complaints", "buying", word) for word in after[:BOUGHT_WITHIN])


def _names_a_number(text: str, one: Found) -> bool:
    return meant("complaints", "numbered", text[one.start : one.end]) is not None


def _overlaps(one: Found, others: Iterable[Found]) -> bool:
    return any(one.start < other.end and other.start < one.end for other in others)


def _clearest(values: Iterable[str]) -> str | None:
    ranked = Counter(values).most_common(2)
    if len(ranked) == 2 and ranked[0][1] < CLEARLY_MORE * ranked[1][1]:
        return None
    return ranked[0][0] if ranked else None


def _only(values: Iterable[str]) -> str | None:
    different = set(values)
    return different.pop() if len(different) == 1 else None


def _last(values: Iterable[str]) -> str | None:
    return next(reversed(list(values)), None)
