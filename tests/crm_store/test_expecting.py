"""Which question of ours a message may answer: the last thing that we said, or what the staff wait for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business import Surveys
from crm_store.complaints.following import answer_question, confirm_solved, withdraw
from crm_store.complaints.models import CLOSED
from crm_store.complaints.resolution import resolve
from crm_store.complaints.states import move as close
from crm_store.complaints.working import ask_customer, write_to_customer
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import add_message, customer_of, open_conversation
from crm_store.db import Database
from crm_store.outbox import OutboxItem, enqueue_message, enqueue_notice
from crm_store.rules import Rules
from crm_store.service_requests.states import move
from crm_store.service_requests.telling import described
from crm_store.staff.models import StaffFocus
from crm_store.tickets.expecting import ANSWER, IF_LEFT, RATING, SOLVED, VISIT, Expected, expected_in
from tests.factories import RULES, a_complaint, a_conversation, a_group, a_member, an_inbox_id
from tests.factories.notices import notices_to
from tests.factories.tickets import a_request_row, a_window

DECISION: dict[str, Any] = {"root_cause": "carrier", "explanation": "دیر رسید.", "role": "admin"}


def is_sent(session: Session, item: OutboxItem) -> None:
    """A row of the outbox left, as the relay notes it."""
    session.flush()
    item.state = "sent"
    add_message(session, conversation_id=item.conversation_id, author="bot", text="...", outbox_id=item.id)
    session.flush()


def all_sent(session: Session, chat: Conversation) -> None:
    """Every notice that waits left, in order."""
    for item in notices_to(session, chat.id):
        if item.state == "pending":
            is_sent(session, item)


def says(session: Session, chat: Conversation, text: str = "ممنون") -> None:
    """The customer writes something."""
    add_message(
        session,
        conversation_id=chat.id,
        author="customer",
        text=text,
        inbox_id=an_inbox_id(session, chat),
    )


def is_answered(session: Session, chat: Conversation) -> None:
    """The dialogue says something."""
    content = {"text": "خواهش می‌کنم", "buttons": []}
    is_sent(session, enqueue_message(session, conversation_id=chat.id, content=content))


def expected(session: Session, chat: Conversation) -> Expected | None:
    return expected_in(session, conversation_id=chat.id)


@pytest.mark.parametrize("decision", ["upheld", "partly_upheld", "rejected"])
def test_after_a_decision_it_is_asked_whether_it_is_solved(database: Database, decision: str) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        resolve(session, complaint, **DECISION, decision=decision, actor="operator", rules=RULES)
        all_sent(session, chat)
        assert expected(session, chat) == Expected(SOLVED, complaint.code, is_latest=True)


def test_a_notice_that_has_not_left_yet_asks_nothing(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        resolve(session, complaint, **DECISION, decision="upheld", actor="operator", rules=RULES)
        assert expected(session, chat) is None


def test_what_the_customer_writes_leaves_a_question_open_and_what_we_say_closes_it(
    database: Database,
) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        resolve(session, complaint, **DECISION, decision="upheld", actor="operator", rules=RULES)
        all_sent(session, chat)
        says(session, chat)
        assert expected(session, chat) == Expected(SOLVED, complaint.code, is_latest=True)
        is_answered(session, chat)
        assert expected(session, chat) is None


def test_the_question_of_the_decision_that_was_told_last_counts(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        first, second = a_complaint(session, chat), a_complaint(session, chat)
        for complaint in (second, first):
            resolve(session, complaint, **DECISION, decision="upheld", actor="operator", rules=RULES)
        all_sent(session, chat)
        assert expected(session, chat) == Expected(SOLVED, first.code, is_latest=True)


def test_a_question_of_the_staffs_stays_open_until_it_is_answered(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        where: dict[str, Any] = {"customer_id": customer_of(chat), "code": complaint.code, "rules": RULES}
        ask_customer(session, complaint, text="چه رنگی بود؟", actor="operator", rules=RULES)
        all_sent(session, chat)
        assert expected(session, chat) == Expected(ANSWER, complaint.code, is_latest=True)
        says(session, chat, "ساعت کارتون چیه")
        is_answered(session, chat)
        assert expected(session, chat) == Expected(ANSWER, complaint.code, is_latest=False)
        answer_question(session, **where, text="آبی", inbox_id=an_inbox_id(session, chat))
        assert expected(session, chat) is None


def test_a_reminder_of_the_question_makes_it_the_latest_again(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        ask_customer(session, complaint, text="چه رنگی بود؟", actor="operator", rules=RULES)
        all_sent(session, chat)
        is_answered(session, chat)
        enqueue_notice(
            session,
            conversation_id=chat.id,
            response="utter_complaint_question_reminder",
            idempotency_key="again",
            params={"ticket": complaint.code},
        )
        all_sent(session, chat)
        assert expected(session, chat) == Expected(ANSWER, complaint.code, is_latest=True)


def test_of_two_open_questions_the_younger_one_is_answered(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        first, second = a_complaint(session, chat), a_complaint(session, chat)
        for complaint in (second, first):
            ask_customer(session, complaint, text="چه رنگی بود؟", actor="operator", rules=RULES)
        all_sent(session, chat)
        is_answered(session, chat)
        assert expected(session, chat) == Expected(ANSWER, first.code, is_latest=False)


def test_a_complaint_that_is_over_waits_for_no_answer(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        ask_customer(session, complaint, text="چه رنگی بود؟", actor="operator", rules=RULES)
        all_sent(session, chat)
        is_answered(session, chat)
        withdraw(
            session,
            customer_id=customer_of(chat),
            code=complaint.code,
            inbox_id=an_inbox_id(session, chat),
            rules=RULES,
        )
        assert expected(session, chat) is None


def test_the_same_customer_may_answer_in_another_chat(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        ask_customer(session, complaint, text="چه رنگی بود؟", actor="operator", rules=RULES)
        all_sent(session, chat)
        other = open_conversation(session, channel="bale", chat_id="77", identity=chat.identity)
        assert expected(session, other) == Expected(ANSWER, complaint.code, is_latest=False)


def test_nobody_else_is_asked(database: Database) -> None:
    with database.write() as session:
        chat, stranger = a_conversation(session), a_conversation(session)
        group, _ = a_group(session)
        complaint = a_complaint(session, chat)
        ask_customer(session, complaint, text="چه رنگی بود؟", actor="operator", rules=RULES)
        all_sent(session, chat)
        assert expected(session, stranger) is None
        assert expected(session, group) is None
        assert expected_in(session, conversation_id=10**6) is None


def test_a_message_of_the_staffs_asks_nothing(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        resolve(session, complaint, **DECISION, decision="upheld", actor="operator", rules=RULES)
        all_sent(session, chat)
        write_to_customer(session, complaint, text="فاکتور را فرستادیم.", actor="operator", rules=RULES)
        all_sent(session, chat)
        assert expected(session, chat) is None


def test_what_was_answered_by_button_is_not_asked_any_more(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        resolve(session, complaint, **DECISION, decision="upheld", actor="operator", rules=RULES)
        all_sent(session, chat)
        where: dict[str, Any] = {"customer_id": customer_of(chat), "code": complaint.code, "rules": RULES}
        confirm_solved(session, **where, inbox_id=an_inbox_id(session, chat))
        is_answered(session, chat)
        assert expected(session, chat) is None


@pytest.mark.parametrize(
    ("response", "what"), [("utter_visit_reminder", VISIT), ("utter_visit_done", RATING)]
)
def test_a_reminder_asks_whether_the_time_suits_and_a_visit_that_was_done_for_a_grade(
    database: Database, response: str, what: str
) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        request = a_request_row(session, chat, window_id=a_window(session, utcnow()).id, state="scheduled")
        params = described(request, RULES, utcnow())
        enqueue_notice(
            session, conversation_id=chat.id, response=response, idempotency_key="1", params=params
        )
        all_sent(session, chat)
        assert expected(session, chat) == Expected(what, request.code, is_latest=True)


def test_the_notice_of_a_visit_that_was_done_is_the_one_that_is_known(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        request = a_request_row(session, chat, window_id=a_window(session, utcnow()).id, state="on_the_way")
        # Where no survey follows: with one, it is the survey that asks.
        unasked = Rules(msgspec.structs.replace(RULES.business, surveys=Surveys()))
        move(session, request, to="done", actor="operator", rules=unasked)
        all_sent(session, chat)
        assert expected(session, chat) == Expected(RATING, request.code, is_latest=True)


def test_a_reply_of_the_dialogue_says_itself_what_it_asks(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        content = {"text": "آیا مشکل حل شد؟", "expects": {"what": "solved", "ticket": "12345678"}}
        is_sent(session, enqueue_message(session, conversation_id=chat.id, content=content))
        assert expected(session, chat) == Expected(SOLVED, "12345678", is_latest=True)
        is_answered(session, chat)
        assert expected(session, chat) is None


@pytest.mark.parametrize(
    "expects", [None, {}, {"what": "?", "ticket": "1"}, {"what": "rating", "ticket": ""}]
)
def test_a_reply_that_names_no_ticket_or_nothing_known_asks_nothing(
    database: Database, expects: dict[str, str] | None
) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        content = {"text": "؟", "expects": expects}
        is_sent(session, enqueue_message(session, conversation_id=chat.id, content=content))
        assert expected(session, chat) is None


def test_when_a_complaint_was_closed_it_may_still_be_said_that_it_is_not_solved(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        resolve(session, complaint, **DECISION, decision="upheld", actor="operator", rules=RULES)
        close(session, complaint, to=CLOSED, actor="system", rules=RULES)
        all_sent(session, chat)
        assert expected(session, chat) == Expected(IF_LEFT, complaint.code, is_latest=True)


def test_the_dialogue_is_told_in_plain_values() -> None:
    told = Expected(ANSWER, "12345678", is_latest=False).as_metadata()
    assert told == {"what": "answer", "ticket": "12345678", "is_latest": False}


def test_a_question_of_a_task_stays_open_behind_notices_until_something_is_typed(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        member = a_member(session, chat=chat)
        asks = {"text": "چه چیزی یادداشت کنم؟", "expects": {"what": "staff", "ticket": "text:7:note"}}
        says(session, chat, "یادداشت بذار")
        is_sent(session, enqueue_message(session, conversation_id=chat.id, content=asks))
        notice = {"response": "utter_staff_visit_gone", "idempotency_key": "gone:1"}
        is_sent(session, enqueue_notice(session, conversation_id=chat.id, **notice))
        says(session, chat, "عصرها زنگ بزنیم")
        # Who has begun no task is asked none of its questions.
        assert expected_in(session, conversation_id=chat.id) is None
        session.add(StaffFocus(conversation_id=chat.id, staff_id=member.id, data={}))
        session.flush()
        found = expected_in(session, conversation_id=chat.id)
        assert found == Expected("staff", "text:7:note", is_latest=True)
        says(session, chat, "یک چیز دیگر")
        assert expected_in(session, conversation_id=chat.id) is None


def test_an_answer_of_ours_closes_the_question_of_a_task(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        session.add(StaffFocus(conversation_id=chat.id, staff_id=a_member(session).id, data={}))
        asks = {"text": "؟", "expects": {"what": "staff", "ticket": "text:7:note"}}
        is_sent(session, enqueue_message(session, conversation_id=chat.id, content=asks))
        is_sent(session, enqueue_message(session, conversation_id=chat.id, content={"text": "کنار گذاشتمش."}))
        says(session, chat, "عصرها زنگ بزنیم")
        assert expected_in(session, conversation_id=chat.id) is None
