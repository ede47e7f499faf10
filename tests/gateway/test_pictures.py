"""Pictures that are drawn when a message leaves."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bot.console.frames import message_frame
from bot.gateway.channels import telegram as telegram_module
from bot.gateway.channels.bale import bale_channel
from bot.gateway.channels.base import Document, Part
from crm_store import outbox
from crm_store.conversations.models import Message
from crm_store.conversations.queries import Line
from crm_store.outbox import enqueue_message, enqueue_notice
from crm_store.pictures import draw
from crm_store.settings import BotApiSettings
from tests.factories import a_conversation
from tests.factories.person import files_below
from tests.fakes.bot_api import FakeBotApi
from tests.gateway.conftest import Setup
from tests.gateway.test_documents import all_sent, known_to_telegram

CARD = {"kind": "balance", "params": {"points": 1250, "tier": "طلایی"}}
PNG = b"\x89PNG"


def say(setup: Setup, text: str, *, channel: str = "telegram", picture: dict[str, Any] | None = None) -> None:
    def write(session: Any) -> None:
        chat = a_conversation(session, channel=channel, chat_id="7")
        content = {"text": text, outbox.PICTURE: picture or CARD, outbox.DOCUMENT_KEY: "0" * 32}
        enqueue_message(session, conversation_id=chat.id, content=content)

    setup.write(write)


async def test_a_picture_leaves_with_its_text_below(setup: Setup) -> None:
    await known_to_telegram(setup, 7)
    say(setup, "<b>۱٬۲۵۰</b> امتیاز دارید.")
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert message.kind == "photo"
    assert message.file is not None
    assert message.file.content.startswith(PNG)
    assert message.plain == "۱٬۲۵۰ امتیاز دارید."


async def test_a_notice_brings_one_too(setup: Setup) -> None:
    await known_to_telegram(setup, 7)

    def write(session: Any) -> None:
        chat = a_conversation(session, channel="telegram", chat_id="7")
        params = {"points": "۲۰", outbox.PICTURE: CARD}
        enqueue_notice(
            session,
            conversation_id=chat.id,
            response="utter_points_earned",
            idempotency_key="n",
            params=params,
        )

    setup.write(write)
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
    assert message.kind == "photo"
    assert "۲۰" in message.plain


async def test_a_text_too_long_for_a_caption_follows_the_picture(setup: Setup) -> None:
    await known_to_telegram(setup, 7)
    say(setup, "امتیاز " * 300)
    async with setup.running():
        picture, text = await setup.telegram.wait_for_messages(7, 2)
    assert (picture.kind, picture.plain) == ("photo", "")
    assert text.kind == "text"


@pytest.mark.parametrize("broken", [{"kind": "portrait", "params": {}}, {"kind": "balance", "params": {}}])
async def test_what_cannot_be_drawn_is_said_in_words(setup: Setup, broken: dict[str, Any]) -> None:
    await known_to_telegram(setup, 7)
    say(setup, "۱٬۲۵۰ امتیاز دارید.", picture=broken)
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert (message.kind, message.plain) == ("text", "۱٬۲۵۰ امتیاز دارید.")


async def test_a_picture_that_is_refused_leaves_its_words(setup: Setup) -> None:
    await known_to_telegram(setup, 7)
    setup.telegram.fail_next("sendPhoto", status=400)
    say(setup, "۱٬۲۵۰ امتیاز دارید.")
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert (message.kind, message.plain) == ("text", "۱٬۲۵۰ امتیاز دارید.")


async def test_what_cannot_be_drawn_leaves_no_empty_message_before_a_long_text(setup: Setup) -> None:
    await known_to_telegram(setup, 7)
    say(setup, "امتیاز " * 300, picture={"kind": "portrait", "params": {}})
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert message.kind == "text"
    assert message.plain.startswith("امتیاز امتیاز")


async def test_bale_gets_the_picture_with_plain_words_below(telegram: FakeBotApi) -> None:
    await telegram.send_text(telegram.user(7, "مینا"), "سلام")
    bale = bale_channel(BotApiSettings(token=telegram.token, base_url=telegram.base_url))
    picture = Document(file_name="balance.png", content=draw(**CARD), key="0" * 32, kind="photo")
    await bale.send("7", Part(text="<b>۱٬۲۵۰</b> امتیاز دارید.", document=picture))
    await bale.close()
    (message,) = telegram.messages(7)
    assert (message.kind, message.text) == ("photo", "۱٬۲۵۰ امتیاز دارید.")
    assert message.file is not None
    assert message.file.content == picture.content


async def test_a_messenger_that_takes_no_pictures_gets_the_words(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    words_only = msgspec.structs.replace(telegram_module.CAPABILITIES, pictures=False)
    monkeypatch.setattr(telegram_module, "CAPABILITIES", words_only)
    await known_to_telegram(setup, 7)
    say(setup, "۱٬۲۵۰ امتیاز دارید.")
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert (message.kind, message.plain) == ("text", "۱٬۲۵۰ امتیاز دارید.")


async def test_a_picture_of_the_dialogue_is_drawn_and_stands_above_its_buttons(setup: Setup) -> None:
    custom = {outbox.PICTURE: CARD}
    buttons = [{"title": str(grade), "payload": "/affirm", "row": 0} for grade in (1, 2)]
    setup.rasa.on_turn = lambda turn: [{"text": "این شما.", "custom": custom, "buttons": buttons}]
    sara = setup.telegram.user(7, "سارا")
    async with setup.running():
        await setup.telegram.send_text(sara, "امتیازم")
        (message,) = await setup.telegram.wait_for_messages(7, 1)
    assert (message.kind, message.plain) == ("photo", "این شما.")
    assert [[key["text"] for key in row] for row in message.inline_keyboard] == [["2", "1"]]


async def test_in_the_web_chat_it_stays_where_only_its_reader_finds_it(setup: Setup) -> None:
    say(setup, "۱٬۲۵۰ امتیاز دارید.", channel="web")
    async with setup.running():
        await all_sent(setup)
    (line,) = setup.read(lambda session: session.query(Message).filter_by(author="bot").all())
    (file,) = files_below(setup.settings.attachments_path)
    assert file.read_bytes().startswith(PNG)
    frame = message_frame(Line(line, {}), timezone="Asia/Tehran")
    (shown,) = frame["attachments"]
    assert (shown["id"], shown["kind"]) == (file.name, "photo")
