"""Alembic's entry point: runs the migrations on the engine that ``crm_store.migrate`` hands over.

With ``alembic -c crm_store/migrations/alembic.ini`` it takes the address from the settings, for developers.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy.engine import Connection

from crm_store.base import BigId, Json, UtcDateTime
from crm_store.db import Database
from crm_store.models import Base
from crm_store.settings import load_settings

engine = context.config.attributes.get("engine") or Database(load_settings().store_url).engine


def render_shared_type(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write the store's own column types by name, so that a migration reads as the models do."""
    if kind == "type":
        if isinstance(item, UtcDateTime):
            return "UtcDateTime()"
        if item is BigId or repr(item) == repr(BigId):
            return "BigId"
        if item is Json:
            return "Json"
    return False


def enforce_foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch SQLite's foreign keys, outside of any transaction: copying a table drops the old one."""
    if connection.dialect.name == "sqlite":
        # Through the driver: SQLAlchemy would begin a transaction first, in which this does nothing.
        connection.connection.cursor().execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def check_foreign_keys(connection: Connection) -> None:
    """Refuse a migration that left a reference to nothing.

    Raises:
        RuntimeError: with the tables that refer to rows which are not there.
    """
    if connection.dialect.name == "sqlite":
        broken = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
        if broken:
            raise RuntimeError(f"the migration broke references of {', '.join(sorted(broken))}")


with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_shared_type,
        # SQLite cannot alter most things in place: tables are copied.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    enforce_foreign_keys(connection, on=False)
    try:
        with context.begin_transaction():
            context.run_migrations()
            check_foreign_keys(connection)
        connection.commit()
    finally:
        connection.rollback()
        enforce_foreign_keys(connection, on=True)
