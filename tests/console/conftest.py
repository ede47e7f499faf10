"""A console on a real store and a real port, and browsers that visit it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from bot.console.app import build_app
from crm_store.db import Database
from crm_store.settings import BusinessSettings, LimitSettings, Settings
from tests.console.browser import Browser

Serve = Callable[..., Awaitable[TestServer]]
Visit = Callable[..., Awaitable[Browser]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a small shop that accepts files up to 50 kB."""
    return Settings(
        data_dir=str(tmp_path),
        business=BusinessSettings(name="فروشگاه آفتاب"),
        limits=LimitSettings(attachment_bytes=50_000),
    )


@pytest_asyncio.fixture
async def serve(settings: Settings, sqlite_database: Database) -> AsyncIterator[Serve]:
    """Starts a console; further arguments change its settings."""
    servers: list[TestServer] = []

    async def start(**changes: object) -> TestServer:
        server = TestServer(build_app(msgspec.structs.replace(settings, **changes), sqlite_database))
        await server.start_server()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.close()


@pytest_asyncio.fixture
async def visit() -> AsyncIterator[Visit]:
    """Makes a visitor of a console, with the page loaded."""
    browsers: list[Browser] = []

    async def come(server: TestServer) -> Browser:
        browser = Browser(server.make_url("/"))
        browsers.append(browser)
        await browser.visit()
        return browser

    yield come
    for browser in browsers:
        await browser.close()
