"""Ways to get points that nobody means to give, beside those that stand with earning itself."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.business import EXAMPLE, Loyalty, Tier, read_business
from crm_store.business.loyalty import Birthday, ReferralRules
from crm_store.customers.merging import merge
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.profile import CHANGED
from crm_store.db import Database
from crm_store.loyalty import earning, referrals
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.models import LedgerPosting, Referral
from crm_store.loyalty.tiers import review_tier
from crm_store.outbox import OutboxItem
from crm_store.purchases.models import Purchase
from crm_store.rules import Rules
from tests.factories.purchases import a_purchase, a_return
from tests.factories.surveys import a_customer as a_customer_in_chat

NOW = datetime(2026, 11, 1, 9, tzinfo=timezone.utc)
SOON = timedelta(days=30)
A_WHILE_AGO, LATER = NOW - timedelta(days=90), NOW + timedelta(days=1)
CLUB = Loyalty(
    tomans_per_point=10_000,
    first_purchase_points=50,
    survey_points=20,
    survey_monthly_limit=2,
    tiers=(Tier("برنزی"), Tier("نقره‌ای", 100, 1.5)),
    grace_months=1,
    referral=ReferralRules(referrer_points=150, friend_points=100, minimum_tomans=100_000, yearly_limit=2),
)
RULES = Rules(msgspec.structs.replace(read_business(EXAMPLE), loyalty=CLUB))


def a_customer(session: Session) -> int:
    customer = Customer()
    session.add(customer)
    session.flush()
    return customer.id


def buy(
    session: Session, who: int, tomans: int, *, at: datetime = NOW, paid_at: datetime | None = None
) -> Purchase:
    purchase = a_purchase(session, customer_id=who, paid_at=paid_at or at, tomans=tomans)
    earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=at)
    return purchase


def send_back(session: Session, purchase: Purchase, tomans: int | None = None, *, at: datetime = NOW) -> None:
    number = a_return(session, purchase, at=at, tomans=tomans)
    earning.take_back_for_return(session, purchase=purchase, return_id=number, rules=RULES, now=at)


def enter(session: Session, friend: int, referrer: int, *, at: datetime = NOW) -> Referral:
    code = referrals.code_of(session, customer_id=referrer)
    return referrals.enter_code(session, customer_id=friend, code=code, rules=RULES, now=at)


def points_of(session: Session, who: int, *, at: datetime = NOW) -> int:
    return balance_of(session, customer_id=who, soon=timedelta(30), now=at).points


def outcomes(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(Referral.state, Referral.reason).order_by(Referral.id)).tuples()
    return list(rows)


def test_a_screw_that_is_kept_saves_no_gift(database: Database) -> None:
    with database.write() as session:
        one, friend = a_customer(session), a_customer(session)
        enter(session, friend, one)
        purchase = buy(session, friend, 200_000)
        assert points_of(session, friend) == 20 + 50 + 100
        send_back(session, purchase, 150_000)
        assert (points_of(session, friend), points_of(session, one)) == (5 + 50, 0), "less than was asked for"
        send_back(session, purchase, 49_999)
        assert points_of(session, friend) == 0, "and nothing that brings a point"
        assert outcomes(session) == [("taken_back", "returned")]


def test_a_part_that_is_sent_back_costs_no_gift_that_the_rest_deserves(database: Database) -> None:
    with database.write() as session:
        one, friend = a_customer(session), a_customer(session)
        enter(session, friend, one)
        send_back(session, buy(session, friend, 200_000), 100_000)
        assert (points_of(session, friend), points_of(session, one)) == (10 + 50 + 100, 150)


def test_a_purchase_that_comes_back_renews_no_grace(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        buy(session, who, 1_000_000, at=NOW - timedelta(days=370))
        review_tier(session, customer_id=who, rules=RULES, now=NOW)
        customer = session.get_one(Customer, who)
        until = customer.tier_grace_until
        assert until is not None
        at = NOW + timedelta(days=10)
        purchase = buy(session, who, 1_000_000, at=at)
        assert customer.tier_grace_until is None
        send_back(session, purchase, at=at)
        assert customer.tier == "نقره‌ای"
        assert session.scalar(select(Customer.tier_grace_until).where(Customer.id == who)) == until
        last_day = until - timedelta(hours=1)
        purchase = buy(session, who, 1_000_000, at=last_day)
        assert customer.tier_grace_until is None
        send_back(session, purchase, at=until + timedelta(hours=1))
        assert customer.tier == "برنزی"


def test_who_bought_before_by_phone_is_no_new_friend(database: Database) -> None:
    with database.write() as session:
        one, in_chat, by_phone = (a_customer(session) for _ in range(3))
        buy(session, by_phone, 10_000, at=A_WHILE_AGO)
        enter(session, in_chat, one)
        merge(session, into_id=in_chat, from_id=by_phone, actor="operator")
        buy(session, in_chat, 500_000, at=LATER)
        assert points_of(session, one, at=LATER) == 0
        assert outcomes(session) == [("refused", "too_late")]


def test_a_purchase_of_the_past_that_is_told_late_makes_no_friend(database: Database) -> None:
    with database.write() as session:
        one, friend = a_customer(session), a_customer(session)
        enter(session, friend, one)
        buy(session, friend, 500_000, paid_at=A_WHILE_AGO)
        buy(session, friend, 500_000)
        assert points_of(session, one) == 0
        assert outcomes(session) == [("refused", "too_late")]


def test_one_friend_with_two_accounts_is_rewarded_once(database: Database) -> None:
    with database.write() as session:
        one, friend, again = (a_customer(session) for _ in range(3))
        enter(session, friend, one)
        enter(session, again, one)
        merge(session, into_id=friend, from_id=again, actor="operator")
        buy(session, friend, 500_000, at=LATER)
        buy(session, friend, 500_000, at=LATER)
        assert points_of(session, one, at=LATER) == 150
        assert points_of(session, friend, at=LATER) == 50 + 50 + 100 + 50
        assert outcomes(session) == [("rewarded", ""), ("refused", "already")]


def test_a_number_that_both_turn_out_to_have_is_found_before_the_reward(database: Database) -> None:
    with database.write() as session:
        one, friend = a_customer(session), a_customer(session)
        enter(session, friend, one)
        for who in (one, friend):
            session.add(ContactPoint(customer_id=who, value="+989121234567"))
        session.flush()
        buy(session, friend, 500_000)
        assert (points_of(session, one), points_of(session, friend)) == (0, 50 + 50)
        assert outcomes(session) == [("refused", "own")]


@pytest.mark.parametrize("size", [2, 3])
def test_a_ring_of_codes_entered_at_the_same_moment_brings_nobody_anything(
    database: Database, size: int
) -> None:
    with database.write() as session:
        ring = [a_customer(session) for _ in range(size)]
        # As if nobody had seen the others' codes.
        session.add_all(
            Referral(referrer_id=ring[n - 1], friend_id=ring[n], created_at=NOW) for n in range(size)
        )
        session.flush()
        for who in ring:
            buy(session, who, 500_000)
        assert [points_of(session, who) for who in ring] == [50 + 50] * size
        assert outcomes(session) == [("refused", "ring")] * size


@pytest.mark.parametrize("shift", [timedelta(days=-400), timedelta(days=-3), timedelta(days=3)])
def test_a_changed_clock_gives_nothing_twice(database: Database, shift: timedelta) -> None:
    with database.write() as session:
        who, friends = a_customer(session), [a_customer(session) for _ in range(3)]
        for friend in friends:
            enter(session, friend, who)
        for friend in friends[:2]:
            buy(session, friend, 100_000)
        purchase = buy(session, who, 100_000)
        for number in (1, 2):
            earning.grant_for_survey(session, customer_id=who, invitation_id=number, rules=RULES, now=NOW)
        had = points_of(session, who)
        at = NOW + shift
        earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=at)
        for number in (1, 2, 3):
            earning.grant_for_survey(session, customer_id=who, invitation_id=number, rules=RULES, now=at)
        buy(session, friends[2], 100_000, at=NOW, paid_at=NOW)
        assert points_of(session, who, at=NOW) == had
        times = session.scalars(select(LedgerPosting.at).order_by(LedgerPosting.id)).all()
        assert min(times) == NOW


def test_points_that_had_lapsed_when_their_purchase_was_told_are_no_news(database: Database) -> None:
    with database.write() as session:
        _chat, who = a_customer_in_chat(session)
        buy(session, who, 500_000, paid_at=NOW - timedelta(days=500))
        said = [item.content["response"] for item in session.scalars(select(OutboxItem))]
        assert "utter_points_earned" not in said
        buy(session, who, 500_000)
        said = [item.content["response"] for item in session.scalars(select(OutboxItem))]
        assert said.count("utter_points_earned") == 1


def test_a_friend_who_was_forgotten_and_gets_the_money_back_brings_nothing(database: Database) -> None:
    with database.write() as session:
        referrer, friend = a_customer(session), a_customer(session)
        code = referrals.code_of(session, customer_id=referrer)
        referrals.enter_code(session, customer_id=friend, code=code, rules=RULES, now=NOW)
        purchase = buy(session, friend, 500_000)
        assert balance_of(session, customer_id=referrer, soon=SOON).points == 150
        session.get_one(Customer, friend).erased_at = LATER
        session.flush()
        send_back(session, purchase, at=LATER)
        assert balance_of(session, customer_id=referrer, soon=SOON).points == 0


def test_whoever_moves_their_birthday_to_the_day_of_a_purchase_gets_nothing_for_it(
    database: Database,
) -> None:
    rules = Rules(
        msgspec.structs.replace(
            RULES.business, loyalty=msgspec.structs.replace(CLUB, birthday=Birthday(multiplier=3))
        )
    )
    with database.write() as session:
        told, moved = a_customer(session), a_customer(session)
        for who, former in ((told, ""), (moved, "1990-05-05")):
            session.get_one(Customer, who).birthday = NOW.date()
            data = {"field": "birthday", "former": former}
            record_activity(session, customer_id=who, kind=CHANGED, data=data).at = NOW - timedelta(days=30)
        session.flush()
        for who, points in ((told, 30), (moved, 10)):
            purchase = a_purchase(session, customer_id=who, paid_at=NOW, tomans=100_000)
            posting = earning.earn_for_purchase(session, purchase=purchase, rules=rules, now=NOW)
            assert posting is not None
            assert posting.points == points


def test_a_birthday_that_is_moved_to_a_purchase_before_the_shop_tells_of_it_brings_nothing(
    database: Database,
) -> None:
    club = msgspec.structs.replace(CLUB, birthday=Birthday(multiplier=3))
    rules = Rules(msgspec.structs.replace(RULES.business, loyalty=club))
    with database.write() as session:
        who = a_customer(session)
        purchase = a_purchase(session, customer_id=who, paid_at=NOW, tomans=100_000)
        session.get_one(Customer, who).birthday = NOW.date()
        data = {"field": "birthday", "former": "1990-05-05"}
        record_activity(session, customer_id=who, kind=CHANGED, data=data).at = NOW + timedelta(hours=1)
        session.flush()
        posting = earning.earn_for_purchase(session, purchase=purchase, rules=rules, now=LATER)
        assert posting is not None
        assert posting.points == 10
