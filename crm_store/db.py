"""Engine and units of work: one transaction per edge, committed or rolled back as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker

import crm_store.models  # noqa: F401  # with its listeners, whoever opens the store
from crm_store.errors import ConfigurationError

BUSY_TIMEOUT_SECONDS = 30


class BusyError(Exception):
    """Others are using the store at this moment."""


class Database:
    """The store's engine; cheap to make, holds a connection pool.

    Args:
        url: SQLAlchemy address, ``sqlite:///file`` or ``postgresql+psycopg://…``.
        pool_size: connections kept open, for PostgreSQL.

    Raises:
        ConfigurationError: the address is none, or of a database that we do not speak.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        parsed = _parse(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(
                parsed, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True
            )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        # A unit that writes takes SQLite's write lock at its start: upgrading later can fail as "busy".
        self._writing = self.engine.execution_options(peyvand_write=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A unit of work that may change the store: commits at the end, rolls back on any exception."""
        with self._sessions(bind=self._writing) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A unit of work that only reads; whatever it changed is rolled back."""
        with self._sessions() as session:
            yield session

    def compact(self) -> None:
        """Let go of what was deleted, so that the store's files hold it no more.

        SQLite's file is written anew and its write-ahead log emptied. On PostgreSQL a plain VACUUM makes the
        space of deleted and former rows free again; it locks nobody out, and in return their bytes stay in
        the server's files until that space is used again, and in its WAL until that is recycled. Where they
        must go at once, an administrator runs VACUUM FULL when nobody is there. Backups are not touched.

        Raises:
            BusyError: not possible at this moment; try again later.
            sqlite3.OperationalError: likewise, on SQLite.
        """
        if self.is_sqlite:
            compact_sqlite(self.engine)
            return
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")

    def settle(self) -> None:
        """Empty SQLite's write-ahead log, which still holds what was overwritten in the file itself.

        Raises:
            BusyError: others still read from it; try again later.
        """
        if self.is_sqlite:
            connection = self.engine.raw_connection()
            try:
                empty_write_ahead_log(connection.cursor())
            finally:
                connection.close()

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigurationError(
            "database_url (PEYVAND_DATABASE_URL): must begin with sqlite:/// or postgresql://"
        )
    return parsed


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions on its own; _begin_sqlite does
    cursor = connection.cursor()
    # secure_delete: what is deleted is overwritten with zeros, not only marked as free.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def compact_sqlite(engine: Engine) -> None:
    """Write an SQLite file anew, without anything that was deleted, and empty its write-ahead log.

    Nobody else can write meanwhile; it waits for others as long as any connection does.

    Raises:
        sqlite3.OperationalError: others kept the file busy all the time, or the disk is full.
        BusyError: others still read from the write-ahead log; try again later.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        _forget_searched_words(cursor)
        cursor.execute("VACUUM")
        empty_write_ahead_log(cursor)
    finally:
        connection.close()


def _forget_searched_words(cursor: Any) -> None:
    """Let the full-text index go of words that are in no text any more: FTS5 only marks them as deleted.

    https://www.sqlite.org/fts5.html#the_optimize_command
    """
    if cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'message_search'").fetchone():
        cursor.execute("INSERT INTO message_search(message_search) VALUES ('optimize')")


def empty_write_ahead_log(cursor: Any) -> None:
    """Bring all pages home from an SQLite file's write-ahead log and cut it to nothing.

    Raises:
        BusyError: others still read from it.
    """
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if cursor.fetchone()[0]:
        raise BusyError("the write-ahead log is in use")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("peyvand_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
