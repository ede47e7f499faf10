from __future__ import annotations

from datetime import timedelta

import pytest

from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution, Problem
from crm_store.complaints.queries import compensations_to_deal_with, problems_to_deal_with
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.errors import NotFound
from crm_store.persian import to_persian_digits
from crm_store.service_requests.queries import visits_between
from crm_store.sla.models import MET, PAUSED
from crm_store.tickets.cases import ticket_case
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST, TicketNote
from crm_store.tickets.queries import TicketFacts, find_ticket, queue, ticket_facts
from tests.factories import a_conversation, a_member
from tests.factories.tickets import a_clock, a_complaint_row, a_request_row, a_window

NOW = utcnow()
HOUR = timedelta(hours=1)


def test_the_most_urgent_ticket_comes_first_whatever_its_kind(database: Database) -> None:
    with database.write() as session:
        old = a_complaint_row(session, created_at=NOW - 9 * HOUR)
        new = a_request_row(session, created_at=NOW - HOUR)
        later = a_complaint_row(session, created_at=NOW - 99 * HOUR)
        soon = a_request_row(session)
        high = a_complaint_row(session, priority="high")
        urgent = a_request_row(session, priority="urgent")
        low = a_complaint_row(session, priority="low")
        for ticket, due_at in ((later, NOW + 5 * HOUR), (soon, NOW + HOUR), (low, NOW - HOUR)):
            a_clock(session, ticket, due_at)
    with database.read() as session:
        page = queue(session, now=NOW)
    expected = [urgent, high, soon, later, old, new, low]
    assert [row.code for row in page.rows] == [ticket.code for ticket in expected]
    assert page.place.total == len(expected)


def test_the_nearest_due_time_that_runs_counts(database: Database) -> None:
    with database.write() as session:
        ticket = a_complaint_row(session)
        a_clock(session, ticket, NOW - 4 * HOUR, state=MET)
        a_clock(session, ticket, NOW - 3 * HOUR, state=PAUSED)
        a_clock(session, ticket, NOW - 2 * HOUR)
        a_clock(session, ticket, NOW + 9 * HOUR)
        # A request of the same number has nothing to do with it.
        request = a_request_row(session, priority="low")
        assert request.id == ticket.id
    with database.read() as session:
        late, other = queue(session, now=NOW).rows
    assert (late.due_at, late.is_overdue) == (NOW - 2 * HOUR, True)
    assert (other.due_at, other.is_overdue) == (None, False)


def test_the_list_is_narrowed_by_kind_state_assignee_and_due_time(database: Database) -> None:
    with database.write() as session:
        mina, omid = a_member(session, name="مینا"), a_member(session, name="امید", role="technician")
        hers = a_complaint_row(session, assignee_id=mina.id, state="in_review")
        a_complaint_row(session, assignee_id=mina.id, state="closed")
        his = a_request_row(session, technician_id=omid.id, state="assigned")
        free = a_complaint_row(session)
        a_request_row(session, state="done", technician_id=omid.id)
        a_clock(session, hers, NOW - HOUR)
        a_clock(session, his, NOW + HOUR)
    with database.read() as session:

        def codes(**wanted: object) -> set[str]:
            return {row.code for row in queue(session, now=NOW, **wanted).rows}

        assert codes() == {hers.code, his.code, free.code}
        assert codes(assignee_id=mina.id) == {hers.code}
        assert codes(assignee_id=omid.id) == {his.code}
        assert codes(unassigned=True) == {free.code}
        assert codes(kind=COMPLAINT) == {hers.code, free.code}
        assert codes(kind=SERVICE_REQUEST) == {his.code}
        assert codes(states=["in_review", "assigned"]) == {hers.code, his.code}
        assert len(codes(states=["closed", "done"])) == 2
        assert codes(states=["done"], kind=COMPLAINT) == set()
        assert codes(overdue=True) == {hers.code}
        row = queue(session, assignee_id=omid.id, now=NOW).rows[0]
        assert (row.subject_type, row.title, row.assignee_name) == (SERVICE_REQUEST, "repair", "امید")
        assert row.customer_name == "سارا"


def test_a_page_beyond_the_end_is_the_last_one(database: Database) -> None:
    with database.write() as session:
        codes = [a_complaint_row(session, created_at=NOW + n * HOUR).code for n in range(5)]
    with database.read() as session:
        pages = [queue(session, number=number, size=2, now=NOW) for number in (1, 2, 3, 9)]
        nothing = queue(session, number=3, states=["closed"], now=NOW)
    assert [[row.code for row in page.rows] for page in pages] == [
        codes[:2],
        codes[2:4],
        codes[4:],
        codes[4:],
    ]
    assert {(page.place.total, page.place.count) for page in pages} == {(5, 3)}
    assert (nothing.rows, nothing.place.total, nothing.place.number) == ([], 0, 1)


def test_a_ticket_is_found_by_its_code_in_either_script(database: Database) -> None:
    with database.write() as session:
        complaint, request = a_complaint_row(session), a_request_row(session)
    with database.read() as session:
        assert find_ticket(session, code=to_persian_digits(complaint.code)).id == complaint.id
        assert find_ticket(session, code=f" {request.code[:4]}-{request.code[4:]} ").id == request.id
        for code in ("", "12345678", "شکایت"):
            with pytest.raises(NotFound):
                find_ticket(session, code=code)
            with pytest.raises(NotFound):
                ticket_case(session, code=code)


def test_facts_of_tickets_are_told_by_their_numbers(database: Database) -> None:
    with database.write() as session:
        mina = a_member(session)
        complaint = a_complaint_row(session, assignee_id=mina.id)
        request = a_request_row(session)
    with database.read() as session:
        assert ticket_facts(session, COMPLAINT, [complaint.id, 999]) == {
            complaint.id: TicketFacts(complaint.code, mina.id, "delivery")
        }
        assert ticket_facts(session, SERVICE_REQUEST, [request.id]) == {
            request.id: TicketFacts(request.code, None, "repair")
        }
        assert ticket_facts(session, COMPLAINT, []) == {}


def test_a_complaint_is_opened_with_everything_around_it(database: Database) -> None:
    with database.write() as session:
        mina, omid = a_member(session, name="مینا"), a_member(session, name="امید")
        conversation = a_conversation(session)
        problem = Problem(cause="category:delivery")
        session.add(problem)
        session.flush()
        first = a_complaint_row(session, conversation)
        complaint = a_complaint_row(
            session, conversation, related_to_id=first.id, problem_id=problem.id, assignee_id=mina.id
        )
        third = a_complaint_row(session, conversation, related_to_id=first.id)
        a_complaint_row(session, conversation)
        phone = add_phone(session, customer_id=complaint.customer_id, phone="09121234567")
        newer = add_phone(session, customer_id=complaint.customer_id, phone="09121111111")
        complaint.contact_point_id = phone.id
        add_phone(session, customer_id=a_complaint_row(session).customer_id, phone="09122222222")
        clocks = [a_clock(session, complaint, NOW + n * HOUR).id for n in range(2)]
        note = TicketNote(subject_type=COMPLAINT, subject_id=complaint.id, kind="internal", author="operator")
        resolution = ComplaintResolution(
            complaint_id=complaint.id, decision="upheld", decided_by=f"staff:{omid.id}", state="proposed"
        )
        session.add_all([note, resolution])
        session.flush()
        compensation = _compensation(complaint, resolution)
        session.add(compensation)
        record_activity(
            session,
            customer_id=complaint.customer_id,
            kind="complaint.filed",
            subject_type=COMPLAINT,
            subject_id=complaint.id,
        )
    with database.read() as session:
        case = ticket_case(session, code=to_persian_digits(complaint.code))
        assert (case.subject_type, case.ticket.id, case.assignee_id) == (COMPLAINT, complaint.id, mina.id)
        assert [one.id for one in case.phones] == [phone.id, newer.id]
        assert [one.id for one in case.clocks] == clocks
        assert [one.id for one in case.notes] == [note.id]
        assert [one.kind for one in case.activities] == ["complaint.filed"]
        assert [one.id for one in case.resolutions] == [resolution.id]
        assert [one.id for one in case.compensations] == [compensation.id]
        assert [one.id for one in case.related] == [first.id, third.id]
        assert case.problem is not None
        assert case.problem.id == problem.id
        assert case.staff == {mina.id: "مینا", omid.id: "امید"}
        assert [one.id for one in ticket_case(session, code=first.code).related] == [complaint.id, third.id]


def test_a_service_request_is_opened_with_everything_around_it(database: Database) -> None:
    with database.write() as session:
        omid = a_member(session, name="امید", role="technician")
        window = a_window(session, NOW + 24 * HOUR)
        request = a_request_row(session, window_id=window.id, technician_id=omid.id)
        # A complaint of the same number has nothing to do with it.
        complaint = a_complaint_row(session)
        assert complaint.id == request.id
        clock = a_clock(session, request, NOW + HOUR)
        a_clock(session, complaint, NOW + HOUR)
        record_activity(
            session,
            customer_id=request.customer_id,
            kind="service_request.assigned",
            actor="operator",
            subject_type=SERVICE_REQUEST,
            subject_id=request.id,
        )
    with database.read() as session:
        case = ticket_case(session, code=request.code)
        assert (case.subject_type, case.ticket.id, case.assignee_id) == (SERVICE_REQUEST, request.id, omid.id)
        assert case.window is not None
        assert case.window.id == window.id
        assert [one.id for one in case.clocks] == [clock.id]
        assert [one.kind for one in case.activities] == ["service_request.assigned"]
        assert (case.staff, case.phones, case.resolutions) == ({omid.id: "امید"}, [], [])


def test_visits_of_a_span_come_in_order_without_cancelled_ones(database: Database) -> None:
    with database.write() as session:
        omid = a_member(session, name="امید", role="technician")
        late, early, tomorrow = (a_window(session, NOW + n * HOUR) for n in (5, 2, 24))
        second = a_request_row(session, window_id=late.id, state="scheduled")
        first = a_request_row(session, window_id=early.id, technician_id=omid.id, state="assigned")
        a_request_row(session, window_id=early.id, state="cancelled")
        a_request_row(session, window_id=tomorrow.id, state="scheduled")
        a_request_row(session)
    with database.read() as session:
        span = {"start": NOW, "end": NOW + 24 * HOUR}
        visits = visits_between(session, **span)
        assert [visit.request.id for visit in visits] == [first.id, second.id]
        assert [visit.technician and visit.technician.name for visit in visits] == ["امید", None]
        own = visits_between(session, **span, technician_id=omid.id)
        assert [visit.request.id for visit in own] == [first.id]


def test_what_waits_for_approval_comes_before_what_waits_for_payment(database: Database) -> None:
    with database.write() as session:
        made = []
        for state in ("granted", "settled", "waiting", "refused"):
            complaint = a_complaint_row(session)
            resolution = ComplaintResolution(
                complaint_id=complaint.id, decision="upheld", decided_by="operator", state="told"
            )
            session.add(resolution)
            session.flush()
            made.append(_compensation(complaint, resolution, state=state))
        session.add_all(made)
    with database.read() as session:
        rows = compensations_to_deal_with(session)
        assert [row.compensation.id for row in rows] == [made[2].id, made[0].id]
        assert all(row.code and row.customer for row in rows)


def test_problems_tell_how_many_complaints_they_link(database: Database) -> None:
    with database.write() as session:
        found, closed = Problem(cause="category:delivery"), Problem(cause="cause:carrier", state="closed")
        session.add_all([found, closed])
        session.flush()
        for problem in (found, found, closed):
            a_complaint_row(session, problem_id=problem.id)
    with database.read() as session:
        rows = problems_to_deal_with(session)
        assert [(row.problem.id, row.complaints) for row in rows] == [(found.id, 2)]


def _compensation(
    complaint: Complaint, resolution: ComplaintResolution, *, state: str = "waiting"
) -> Compensation:
    return Compensation(
        complaint_id=complaint.id,
        resolution_id=resolution.id,
        customer_id=complaint.customer_id,
        kind="points",
        amount=50,
        state=state,
        requested_by="operator",
    )


def test_the_list_may_be_of_one_title_and_the_newest_first(database: Database) -> None:
    with database.write() as session:
        older = a_complaint_row(session, category="delivery", priority="urgent")
        newer = a_complaint_row(session, category="delivery")
        a_complaint_row(session, category="quality")
        a_clock(session, newer, NOW + timedelta(hours=1))
        page = queue(session, title="delivery", newest_first=True, now=NOW)
        assert [row.code for row in page.rows] == [newer.code, older.code]
        assert [row.due_at for row in page.rows] == [NOW + timedelta(hours=1), None]
        urgent_first = queue(session, title="delivery", now=NOW)
        assert [row.code for row in urgent_first.rows] == [older.code, newer.code]
        assert queue(session, title="nothing", now=NOW).rows == []
