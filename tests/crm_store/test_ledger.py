"""Points come in, are spent, expire and are taken back; what was posted stays."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.errors import InvalidInput, InvalidTransition, NotAllowed, NotEnoughPoints, NotFound
from crm_store.loyalty import ledger
from crm_store.loyalty.balance import balance_of, history_of, lots_of
from crm_store.loyalty.models import LedgerPosting, LoyaltyAccount
from tests.factories.club import NOW, club

DAY = timedelta(days=1)
BY = {"cause": "test", "actor": "system"}
ADMIN = {"reason": "جبران", "actor": "staff:1", "role": "admin", "rules": club()}


def a_customer(session: Session) -> int:
    customer = Customer()
    session.add(customer)
    session.flush()
    return customer.id


def earn(session: Session, customer_id: int, points: int, key: str, **more: Any) -> LedgerPosting:
    given = {**BY, "expires_at": NOW + 30 * DAY, "now": NOW, **more}
    return ledger.earn(session, customer_id=customer_id, points=points, key=key, **given)


def spend(session: Session, customer_id: int, points: int, key: str, now: datetime = NOW) -> LedgerPosting:
    return ledger.spend(session, customer_id=customer_id, points=points, key=key, now=now, **BY)


def take_back(
    session: Session, customer_id: int, earned: LedgerPosting, points: int, key: str, **more: Any
) -> LedgerPosting:
    given = {**BY, "base": 0, "now": NOW, **more}
    return ledger.take_back(session, customer_id=customer_id, earned=earned, points=points, key=key, **given)


def reverse(session: Session, posting: LedgerPosting, key: str, now: datetime = NOW) -> LedgerPosting:
    return ledger.reverse(session, posting=posting, key=key, now=now, **BY)


def has(session: Session, customer_id: int, now: datetime = NOW) -> tuple[int, int]:
    """Points and debt."""
    balance = balance_of(session, customer_id=customer_id, soon=DAY, now=now)
    return balance.points, balance.debt


def left(session: Session, customer_id: int, now: datetime = NOW) -> list[int]:
    return [lot.points for lot in lots_of(session, customer_id=customer_id, now=now)]


def test_what_expires_soonest_is_spent_first_and_of_several_the_oldest(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 1, "never", expires_at=None)
        earn(session, one, 10, "late", expires_at=NOW + 20 * DAY)
        earn(session, one, 20, "soon and newer", expires_at=NOW + 10 * DAY, now=NOW + DAY)
        earn(session, one, 40, "soon and newest", expires_at=NOW + 10 * DAY, now=NOW + 2 * DAY)
        at = NOW + 2 * DAY
        assert left(session, one, at) == [20, 40, 10, 1]
        spend(session, one, 25, "first", at)
        assert left(session, one, at) == [35, 10, 1]
        spend(session, one, 45, "second", at)
        assert left(session, one, at) == [1]


def test_points_whose_time_is_over_cannot_be_spent_even_before_the_night(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 10, "a", expires_at=NOW + DAY)
        earn(session, one, 5, "b", expires_at=NOW + 2 * DAY)
        with pytest.raises(NotEnoughPoints) as refused:
            spend(session, one, 12, "s", NOW + DAY)
        assert refused.value.missing == 7
        assert spend(session, one, 12, "s", NOW + DAY - timedelta(microseconds=1)).points == -12


def test_a_clock_that_goes_back_revives_nothing(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 10, "a", expires_at=NOW + DAY)
        earn(session, one, 5, "b", now=NOW + 2 * DAY)
        assert has(session, one, NOW) == (5, 0)
        with pytest.raises(NotEnoughPoints):
            spend(session, one, 6, "s", NOW - 100 * DAY)
        spend(session, one, 1, "t", NOW - 100 * DAY)
        assert [posting.at for posting in history_of(session, customer_id=one)] == [
            NOW + 2 * DAY,
            NOW + 2 * DAY,
            NOW,
        ]


def test_expiry_writes_off_what_is_left_once(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 10, "a", expires_at=NOW + DAY)
        earn(session, one, 20, "b", expires_at=NOW + DAY)
        earn(session, one, 40, "c", expires_at=NOW + 3 * DAY)
        spend(session, one, 15, "s")
        later = {"customer_id": one, "now": NOW + DAY}
        assert ledger.expire_due(session, **later) == 15
        assert ledger.expire_due(session, **later) == 0
        assert has(session, one, NOW + DAY) == (40, 0)
        assert ledger.expire_due(session, customer_id=one, now=NOW + 3 * DAY) == 40
        assert has(session, one, NOW + 3 * DAY) == (0, 0)


def test_a_return_takes_its_own_lot_first_and_then_whatever_is_left(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 10, "other", expires_at=NOW + DAY)
        earned = earn(session, one, 30, "bought")
        earn(session, one, 50, "third", expires_at=None)
        take_back(session, one, earned, 20, "part")
        assert left(session, one) == [10, 10, 50]
        spend(session, one, 15, "s")
        take_back(session, one, earned, 10, "rest")
        assert left(session, one) == [45]


def test_what_was_spent_and_is_taken_back_is_owed_and_settled_first(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earned = earn(session, one, 30, "bought")
        spend(session, one, 25, "s")
        back = take_back(session, one, earned, 30, "back")
        assert (back.points, back.debt) == (-5, 25)
        assert has(session, one) == (0, 25)
        with pytest.raises(NotEnoughPoints):
            spend(session, one, 1, "t")
        some = earn(session, one, 10, "some")
        assert (some.points, some.debt, has(session, one)) == (0, -10, (0, 15))
        more = earn(session, one, 40, "more")
        assert (more.points, more.debt, has(session, one)) == (25, -15, (25, 0))
        take_back(session, one, more, 40, "more back")
        assert has(session, one) == (0, 15)


def test_returns_never_take_more_than_was_earned_nor_more_for_the_tier(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 100, "other")
        earned = earn(session, one, 30, "bought", base=20, base_at=NOW - DAY)
        first = take_back(session, one, earned, 20, "1", base=15)
        second = take_back(session, one, earned, 20, "2", base=15)
        third = take_back(session, one, earned, 20, "3", base=15)
        assert [part.points for part in (first, second, third)] == [-20, -10, 0]
        assert [part.base for part in (first, second, third)] == [-15, -5, 0]
        assert {part.base_at for part in (first, second)} == {earned.base_at}
        assert has(session, one) == (100, 0)
        assert ledger.taken_back(session, earned)[:2] == (30, 20)


def test_what_had_expired_of_a_purchase_is_not_taken_a_second_time(database: Database) -> None:
    with database.write() as session:
        one, late = a_customer(session), NOW + 2 * DAY
        earned = earn(session, one, 30, "bought", expires_at=NOW + DAY)
        earn(session, one, 100, "other")
        spend(session, one, 10, "s")
        ledger.expire_due(session, customer_id=one, now=late)
        back = take_back(session, one, earned, 30, "back", now=late)
        assert (back.points, back.debt) == (-10, 0)
        assert has(session, one, late) == (90, 0)


def test_before_the_night_what_has_expired_of_a_purchase_is_not_taken_from_elsewhere(
    database: Database,
) -> None:
    with database.write() as session:
        one, late = a_customer(session), NOW + 2 * DAY
        earned = earn(session, one, 30, "bought", expires_at=NOW + DAY)
        earn(session, one, 100, "other")
        spend(session, one, 10, "s")
        take_back(session, one, earned, 30, "back", now=late)
        assert has(session, one, late) == (90, 0)
        assert ledger.expire_due(session, customer_id=one, now=late) == 0


def test_cancelled_points_go_back_to_their_lots(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 10, "a", expires_at=NOW + DAY)
        earn(session, one, 20, "b", expires_at=NOW + 5 * DAY)
        spent = spend(session, one, 25, "s")
        assert left(session, one) == [5]
        reverse(session, spent, "undo")
        assert left(session, one) == [10, 20]
        assert left(session, one, NOW + 2 * DAY) == [20]


def test_points_that_come_back_settle_what_is_owed_first(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earned = earn(session, one, 30, "bought")
        spent = spend(session, one, 20, "s")
        take_back(session, one, earned, 25, "back")
        assert has(session, one) == (0, 15)
        undone = reverse(session, spent, "undo")
        assert (undone.points, undone.debt, has(session, one)) == (5, -15, (5, 0))


def test_an_earning_undone_after_a_part_was_taken_back_loses_only_the_rest(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 7, "other")
        earned = earn(session, one, 30, "bought", base=30, base_at=NOW)
        take_back(session, one, earned, 10, "part", base=10)
        undone = reverse(session, earned, "undo")
        assert (undone.points, undone.base, has(session, one)) == (-20, -20, (7, 0))


def test_something_is_undone_once_and_an_undoing_never(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 30, "a")
        spent = spend(session, one, 20, "s")
        undone = reverse(session, spent, "undo")
        assert reverse(session, spent, "undo").id == undone.id
        for posting in (spent, undone):
            with pytest.raises(InvalidTransition):
                reverse(session, posting, f"again:{posting.id}")
        assert has(session, one) == (30, 0)


def test_an_undoing_meant_twice_happens_once_although_both_begin_at_once(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        earn(session, one, 30, "a")
        spent_id = spend(session, one, 20, "s").id
    barrier = threading.Barrier(6)

    def undo(number: int) -> bool:
        barrier.wait()
        with database.write() as session:
            try:
                reverse(session, session.get_one(LedgerPosting, spent_id), f"undo:{number}")
            except InvalidTransition:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(undo, range(6))) == 1
    with database.read() as session:
        assert has(session, one) == (30, 0)


def test_the_same_key_at_once_posts_once(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
    barrier = threading.Barrier(6)

    def give(_number: int) -> int:
        barrier.wait()
        with database.write() as session:
            return earn(session, one, 10, "same").id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(give, range(6)))) == 1
    with database.read() as session:
        assert has(session, one) == (10, 0)
        assert session.scalar(select(func.count()).select_from(LoyaltyAccount)) == 1


def test_the_same_key_means_the_same_change_or_is_refused(database: Database) -> None:
    with database.write() as session:
        one, other = a_customer(session), a_customer(session)
        first = earn(session, one, 50, "k")
        second = earn(session, one, 50, "k2")
        assert earn(session, one, 50, "k", now=NOW + DAY).id == first.id
        back = take_back(session, one, first, 10, "back")
        assert take_back(session, one, first, 10, "back").id == back.id
        spent = spend(session, one, 5, "s")
        undone = reverse(session, spent, "undo")
        for refused in (
            lambda: earn(session, one, 51, "k"),
            lambda: earn(session, other, 50, "k"),
            lambda: spend(session, one, 50, "k"),
            lambda: take_back(session, one, first, 11, "back"),
            lambda: take_back(session, one, second, 10, "back"),
            lambda: reverse(session, first, undone.idempotency_key),
            lambda: earn(session, one, 5, "k~part~2"),
        ):
            with pytest.raises(InvalidInput):
                refused()
        assert has(session, one) == (90, 0)


def test_only_what_somebody_earned_is_taken_back_from_them(database: Database) -> None:
    with database.write() as session:
        one, other = a_customer(session), a_customer(session)
        earned = earn(session, one, 50, "k")
        spent = spend(session, one, 10, "s")
        with pytest.raises(InvalidInput):
            take_back(session, other, earned, 10, "a")
        with pytest.raises(InvalidInput):
            take_back(session, one, spent, 10, "b")
        for points in (0, -5):
            with pytest.raises(InvalidInput):
                earn(session, one, points, "c")
            with pytest.raises(InvalidInput):
                spend(session, one, points, "d")
        with pytest.raises(InvalidInput):
            take_back(session, one, earned, -1, "e")


def test_points_by_hand_stay_within_what_the_role_may(database: Database) -> None:
    rules = club(adjust_limit={"agent": 50, "supervisor": 500}, expires_after_months=12)
    with database.write() as session:
        one = a_customer(session)

        def adjust(points: int, role: str, key: str, actor: str = "staff:1") -> LedgerPosting:
            by = {"reason": "جبران", "actor": actor, "role": role, "rules": rules, "now": NOW}
            return ledger.adjust(session, customer_id=one, points=points, key=key, **by)

        for points, role in ((51, "agent"), (-51, "agent"), (501, "supervisor"), (1, "")):
            with pytest.raises(NotAllowed):
                adjust(points, role, "refused")
        adjust(50, "agent", "a")
        adjust(500, "supervisor", "b")
        adjust(100_000, "admin", "c")
        adjust(-100_000, "", "d", actor="operator")
        with pytest.raises(NotEnoughPoints):
            adjust(-551, "admin", "e")
        assert has(session, one) == (550, 0)
        assert all(lot.expires_at is not None for lot in lots_of(session, customer_id=one, now=NOW))
        told = session.scalars(select(Activity.kind).where(Activity.customer_id == one)).all()
        assert told == ["loyalty.adjusted"] * 4
        audit = session.scalars(select(AuditEntry).where(AuditEntry.action == "loyalty.adjust")).all()
        assert [entry.detail["points"] for entry in audit] == [50, 500, 100_000, -100_000]


def test_points_by_hand_need_a_reason_and_a_number(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        for points, reason in ((0, "جبران"), (5, " ")):
            with pytest.raises(InvalidInput):
                ledger.adjust(session, customer_id=one, points=points, key="a", **{**ADMIN, "reason": reason})


def test_an_adjustment_is_undone_either_way(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        given = ledger.adjust(session, customer_id=one, points=30, key="a", now=NOW, **ADMIN)
        taken = ledger.adjust(session, customer_id=one, points=-10, key="b", now=NOW, **ADMIN)
        reverse(session, taken, "c")
        assert has(session, one) == (30, 0)
        reverse(session, given, "d")
        assert has(session, one) == (0, 0)


def test_two_records_of_one_person_have_one_heap_of_points(database: Database) -> None:
    with database.write() as session:
        one, other = a_customer(session), a_customer(session)
        earn(session, one, 10, "a", expires_at=NOW + 5 * DAY)
        bought = earn(session, other, 20, "b", expires_at=NOW + 3 * DAY)
        merge(session, into_id=one, from_id=other, actor="operator")
        assert left(session, one) == [20, 10]
        spent = spend(session, other, 25, "s")
        assert left(session, one) == [5]
        assert spend(session, one, 25, "s").id == spent.id
        take_back(session, one, bought, 20, "back")
        assert has(session, one) == (0, 15)
        reverse(session, spent, "undo")
        assert has(session, one) == (10, 0)
        assert len(history_of(session, customer_id=one, limit=50)) == 8
        assert session.scalar(select(func.count()).select_from(LoyaltyAccount)) == 2


def test_a_customer_is_locked_under_the_number_that_stands_for_them_now(database: Database) -> None:
    with database.write() as session:
        first, second, third = (a_customer(session) for _ in range(3))
        merge(session, into_id=second, from_id=third, actor="operator")
        merge(session, into_id=first, from_id=second, actor="operator")
        assert ledger.lock_customer(session, third).id == first
        assert [one.id for one in ledger.lock_customers(session, [third, first])] == [first, first]
        with pytest.raises(NotFound):
            ledger.lock_customer(session, third + 1000)


def test_locking_loses_nothing_that_was_set_before(database: Database) -> None:
    with database.write() as session:
        customer = session.get_one(Customer, a_customer(session))
        customer.tier = "طلایی"
        assert ledger.lock_customer(session, customer.id).tier == "طلایی"


def test_who_was_forgotten_gets_no_points(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        session.get_one(Customer, one).erased_at = utcnow()
        with pytest.raises(InvalidTransition):
            earn(session, one, 10, "a")


def test_the_history_comes_newest_first_and_page_by_page(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        ids = [earn(session, one, 10, f"{number}").id for number in range(5)]
        page = history_of(session, customer_id=one, limit=3)
        assert [posting.id for posting in page] == ids[:1:-1]
        rest = history_of(session, customer_id=one, limit=3, before_id=page[-1].id)
        assert [posting.id for posting in rest] == ids[1::-1]


def test_what_expires_soon_is_told_apart(database: Database) -> None:
    with database.write() as session:
        one = a_customer(session)
        assert has(session, one) == (0, 0)
        earn(session, one, 10, "over", expires_at=NOW)
        earn(session, one, 20, "soon", expires_at=NOW + DAY)
        earn(session, one, 40, "later", expires_at=NOW + 9 * DAY)
        earn(session, one, 80, "never", expires_at=None)
        balance = balance_of(session, customer_id=one, soon=2 * DAY, now=NOW)
        assert (balance.points, balance.expiring_soon) == (140, 20)
        assert balance.expires_first_at == NOW + DAY
