"""Finding customers by what the staff have at hand: a number, a code, an order, a name however spelt."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from crm_store.complaints.models import Complaint
from crm_store.customers.models import ENDING, ContactPoint, Customer
from crm_store.customers.naming import customers_named
from crm_store.loyalty.codes import read_code
from crm_store.loyalty.models import Redemption
from crm_store.persian import find_order_numbers, find_phones, find_tracking_codes, to_ascii_digits
from crm_store.purchases.models import Purchase
from crm_store.service_requests.models import ServiceRequest

#: What somebody was found by.
PHONE, CODE, ORDER, NAME = "phone", "code", "order", "name"
_EXACT, _PROVEN_FIRST, _ENDING = 100.0, 99.0, 90.0
#: Numbers of other systems and orders stand alone, with digits in them.
_NUMBER = re.compile(r"#?\s*(?=\S*[0-9])[^\s#]{1,100}")
_DIGITS = re.compile(r"[0-9]+")
_BETWEEN_DIGITS = re.compile(r"[\s\-\u200c\u2010-\u2015()]+")
_MOST_OF_A_KIND = 50

# Making statements takes longer than running them.
_OWNERS = (
    select(ContactPoint.customer_id, ContactPoint.proven_at)
    .where(ContactPoint.kind == "phone", ContactPoint.value.in_(bindparam("values", expanding=True)))
    .limit(_MOST_OF_A_KIND)
)
_PEOPLE = select(Customer).where(Customer.id.in_(bindparam("ids", expanding=True)))
_NUMBERS = (
    select(ContactPoint.customer_id, ContactPoint.value)
    .where(ContactPoint.customer_id.in_(bindparam("ids", expanding=True)), ContactPoint.kind == "phone")
    .order_by(ContactPoint.proven_at.is_(None), ContactPoint.id.desc())
)


class Found(msgspec.Struct, frozen=True):
    """A customer who was found.

    Attributes:
        customer_id: the record that stands for the person.
        name: as given, else as the messenger calls the account; empty for none.
        phone: E.164, the best one to call; empty for none.
        matched_by: ``phone``, ``code`` (of a ticket, a reward or another system), ``order`` or ``name``.
        score: 100 for an exact match.
        tier: empty for none.
    """

    customer_id: int
    name: str
    phone: str
    matched_by: str
    score: float
    tier: str


class _Match(msgspec.Struct, frozen=True):
    customer_id: int
    matched_by: str
    score: float


def find(session: Session, *, text: str, limit: int = 10) -> list[Found]:
    """Customers whom a text may mean, the best match first; joined records as the one that stands for them.

    Args:
        text: a phone, whole or its last four digits or more; a tracking code or a reward's; an order's
            number; or a name, in Persian or Latin letters, misspelt or not, whole or its beginning.
        limit: most that are given.
    """
    matches = [*_by_number(session, text)]
    if not matches:
        matches = [
            _Match(customer_id, NAME, score)
            for customer_id, score in customers_named(session, text=text, limit=limit)
        ]
    standing = _standing(session, {one.customer_id for one in matches})
    best: dict[int, _Match] = {}
    for match in matches:
        customer = standing.get(match.customer_id)
        known = best.get(customer.id) if customer is not None else None
        if customer is not None and (known is None or known.score < match.score):
            best[customer.id] = match
    order = sorted(best, key=lambda one: (-best[one].score, -one))[:limit]
    people = {one.id: one for one in standing.values() if one is not None}
    phones = _phones(session, order)
    return [
        Found(
            customer_id=one,
            name=people[one].full_name or people[one].display_name,
            phone=phones.get(one, ""),
            matched_by=best[one].matched_by,
            score=best[one].score,
            tier=people[one].tier,
        )
        for one in order
    ]


def _by_number(session: Session, text: str) -> Iterator[_Match]:
    """Whoever is named by a number or a code; by what says most, and only then by less."""
    phones = [phone.value for phone in find_phones(text)]
    if phones:
        yield from _of_phones(session, phones)
        return
    codes = [code.value for code in find_tracking_codes(text)]
    found = [*_of_codes(session, codes)] if codes else []
    reward = read_code(text)
    if reward is not None:
        owner = session.scalar(select(Redemption.customer_id).where(Redemption.code == reward))
        found += [_Match(owner, CODE, _EXACT)] if owner is not None else []
    yield from found
    if found:
        return
    yield from _of_orders(session, [order.value for order in find_order_numbers(text)])
    written = to_ascii_digits(text).strip()
    if _NUMBER.fullmatch(written):
        number = written.lstrip("#").strip()
        yield from _of_orders(session, [number, number.upper()])
        of_ref = select(Customer.id).where(Customer.external_ref == number).limit(_MOST_OF_A_KIND)
        yield from (_Match(one, CODE, _EXACT) for one in session.scalars(of_ref))
    digits = _BETWEEN_DIGITS.sub("", written)
    if _DIGITS.fullmatch(digits) and len(digits) >= ENDING:
        yield from _of_ending(session, digits)


def _of_phones(session: Session, phones: list[str]) -> Iterator[_Match]:
    rows = session.execute(_OWNERS, {"values": phones})
    for customer_id, proven_at in rows:
        yield _Match(customer_id, PHONE, _EXACT if proven_at is not None else _PROVEN_FIRST)


def _of_ending(session: Session, digits: str) -> Iterator[_Match]:
    rows = session.scalars(
        select(ContactPoint.customer_id)
        .where(
            ContactPoint.ending == digits[-ENDING:],
            ContactPoint.kind == "phone",
            ContactPoint.value.endswith(digits, autoescape=True),
        )
        .order_by(ContactPoint.proven_at.is_(None), ContactPoint.id.desc())
        .limit(_MOST_OF_A_KIND)
    )
    for place, customer_id in enumerate(rows):
        yield _Match(customer_id, PHONE, _ENDING - place / 100)


def _of_codes(session: Session, codes: list[str]) -> Iterator[_Match]:
    for model in (Complaint, ServiceRequest):
        for customer_id in session.scalars(select(model.customer_id).where(model.code.in_(codes))):
            yield _Match(customer_id, CODE, _EXACT)


def _of_orders(session: Session, numbers: list[str]) -> Iterator[_Match]:
    if not numbers:
        return
    for statement in (
        select(Purchase.customer_id).where(Purchase.order_id.in_(numbers)),
        select(Complaint.customer_id).where(Complaint.order_number.in_(numbers)),
    ):
        yield from (_Match(one, ORDER, _EXACT) for one in session.scalars(statement.limit(_MOST_OF_A_KIND)))


def _standing(session: Session, customer_ids: set[int]) -> dict[int, Customer | None]:
    """The records that stand for some customers; None for whoever was forgotten."""
    found: dict[int, Customer] = {}
    wanted = customer_ids
    while wanted:
        found |= {one.id: one for one in session.scalars(_PEOPLE, {"ids": sorted(wanted)})}
        wanted = {one.merged_into_id for one in found.values() if one.merged_into_id} - found.keys()
    standing: dict[int, Customer | None] = {}
    for customer_id in customer_ids & found.keys():
        head = found[customer_id]
        while head.merged_into_id is not None:
            head = found[head.merged_into_id]
        standing[customer_id] = head if head.erased_at is None else None
    return standing


def _phones(session: Session, customer_ids: list[int]) -> dict[int, str]:
    """The number to call each of some customers."""
    phones: dict[int, str] = {}
    for customer_id, value in session.execute(_NUMBERS, {"ids": customer_ids}) if customer_ids else ():
        phones.setdefault(customer_id, value)
    return phones
