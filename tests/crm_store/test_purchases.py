"""What customers bought and gave back, as it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.business import EXAMPLE, Loyalty, read_business
from crm_store.customers.linking import link_by_proof
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.service import identify
from crm_store.db import Database
from crm_store.errors import Conflict, InvalidInput, NotFound
from crm_store.loyalty.balance import balance_of
from crm_store.outbox import OutboxItem
from crm_store.purchases.models import Purchase
from crm_store.purchases.service import NewLine, NewPurchase, ReturnedLine, record_purchase, record_return
from crm_store.rules import Rules

NOW = datetime(2026, 11, 1, 9, tzinfo=timezone.utc)
PHONE = "+989121234567"
RULES = Rules(msgspec.structs.replace(read_business(EXAMPLE), loyalty=Loyalty(tomans_per_point=10_000)))


def buy(
    session: Session, *, order_id: str = "1", source: str = "api", **changes: Any
) -> tuple[Purchase, bool]:
    lines = (NewLine(10_000_000, "Kettle"), NewLine(5_000_000, "Cup"))
    new = NewPurchase(order_id=order_id, phone=PHONE, paid_at=NOW - timedelta(hours=1), lines=lines)
    changed = msgspec.structs.replace(new, **changes)
    return record_purchase(session, new=changed, source=source, actor="api:1", rules=RULES, now=NOW)


def give_back(session: Session, *lines: tuple[int, int], number: str = "R", order_id: str = "1") -> bool:
    told = [ReturnedLine(*line) for line in lines] or None
    _, is_new = record_return(
        session,
        order_id=order_id,
        return_id=number,
        lines=told,
        returned_at=NOW,
        actor="api:1",
        rules=RULES,
        now=NOW,
    )
    return is_new


def points(session: Session, customer_id: int) -> int:
    return balance_of(session, customer_id=customer_id, soon=timedelta(0), now=NOW).points


def test_an_unknown_phone_becomes_a_customer_who_is_joined_by_proof(database: Database) -> None:
    with database.write() as session:
        purchase, is_new = buy(session, customer_name="Sara")
        bought = session.get_one(Customer, purchase.customer_id)
        assert (is_new, bought.source, bought.full_name) == (True, "purchase", "Sara")
        identity = identify(session, channel="telegram", external_id="7", display_name="S")
        outcome = link_by_proof(session, identity_id=identity.id, phone=PHONE, now=NOW)
        assert outcome.outcome == "joined"
        assert points(session, outcome.customer_id) == 150
        buy(session, order_id="2")
        assert points(session, outcome.customer_id) == 300


def test_a_number_that_was_only_typed_brings_nobody_points(database: Database) -> None:
    with database.write() as session:
        typed = identify(session, channel="telegram", external_id="8", display_name="T").customer_id
        session.add(ContactPoint(customer_id=typed, value=PHONE))
        session.flush()
        purchase, _ = buy(session)
        assert purchase.customer_id != typed


def test_a_name_is_taken_only_where_none_is_known(database: Database) -> None:
    with database.write() as session:
        buy(session, customer_name="Sara", customer_ref="C-1")
        purchase, _ = buy(session, order_id="2", customer_name="Zahra", customer_ref="C-2")
        customer = session.get_one(Customer, purchase.customer_id)
        assert (customer.full_name, customer.external_ref) == ("Sara", "C-1")


def test_what_is_told_again_is_the_first_and_another_content_a_conflict(database: Database) -> None:
    with database.write() as session:
        first, _ = buy(session)
        assert buy(session) == (first, False)
        assert buy(session, phone="0912 123 4567")[0] is first  # the same number, written differently
        with pytest.raises(Conflict):
            buy(session, lines=(NewLine(1),))
        assert session.scalar(select(func.count()).select_from(Purchase)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"paid_at": NOW + timedelta(minutes=11)},
        {"paid_at": datetime(1999, 1, 1, tzinfo=timezone.utc)},
        {"phone": "123"},
        {"order_id": ""},
        {"lines": ()},
        {"lines": (NewLine(-1),)},
    ],
)
def test_what_cannot_be_true_leaves_nothing(sqlite_database: Database, wrong: dict[str, Any]) -> None:
    with sqlite_database.write() as session:
        with pytest.raises(InvalidInput):
            buy(session, **wrong)
        assert session.scalar(select(Customer.id)) is None


def test_partial_returns_take_back_exactly_what_was_earned(database: Database) -> None:
    with database.write() as session:
        who = buy(session)[0].customer_id
        assert give_back(session, (1, 3_333_333), number="A")
        assert not give_back(session, (1, 3_333_333), number="A")
        with pytest.raises(Conflict):
            give_back(session, (1, 3_333_334), number="A")
        with pytest.raises(InvalidInput):
            give_back(session, (1, 6_666_668), number="B")
        assert give_back(session, (2, 1), number="C")
        assert give_back(session, number="D")
        assert points(session, who) == 0
        with pytest.raises(Conflict):
            give_back(session, number="E")


def test_a_return_names_lines_of_an_order_that_there_is(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        with pytest.raises(NotFound):
            give_back(session)
        buy(session)
        for lines in [((3, 1),), ((1, 0),), ((1, 1), (1, 1))]:
            with pytest.raises(InvalidInput):
                give_back(session, *lines)


def test_it_stands_in_the_timeline_and_an_import_tells_nobody(database: Database) -> None:
    with database.write() as session:
        buy(session, source="import")
        give_back(session)
        kinds = set(session.scalars(select(Activity.kind)))
        assert {"purchase.recorded", "purchase.returned"} <= kinds
        assert session.scalar(select(OutboxItem.id)) is None
