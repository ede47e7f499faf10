"""A console on a real store and a real port, and browsers that visit it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from bot.console.app import build_app
from crm_store.business import EXAMPLE
from crm_store.db import Database
from crm_store.settings import LimitSettings, Settings
from tests.console.browser import Browser
from tests.console.staff import StaffBrowser, a_password

Serve = Callable[..., Awaitable[TestServer]]
Visit = Callable[..., Awaitable[Browser]]


def name_business(file: Path, name: str) -> None:
    """Write the example as a business file, with another name."""
    text = EXAMPLE.read_text(encoding="utf-8")
    file.write_text(text.replace("کسب‌وکار ما", name), encoding="utf-8")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a small shop that accepts files up to 50 kB."""
    name_business(tmp_path / "business.toml", "فروشگاه آفتاب")
    return Settings(
        data_dir=str(tmp_path),
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


@pytest_asyncio.fixture
async def at_the_door(serve: Serve) -> AsyncIterator[StaffBrowser]:
    """A browser that nobody has logged in with yet."""
    browser = StaffBrowser((await serve()).make_url("/"))
    yield browser
    await browser.close()


@pytest_asyncio.fixture
async def staff(at_the_door: StaffBrowser, sqlite_database: Database) -> StaffBrowser:
    """A browser with which ``admin`` is logged in."""
    response = await at_the_door.log_in(a_password(sqlite_database))
    assert response.status == 303
    return at_the_door
