"""Records that may be one person are found and compared before somebody joins them."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from crm_store.conversations.service import customer_of
from crm_store.customers.duplicates import alike, disputes, preview, shared_phones
from crm_store.customers.linking import link_by_proof
from crm_store.customers.merging import merge
from crm_store.customers.models import KEPT_APART, Customer
from crm_store.customers.service import add_phone
from crm_store.customers.settling import settle
from crm_store.db import Database
from crm_store.errors import InvalidInput, NotFound
from tests.factories import a_complaint, a_conversation

PHONE = "+989121234567"


def imported(session: Session, name: str = "سارا احمدی", **columns: str) -> Customer:
    """A record from a list, with the number."""
    customer = Customer(full_name=name, source="import", **columns)
    session.add(customer)
    session.flush()
    add_phone(session, customer_id=customer.id, phone=PHONE)
    return customer


def test_a_number_of_several_records_is_listed_until_they_are_joined(database: Database) -> None:
    with database.write() as session:
        one, other = imported(session), imported(session, "س. احمدی")
        add_phone(session, customer_id=one.id, phone="09350000000")
        (shared,) = shared_phones(session)
        assert (shared.phone, [who.id for who in shared.customers]) == (PHONE, [one.id, other.id])
        assert [who.id for who in alike(session, customer_id=other.id)] == [one.id]
        merge(session, into_id=one.id, from_id=other.id, actor="operator")
        assert shared_phones(session) == []
        assert alike(session, customer_id=one.id) == []


def test_what_a_person_kept_apart_is_not_listed_again(database: Database) -> None:
    with database.write() as session:
        chats = [a_conversation(session) for _ in range(2)]
        for chat in chats:
            assert chat.identity_id is not None
            link_by_proof(session, identity_id=chat.identity_id, phone=PHONE)
        (dispute,) = disputes(session)
        assert (dispute.holder.id, dispute.claimant.id) == tuple(customer_of(chat) for chat in chats)
        assert len(shared_phones(session)) == 1
        settle(session, conflict_id=dispute.conflict.id, decision=KEPT_APART, actor="operator")
        assert disputes(session) == []
        assert shared_phones(session) == []


def test_the_preview_says_which_record_stays_and_what_it_gets(database: Database) -> None:
    with database.write() as session:
        older = imported(session, external_ref="A-1", address="ونک")
        chat = a_conversation(session)
        own = session.get_one(Customer, customer_of(chat))
        own.address = "آزادی"
        a_complaint(session, chat)
        found = preview(session, one_id=older.id, other_id=own.id)
        assert (found.into.customer.id, found.joined.customer.id) == (own.id, older.id)
        assert (found.filled, found.differing) == (["full_name", "external_ref"], ["address"])
        assert (found.into.complaints, found.joined.complaints) == (1, 0)
        assert found.into.accounts == [("telegram", "سارا")]


def test_what_cannot_be_joined_is_not_previewed(database: Database) -> None:
    with database.write() as session:
        one, other = imported(session), imported(session)
        with pytest.raises(InvalidInput):
            preview(session, one_id=one.id, other_id=one.id)
        with pytest.raises(NotFound):
            preview(session, one_id=one.id, other_id=10**9)
        merge(session, into_id=one.id, from_id=other.id, actor="operator")
        with pytest.raises(InvalidInput):
            preview(session, one_id=one.id, other_id=other.id)
