"""Finds the customers whom rows of a customer list are about, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from crm_store.customers.columns import Record, Rejected
from crm_store.customers.models import ChannelIdentity, ContactPoint, Customer

#: `Customer.source` of a customer whom an import brought, a shop's order, or a call that the staff took.
IMPORT, PURCHASE, STAFF = "import", "purchase", "staff"


@dataclass
class Known:
    """The customers whom a batch's rows may be about.

    Attributes:
        by_phone: by E.164; only phones that an account has proven, or that an import or a purchase brought.
        by_ref: by `external_ref`.
        with_account: ids of those who have an account on a channel.
    """

    by_phone: dict[str, Customer]
    by_ref: dict[str, Customer]
    with_account: set[int]

    def customer_of(self, record: Record) -> Customer | None:
        """The customer whom a row is about; None when nobody is known by it.

        Raises:
            Rejected: the row would mix two customers.
        """
        of_phone = self.by_phone.get(record.phone)
        of_ref = self.by_ref.get(record.external_ref) if record.external_ref else None
        if of_phone is None or of_phone is of_ref:
            return of_ref
        if of_ref is not None:
            raise Rejected("ref_of_another", value=record.external_ref)
        if record.external_ref and of_phone.external_ref:
            raise Rejected("phone_of_another", value=of_phone.external_ref)
        return of_phone

    def give_up(self, phone: str, customer: Customer) -> None:
        """A phone no longer leads to a customer."""
        if self.by_phone.get(phone) is customer:
            del self.by_phone[phone]


def known_customers(session: Session, records: Sequence[Record]) -> Known:
    """Look up a batch with a handful of queries."""
    by_phone = _by_phone(session, [record.phone for record in records])
    by_ref = _by_ref(session, [record.external_ref for record in records if record.external_ref])
    standing = _standing(session, [*by_phone.values(), *by_ref.values()])
    ids = [customer.id for customer in standing.values()]
    accounts = select(ChannelIdentity.customer_id).where(ChannelIdentity.customer_id.in_(ids)).distinct()
    return Known(
        by_phone=_standing_only(by_phone, standing),
        by_ref=_standing_only(by_ref, standing),
        with_account=set(session.scalars(accounts)) if ids else set(),
    )


def customer_of_phone(session: Session, *, phone: str) -> Customer | None:
    """Whose a phone (E.164) is, as far as the business may go by it; None when nobody is known by it."""
    by_phone = _by_phone(session, [phone])
    return _standing_only(by_phone, _standing(session, by_phone.values())).get(phone)


def _by_phone(session: Session, phones: Iterable[str]) -> dict[str, Customer]:
    has_account = select(ChannelIdentity.id).where(ChannelIdentity.customer_id == Customer.id).exists()
    rows = session.execute(
        select(ContactPoint.value, Customer)
        .join(Customer, ContactPoint.customer_id == Customer.id)
        .where(
            ContactPoint.kind == "phone",
            ContactPoint.value.in_(phones),
            # What an account typed proves nothing: anybody can type anybody's number.
            or_(
                ContactPoint.proven_at.is_not(None),
                and_(Customer.source.in_((IMPORT, PURCHASE, STAFF)), ~has_account),
            ),
        )
        .order_by(ContactPoint.proven_at.is_(None), ContactPoint.id)  # a proof wins
    )
    found: dict[str, Customer] = {}
    for phone, customer in rows:
        found.setdefault(phone, customer)
    return found


def _by_ref(session: Session, refs: Sequence[str]) -> dict[str, Customer]:
    if not refs:
        return {}
    customers = select(Customer).where(Customer.external_ref.in_(refs)).order_by(Customer.id)
    found: dict[str, Customer] = {}
    for customer in session.scalars(customers):
        found.setdefault(customer.external_ref, customer)
    return found


def _standing(session: Session, customers: Iterable[Customer]) -> dict[int, Customer]:
    """By id the customer that stands for it: the record itself, or the one it was joined to."""
    found = {customer.id: customer for customer in customers}
    while joined_to := {customer.merged_into_id for customer in found.values()} - {None} - found.keys():
        found |= {
            customer.id: customer
            for customer in session.scalars(select(Customer).where(Customer.id.in_(joined_to)))
        }
    return {id_: _end_of(customer, found) for id_, customer in found.items()}


def _end_of(customer: Customer, found: Mapping[int, Customer]) -> Customer:
    while customer.merged_into_id is not None:
        customer = found[customer.merged_into_id]
    return customer


def _standing_only(found: Mapping[str, Customer], standing: Mapping[int, Customer]) -> dict[str, Customer]:
    customers = {key: standing[customer.id] for key, customer in found.items()}
    return {key: customer for key, customer in customers.items() if customer.erased_at is None}
