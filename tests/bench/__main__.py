"""Measures the product through the fake Bot API, as a customer meets it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import yaml

from crm_store.settings import PROJECT_ROOT
from tests.bench.club import club_figures
from tests.bench.console import console_figures
from tests.bench.figures import Figure, emit, percentile, stock_figures
from tests.bench.importing import import_figures
from tests.bench.overview import overview_figures
from tests.bench.reading import reading_figures
from tests.bench.tickets import ticket_figures
from tests.bench.understanding import figures as understanding_figures
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

#: Benchmarks write faster than people do: only the pacing is out of their way, all else is as shipped.
UNPACED = {
    "PEYVAND_LIMITS_CHAT_BURST": "100000",
    "PEYVAND_LIMITS_CHAT_MESSAGES_PER_SECOND": "100000",
    "PEYVAND_LIMITS_MESSAGES_PER_SECOND": "100000",
    "PEYVAND_LOG_LEVEL": "WARNING",
}
WITHOUT_ACTION = "سلام وقت بخیر"
WITH_ACTION = "شکایت من به کجا رسید؟"
TURNS_EACH = 60
ANSWER_SECONDS = 30.0


class Bench:
    """The running product and its fake Telegram."""

    def __init__(self, folder: Path) -> None:
        self.stock = stock_figures()
        self.telegram: ThreadRunner[FakeBotApi] = FakeBotApi.start_in_thread()
        fake = self.telegram.fake
        address = {"PEYVAND_TELEGRAM_TOKEN": fake.token, "PEYVAND_TELEGRAM_BASE_URL": fake.base_url}
        self.product = Product(folder / "data", address | UNPACED)
        self._folder = folder
        self._next_user = 1

    def figures(self) -> Iterator[Figure]:
        """Measure one thing after the other."""
        yield self._figure("training", self._training_seconds(), "s")
        yield self._figure("start, cold (no bytecode)", self._start_seconds(cold=True), "s")
        yield self._figure("start, warm", self._start_seconds(), "s")
        self.product.start()
        for chats in (1, 8):
            for label, text in (("no action", WITHOUT_ACTION), ("action", WITH_ACTION)):
                yield from self._latency(f"reply, {chats} chat{'s' * (chats > 1)}, {label}", text, chats)
        yield self._figure("ten messages in one chat", self._ten_in_one_chat(), "s")
        yield from self._long_chat()
        yield from self._memory()
        self.product.stop()
        self.telegram.stop()
        yield from self._parse_latency()
        yield from understanding_figures()
        yield from reading_figures()
        yield from import_figures(self._folder)
        yield from ticket_figures(self._folder)
        yield from club_figures(self._folder)
        yield from overview_figures(self._folder)
        yield from console_figures(self._folder)

    def _figure(self, name: str, value: float, unit: str) -> Figure:
        return Figure(name, value, unit, self.stock.get(name))

    def _training_seconds(self) -> float:
        started = time.monotonic()
        command = [sys.executable, "-m", "bot.cli", "train", "--force"]
        # In a data folder without a former model: with one, both would be measured too.
        env = {**os.environ, "PEYVAND_DATA_DIR": str(self._folder / "training")}
        subprocess.run(command, cwd=PROJECT_ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - started

    def _start_seconds(self, *, cold: bool = False) -> float:
        cache = self._folder / "no-bytecode-yet"
        settings = {"PYTHONPYCACHEPREFIX": str(cache)} if cold else {}
        product = Product(self._folder / f"start-{cold}", settings)
        started = time.monotonic()
        product.start()
        seconds = time.monotonic() - started
        product.stop()
        shutil.rmtree(cache, ignore_errors=True)
        return seconds

    def _latency(self, name: str, text: str, chats: int) -> Iterator[Figure]:
        first, self._next_user = self._next_user, self._next_user + chats
        turns = TURNS_EACH // (2 if chats > 1 else 1)
        waits = self.telegram.run(self._talk_at_once(range(first, first + chats), text, turns), timeout=600)
        for share in (0.5, 0.95):
            yield self._figure(f"{name}, p{share * 100:.0f}", 1000 * percentile(waits, share), "ms")

    async def _talk_at_once(self, users: range, text: str, turns: int) -> list[float]:
        waits = await asyncio.gather(*(self._talk(user, text, turns) for user in users))
        return [wait for chat in waits for wait in chat[3:]]  # the first turns open the session

    async def _talk(self, user_id: int, text: str, turns: int) -> list[float]:
        fake = self.telegram.fake
        user = fake.user(user_id, "سنجش")
        waits = []
        for turn in range(1, turns + 1):
            started = time.monotonic()
            await fake.send_text(user, text)
            await asyncio.wait_for(self._answered(user_id, turn), ANSWER_SECONDS)
            waits.append(time.monotonic() - started)
        return waits

    async def _answered(self, user_id: int, turn: int) -> None:
        while len(self.telegram.fake.messages(user_id)) < turn:
            await asyncio.sleep(0.001)

    def _ten_in_one_chat(self) -> float:
        return self.telegram.run(self._burst(self._take_user()), timeout=120)

    async def _burst(self, user_id: int) -> float:
        fake = self.telegram.fake
        user = fake.user(user_id, "سنجش")
        started = time.monotonic()
        for _ in range(10):
            await fake.send_text(user, WITHOUT_ACTION)
        await fake.wait_for_messages(user_id, 10, 60)
        return time.monotonic() - started

    def _long_chat(self) -> Iterator[Figure]:
        waits = self.telegram.run(self._talk(self._take_user(), WITH_ACTION, 205), timeout=300)
        yield self._figure("turn 10 of a chat", 1000 * percentile(waits[5:15], 0.5), "ms")
        yield self._figure("turn 200 of a chat", 1000 * percentile(waits[195:205], 0.5), "ms")

    def _memory(self) -> Iterator[Figure]:
        for role in self.product.roles():
            memory = psutil.Process(self.product.pid(role)).memory_info().rss
            yield self._figure(f"memory of {role}", memory / 1e6, "MB")

    def _parse_latency(self) -> Iterator[Figure]:
        phrases = yaml.safe_load((PROJECT_ROOT / "tests/nlu/evaluation.yml").read_text(encoding="utf-8"))
        lines = [phrase for group in phrases.values() for phrase in group]
        waits = parse_milliseconds(lines)
        yield self._figure("parse, p50", percentile(waits, 0.5), "ms")
        yield self._figure("parse, p95", percentile(waits, 0.95), "ms")

    def _take_user(self) -> int:
        self._next_user += 1
        return self._next_user - 1


def parse_milliseconds(lines: list[str]) -> list[float]:
    """What `peyvand parse` says it took for each line."""
    import json

    result = subprocess.run(
        [sys.executable, "-m", "bot.cli", "parse", "--jsonl"],
        input="\n".join(lines),
        text=True,
        capture_output=True,
        cwd=PROJECT_ROOT,
        env=os.environ,
        check=True,
    )
    return [json.loads(line)["ms"] for line in result.stdout.splitlines()][5:]


def main() -> None:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder:
        emit(Bench(Path(folder)).figures())


if __name__ == "__main__":
    main()
