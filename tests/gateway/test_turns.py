"""Order within a chat, many chats at once, and what happens when the dialogue does not answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crm_store import inbox, outbox
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.inbox import InboxItem
from tests.gateway.conftest import Setup


def say_back(turn: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"text": f"«{turn['text']}»"}]


def transcript(setup: Setup, chat_id: int) -> list[tuple[str, str]]:
    def lines(session: Any) -> list[tuple[str, str]]:
        conversation = conversations.find_conversation(session, channel="telegram", chat_id=str(chat_id))
        assert conversation is not None
        found = conversations.messages_after(session, conversation_id=conversation.id, seq=0)
        return [(line.author, line.text) for line in found]

    return list(setup.read(lines))


async def test_a_text_is_answered_and_both_stand_in_the_transcript(setup: Setup) -> None:
    setup.rasa.on_turn = say_back
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.until(lambda: len(transcript(setup, 7)) == 2)
    assert transcript(setup, 7) == [("customer", "سلام"), ("bot", "«سلام»")]
    turn = setup.rasa.turns[0]
    assert (turn["channel"], turn["text"], turn["payload"]) == ("telegram", "سلام", None)
    row = setup.read(lambda session: session.get(InboxItem, int(turn["message_id"])))
    assert turn["metadata"] == {
        "correlation_id": row.correlation_id,
        "audience": "customer",
        "edited": False,
        "expected": None,
    }


async def test_what_looks_like_an_intent_stays_a_text(setup: Setup) -> None:
    typed = '/choose_category{"category": "delivery"}'
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), typed)
        await setup.telegram.wait_for_messages(7, 1)
    assert (setup.rasa.turns[0]["text"], setup.rasa.turns[0]["payload"]) == (typed, None)


async def test_the_link_of_a_friend_that_opens_a_chat_hands_over_the_friends_code(setup: Setup) -> None:
    user = setup.telegram.user(7, "سارا")
    async with setup.running():
        for number, text in enumerate(("/start ref_k7m2px", '/start ref_k7"}'), start=1):
            await setup.telegram.send_text(user, text)
            await setup.telegram.wait_for_messages(7, number)
    assert [turn["payload"] for turn in setup.rasa.turns] == ['/start{"code": "K7M2PX"}', "/start"]


async def test_the_button_that_begins_a_chat_is_the_one_text_that_is_read_as_an_intent(setup: Setup) -> None:
    user = setup.telegram.user(7, "سارا")
    async with setup.running():
        for number, text in enumerate(("/start", "/start friend42", "/starting"), start=1):
            await setup.telegram.send_text(user, text)
            await setup.telegram.wait_for_messages(7, number)
    asked = [(turn["text"], turn["payload"]) for turn in setup.rasa.turns]
    assert asked == [(None, "/start"), (None, "/start"), ("/starting", None)]


async def test_a_chat_is_answered_in_order_while_others_do_not_wait_for_it(setup: Setup) -> None:
    setup.rasa.on_turn = say_back
    slow, quick = setup.telegram.user(7, "سارا"), setup.telegram.user(8, "رضا")
    async with setup.running():
        released = setup.rasa.hold_next()
        for number in range(3):
            await setup.telegram.send_text(slow, f"{number}")
        await setup.until(lambda: setup.rasa.turns, "the slow turn")
        for number in range(3):
            await setup.telegram.send_text(quick, f"{number}")
        await setup.telegram.wait_for_messages(8, 3)
        assert setup.texts(7) == []
        released.set()
        await setup.telegram.wait_for_messages(7, 3)
    assert setup.texts(7) == setup.texts(8) == ["«0»", "«1»", "«2»"]


async def test_typing_is_shown_only_while_an_answer_takes_long(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gateway.turns.TYPING_AFTER_SECONDS", 2.0)
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "کوتاه")
        await setup.telegram.wait_for_messages(7, 1)
        assert setup.telegram.calls("sendChatAction") == []
        setup.rasa.slow_next(3.0)
        await setup.telegram.send_text(sara, "بلند")
        await setup.telegram.wait_for_messages(7, 2)
    assert [call.fields["action"] for call in setup.telegram.calls("sendChatAction")] == ["typing"]


async def test_in_an_outage_the_person_is_told_once_and_answered_later(setup: Setup) -> None:
    setup.set_limits(notice_after_seconds=2.0)
    setup.rasa.on_turn = say_back
    await setup.rasa.stop()
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "یک")
        await setup.telegram.send_text(sara, "دو")
        await setup.telegram.wait_for_messages(7, 1)
        await asyncio.sleep(3)
        assert len(setup.texts(7)) == 1
        await setup.rasa.start()
        await setup.telegram.wait_for_messages(7, 3)
        assert setup.texts(7)[1:] == ["«یک»", "«دو»"]
        # The outage is over: the next one is told of again.
        setup.rasa.slow_next(4.0)
        await setup.telegram.send_text(sara, "سه")
        await setup.telegram.wait_for_messages(7, 5)
    assert setup.texts(7)[4] == "«سه»"
    assert setup.read(lambda session: session.get(Conversation, 1)).trouble_told_at is None


async def test_a_dialogue_that_is_down_is_waited_for(setup: Setup) -> None:
    await setup.rasa.stop()
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
        await setup.until(lambda: setup.read(inbox.count_by_state).get("pending"))
        await asyncio.sleep(0.5)
        await setup.rasa.start()
        await setup.telegram.wait_for_messages(7, 1)
    row = setup.read(lambda session: session.get(InboxItem, 1))
    assert (row.state, row.attempts) == ("done", 0)


async def test_a_lost_answer_is_asked_for_again_and_given_once(setup: Setup) -> None:
    setup.rasa.drop_next()
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.all_finished()
    assert (len(setup.rasa.turns), len(setup.rasa.handled)) == (2, 1)


async def test_an_answer_that_takes_too_long_is_asked_for_again(setup: Setup) -> None:
    setup.set_limits(turn_seconds=0.3)
    setup.rasa.slow_next(1.0)
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
        await setup.telegram.wait_for_messages(7, 1)
    assert len(setup.rasa.handled) == 1


async def test_a_silent_turn_counts_as_failed_and_is_tried_again(setup: Setup) -> None:
    setup.rasa.empty_next()
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.all_finished()
    assert setup.read(lambda session: session.get(InboxItem, 1)).attempts == 1


async def test_a_message_that_always_fails_is_parked_and_the_chat_goes_on(setup: Setup) -> None:
    setup.set_limits(park_after_failures=2)
    setup.rasa.on_turn = say_back
    setup.rasa.fail_next(2, status=500)
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "گیر می‌کند")
        await setup.telegram.send_text(sara, "می‌گذرد")
        told, answer = await setup.telegram.wait_for_messages(7, 2)
    assert "همکارانم" in told.plain
    assert answer.plain == "«می‌گذرد»"
    assert setup.read(inbox.count_by_state) == {"parked": 1, "done": 1}


async def test_a_payload_that_the_dialogue_does_not_know_is_parked_at_once(setup: Setup) -> None:
    setup.rasa.fail_next(1, status=422)
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
        await setup.telegram.wait_for_messages(7, 1)
    assert setup.read(lambda session: session.get(InboxItem, 1)).state == "parked"


async def test_a_parked_message_can_be_tried_again_by_the_operator(setup: Setup) -> None:
    setup.rasa.on_turn = say_back
    setup.rasa.fail_next(1, status=422)
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.all_finished()
        setup.write(lambda session: inbox.retry_parked(session, inbox_ids=[1]))
        await setup.telegram.wait_for_messages(7, 2)
    assert setup.texts(7)[1] == "«سلام»"


async def test_an_error_of_our_own_parks_the_message_and_not_the_chat(setup: Setup) -> None:
    setup.set_limits(park_after_failures=2)
    setup.rasa.on_turn = lambda turn: (
        [{"text": "x", "buttons": [{"title": "بی‌بار"}]}] if turn["text"] == "بد" else [{"text": "خوب"}]
    )
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "بد")
        await setup.telegram.send_text(sara, "خوب")
        await setup.telegram.wait_for_messages(7, 2)
    assert setup.texts(7)[1] == "خوب"
    assert "KeyError" in setup.read(lambda session: session.get(InboxItem, 1)).last_error


async def test_what_was_left_waiting_is_answered_after_a_start(setup: Setup) -> None:
    setup.rasa.on_turn = say_back

    def leave(session: Any) -> None:
        for number in range(3):
            message = {
                "message_id": number + 1,
                "chat": {"id": 7, "type": "private"},
                "from": {"id": 7, "is_bot": False, "first_name": "سارا"},
                "text": str(number),
            }
            payload = {"update_id": number, "message": message}
            inbox.receive(session, channel="telegram", update_id=str(number), chat_id="7", payload=payload)

    setup.write(leave)
    setup.telegram.user(7, "سارا")
    await setup.telegram.send_text(setup.telegram.state.users[7], "۳")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 4)
    assert setup.texts(7) == ["«0»", "«1»", "«2»", "«۳»"]


async def test_a_row_that_was_answered_before_is_not_answered_again(setup: Setup) -> None:
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        await setup.until(lambda: setup.read(outbox.count_by_state).get("sent"))
    async with setup.running():
        await setup.telegram.send_text(sara, "دوباره")
        await setup.telegram.wait_for_messages(7, 2)
    assert len(setup.rasa.turns) == 2


async def test_a_message_from_the_web_chat_is_found_and_answered_in_the_transcript(setup: Setup) -> None:
    long = "جملهٔ بلند. " * 600
    setup.rasa.on_turn = lambda turn: [{"text": long, "buttons": [{"title": "کمک", "payload": "/help"}]}]

    def say(session: Any) -> None:
        payload = {"text": "سلام", "client_id": "c1"}
        inbox.receive(session, channel="web", update_id="v1:c1", chat_id="v1", payload=payload)

    def lines(session: Any) -> list[Any]:
        conversation = conversations.find_conversation(session, channel="web", chat_id="v1")
        assert conversation is not None
        return conversations.messages_after(session, conversation_id=conversation.id, seq=0)

    async with setup.running():
        setup.write(say)
        await setup.until(lambda: setup.read(outbox.count_by_state).get("sent"))
    said, answer = setup.read(lines)
    assert (said.author, said.text) == ("customer", "سلام")
    assert (answer.author, answer.text) == ("bot", long)
    assert [button["title"] for button in answer.extra["buttons"]] == ["کمک"]


async def test_where_a_person_has_taken_over_the_bot_is_silent(setup: Setup) -> None:
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "سلام")
        await setup.telegram.wait_for_messages(7, 1)
        setup.write(lambda session: setattr(session.get(Conversation, 1), "owner", "human"))
        await setup.telegram.send_text(sara, "یک آدم لطفاً")
        await setup.all_finished(rows=2)
    assert transcript(setup, 7)[-1] == ("customer", "یک آدم لطفاً")
    assert len(setup.rasa.turns) == 1
