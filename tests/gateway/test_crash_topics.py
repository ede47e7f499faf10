"""Killed while people talk to each other through it, the gateway loses no word and lets the bot say none."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys

from crm_store import outbox
from crm_store.settings import PROJECT_ROOT
from tests.gateway.conftest import Setup
from tests.gateway.desk import GROUP, SARA, Desk
from tests.gateway.test_crash import PROGRAM

ROUNDS = 3


async def start(setup: Setup) -> asyncio.subprocess.Process:
    """The gateway as a process of its own, at work."""
    settings = setup.settings
    env = {
        "PATH": os.environ["PATH"],
        "PEYVAND_DATA_DIR": settings.data_dir,
        "PEYVAND_RASA_URL": settings.rasa_url,
        "PEYVAND_INTERNAL_SECRET": settings.internal_secret,
        "PEYVAND_TELEGRAM_TOKEN": settings.telegram.token,
        "PEYVAND_TELEGRAM_BASE_URL": settings.telegram.base_url,
        "PEYVAND_TELEGRAM_STAFF_GROUP_ID": str(GROUP),
        "PEYVAND_LIMITS_CHAT_BURST": "1000",
        "PEYVAND_LIMITS_GROUP_MESSAGES_PER_MINUTE": "5000",
    }
    polls = len(setup.telegram.calls("getUpdates"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, env=env, cwd=PROJECT_ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    await setup.until(lambda: len(setup.telegram.calls("getUpdates")) > polls, "a start")
    return process


async def test_killed_three_times_while_a_person_has_a_conversation_nothing_is_lost(setup: Setup) -> None:
    desk = Desk(setup)
    chance = random.Random(20261127)
    process = await start(setup)
    await desk.greets(desk.sara)
    desk.wants_a_person(desk.sara)
    topic = await desk.topic()
    await desk.reads(topic, "echo")
    await desk.writes(desk.negar, topic, "پاسخ آغاز.")
    await desk.gets(desk.sara, "پاسخ آغاز.")
    asked = len(setup.rasa.turns)
    for number in range(ROUNDS):
        for word in ("الف", "ب", "پ"):
            await setup.telegram.send_text(desk.sara, f"پرسش {number}{word}.")
            await desk.writes(desk.negar, topic, f"پاسخ {number}{word}.")
        await asyncio.sleep(chance.uniform(0.0, 0.4))
        process.send_signal(signal.SIGKILL)
        await process.wait()
        process = await start(setup)
    said = [f"{number}{word}." for number in range(ROUNDS) for word in ("الف", "ب", "پ")]
    for words in said:
        await desk.gets(desk.sara, f"پاسخ {words}")
        await desk.reads(topic, f"پرسش {words}")
    await setup.until(lambda: not setup.read(outbox.count_by_state).get("pending"), "an empty outbox")
    process.terminate()
    await process.wait()

    assert len(setup.rasa.turns) == asked
    got = [text for text in setup.texts(SARA) if text.startswith("پاسخ") and "آغاز" not in text]
    assert list(dict.fromkeys(got)) == [f"پاسخ {words}" for words in said]
    assert len(got) - len(said) <= ROUNDS, "at most one message is sent twice for each crash"
    kept = [text for author, _, text in desk.lines(desk.sara) if author == "customer"]
    assert kept == ["سلام", *(f"پرسش {words}" for words in said)]
