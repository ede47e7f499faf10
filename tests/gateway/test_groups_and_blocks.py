"""Groups, and people who come and go."""

from __future__ import annotations

import pytest

from crm_store import inbox, outbox
from crm_store.conversations.models import Conversation, Message
from crm_store.customers.models import ChannelIdentity, Customer
from tests.gateway.conftest import Setup

GROUP = -1001234567890


def added_to_group() -> dict[str, object]:
    chat = {"id": GROUP, "type": "supergroup", "title": "همکاران"}
    change = {"chat": chat, "from": {"id": 7, "first_name": "سارا"}, "new_chat_member": {"status": "member"}}
    return {"my_chat_member": change}


async def test_a_group_is_not_listened_to(setup: Setup) -> None:
    async with setup.running():
        await setup.telegram.group_message(GROUP, setup.telegram.user(7, "سارا"), "سلام")
        await setup.all_finished(rows=1)
    assert setup.read(inbox.count_by_state) == {"ignored": 1}
    assert setup.rasa.turns == setup.telegram.messages() == []
    assert setup.read(lambda session: session.query(Customer).count()) == 0


async def test_being_added_to_a_group_tells_the_operator_which_setting_to_set(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    async with setup.running():
        await setup.telegram.inject_update(added_to_group())
        await setup.all_finished(rows=1)
    output = capsys.readouterr().out
    assert "PEYVAND_TELEGRAM_STAFF_GROUP_ID" in output
    assert str(GROUP) in output


async def test_the_staff_group_is_kept_without_an_answer_and_gets_notices(setup: Setup) -> None:
    setup.set_telegram(staff_group_id=GROUP)
    async with setup.running():
        await setup.telegram.group_message(GROUP, setup.telegram.user(7, "سارا"), "صبح بخیر")
        await setup.all_finished(rows=1)
        group = setup.read(lambda session: session.query(Conversation).one())
        assert (group.chat_id, group.identity_id) == (str(GROUP), None)
        setup.write(
            lambda session: outbox.enqueue_notice(
                session,
                conversation_id=group.id,
                response="utter_staff_group_complaint",
                params={"code": "12345678", "category": "تحویل", "priority": "عادی"},
                idempotency_key="staff:1",
            )
        )
        (told,) = await setup.telegram.wait_for_messages(GROUP, 1)
    assert "12345678" in told.plain
    assert setup.rasa.turns == []
    assert setup.read(lambda session: session.query(Message).filter_by(text="صبح بخیر").count()) == 1


async def test_who_blocks_the_bot_is_marked_and_gets_nothing_more(setup: Setup) -> None:
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.telegram.block(sara)
        await setup.all_finished(rows=2)
        assert setup.read(lambda session: session.query(ChannelIdentity).one()).blocked_at is not None
        setup.write(
            lambda session: outbox.enqueue_message(session, conversation_id=1, content={"text": "هستید؟"})
        )
        await setup.until(lambda: setup.read(outbox.count_by_state).get("cancelled"))
        await setup.telegram.unblock(sara)
        await setup.all_finished(rows=3)
    assert setup.read(lambda session: session.query(ChannelIdentity).one()).blocked_at is None
    assert len(setup.telegram.calls("sendMessage")) == 1


async def test_a_block_cancels_what_was_still_to_be_sent(setup: Setup) -> None:
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        sara.blocked = True
        for number in range(3):
            content = {"text": f"{number}"}
            setup.write(
                lambda session, content=content: outbox.enqueue_message(
                    session, conversation_id=1, content=content
                )
            )
        await setup.until(lambda: setup.read(outbox.count_by_state).get("cancelled") == 3)
    assert setup.read(lambda session: session.query(ChannelIdentity).one()).blocked_at is not None
