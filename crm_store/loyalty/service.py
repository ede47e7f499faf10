"""The club at large: who belongs to it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from crm_store.loyalty.balance import accounts_of


def is_member(session: Session, *, customer_id: int) -> bool:
    """Whether points were ever booked for a customer, or could be: there is an account."""
    return bool(accounts_of(session, customer_id=customer_id))
