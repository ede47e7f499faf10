"""Files that we send: a customer's own data, made when it leaves, and nothing left lying around."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from bot.chat import TerminalChat
from bot.console.app import build_app
from bot.gateway.channels.bale import bale_channel
from bot.gateway.channels.base import Document, Part
from bot.gateway.channels.transcript import TranscriptChannel
from crm_store import inbox, outbox
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Message
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.outbox import OutboxItem
from crm_store.persian import rich
from crm_store.privacy.service import request_export
from crm_store.settings import BotApiSettings
from tests.console.browser import Browser
from tests.factories import a_conversation, an_inbox_id
from tests.factories.person import MINA, files_below, seed
from tests.fakes.bot_api import FakeBotApi
from tests.gateway.conftest import Setup

DOCUMENT = Document(file_name="my-data.html", content="<p>سلام</p>".encode(), key="0" * 32)


async def known_to_telegram(setup: Setup, user_id: int) -> None:
    await setup.telegram.send_text(setup.telegram.user(user_id, "مینا"), "سلام")
    setup.telegram.state.queue.clear()


def asked_for(setup: Setup, *, channel: str = "telegram", chat_id: str = "7") -> int:
    """A conversation in which a copy of everything was asked for; returns the outbox row."""

    def ask(session: Any) -> int:
        chat = a_conversation(session, channel=channel, chat_id=chat_id)
        conversations.add_message(session, conversation_id=chat.id, author="customer", text=MINA.story)
        item = request_export(session, conversation_id=chat.id, inbox_id=finished(session, chat))
        return int(item.id)

    return int(setup.write(ask))


def finished(session: Any, chat: Any) -> int:
    row = an_inbox_id(session, chat)
    inbox.finish(session, inbox_id=row)
    return row


def state_of(setup: Setup, outbox_id: int) -> str:
    return str(setup.read(lambda session: session.get_one(OutboxItem, outbox_id).state))


async def all_sent(setup: Setup) -> None:
    await setup.until(lambda: not setup.read(outbox.count_by_state).get("pending"), "an empty outbox")


async def test_a_messenger_hands_the_file_over_and_nothing_stays_here(setup: Setup) -> None:
    await known_to_telegram(setup, 7)
    asked_for(setup)
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert message.kind == "document"
    assert message.file is not None
    assert message.file.name.endswith(".html")
    assert MINA.story in message.file.content.decode()
    assert message.plain, "a few words stand above it"
    (line,) = setup.read(lambda session: session.query(Message).filter_by(author="bot").all())
    assert line.extra["document"] == {
        "file_name": message.file.name,
        "size": len(message.file.content),
    }
    assert not list(files_below(setup.settings.attachments_path))


async def test_photos_and_other_files_come_with_it_in_one_package(setup: Setup) -> None:
    await known_to_telegram(setup, int(MINA.account))

    def ask(session: Any) -> None:
        chat = seed(session, MINA, setup.settings.attachments_path)
        request_export(session, conversation_id=chat.id, inbox_id=finished(session, chat))

    setup.write(ask)
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(int(MINA.account), 1)
    assert message.file is not None
    with zipfile.ZipFile(io.BytesIO(message.file.content)) as archive:
        assert len(archive.namelist()) == 4


async def test_a_file_that_did_not_get_through_is_made_and_sent_again(setup: Setup) -> None:
    await known_to_telegram(setup, 7)
    setup.telegram.fail_next("sendDocument", status=502)
    asked_for(setup)
    async with setup.running():
        await setup.telegram.wait_for_messages(7, 1)
        await all_sent(setup)
    assert len(setup.telegram.calls("sendDocument")) == 2
    assert len(setup.telegram.messages(7)) == 1


async def test_who_cannot_get_the_file_is_told(setup: Setup) -> None:
    await known_to_telegram(setup, 7)
    setup.telegram.fail_next("sendDocument", status=400)
    row = asked_for(setup)
    async with setup.running():
        (message,) = await setup.telegram.wait_for_messages(7, 1)
    assert message.kind == "text"
    assert state_of(setup, row) == outbox.FAILED


async def test_nobody_gets_the_data_of_a_customer_who_is_no_longer_theirs(setup: Setup) -> None:
    await known_to_telegram(setup, 7)
    row = asked_for(setup)

    def hand_over(session: Any) -> None:
        other = Customer()
        session.add(other)
        session.flush()
        conversation = conversations.find_conversation(session, channel="telegram", chat_id="7")
        assert conversation is not None
        assert conversation.identity is not None
        assert customer_of(conversation) != other.id
        conversation.identity.customer_id = other.id

    setup.write(hand_over)
    async with setup.running():
        await all_sent(setup)
    assert state_of(setup, row) == outbox.CANCELLED
    assert setup.telegram.messages(7) == []


async def test_bale_gets_the_words_above_a_file_without_markup(telegram: FakeBotApi) -> None:
    await telegram.send_text(telegram.user(7, "سارا"), "سلام")
    bale = bale_channel(BotApiSettings(token=telegram.token, base_url=telegram.base_url))
    await bale.send("7", Part(text=f"<b>بفرمایید</b> {rich.value('آب & نان')}", document=DOCUMENT))
    await bale.close()
    (message,) = telegram.messages(7)
    assert message.text == rich.to_plain(f"<b>بفرمایید</b> {rich.value('آب & نان')}")
    assert message.file is not None
    assert (message.file.name, message.file.content) == (DOCUMENT.file_name, DOCUMENT.content)


async def test_the_web_chat_shows_a_link_that_only_its_visitor_can_follow(setup: Setup) -> None:
    server = TestServer(build_app(setup.settings, setup.database))
    await server.start_server()
    owner, stranger = Browser(server.make_url("/")), Browser(server.make_url("/"))
    await owner.visit()
    await stranger.visit()
    page = await owner.page()
    await page.say("اطلاعات من")
    await page.next("ack")
    visitor = setup.read(lambda session: session.query(inbox.InboxItem).one().chat_id)
    asked_for(setup, channel="web", chat_id=visitor)
    async with setup.running():
        await all_sent(setup)
        line = await page.next("message")
        while not line.get("attachments"):
            line = await page.next("message")
    (shown,) = line["attachments"]
    assert (shown["kind"], shown["file_name"][:8]) == ("document", "my-data-")
    where = owner.url / "chat/attachments" / shown["id"]
    async with owner.session.get(where) as response:
        assert response.headers["Content-Disposition"] == "attachment"
        assert response.headers["Cache-Control"] == "no-store"
        assert MINA.story in await response.text(encoding="utf-8")
    async with stranger.session.get(where) as response:
        assert response.status == 404
    await owner.close()
    await stranger.close()
    await server.close()


async def test_the_terminal_prints_where_the_file_is(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = setup.settings.attachments_path
    chat = TerminalChat(setup.database, name="sara", folder=folder)
    asked_for(setup, channel="terminal", chat_id="sara")
    async with setup.running():
        await all_sent(setup)
    for message in chat.new_answers():
        chat.show(message)
    (file,) = files_below(folder)
    assert str(file) in capsys.readouterr().out
    assert MINA.story in file.read_text(encoding="utf-8")


async def test_a_second_try_writes_the_same_file(tmp_path: Path) -> None:
    channel = TranscriptChannel("web", tmp_path)
    for _ in range(2):
        await channel.send("ab" * 32, Part(text="بفرمایید", document=DOCUMENT))
    (file,) = files_below(tmp_path)
    assert file.read_bytes() == DOCUMENT.content
    assert file.name == f"{'0' * 32}.html"
