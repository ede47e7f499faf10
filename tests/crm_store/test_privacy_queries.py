from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.service import add_message, customer_of
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.outbox import SENT, enqueue_message, enqueue_notice
from crm_store.privacy.queries import (
    decided_before,
    has_phone,
    open_cases,
    something_told_since,
    words_of,
)
from crm_store.privacy.service import record_consent
from crm_store.service_requests.models import ServiceRequest
from tests.factories import a_conversation, an_inbox_id
from tests.factories.person import MINA, seed


def test_the_decision_before_a_message_leaves_that_message_out(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        customer = customer_of(conversation)
        first, second = (an_inbox_id(session, conversation) for _ in range(2))
        assert decided_before(session, customer_id=customer, inbox_id=first) is None
        for inbox_id, granted in ((first, True), (second, False)):
            record_consent(
                session,
                customer_id=customer,
                granted=granted,
                text="لغو ۱۱",
                channel="telegram",
                inbox_id=inbox_id,
            )
        assert decided_before(session, customer_id=customer, inbox_id=first) is False
        assert decided_before(session, customer_id=customer, inbox_id=second) is True


def test_what_staff_wrote_down_counts_as_a_decision_before(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        customer = customer_of(conversation)
        record_consent(
            session, customer_id=customer, granted=False, text="تلفنی گفت", channel="", inbox_id=None
        )
        message = an_inbox_id(session, conversation)
        assert decided_before(session, customer_id=customer, inbox_id=message) is False


def test_a_phone_belongs_to_whoever_gave_it(database: Database) -> None:
    with database.write() as session:
        owner, other = (customer_of(a_conversation(session)) for _ in range(2))
        add_phone(session, customer_id=owner, phone="09123456789")
        assert has_phone(session, customer_id=owner, phone="+989123456789")
        assert not has_phone(session, customer_id=other, phone="+989123456789")


def test_what_would_end_are_complaints_and_requests_that_are_still_dealt_with(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        customer, other = customer_of(chat), customer_of(a_conversation(session))
        assert open_cases(session, customer_id=other) == (False, False)
        assert open_cases(session, customer_id=customer) == (True, True)
        session.query(Complaint).one().state = "closed"
        session.flush()
        assert open_cases(session, customer_id=customer) == (False, True)
        for request in session.query(ServiceRequest):
            request.state = "done"
        session.flush()
        assert open_cases(session, customer_id=customer) == (False, False)


def test_the_words_of_a_message_are_those_of_the_transcript(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        said, silent = (an_inbox_id(session, conversation) for _ in range(2))
        add_message(
            session, conversation_id=conversation.id, author="customer", text="بله، بفرستید", inbox_id=said
        )
        assert words_of(session, inbox_id=said) == "بله، بفرستید"
        assert words_of(session, inbox_id=silent) == ""


def test_a_notice_counts_as_told_since_only_when_it_left_after_the_answer(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        message = an_inbox_id(session, conversation)
        where: dict[str, Any] = {"conversation_id": conversation.id}
        answer = enqueue_message(session, **where, content={"text": "پاک کنم؟"}, inbox_id=message)
        before, after, waiting = (
            enqueue_notice(session, **where, response="utter_trouble", idempotency_key=f"n:{number}")
            for number in range(3)
        )
        session.flush()
        assert waiting.sent_at is None
        answer.state = before.state = SENT
        answer.sent_at = utcnow()
        before.sent_at = answer.sent_at - timedelta(seconds=1)
        session.flush()
        assert not something_told_since(session, **where, inbox_id=message)
        after.state, after.sent_at = SENT, answer.sent_at + timedelta(seconds=1)
        session.flush()
        assert something_told_since(session, **where, inbox_id=message)
