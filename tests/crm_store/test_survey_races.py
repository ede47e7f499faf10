"""With several processes at work, everybody is asked once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from threading import Barrier

import pytest
from sqlalchemy import func, select

from crm_store.db import Database
from crm_store.outbox import OutboxItem
from crm_store.surveys.answering import Reading, answer
from crm_store.surveys.asking import begin_for
from crm_store.surveys.jobs import ask_due, escalate_overdue
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation, SurveyVersion
from crm_store.surveys.planning import plan_for, plan_for_list
from tests.factories.surveys import NOON, a_customer, asked, bought, leave, rules_with

RULES = rules_with()
CUSTOMERS, SURVEYS = 12, 4
DUE = NOON + timedelta(days=7)


def ask_together(url: str) -> Counter[str]:
    """What one process does of what is due."""
    database = Database(url)
    done: Counter[str] = Counter()
    for _ in range(5):
        done.update(ask_due(database, rules=RULES, now=DUE))
    database.dispose()
    return done


def test_processes_ask_everybody_once(database: Database) -> None:
    with database.write() as session:
        for _ in range(CUSTOMERS):
            _, customer = a_customer(session)
            for number in range(SURVEYS):
                bought(session, customer, RULES, number=customer * 100 + number)
    url = database.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        done = sum(pool.map(ask_together, [url] * 4), Counter())
    assert done == {"asked": CUSTOMERS, "dropped": CUSTOMERS * (SURVEYS - 1)}
    with database.read() as session:
        per_chat = session.execute(
            select(OutboxItem.conversation_id, func.count()).group_by(OutboxItem.conversation_id)
        ).all()
        assert [count for _, count in per_chat] == [1] * CUSTOMERS


@pytest.mark.parametrize("attempt", range(3))
def test_whoever_speaks_up_while_being_asked_has_one_survey(database: Database, attempt: int) -> None:
    with database.write() as session:
        chat, customer = a_customer(session)
        planned = bought(session, customer, RULES)
    together = Barrier(2)

    def begin() -> int:
        together.wait()
        with database.write() as session:
            return begin_for(
                session,
                customer_id=customer,
                conversation_id=chat.id,
                inbox_id=1,
                rules=RULES,
                now=DUE,
            ).id

    def ask() -> int:
        together.wait()
        ask_due(database, rules=RULES, now=DUE)
        return planned.id

    with ThreadPoolExecutor(2) as pool:
        began, _ = (one.result() for one in [pool.submit(begin), pool.submit(ask)])
    with database.read() as session:
        was_asked = SurveyInvitation.asked_at.is_not(None)
        waiting = session.scalars(select(SurveyInvitation).where(was_asked)).all()
        assert [one.id for one in waiting] == [began]


def test_one_occasion_told_of_many_times_at_once_plans_one(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
    together = Barrier(8)

    def plan(_: int) -> int:
        together.wait()
        with database.write() as session:
            planned = plan_for(
                session, occasion="purchase", subject_id=7, customer_id=customer, rules=RULES, now=NOON
            )
            sent = plan_for_list(session, key="by_hand", customer_ids=[customer], rules=RULES, now=NOON)
            assert planned is not None
            return planned.id + sent.planned[0].id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(plan, range(8)))) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SurveyInvitation)) == 2
        assert session.scalar(select(func.count()).select_from(SurveyVersion)) == 2


def test_a_button_pressed_many_times_at_once_is_one_answer_and_one_follow_up(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        invitation = asked(session, customer, RULES)
    together = Barrier(6)

    def press(number: int) -> str:
        together.wait()
        with database.write() as session:
            own = session.get_one(SurveyInvitation, invitation.id)
            reading = Reading(value=1 + number % 3)
            return answer(
                session,
                invitation=own,
                question="recommend",
                reading=reading,
                inbox_id=number,
                rules=RULES,
                now=NOON,
            ).key

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(press, range(6))) == {"recommend:why"}
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SurveyAnswer)) == 1
        assert session.scalar(select(func.count()).select_from(SurveyFollowUp)) == 1


def test_an_overdue_follow_up_is_escalated_by_one_of_many(database: Database) -> None:
    with database.write() as session:
        _, customer = a_customer(session)
        own = asked(session, customer, RULES)
        answer(
            session,
            invitation=own,
            question="recommend",
            reading=Reading(value=0),
            inbox_id=1,
            rules=RULES,
            now=NOON,
        )
        leave(session)
    together = Barrier(6)

    def escalate(_: int) -> int:
        together.wait()
        return escalate_overdue(database, rules=RULES, now=NOON + timedelta(days=30))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(escalate, range(6))) == 1
