"""A console on a real store and a real port, and browsers that visit it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from bot.console.app import build_app
from crm_store.business import EXAMPLE
from crm_store.db import Database
from crm_store.settings import LimitSettings, Settings
from crm_store.staff.models import StaffMember
from tests.console import desk_store
from tests.console.agents import PASSWORD, an_agent
from tests.console.browser import Browser
from tests.console.desk_store import DeskStore, filled_shop
from tests.console.staff import StaffBrowser, a_password

Serve = Callable[..., Awaitable[TestServer]]
Visit = Callable[..., Awaitable[Browser]]
Enter = Callable[..., Awaitable[StaffBrowser]]
LogIn = Callable[[str], Awaitable[StaffBrowser]]


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
async def enter(serve: Serve, sqlite_database: Database) -> AsyncIterator[Enter]:
    """Logs members of staff in at one console, each in their own browser; makes who is not there."""
    browsers: list[StaffBrowser] = []
    servers: list[TestServer] = []

    async def log_in(login: str = "negar", *, role: str = "agent", **member: str) -> StaffBrowser:
        if not servers:
            servers.append(await serve())
        with sqlite_database.write() as session:
            if session.scalar(select(StaffMember).where(StaffMember.login == login)) is None:
                an_agent(session, login=login, role=role, **member)
        browser = StaffBrowser(servers[0].make_url("/"))
        browsers.append(browser)
        response = await browser.log_in(PASSWORD, login=login)
        assert response.status == 303, response.status
        return browser

    yield log_in
    for browser in browsers:
        await browser.close()


@pytest_asyncio.fixture
async def staff(at_the_door: StaffBrowser, sqlite_database: Database) -> StaffBrowser:
    """A browser with which ``admin`` is logged in."""
    response = await at_the_door.log_in(a_password(sqlite_database))
    assert response.status == 303
    return at_the_door


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DeskStore]:
    """A folder with a shop with everything that pages show, made once."""
    folder = tmp_path_factory.mktemp("desk")
    return folder, filled_shop(folder)


@pytest.fixture
def store(
    filled: tuple[Path, DeskStore], sqlite_database: Database, settings: Settings, tmp_path: Path
) -> DeskStore:
    """A copy of that shop."""
    folder, made = filled
    source, copy = (sqlite3.connect(where / "store.db") for where in (folder, tmp_path))
    with closing(source), closing(copy):
        source.backup(copy)
    shutil.copy(folder / "business.toml", tmp_path / "business.toml")
    shutil.copytree(folder / "attachments", tmp_path / "attachments")
    return made


@pytest_asyncio.fixture
async def log_in(serve: Serve, store: DeskStore) -> AsyncIterator[LogIn]:
    """Logs somebody of a role in at the shop of `store`."""
    url = (await serve()).make_url("/")
    browsers: list[StaffBrowser] = []

    async def enter(role: str) -> StaffBrowser:
        browser = StaffBrowser(url)
        browsers.append(browser)
        response = await browser.log_in(desk_store.PASSWORD, login=role)
        assert response.status == 303
        return browser

    yield enter
    for browser in browsers:
        await browser.close()
