"""Orders as WooCommerce tells them."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from crm_store.db import Database
from crm_store.errors import InvalidInput
from crm_store.purchases.models import Purchase
from crm_store.purchases.woocommerce import Taken, is_ping, is_signed, read_order, spread, take_order
from crm_store.settings import WooCommerceSettings
from tests.factories import RULES

NOW = datetime(2026, 11, 1, 9, tzinfo=timezone.utc)


def deliver(database: Database, setting: str = "", **changes: Any) -> Taken:
    order = {
        "id": 5,
        "status": "completed",
        "currency": "IRT",
        "total": "110000",
        "shipping_total": "10000",
        "date_paid_gmt": "2026-10-31T10:00:00",
        "billing": {"phone": "09121234567"},
        "line_items": [{"name": "Kettle", "total": "100000"}],
    }
    settings = WooCommerceSettings("s", currency=setting)  # type: ignore[arg-type]
    with database.write() as session:
        told = read_order(msgspec.json.encode(order | changes))
        return take_order(session, order=told, settings=settings, rules=RULES, now=NOW)


def total(database: Database) -> int | None:
    with database.read() as session:
        return session.scalar(select(Purchase.total))


@pytest.mark.parametrize(
    ("currency", "rials"), [("IRR", 1), ("IRT", 10), ("IRHR", 1_000), ("IRHT", 10_000), ("irt", 10)]
)
def test_amounts_are_kept_in_rials(sqlite_database: Database, currency: str, rials: int) -> None:
    assert deliver(sqlite_database, currency=currency) == Taken("recorded")
    assert total(sqlite_database) == 100_000 * rials


def test_the_setting_overrules_what_orders_say(sqlite_database: Database) -> None:
    assert deliver(sqlite_database, currency="USD").result == "ignored"
    assert deliver(sqlite_database, "IRR", currency="USD").result == "recorded"
    assert total(sqlite_database) == 100_000


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "pending"}, "not paid"),
        ({"billing": {"phone": ""}}, "phone"),
        ({"line_items": []}, "nothing was paid"),
        ({"date_paid_gmt": "2027-10-31T10:00:00"}, "future"),
        ({"line_items": [{"total": "much"}]}, "no number"),
    ],
)
def test_what_cannot_be_taken_is_passed_over_with_its_reason(
    sqlite_database: Database, change: dict[str, Any], why: str
) -> None:
    taken = deliver(sqlite_database, **change)
    assert taken.result == "ignored"
    assert why in taken.why


def test_what_is_no_order_is_refused() -> None:
    for body in (b"", b"[]", b'{"id": "x"}'):
        with pytest.raises(InvalidInput):
            read_order(body)


def test_only_who_knows_the_secret_signs() -> None:
    body = b"{}"
    signed = base64.b64encode(hmac.digest(b"known", body, "sha256")).decode()
    assert is_signed(body, signature=signed, secret="known")
    assert not is_signed(body, signature="", secret="")
    assert not is_signed(body, signature=signed, secret="other")
    assert not is_signed(body, signature="\u0627", secret="other")
    assert is_ping(b"webhook_id=12")
    assert not is_ping(b"webhook_id=12&more=1")


@given(st.dictionaries(st.integers(1, 9), st.integers(0, 10**9), min_size=1), st.integers(0, 10**10))
def test_an_amount_is_shared_out_to_the_rial(over: dict[int, int], amount: int) -> None:
    lines = spread(amount, over)
    assert sum(line.amount for line in lines) == min(amount, sum(over.values()))
    assert all(0 < line.amount <= over[line.number] for line in lines)
