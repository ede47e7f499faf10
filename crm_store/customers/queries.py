"""Reading customers for those who deal with their cases."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.customers.models import ContactPoint


def phones_of_case(session: Session, *, customer_id: int, given_id: int | None) -> list[ContactPoint]:
    """A customer's phone numbers, newest first; the one that was given for a case comes before all.

    Args:
        given_id: the number that was given for the case, which may be another customer's by now.
    """
    own = session.scalars(
        select(ContactPoint)
        .where(ContactPoint.customer_id == customer_id, ContactPoint.kind == "phone")
        .order_by(ContactPoint.id.desc())
    ).all()
    # One condition for both would make SQLite look through all numbers that there are.
    given = session.get(ContactPoint, given_id) if given_id is not None else None
    others = [point for point in own if point.id != given_id]
    return [given, *others] if given is not None and given.kind == "phone" else others
