"""Whoever turns out to have points and a debt pays with the one what the other comes to."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.customers.merging import merge
from crm_store.db import Database
from crm_store.errors import InvalidTransition, NotEnoughPoints
from crm_store.loyalty.balance import history_of
from crm_store.loyalty.models import LoyaltyAccount
from crm_store.loyalty.proof import prove
from tests.crm_store.test_ledger import DAY, a_customer, earn, has, left, reverse, spend, take_back
from tests.factories.club import NOW


def owing(session: Session, points: int, key: str) -> int:
    """A customer who owes so many points."""
    customer_id = a_customer(session)
    earned = earn(session, customer_id, points, f"{key} earned")
    spend(session, customer_id, points, f"{key} spent")
    take_back(session, customer_id, earned, points, f"{key} back")
    return customer_id


def test_what_one_of_two_records_owes_is_settled_out_of_the_others_points_when_they_are_joined(
    database: Database,
) -> None:
    with database.write() as session:
        one, other = a_customer(session), owing(session, 30, "other")
        earn(session, one, 40, "late", expires_at=NOW + 5 * DAY)
        earn(session, one, 10, "soon", expires_at=NOW + DAY)
        merge(session, into_id=one, from_id=other, actor="staff:1", now=NOW)
        assert (has(session, one), left(session, one)) == ((20, 0), [20])
        with pytest.raises(NotEnoughPoints):
            spend(session, one, 21, "s")
        settled = [posting for posting in history_of(session, customer_id=one) if posting.actor == "staff:1"]
        assert {(posting.kind, posting.cause) for posting in settled} == {("return", f"merge:{other}")}
        assert [(posting.points, posting.debt) for posting in reversed(settled)] == [(-30, 0), (0, -30)]
        with pytest.raises(InvalidTransition):
            reverse(session, settled[0], "undo")
    assert prove(database, now=NOW).faults == []


def test_what_is_owed_beyond_the_others_points_stays_owed_after_two_records_were_joined(
    database: Database,
) -> None:
    with database.write() as session:
        one, other = owing(session, 30, "one"), owing(session, 20, "other")
        third = a_customer(session)
        earn(session, third, 5, "over", expires_at=NOW)
        earn(session, third, 35, "third")
        merge(session, into_id=one, from_id=other, actor="operator", now=NOW)
        assert has(session, one) == (0, 50)
        merge(session, into_id=one, from_id=third, actor="operator", now=NOW)
        assert has(session, one) == (0, 15)
        assert has(session, one, NOW - DAY) == (0, 15)


def test_joining_records_opens_no_account_for_who_has_none(database: Database) -> None:
    with database.write() as session:
        one, other = a_customer(session), a_customer(session)
        merge(session, into_id=one, from_id=other, actor="operator", now=NOW)
        assert session.scalars(select(LoyaltyAccount.id)).all() == []
