"""The fake Bot API delivers to a webhook as Telegram does."""

from collections.abc import AsyncIterator

import pytest
import telegram
from aiohttp import web
from telegram.error import BadRequest, Conflict

from tests.fakes.bot_api import FakeBotApi

CHAT = 501


class Receiver:
    """A webhook endpoint that refuses the first few deliveries."""

    def __init__(self) -> None:
        self.refusals = 0
        self.received: list[tuple[int, str]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        """Note the update and the secret that came with it."""
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        self.received.append(((await request.json())["update_id"], secret))
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A listening endpoint."""
    endpoint = Receiver()
    app = web.Application()
    app.router.add_post("/hook", endpoint.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield endpoint
    await runner.cleanup()


async def test_updates_are_posted_in_order_with_the_secret(
    api: FakeBotApi, bot: telegram.Bot, receiver: Receiver
) -> None:
    user = api.user(CHAT, "سارا")
    before = await api.send_text(user, "پیش از وب‌هوک")
    await bot.set_webhook(receiver.url, secret_token="s-1")
    after = await api.send_text(user, "پس از وب‌هوک")
    await api.wait_until(lambda: len(receiver.received) == 2, 5)
    assert receiver.received == [(before, "s-1"), (after, "s-1")]
    await api.wait_until(lambda: api.pending_updates() == [], 5)


async def test_a_refused_delivery_is_repeated(api: FakeBotApi, bot: telegram.Bot, receiver: Receiver) -> None:
    receiver.refusals = 2
    await bot.set_webhook(receiver.url)
    update_id = await api.send_text(api.user(CHAT, "سارا"), "سلام")
    await api.wait_until(lambda: receiver.received == [(update_id, "")], 5)
    assert "503" in str((await bot.get_webhook_info()).last_error_message)


async def test_polling_is_refused_while_a_webhook_is_set(
    api: FakeBotApi, bot: telegram.Bot, receiver: Receiver
) -> None:
    await bot.set_webhook(receiver.url)
    assert (await bot.get_webhook_info()).url == receiver.url
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    await api.send_text(api.user(CHAT, "سارا"), "سلام")
    assert len(await bot.get_updates()) == 1
    assert receiver.received == []


async def test_pending_updates_can_be_dropped_with_the_webhook(api: FakeBotApi, bot: telegram.Bot) -> None:
    await api.send_text(api.user(CHAT, "سارا"), "سلام")
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()


async def test_a_webhook_needs_https_and_a_plain_secret(api: FakeBotApi, bot: telegram.Bot) -> None:
    with pytest.raises(BadRequest, match=r"(?i)https"):
        await bot.set_webhook("http://shop.test/hook")
    with pytest.raises(BadRequest, match="unallowed characters"):
        await bot.set_webhook("https://shop.test/hook", secret_token="راز")
    assert api.state.webhook.url == ""
