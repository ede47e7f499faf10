"""The staff hear of due times in time, one after another up the chain, each thing once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.business import EscalationStep, Sla, SlaPolicy
from crm_store.complaints.models import Complaint
from crm_store.db import Database
from crm_store.outbox import OutboxItem
from crm_store.rules import Rules
from crm_store.sla import clocks
from crm_store.sla.models import CANCELLED, RUNNING, SlaClock
from crm_store.sla.sweep import sweep
from crm_store.staff.models import StaffMember
from tests.crm_store.clocked import (
    a_group,
    a_member,
    a_ticket,
    begin,
    chat_of,
    clocks_of,
    noted,
    rules_with,
    the,
    told,
)
from tests.iran import at

#: Only a resolution of 8 hours, so that a ticket has one clock.
RULES = rules_with(sla=Sla(policies=(SlaPolicy(name="one", resolution=480),)))
WARNING, BREACH, ESCALATED = "utter_sla_warning", "utter_sla_breach", "utter_sla_breach_escalated"


def look(session: Session, *moments: str, rules: Rules = RULES) -> list[int]:
    """Sweep at some moments, one after another; how many clocks were looked at each time."""
    return [sweep(session, rules=rules, now=at(moment)) for moment in moments]


def a_chain(session: Session) -> tuple[Complaint, list[StaffMember]]:
    """A ticket of Sunday, 1 Azar 1405, at 9, due at 17, with everybody whom its breach concerns."""
    staff = [a_member(session, role) for role in ("agent", "supervisor", "admin")]
    ticket = a_ticket(session, assignee=staff[0])
    begin(session, ticket, RULES, at("1405/09/01 09:00"))
    return ticket, staff


def test_the_assignee_is_warned_when_three_quarters_of_the_time_have_passed_once(database: Database) -> None:
    with database.write() as session:
        ticket, (agent, *_) = a_chain(session)
        assert look(session, "1405/09/01 14:59") == [0]
        assert look(session, "1405/09/01 15:00", "1405/09/01 15:01", "1405/09/01 16:59") == [1, 0, 0]
        assert told(session) == [(WARNING, chat_of(session, agent))]
        (notice,) = session.scalars(select(OutboxItem))
        assert notice.content["params"] == {
            "code": notice.content["params"]["code"],
            "title": "تحویل سفارش",
            "metric": "رسیدگی نهایی",
            "deadline": "امروز تا ساعت ۱۷",
        }
        assert [(kind, data["told"]) for kind, data in noted(session, ticket)] == [("sla.warned", "assignee")]


def test_a_breach_goes_up_the_chain_in_working_time_each_step_once(database: Database) -> None:
    with database.write() as session:
        ticket, (agent, supervisor, admin) = a_chain(session)
        look(session, "1405/09/01 15:00", "1405/09/01 17:00", "1405/09/01 17:01", "1405/09/01 23:00")
        # The night is no working time: the supervisor hears at 10, the admin at 13.
        look(session, "1405/09/02 09:59", "1405/09/02 10:00", "1405/09/02 12:59", "1405/09/02 13:00")
        assert look(session, "1405/09/30 12:00") == [0]
        assert told(session) == [
            (WARNING, chat_of(session, agent)),
            (BREACH, chat_of(session, agent)),
            (ESCALATED, chat_of(session, supervisor)),
            (ESCALATED, chat_of(session, admin)),
        ]
        assert [(kind, data.get("step"), data["told"]) for kind, data in noted(session, ticket)] == [
            ("sla.warned", None, "assignee"),
            ("sla.breached", 1, "assignee"),
            ("sla.escalated", 2, "supervisor"),
            ("sla.escalated", 3, "admin"),
        ]
        (clock,) = clocks_of(session, ticket)
        assert (clock.state, clock.breached_at, clock.check_at) == (RUNNING, at("1405/09/01 17:00"), None)


def test_a_breach_says_what_was_due_when(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        a_chain(session)
        look(session, "1405/09/01 17:00")
        (notice,) = session.scalars(select(OutboxItem))
        assert notice.content["params"]["deadline"] == "یکشنبه ۱ آذر ۱۴۰۵، ساعت ۱۷:۰۰"


def test_everybody_of_a_role_is_told(sqlite_database: Database) -> None:
    rules = rules_with(
        sla=Sla(policies=RULES.business.sla.policies, escalation=(EscalationStep("supervisor"),))
    )
    with sqlite_database.write() as session:
        first, second = a_member(session, "supervisor"), a_member(session, "supervisor")
        a_member(session, "supervisor", linked=False)
        begin(session, a_ticket(session), rules, at("1405/09/01 09:00"))
        look(session, "1405/09/01 17:00", rules=rules)
        assert told(session) == [(BREACH, chat_of(session, first)), (BREACH, chat_of(session, second))]


@pytest.mark.parametrize("who", ["nobody", "somebody without a chat"])
def test_where_nobody_is_reached_the_group_is_told(sqlite_database: Database, who: str) -> None:
    with sqlite_database.write() as session:
        group = a_group(session)
        assignee = a_member(session, "agent", linked=False) if who != "nobody" else None
        ticket = a_ticket(session, assignee=assignee)
        begin(session, ticket, RULES, at("1405/09/01 09:00"))
        look(session, "1405/09/01 15:00", "1405/09/01 17:00", "1405/09/02 10:00", "1405/09/02 13:00")
        assert told(session) == [(name, group.id) for name in (WARNING, BREACH, ESCALATED, ESCALATED)]
        assert {data["told"] for _, data in noted(session, ticket)} == {"groups"}


def test_a_breach_is_known_even_where_nobody_at_all_can_be_told(sqlite_database: Database) -> None:
    rules = rules_with(sla=Sla(policies=RULES.business.sla.policies, escalation=()))
    with sqlite_database.write() as session:
        ticket = a_ticket(session)
        begin(session, ticket, rules, at("1405/09/01 09:00"))
        assert look(session, "1405/09/01 15:00", "1405/09/01 17:00", "1405/09/02 17:00", rules=rules) == [
            1,
            1,
            0,
        ]
        assert told(session) == []
        assert [kind for kind, _ in noted(session, ticket)] == ["sla.warned", "sla.breached"]


# Catching up


@pytest.mark.parametrize(
    ("moment", "notices"),
    [
        ("1405/09/01 16:59", [(WARNING, 0)]),
        ("1405/09/01 20:00", [(BREACH, 0)]),
        ("1405/09/02 10:30", [(ESCALATED, 1)]),
        ("1405/09/20 10:00", [(ESCALATED, 2)]),
    ],
)
def test_after_a_stop_only_what_is_true_then_is_told(
    sqlite_database: Database, moment: str, notices: list[tuple[str, int]]
) -> None:
    with sqlite_database.write() as session:
        _, staff = a_chain(session)
        look(session, moment, moment)
        assert told(session) == [(name, chat_of(session, staff[place])) for name, place in notices]


def test_after_a_stop_the_steps_that_are_still_to_come_do_come(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        _, (_, supervisor, admin) = a_chain(session)
        look(session, "1405/09/02 10:30", "1405/09/02 12:59", "1405/09/02 13:00")
        assert told(session) == [
            (ESCALATED, chat_of(session, supervisor)),
            (ESCALATED, chat_of(session, admin)),
        ]


def test_what_was_done_meanwhile_is_told_to_nobody(database: Database) -> None:
    with database.write() as session:
        ticket, _ = a_chain(session)
        clocks.stop(session, rules=RULES, **the(ticket), now=at("1405/09/02 11:00"))
        assert look(session, "1405/09/02 12:00") == [0]
        assert told(session) == []
        # That it was late stands in the timeline all the same.
        assert [kind for kind, _ in noted(session, ticket)] == ["sla.breached"]


def test_the_clocks_of_a_ticket_that_is_gone_stop(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        ticket, _ = a_chain(session)
        (clock,) = clocks_of(session, ticket)
        session.delete(ticket)
        session.flush()
        assert look(session, "1405/09/01 17:00", "1405/09/01 17:01") == [1, 0]
        assert (clock.state, told(session)) == (CANCELLED, [])


# Pauses


def test_a_clock_that_stands_still_warns_nobody_until_it_goes_on(database: Database) -> None:
    with database.write() as session:
        ticket, (agent, *_) = a_chain(session)
        here = {"rules": RULES, **the(ticket)}
        clocks.pause(session, **here, now=at("1405/09/01 14:00"))
        assert look(session, "1405/09/01 15:00", "1405/09/05 12:00") == [0, 0]
        clocks.resume(session, **here, now=at("1405/09/07 09:00"))
        # Three hours are left, and the last two are those of the warning.
        look(session, "1405/09/07 09:00", "1405/09/07 09:59")
        assert told(session) == []
        look(session, "1405/09/07 10:00", "1405/09/07 11:59")
        assert told(session) == [(WARNING, chat_of(session, agent))]
        look(session, "1405/09/07 12:00")
        assert told(session)[1:] == [(BREACH, chat_of(session, agent))]


def test_nobody_is_warned_a_second_time_after_a_pause(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        ticket, _ = a_chain(session)
        here = {"rules": RULES, **the(ticket)}
        look(session, "1405/09/01 15:00")
        clocks.pause(session, **here, now=at("1405/09/01 16:00"))
        clocks.resume(session, **here, now=at("1405/09/02 09:00"))
        look(session, "1405/09/02 09:00", "1405/09/02 09:30", "1405/09/02 10:00")
        assert [name for name, _ in told(session)] == [WARNING, BREACH]


def test_what_was_late_before_a_pause_is_told_during_it_and_goes_no_further_up(database: Database) -> None:
    with database.write() as session:
        ticket, (agent, supervisor, _) = a_chain(session)
        here = {"rules": RULES, **the(ticket)}
        clocks.pause(session, **here, now=at("1405/09/02 09:30"))
        look(session, "1405/09/02 09:31", "1405/09/02 10:00", "1405/09/05 10:00")
        assert told(session) == [(BREACH, chat_of(session, agent))]
        # It is half an hour late, and an hour late at 9:30 on Saturday.
        clocks.resume(session, **here, now=at("1405/09/07 09:00"))
        look(session, "1405/09/07 09:00", "1405/09/07 09:29")
        assert len(told(session)) == 1
        look(session, "1405/09/07 09:30")
        assert told(session)[1:] == [(ESCALATED, chat_of(session, supervisor))]


# Many clocks, many processes


def test_more_clocks_than_the_limit_are_taken_batch_by_batch_the_oldest_first(database: Database) -> None:
    with database.write() as session:
        for _ in range(5):
            a_chain(session)
    moment, counts = at("1405/09/01 17:00"), []
    while not counts or counts[-1]:
        with database.write() as session:
            counts.append(sweep(session, rules=RULES, now=moment, limit=2))
    assert counts == [2, 2, 1, 0]
    with database.read() as session:
        assert [name for name, _ in told(session)] == [BREACH] * 5


def test_clocks_that_another_process_looks_at_are_passed_over(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        for _ in range(3):
            a_chain(session)
    with postgres_database.write() as one:
        assert sweep(one, rules=RULES, now=at("1405/09/01 17:00"), limit=2) == 2
        with postgres_database.write() as other:
            assert sweep(other, rules=RULES, now=at("1405/09/01 17:00")) == 1


def test_five_at_once_tell_each_thing_once(database: Database) -> None:
    with database.write() as session:
        for _ in range(20):
            a_chain(session)
    gate = threading.Barrier(5)

    def work() -> None:
        gate.wait()
        for moment in ("1405/09/01 15:00", "1405/09/01 17:00", "1405/09/02 10:00", "1405/09/02 13:00"):
            looked_at = 1
            while looked_at:
                with database.write() as session:
                    looked_at = sweep(session, rules=RULES, now=at(moment), limit=7)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        keys = [item.idempotency_key for item in session.scalars(select(OutboxItem))]
        assert len(keys) == len(set(keys))
        for clock in session.scalars(select(SlaClock)):
            assert (clock.escalated, clock.check_at) == (3, None)


# Properties

SWEEPS = st.lists(st.integers(0, 6 * 3600), max_size=25)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SWEEPS)
def test_however_often_one_looks_steps_come_in_order_once_and_none_that_is_due_is_left(
    sqlite_database: Database, pauses: list[int]
) -> None:
    working, start = RULES.working_time, at("1405/09/05 09:00")
    with sqlite_database.write() as session:
        ticket, staff = a_chain(session)
        (clock,) = clocks_of(session, ticket)
        clocks.cancel(session, rules=RULES, **the(ticket), now=start)
        before = len(told(session))
        clock = begin(session, ticket, RULES, start)["resolution"]
        now: datetime = start
        for pause in pauses:
            now += timedelta(seconds=pause)
            sweep(session, rules=RULES, now=now)
            assert clock.check_at is None or clock.check_at > now
        order = [(WARNING, 0), (BREACH, 0), (ESCALATED, 1), (ESCALATED, 2)]
        chats = [(name, chat_of(session, staff[place])) for name, place in order]
        places = [chats.index(notice) for notice in told(session)[before:]]
        assert places == sorted(set(places))
        late = working.between(clock.due_at, now)
        due = [now >= clock.warn_at] + [
            now >= clock.due_at and late >= timedelta(minutes=minutes) for minutes in (0, 60, 240)
        ]
        assert places[-1:] == ([sum(due) - 1] if pauses and any(due) else [])
