from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone, best_phone, identify, mark_blocked
from crm_store.db import Database
from crm_store.errors import DraftIncomplete, InvalidInput, NotFound
from crm_store.handoff import service as handoff
from crm_store.handoff.models import CallbackRequest
from tests.factories import a_conversation, an_inbox_id

IN_TWO_DAYS = utcnow().replace(microsecond=0) + timedelta(days=2)


def test_a_typed_phone_is_kept_unproven_and_a_later_proof_stays(database: Database) -> None:
    with database.write() as session:
        customer = customer_of(a_conversation(session))
        typed = add_phone(session, customer_id=customer, phone="۰۹۱۲ ۳۴۵ ۶۷۸۹")
        assert (typed.value, typed.proven_at) == ("+989123456789", None)
        proven = add_phone(session, customer_id=customer, phone="+989123456789", proven=True)
        assert proven.id == typed.id
        assert add_phone(session, customer_id=customer, phone="09123456789").proven_at is not None


def test_a_proven_phone_is_called_before_a_newer_unproven_one(database: Database) -> None:
    with database.write() as session:
        customer = customer_of(a_conversation(session))
        add_phone(session, customer_id=customer, phone="09121111111", proven=True)
        add_phone(session, customer_id=customer, phone="09122222222")
        best = best_phone(session, customer_id=customer)
        assert best is not None
        assert best.value == "+989121111111"


def test_what_is_no_phone_is_refused(database: Database) -> None:
    with database.write() as session, pytest.raises(InvalidInput):
        add_phone(session, customer_id=customer_of(a_conversation(session)), phone="۱۲۳۴")


def test_an_account_that_blocked_the_bot_is_reachable_again_once_it_writes(database: Database) -> None:
    with database.write() as session:
        identify(session, channel="telegram", external_id="9")
        mark_blocked(session, channel="telegram", external_id="9")
    with database.write() as session:
        identity = identify(session, channel="telegram", external_id="9")
        assert identity.blocked_at is None


def test_a_callback_is_noted_once_however_often_its_turn_runs(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        offered, phoned = an_inbox_id(session, conversation), an_inbox_id(session, conversation)
        where = {"conversation_id": conversation.id}
        handoff.start_callback(session, **where, inbox_id=offered, topic="گارانتی")
        with pytest.raises(DraftIncomplete):
            handoff.request_callback(session, **where, inbox_id=phoned, due_at=IN_TWO_DAYS)
    noted = set()
    for later in range(3):
        with database.write() as session:
            handoff.set_callback_phone(session, **where, phone="09123456789", inbox_id=phoned)
            due_at = IN_TWO_DAYS + timedelta(hours=later)
            request = handoff.request_callback(session, **where, inbox_id=phoned, due_at=due_at)
            noted.add((request.id, request.due_at))
    assert [due_at for _, due_at in noted] == [IN_TWO_DAYS]
    with database.read() as session:
        assert [request.topic for request in handoff.open_callbacks(session)] == ["گارانتی"]


def noted(
    session: Session, conversation: Conversation, *, phone: str, due_at: datetime, topic: str = ""
) -> CallbackRequest:
    """A call-back of this conversation, asked for in one message."""
    message = an_inbox_id(session, conversation)
    where = {"conversation_id": conversation.id, "inbox_id": message}
    handoff.start_callback(session, **where, topic=topic)
    handoff.set_callback_phone(session, **where, phone=phone)
    return handoff.request_callback(session, **where, due_at=due_at)


def test_another_number_takes_the_place_of_the_first_and_the_promise_stays(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        first = noted(session, conversation, phone="09121111111", due_at=IN_TWO_DAYS, topic="گارانتی")
        in_a_week = IN_TWO_DAYS + timedelta(days=7)
        second = noted(session, conversation, phone="09122222222", due_at=in_a_week, topic="نشانی")
        assert (first.state, second.state, second.due_at) == ("replaced", "open", IN_TWO_DAYS)
        assert second.topic == "گارانتی\nنشانی"
        assert second.contact_point_id != first.contact_point_id
        waiting = handoff.open_callback(session, customer_id=customer_of(conversation))
        assert waiting is second
        assert handoff.promise_stands(second)


def test_a_promise_that_was_not_kept_is_given_anew(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        missed = noted(session, conversation, phone="09121111111", due_at=utcnow() - timedelta(minutes=1))
        assert not handoff.promise_stands(missed)
        again = noted(session, conversation, phone="09121111111", due_at=IN_TWO_DAYS)
        assert (again.id != missed.id, again.due_at) == (True, IN_TWO_DAYS)
        assert [request.id for request in handoff.open_callbacks(session)] == [again.id]


def test_calls_of_others_are_left_alone(database: Database) -> None:
    with database.write() as session:
        one, other = a_conversation(session), a_conversation(session)
        noted(session, one, phone="09121111111", due_at=IN_TWO_DAYS)
        assert handoff.open_callback(session, customer_id=customer_of(other)) is None
        noted(session, other, phone="09121111111", due_at=IN_TWO_DAYS)
        assert len(handoff.open_callbacks(session)) == 2


def test_a_cancelled_callback_cannot_be_noted(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        first, second = an_inbox_id(session, conversation), an_inbox_id(session, conversation)
        handoff.start_callback(session, conversation_id=conversation.id, inbox_id=first)
        handoff.cancel_callback(session, conversation_id=conversation.id, inbox_id=second)
        with pytest.raises(NotFound):
            handoff.request_callback(
                session, conversation_id=conversation.id, inbox_id=second, due_at=IN_TWO_DAYS
            )
