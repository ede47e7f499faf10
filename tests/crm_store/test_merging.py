"""Joining two records of one person: what was asked for, granted and earned goes along."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_store.complaints.models import Compensation
from crm_store.conversations.service import customer_of
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.service_requests.models import ServiceRequest
from tests.factories import a_conversation
from tests.factories.person import MINA, seed


def test_service_requests_and_compensations_go_along(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        into = customer_of(a_conversation(session, channel="bale"))
        merge(session, into_id=into, from_id=customer_of(seed(session, MINA, tmp_path)), actor="operator")
        assert {one.customer_id for one in session.query(ServiceRequest)} == {into}
        assert {one.customer_id for one in session.query(Compensation)} == {into}


@pytest.mark.parametrize(("kept", "joined", "left"), [("gold", "silver", "gold"), ("", "silver", "silver")])
def test_the_tier_of_the_record_that_stays_holds_or_else_the_others(
    database: Database, kept: str, joined: str, left: str
) -> None:
    with database.write() as session:
        into, other = Customer(tier=kept), Customer(tier=joined)
        session.add_all([into, other])
        session.flush()
        merge(session, into_id=into.id, from_id=other.id, actor="operator")
        assert session.get_one(Customer, into.id).tier == left
