"""The dialogue's own memory, Rasa's tracker store: what customers said stands there as well.

Rasa keeps one row per event in the table ``events``; ``sender_id`` is the id of our conversation
(rasa.core.tracker_store.SQLTrackerStore).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from crm_store.db import BUSY_TIMEOUT_SECONDS, compact_sqlite
from crm_store.errors import ConfigurationError
from crm_store.roles import is_loopback
from crm_store.settings import Settings

VARIABLE = "PEYVAND_TRACKER_URL"
_SESSION_STARTED = "session_started"

events = sa.Table(
    "events",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sender_id", sa.String(255)),
    sa.Column("type_name", sa.String(255)),
    #: Seconds since the epoch.
    sa.Column("timestamp", sa.Float),
)


def default_tracker_url(settings: Settings) -> str:
    """Where `peyvand up` lets Rasa keep conversations."""
    return f"sqlite:///{settings.data_path / 'tracker.db'}"


def tracker_url(settings: Settings, env: Mapping[str, str] | None = None) -> str:
    """Where Rasa keeps conversations.

    Args:
        env: variables to read; the process's own by default.

    Raises:
        ConfigurationError: Rasa runs on another machine and the variable does not say where it keeps them.
    """
    named = (os.environ if env is None else env).get(VARIABLE, "")
    if not named and settings.rasa_url and not is_loopback(urlsplit(settings.rasa_url).hostname or ""):
        raise ConfigurationError(
            f"{VARIABLE}: the gateway needs the address that Rasa got, to erase conversations there too"
        )
    return named or default_tracker_url(settings)


class Tracker:
    """Rasa's tracker store, as far as it is about forgetting.

    Args:
        url: the address that Rasa got.

    Raises:
        ConfigurationError: it is none.
    """

    def __init__(self, url: str) -> None:
        self._url = _with_our_driver(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        if self._is_sqlite:
            self._engine = sa.create_engine(self._url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
            sa.event.listen(self._engine, "connect", _overwrite_what_is_deleted)
        else:
            self._engine = sa.create_engine(self._url, pool_size=1)

    def forget(self, conversation_ids: Collection[int]) -> int:
        """Delete all events of some conversations; returns how many there were."""
        senders = [str(conversation_id) for conversation_id in conversation_ids]
        return self._delete(events.c.sender_id.in_(senders))

    def forget_before(self, moment: datetime) -> int:
        """Delete events from before a moment; returns how many there were.

        Only such as Rasa reads no more: those before the latest session of a conversation, and conversations
        in which nothing happened since. It counts the events of the latest session when it adds new ones.
        """
        latest = (
            sa.select(
                events.c.sender_id,
                sa.func.max(events.c.timestamp).label("at"),
                sa.func.max(sa.case((events.c.type_name == _SESSION_STARTED, events.c.id))).label("session"),
            )
            .group_by(events.c.sender_id)
            .subquery()
        )
        before = moment.timestamp()
        is_idle = events.c.sender_id.in_(sa.select(latest.c.sender_id).where(latest.c.at < before))
        is_of_older_session = events.c.id < (
            sa.select(latest.c.session).where(latest.c.sender_id == events.c.sender_id).scalar_subquery()
        )
        return self._delete(sa.and_(events.c.timestamp < before, sa.or_(is_idle, is_of_older_session)))

    def compact(self) -> None:
        """Let go of what was deleted, as `crm_store.db.Database.compact` does.

        Raises:
            BusyError: not possible at this moment; try again later.
            sqlite3.OperationalError: likewise, on SQLite.
        """
        if not self._is_there():
            return
        if self._is_sqlite:
            compact_sqlite(self._engine)
            return
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM events")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _delete(self, condition: sa.ColumnElement[bool]) -> int:
        if not self._is_there():
            return 0
        with self._engine.begin() as connection:
            return connection.execute(sa.delete(events).where(condition)).rowcount

    def _is_there(self) -> bool:
        """Whether Rasa has written anything yet; nothing is made here."""
        if self._is_sqlite and not Path(self._url.database or "").is_file():
            return False
        return sa.inspect(self._engine).has_table(events.name)


def _with_our_driver(url: str) -> URL:
    """The address with the PostgreSQL driver that every role has; Rasa itself uses an older one."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(f"{VARIABLE}: must begin with sqlite:/// or postgresql://") from error
    is_postgres = parsed.get_backend_name() in ("postgresql", "postgres")
    return parsed.set(drivername="postgresql+psycopg") if is_postgres else parsed


def _overwrite_what_is_deleted(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
