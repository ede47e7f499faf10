"""The automatic work and people at one ticket at the same moment: nobody fails, one comes after the other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.gateway.automatic import Automatic
from crm_store.activity import Activity
from crm_store.business import BusinessFile
from crm_store.complaints import following, resolution, states, working
from crm_store.complaints.jobs import handlers as complaint_handlers
from crm_store.complaints.models import Complaint
from crm_store.db import Database
from crm_store.jobs.models import PENDING, ScheduledJob
from crm_store.jobs.service import run_due
from crm_store.outbox import OutboxItem
from crm_store.service_requests import following as visit_following
from crm_store.service_requests import states as visit_states
from crm_store.service_requests.jobs import handlers as visit_handlers
from crm_store.service_requests.models import ServiceRequest
from tests.factories import a_complaint, a_conversation
from tests.factories.services import REPAIR, a_request, by, rules_with
from tests.gateway.a_week.worker import settings_in

RULES = rules_with(msgspec.structs.replace(REPAIR, capacity=1000))
TEHRAN = timezone(timedelta(hours=3, minutes=30))
FILED = datetime(2026, 11, 22, 10, tzinfo=TEHRAN).astimezone(timezone.utc)
#: Complaints close three days after the decision, and questions are called to mind after two.
DECIDED, ASKED = FILED + timedelta(hours=1), FILED + timedelta(days=1, hours=1)
#: On the evening before the visits all of it is due.
NOW = datetime(2026, 11, 25, 18, 30, tzinfo=TEHRAN).astimezone(timezone.utc)
VISIT = datetime(2026, 11, 26, 9, tzinfo=TEHRAN).astimezone(timezone.utc)
LATER = datetime(2026, 11, 29, 9, tzinfo=TEHRAN).astimezone(timezone.utc)
OF_EACH, HELD_SECONDS = 12, 0.1
WORKERS, PEOPLE = 5, 10
#: People are there first, so that some tickets are taken when the work begins.
HEAD_START_SECONDS = 0.05
Deed = Callable[[Session, dict[str, Any]], object]

WITH_DECIDED: list[Deed] = [
    lambda session, given: following.add_note(session, **given, text="and"),
    lambda session, given: following.reopen(session, **given),
    lambda session, given: following.appeal(session, **given, reason="no"),
    lambda session, given: following.confirm_solved(session, **given),
]
WITH_ASKED: list[Deed] = [
    lambda session, given: following.answer_question(session, **given, text="then"),
    lambda session, given: following.withdraw(session, **given),
    lambda session, given: following.add_note(session, **given, text="and"),
]
WITH_VISIT: list[Deed] = [
    lambda session, given: visit_following.reschedule(session, **given, starts_at=LATER),
    lambda session, given: visit_following.cancel(session, **given, reason="time"),
    lambda session, given: visit_following.confirm_visit(session, **given),
]


def decided(session: Session) -> Complaint:
    """A complaint that closes by itself before NOW."""
    complaint = a_complaint(session, a_conversation(session), rules=RULES, now=FILED)
    said: dict[str, Any] = {"decision": "upheld", "root_cause": "carrier", "explanation": "found"}
    resolution.resolve(session, complaint, **said, actor="operator", role="admin", rules=RULES, now=DECIDED)
    return complaint


def asked(session: Session) -> Complaint:
    """A complaint with a question that is called to mind before NOW."""
    complaint = a_complaint(session, a_conversation(session), rules=RULES, now=FILED)
    working.ask_customer(session, complaint, text="when?", actor="operator", rules=RULES, now=ASKED)
    return complaint


def visit(session: Session) -> ServiceRequest:
    """A visit of tomorrow."""
    return a_request(session, rules=RULES, starts_at=VISIT, now=FILED)


def do(database: Database, deed: Deed, about: Callable[[Session], dict[str, Any]]) -> None:
    """One deed of one customer."""
    with database.write() as session:
        deed(session, {**about(session), "rules": RULES, "now": NOW})


def work(database: Database, automatic: Automatic) -> None:
    """What the gateway repeats, until nothing is left to do."""
    is_due = (ScheduledJob.state == PENDING) & (ScheduledJob.due_at <= NOW)
    is_anything_due = True
    while is_anything_due:
        for job in automatic.jobs():
            job.run()
        with database.read() as session:
            is_anything_due = session.scalar(select(ScheduledJob.id).where(is_due).limit(1)) is not None


def of(ticket: Complaint | ServiceRequest) -> Callable[[Session], dict[str, Any]]:
    """What a service of its customer's takes."""
    return lambda session: by(ticket, session)  # type: ignore[arg-type]  # complaints have the same columns


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """People hold a ticket for a while before they come to its jobs."""
    for module in (following, visit_states):
        lock = module.lock

        def slow_lock(*given: Any, lock: Callable[..., Any] = lock) -> Any:
            locked = lock(*given)
            time.sleep(HELD_SECONDS)
            return locked

        monkeypatch.setattr(module, "lock", slow_lock)


@pytest.mark.usefixtures("slowly")
def test_people_and_automatic_work_at_the_same_moment_both_get_their_way(
    database: Database, tmp_path: Path
) -> None:
    kinds: list[tuple[Callable[[Session], Any], list[Deed]]] = [
        (decided, WITH_DECIDED),
        (asked, WITH_ASKED),
        (visit, WITH_VISIT),
    ]
    with database.write() as session:
        plans = [
            (make(session), deed)
            for make, deeds in kinds
            for deed in deeds
            for _ in range(OF_EACH // len(deeds))
        ]
    settings = settings_in(str(tmp_path))
    business = BusinessFile(settings.business_path)
    with ThreadPoolExecutor(WORKERS) as workers, ThreadPoolExecutor(PEOPLE) as people:
        acting = [people.submit(do, database, deed, of(one)) for one, deed in plans]
        time.sleep(HEAD_START_SECONDS)
        working_on = [
            workers.submit(work, database, Automatic(settings, database, business, clock=lambda: NOW))
            for _ in range(WORKERS)
        ]
        for future in [*acting, *working_on]:
            future.result()
    with database.read() as session:
        assert session.scalars(select(ScheduledJob.key).where(ScheduledJob.attempts > 0)).all() == []
        notices = Counter(
            (item.content["response"], item.content["params"]["ticket"])
            for item in session.scalars(select(OutboxItem))
            if "ticket" in item.content["params"]
        )
        assert set(notices.values()) == {1}
        closed_by_itself = {
            entry.subject_id
            for entry in session.scalars(select(Activity).where(Activity.kind == "complaint.closed"))
            if entry.actor == "system"
        }
        told_of_closing = {code for response, code in notices if response == "utter_complaint_closed"}
        codes = dict(session.execute(select(Complaint.id, Complaint.code)).tuples().all())
        assert {codes[one] for one in closed_by_itself if one is not None} == told_of_closing


@pytest.fixture
def impatient(postgres_database: Database) -> Iterator[Database]:
    """The store for somebody who would rather fail than wait for another."""
    url = postgres_database.engine.url.update_query_dict({"options": "-c lock_timeout=2000"})
    database = Database(url.render_as_string(hide_password=False))
    yield database
    database.dispose()


def test_a_job_whose_ticket_somebody_is_changing_waits_for_the_next_run_and_holds_nobody_up(
    impatient: Database,
) -> None:
    all_handlers = {**complaint_handlers(lambda: RULES), **visit_handlers(lambda: RULES)}
    with impatient.write() as session:
        complaint, request = decided(session), visit(session)
    with impatient.write() as session:
        one, other = session.get_one(Complaint, complaint.id), session.get_one(ServiceRequest, request.id)
        states.lock(session, one)
        visit_states.lock(session, other)
        assert run_due(impatient, all_handlers, now=NOW) == 0
        # Whoever has the ticket gets its job as well.
        WITH_DECIDED[0](session, {**of(one)(session), "rules": RULES, "now": NOW})
        WITH_VISIT[1](session, {**of(other)(session), "rules": RULES, "now": NOW})
    assert run_due(impatient, all_handlers, now=NOW) == 0
    with impatient.read() as session:
        jobs = session.scalars(select(ScheduledJob).order_by(ScheduledJob.kind)).all()
        # The closing is put off; a visit that is cancelled is neither called to mind nor missed.
        assert [(job.state, job.attempts) for job in jobs] == [
            ("pending", 0),
            ("cancelled", 0),
            ("cancelled", 0),
        ]
        assert jobs[0].due_at == NOW + timedelta(days=3)


def test_what_could_not_be_done_at_once_is_done_by_the_next_run(impatient: Database) -> None:
    handlers = complaint_handlers(lambda: RULES)
    with impatient.write() as session:
        complaint = decided(session)
    with impatient.write() as session:
        states.lock(session, session.get_one(Complaint, complaint.id))
        assert run_due(impatient, handlers, now=NOW) == 0
    assert run_due(impatient, handlers, now=NOW) == 1
