"""Whose points they are."""

from __future__ import annotations

from sqlalchemy.orm import Session

from crm_store.customers.models import Customer


def standing_customer(session: Session, customer_id: int) -> Customer | None:
    """The record that stands for a customer; None for whoever was forgotten."""
    customer = session.get(Customer, customer_id)
    while customer is not None and customer.merged_into_id is not None:
        customer = session.get(Customer, customer.merged_into_id)
    return customer if customer is not None and customer.erased_at is None else None
