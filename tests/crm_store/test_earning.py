"""Points for purchases, and what becomes of them when a purchase comes back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.business import EXAMPLE, Loyalty, Tier, read_business
from crm_store.business.loyalty import CategoryRate, ReferralRules
from crm_store.customers.merging import merge
from crm_store.customers.models import ContactPoint, Customer
from crm_store.db import Database
from crm_store.jobs.models import ScheduledJob
from crm_store.loyalty import earning, ledger, referrals
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.jobs import handlers
from crm_store.loyalty.models import REWARDED, LedgerPosting, Referral
from crm_store.loyalty.referral_rewards import OF_CUSTOMER
from crm_store.loyalty.referrals import ReferralRefused
from crm_store.loyalty.tiers import standing_of
from crm_store.loyalty.versions import rules_version
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from tests.factories.purchases import a_purchase, a_return
from tests.factories.surveys import a_customer as a_customer_in_chat

NOW = datetime(2026, 11, 1, 9, tzinfo=timezone.utc)
SOON = timedelta(days=30)
CLUB = Loyalty(
    tomans_per_point=10_000,
    first_purchase_points=50,
    survey_points=20,
    survey_monthly_limit=2,
    tiers=(Tier("برنزی"), Tier("نقره‌ای", 300, 1.5)),
    referral=ReferralRules(referrer_points=150, friend_points=100, minimum_tomans=100_000, yearly_limit=2),
)
RULES = Rules(msgspec.structs.replace(read_business(EXAMPLE), loyalty=CLUB))


def a_customer(session: Session, phone: str = "") -> int:
    customer = Customer()
    if phone:
        customer.contact_points.append(ContactPoint(value=phone))
    session.add(customer)
    session.flush()
    return customer.id


def buy(session: Session, customer_id: int, tomans: int, *, at: datetime = NOW) -> LedgerPosting | None:
    purchase = a_purchase(session, customer_id=customer_id, paid_at=at, tomans=tomans)
    return earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=at)


def spend(session: Session, customer_id: int, points: int) -> None:
    ledger.spend(
        session,
        customer_id=customer_id,
        points=points,
        cause="redemption:1",
        actor="customer",
        key="spent",
        now=NOW,
    )


def points_of(session: Session, customer_id: int, *, at: datetime = NOW) -> int:
    return balance_of(session, customer_id=customer_id, soon=timedelta(30), now=at).points


def test_a_first_purchase_brings_its_points_and_a_gift_once(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        purchase = a_purchase(session, customer_id=who, paid_at=NOW, tomans=1_000_000)
        first = earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=NOW)
        again = earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=NOW)
        assert first is not None
        assert again is first
        assert points_of(session, who) == 100 + 50
        buy(session, who, 200_000)
        assert points_of(session, who) == 100 + 50 + 20


def test_without_a_club_a_purchase_brings_nothing(database: Database) -> None:
    off = Rules(msgspec.structs.replace(RULES.business, loyalty=Loyalty()))
    with database.write() as session:
        purchase = a_purchase(session, customer_id=a_customer(session), paid_at=NOW, tomans=1_000_000)
        assert earning.earn_for_purchase(session, purchase=purchase, rules=off, now=NOW) is None
        assert session.scalar(select(LedgerPosting.id)) is None


def test_buying_and_returning_leaves_nothing_behind(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        purchase = a_purchase(session, customer_id=who, paid_at=NOW, tomans=4_000_000)
        earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=NOW)
        assert session.get_one(Customer, who).tier == "نقره‌ای"
        number = a_return(session, purchase, at=NOW)
        for _ in range(2):
            earning.take_back_for_return(session, purchase=purchase, return_id=number, rules=RULES, now=NOW)
        assert points_of(session, who) == 0
        assert session.get_one(Customer, who).tier == "برنزی"
        standing = standing_of(session, customer_id=who, rules=RULES, now=NOW)
        assert (standing.points, standing.grace_until) == (0, None)
        # And a new first purchase brings no second gift.
        buy(session, who, 100_000)
        assert points_of(session, who) == 10


def test_spending_before_the_return_leaves_a_debt_that_the_next_purchase_settles(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        purchase = a_purchase(session, customer_id=who, paid_at=NOW, tomans=1_000_000)
        earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=NOW)
        ledger.spend(
            session, customer_id=who, points=150, cause="redemption:1", actor="customer", key="s", now=NOW
        )
        number = a_return(session, purchase, at=NOW)
        earning.take_back_for_return(session, purchase=purchase, return_id=number, rules=RULES, now=NOW)
        balance = balance_of(session, customer_id=who, soon=timedelta(30), now=NOW)
        assert (balance.points, balance.debt) == (0, 150)
        buy(session, who, 2_000_000)
        balance = balance_of(session, customer_id=who, soon=timedelta(30), now=NOW)
        assert (balance.points, balance.debt) == (50, 0)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tomans=st.integers(1, 3_000_000),
    shares=st.lists(st.integers(1, 1_000_000), min_size=0, max_size=5),
)
def test_all_partial_returns_together_take_exactly_what_was_given(
    sqlite_database: Database, tomans: int, shares: list[int]
) -> None:
    with sqlite_database.write() as session:
        who = a_customer(session)
        purchase = a_purchase(session, customer_id=who, paid_at=NOW, tomans=tomans)
        earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=NOW)
        left, before = tomans, points_of(session, who)
        for share in [*shares, tomans]:
            part = min(share, left)
            if not part:
                continue
            left -= part
            number = a_return(session, purchase, at=NOW, tomans=part)
            earning.take_back_for_return(session, purchase=purchase, return_id=number, rules=RULES, now=NOW)
            after = points_of(session, who)
            assert 0 <= after <= before
            before = after
        assert points_of(session, who) == 0


def test_a_purchase_that_is_told_late_lapses_by_the_day_on_which_it_was_paid(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        purchase = a_purchase(session, customer_id=who, paid_at=NOW - timedelta(days=500), tomans=1_000_000)
        earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=NOW)
        assert points_of(session, who) == 0
        assert standing_of(session, customer_id=who, rules=RULES, now=NOW).points == 0


def test_a_survey_brings_points_so_often_a_month(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        for number in (1, 2, 2, 3):
            earning.grant_for_survey(session, customer_id=who, invitation_id=number, rules=RULES, now=NOW)
        assert points_of(session, who) == 40
        later = NOW + timedelta(days=40)
        earning.grant_for_survey(session, customer_id=who, invitation_id=4, rules=RULES, now=later)
        assert points_of(session, who, at=later) == 60


def test_the_same_rules_are_the_same_version(database: Database) -> None:
    with database.write() as session:
        first = rules_version(session, CLUB)
        assert rules_version(session, msgspec.convert(CLUB.as_content(), Loyalty)) == first
        assert rules_version(session, msgspec.structs.replace(CLUB, survey_points=21)) != first


def test_both_sides_get_points_after_the_friends_first_purchase(database: Database) -> None:
    with database.write() as session:
        one, friend = a_customer(session), a_customer(session)
        code = referrals.code_of(session, customer_id=one)
        referrals.enter_code(session, customer_id=friend, code=f" {code.lower()} ", rules=RULES, now=NOW)
        assert points_of(session, one) == 0
        buy(session, friend, 50_000)
        assert points_of(session, one) == 0, "less than the rules ask for"
        buy(session, friend, 100_000)
        assert points_of(session, one) == 150
        assert points_of(session, friend) == 5 + 50 + 10 + 100
        buy(session, friend, 100_000)
        assert points_of(session, one) == 150


def test_a_friends_code_is_never_a_word_nor_a_number(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        codes = [referrals.code_of(session, customer_id=a_customer(session)) for _ in range(200)]
        assert not any(code.isalpha() or code.isdigit() for code in codes)
        assert len(set(codes)) == 200


def test_a_friend_who_sends_everything_back_brings_nothing(database: Database) -> None:
    with database.write() as session:
        one, friend = a_customer(session), a_customer(session)
        code = referrals.code_of(session, customer_id=one)
        referrals.enter_code(session, customer_id=friend, code=code, rules=RULES, now=NOW)
        purchase = a_purchase(session, customer_id=friend, paid_at=NOW, tomans=1_000_000)
        earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=NOW)
        ledger.spend(
            session, customer_id=one, points=100, cause="redemption:1", actor="customer", key="s", now=NOW
        )
        number = a_return(session, purchase, at=NOW)
        earning.take_back_for_return(session, purchase=purchase, return_id=number, rules=RULES, now=NOW)
        assert points_of(session, friend) == 0
        balance = balance_of(session, customer_id=one, soon=timedelta(30), now=NOW)
        assert (balance.points, balance.debt) == (0, 100)
        assert session.scalars(select(Referral.state)).all() == ["taken_back"]


@pytest.mark.parametrize("reason", ["unknown", "own", "own number", "too_late", "already", "ring"])
def test_ways_to_cheat_with_codes_are_refused(database: Database, reason: str) -> None:
    with database.write() as session:
        phone = "+989121234567" if reason == "own number" else ""
        one, two, three = a_customer(session, phone), a_customer(session, phone), a_customer(session)
        code = referrals.code_of(session, customer_id=one)
        who = two
        if reason == "unknown":
            code = "2222222"
        elif reason == "own":
            who = one
        elif reason == "too_late":
            buy(session, two, 10_000)
        elif reason == "already":
            other = referrals.code_of(session, customer_id=three)
            referrals.enter_code(session, customer_id=two, code=other, rules=RULES, now=NOW)
        elif reason == "ring":
            theirs = referrals.code_of(session, customer_id=two)
            referrals.enter_code(session, customer_id=three, code=theirs, rules=RULES, now=NOW)
            third = referrals.code_of(session, customer_id=three)
            referrals.enter_code(session, customer_id=one, code=third, rules=RULES, now=NOW)
        with pytest.raises(ReferralRefused) as refused:
            referrals.enter_code(session, customer_id=who, code=code, rules=RULES, now=NOW)
        assert refused.value.reason == reason.split(maxsplit=1)[0]


def test_no_more_friends_are_rewarded_in_a_year_than_the_rules_say(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        code = referrals.code_of(session, customer_id=one)
        for _ in range(3):
            friend = a_customer(session)
            referrals.enter_code(session, customer_id=friend, code=code, rules=RULES, now=NOW)
            buy(session, friend, 200_000)
            assert points_of(session, friend) == 20 + 50 + 100, "the friend is not to blame"
        assert points_of(session, one) == 2 * 150
        assert referrals.referrals_of(session, customer_id=one) == (0, 2, 300)


def test_who_turns_out_to_be_their_own_friend_loses_what_it_brought(database: Database) -> None:
    with database.write() as session:
        one, friend = a_customer(session), a_customer(session)
        code = referrals.code_of(session, customer_id=one)
        referrals.enter_code(session, customer_id=friend, code=code, rules=RULES, now=NOW)
        buy(session, friend, 1_000_000)
    with database.write() as session:
        merge(session, into_id=one, from_id=friend, actor="operator")
    with database.read() as session:
        assert points_of(session, one, at=NOW + timedelta(days=1)) == 100 + 50
        assert session.scalars(select(Referral.reason)).all() == ["own"]


def test_a_first_purchase_too_small_for_a_point_does_not_cost_the_gift(database: Database) -> None:
    with database.write() as session:
        customer = a_customer(session)
        assert buy(session, customer, 5_000) is None
        buy(session, customer, 500_000, at=NOW + timedelta(hours=1))
        assert balance_of(session, customer_id=customer, soon=SOON).points == 100


def test_a_friends_purchase_under_another_record_counts_once_the_records_are_joined(
    database: Database,
) -> None:
    with database.write() as session:
        referrer, in_chat, by_phone = (a_customer(session) for _ in range(3))
        code = referrals.code_of(session, customer_id=referrer)
        referrals.enter_code(session, customer_id=in_chat, code=code, rules=RULES, now=NOW)
        buy(session, by_phone, 2_000_000, at=NOW + timedelta(hours=1))
        buy(session, in_chat, 50_000, at=NOW + timedelta(hours=1))
        merge(session, into_id=in_chat, from_id=by_phone, actor="operator")
    jobs = handlers(lambda: RULES)
    with database.write() as session:
        job = session.scalars(select(ScheduledJob).where(ScheduledJob.kind == OF_CUSTOMER)).one()
        jobs[OF_CUSTOMER](session, job, NOW + timedelta(hours=2))
        assert session.scalars(select(Referral)).one().state == REWARDED
        assert balance_of(session, customer_id=referrer, soon=SOON).points == 150


def test_neither_the_gift_nor_a_friend_is_lost_when_the_first_purchase_brings_no_point(
    database: Database,
) -> None:
    books = msgspec.structs.replace(CLUB, categories=(CategoryRate("books", "کتاب", 0),))
    rules = Rules(msgspec.structs.replace(RULES.business, loyalty=books))
    with database.write() as session:
        referrer, friend = a_customer(session), a_customer(session)
        code = referrals.code_of(session, customer_id=referrer)
        referrals.enter_code(session, customer_id=friend, code=code, rules=rules, now=NOW)
        first = a_purchase(session, customer_id=friend, paid_at=NOW, tomans=[("books", 900_000)])
        assert earning.earn_for_purchase(session, purchase=first, rules=rules, now=NOW) is None
        assert (points_of(session, referrer), points_of(session, friend)) == (150, 100)
        later = a_purchase(session, customer_id=friend, paid_at=NOW, tomans=100_000)
        earning.earn_for_purchase(session, purchase=later, rules=rules, now=NOW)
        assert points_of(session, friend) == 100 + 10 + 50
        number = a_return(session, first, at=NOW)
        assert (
            earning.take_back_for_return(session, purchase=first, return_id=number, rules=rules, now=NOW)
            is None
        )
        assert (points_of(session, referrer), points_of(session, friend)) == (0, 10 + 50)


def test_what_friends_brought_is_told_in_full_although_a_part_settled_what_was_owed(
    database: Database,
) -> None:
    by: dict[str, Any] = {"cause": "test", "actor": "system", "now": NOW}
    with database.write() as session:
        referrer, other, friend = (a_customer(session) for _ in range(3))
        ledger.earn(session, customer_id=referrer, points=1, key="own", expires_at=None, **by)
        earned = ledger.earn(session, customer_id=other, points=40, key="e", expires_at=None, **by)
        ledger.spend(session, customer_id=other, points=40, key="s", **by)
        ledger.take_back(session, customer_id=other, earned=earned, points=40, base=0, key="r", **by)
        merge(session, into_id=referrer, from_id=other, actor="operator")
        code = referrals.code_of(session, customer_id=referrer)
        referrals.enter_code(session, customer_id=friend, code=code, rules=RULES, now=NOW)
        buy(session, friend, 100_000)
        assert points_of(session, referrer) == 1 + 150 - 40
        assert referrals.referrals_of(session, customer_id=referrer).points == 150


def test_what_a_friends_purchase_by_night_brought_is_told_in_the_morning(database: Database) -> None:
    night = datetime(2026, 11, 1, 22, 30, tzinfo=timezone.utc)  # 02:00 of the next day in Tehran
    with database.write() as session:
        (_, referrer), (_, friend) = a_customer_in_chat(session), a_customer_in_chat(session)
        code = referrals.code_of(session, customer_id=referrer)
        referrals.enter_code(session, customer_id=friend, code=code, rules=RULES, now=night)
        buy(session, friend, 100_000, at=night)
        due = {one.content["response"]: one.due_at for one in session.scalars(select(OutboxItem))}
        assert set(due) == {"utter_points_earned", "utter_referral_rewarded"}
        assert set(due.values()) == {night + timedelta(hours=8)}
