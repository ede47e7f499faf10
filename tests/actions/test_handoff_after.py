"""What is told of a talk with a person once it is over."""

from __future__ import annotations

import pytest

from actions.misunderstood import ActionFallback
from crm_store.base import utcnow
from crm_store.handoff import claiming, waiting
from crm_store.persian import rich
from tests.actions.conftest import Chat
from tests.factories.handoff import DESK, a_wish, an_agent


@pytest.mark.parametrize("ends", ["left while it waited for a team", "given back by who has no name"])
def test_of_a_talk_with_nobody_who_has_a_name_it_is_told_that_it_was_with_a_colleague(
    chat: Chat, ends: str
) -> None:
    is_left, now = ends.startswith("left"), utcnow()
    with chat.database.write() as session:
        agent = an_agent(session, name="نگار" if is_left else "", now=now)
        handoff = a_wish(session, chat.conversation, now=now)
        claiming.claim(session, handoff_id=handoff.id, staff=agent, rules=DESK, now=now)
        if is_left:
            claiming.transfer(
                session, handoff_id=handoff.id, staff=agent, to_team="repairs", rules=DESK, now=now
            )
            waiting.leave(session, conversation_id=chat.conversation.id, now=now)
        else:
            claiming.release(
                session, handoff_id=handoff.id, staff=agent, agreed="فردا می‌رسد", rules=DESK, now=now
            )
    name = "utter_handoff_agreed_nothing" if is_left else "utter_handoff_agreed"
    assert chat.run(ActionFallback(), "همکارتون گفت چی شد؟", intent="nlu_fallback") == {name}
    assert rich.to_plain(chat.told(name)["agent"]).strip("\u2068\u2069") == "یکی از همکارانم"
