"""Killed at any moment and started again: nothing is lost, and nothing is answered twice by the dialogue."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter

from crm_store import inbox, outbox
from crm_store.conversations.models import Message
from crm_store.settings import PROJECT_ROOT
from tests.gateway.conftest import Setup

CHATS = (7, 8, 9)
ROUNDS = 5
PROGRAM = (
    "import asyncio; from bot.gateway.app import run_gateway; from crm_store.settings import load_settings;"
)
PROGRAM += "asyncio.run(run_gateway(load_settings()))"


async def start(setup: Setup) -> asyncio.subprocess.Process:
    """The gateway as a process of its own."""
    settings = setup.settings
    env = {
        "PATH": os.environ["PATH"],
        "PEYVAND_DATA_DIR": settings.data_dir,
        "PEYVAND_RASA_URL": settings.rasa_url,
        "PEYVAND_INTERNAL_SECRET": settings.internal_secret,
        "PEYVAND_TELEGRAM_TOKEN": settings.telegram.token,
        "PEYVAND_TELEGRAM_BASE_URL": settings.telegram.base_url,
        "PEYVAND_LIMITS_CHAT_BURST": "1000",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, env=env, cwd=PROJECT_ROOT, stderr=asyncio.subprocess.DEVNULL
    )


async def test_killed_five_times_the_gateway_answers_every_message(setup: Setup) -> None:
    setup.rasa.on_turn = lambda turn: [{"text": f"«{turn['text']}»"}]
    users = [setup.telegram.user(chat, f"کاربر {chat}") for chat in CHATS]
    chance = random.Random(20261122)
    sent = 0
    for _ in range(ROUNDS):
        process = await start(setup)
        beats = len(setup.telegram.calls("getUpdates"))
        await setup.until(lambda beats=beats: len(setup.telegram.calls("getUpdates")) > beats, "a start")
        for number in range(sent, sent + 9):
            await setup.telegram.send_text(users[number % 3], f"پیام {number}")
        sent += 9
        await asyncio.sleep(chance.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    process = await start(setup)
    await setup.until(lambda: not setup.telegram.pending_updates(), "confirmation")
    await setup.all_finished(rows=sent)
    await setup.until(lambda: not setup.read(outbox.count_by_state).get("pending"), "an empty outbox")
    process.terminate()
    await process.wait()

    assert setup.read(inbox.count_by_state) == {"done": sent}
    assert len(setup.rasa.handled) == sent
    for chat in CHATS:
        expected = [f"«پیام {number}»" for number in range(sent) if CHATS[number % 3] == chat]
        got = setup.texts(chat)
        assert list(dict.fromkeys(got)) == expected
        repeats = sum(count - 1 for count in Counter(got).values())
        assert repeats <= ROUNDS
    lines = setup.read(lambda s: Counter(line.author for line in s.query(Message)))
    assert lines == {"customer": sent, "bot": sent}
