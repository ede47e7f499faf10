"""What leaves: in order, paced, whole, and held back only where it must be."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.gateway.parting import split
from crm_store import inbox, outbox
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation, Message
from crm_store.customers import service as customers
from crm_store.outbox import OutboxItem
from crm_store.persian import rich
from crm_store.privacy.service import record_consent
from tests.fakes.bot_api import FakeBotApi
from tests.gateway.conftest import Setup


@pytest.fixture
async def chats(setup: Setup) -> None:
    """Conversations 1, 2 and 3 with the users 7, 8 and 9, who are known to the messenger."""
    for user_id in (7, 8, 9):
        await setup.telegram.send_text(setup.telegram.user(user_id, f"کاربر {user_id}"), "سلام")
        setup.write(lambda session, user_id=str(user_id): open_chat(session, user_id))
    setup.telegram.state.queue.clear()


def open_chat(session: Any, user_id: str) -> None:
    identity = customers.identify(session, channel="telegram", external_id=user_id)
    conversations.open_conversation(session, channel="telegram", chat_id=user_id, identity=identity)


def queue(setup: Setup, text: str, conversation_id: int = 1, **content: Any) -> int:
    def add(session: Any) -> int:
        item = outbox.enqueue_message(
            session, conversation_id=conversation_id, content={"text": text, **content}
        )
        session.flush()
        return int(item.id)

    return int(setup.write(add))


def allow_marketing(setup: Setup, *, granted: bool) -> None:
    def decide(session: Any) -> None:
        record_consent(
            session, customer_id=1, granted=granted, text="لغو ۱۱", channel="telegram", inbox_id=None
        )

    setup.write(decide)


async def all_sent(setup: Setup) -> None:
    await setup.until(lambda: not setup.read(outbox.count_by_state).get("pending"), "an empty outbox")


def item(setup: Setup, outbox_id: int) -> OutboxItem:
    found = setup.read(lambda session: session.get(OutboxItem, outbox_id))
    assert isinstance(found, OutboxItem)
    return found


@pytest.mark.usefixtures("chats")
async def test_messages_leave_in_order(setup: Setup) -> None:
    for number in range(8):
        queue(setup, f"{number}")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 8)
        await all_sent(setup)
    assert setup.texts(7) == [f"{number}" for number in range(8)]
    lines = setup.read(lambda session: conversations.messages_after(session, conversation_id=1, seq=0))
    assert [line.text for line in lines] == setup.texts(7)
    assert [line.platform_message_id for line in lines] == [
        str(m.message_id) for m in setup.telegram.messages(7)
    ]


@pytest.mark.usefixtures("chats")
async def test_interactive_messages_leave_before_bulk_ones(setup: Setup) -> None:
    allow_marketing(setup, granted=True)
    for number in range(2):
        outbox_id = queue(setup, f"انبوه {number}")
        setup.write(lambda s, row=outbox_id: setattr(s.get(OutboxItem, row), "priority", outbox.BULK))
    queue(setup, "پاسخ")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 3)
    assert setup.texts(7) == ["پاسخ", "انبوه 0", "انبوه 1"]


@pytest.mark.usefixtures("chats")
async def test_what_many_are_told_of_their_own_leaves_after_answers_and_needs_no_consent(
    setup: Setup,
) -> None:
    allow_marketing(setup, granted=False)
    outbox_id = queue(setup, "نتیجهٔ قرعه‌کشی")
    setup.write(lambda s: setattr(s.get(OutboxItem, outbox_id), "priority", outbox.TO_MANY))
    queue(setup, "پاسخ")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 2)
    assert setup.texts(7) == ["پاسخ", "نتیجهٔ قرعه‌کشی"]


@pytest.mark.usefixtures("chats")
@pytest.mark.parametrize("decisions", [[], [True, False]])
async def test_bulk_messages_need_a_consent_that_was_not_taken_back(
    setup: Setup, decisions: list[bool]
) -> None:
    for granted in decisions:
        allow_marketing(setup, granted=granted)
    outbox_id = queue(setup, "تخفیف")
    setup.write(lambda s: setattr(s.get(OutboxItem, outbox_id), "priority", outbox.BULK))
    queue(setup, "پاسخ")
    async with setup.running():
        await all_sent(setup)
    assert setup.texts(7) == ["پاسخ"]
    assert item(setup, outbox_id).state == outbox.CANCELLED


@pytest.mark.usefixtures("chats")
async def test_what_was_cancelled_during_an_outage_is_not_sent_after_it(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gateway.relay.FIRST_PAUSE_SECONDS", 3.0)
    setup.telegram.fail_next("sendMessage", status=500, chat_id=7)
    queue(setup, "یک")
    async with setup.running():
        await setup.until(lambda: setup.telegram.calls("sendMessage"), "a first try")
        setup.write(lambda session: outbox.cancel_pending(session, conversation_id=1))
        queue(setup, "دو")
        await setup.telegram.wait_for_messages(7, 1)
    assert setup.texts(7) == ["دو"]


@pytest.mark.usefixtures("chats")
async def test_too_fast_for_one_chat_holds_back_only_that_chat(setup: Setup) -> None:
    setup.telegram.fail_next("sendMessage", status=429, retry_after=6, chat_id=7)
    queue(setup, "یک")
    queue(setup, "دو")
    queue(setup, "دیگری", conversation_id=2)
    async with setup.running():
        await setup.telegram.wait_for_messages(8, 1)
        assert setup.texts(7) == []
        await setup.telegram.wait_for_messages(7, 2)
    assert setup.texts(7) == ["یک", "دو"]
    assert len(setup.telegram.calls("sendMessage")) == 4


@pytest.mark.usefixtures("chats")
async def test_a_long_message_is_split_at_sentences_with_the_buttons_below_the_last_part(
    setup: Setup,
) -> None:
    sentence = "این جمله‌ای است که بارها می‌آید و <b>بخشی پررنگ</b> هم دارد. "
    buttons = [{"title": "کمک", "token": "tok"}]
    queue(setup, sentence * 200, buttons=buttons)
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 3)
        await all_sent(setup)
    parts = setup.telegram.messages(7)
    assert all(rich.utf16_length(part.plain) <= 4096 and part.plain.endswith(".") for part in parts)
    assert " ".join(part.plain for part in parts) == rich.to_plain(sentence * 200).strip()
    assert [len(part.buttons) for part in parts] == [0] * (len(parts) - 1) + [1]
    assert setup.read(lambda session: session.query(Message).count()) == 1


@pytest.mark.usefixtures("chats")
async def test_after_a_crash_a_long_message_goes_on_with_its_next_part(setup: Setup) -> None:
    outbox_id = queue(setup, "جملهٔ یکم. " * 500)
    setup.write(lambda session: setattr(session.get(OutboxItem, outbox_id), "parts_sent", 1))
    async with setup.running():
        await all_sent(setup)
    assert len(setup.telegram.messages(7)) == len(rich.split("جملهٔ یکم. " * 500)) - 1


@pytest.mark.usefixtures("chats")
async def test_refused_markup_leaves_as_plain_text(setup: Setup) -> None:
    setup.telegram.fail_next("sendMessage", status=400, description="Bad Request: can't parse entities: x")
    queue(setup, "کد <code>۱۲</code> &amp; تمام")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 1)
    assert setup.telegram.messages(7)[0].text == "کد ۱۲ & تمام"


@pytest.mark.usefixtures("chats")
async def test_a_message_that_is_refused_for_good_does_not_hold_up_the_next(setup: Setup) -> None:
    setup.telegram.fail_next("sendMessage", status=400, description="Bad Request: message is too strange")
    refused = queue(setup, "نه")
    queue(setup, "بله")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert setup.texts(7) == ["بله"]
    assert (item(setup, refused).state, "too strange" in item(setup, refused).last_error) == ("failed", True)


@pytest.mark.parametrize(("when", "copies"), [("before", 1), ("after", 2)])
@pytest.mark.usefixtures("chats")
async def test_a_broken_send_is_repeated_so_at_most_one_copy_too_many_arrives(
    setup: Setup, telegram: FakeBotApi, when: Any, copies: int
) -> None:
    telegram.drop_next("sendMessage", when)
    outbox_id = queue(setup, "یک")
    queue(setup, "دو")
    async with setup.running():
        await all_sent(setup)
    assert setup.texts(7) == ["یک"] * copies + ["دو"]
    assert item(setup, outbox_id).attempts == 1


@pytest.mark.usefixtures("chats")
async def test_while_the_messenger_is_away_messages_wait(setup: Setup) -> None:
    await setup.telegram.stop()
    queue(setup, "یک")
    async with setup.running():
        await asyncio.sleep(0.5)
        await setup.telegram.start()
        await setup.telegram.wait_for_messages(7, 1)


@pytest.mark.usefixtures("chats")
async def test_no_chat_gets_more_than_its_burst_and_pace(setup: Setup) -> None:
    setup.set_limits(chat_burst=3, chat_messages_per_second=4.0)
    for number in range(6):
        queue(setup, f"{number}")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 6)
    assert setup.telegram.max_rate(7, seconds=0.4) <= 5


@pytest.mark.usefixtures("chats")
async def test_the_bot_as_a_whole_keeps_its_pace(setup: Setup) -> None:
    setup.set_limits(messages_per_second=5.0)
    for number in range(12):
        queue(setup, f"{number}", conversation_id=number % 3 + 1)
    async with setup.running():
        await setup.until(lambda: len(setup.telegram.messages()) == 12)
    assert setup.telegram.max_rate(seconds=0.4) <= 10


@pytest.mark.usefixtures("chats")
async def test_when_a_person_takes_over_while_answers_wait_they_are_withdrawn(setup: Setup) -> None:
    def answer(session: Any) -> None:
        inbox_id = inbox.receive(session, channel="telegram", update_id="1", chat_id="7", payload={})
        assert inbox_id is not None
        inbox.finish(session, inbox_id=inbox_id)
        outbox.enqueue_message(session, conversation_id=1, content={"text": "پاسخ ربات"}, inbox_id=inbox_id)
        session.get(Conversation, 1).owner = "human"
        outbox.enqueue_message(
            session, conversation_id=1, content={"text": "همکار ما آمد"}, speaker=outbox.SPEAKER_DESK
        )

    setup.write(answer)
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 1)
    assert setup.texts(7) == ["همکار ما آمد"]


@pytest.mark.usefixtures("chats")
async def test_a_notice_that_lacks_a_value_is_given_up_and_reported(setup: Setup) -> None:
    def add(session: Any) -> None:
        outbox.enqueue_notice(
            session, conversation_id=1, response="utter_complaint_corrected", params={}, idempotency_key="a"
        )
        outbox.enqueue_notice(session, conversation_id=1, response="utter_sticker", idempotency_key="b")

    setup.write(add)
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert "utter_complaint_corrected needs code" in item(setup, 1).last_error


@pytest.mark.usefixtures("chats")
async def test_a_notice_keeps_its_words_when_it_is_sent_again(setup: Setup) -> None:
    setup.telegram.drop_next("sendMessage", "after", times=2)
    setup.write(
        lambda s: outbox.enqueue_notice(s, conversation_id=1, response="utter_sticker", idempotency_key="b")
    )
    async with setup.running():
        await all_sent(setup)
    assert len(setup.texts(7)) == 3
    assert len(set(setup.texts(7))) == 1


@pytest.mark.usefixtures("chats")
async def test_a_notice_for_later_waits_for_its_time(setup: Setup) -> None:
    later = utcnow() + timedelta(days=36_500)
    setup.write(
        lambda s: outbox.enqueue_notice(
            s, conversation_id=1, response="utter_sticker", idempotency_key="b", due_at=later
        )
    )
    queue(setup, "اکنون")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 1)
        await setup.until(lambda: setup.read(outbox.count_by_state) == {"sent": 1, "pending": 1})
    assert setup.texts(7) == ["اکنون"]


@pytest.mark.usefixtures("chats")
async def test_the_contact_button_stands_until_the_next_plain_message(setup: Setup) -> None:
    queue(setup, "شماره؟", request_contact=True)
    queue(setup, "گزینه؟", buttons=[{"title": "بله", "token": "t"}])
    queue(setup, "ممنون")
    queue(setup, "خدانگهدار")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 4)
    asked, _, closed, after = setup.telegram.messages(7)
    assert asked.keyboard is not None
    assert asked.keyboard["keyboard"][0][0]["request_contact"] is True  # type: ignore[index]
    assert closed.keyboard == {"remove_keyboard": True}
    assert after.keyboard is None


@pytest.mark.usefixtures("chats")
async def test_a_picture_carries_its_caption(setup: Setup) -> None:
    queue(setup, "نمودار", image="https://example.com/x.png")
    async with setup.running():
        await setup.until(lambda: setup.telegram.calls("sendPhoto"))
    assert setup.telegram.calls("sendPhoto")[0].fields["caption"] == "نمودار"


@pytest.mark.usefixtures("chats")
async def test_a_message_that_waits_does_not_hold_up_the_end(setup: Setup) -> None:
    setup.telegram.fail_next("sendMessage", status=429, retry_after=600)
    outbox_id = queue(setup, "یک")
    async with setup.running() as gateway:
        await setup.until(lambda: item(setup, outbox_id).attempts == 1)
        await asyncio.wait_for(gateway.stop(), 5)
    assert item(setup, outbox_id).state == "pending"


@pytest.mark.usefixtures("chats")
async def test_rows_of_a_channel_that_is_switched_off_wait(setup: Setup) -> None:
    def open_bale(session: Any) -> None:
        conversations.open_conversation(session, channel="bale", chat_id="5", identity=None)

    setup.write(open_bale)
    waiting = queue(setup, "بله", conversation_id=4)
    queue(setup, "تلگرام")
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 1)
    assert item(setup, waiting).state == "pending"


def test_a_text_too_long_for_a_caption_follows_the_picture() -> None:
    assert split("کوتاه", 4096, 1024) == ["کوتاه"]
    assert split("", 4096, 1024) == [""]
    assert split("جمله. " * 300, 4096, 1024) == ["", "جمله. " * 300]
    assert split("x" * 9000, 0, 0) == ["x" * 9000]
