"""Levels of membership, over years of the Jalali calendar."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.business import EXAMPLE, Loyalty, Tier, read_business
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import run_due, waiting
from crm_store.loyalty import earning, jobs, ledger
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.models import LedgerProof, LoyaltyAccount
from crm_store.loyalty.proof import prove
from crm_store.loyalty.tiers import review_tier, standing_of, tier_points
from crm_store.outbox import OutboxItem
from crm_store.persian import group_thousands
from crm_store.persian.jalali_days import add_months, jalali_day
from crm_store.rules import Rules
from tests.factories.purchases import a_purchase, a_return
from tests.factories.surveys import a_customer as a_customer_in_chat

TEHRAN = ZoneInfo("Asia/Tehran")
CLUB = Loyalty(
    tomans_per_point=10_000,
    tiers=(Tier("برنزی"), Tier("نقره‌ای", 100, 1.5), Tier("طلایی", 300, 2)),
    grace_months=2,
)
RULES = Rules(msgspec.structs.replace(read_business(EXAMPLE), loyalty=CLUB))


def at(year: int, month: int, day: int, hour: int = 12) -> datetime:
    """A moment in Tehran by the Jalali calendar."""
    found = jalali_day(year, month, day)
    assert found is not None
    return datetime.combine(found, time(hour), TEHRAN)


def a_customer(session: Session) -> int:
    customer = Customer()
    session.add(customer)
    session.flush()
    return customer.id


def buy(session: Session, customer_id: int, points: int, when: datetime) -> None:
    purchase = a_purchase(session, customer_id=customer_id, paid_at=when, tomans=points * 10_000)
    earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=when)


def review(session: Session, customer_id: int, when: datetime) -> str:
    review_tier(session, customer_id=customer_id, rules=RULES, now=when)
    return session.get_one(Customer, customer_id).tier


def test_a_level_is_reached_at_once_kept_for_a_year_and_through_the_grace(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        buy(session, who, 120, at(1403, 5, 10))
        assert session.get_one(Customer, who).tier == "نقره‌ای"
        assert review(session, who, at(1404, 5, 10, 23)) == "نقره‌ای"
        assert session.get_one(Customer, who).tier_grace_until is None
        assert review(session, who, at(1404, 5, 11, 1)) == "نقره‌ای"
        assert session.get_one(Customer, who).tier_grace_until == at(1404, 7, 12, 0)
        assert review(session, who, at(1404, 7, 11, 23)) == "نقره‌ای"
        assert review(session, who, at(1404, 7, 12, 1)) == "برنزی"
        kinds = session.scalars(select(Activity.kind).order_by(Activity.id)).all()
        assert [kind for kind in kinds if "tier" in kind] == [
            "loyalty.tier_up",
            "loyalty.tier_up",
            "loyalty.tier_grace",
            "loyalty.tier_down",
        ]


def test_who_buys_enough_in_the_grace_keeps_the_level(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        buy(session, who, 120, at(1403, 5, 10))
        review(session, who, at(1404, 6, 1))
        buy(session, who, 100, at(1404, 6, 20))
        assert session.get_one(Customer, who).tier_grace_until is None
        assert review(session, who, at(1404, 9, 1)) == "نقره‌ای"


def test_multipliers_and_gifts_do_not_lift_a_level(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        ledger.earn(
            session, customer_id=who, points=5000, cause="gift", actor="operator", key="g", expires_at=None
        )
        buy(session, who, 100, at(1404, 1, 1))
        buy(session, who, 180, at(1404, 1, 2))
        assert session.get_one(Customer, who).tier == "نقره‌ای"
        assert tier_points(session, customer_id=who, now=at(1404, 1, 3), timezone="Asia/Tehran") == 280


def test_the_standing_says_what_is_missing_and_how_long_it_lasts(database: Database) -> None:
    with database.write() as session:
        who = a_customer(session)
        buy(session, who, 120, at(1403, 5, 10))
        standing = standing_of(session, customer_id=who, rules=RULES, now=at(1403, 6, 1))
        assert standing.tier is not None
        assert standing.next_tier is not None
        assert (standing.tier.name, standing.next_tier.name, standing.missing) == ("نقره‌ای", "طلایی", 180)
        assert standing.keeps_until == at(1404, 5, 11, 0)


DAYS = st.integers(0, 365 * 6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bought=st.lists(st.tuples(DAYS, st.integers(1, 200), st.booleans()), max_size=8),
    looked_at=DAYS,
)
def test_what_counts_is_what_was_bought_within_twelve_jalali_months_and_not_sent_back(
    sqlite_database: Database, bought: list[tuple[int, int, bool]], looked_at: int
) -> None:
    # From 1398 on: two leap years, 1399 and 1403, lie within.
    first = at(1398, 1, 1).date()
    today = first + timedelta(days=looked_at)
    begin = add_months(today, -12)
    expected = 0
    with sqlite_database.write() as session:
        who = a_customer(session)
        for days, points, goes_back in sorted(bought):
            day = first + timedelta(days=days)
            purchase = a_purchase(session, customer_id=who, paid_at=_noon(day), tomans=points * 10_000)
            earning.earn_for_purchase(session, purchase=purchase, rules=RULES, now=_noon(day))
            if goes_back:
                later = _noon(day + timedelta(days=3))
                number = a_return(session, purchase, at=later)
                earning.take_back_for_return(
                    session, purchase=purchase, return_id=number, rules=RULES, now=later
                )
            elif begin <= day <= today:
                expected += points
        counted = tier_points(session, customer_id=who, now=_noon(today), timezone="Asia/Tehran")
    assert counted == expected


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bought=st.lists(st.tuples(DAYS, st.integers(50, 400)), min_size=1, max_size=6), step=st.integers(5, 45)
)
def test_nobody_goes_down_before_the_grace_is_over_and_nobody_stays_up_for_nothing(
    sqlite_database: Database, bought: list[tuple[int, int]], step: int
) -> None:
    first, order = at(1398, 1, 1).date(), [tier.name for tier in CLUB.tiers]
    ahead = sorted(bought)
    with sqlite_database.write() as session:
        who = a_customer(session)
        level, short_since = 0, None
        for days in range(0, 365 * 7, step):
            day = first + timedelta(days=days)
            while ahead and ahead[0][0] <= days:
                buy(session, who, ahead.pop(0)[1], _noon(day))
            if not session.get_one(Customer, who).tier:
                continue
            now = order.index(review(session, who, _noon(day)))
            counted = tier_points(session, customer_id=who, now=_noon(day), timezone="Asia/Tehran")
            deserved = max(n for n, tier in enumerate(CLUB.tiers) if tier.from_points <= counted)
            assert now >= deserved
            if now < level:
                assert short_since is not None, "down without a grace"
                assert add_months(short_since, 2) < day, "down before the grace was over"
            short_since = None if now == deserved else short_since or day
            if short_since is not None:
                assert day <= add_months(short_since, 2) + timedelta(days=step), "up for nothing"
            level = now


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), TEHRAN)


def test_the_nightly_work_writes_off_what_lapsed_and_calls_to_mind_what_will(database: Database) -> None:
    begin = at(1404, 2, 1)
    with database.write() as session:
        _chat, who = a_customer_in_chat(session)
        buy(session, who, 50, begin)
        buy(session, who, 30, at(1404, 5, 1))
        jobs.plan_nightly(session, rules=RULES, now=begin)
    handlers = jobs.handlers(lambda: RULES)
    day = begin
    while day < at(1405, 4, 1):
        run_due(database, handlers, now=day)
        day += timedelta(days=1)
    with database.read() as session:
        balance = balance_of(session, customer_id=who, soon=timedelta(days=60), now=day)
        assert (balance.points, balance.expiring_soon) == (30, 30)
        said = [
            item.content["response"] for item in session.scalars(select(OutboxItem).order_by(OutboxItem.id))
        ]
    assert said.count("utter_points_expired") == 1
    # In the months Farvardin and Ordibehesht the first lot was about to lapse.
    assert said.count("utter_points_expiring") == 2


def test_nobody_hears_that_points_lapsed_which_were_over_when_their_purchase_was_told(
    database: Database,
) -> None:
    begin, later = at(1404, 2, 1), at(1405, 2, 5, 3)
    with database.write() as session:
        (chat, who), (_, other) = a_customer_in_chat(session), a_customer_in_chat(session)
        buy(session, who, 30, begin)
        for one in (who, other):
            purchase = a_purchase(session, customer_id=one, paid_at=at(1402, 1, 1), tomans=500_000)
            earning.earn_for_purchase(session, purchase=purchase, rules=RULES, is_told=False, now=begin)
        jobs.plan_nightly(session, rules=RULES, now=later)
    for _ in range(2):
        run_due(database, jobs.handlers(lambda: RULES), now=later + timedelta(days=1))
    with database.read() as session:
        lapsed = {
            item.conversation_id: item.content["params"]["points"]
            for item in session.scalars(select(OutboxItem))
            if item.content["response"] == "utter_points_expired"
        }
        assert lapsed == {chat.id: group_thousands(30)}
        noted = select(Activity).where(Activity.kind == "loyalty.expired").order_by(Activity.customer_id)
        assert [one.data["points"] for one in session.scalars(noted)] == [80, 50]
        for one in (who, other):
            assert balance_of(session, customer_id=one, soon=timedelta(0), now=later).points == 0


def test_the_nightly_work_leaves_nobody_out_however_many_they_are(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 3)
    begin, later = at(1404, 2, 1), at(1405, 2, 10)
    with database.write() as session:
        everybody = [a_customer(session) for _ in range(8)]
        for who in everybody[1:]:
            buy(session, who, 50, begin)
        jobs.plan_nightly(session, rules=RULES, now=later)
    handlers = jobs.handlers(lambda: RULES)
    for _ in range(6):
        run_due(database, handlers, now=later + timedelta(days=1))
    with database.read() as session:
        lapsed = session.scalars(select(Activity.customer_id).where(Activity.kind == "loyalty.expired"))
        assert sorted(lapsed) == everybody[1:]
        next_night = waiting(session, key=jobs.NIGHTLY)
        assert next_night is not None
        assert next_night.due_at == at(1405, 2, 12, 2) + timedelta(minutes=30)
        assert jobs.AFTER not in next_night.data


def listed(session: Session, tier: str, **fields: Any) -> int:
    """Somebody whom a customer list brought with a level."""
    customer = Customer(tier=tier, source="import", **fields)
    session.add(customer)
    session.flush()
    return customer.id


def test_a_level_that_a_customer_list_brought_is_kept_through_the_grace_and_no_longer(
    database: Database,
) -> None:
    with database.write() as session:
        silver, bronze, foreign = (listed(session, tier) for tier in ("نقره‌ای", "برنزی", "ویژه"))
        jobs.plan_nightly(session, rules=RULES, now=at(1404, 2, 1))
    handlers = jobs.handlers(lambda: RULES)
    seen = []
    for day in (at(1404, 2, 2, 3), at(1404, 2, 3, 3), at(1404, 4, 2, 3), at(1404, 4, 3, 3)):
        for _ in range(2):
            run_due(database, handlers, now=day)
        with database.read() as session:
            seen.append(session.get_one(Customer, silver).tier)
            assert session.get_one(Customer, bronze).tier_since is not None
            assert session.get_one(Customer, foreign).tier == "ویژه"
        if len(seen) == 1:
            with database.write() as session:
                late = listed(session, "طلایی")
    assert seen == ["نقره‌ای", "نقره‌ای", "نقره‌ای", "برنزی"]
    with database.read() as session:
        kinds = session.scalars(select(Activity.kind).where(Activity.customer_id == silver)).all()
        assert kinds == ["loyalty.tier_grace", "loyalty.tier_down"]
        assert session.get_one(Customer, late).tier_grace_until == at(1404, 4, 4, 0)
        assert session.scalar(select(LoyaltyAccount.id)) is None, "a level alone opens no account"


def test_the_nightly_work_finds_levels_of_lists_among_members_however_many_there_are(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 3)
    begin = at(1404, 2, 1)
    with database.write() as session:
        brought = []
        for number in range(4):
            buy(session, a_customer(session), 5, begin)
            brought += [listed(session, "نقره‌ای") for _ in range(number)]
        listed(session, "نقره‌ای", merged_into_id=brought[0])
        listed(session, "نقره‌ای", erased_at=begin)
        jobs.plan_nightly(session, rules=RULES, now=begin)
    handlers = jobs.handlers(lambda: RULES)
    for _ in range(6):
        run_due(database, handlers, now=at(1404, 2, 2, 3))
    with database.read() as session:
        in_grace = select(Customer.id).where(Customer.tier_grace_until.is_not(None)).order_by(Customer.id)
        assert session.scalars(in_grace).all() == brought


def test_the_ledger_is_proven_once_a_night(database: Database) -> None:
    with database.write() as session:
        assert not jobs.proof_is_due(session, rules=RULES, now=at(1404, 2, 1, 4)), "there is nothing in it"
        buy(session, a_customer(session), 50, at(1404, 1, 30))
        assert not jobs.proof_is_due(session, rules=RULES, now=at(1404, 2, 1, 2))
        assert jobs.proof_is_due(session, rules=RULES, now=at(1404, 2, 1, 4))
    prove(database, now=at(1404, 2, 1, 4))
    with database.read() as session:
        assert session.scalars(select(LedgerProof.faults)).all() == [[]]
        assert not jobs.proof_is_due(session, rules=RULES, now=at(1404, 2, 1, 5))
        assert jobs.proof_is_due(session, rules=RULES, now=at(1404, 2, 2, 4))


def test_a_proof_dated_in_the_future_stands_for_no_night(database: Database) -> None:
    with database.write() as session:
        buy(session, a_customer(session), 50, at(1404, 1, 30))
    prove(database, now=at(1405, 2, 1, 4))
    with database.read() as session:
        assert jobs.proof_is_due(session, rules=RULES, now=at(1404, 2, 1, 4))


def test_nobody_is_written_to_at_night_about_a_level(database: Database) -> None:
    with database.write() as session:
        _chat, who = a_customer_in_chat(session)
        buy(session, who, 120, at(1403, 5, 10))
        for night, morning in (
            (at(1404, 5, 11, 2), at(1404, 5, 11, 10)),
            (at(1404, 8, 1, 23), at(1404, 8, 2, 10)),
        ):
            review(session, who, night)
            session.flush()
            told = session.scalars(select(OutboxItem).order_by(OutboxItem.id.desc())).first()
            assert told is not None
            assert told.content["response"] in ("utter_tier_grace", "utter_tier_down")
            assert told.due_at == morning


def test_two_records_that_are_joined_reach_together_the_level_that_both_bought(database: Database) -> None:
    with database.write() as session:
        one, other = a_customer(session), a_customer(session)
        for who in (one, other):
            buy(session, who, 60, at(1404, 5, 1))
        merge(session, into_id=one, from_id=other, actor="operator")
        assert session.get_one(Customer, one).tier == "برنزی"
        planned = session.scalars(select(ScheduledJob)).one()
        planned.due_at = at(1404, 5, 2)
    run_due(database, jobs.handlers(lambda: RULES), now=at(1404, 5, 2))
    with database.read() as session:
        assert session.get_one(Customer, one).tier == "نقره‌ای"


def test_other_rules_lift_whoever_has_enough_for_them_in_the_next_night(database: Database) -> None:
    cheaper = msgspec.structs.replace(
        CLUB, tiers=(Tier("برنزی"), Tier("نقره‌ای", 50, 1.5), Tier("طلایی", 300, 2))
    )
    rules = [RULES]
    handlers = jobs.handlers(lambda: rules[0])
    with database.write() as session:
        who = a_customer(session)
        buy(session, who, 60, at(1404, 5, 1))
        jobs.plan_nightly(session, rules=RULES, now=at(1404, 5, 1))
    for day in (2, 3):
        run_due(database, handlers, now=at(1404, 5, day, 3))
    with database.read() as session:
        assert session.get_one(Customer, who).tier == "برنزی"
    rules[0] = Rules(msgspec.structs.replace(RULES.business, loyalty=cheaper))
    for hour in (3, 4):
        run_due(database, handlers, now=at(1404, 5, 4, hour))
    with database.read() as session:
        assert session.get_one(Customer, who).tier == "نقره‌ای"
