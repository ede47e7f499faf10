"""Attempts to book, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable

from crm_store.db import Database
from crm_store.errors import FullyBooked
from crm_store.rules import Rules
from crm_store.service_requests.service import submit
from tests.factories.services import NOW, PICKUP, rules_with


def crowded() -> Rules:
    """Twenty places in each window."""
    kind = type(PICKUP)(key="pickup", title="بردن کالا", ask=("problem",), capacity=20)
    return rules_with(kind)


def attempt(database: Database, conversation_id: int, inbox_id: int, rules: Rules) -> bool:
    """Whether a confirmed draft got its place."""
    with database.write() as session:
        try:
            submit(session, conversation_id=conversation_id, inbox_id=inbox_id, rules=rules, now=NOW)
        except FullyBooked:
            return False
    return True


def attempt_all(url: str, confirmed: Iterable[tuple[int, int]]) -> int:
    """Confirm drafts one after the other; returns how many got a place."""
    database, rules = Database(url, pool_size=1), crowded()
    try:
        return sum(attempt(database, conversation, inbox, rules) for conversation, inbox in confirmed)
    finally:
        database.dispose()
