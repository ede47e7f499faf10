"""The messenger brings the updates, and proves that it is the messenger."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from bot.gateway.app import Gateway
from crm_store import inbox
from crm_store.errors import ConfigurationError
from crm_store.settings import BotApiSettings
from tests.fakes.bot_api import FakeBotApi
from tests.gateway.conftest import Setup
from tests.ports import free_port

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def address(setup: Setup, port: int) -> str:
    url = f"http://127.0.0.1:{port}/telegram"
    setup.set_telegram(mode="webhook", webhook_url=url, webhook_secret="s3cret", webhook_port=port)
    return url


async def post(url: str, secret: str | None, body: str = '{"update_id": 5, "poll": {}}') -> int:
    headers = {SECRET_HEADER: secret} if secret is not None else {}
    async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_an_update_comes_in_and_is_answered(setup: Setup, telegram: FakeBotApi, address: str) -> None:
    async with setup.running():
        await telegram.send_text(telegram.user(7, "سارا"), "سلام")
        await telegram.wait_for_messages(7, 1)
        await setup.until(lambda: not telegram.pending_updates())


@pytest.mark.parametrize("secret", [None, "", "wrong", "s3cret2"])
async def test_nothing_is_kept_without_the_secret(setup: Setup, address: str, secret: str | None) -> None:
    async with setup.running():
        assert await post(address, secret) == 403
    assert setup.read(inbox.count_by_state) == {}


async def test_ok_is_said_only_when_the_update_is_kept(setup: Setup, address: str) -> None:
    async with setup.running():
        assert await post(address, "s3cret") == 200
        assert await post(address, "s3cret") == 200
        assert sum(setup.read(inbox.count_by_state).values()) == 1
        assert await post(address, "s3cret", body="no json") == 400
        setup.write(lambda session: inbox.InboxItem.__table__.drop(session.connection()))
        assert await post(address, "s3cret", body='{"update_id": 6, "poll": {}}') == 503


async def test_bale_gets_the_secret_into_the_address(setup: Setup, telegram: FakeBotApi, port: int) -> None:
    url = f"http://127.0.0.1:{port}/bale"
    bale = BotApiSettings(
        token=telegram.token,
        base_url=telegram.base_url,
        mode="webhook",
        webhook_url=url,
        webhook_secret="s3cret",
        webhook_port=port,
    )
    setup.set(telegram=BotApiSettings(), bale=bale)
    async with setup.running():
        assert await post(url, "s3cret") == 404
        assert await post(f"{url}/wrong", None) == 403
        await telegram.send_text(telegram.user(7, "سارا"), "سلام")
        await telegram.wait_for_messages(7, 1)
    assert "secret_token" not in telegram.calls("setWebhook")[0].fields


async def test_a_port_in_use_is_one_clear_line(setup: Setup, address: str, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        gateway = Gateway(setup.settings, setup.database)
        with pytest.raises(ConfigurationError, match="PEYVAND_TELEGRAM_WEBHOOK_PORT"):
            await gateway.start()
        await gateway.stop()
