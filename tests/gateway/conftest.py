"""The gateway between a fake messenger and a fake dialogue, with a real store in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.orm import Session

from bot.gateway.app import Gateway
from crm_store import inbox
from crm_store.db import Database
from crm_store.settings import BotApiSettings, LimitSettings, Settings
from tests.factories.stores import put_store
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.rasa_turns import FakeRasa

WATCH_SECONDS = 0.02
PATIENCE_SECONDS = 30.0


class Setup:
    """A gateway and all that it talks to.

    Attributes:
        telegram: the messenger, with its users.
        rasa: the dialogue.
        database: the store.
        settings: change them before `running`.
    """

    def __init__(self, folder: Path, telegram: FakeBotApi, rasa: FakeRasa) -> None:
        self.telegram = telegram
        self.rasa = rasa
        put_store(folder / "peyvand.db")
        self.database = Database(f"sqlite:///{folder / 'peyvand.db'}")
        self.settings = Settings(
            data_dir=str(folder),
            rasa_url=rasa.base_url,
            internal_secret=rasa.secret,
            telegram=BotApiSettings(token=telegram.token, base_url=telegram.base_url),
            limits=LimitSettings(chat_burst=100, messages_per_second=1000, notice_after_seconds=30),
        )

    def set(self, **values: Any) -> None:
        """Change settings."""
        self.settings = msgspec.structs.replace(self.settings, **values)

    def set_limits(self, **values: Any) -> None:
        """Change limits."""
        self.set(limits=msgspec.structs.replace(self.settings.limits, **values))

    def set_telegram(self, **values: Any) -> None:
        """Change the bot's settings."""
        self.set(telegram=msgspec.structs.replace(self.settings.telegram, **values))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Gateway]:
        """A gateway at work."""
        gateway = Gateway(self.settings, self.database)
        await gateway.start()
        try:
            yield gateway
        finally:
            await gateway.stop()

    def read(self, query: Callable[[Session], Any]) -> Any:
        """Ask the store."""
        with self.database.read() as session:
            return query(session)

    def write(self, change: Callable[[Session], Any]) -> Any:
        """Change the store."""
        with self.database.write() as session:
            return change(session)

    async def until(self, condition: Callable[[], object], what: str = "the condition") -> Any:
        """Wait until something holds, and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come true")
            await asyncio.sleep(WATCH_SECONDS)
        return result

    async def all_finished(self, rows: int | None = None) -> None:
        """Wait until nothing is pending in the inbox, and that many rows are there."""

        def finished() -> bool:
            counts = self.read(inbox.count_by_state)
            is_whole = rows is None or sum(counts.values()) >= rows
            return is_whole and not counts.get(inbox.PENDING)

        await self.until(finished, "an empty inbox")

    def texts(self, chat_id: int) -> list[str]:
        """What a person reads from the bot."""
        return [message.plain for message in self.telegram.messages(chat_id)]


@pytest.fixture
async def telegram() -> AsyncIterator[FakeBotApi]:
    """A strict Telegram."""
    fake = FakeBotApi()
    await fake.start()
    yield fake
    await fake.stop()
    assert fake.violations == []


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    """A dialogue that answers what the test wants."""
    fake = FakeRasa()
    await fake.start()
    yield fake
    await fake.stop()
    assert fake.violations == []


@pytest.fixture
async def setup(tmp_path: Path, telegram: FakeBotApi, rasa: FakeRasa) -> AsyncIterator[Setup]:
    """A gateway that is not running yet."""
    setup = Setup(tmp_path, telegram, rasa)
    yield setup
    await asyncio.get_running_loop().shutdown_default_executor()  # steps in the store that were under way
    setup.database.dispose()
