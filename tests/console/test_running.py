"""The console as a process: what its operator sees when it starts and stops."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import WSCloseCode
from yarl import URL

from bot.console.app import run_console
from crm_store.db import Database
from crm_store.errors import ConfigurationError
from crm_store.settings import PROJECT_ROOT, Settings
from tests.console.browser import Browser
from tests.e2e.product import eventually
from tests.ports import free_port


@pytest.fixture
def process(sqlite_database: Database, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A console of its own, and its port."""
    port = free_port()
    running = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "console"],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "PEYVAND_DATA_DIR": str(tmp_path),
            "PEYVAND_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
            "PEYVAND_HTTP_PORT": str(port),
        },
        stderr=subprocess.PIPE,
    )
    eventually(lambda: accepts(port), within=120, what="the console's port")
    yield running, port
    running.kill()
    running.communicate()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_a_port_in_use_is_one_clear_line(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"PEYVAND_HTTP_PORT.*{port}") as told:
            await run_console(msgspec.structs.replace(settings, http_port=port))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
async def test_an_address_that_is_not_ours_is_one_clear_line(settings: Settings, host: str) -> None:
    with pytest.raises(ConfigurationError, match="PEYVAND_HTTP_HOST"):
        await run_console(msgspec.structs.replace(settings, http_host=host, http_port=free_port()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_cleanly_and_tells_the_pages_to_come_back(
    process: tuple[subprocess.Popen[bytes], int], number: signal.Signals
) -> None:
    running, port = process
    browser = Browser(URL(f"http://127.0.0.1:{port}/"))
    await browser.visit()
    page = await browser.page()
    await page.next("ready")
    running.send_signal(number)
    assert (await page.socket.receive(timeout=60)).data == WSCloseCode.GOING_AWAY
    await browser.close()
    _, log = await asyncio.to_thread(running.communicate, timeout=60)
    assert running.returncode == 0
    assert b"Traceback" not in log
