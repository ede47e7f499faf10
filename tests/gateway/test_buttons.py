"""A button works once, in its chat, in its time; every press is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Button, Message
from crm_store.learning.models import ASKED, CORRECTED, LearningSample
from crm_store.learning.service import keep
from tests.fakes.bot_api_model import SentMessage, User
from tests.gateway.conftest import Setup

PAYLOAD = '/choose_category{"category": "delivery"}'


def with_buttons(turn: dict[str, Any]) -> list[dict[str, Any]]:
    if turn["payload"]:
        return [{"text": f"گزینه {turn['payload']}"}]
    buttons = [{"title": "تحویل", "payload": PAYLOAD}, {"title": "کیفیت", "payload": "/deny"}]
    return [{"text": "کدام؟", "buttons": buttons}]


@pytest.fixture
def sara(setup: Setup) -> User:
    setup.rasa.on_turn = with_buttons
    return setup.telegram.user(7, "سارا")


async def asked(setup: Setup, sara: User) -> SentMessage:
    """A message with buttons in Sara's chat."""
    await setup.telegram.send_text(sara, "شکایت")
    message = (await setup.telegram.wait_for_messages(7, 1))[0]
    await setup.until(lambda: setup.read(outbox.count_by_state).get("sent"))
    return message


def alerts(setup: Setup) -> list[str]:
    return [callback.answer_text for callback in setup.telegram.state.callbacks.values()]


async def test_a_press_becomes_the_intent_and_its_keyboard_goes(setup: Setup, sara: User) -> None:
    async with setup.running():
        message = await asked(setup, sara)
        assert PAYLOAD not in [button.data for button in message.buttons]
        await setup.telegram.press(sara, message, "تحویل")
        await setup.telegram.wait_for_messages(7, 2)
        await setup.until(lambda: not setup.telegram.messages(7)[0].buttons, "the keyboard's end")
    assert setup.texts(7)[1] == f"گزینه {PAYLOAD}"
    assert (setup.rasa.turns[1]["payload"], setup.rasa.turns[1]["text"]) == (PAYLOAD, None)
    assert setup.telegram.unanswered_callbacks() == []
    assert alerts(setup) == [""]


@pytest.mark.parametrize(
    ("payload", "label"),
    [
        ("/complaint_status", "complaint_status"),
        ('/choose_topic{"topic": "hours"}', "faq/hours"),
        ("/deny", ""),
    ],
)
async def test_a_press_below_did_you_mean_tells_what_the_message_meant(
    setup: Setup, sara: User, payload: str, label: str
) -> None:
    def misunderstand(turn: dict[str, Any]) -> list[dict[str, Any]]:
        if turn["payload"]:
            return [{"text": "چشم"}]
        setup.write(
            lambda session: keep(
                session,
                conversation_id=int(turn["sender"]),
                inbox_id=int(turn["message_id"]),
                text=turn["text"],
                ranking=[("complaint_status", 0.3)],
                reason=ASKED,
                by_default=True,
            )
        )
        return [{"text": "منظورتان این بود؟", "buttons": [{"title": "پیگیری شکایت", "payload": payload}]}]

    setup.rasa.on_turn = misunderstand
    async with setup.running():
        message = await asked(setup, sara)
        await setup.telegram.press(sara, message, "پیگیری شکایت")
        await setup.telegram.wait_for_messages(7, 2)
    sample = setup.read(lambda session: session.query(LearningSample).one())
    reason = CORRECTED if label else ASKED
    assert (sample.text, sample.reason, sample.chosen) == ("شکایت", reason, label)


async def test_a_second_press_is_explained_and_changes_nothing(setup: Setup, sara: User) -> None:
    async with setup.running():
        message = await asked(setup, sara)
        tokens = [button.data for button in message.buttons]
        for token in tokens:  # two different buttons of one message, too
            await setup.telegram.press_data(sara, message, token)
        await setup.all_finished(rows=3)
        await setup.until(lambda: not setup.telegram.unanswered_callbacks())
    assert len(setup.rasa.turns) == 2
    assert alerts(setup)[0] == ""
    assert "پیام" in alerts(setup)[1]


async def test_a_press_that_is_delivered_twice_counts_once(setup: Setup, sara: User) -> None:
    async with setup.running():
        message = await asked(setup, sara)
        update_id = await setup.telegram.press(sara, message, "تحویل")
        await setup.telegram.wait_for_messages(7, 2)
        row = setup.read(lambda s: s.query(inbox.InboxItem).filter_by(update_id=f"7001:{update_id}").one())
        await setup.telegram.inject_update(row.payload)
        await setup.until(lambda: not setup.telegram.pending_updates())
        await setup.all_finished()
    assert len(setup.rasa.turns) == 2


async def test_a_button_of_another_chat_is_unknown(setup: Setup, sara: User) -> None:
    reza = setup.telegram.user(8, "رضا")
    async with setup.running():
        message = await asked(setup, sara)
        await setup.telegram.send_text(reza, "سلام")
        other = (await setup.telegram.wait_for_messages(8, 1))[0]
        await setup.telegram.press_data(reza, other, message.buttons[0].data)
        await setup.telegram.press_data(reza, other, "x" * 64)
        await setup.all_finished(rows=4)
        await setup.until(lambda: not setup.telegram.unanswered_callbacks())
    assert len(setup.rasa.turns) == 2
    assert all("دکمه" in alert for alert in alerts(setup))
    assert setup.read(lambda s: s.query(Button).filter(Button.consumed_by_inbox_id.is_not(None)).count()) == 0


async def test_an_expired_button_is_explained(setup: Setup, sara: User) -> None:
    async with setup.running():
        message = await asked(setup, sara)
        past = utcnow() - timedelta(minutes=1)
        setup.write(lambda s: [setattr(button, "expires_at", past) for button in s.query(Button)])
        await setup.telegram.press(sara, message, "تحویل")
        await setup.all_finished(rows=2)
    assert len(setup.rasa.turns) == 1
    assert "دکمه" in alerts(setup)[0]


async def test_a_press_is_answered_at_once_even_in_an_outage(setup: Setup, sara: User) -> None:
    async with setup.running():
        message = await asked(setup, sara)
        await setup.rasa.stop()
        await setup.telegram.press(sara, message, "تحویل")
        await setup.until(lambda: setup.telegram.calls("answerCallbackQuery"))
        await setup.until(lambda: not setup.telegram.unanswered_callbacks())
        await setup.rasa.start()
        await setup.telegram.wait_for_messages(7, 2)


async def test_answering_a_press_that_fails_costs_nothing_but_the_alert(setup: Setup, sara: User) -> None:
    async with setup.running():
        message = await asked(setup, sara)
        setup.telegram.fail_next("answerCallbackQuery", status=400)
        setup.telegram.fail_next("editMessageReplyMarkup", status=400)
        await setup.telegram.press(sara, message, "تحویل")
        await setup.telegram.wait_for_messages(7, 2)


async def test_a_stale_press_that_can_get_no_alert_is_explained_in_a_message(
    setup: Setup, sara: User
) -> None:
    async with setup.running():
        message = await asked(setup, sara)
        setup.telegram.fail_next(
            "answerCallbackQuery", status=400, description="Bad Request: query is too old"
        )
        await setup.telegram.press_data(sara, message, "unknown")
        await setup.telegram.wait_for_messages(7, 2)
    assert "دکمه" in setup.texts(7)[1]


async def test_in_the_web_chat_a_stale_press_is_explained_in_the_transcript(setup: Setup, sara: User) -> None:
    def press(session: Any) -> None:
        payload = {"button": "no such token", "client_id": "c1"}
        inbox.receive(session, channel="web", update_id="v1:c1", chat_id="v1", payload=payload)

    async with setup.running():
        setup.write(press)
        await setup.until(lambda: setup.read(outbox.count_by_state).get("sent"))
    assert "دکمه" in setup.read(lambda s: s.query(Message).one()).text


async def test_a_notice_gets_working_buttons(setup: Setup, sara: User) -> None:
    async with setup.running():
        await asked(setup, sara)
        params = {"description": "<b>x</b>", "lines": []}
        setup.write(
            lambda s: outbox.enqueue_notice(
                s, conversation_id=1, response="utter_complaint_summary", params=params, idempotency_key="k"
            )
        )
        summary = (await setup.telegram.wait_for_messages(7, 2))[1]
        assert "<b>x</b>" in summary.plain
        await setup.telegram.press(sara, summary, "تغییر")
        await setup.telegram.wait_for_messages(7, 3)
    assert setup.rasa.turns[-1]["payload"] == '/correct_field{"field": "category"}'


async def test_the_transcript_shows_which_button_was_pressed(setup: Setup, sara: User) -> None:
    async with setup.running():
        message = await asked(setup, sara)
        await setup.telegram.press(sara, message, "کیفیت")
        await setup.telegram.wait_for_messages(7, 2)
    lines = setup.read(lambda s: conversations.messages_after(s, conversation_id=1, seq=2))
    assert (lines[0].author, lines[0].text) == ("customer", "کیفیت")
