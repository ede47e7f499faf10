"""A complaint left half-told the day before is offered again, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints import drafting
from crm_store.conversations.models import Message
from crm_store.drafts import Draft
from tests.gateway.conftest import Setup


def left_behind(session: Session, setup: Setup) -> None:
    """A draft of the day before yesterday, in a chat where nobody has written since."""
    inbox_id = int(setup.rasa.turns[-1]["message_id"])
    told: dict[str, Any] = {"field": "description", "value": "پیک نیامد"}
    drafting.set_draft_field(session, conversation_id=1, inbox_id=inbox_id, **told)
    session.flush()
    long_ago = utcnow() - timedelta(hours=40)
    session.query(Draft).one().updated_at = long_ago
    session.query(Message).filter_by(author="customer").one().created_at = long_ago


async def test_a_half_told_complaint_is_offered_once_and_its_button_goes_on_with_it(setup: Setup) -> None:
    setup.set_limits(reminder_hour=0)
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "پیک نیامد")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.all_finished()
        setup.write(lambda session: left_behind(session, setup))
    for _ in range(2):
        async with setup.running():
            offer = (await setup.telegram.wait_for_messages(7, 2))[1]
    assert [button.title for button in offer.buttons] != []
    async with setup.running():
        await setup.telegram.press(sara, offer, offer.buttons[0].title)
        await setup.telegram.wait_for_messages(7, 3)
    assert len(setup.telegram.messages(7)) == 3
    assert setup.rasa.turns[-1]["payload"] == "/complaint_file"
