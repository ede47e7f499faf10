"""A transcript is read backwards from its end, whispers included."""

from __future__ import annotations

import pytest

from crm_store.conversations.models import STAFF_ONLY
from crm_store.conversations.service import add_attachment, add_message
from crm_store.db import Database
from crm_store.errors import NotFound
from crm_store.transcripts.service import transcript
from tests.factories import a_conversation, a_member, an_inbox_id


def test_it_is_read_a_page_at_a_time_from_the_end(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        for number in range(5):
            add_message(session, conversation_id=chat.id, author="customer", text=f"{number}")
        page = transcript(session, conversation_id=chat.id, size=2)
        assert [line.message.text for line in page.lines] == ["3", "4"]
        assert page.next_before_seq == 4
        page = transcript(session, conversation_id=chat.id, before_seq=4, size=10)
        assert [line.message.text for line in page.lines] == ["0", "1", "2"]
        assert page.next_before_seq is None
        with pytest.raises(NotFound):
            transcript(session, conversation_id=4711)


def test_it_has_whispers_files_and_the_names_of_who_wrote(database: Database) -> None:
    with database.write() as session:
        chat, agent = a_conversation(session), a_member(session)
        row = an_inbox_id(session, chat)
        add_message(session, conversation_id=chat.id, author="customer", text="عکس", inbox_id=row)
        file = add_attachment(session, conversation_id=chat.id, inbox_id=row, kind="photo", path="a.jpg")
        whisper = add_message(session, conversation_id=chat.id, author=f"staff:{agent.id}", text="دیدم")
        whisper.audience = STAFF_ONLY
        page = transcript(session, conversation_id=chat.id)
        assert [line.attachments for line in page.lines] == [[file], []]
        assert page.names == {agent.id: agent.name}


def test_nothing_was_said_yet(database: Database) -> None:
    with database.write() as session:
        page = transcript(session, conversation_id=a_conversation(session).id)
        assert (page.lines, page.next_before_seq, page.names) == ([], None, {})
