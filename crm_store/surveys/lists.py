"""Lists of phone numbers: whom of the customers they name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.customers.models import ContactPoint, Customer
from crm_store.persian import normalize_phone, to_ascii_digits


class Named(NamedTuple):
    """Who is named by a list.

    Attributes:
        customer_ids: in the list's order.
        unreadable: lines that are no phone number.
        unknown: numbers, E.164, that are nobody's, or of several who have not proven them.
    """

    customer_ids: list[int]
    unreadable: list[str]
    unknown: list[str]


def customers_named(session: Session, *, lines: Iterable[str]) -> Named:
    """The customers to whom phone numbers belong: whoever has proven one, else the only one who has it.

    Args:
        lines: a number each, in any digits and spelling; the first column where there are several, behind
            commas, semicolons or tabs. Empty lines and what follows a ``#`` are left out.
    """
    named = Named([], [], [])
    for line in lines:
        cell = _first_cell(line)
        if not cell:
            continue
        try:
            phone = normalize_phone(cell)
        except ValueError:
            named.unreadable.append(cell)
            continue
        found = _owner(session, phone)
        if found is None:
            named.unknown.append(phone)
        else:
            named.customer_ids.append(found)
    return named


def _first_cell(line: str) -> str:
    text = line.partition("#")[0].lstrip("\ufeff")
    for mark in (";", "\t"):
        text = text.replace(mark, ",")
    return to_ascii_digits(text.partition(",")[0]).strip()


def _owner(session: Session, phone: str) -> int | None:
    points = session.execute(
        select(ContactPoint.customer_id, ContactPoint.proven_at)
        .join(Customer, Customer.id == ContactPoint.customer_id)
        .where(
            ContactPoint.kind == "phone",
            ContactPoint.value == phone,
            Customer.merged_into_id.is_(None),
            Customer.erased_at.is_(None),
        )
        .order_by(ContactPoint.customer_id)
    ).all()
    proven = [customer_id for customer_id, proven_at in points if proven_at is not None]
    holders = proven or [customer_id for customer_id, _ in points]
    return holders[0] if len(holders) == 1 else None
