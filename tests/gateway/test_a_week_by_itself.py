"""Five processes do a week's automatic work while people go on: what is still true is sent, and once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random, SystemRandom
from typing import NamedTuple

import pytest

from crm_store.business import read_business
from crm_store.db import Database
from crm_store.rules import Rules
from tests.gateway.a_week import outcome
from tests.gateway.a_week.complaints import ComplaintCase
from tests.gateway.a_week.crew import Crew
from tests.gateway.a_week.hours import BUSINESS, END, START, STOP_FROM, STOP_UNTIL
from tests.gateway.a_week.people import People
from tests.gateway.a_week.visits import VisitCase
from tests.gateway.a_week.worker import settings_in

pytestmark = pytest.mark.timeout(1800)

PROCESSES = 5
#: Nothing new begins at the end of the week: what there is shall have time to end.
LAST_NEW = START + timedelta(days=5)
#: What a process dies in the middle of, one after the other.
DEATHS = ("due_jobs", "sla_sweep", "half_told", "due_jobs")
#: Responses of the automatic work, each with the least number that a week must have brought.
LEAST = {
    "utter_complaint_closed": 8,
    "utter_complaint_question_reminder": 5,
    "utter_staff_complaint_unanswered": 2,
    "utter_visit_reminder": 15,
    "utter_staff_visit_missed": 15,
    "utter_complaint_left": 5,
    "utter_service_left": 2,
    "utter_sla_warning": 25,
    "utter_sla_breach": 25,
    "utter_sla_breach_escalated": 30,
}
#: What people must have done, so that something else was no longer true.
UNDONE = (
    "visit_move",
    "visit_be_moved",
    "visit_cancel",
    "visit_confirm",
    "complaint_answer",
    "complaint_note",
    "half_go_on",
)


class Size(NamedTuple):
    """How much happens.

    Attributes:
        begun: what begins, by its kind.
        deeds: times that somebody looks at a case, for each case.
        pause: minutes from one step of the automatic work to the next, from and to.
    """

    begun: dict[str, int]
    deeds: int
    pause: tuple[int, int]


USUAL = Size({"complain": 90, "request": 70, "tell_half": 32}, deeds=8, pause=(45, 180))
LONG = Size({"complain": 900, "request": 700, "tell_half": 250}, deeds=8, pause=(15, 60))


@dataclass
class Plan:
    """When people do something, in order."""

    moments: list[tuple[datetime, str]]

    def until(self, moment: datetime) -> list[tuple[datetime, str]]:
        """What comes next, taken from the plan."""
        here = [one for one in self.moments if one[0] < moment]
        self.moments = self.moments[len(here) :]
        return here


def plan_the_week(size: Size, chance: Random) -> Plan:
    """Spread what people do over the week, to the second."""

    def moment(end: datetime) -> datetime:
        return START + timedelta(seconds=chance.randrange(int((end - START).total_seconds())))

    begun = [(moment(LAST_NEW), name) for name, count in size.begun.items() for _ in range(count)]
    deeds = [(moment(END), "act") for _ in range(sum(size.begun.values()) * size.deeds)]
    first = [(START, name) for name in size.begun]
    return Plan(first + sorted(begun + deeds))


def steps_of_the_week(size: Size, chance: Random) -> list[datetime]:
    """When the automatic work is done; once nobody does it for a long time."""
    steps, now = [], START
    while now < END:
        now += timedelta(minutes=chance.randint(*size.pause))
        if not STOP_FROM < now < STOP_UNTIL:
            steps.append(now)
    return steps


def go_through_the_week(people: People, crew: Crew, size: Size, chance: Random) -> datetime:
    """People and processes take turns; returns the last moment."""
    plan, deaths = plan_the_week(size, chance), list(DEATHS)
    steps = steps_of_the_week(size, chance)
    for number, now in enumerate(steps):
        for moment, name in plan.until(now):
            getattr(people, name)(moment)
        kill_after = chance.uniform(0, 0.05) if number % 23 == 11 else None
        if crew.go_through(now, dies_in=deaths[0] if deaths else "", kill_after=kill_after):
            deaths.pop(0)
        for case in people.cases:
            case.look(now)
    assert deaths == []
    return steps[-1]


@pytest.fixture
def size(soak: bool) -> Size:
    return LONG if soak else USUAL


@pytest.fixture
def chance(soak: bool) -> Random:
    """The usual week is always the same; long ones differ, and a failing one names its seed."""
    seed = SystemRandom().randrange(1_000_000) if soak else 3
    print(f"seed: {seed}")  # noqa: T201  # pytest shows it with a failure
    return Random(seed)


def test_five_processes_send_each_thing_of_a_week_once_and_nothing_that_is_no_longer_true(
    database: Database, tmp_path: Path, size: Size, chance: Random
) -> None:
    settings = settings_in(str(tmp_path))
    settings.business_path.write_text(BUSINESS, encoding="utf-8")
    people = People(database, Rules.of(settings, read_business(settings.business_path)), chance)
    crew = Crew(database, tmp_path, PROCESSES)
    try:
        last = go_through_the_week(people, crew, size, chance)
        crew.stop()
    finally:
        crew.dismiss()
    record = people.record
    with database.read() as session:
        told = outcome.told_in(session)
        assert (told - record.told, record.told - told) == (Counter(), Counter())
        noted = outcome.noted_in(session)
        assert (noted - record.noted, record.noted - noted) == (Counter(), Counter())
        complaints = {case.code: outcome.complaint_of(case) for case in people.complaints}
        assert outcome.complaints_in(session) == complaints
        assert outcome.visits_in(session) == {case.code: outcome.visit_of(case) for case in people.visits}
        offered = {case.draft: case.offered_at for case in people.half_told}
        assert outcome.offered_in(session) == offered
        tickets: list[ComplaintCase | VisitCase] = [*people.complaints, *people.visits]
        promises = {case.code: outcome.promises_of(case.promises) for case in tickets}
        assert outcome.promises_in(session) == promises
        assert outcome.left_over(session, last) == []
    by_response: Counter[str] = Counter()
    for one, count in record.told.items():
        by_response[one.response] += count
    assert {name for name, least in LEAST.items() if by_response[name] < least} == set()
    assert {name for name in UNDONE if people.did[name] < 5} == set()
    assert crew.killed > len(DEATHS)
