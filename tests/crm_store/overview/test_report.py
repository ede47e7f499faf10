"""A report counts what happened in a period, of everybody or of one, and can be drawn."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.complaints.models import ComplaintResolution
from crm_store.conversations.service import customer_of
from crm_store.db import Database
from crm_store.errors import InvalidInput, NotFound
from crm_store.handoff.models import ASKED, CLAIMED, STAFF, WAITING, Handoff
from crm_store.overview.report import Report, picture_of, report
from crm_store.pictures import REPORT, draw
from crm_store.rules import Rules
from crm_store.sla.models import FIRST_RESPONSE, MET, MISSED
from tests.factories import RULES, a_conversation, a_member
from tests.factories.club import give
from tests.factories.purchases import a_purchase, a_return
from tests.factories.tickets import a_clock, a_complaint_row, a_request_row

#: A Saturday noon in Tehran.
NOW = datetime(2026, 11, 28, 8, 30, tzinfo=timezone.utc)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SINCE, UNTIL = NOW - 7 * DAY, NOW + HOUR


def told(session: Session, staff_id: int | None = None, rules: Rules = RULES) -> Report:
    session.flush()
    return report(session, since=SINCE, until=UNTIL, rules=rules, staff_id=staff_id, now=NOW)


def test_nothing_is_told_as_nothing(database: Database) -> None:
    with database.write() as session:
        empty = told(session)
        assert (empty.complaints_opened, empty.first_answer_minutes, empty.csat) == (0, None, None)
        assert [day.opened for day in empty.days] == [0] * 8
        assert len(draw(REPORT, picture_of(empty, title="این هفته"))) > 1000


def test_it_counts_complaints_with_their_promises_day_by_day(database: Database) -> None:
    with database.write() as session:
        agent = a_member(session)
        first = a_complaint_row(session, created_at=NOW - DAY, assignee_id=agent.id)
        second = a_complaint_row(session, created_at=NOW - HOUR)
        a_complaint_row(session, created_at=NOW - 30 * DAY, state="closed")
        a_clock(session, first, NOW, metric=FIRST_RESPONSE, state=MET, started_at=NOW - HOUR, stopped_at=NOW)
        a_clock(session, second, NOW - HOUR, state=MISSED, stopped_at=NOW - 30 * MINUTE)
        a_clock(session, second, NOW - HOUR, breached_at=NOW - HOUR)
        session.add(
            ComplaintResolution(
                complaint_id=first.id,
                decision="upheld",
                decided_by=f"staff:{agent.id}",
                state="told",
                told_at=NOW,
            )
        )
        whole = told(session)
        assert (whole.complaints_opened, whole.complaints_resolved) == (2, 1)
        assert (whole.complaints_breached, whole.complaints_open) == (2, 2)
        assert whole.first_answer_minutes is not None
        assert 0 <= whole.first_answer_minutes <= 60
        assert [(day.opened, day.resolved) for day in whole.days[-2:]] == [(1, 0), (1, 1)]
        assert whole.days[-1].label == "۷ آذر"
        own = told(session, agent.id)
        assert (own.staff_name, own.complaints_opened, own.complaints_resolved) == (agent.name, 1, 1)
        assert own.complaints_breached == 0


def test_it_counts_hand_overs_and_how_long_people_waited(database: Database) -> None:
    with database.write() as session:
        agent = a_member(session)
        for wait, state in ((4 * MINUTE, CLAIMED), (10 * MINUTE, CLAIMED), (None, WAITING)):
            chat = a_conversation(session)
            session.add(
                Handoff(
                    conversation_id=chat.id,
                    customer_id=customer_of(chat),
                    reason=ASKED,
                    state=state,
                    owner_id=agent.id if wait else None,
                    requested_at=NOW - HOUR,
                    claimed_at=NOW - HOUR + wait if wait else None,
                )
            )
        chat = a_conversation(session)
        session.add(
            Handoff(
                conversation_id=chat.id,
                customer_id=customer_of(chat),
                reason=STAFF,
                state=CLAIMED,
                owner_id=agent.id,
                requested_at=NOW,
                claimed_at=NOW,
            )
        )
        whole = told(session)
        assert (whole.handoffs, whole.handoffs_claimed, whole.handoff_wait_minutes) == (3, 2, 7)
        assert told(session, agent.id).handoffs == 2


def test_it_counts_visits_purchases_and_points(database: Database) -> None:
    with database.write() as session:
        agent = a_member(session)
        chat = a_conversation(session)
        customer_id = customer_of(chat)
        a_request_row(session, chat, state="done", technician_id=agent.id, done_at=NOW, created_at=NOW - DAY)
        bought = a_purchase(session, customer_id=customer_id, paid_at=NOW - DAY, tomans=500_000)
        a_return(session, bought, at=NOW, tomans=100_000)
        registered = a_purchase(session, customer_id=customer_id, paid_at=NOW - DAY, tomans=200_000)
        registered.source = "staff"
        record_activity(
            session,
            customer_id=customer_id,
            kind="purchase.recorded",
            actor=f"staff:{agent.id}",
            subject_type="purchase",
            subject_id=registered.id,
        )
        a_purchase(session, customer_id=customer_id, paid_at=NOW - 60 * DAY, tomans=900_000)
        give(session, customer_id, 120, now=NOW - HOUR)
        whole = told(session)
        assert (whole.service_requests, whole.visits_done) == (1, 1)
        assert (whole.purchases, whole.purchases_rials) == (2, 6_000_000)
        assert whole.points_given == 120
        own = told(session, agent.id)
        assert (own.purchases, own.purchases_rials, own.points_given) == (1, 2_000_000, 0)
        assert len(draw(REPORT, picture_of(whole, title="این هفته", business="فروشگاه"))) > 1000


def test_a_long_period_has_few_bars_and_an_impossible_one_none(database: Database) -> None:
    with database.write() as session:
        a_complaint_row(session, created_at=NOW - 300 * DAY)
        year = report(session, since=NOW - 365 * DAY, until=NOW, rules=RULES, now=NOW)
        assert len(year.days) <= 14
        assert sum(day.opened for day in year.days) == 1
        for since, until in ((NOW, NOW), (NOW, NOW - DAY), (NOW - 800 * DAY, NOW)):
            with pytest.raises(InvalidInput):
                report(session, since=since, until=until, rules=RULES)
        with pytest.raises(NotFound):
            told(session, 4711)


def test_days_that_are_still_to_come_are_not_drawn(database: Database) -> None:
    with database.write() as session:
        month = report(session, since=NOW - DAY, until=NOW + 20 * DAY, rules=RULES, now=NOW)
        assert len(month.days) == 2
        future = report(session, since=NOW + DAY, until=NOW + 2 * DAY, rules=RULES, now=NOW)
        assert [day.opened for day in future.days] == [0]
