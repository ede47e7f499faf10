"""A proven number joins what belongs to one person, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import timeline
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.linking import (
    LinkOutcome,
    confirm_phone,
    link_by_proof,
    open_conflicts,
    outcome_of,
)
from crm_store.customers.merging import keeper, merge
from crm_store.customers.models import ContactPoint, Customer, LinkConflict
from crm_store.customers.service import add_phone
from crm_store.customers.settling import settle
from crm_store.db import Database
from crm_store.errors import InvalidInput, NotFound
from crm_store.handoff import service as handoff
from crm_store.outbox import OutboxItem
from crm_store.privacy.models import Erasure
from tests.factories import a_complaint, a_conversation, an_inbox_id

PHONE = "+989121234567"


def an_import(session: Session, phone: str = PHONE, **fields: Any) -> Customer:
    """A record that the business had before, known by an unproven number."""
    customer = Customer(source="import", **fields)
    session.add(customer)
    session.flush()
    add_phone(session, customer_id=customer.id, phone=phone)
    return customer


def prove(session: Session, conversation: Conversation, phone: str = PHONE, **options: Any) -> LinkOutcome:
    assert conversation.identity_id is not None
    return link_by_proof(session, identity_id=conversation.identity_id, phone=phone, **options)


def point_of(session: Session, customer_id: int) -> ContactPoint:
    return session.scalars(select(ContactPoint).where(ContactPoint.customer_id == customer_id)).one()


def a_dispute(session: Session) -> tuple[Conversation, Conversation, LinkConflict]:
    """Two Telegram accounts that have proven one number; the second one is the claimant."""
    holder, claimant = a_conversation(session), a_conversation(session)
    prove(session, holder)
    assert prove(session, claimant).outcome == "conflict"
    return holder, claimant, open_conflicts(session)[-1]


def test_an_imported_customer_is_joined_once_the_number_is_proven(database: Database) -> None:
    with database.write() as session:
        imported = an_import(session, full_name="سارا محمدی", birthday=date(1991, 10, 7), external_ref="C-17")
        conversation = a_conversation(session)
        account = customer_of(conversation)
        message = an_inbox_id(session, conversation)
        assert prove(session, conversation, inbox_id=message) == LinkOutcome("joined", account)
        customer = session.get_one(Customer, account)
        assert (customer.full_name, customer.birthday) == ("سارا محمدی", date(1991, 10, 7))
        assert (customer.external_ref, customer.display_name) == ("C-17", "سارا")
        assert session.get_one(Customer, imported.id).merged_into_id == account
        point = point_of(session, account)
        assert (point.value, point.proven_by_id) == (PHONE, conversation.identity_id)
        assert point.proven_at is not None


def test_several_imported_records_of_a_number_are_all_joined(database: Database) -> None:
    with database.write() as session:
        imports = [an_import(session, full_name="سارا"), an_import(session, address="تهران، خیابان ولیعصر")]
        conversation = a_conversation(session)
        assert prove(session, conversation).outcome == "joined"
        customer = session.get_one(Customer, customer_of(conversation))
        assert (customer.full_name, customer.address) == ("سارا", "تهران، خیابان ولیعصر")
        assert {record.merged_into_id for record in imports} == {customer.id}


def test_a_typed_number_joins_nothing(database: Database) -> None:
    with database.write() as session:
        imported = an_import(session)
        add_phone(session, customer_id=customer_of(a_conversation(session)), phone=PHONE)
        assert imported.merged_into_id is None


def test_somebody_who_only_typed_the_number_is_not_joined(database: Database) -> None:
    with database.write() as session:
        typist = customer_of(a_conversation(session, channel="web"))
        add_phone(session, customer_id=typist, phone=PHONE)
        conversation = a_conversation(session)
        assert prove(session, conversation) == LinkOutcome("none", customer_of(conversation))
        assert session.get_one(Customer, typist).merged_into_id is None


def test_two_accounts_of_one_person_are_joined_into_the_older_record(database: Database) -> None:
    with database.write() as session:
        telegram, bale = a_conversation(session), a_conversation(session, channel="bale")
        older, newer = customer_of(telegram), customer_of(bale)
        filed = a_complaint(session, bale)
        called = an_inbox_id(session, bale)
        handoff.set_callback_phone(session, conversation_id=bale.id, phone=PHONE, inbox_id=called)
        callback = handoff.request_callback(
            session, conversation_id=bale.id, inbox_id=called, due_at=utcnow()
        )
        prove(session, telegram)
        assert prove(session, bale) == LinkOutcome("joined", older)
        assert {customer_of(telegram), customer_of(bale)} == {older}
        assert {filed.customer_id, callback.customer_id} == {older}
        assert session.get_one(ContactPoint, callback.contact_point_id).customer_id == older
        assert {entry.customer_id for entry in timeline(session, customer_id=older)} == {older}
        assert timeline(session, customer_id=newer) == []


def test_what_was_joined_can_be_told_apart_from_the_audit_trail(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        into = customer_of(conversation)
        other = a_conversation(session, channel="bale")
        complaint, joined, account = a_complaint(session, other).id, customer_of(other), other.identity_id
        add_phone(session, customer_id=into, phone=PHONE)
        add_phone(session, customer_id=joined, phone=PHONE)
        second = add_phone(session, customer_id=joined, phone="09351112233").id
        session.get_one(Customer, joined).address = "تهران، خیابان ولیعصر"
        merge(session, into_id=into, from_id=joined, actor="operator")
        merge(session, into_id=into, from_id=joined, actor="operator")
    with database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.merge")).one()
        assert (entry.actor, entry.target_id) == ("operator", str(into))
        moved = entry.detail["moved"]
        assert moved["complaints.customer_id"] == [complaint]
        assert moved["channel_identities.customer_id"] == [account]
        assert moved["contact_points.customer_id"] == [second]
        assert (entry.detail["from_id"], entry.detail["filled"]) == (joined, ["address"])
        # What was there twice stays where it was.
        kept = session.scalars(select(ContactPoint.customer_id).where(ContactPoint.value == PHONE)).all()
        assert sorted(kept) == sorted([into, joined])


def test_the_answers_of_the_account_outrank_those_of_a_file(database: Database) -> None:
    with database.write() as session:
        an_import(session, full_name="س محمدی")
        conversation = a_conversation(session)
        session.get_one(Customer, customer_of(conversation)).full_name = "سارا محمدی"
        prove(session, conversation)
        assert session.get_one(Customer, customer_of(conversation)).full_name == "سارا محمدی"


def test_a_number_of_another_account_of_the_same_channel_goes_to_a_person(database: Database) -> None:
    with database.write() as session:
        imported = an_import(session)
        holder, claimant = a_conversation(session), a_conversation(session)
        assert prove(session, holder).outcome == "joined"
        message = an_inbox_id(session, claimant)
        first = prove(session, claimant, inbox_id=message)
        (conflict,) = open_conflicts(session)
        assert first == LinkOutcome("conflict", customer_of(claimant), (conflict.id,))
        assert (conflict.identity_id, conflict.holder_id) == (claimant.identity_id, customer_of(holder))
        assert point_of(session, customer_of(claimant)).proven_at is None
        assert imported.merged_into_id == customer_of(holder)
        trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.link_conflict")).one()
        assert trail.target_id == str(conflict.id)


def test_the_same_message_and_a_second_one_open_no_second_conflict(database: Database) -> None:
    with database.write() as session:
        holder, claimant = a_conversation(session), a_conversation(session)
        prove(session, holder)
        message = an_inbox_id(session, claimant)
        prove(session, claimant, inbox_id=message)
    with database.write() as session:
        again = prove(session, claimant, inbox_id=message)
        assert again == LinkOutcome("conflict", customer_of(claimant))
        assert prove(session, claimant).opened == ()
        assert len(open_conflicts(session)) == 1


def test_a_disputed_number_is_proven_by_no_other_way(database: Database) -> None:
    with database.write() as session:
        _, claimant, _ = a_dispute(session)
        point = add_phone(session, customer_id=customer_of(claimant), phone=PHONE, proven=True)
        assert point.proven_at is None


def test_a_proof_of_long_ago_on_another_channel_goes_to_a_person(database: Database) -> None:
    with database.write() as session:
        holder, claimant = a_conversation(session, channel="bale"), a_conversation(session)
        prove(session, holder)
        assert prove(session, claimant, now=utcnow() + timedelta(days=181)).outcome == "conflict"


def test_a_proof_of_lately_on_another_channel_is_the_same_person(database: Database) -> None:
    with database.write() as session:
        holder, claimant = a_conversation(session, channel="bale"), a_conversation(session)
        prove(session, holder)
        assert prove(session, claimant, now=utcnow() + timedelta(days=179)).outcome == "joined"


def test_a_message_that_proves_again_finds_its_first_outcome(database: Database) -> None:
    with database.write() as session:
        an_import(session)
        conversation = a_conversation(session)
        message = an_inbox_id(session, conversation)
        prove(session, conversation, inbox_id=message)
        assert prove(session, conversation, inbox_id=message).outcome == "joined"
        known = outcome_of(session, customer_id=customer_of(conversation), inbox_id=message)
        assert known is not None
        assert known.outcome == "joined"
        assert outcome_of(session, customer_id=customer_of(conversation), inbox_id=message + 1) is None


def test_whoever_is_about_to_be_forgotten_is_not_joined(database: Database) -> None:
    with database.write() as session:
        imported = an_import(session)
        session.add(Erasure(customer_id=imported.id))
        session.flush()
        assert prove(session, a_conversation(session)).outcome == "none"


def test_an_erased_record_cannot_be_joined(database: Database) -> None:
    with database.write() as session:
        erased, other = Customer(erased_at=utcnow()), Customer()
        session.add_all([erased, other])
        session.flush()
        with pytest.raises(InvalidInput):
            merge(session, into_id=other.id, from_id=erased.id, actor="operator")


def test_the_oldest_record_with_an_account_stays(database: Database) -> None:
    with database.write() as session:
        imported = an_import(session)
        first, second = (customer_of(a_conversation(session)) for _ in range(2))
        assert keeper(session, customer_ids=[second, imported.id, first]) == first
        assert keeper(session, customer_ids=[imported.id]) == imported.id


def test_a_person_may_join_both_accounts(database: Database) -> None:
    with database.write() as session:
        holder, claimant, conflict = a_dispute(session)
        settle(session, conflict_id=conflict.id, decision="joined", actor="operator")
        settle(session, conflict_id=conflict.id, decision="joined", actor="operator")
        assert customer_of(holder) == customer_of(claimant)
        assert (conflict.state, conflict.settled_by, open_conflicts(session)) == ("joined", "operator", [])
        notice = session.scalars(select(OutboxItem)).one()
        assert (notice.conversation_id, notice.content["response"]) == (claimant.id, "utter_link_settled")


def test_a_number_that_changed_hands_is_the_claimants_with_what_was_imported_under_it(
    database: Database,
) -> None:
    with database.write() as session:
        holder, claimant, conflict = a_dispute(session)
        imported = an_import(session, full_name="رضا")
        settle(session, conflict_id=conflict.id, decision="moved", actor="operator")
        assert point_of(session, customer_of(holder)).proven_at is None
        assert point_of(session, customer_of(claimant)).proven_by_id == claimant.identity_id
        assert imported.merged_into_id == customer_of(claimant)


def test_a_number_kept_apart_stays_with_its_holder_also_when_it_is_sent_again(database: Database) -> None:
    with database.write() as session:
        holder, claimant, conflict = a_dispute(session)
        settle(session, conflict_id=conflict.id, decision="kept_apart", actor="operator")
        assert prove(session, claimant) == LinkOutcome("none", customer_of(claimant))
        assert point_of(session, customer_of(holder)).proven_at is not None
        assert point_of(session, customer_of(claimant)).proven_at is None
        assert open_conflicts(session) == []


def test_the_former_holder_who_proves_it_again_is_disputed_in_turn(database: Database) -> None:
    with database.write() as session:
        holder, _, conflict = a_dispute(session)
        settle(session, conflict_id=conflict.id, decision="moved", actor="operator")
        assert prove(session, holder).outcome == "conflict"


def test_a_settled_conflict_is_not_settled_differently(database: Database) -> None:
    with database.write() as session:
        _, _, conflict = a_dispute(session)
        settle(session, conflict_id=conflict.id, decision="joined", actor="operator")
        with pytest.raises(InvalidInput):
            settle(session, conflict_id=conflict.id, decision="kept_apart", actor="operator")
        with pytest.raises(InvalidInput):
            settle(session, conflict_id=conflict.id, decision="forgotten", actor="operator")
        with pytest.raises(NotFound):
            settle(session, conflict_id=conflict.id + 1, decision="joined", actor="operator")


def test_what_was_kept_apart_may_turn_out_to_be_one_person(database: Database) -> None:
    with database.write() as session:
        holder, claimant, conflict = a_dispute(session)
        settle(session, conflict_id=conflict.id, decision="kept_apart", actor="operator")
        settle(session, conflict_id=conflict.id, decision="joined", actor="operator")
        assert customer_of(holder) == customer_of(claimant)
        assert conflict.state == "joined"


def test_staff_may_vouch_for_a_number_where_the_chat_proves_none(database: Database) -> None:
    with database.write() as session:
        imported = an_import(session, full_name="سارا محمدی")
        web = a_conversation(session, channel="web", chat_id="visitor")
        outcome = confirm_phone(session, conversation_id=web.id, phone=PHONE, actor="operator")
        assert outcome == LinkOutcome("joined", customer_of(web))
        assert session.get_one(Customer, imported.id).merged_into_id == customer_of(web)
        assert point_of(session, customer_of(web)).proven_at is not None
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.actor == "operator")).all()
        assert "customer.phone_confirmed" in actions


def test_nobody_can_vouch_for_a_number_in_a_chat_that_is_no_customers(database: Database) -> None:
    with database.write() as session, pytest.raises(NotFound):
        confirm_phone(session, conversation_id=999, phone=PHONE, actor="operator")


def test_what_was_settled_differently_is_not_vouched_for(database: Database) -> None:
    with database.write() as session:
        _, claimant, conflict = a_dispute(session)
        settle(session, conflict_id=conflict.id, decision="kept_apart", actor="operator")
        with pytest.raises(InvalidInput):
            confirm_phone(session, conversation_id=claimant.id, phone=PHONE, actor="operator")


@pytest.mark.parametrize("side", [0, 1])
def test_nothing_is_settled_with_somebody_who_is_about_to_be_forgotten(database: Database, side: int) -> None:
    with database.write() as session:
        *chats, conflict = a_dispute(session)
        session.add(Erasure(customer_id=customer_of(chats[side])))
        session.flush()
        with pytest.raises(InvalidInput):
            settle(session, conflict_id=conflict.id, decision="joined", actor="operator")
        assert customer_of(chats[0]) != customer_of(chats[1])
