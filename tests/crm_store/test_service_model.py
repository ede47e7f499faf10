"""Random bookings, moves, cancellations, visits and jumps of the clock against a small reference."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from crm_store.business import ServiceKind
from crm_store.db import Database
from crm_store.errors import CrmError
from crm_store.jobs.models import ScheduledJob
from crm_store.rules import Rules
from crm_store.service_requests import following, visits, working
from crm_store.service_requests.booking import free_slots
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.service_requests.windows import local_day
from tests.crm_store.visits_by_the_book import Book, Refused, Visit
from tests.factories import a_conversation
from tests.factories.services import NOW, a_request, a_technician, at, rules_with

#: Six weeks: two windows a day, one on Thursday, none on Friday.
WINDOWS = [
    at(22, hour) + timedelta(days=days)
    for days in range(42)
    for hour in (9, 14)
    if days % 7 != 5 and (days % 7 != 4 or hour == 9)
]
#: Which window from the next one on; the last number stands for a moment at which none begins.
NO_WINDOW = 99
STARTS = st.sampled_from([-1, 0, 1, 1, 2, 2, 3, 4, 10, NO_WINDOW])
NUMBERS = st.integers(0, 30)
_examples = itertools.count(1)


class Visits(RuleBasedStateMachine):
    """Each example has kinds and technicians of its own in one store."""

    database: ClassVar[Database]

    @initialize()
    def open_the_book(self) -> None:
        self.suffix = f"_{next(_examples)}"
        self.now = NOW
        self.minutes = {"repair": 90, "pickup": 60, "advice": 60}
        capacity = {"repair": 2, "pickup": 3, "advice": 1}
        self.book = Book(WINDOWS, capacity, self.minutes)
        kinds = [
            ServiceKind(
                key=key + self.suffix,
                title=key,
                ask=("problem",),
                duration_minutes=minutes,
                capacity=capacity[key],
                is_booked=key != "advice",
            )
            for key, minutes in self.minutes.items()
        ]
        self.rules: Rules = rules_with(*kinds, days_ahead=5)
        self.kinds = kinds
        self.inbox = itertools.count(1_000_000)
        with self.database.write() as session:
            self.conversation = a_conversation(session)
            self.technicians = [a_technician(session).id for _ in range(2)]
        self.ids: list[int] = []

    # What is tried

    @rule(kind=st.sampled_from(["repair", "repair", "pickup", "advice"]), which=STARTS)
    def submit(self, kind: str, which: int) -> None:
        start = self.window(which)

        def really(session: Session) -> None:
            made = a_request(
                session,
                rules=self.rules,
                conversation=self.conversation,
                kind=kind + self.suffix,
                starts_at=start,
                now=self.now,
            )
            self.ids.append(made.id)

        self.both(lambda: self.book.submit(kind, start, self.now), really)

    @precondition(lambda self: self.ids)
    @rule(number=NUMBERS, which=STARTS)
    def reschedule(self, number: int, which: int) -> None:
        (visit, of), start = self.pick(number), self.window(which)
        self.both(
            lambda: self.book.reschedule(visit, start, self.now),
            lambda session: following.reschedule(session, **self.customer(session, of), starts_at=start),
        )

    @precondition(lambda self: self.ids)
    @rule(number=NUMBERS, which=STARTS)
    def schedule_by_staff(self, number: int, which: int) -> None:
        (visit, of), start = self.pick(number), self.window(which)
        self.both(
            lambda: self.book.schedule(visit, start, self.now),
            lambda session: working.schedule_visit(
                session, session.get_one(ServiceRequest, of), **self.staff(), starts_at=start
            ),
        )

    @precondition(lambda self: self.ids)
    @rule(number=NUMBERS, by_staff=st.booleans())
    def cancel(self, number: int, by_staff: bool) -> None:
        visit, of = self.pick(number)
        if by_staff:
            self.both(
                lambda: self.book.cancel_by_staff(visit),
                lambda session: working.cancel_by_staff(
                    session, session.get_one(ServiceRequest, of), **self.staff(), reason=""
                ),
            )
        else:
            self.both(
                lambda: self.book.cancel(visit, self.now),
                lambda session: following.cancel(session, **self.customer(session, of), reason="time"),
            )

    @precondition(lambda self: self.ids)
    @rule(number=NUMBERS, who=st.integers(0, 1), is_scheduled=st.booleans())
    def assign(self, number: int, who: int, is_scheduled: bool) -> None:
        visit, of = self.pick(number, *(("scheduled",) if is_scheduled else ()))
        self.both(
            lambda: self.book.assign(visit, self.technicians[who], self.now),
            lambda session: working.assign(
                session,
                session.get_one(ServiceRequest, of),
                **self.staff(),
                staff_id=self.technicians[who],
            ),
        )

    @precondition(lambda self: self.ids)
    @rule(
        number=NUMBERS,
        is_theirs=st.sampled_from([True, True, True, False]),
        comes=st.booleans(),
        to=st.sampled_from(["on_the_way", "done", "not_done"]),
    )
    def act(self, number: int, is_theirs: bool, comes: bool, to: str) -> None:
        """A technician sets off, or is done; mostly the one who was sent, mostly when the time has come."""
        visit, of = self.pick(number, *(("assigned", "on_the_way") if is_theirs else ()))
        first, second = self.technicians
        technician = visit.technician if is_theirs and visit.technician else first
        technician = technician if is_theirs else {first: second}.get(technician, first)
        if comes and visit.start is not None:
            self.now = max(self.now, visit.start)

        def really(session: Session) -> None:
            where: dict[str, Any] = {
                "staff_id": technician,
                "code": session.get_one(ServiceRequest, of).code,
                "inbox_id": next(self.inbox),
                "rules": self.rules,
                "now": self.now,
            }
            if to == "on_the_way":
                visits.set_off(session, **where)
            elif to == "done":
                visits.finish(session, **where)
            else:
                visits.not_done(session, **where, reason="other")

        self.both(lambda: self.book.act(visit, technician, to, self.now), really)

    @precondition(lambda self: self.ids)
    @rule(number=NUMBERS)
    def confirm(self, number: int) -> None:
        visit, of = self.pick(number)
        self.both(
            lambda: self.book.confirm(visit, self.now),
            lambda session: following.confirm_visit(session, **self.customer(session, of)),
        )

    @precondition(lambda self: self.ids)
    @rule(number=NUMBERS, grade=st.integers(0, 6), is_done=st.booleans())
    def rate(self, number: int, grade: int, is_done: bool) -> None:
        visit, of = self.pick(number, *(("done",) if is_done else ()))
        self.both(
            lambda: self.book.rate(visit, grade, self.now),
            lambda session: following.rate(session, **self.customer(session, of), value=grade, scale=5),
        )

    @rule(minutes=st.sampled_from([1, 30, 59, 60, 180, 360, 60 * 15, 60 * 24]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # What must hold

    @invariant()
    def the_store_says_what_the_book_says(self) -> None:
        with self.database.read() as session:
            requests = self.requests(session)
            for visit, request in zip(self.book.visits, requests, strict=True):
                start = request.window.starts_at if request.window else None
                assert (request.state, request.technician_id, start, request.rating) == (
                    visit.state,
                    visit.technician,
                    visit.start,
                    visit.grade,
                )
                assert (request.confirmed_at is not None) == visit.confirmed
            self.check_places(session)
            self.check_technicians(session, requests)
            self.check_jobs(session)

    def check_places(self, session: Session) -> None:
        """No window holds more than its places, and those that are left are offered."""
        wanted = [kind.key for kind in self.kinds]
        windows = session.scalars(select(BookingWindow).where(BookingWindow.kind.in_(wanted))).all()
        booked = {(self.name(window.kind), window.starts_at): window.booked for window in windows}
        assert {place: count for place, count in booked.items() if count} == {
            place: count for place, count in self.book.used.items() if count
        }
        for kind in self.kinds[:2]:
            slots = free_slots(session, kind=kind, rules=self.rules, now=self.now, limit=100)
            assert {slot.starts_at: slot.free for slot in slots} == {
                start: left
                for start in self.book.windows
                if self.book.can_be_booked(start, self.now)
                and (left := kind.capacity - self.book.used.get((self.name(kind.key), start), 0)) > 0
            }

    def check_technicians(self, session: Session, requests: list[ServiceRequest]) -> None:
        """They see their own visits of the day, and are never in two places."""
        minutes: Counter[tuple[int | None, datetime]] = Counter()
        for request in requests:
            if request.state in ("assigned", "on_the_way") and request.window is not None:
                place = request.technician_id, request.window.starts_at
                minutes[place] += self.minutes[self.name(request.kind)]
        assert all(spent <= 180 for spent in minutes.values())
        today = local_day(self.now, self.rules)
        for technician in self.technicians:
            listed = visits.visits_of(session, staff_id=technician, day=today, rules=self.rules)
            own = [
                of
                for visit, of in zip(self.book.visits, self.ids, strict=True)
                if visit.is_seen_by(technician, today)
            ]
            assert sorted(request.id for request in listed) == own

    def check_jobs(self, session: Session) -> None:
        """They wait for visits to come, at the time that is agreed now, and for nothing else."""
        keys = {
            f"{kind}:{of}": visit
            for visit, of in zip(self.book.visits, self.ids, strict=True)
            for kind in ("visit_reminder", "visit_missed")
        }
        waiting = select(ScheduledJob).where(ScheduledJob.key.in_(keys), ScheduledJob.state == "pending")
        for job in session.scalars(waiting):
            visit = keys[job.key]
            assert visit.state in ("scheduled", "assigned")
            assert visit.start is not None
            assert job.data["starts_at"] == visit.start.isoformat()

    def requests(self, session: Session) -> list[ServiceRequest]:
        """All requests of this example, in order, as they are in the store."""
        return list(
            session.scalars(
                select(ServiceRequest)
                .where(ServiceRequest.id.in_(self.ids))
                .options(joinedload(ServiceRequest.window))
                .order_by(ServiceRequest.id)
            )
        )

    def name(self, key: str) -> str:
        """What the book calls a kind."""
        return key.removesuffix(self.suffix)

    # How both are asked

    def window(self, which: int) -> datetime:
        """The beginning of a window, counted from the next one on."""
        if which == NO_WINDOW:
            return at(22, 10) + timedelta(days=3)
        return WINDOWS[max(0, bisect_left(WINDOWS, self.now) + which)]

    def pick(self, number: int, *preferred: str) -> tuple[Visit, int]:
        """A visit in the book and its request's id; one in these states, if there is any."""
        all_of_them = list(zip(self.book.visits, self.ids, strict=True))
        found = [one for one in all_of_them if one[0].state in preferred] or all_of_them
        return found[number % len(found)]

    def both(self, in_the_book: Callable[[], object], really: Callable[[Session], object]) -> None:
        """Do the same in the book and in the store; both allow it, or both refuse it for the same reason."""
        expected = refused = ""
        try:
            in_the_book()
        except Refused as error:
            expected = str(error)
        try:
            with self.database.write() as session:
                really(session)
        except CrmError as error:
            refused = type(error).__name__
        assert refused == expected

    def customer(self, session: Session, of: int) -> dict[str, Any]:
        request = session.get_one(ServiceRequest, of)
        return {
            "customer_id": request.customer_id,
            "code": request.code,
            "inbox_id": next(self.inbox),
            "rules": self.rules,
            "now": self.now,
        }

    def staff(self) -> dict[str, Any]:
        return {"actor": "operator", "rules": self.rules, "now": self.now}


def test_any_order_of_bookings_moves_and_visits_leaves_what_the_book_says(
    database: Database, soak: bool
) -> None:
    Visits.database = database
    run_state_machine_as_test(
        Visits,
        settings=settings(
            max_examples=400 if soak else 15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
