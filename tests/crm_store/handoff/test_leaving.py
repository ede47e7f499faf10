"""While a person has a conversation the bot's notices wait, and nobody waits for them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from crm_store.conversations.models import STAFF_ONLY
from crm_store.conversations.queries import latest_numbers, lines_after
from crm_store.conversations.service import add_message, latest_message
from crm_store.db import Database
from crm_store.handoff import claiming, replying
from crm_store.outbox import EXPORT, SENT, OutboxItem, enqueue_notice, next_of, waiting_conversations
from crm_store.tickets.expecting import expected_in
from tests.factories import a_conversation
from tests.factories.handoff import DESK, MINUTE, NOON, a_key, a_wish, an_agent, says

SOON = NOON + 10 * MINUTE


def leaving(session: Session, conversation_id: int) -> list[str]:
    """What leaves a conversation one after another."""
    left = []
    while (item := next_of(session, conversation_id=conversation_id, now=SOON)) is not None:
        item.state = SENT
        left.append(item.content.get("response") or item.content["text"])
        session.flush()
    return left


def a_notice(session: Session, conversation_id: int, response: str, **how: object) -> OutboxItem:
    notice = enqueue_notice(
        session,
        conversation_id=conversation_id,
        response=response,
        idempotency_key=a_key(),
        due_at=NOON,
        **how,  # type: ignore[arg-type]
    )
    session.flush()
    return notice


def test_notices_wait_for_the_bot_and_others_pass_them(database: Database) -> None:
    with database.write() as session:
        agent, wish, other = an_agent(session), a_wish(session), a_conversation(session)
        chat = wish.conversation_id
        a_notice(session, chat, "utter_complaint_filed")
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent, "now": NOON}
        claiming.claim(session, rules=DESK, **how)
        a_notice(session, other.id, "utter_elsewhere")
        assert set(waiting_conversations(session, now=SOON)) == {chat, other.id}
        assert leaving(session, chat) == ["utter_handoff_joined"]
        assert waiting_conversations(session, now=SOON) == [other.id]
        replying.reply(session, text="سلام", key=a_key(), **how)
        a_notice(session, chat, "utter_file").kind = EXPORT
        session.flush()
        assert leaving(session, chat) == ["سلام", "utter_file"]
        replying.reply(session, text="خداحافظ", key=a_key(), **how)
        claiming.release(session, rules=DESK, **how)
        assert leaving(session, chat) == ["خداحافظ", "utter_handoff_released", "utter_complaint_filed"]


def test_customers_never_see_lines_that_are_for_the_staff(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session, channel="web")
        where: dict[str, Any] = {"channel": "web", "chat_id": chat.chat_id}
        said = says(session, chat.id, "سلام")
        held = add_message(
            session, conversation_id=chat.id, author="bot", text="پاسخ ربات", audience=STAFF_ONLY
        )
        assert held.seq == said.seq + 1
        assert [line.message.text for line in lines_after(session, seq=0, **where)] == ["سلام"]
        assert latest_numbers(session, channel="web", chat_ids=[chat.chat_id]) == {chat.chat_id: said.seq}
        assert latest_message(session, conversation_id=chat.id, author="bot") is None
        silent = a_conversation(session, channel="web")
        assert latest_numbers(session, channel="web", chat_ids=[silent.chat_id]) == {silent.chat_id: 0}


def test_after_a_persons_word_an_older_question_of_the_bot_is_not_open(database: Database) -> None:
    with database.write() as session:
        agent, wish = an_agent(session), a_wish(session)
        chat = wish.conversation_id
        asked = a_notice(session, chat, "utter_visit_reminder", params={"ticket": "12345679"})
        add_message(session, conversation_id=chat, author="bot", text="می‌آیید؟", outbox_id=asked.id)
        expected = expected_in(session, conversation_id=chat)
        assert expected is not None
        assert expected.what == "visit"
        how: dict[str, Any] = {"handoff_id": wish.id, "staff": agent, "now": NOON}
        claiming.claim(session, rules=DESK, **how)
        replying.whisper(session, conversation_id=chat, staff=agent, text="بپرسم؟", key=a_key(), now=NOON)
        assert expected_in(session, conversation_id=chat) is not None
        replying.reply(session, text="پول را پس بدهم؟", key=a_key(), **how)
        assert expected_in(session, conversation_id=chat) is None
