"""A customer's card: who this is, what is open, what was promised, what went wrong last."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.customers.models import Customer
from crm_store.errors import NotFound
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.people import standing_customer
from crm_store.overview.contacts import last_contacts
from crm_store.overview.flags import flags_of
from crm_store.overview.opinions import satisfaction_of
from crm_store.overview.parts import CustomerCard, Note, Points
from crm_store.overview.people import channels_of, consents_of, days_to_birthday, phones_of
from crm_store.overview.problems import last_problem
from crm_store.overview.promises import callbacks_of, handoff_of, open_tickets
from crm_store.overview.value import value_of
from crm_store.rules import Rules
from crm_store.staff.notes import note_rows

#: As many of each have room on a card; of the others it says how many there are.
MOST_TICKETS, MOST_NOTES, MOST_CONTACTS = 5, 5, 3
#: Notes that are counted at the most.
_NOTES_COUNTED = 50


def card_of(session: Session, *, customer_id: int, rules: Rules, now: datetime | None = None) -> CustomerCard:
    """A customer's card.

    Args:
        customer_id: any record of the person.

    Raises:
        NotFound: there is no such customer, or they were forgotten.
    """
    now = now or utcnow()
    customer = standing_customer(session, customer_id)
    if customer is None:
        raise NotFound("there is no such customer")
    tickets = open_tickets(session, customer_id=customer.id, now=now)
    channels = channels_of(session, customer_id=customer.id)
    notes = note_rows(session, customer_id=customer.id, limit=_NOTES_COUNTED)
    satisfaction = satisfaction_of(session, customer_id=customer.id)
    consents = consents_of(session, customer_id=customer.id)
    points = _points(session, customer, rules, now)
    return CustomerCard(
        customer_id=customer.id,
        name=customer.full_name or customer.display_name,
        display_name=customer.display_name,
        tier=customer.tier,
        since=customer.created_at,
        external_ref=customer.external_ref,
        address=customer.address,
        preferred_channel=customer.preferred_channel,
        preferred_time=customer.preferred_time,
        birthday=customer.birthday,
        birthday_in=days_to_birthday(customer.birthday, now.astimezone(ZoneInfo(rules.timezone)).date()),
        phones=phones_of(session, customer_id=customer.id),
        channels=channels,
        points=points,
        value=value_of(session, customer_id=customer.id, now=now),
        satisfaction=satisfaction,
        tickets=tickets[:MOST_TICKETS],
        tickets_more=max(0, len(tickets) - MOST_TICKETS),
        callbacks=callbacks_of(session, customer_id=customer.id, now=now),
        contacts=last_contacts(session, customer_id=customer.id, channels=channels)[:MOST_CONTACTS],
        last_problem=last_problem(session, customer_id=customer.id),
        consents=consents,
        notes=[
            Note(row.note.id, row.note.text, row.author, row.note.is_pinned, row.note.created_at)
            for row in notes[:MOST_NOTES]
        ],
        notes_more=max(0, len(notes) - MOST_NOTES),
        handoff=handoff_of(session, customer_id=customer.id, now=now),
        flags=flags_of(
            session,
            customer=customer,
            tickets=tickets,
            channels=channels,
            satisfaction=satisfaction,
            consents=consents,
            points=points,
            rules=rules,
            now=now,
        ),
    )


def _points(session: Session, customer: Customer, rules: Rules, now: datetime) -> Points:
    if not rules.business.loyalty.is_on:
        return Points(0, 0, 0, None)
    soon = timedelta(days=rules.business.loyalty.expiring_soon_days)
    balance = balance_of(session, customer_id=customer.id, soon=soon, now=now)
    return Points(balance.points, balance.debt, balance.expiring_soon, balance.expires_first_at)
