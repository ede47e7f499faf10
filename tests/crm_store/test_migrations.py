from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from crm_store.db import Database
from crm_store.migrate import is_current, upgrade
from crm_store.models import Base


def test_migrated_tables_are_those_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrating_again_changes_nothing_and_is_reported_as_current(database: Database) -> None:
    upgrade(database)
    assert is_current(database)


def test_an_empty_database_is_reported_as_not_current(tmp_path: object) -> None:
    fresh = Database(f"sqlite:///{tmp_path}/empty.db")
    assert not is_current(fresh)
    fresh.dispose()
