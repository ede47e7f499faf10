from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from crm_store.db import Database
from crm_store.migrate import _config, is_current, upgrade
from crm_store.models import Base
from crm_store.transcripts.models import FULL_TEXT, FULL_TEXT_INDEX


def _is_made_by_sqlalchemy(name: str | None, _kind: str, _parents: object) -> bool:
    return name is None or not name.startswith((FULL_TEXT, FULL_TEXT_INDEX))


def test_migrated_tables_are_those_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_made_by_sqlalchemy})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing_and_is_reported_as_current(database: Database) -> None:
    upgrade(database)
    assert is_current(database)


def test_an_empty_database_is_reported_as_not_current(tmp_path: Path) -> None:
    fresh = Database(f"sqlite:///{tmp_path}/empty.db")
    assert not is_current(fresh)
    fresh.dispose()


def test_what_stood_in_the_store_before_an_update_stands_there_afterwards(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path}/old.db")
    command.upgrade(_config(store), "0001")
    rows = {
        "customers": "(id, display_name, created_at) VALUES (1, 'سارا', '2026-01-01 00:00:00')",
        "channel_identities": "(id, customer_id, channel, external_id, display_name, username, created_at) "
        "VALUES (1, 1, 'telegram', '5', '', '', '2026-01-01 00:00:00')",
        "contact_points": "(id, customer_id, kind, value, created_at) "
        "VALUES (1, 1, 'phone', '+989121234567', '2026-01-01 00:00:00')",
    }
    with store.write() as session:
        for table, values in rows.items():
            session.execute(text(f"INSERT INTO {table} {values}"))
    upgrade(store)
    with store.read() as session:
        assert session.execute(text("SELECT display_name, full_name FROM customers")).one() == ("سارا", "")
        assert session.scalar(text("SELECT customer_id FROM channel_identities")) == 1
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    store.dispose()
