"""Calls of the Bot API as they arrive at a strict server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.gateway.channels.bale import bale_channel
from bot.gateway.channels.base import (
    BadMarkup,
    Blocked,
    Part,
    RateLimited,
    Rejected,
    Unauthorized,
    Unreachable,
)
from bot.gateway.channels.bot_api import BotApiChannel, server_roots
from bot.gateway.channels.telegram import telegram_channel
from crm_store.persian import rich
from crm_store.settings import BotApiSettings
from tests.fakes.bot_api import FakeBotApi


@pytest.fixture
async def channel(telegram: FakeBotApi) -> AsyncIterator[BotApiChannel]:
    bot = telegram_channel(BotApiSettings(token=telegram.token, base_url=telegram.base_url))
    await greet(telegram)
    yield bot
    await bot.close()


async def greet(telegram: FakeBotApi) -> None:
    await telegram.send_text(telegram.user(7, "سارا"), "سلام")


@pytest.mark.parametrize("form", ["", "/", "/bot", "/bot/"])
def test_a_base_address_is_accepted_with_and_without_its_ending(form: str) -> None:
    expected = ("https://tapi.bale.ai/bot1:a", "https://tapi.bale.ai/file/bot1:a")
    assert server_roots(f"https://tapi.bale.ai{form}", "1:a") == expected


async def test_hostile_words_arrive_as_the_words_they_are(
    channel: BotApiChannel, telegram: FakeBotApi
) -> None:
    hostile = '<b>x</b> & </i> <a href="https://evil">y</a>'
    await channel.send("7", Part(text=f"گفتید {rich.value(hostile)}، <b>درست است؟</b>"))
    assert rich.value(hostile) != hostile
    assert hostile in telegram.messages(7)[0].plain
    assert [entity["type"] for entity in telegram.messages(7)[0].entities] == ["bold"]


async def test_bale_gets_plain_text(telegram: FakeBotApi) -> None:
    await greet(telegram)
    bale = bale_channel(BotApiSettings(token=telegram.token, base_url=telegram.base_url))
    await bale.send("7", Part(text="<b>سلام</b> &amp; درود"))
    await bale.close()
    assert telegram.messages(7)[0].text == "سلام & درود"
    assert "parse_mode" not in telegram.calls("sendMessage")[0].fields


async def test_short_titles_share_a_row_and_long_ones_do_not(
    channel: BotApiChannel, telegram: FakeBotApi
) -> None:
    titles = ["تحویل", "کیفیت", "ارسال اشتباه یا ناقص کالا", "سایت"]
    buttons = tuple({"title": title, "token": f"t{number}"} for number, title in enumerate(titles))
    await channel.send("7", Part(text="کدام؟", buttons=buttons))
    rows = telegram.messages(7)[0].inline_keyboard
    assert [[button["text"] for button in row] for row in rows] == [titles[:2], [titles[2]], [titles[3]]]


async def test_the_contact_button_is_a_keyboard_that_the_next_message_takes_away(
    channel: BotApiChannel, telegram: FakeBotApi
) -> None:
    await channel.send("7", Part(text="شماره؟", contact_button="ارسال شماره"))
    await channel.send("7", Part(text="ممنون", closes_keyboard=True))
    asked, closed = telegram.messages(7)
    assert asked.keyboard is not None
    assert asked.keyboard["keyboard"] == [[{"text": "ارسال شماره", "request_contact": True}]]
    assert closed.keyboard == {"remove_keyboard": True}


@pytest.mark.parametrize(
    ("status", "description", "expected"),
    [
        (403, None, Blocked),
        (400, "Bad Request: can't parse entities: x", BadMarkup),
        (400, "Bad Request: chat not found", Blocked),
        (400, "Bad Request: message text is empty", Rejected),
        (401, "Unauthorized", Unauthorized),
        (500, None, Unreachable),
        (502, None, Unreachable),
    ],
)
async def test_refusals_are_told_apart(
    channel: BotApiChannel,
    telegram: FakeBotApi,
    status: int,
    description: str | None,
    expected: type[Exception],
) -> None:
    telegram.fail_next("sendMessage", status=status, description=description)
    with pytest.raises(expected):
        await channel.send("7", Part(text="سلام"))


async def test_too_fast_says_how_long_to_wait(channel: BotApiChannel, telegram: FakeBotApi) -> None:
    telegram.fail_next("sendMessage", status=429, retry_after=17)
    with pytest.raises(RateLimited) as caught:
        await channel.send("7", Part(text="سلام"))
    assert caught.value.retry_after == 17


async def test_a_broken_connection_may_have_delivered_and_a_refused_one_has_not(
    channel: BotApiChannel, telegram: FakeBotApi
) -> None:
    telegram.drop_next("sendMessage", "after")
    with pytest.raises(Unreachable) as broken:
        await channel.send("7", Part(text="سلام"))
    await telegram.stop()
    with pytest.raises(Unreachable) as refused:
        await channel.send("7", Part(text="سلام"))
    assert (broken.value.maybe_delivered, refused.value.maybe_delivered) == (True, False)


async def test_no_error_names_the_token(channel: BotApiChannel, telegram: FakeBotApi) -> None:
    await telegram.stop()
    with pytest.raises(Unreachable) as caught:
        await channel.send("7", Part(text="سلام"))
    assert telegram.token not in str(caught.value)


class RecordingProxy:
    """Passes requests on and remembers what was asked for."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, address, _ = head.split(b" ", 2)
        self.requests.append(f"{method.decode()} {address.decode()}")
        host, _, port = address.split(b"/")[2].partition(b":")
        target_reader, target_writer = await asyncio.open_connection(host.decode(), int(port))
        target_writer.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await asyncio.gather(pump(reader, target_writer), pump(target_reader, writer), return_exceptions=True)
        target_writer.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_polling_sending_and_files_all_go_through_the_proxy(telegram: FakeBotApi) -> None:
    proxy = RecordingProxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = BotApiSettings(token=telegram.token, base_url=telegram.base_url)
    bot = telegram_channel(settings, proxy_url=f"http://127.0.0.1:{port}")
    await telegram.send_photo(telegram.user(7, "سارا"))
    updates = await bot.get_updates(offset=None, timeout=1)
    await bot.send("7", Part(text="سلام"))
    content = b"".join([piece async for piece in bot.download(bot.parse(updates[0], "7").media[0])])
    await bot.close()
    server.close()
    asked = [request.split("/")[-1] for request in proxy.requests]
    assert asked[:3] == ["getUpdates", "sendMessage", "getFile"]
    assert len(proxy.requests) == 4
    assert content.startswith(b"\xff\xd8\xff")
