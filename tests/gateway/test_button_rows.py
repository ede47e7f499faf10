"""Where buttons stand below a message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crm_store.conversations import service as conversations
from crm_store.outbox import enqueue_message
from tests.factories import a_conversation
from tests.gateway.conftest import Setup
from tests.gateway.test_documents import known_to_telegram


async def test_grades_stand_in_rows_from_right_to_left(setup: Setup) -> None:
    await known_to_telegram(setup, 7)

    def write(session: Any) -> None:
        chat = a_conversation(session, channel="telegram", chat_id="7")
        titles = [(str(grade), (grade - 1) // 4) for grade in range(1, 8)]
        buttons = conversations.issue_buttons(
            session,
            conversation_id=chat.id,
            buttons=[{"title": title, "payload": "/affirm", "row": row} for title, row in titles]
            + [{"title": "الان نه", "payload": "/deny"}],
            lifetime=timedelta(hours=1),
        )
        enqueue_message(session, conversation_id=chat.id, content={"text": "چند؟", "buttons": buttons})

    setup.write(write)
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
    rows = [[key["text"] for key in row] for row in message.inline_keyboard]
    assert rows == [["4", "3", "2", "1"], ["7", "6", "5"], ["الان نه"]]
