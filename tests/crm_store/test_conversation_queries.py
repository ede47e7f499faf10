"""Following conversations as they grow, on both databases."""

from __future__ import annotations

from crm_store import inbox
from crm_store.base import utcnow
from crm_store.conversations.queries import (
    latest_conversation,
    latest_numbers,
    lines_after,
    waits_for_answer,
)
from crm_store.conversations.service import add_message, customer_of
from crm_store.customers.models import ChannelIdentity
from crm_store.db import Database
from tests.factories import a_conversation, an_inbox_id


def test_only_the_lines_behind_a_number_come_with_what_they_were_written_for(database: Database) -> None:
    with database.write() as session:
        chat, other = a_conversation(session, channel="web"), a_conversation(session, channel="web")
        row = an_inbox_id(session, chat, client_id="c-1", text="سلام")
        add_message(session, conversation_id=chat.id, author="customer", text="سلام", inbox_id=row)
        add_message(session, conversation_id=chat.id, author="bot", text="درود")
        add_message(session, conversation_id=other.id, author="bot", text="برای دیگری")
    with database.read() as session:
        lines = lines_after(session, channel="web", chat_id=chat.chat_id, seq=0)
        later = lines_after(session, channel="web", chat_id=chat.chat_id, seq=1)
        elsewhere = lines_after(session, channel="telegram", chat_id=chat.chat_id, seq=0)
    assert [(line.message.text, line.incoming) for line in lines] == [
        ("سلام", {"client_id": "c-1", "text": "سلام"}),
        ("درود", {}),
    ]
    assert [line.message.seq for line in later] == [2]
    assert elsewhere == []


def test_the_latest_numbers_of_many_chats_come_together(database: Database) -> None:
    with database.write() as session:
        chat, empty = a_conversation(session, channel="web"), a_conversation(session, channel="web")
        add_message(session, conversation_id=chat.id, author="bot", text="درود")
    with database.read() as session:
        numbers = latest_numbers(session, channel="web", chat_ids=[chat.chat_id, empty.chat_id, "unknown"])
    assert numbers == {chat.chat_id: 1, empty.chat_id: 0}


def test_a_chat_waits_for_an_answer_until_its_message_is_finished(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session, channel="web")
        row = an_inbox_id(session, chat)
        assert waits_for_answer(session, channel="web", chat_id=chat.chat_id)
        assert not waits_for_answer(session, channel="telegram", chat_id=chat.chat_id)
        inbox.finish(session, inbox_id=row)
    with database.read() as session:
        assert not waits_for_answer(session, channel="web", chat_id=chat.chat_id)


def test_a_customer_is_reached_where_they_wrote_last(database: Database) -> None:
    with database.write() as session:
        older, newer = a_conversation(session), a_conversation(session, channel="web")
        session.get_one(ChannelIdentity, newer.identity_id).customer_id = customer_of(older)
        session.flush()
        where = {"customer_id": customer_of(older)}
        assert latest_conversation(session, **where) == newer.id
        add_message(session, conversation_id=older.id, author="customer", text="سلام")
        add_message(session, conversation_id=newer.id, author="bot", text="درود")
        assert latest_conversation(session, **where) == older.id
        for chat, left in ((older, newer.id), (newer, None)):
            session.get_one(ChannelIdentity, chat.identity_id).blocked_at = utcnow()
            session.flush()
            assert latest_conversation(session, **where) == left
