"""A survey's question is what a message may answer, until something else was said and until it is over."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import add_message
from crm_store.db import Database
from crm_store.outbox import OutboxItem, enqueue_message
from crm_store.surveys.answering import Reading, answer, skip
from crm_store.surveys.asking import look_at
from crm_store.surveys.models import SurveyInvitation
from crm_store.surveys.planning import plan_for_list
from crm_store.surveys.waiting import Waiting
from crm_store.tickets.expecting import Expected, expected_in
from tests.factories.surveys import a_customer, leave, rules_with

RULES = rules_with(quiet_from="00:00", quiet_until="00:00")


def asked(session: Session) -> tuple[Conversation, SurveyInvitation]:
    chat, customer = a_customer(session)
    (invitation,) = plan_for_list(session, key="by_hand", customer_ids=[customer], rules=RULES).planned
    assert look_at(session, invitation_id=invitation.id, rules=RULES, now=utcnow()) == "asked"
    told(session, chat)
    return chat, invitation


def told(session: Session, chat: Conversation) -> None:
    """Everything that waits was sent and stands in the transcript."""
    for item in session.scalars(
        select(OutboxItem).where(OutboxItem.state == "pending").order_by(OutboxItem.id)
    ):
        add_message(session, conversation_id=chat.id, author="bot", text="…", outbox_id=item.id)
    leave(session)


def test_a_survey_that_was_asked_waits_for_its_question(database: Database) -> None:
    with database.write() as session:
        chat, invitation = asked(session)
        expected = expected_in(session, conversation_id=chat.id)
        assert expected == Expected("survey", str(invitation.id), True, Waiting("nps", 0, 10))
        assert expected.as_metadata()["question"] == {"kind": "nps", "high": 10}


def test_it_stays_open_behind_whatever_was_said_since(database: Database) -> None:
    with database.write() as session:
        chat, _ = asked(session)
        enqueue_message(session, conversation_id=chat.id, content={"text": "ساعت ۹ تا ۵"})
        told(session, chat)
        expected = expected_in(session, conversation_id=chat.id)
        assert expected is not None
        assert (expected.what, expected.is_latest) == ("survey", False)


def test_a_low_grade_waits_for_its_reason(database: Database) -> None:
    with database.write() as session:
        chat, invitation = asked(session)
        reading = Reading(value=2)
        answer(
            session, invitation=invitation, question="recommend", reading=reading, inbox_id=None, rules=RULES
        )
        expected = expected_in(session, conversation_id=chat.id)
        assert expected is not None
        assert expected.question == Waiting("reason")


def test_a_survey_that_was_refused_waits_for_nothing(database: Database) -> None:
    with database.write() as session:
        chat, invitation = asked(session)
        skip(session, invitation=invitation)
        assert expected_in(session, conversation_id=chat.id) is None
