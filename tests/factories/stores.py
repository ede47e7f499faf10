"""Migrated, empty stores: the migrations run once for each process, every test gets a copy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from crm_store.db import Database
from crm_store.migrate import upgrade


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new.db"
        database = Database(f"sqlite:///{file}")
        upgrade(database)
        database.dispose()  # the last connection leaves everything in the one file
        return file.read_bytes()


def put_store(file: Path) -> None:
    """Make a file a migrated, empty SQLite store."""
    file.write_bytes(_migrated())


@contextmanager
def sqlite_store(file: Path) -> Iterator[Database]:
    """A migrated, empty SQLite store in a new file, until the end of the block."""
    put_store(file)
    database = Database(f"sqlite:///{file}")
    yield database
    database.dispose()
