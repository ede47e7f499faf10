"""An update is confirmed only when it is kept, and nothing stops the polling for good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.gateway import app
from bot.gateway.channels.telegram import telegram_channel
from bot.gateway.polling import Poller
from bot.gateway.receiving import Receiver
from crm_store import inbox
from crm_store.base import utcnow
from crm_store.heartbeats import Heartbeat
from crm_store.inbox import InboxItem
from tests.fakes.bot_api import FakeBotApi
from tests.gateway.conftest import Setup


@asynccontextmanager
async def polling(setup: Setup, receiver: Receiver | None = None, **speed: Any) -> AsyncIterator[Poller]:
    channel = telegram_channel(setup.settings.telegram)
    poller = Poller(
        channel, receiver or Receiver(setup.database, "telegram", "7001"), lambda rows: None, **speed
    )
    task = asyncio.ensure_future(poller.run())
    try:
        yield poller
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await channel.close()


def kept(setup: Setup) -> list[dict[str, Any]]:
    return [row.payload for row in setup.read(inbox.pending)]


async def test_a_repeated_update_is_kept_once(setup: Setup) -> None:
    telegram = FakeBotApi(redeliver=3, seed=4)
    await telegram.start()
    setup.set_telegram(base_url=telegram.base_url)
    sara = telegram.user(7, "سارا")
    async with polling(setup, poll_seconds=1):
        for number in range(12):
            await telegram.send_text(sara, f"پیام {number}")
        await setup.until(lambda: not telegram.pending_updates(), "confirmation")
    await telegram.stop()
    assert [payload["message"]["text"] for payload in kept(setup)] == [
        f"پیام {number}" for number in range(12)
    ]


class FullDisk(Receiver):
    """A store that is away for the first tries."""

    failures = 2

    def keep(self, updates: Sequence[dict[str, Any]]) -> list[InboxItem]:
        self.failures -= 1
        if self.failures >= 0:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        return super().keep(updates)


async def test_an_update_that_cannot_be_kept_is_not_confirmed(setup: Setup, telegram: FakeBotApi) -> None:
    await telegram.send_text(telegram.user(7, "سارا"), "سلام")
    receiver = FullDisk(setup.database, "telegram", "7001")
    async with polling(setup, receiver, poll_seconds=1) as poller:
        await setup.until(lambda: poller.status == "store_down")
        assert len(telegram.pending_updates()) == 1
        await setup.until(lambda: not telegram.pending_updates())
    assert len(kept(setup)) == 1


async def test_a_second_poller_is_reported_once_and_outwaited(
    setup: Setup, telegram: FakeBotApi, capsys: pytest.CaptureFixture[str]
) -> None:
    telegram.conflict_next(3)
    await telegram.send_text(telegram.user(7, "سارا"), "سلام")
    async with polling(setup, poll_seconds=1) as poller:
        await setup.until(lambda: poller.status == "conflict")
        await setup.until(lambda: kept(setup))
        assert poller.status == "ok"
    assert capsys.readouterr().out.count("another program asks for the updates") == 1


async def test_a_wrong_token_is_reported_with_its_remedy(
    setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    setup.set_telegram(token="7001:wrong")
    async with polling(setup) as poller:
        await setup.until(lambda: poller.status == "unauthorized")
    output = capsys.readouterr().out
    assert "does not know this token" in output
    assert "7001:wrong" not in output


async def test_a_wedged_poll_is_noticed_and_replaced(setup: Setup, telegram: FakeBotApi) -> None:
    telegram.hang_next("getUpdates", 30)
    await telegram.send_text(telegram.user(7, "سارا"), "سلام")
    async with polling(setup, poll_seconds=0, stuck_seconds=0.3):
        await setup.until(lambda: kept(setup))


async def test_a_messenger_that_is_away_is_asked_until_it_is_back(setup: Setup, telegram: FakeBotApi) -> None:
    await telegram.stop()
    async with polling(setup, poll_seconds=1) as poller:
        await setup.until(lambda: poller.status == "unreachable")
        await telegram.start()
        await telegram.send_text(telegram.user(7, "سارا"), "سلام")
        await setup.until(lambda: kept(setup))


async def test_a_webhook_that_was_set_before_is_taken_away(setup: Setup, telegram: FakeBotApi) -> None:
    channel = telegram_channel(setup.settings.telegram)
    await channel.set_webhook("http://127.0.0.1:9/x", "secret")
    await channel.close()
    await telegram.send_text(telegram.user(7, "سارا"), "سلام")
    async with polling(setup, poll_seconds=1):
        await setup.until(lambda: kept(setup))


async def test_ids_that_begin_anew_are_not_taken_for_old_ones(setup: Setup, telegram: FakeBotApi) -> None:
    sara = telegram.user(7, "سارا")
    async with polling(setup, poll_seconds=1):
        await telegram.send_text(sara, "پیش از هفتهٔ بی‌صدا")
        await setup.until(lambda: len(kept(setup)) == 1)
        polls = len(telegram.calls("getUpdates"))
        await setup.until(lambda: len(telegram.calls("getUpdates")) >= polls + 2, "an empty poll")
        telegram.state.queue.next_id = 1000
        await telegram.send_text(sara, "پس از آن")
        await setup.until(lambda: len(kept(setup)) == 2)


async def test_a_strange_update_holds_nothing_up(setup: Setup, telegram: FakeBotApi) -> None:
    await telegram.inject_update({"message": {"chat": "not a chat", "text": ["x"]}})
    await telegram.inject_update({"message": {"chat": {"id": 7}, "from": {"id": 7}, "text": "\x00 \ud83d"}})
    await telegram.send_text(telegram.user(7, "سارا"), "سلام")
    async with setup.running():
        await telegram.wait_for_messages(7, 1)
        await setup.all_finished(rows=3)
    assert telegram.pending_updates() == []


async def test_the_operator_sees_when_polling_last_worked(
    setup: Setup, telegram: FakeBotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "BEAT_SECONDS", 0.05)
    await telegram.send_text(telegram.user(7, "سارا"), "سلام")  # an empty poll lasts half a minute

    def last_poll() -> str | None:
        beat = setup.read(lambda session: session.get(Heartbeat, "poller:telegram"))
        return beat.detail["last_successful_poll"] if beat else None

    began = utcnow()
    async with setup.running():
        told = datetime.fromisoformat(await setup.until(last_poll))
        assert setup.read(lambda session: session.get(Heartbeat, "gateway")).status == "ok"
    assert began <= told <= utcnow()


async def test_an_update_in_a_batch_is_kept_once(setup: Setup) -> None:
    receiver = Receiver(setup.database, "telegram", "7001")
    updates = [{"update_id": number, "poll": {}} for number in (3, 4, 3)]
    assert [row.update_id for row in receiver.keep(updates)] == ["7001:3", "7001:4"]
    assert receiver.keep(updates) == []
    assert [row.update_id for row in setup.read(inbox.pending)] == ["7001:3", "7001:4"]


async def test_what_the_database_cannot_hold_leaves_its_id_behind(setup: Setup) -> None:
    receiver = Receiver(setup.database, "telegram", "7001")
    updates = [{"update_id": 3}, {"update_id": 4, "poll": object()}, {"update_id": 5}]
    assert len(receiver.keep(updates)) == 3
    assert kept(setup) == [{"update_id": 3}, {"update_id": 4, "unreadable": True}, {"update_id": 5}]


async def test_two_bots_may_number_their_updates_alike(setup: Setup) -> None:
    for bot_id in ("7001", "7002"):
        assert len(Receiver(setup.database, "telegram", bot_id).keep([{"update_id": 3}])) == 1
