"""Attempts to change what stands in the ledger, past the services."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm_store.db import Database

TABLES = ("ledger_postings", "point_lots", "lot_movements")
#: In every table, with a column whose change would pay.
_ANYWHERE = (
    "UPDATE {table} SET {column} = {column}",
    "UPDATE {table} SET id = id + 1000000 WHERE id = (SELECT max(id) FROM {table})",
    "DELETE FROM {table}",
    "DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})",
)
_SQLITE = (
    "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    "REPLACE INTO {table} SELECT * FROM {table} WHERE id = (SELECT max(id) FROM {table})",
    "UPDATE OR REPLACE {table} SET {column} = {column}",
    "INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET {column} = 1",
)
_POSTGRES = (
    "TRUNCATE {table} CASCADE",
    "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column}",
    "WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone",
)
_COLUMN = {"ledger_postings": "points", "point_lots": "earned_at", "lot_movements": "points"}


def attempts(database: Database) -> list[str]:
    """Statements that would change or delete a row."""
    own = _SQLITE if database.is_sqlite else _POSTGRES
    return [
        statement.format(table=table, column=_COLUMN[table])
        for table in TABLES
        for statement in (*_ANYWHERE, *own)
    ]


def check_that_nobody_tampers(database: Database) -> None:
    """Every attempt is refused by the database itself, and leaves everything as it was."""
    before = _everything(database)
    for statement in attempts(database):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.execute(text(statement))
    assert _everything(database) == before


def _everything(database: Database) -> list[object]:
    with database.read() as session:
        return [
            tuple(session.execute(text(f"SELECT count(*), min(id), max(id) FROM {table}")).one())
            for table in TABLES
        ]
