"""The last item goes once, a code is used once, nobody has more than their share, however many ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from multiprocessing import get_context

import pytest
from sqlalchemy import func, select, text

from crm_store.business.loyalty import Reward
from crm_store.db import Database
from crm_store.errors import CrmError, LimitReached
from crm_store.loyalty.models import (
    ACTIVE,
    CANCELLED,
    USED,
    LedgerPosting,
    Raffle,
    RaffleEntry,
    Redemption,
    RewardStock,
)
from crm_store.loyalty.raffle_draw import faults_of, read_published
from crm_store.loyalty.raffles import call_off, join, published, seal
from crm_store.loyalty.redemptions import cancel, lapse_due, redeem, use_code
from tests.crm_store.redeeming_attempts import SHOP, join_all, take, take_all, use_all
from tests.factories.club import NOW, a_club_member, a_raffle, club, points_of

ATTEMPTS = 60
DAY = timedelta(days=1)


def together(tasks: list[Callable[[], object]]) -> list[object]:
    """What each task returns or is refused with, all begun at once."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return task()
        except CrmError as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def members(database: Database, count: int, points: int = 100) -> list[int]:
    with database.write() as session:
        return [a_club_member(session, points=points)[0] for _ in range(count)]


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def check_the_last_mug(database: Database, customers: list[int]) -> None:
    with database.read() as session:
        (owner,) = session.scalars(select(Redemption.customer_id)).all()
        assert session.scalars(select(RewardStock.taken)).all() == [1]
        assert all(points_of(session, one) == (0 if one == owner else 100) for one in customers)


def test_threads_get_the_last_item_once(database: Database) -> None:
    customers = members(database, ATTEMPTS)
    codes = together([lambda one=one: take(database, one, f"m:{one}") for one in customers])  # type: ignore[misc]
    assert sum(code is not None for code in codes) == 1
    check_the_last_mug(database, customers)


def test_processes_get_the_last_item_once(database: Database) -> None:
    customers = members(database, ATTEMPTS)
    shares = [[(one, f"m:{one}") for one in customers[number::3]] for number in range(3)]
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert sum(pool.map(take_all, [url_of(database)] * 3, shares)) == 1
    check_the_last_mug(database, customers)


def test_a_button_that_is_pressed_twice_at_once_gives_one_code(database: Database) -> None:
    (customer,) = members(database, 1, points=1_000)
    rules = club(Reward(key="cap", title="کلاه", points=100))

    def press() -> str:
        with database.write() as session:
            return redeem(session, customer_id=customer, reward="cap", key="m:1", rules=rules, now=NOW).code

    assert len(set(map(str, together([press] * 12)))) == 1
    with database.read() as session:
        assert points_of(session, customer) == 900


def test_nobody_gets_more_than_their_share_by_asking_often_at_once(database: Database) -> None:
    (customer,) = members(database, 1, points=1_000)
    rules = club(Reward(key="cap", title="کلاه", points=100, per_customer=2, stock=9))

    def ask(number: int) -> None:
        with database.write() as session:
            redeem(session, customer_id=customer, reward="cap", key=f"m:{number}", rules=rules, now=NOW)

    outcomes = together([lambda n=n: ask(n) for n in range(12)])  # type: ignore[misc]
    assert sum(isinstance(one, LimitReached) for one in outcomes) == 10
    with database.read() as session:
        assert (points_of(session, customer), session.scalar(select(RewardStock.taken))) == (800, 2)


def test_points_for_one_thing_buy_one_thing(database: Database) -> None:
    (customer,) = members(database, 1, points=100)
    rules = club(*(Reward(key=f"cap_{n}", title="کلاه", points=100) for n in range(8)))

    def ask(number: int) -> str:
        with database.write() as session:
            return redeem(
                session, customer_id=customer, reward=f"cap_{number}", key=f"m:{number}", rules=rules, now=NOW
            ).code

    outcomes = together([lambda n=n: ask(n) for n in range(8)])  # type: ignore[misc]
    assert sum(isinstance(one, str) for one in outcomes) == 1
    with database.read() as session:
        assert points_of(session, customer) == 0


def a_code(database: Database) -> tuple[int, str]:
    (customer,) = members(database, 1)
    code = take(database, customer, "m:1")
    assert code is not None
    return customer, code


def test_a_code_is_used_once_in_threads_and_processes(database: Database) -> None:
    _, code = a_code(database)

    def use(number: int) -> str:
        with database.write() as session:
            return use_code(session, code=code, actor=SHOP, used_for=f"order-{number}", now=NOW).used_for

    outcomes = together([lambda n=n: use(n) for n in range(20)])  # type: ignore[misc]
    assert sum(isinstance(one, str) for one in outcomes) == 1
    orders = [[f"other-{number}-{share}" for number in range(10)] for share in range(2)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert sum(pool.map(use_all, [url_of(database)] * 2, [code] * 2, orders)) == 0


def test_processes_use_a_fresh_code_once(database: Database) -> None:
    _, code = a_code(database)
    orders = [[f"other-{number}-{share}" for number in range(5)] for share in range(3)]
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert sum(pool.map(use_all, [url_of(database)] * 3, [code] * 3, orders)) == 1


def test_a_code_is_either_used_or_given_back(database: Database) -> None:
    for number in range(8):
        customer, code = a_code_of_many(database, number)

        def use(code: str = code) -> str:
            with database.write() as session:
                return use_code(session, code=code, actor=SHOP, now=NOW).state

        def give_back(code: str = code, customer: int = customer) -> str:
            with database.write() as session:
                return cancel(session, code=code, customer_id=customer, actor="customer", now=NOW).state

        outcomes = together([use, give_back, give_back, use])
        (state,) = (one for one in outcomes if isinstance(one, str))
        with database.read() as session:
            assert points_of(session, customer) == (100 if state == CANCELLED else 0)
            assert state in (USED, CANCELLED)


def a_code_of_many(database: Database, number: int) -> tuple[int, str]:
    rules = club(Reward(key="cap", title="کلاه", points=100))
    (customer,) = members(database, 1)
    with database.write() as session:
        given = redeem(session, customer_id=customer, reward="cap", key=f"m:{number}", rules=rules, now=NOW)
        return customer, given.code


def test_codes_that_lapse_while_others_redeem_and_cancel_block_nobody(database: Database) -> None:
    rules = club(
        Reward(key="cap", title="کلاه", points=10, stock=100),
        Reward(key="pen", title="خودکار", points=10, stock=100),
    )
    customers = members(database, 10, points=100)
    with database.write() as session:
        for one in customers:
            for reward in ("cap", "pen"):
                redeem(session, customer_id=one, reward=reward, key=f"{reward}:{one}", rules=rules, now=NOW)
    late = NOW + timedelta(days=40)

    def lapse() -> None:
        with database.write() as session:
            lapse_due(session, rules=rules, now=late)

    def go_on(customer: int, reward: str) -> None:
        for number in range(5):
            with database.write() as session:
                given = redeem(
                    session,
                    customer_id=customer,
                    reward=reward,
                    key=f"{reward}:{customer}:{number}",
                    rules=rules,
                    now=late,
                )
            with database.write() as session:
                cancel(session, redemption_id=given.id, customer_id=customer, actor="customer", now=late)

    tasks: list[Callable[[], object]] = [lapse, lapse]
    tasks += [
        lambda one=one, reward=reward: go_on(one, reward)
        for one in customers[:5]
        for reward in ("pen", "cap")
    ]  # type: ignore[misc]
    assert together(tasks) == [None] * len(tasks)
    with database.read() as session:
        assert session.scalars(select(RewardStock.taken)).all() == [0, 0]
        assert all(points_of(session, one, now=late) == 100 for one in customers)
        assert session.scalar(select(func.count()).where(Redemption.state == ACTIVE)) == 0


def a_raffle_id(database: Database, **fields: object) -> int:
    with database.write() as session:
        return a_raffle(session, **fields).id


def test_nobody_has_more_chances_than_one_may_by_asking_often_at_once(database: Database) -> None:
    (customer,) = members(database, 1, points=1_000)
    raffle_id = a_raffle_id(database, chances=3, by_right=["*"])

    def ask(number: int) -> None:
        with database.write() as session:
            join(session, customer_id=customer, raffle_id=raffle_id, key=f"j:{number}", rules=club(), now=NOW)

    outcomes = together([lambda n=n: ask(n) for n in range(12)])  # type: ignore[misc]
    assert sum(isinstance(one, LimitReached) for one in outcomes) == 9
    check_chances(database, customer)


def test_nobody_has_more_chances_than_one_may_in_several_processes(database: Database) -> None:
    (customer,) = members(database, 1, points=1_000)
    raffle_id = a_raffle_id(database, chances=3, by_right=["*"])
    shares = [[(customer, f"j:{number}:{share}") for number in range(6)] for share in range(2)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert sum(pool.map(join_all, [url_of(database)] * 2, [raffle_id] * 2, shares)) == 3
    check_chances(database, customer)


def check_chances(database: Database, customer: int) -> None:
    with database.read() as session:
        paid = session.scalars(select(RaffleEntry.posting_id)).all()
        assert sorted(one is None for one in paid) == [False, False, True]
        assert points_of(session, customer) == 980


def test_who_joins_at_the_moment_of_sealing_is_in_the_list_or_refused(database: Database) -> None:
    customers = members(database, 20)
    raffle_id = a_raffle_id(database)
    with database.write() as session:
        join(session, customer_id=customers[0], raffle_id=raffle_id, key="j:0", rules=club(), now=NOW)

    def enter(customer: int) -> str:
        with database.write() as session:
            return join(
                session, customer_id=customer, raffle_id=raffle_id, key=f"j:{customer}", rules=club(), now=NOW
            ).ticket

    def close() -> None:
        with database.write() as session:
            raffle = session.get_one(Raffle, raffle_id)
            seal(
                session,
                raffle=raffle,
                random_source="x",
                random_at=NOW + 2 * DAY,
                actor="operator",
                rules=club(),
                now=NOW + DAY,
            )

    tasks: list[Callable[[], object]] = [lambda one=one: enter(one) for one in customers[1:]]  # type: ignore[misc]
    outcomes = together([*tasks[:10], close, *tasks[10:]])
    joined = {one for one in outcomes if isinstance(one, str)}
    with database.read() as session:
        file = read_published(published(session, raffle=session.get_one(Raffle, raffle_id)))
        assert faults_of(file) == []
        first = session.scalar(select(RaffleEntry.ticket).where(RaffleEntry.idempotency_key == "j:0"))
        assert {entry.ticket for entry in file.sealed.entries} == {*joined, first}
        spent = session.scalar(
            select(func.count()).select_from(LedgerPosting).where(LedgerPosting.kind == "spend")
        )
        assert spent == len(joined) + 1


def test_a_raffle_that_is_called_off_while_people_join_keeps_nobodys_points(database: Database) -> None:
    customers = members(database, 20)
    raffle_id = a_raffle_id(database)

    def enter(customer: int) -> None:
        for number in range(3):
            with database.write() as session:
                join(
                    session,
                    customer_id=customer,
                    raffle_id=raffle_id,
                    key=f"j:{customer}:{number}",
                    rules=club(),
                    now=NOW,
                )

    def stop() -> None:
        with database.write() as session:
            call_off(
                session, raffle=session.get_one(Raffle, raffle_id), actor="operator", rules=club(), now=NOW
            )

    tasks: list[Callable[[], object]] = [lambda one=one: enter(one) for one in customers]  # type: ignore[misc]
    together([*tasks[:5], stop, *tasks[5:]])
    with database.read() as session:
        assert all(points_of(session, one) == 100 for one in customers)


@pytest.mark.parametrize("act", ["INSERT", "DELETE"])
def test_a_row_that_is_slipped_in_beside_the_services_is_refused_too(database: Database, act: str) -> None:
    (customer,) = members(database, 1)
    raffle_id = a_raffle_id(database)
    with database.write() as session:
        join(session, customer_id=customer, raffle_id=raffle_id, key="j:0", rules=club(), now=NOW)
        raffle = session.get_one(Raffle, raffle_id)
        seal(
            session,
            raffle=raffle,
            random_source="x",
            random_at=NOW + 2 * DAY,
            actor="operator",
            rules=club(),
            now=NOW + DAY,
        )
    statements = {
        "INSERT": "INSERT INTO raffle_entries (raffle_id, customer_id, ticket, idempotency_key, created_at) "
        f"VALUES ({raffle_id}, {customer}, 'X', 'x', '2026-11-27')",
        "DELETE": f"DELETE FROM raffle_entries WHERE raffle_id = {raffle_id}",
    }
    with pytest.raises(Exception, match="sealed"), database.write() as session:
        session.execute(text(statements[act]))
