"""What other rules would have given for a month."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sqlalchemy.orm import Session

from crm_store.db import Database
from crm_store.loyalty import earning, referrals
from crm_store.loyalty.dry_run import DryRun, dry_run
from crm_store.surveys.models import COMPLETED, SurveyInvitation, SurveyVersion
from tests.crm_store.test_earning import CLUB, NOW, RULES, a_customer, buy
from tests.factories.purchases import a_purchase

#: 10 Aban 1405, the month of NOW (2026-11-01).
YEAR, MONTH = 1405, 8


def test_the_rules_in_force_would_have_given_what_was_given(database: Database) -> None:
    with database.write() as session:
        referrer, friend = a_customer(session, "+989121110001"), a_customer(session, "+989121110002")
        code = referrals.code_of(session, customer_id=referrer)
        referrals.enter_code(
            session, customer_id=friend, code=code, rules=RULES, now=NOW - timedelta(minutes=1)
        )
        buy(session, friend, 500_000)
        buy(session, friend, 200_000, at=NOW + timedelta(hours=1))
        _answer_surveys(session, friend, 3)
    with database.read() as session:
        found = dry_run(session, loyalty=CLUB, year=YEAR, month=MONTH, timezone="Asia/Tehran")
    # 50 and 20 for the purchases, 50 for the first, 150 and 100 for the friend, 20 for two of three answers
    assert found == DryRun(purchases=2, customers=1, given=410, would_give=410)


def test_other_gifts_show_in_what_would_have_been_given(database: Database) -> None:
    with database.write() as session:
        buy(session, a_customer(session), 500_000)
    plain = msgspec.structs.replace(CLUB, first_purchase_points=0)
    richer = msgspec.structs.replace(CLUB, first_purchase_points=500)
    with database.read() as session:
        assert dry_run(session, loyalty=plain, year=YEAR, month=MONTH, timezone="UTC").would_give == 50
        assert dry_run(session, loyalty=richer, year=YEAR, month=MONTH, timezone="UTC").would_give == 550


def test_whoever_bought_before_the_month_is_no_first_buyer(database: Database) -> None:
    with database.write() as session:
        customer = a_customer(session)
        a_purchase(session, customer_id=customer, paid_at=NOW - timedelta(days=60), tomans=100_000)
        buy(session, customer, 500_000)
    with database.read() as session:
        found = dry_run(session, loyalty=CLUB, year=YEAR, month=MONTH, timezone="UTC")
    assert (found.purchases, found.would_give) == (1, 50)


def _answer_surveys(session: Session, customer_id: int, count: int) -> None:
    version = SurveyVersion(key="open", version=1, digest="x", content={}, origin="file")
    session.add(version)
    session.flush()
    for number in range(count):
        invitation = SurveyInvitation(
            customer_id=customer_id,
            version_id=version.id,
            key="open",
            trigger="hand",
            state=COMPLETED,
            due_at=NOW,
            finished_at=NOW,
            idempotency_key=f"dry-{number}",
        )
        session.add(invitation)
        session.flush()
        earning.grant_for_survey(
            session, customer_id=customer_id, invitation_id=invitation.id, rules=RULES, now=NOW
        )
