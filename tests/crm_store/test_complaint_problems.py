"""One cause behind complaints of many customers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.business import Product
from crm_store.complaints import following, working
from crm_store.complaints.models import Complaint, Problem
from crm_store.complaints.problems import (
    answer_problem,
    close_problem,
    complaints_in,
    look_for_problem,
    problem_title,
)
from crm_store.complaints.queries import problems_to_deal_with
from crm_store.conversations.models import Conversation
from crm_store.db import Database
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.rules import Rules
from crm_store.sla.clocks import open_clock
from tests.crm_store.complaint_case import NOW, Case
from tests.factories import a_complaint, a_conversation, a_group, a_member, rules_with
from tests.factories.notices import notices_to, rendered, told

THREE = rules_with(problem_customers=3)
HOUR = timedelta(hours=1)
BY = {"actor": "staff:1", "rules": THREE, "now": NOW}


def filed(
    session: Session,
    *,
    hours: float = 0,
    chat: Conversation | None = None,
    rules: Rules = THREE,
    **told_of: str,
) -> Complaint:
    conversation = chat or a_conversation(session)
    return a_complaint(session, conversation, rules=rules, now=NOW + hours * HOUR, **told_of)  # type: ignore[arg-type]


def open_problems(session: Session) -> list[Problem]:
    return [row.problem for row in problems_to_deal_with(session)]


def the_problem(session: Session) -> Problem:
    (problem,) = open_problems(session)
    return problem


def test_enough_customers_with_one_category_in_the_window_raise_a_problem_that_links_them(
    database: Database,
) -> None:
    with database.write() as session:
        desk = a_conversation(session)
        a_member(session, role="supervisor", chat=desk)
        two = [filed(session, hours=hour) for hour in (0, 1)]
        filed(session, hours=1, category="payment")
        assert (open_problems(session), told(session, desk.id)) == ([], [])
        cases = [*two, filed(session, hours=23)]
        problem = the_problem(session)
        assert (problem.cause, problem.created_at) == ("category:delivery", NOW + 23 * HOUR)
        assert complaints_in(session, problem) == cases
        assert {one.problem_id for one in cases} == {problem.id}
        assert problem_title(problem, THREE.business) == "تحویل سفارش"
        (notice,) = notices_to(session, desk.id)
        assert "۳" in rendered(notice).text
        assert "تحویل سفارش" in rendered(notice).text


def test_every_linked_complaint_has_it_in_its_timeline(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        for _ in range(2):
            filed(session)
        assert the_problem(session).id == case.complaint.problem_id
        entry = case.timeline()[-1]
        assert (entry.kind, entry.actor) == ("complaint.problem_linked", "system")
        assert entry.data == {"problem": case.complaint.problem_id, "cause": "category:delivery"}


def test_one_customer_complaining_again_and_again_is_not_many(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        chat = a_conversation(session)
        for hour in range(4):
            filed(session, hours=hour, chat=chat)
        filed(session)
        assert open_problems(session) == []


def test_outside_the_window_and_taken_back_does_not_count(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        filed(session)
        working_day = [filed(session, hours=20), filed(session, hours=25)]
        assert open_problems(session) == []
        following.withdraw(
            session,
            customer_id=working_day[0].customer_id,
            code=working_day[0].code,
            inbox_id=1,
            rules=THREE,
            now=NOW,
        )
        filed(session, hours=26)
        assert open_problems(session) == []
        filed(session, hours=27)
        assert len(complaints_in(session, the_problem(session))) == 3


def test_a_business_that_wants_no_problems_gets_none(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        for _ in range(6):
            filed(session, rules=rules_with(problem_customers=0))
        assert open_problems(session) == []


def test_a_product_that_is_named_is_what_they_share(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        for category in ("product", "delivery"):
            filed(session, category=category, product="espresso_maker")
        filed(session, category="product")
        assert open_problems(session) == []
        filed(session, category="service", product="espresso_maker")
        problem = the_problem(session)
        assert problem.cause == "product:espresso_maker"
        sold = msgspec.structs.replace(
            THREE.business, products=(Product(key="espresso_maker", title="اسپرسوساز"),)
        )
        assert problem_title(problem, sold) == "اسپرسوساز"
        assert problem_title(problem, THREE.business) == "espresso_maker"


def test_later_complaints_join_while_a_problem_is_open_and_not_after_it_is_closed(database: Database) -> None:
    with database.write() as session:
        for _ in range(3):
            filed(session)
        problem = the_problem(session)
        assert filed(session, hours=100).problem_id == problem.id
        close_problem(session, problem, **BY)
        assert (problem.state, problem.closed_at, open_problems(session)) == ("closed", NOW, [])
        assert filed(session, hours=1).problem_id is None
        with pytest.raises(InvalidTransition):
            close_problem(session, problem, **BY)


def test_after_a_problem_is_closed_fresh_complaints_may_raise_another(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        for _ in range(3):
            filed(session)
        first = the_problem(session)
        close_problem(session, first, **BY)
        for _ in range(3):
            filed(session, hours=1)
        second = the_problem(session)
        assert second.id != first.id
        assert len(complaints_in(session, second)) == 3


def test_the_same_root_cause_found_for_many_is_a_problem_too(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        cases = [filed(session, category=category) for category in ("delivery", "product", "payment")]
        for complaint in cases:
            working.set_cause(session, complaint, cause="system", **BY)
        problem = the_problem(session)
        assert (problem.cause, len(complaints_in(session, problem))) == ("cause:system", 3)
        assert problem_title(problem, THREE.business) == THREE.business.root_cause("system").title


def test_a_complaint_stays_in_its_open_problem(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        cases = [filed(session) for _ in range(3)]
        problem = the_problem(session)
        for complaint in cases:
            working.set_cause(session, complaint, cause="carrier", **BY)
        assert look_for_problem(session, cases[0], rules=THREE, now=NOW) is problem
        assert open_problems(session) == [problem]


def test_the_group_is_told_where_there_is_no_supervisor(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        group, groups = a_group(session)
        for _ in range(3):
            filed(session, rules=rules_with(problem_customers=3, groups=groups))
        assert told(session, group.id) == ["utter_staff_problem"]


def test_one_answer_reaches_everybody_once_and_counts_as_a_response(database: Database) -> None:
    with database.write() as session:
        chats = [a_conversation(session) for _ in range(3)]
        for chat in chats:
            filed(session, chat=chat)
        second = filed(session, chat=chats[0])
        gone = filed(session)
        following.withdraw(
            session, customer_id=gone.customer_id, code=gone.code, inbox_id=1, rules=THREE, now=NOW
        )
        problem = the_problem(session)
        for times, wanted in ((1, 3), (2, 0)):
            assert answer_problem(session, problem, text="فردا همه را می‌رسانیم.", **BY) == wanted, times
        for chat in chats:
            assert told(session, chat.id) == ["utter_complaint_problem_answer"]
            assert "فردا همه را می‌رسانیم." in rendered(notices_to(session, chat.id)[0]).text
        assert told(session, gone.conversation_id) == []
        assert (problem.answer, problem.answered_by) == ("فردا همه را می‌رسانیم.", "staff:1")
        for complaint in complaints_in(session, problem):
            clock = open_clock(
                session, subject_type="complaint", subject_id=complaint.id, metric="first_response"
            )
            assert clock is None
        late = filed(session, hours=2)
        assert answer_problem(session, problem, text="فردا همه را می‌رسانیم.", **BY) == 1
        assert answer_problem(session, problem, text="همه رسید.", **BY) == 4
        assert told(session, late.conversation_id) == ["utter_complaint_problem_answer"] * 2
        assert second.problem_id == problem.id


def test_an_answer_is_in_the_timeline_of_each_complaint(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        for _ in range(2):
            filed(session)
        answer_problem(session, the_problem(session), text="در راه است.", **BY)
        entry = case.timeline()[-1]
        assert (entry.kind, entry.actor, entry.at) == ("complaint.problem_answered", "staff:1", NOW)
        assert [(note.kind, note.author, note.text) for note in case.notes()] == [
            ("note", "staff:1", "در راه است.")
        ]
        with pytest.raises(InvalidInput):
            answer_problem(session, the_problem(session), text=" ", **BY)


def test_many_filing_at_one_moment_raise_one_problem_that_soon_has_them_all(database: Database) -> None:
    with database.write() as session:
        chats = [a_conversation(session).id for _ in range(9)]

    def file(chat: int) -> None:
        with database.write() as session:
            filed(session, chat=session.get_one(Conversation, chat))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(file, chats[:8]))
    file(chats[8])
    with database.read() as session:
        problem = the_problem(session)
        assert len(complaints_in(session, problem)) == 9
        linked = select(Activity).where(Activity.kind == "complaint.problem_linked")
        assert len(session.scalars(linked).all()) == 9
