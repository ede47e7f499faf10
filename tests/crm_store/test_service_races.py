"""No place and no technician is ever booked twice, however many ask at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from multiprocessing import get_context

import pytest
from sqlalchemy import func, select

from crm_store import drafts
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.errors import FullyBooked
from crm_store.service_requests import working
from crm_store.service_requests.following import reschedule
from crm_store.service_requests.models import ASSIGNED, BookingWindow, ServiceRequest
from tests.crm_store.booking_attempts import attempt, attempt_all, crowded
from tests.factories import a_conversation
from tests.factories.services import NOW, REPAIR, a_draft, a_request, a_technician, at, by, rules_with

ATTEMPTS, PLACES = 200, 20


@pytest.fixture
def confirmed(database: Database) -> list[tuple[int, int]]:
    """As many drafts as attempts, of as many customers, all for one window."""
    with database.write() as session:
        found = []
        for _ in range(ATTEMPTS):
            conversation = a_conversation(session)
            inbox_id = a_draft(session, conversation, kind="pickup", starts_at=at(23, 9))
            found.append((conversation.id, inbox_id))
        return found


def check_what_was_booked(database: Database) -> None:
    with database.read() as session:
        assert session.scalars(select(BookingWindow.booked)).all() == [PLACES]
        assert session.scalar(select(func.count()).select_from(ServiceRequest)) == PLACES
        left = session.scalars(select(Draft).where(Draft.state == drafts.OPEN)).all()
        assert len(left) == ATTEMPTS - PLACES
        assert not any("window" in draft.data for draft in left)


def test_two_hundred_threads_get_twenty_places(database: Database, confirmed: list[tuple[int, int]]) -> None:
    rules, together = crowded(), threading.Barrier(ATTEMPTS)

    def confirm(one: tuple[int, int]) -> bool:
        together.wait()
        return attempt(database, *one, rules)

    with ThreadPoolExecutor(ATTEMPTS) as pool:
        assert sum(pool.map(confirm, confirmed)) == PLACES
    check_what_was_booked(database)


def test_processes_get_twenty_places_together(database: Database, confirmed: list[tuple[int, int]]) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    shares = [confirmed[number::4] for number in range(4)]
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert sum(pool.map(attempt_all, [url] * 4, shares)) == PLACES
    check_what_was_booked(database)


def run_together(tasks: list[Callable[[], object]]) -> list[object]:
    """What each task returns or raises, all begun at once."""
    together = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        together.wait()
        try:
            return task()
        except FullyBooked as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def test_customers_who_swap_their_times_do_not_wait_for_each_other_forever(database: Database) -> None:
    rules = rules_with()
    with database.write() as session:
        requests = [
            a_request(session, rules=rules, starts_at=starts_at) for starts_at in (at(23, 9), at(23, 14))
        ]
        where = [by(request, session) for request in requests]

    def move(number: int, starts_at: datetime) -> None:
        with database.write() as session:
            reschedule(session, **where[number], rules=rules, starts_at=starts_at, now=NOW)

    for first, second in [(at(23, 14), at(23, 9)), (at(23, 9), at(23, 14))] * 5:
        where = [{**one, "inbox_id": one["inbox_id"] + 1_000} for one in where]
        outcomes = run_together([lambda to=first: move(0, to), lambda to=second: move(1, to)])  # type: ignore[misc]
        assert outcomes == [None, None]
    with database.read() as session:
        assert session.scalars(select(BookingWindow.booked)).all() == [1, 1]


def test_dispatchers_who_send_one_technician_at_the_same_moment_do_not_send_them_twice(
    database: Database,
) -> None:
    kind = type(REPAIR)(key="repair", title="تعمیر", ask=("problem",), duration_minutes=90, capacity=8)
    rules = rules_with(kind)
    with database.write() as session:
        technician = a_technician(session)
        # Two visits of an hour and a half fit into a window of three hours.
        requests = [a_request(session, rules=rules, starts_at=at(23, 9)) for _ in range(8)]

    def send(request_id: int) -> None:
        with database.write() as session:
            request = session.get_one(ServiceRequest, request_id)
            working.assign(session, request, staff_id=technician.id, actor="operator", rules=rules, now=NOW)

    outcomes = run_together([lambda one=request.id: send(one) for request in requests])  # type: ignore[misc]
    assert sum(outcome is None for outcome in outcomes) == 2
    with database.read() as session:
        sent = session.scalars(select(ServiceRequest).where(ServiceRequest.state == ASSIGNED)).all()
        assert [request.technician_id for request in sent] == [technician.id] * 2
