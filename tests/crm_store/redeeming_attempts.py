"""Attempts to redeem and to join, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable

from crm_store.db import Database
from crm_store.errors import CrmError
from crm_store.loyalty.raffles import join
from crm_store.loyalty.redemptions import redeem, use_code
from tests.factories.club import NOW, club

SHOP = "api:1"


def take(database: Database, customer_id: int, key: str, reward: str = "mug") -> str | None:
    """The code that somebody got; None if they were refused."""
    with database.write() as session:
        try:
            return redeem(
                session, customer_id=customer_id, reward=reward, key=key, rules=club(), now=NOW
            ).code
        except CrmError:
            return None


def take_all(url: str, attempts: Iterable[tuple[int, str]]) -> int:
    """Redeem one after the other; returns how many got something."""
    database = Database(url, pool_size=1)
    try:
        return sum(take(database, customer, key) is not None for customer, key in attempts)
    finally:
        database.dispose()


def use_all(url: str, code: str, orders: Iterable[str]) -> int:
    """Use one code for each of some orders; returns how often it was taken."""
    database, used = Database(url, pool_size=1), 0
    try:
        for order in orders:
            with database.write() as session:
                try:
                    use_code(session, code=code, actor=SHOP, used_for=order, now=NOW)
                    used += 1
                except CrmError:
                    pass
    finally:
        database.dispose()
    return used


def join_all(url: str, raffle_id: int, attempts: Iterable[tuple[int, str]]) -> int:
    """Join one after the other; returns how many chances came of it."""
    database, joined = Database(url, pool_size=1), 0
    try:
        for customer_id, key in attempts:
            with database.write() as session:
                try:
                    join(
                        session, customer_id=customer_id, raffle_id=raffle_id, key=key, rules=club(), now=NOW
                    )
                    joined += 1
                except CrmError:
                    pass
    finally:
        database.dispose()
    return joined
