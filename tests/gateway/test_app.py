"""The gateway as a process: alone on its folder, discreet in its logs, gentle when stopped."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from structlog.testing import capture_logs

from bot.gateway import app
from bot.gateway.app import only_gateway, run_gateway
from crm_store import inbox, outbox
from crm_store.errors import ConfigurationError
from crm_store.heartbeats import Heartbeat, bot_username
from crm_store.settings import Settings
from tests.fakes.bot_api_state import BOT
from tests.gateway.conftest import Setup


async def test_a_second_gateway_on_the_same_folder_is_refused(setup: Setup) -> None:
    with only_gateway(setup.settings.data_path), pytest.raises(ConfigurationError, match="another gateway"):
        await run_gateway(setup.settings)


@pytest.mark.parametrize("missing", ["rasa_url", "internal_secret"])
async def test_a_missing_setting_is_named(setup: Setup, missing: str) -> None:
    setup.set(**{missing: ""})
    with pytest.raises(ConfigurationError, match=f"PEYVAND_{missing.upper()}"):
        await run_gateway(setup.settings)


async def test_sigterm_lets_a_running_turn_end(setup: Setup) -> None:
    setup.rasa.slow_next(0.8)
    running = asyncio.ensure_future(run_gateway(setup.settings))
    await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
    await setup.until(lambda: setup.rasa.turns)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 10)
    assert setup.read(inbox.count_by_state) == {"done": 1}
    assert setup.texts(7) or setup.read(outbox.count_by_state) == {"pending": 1}


async def test_a_broken_part_ends_the_process_so_that_it_is_started_again(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(self: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.gateway.polling.Poller.run", break_down)
    with pytest.raises(RuntimeError, match="broke"):
        await asyncio.wait_for(run_gateway(setup.settings), 10)


async def test_without_any_token_the_web_chat_is_served(setup: Setup) -> None:
    setup.set(telegram=Settings().telegram)
    async with setup.running():
        payload = {"text": "سلام", "client_id": "1"}
        setup.write(lambda s: inbox.receive(s, channel="web", update_id="v:1", chat_id="v", payload=payload))
        await setup.until(lambda: setup.read(outbox.count_by_state).get("sent"))
        await setup.until(lambda: setup.read(lambda s: s.get(Heartbeat, "gateway")))


async def test_what_a_bot_is_called_is_kept_for_the_links_that_open_it(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "BEAT_SECONDS", 0.05)
    setup.telegram.fail_next("getMe", status=502)
    monkeypatch.setattr(app, "FIRST_TRY_SECONDS", 0.05)
    async with setup.running():
        await setup.until(lambda: setup.read(lambda s: bot_username(s, channel="telegram")))
    assert setup.read(lambda s: bot_username(s, channel="telegram")) == BOT["username"]
    assert setup.read(lambda s: bot_username(s, channel="bale")) is None


async def test_logs_hold_ids_and_no_words_numbers_or_tokens(setup: Setup) -> None:
    sara = setup.telegram.user(7, "سارا محرمانه", phone_number="989121234567")
    setup.rasa.on_turn = lambda turn: [{"text": "پاسخ محرمانه"}]
    setup.rasa.fail_next(1, status=500)
    setup.telegram.fail_next("sendMessage", status=502)
    with capture_logs() as logs:
        async with setup.running():
            await setup.telegram.send_text(sara, "متن محرمانه ۰۹۱۲۱۲۳۴۵۶۷")
            await setup.telegram.wait_for_messages(7, 1)
            await setup.telegram.send_contact(sara)
            await setup.telegram.wait_for_messages(7, 2)
            await setup.all_finished(rows=2)
    told = str(logs)
    assert {"turn", "turn_failed", "send_delayed"} <= {entry["event"] for entry in logs}
    assert not [word for word in ("محرمانه", "9121234567", "۹۱۲", setup.telegram.token) if word in told]


async def test_one_correlation_id_goes_from_the_update_to_the_sent_message(setup: Setup) -> None:
    async with setup.running():
        await setup.telegram.send_text(setup.telegram.user(7, "سارا"), "سلام")
        await setup.until(lambda: setup.read(outbox.count_by_state).get("sent"))
    row = setup.read(lambda s: s.get(inbox.InboxItem, 1))
    sent = setup.read(lambda s: s.get(outbox.OutboxItem, 1))
    assert row.correlation_id == sent.correlation_id
    assert setup.rasa.turns[0]["metadata"]["correlation_id"] == row.correlation_id
