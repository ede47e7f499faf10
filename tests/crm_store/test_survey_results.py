"""What a survey has brought: rates, scores with their interval, segments, versions that can be compared."""

from __future__ import annotations

from datetime import timedelta
from math import comb
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.errors import NotFound
from crm_store.surveys.answering import Reading, answer, skip
from crm_store.surveys.asking import begin_for, look_at
from crm_store.surveys.figures import graded, nps
from crm_store.surveys.planning import plan_for
from crm_store.surveys.results import results
from tests.crm_store.clocked import a_member
from tests.factories import an_inbox_id
from tests.factories.surveys import AFTER_PURCHASE, NOON, RECOMMEND, a_customer, at, rules_with

RULES = rules_with()


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "expected"),
    [
        # By hand, z = 1.95996: p = (50 + 1) / 102, d = (20 + 1) / 102, p - d = 0.294118,
        # √((0.705882 - 0.294118²) / 102) = 0.077928.
        (50, 30, 20, (30.0, 14.1382, 44.6853)),
        # p = d = 6 / 12: 0 ± 1.95996 √(1 / 12).
        (5, 0, 5, (0.0, -56.5790, 56.5790)),
        # All alike: p = 11 / 12, d = 1 / 12, 0.833333 ± 1.95996 √((1 - 0.694444) / 12), cut at the end.
        (10, 0, 0, (100.0, 52.0579, 100.0)),
        (0, 10, 0, (0.0, -23.0983, 23.0983)),
    ],
)
def test_the_interval_is_that_of_bonett_and_price(
    promoters: int, passives: int, detractors: int, expected: tuple[float, float, float]
) -> None:
    found = nps([10] * promoters + [7] * passives + [0] * detractors)
    assert found is not None
    assert (found.score, found.low, found.high) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.8, 0.15, 0.05), (0.1, 0.2, 0.7), (0.05, 0.9, 0.05)])
def test_the_interval_holds_the_truth_about_95_times_of_100(shares: tuple[float, float, float]) -> None:
    size, held = 25, 0.0
    p, q, d = shares
    for promoters in range(size + 1):
        for detractors in range(size + 1 - promoters):
            passives = size - promoters - detractors
            chance = comb(size, promoters) * comb(size - promoters, detractors)
            weight = chance * p**promoters * d**detractors * q**passives
            found = nps([10] * promoters + [8] * passives + [3] * detractors)
            assert found is not None
            held += weight * (found.low <= 100 * (p - d) <= found.high)
    assert held == pytest.approx(0.95, abs=0.045)


@given(st.lists(st.integers(0, 10), min_size=1, max_size=60))
def test_the_score_lies_within_its_interval_and_the_scale(grades: list[int]) -> None:
    found = nps(grades)
    assert found is not None
    assert -100 <= found.low <= found.score <= found.high <= 100
    counts = {grade: grades.count(grade) for grade in set(grades)}
    figures = graded("nps", (0, 10), counts)
    assert (figures.count, sum(figures.distribution.values())) == (len(grades), len(grades))


def test_nobody_s_grades_have_no_score() -> None:
    assert nps([]) is None
    assert graded("csat", (1, 5), {}).satisfied is None


def test_satisfaction_is_the_share_of_the_two_best_and_effort_the_mean() -> None:
    assert graded("csat", (1, 5), {5: 3, 4: 3, 1: 2}).satisfied == 0.75
    assert graded("ces", (1, 7), {7: 1, 4: 1}).mean == 5.5


def survey(
    session: Session, grade: int | None, *, rules: Any = RULES, number: int, tier: str = "", **about: Any
) -> None:
    """A purchase a week before noon, asked about, and answered with a grade if any."""
    _, customer = a_customer(session)
    session.get_one(Customer, customer).tier = tier
    now = about.pop("now", NOON)
    planned = plan_for(
        session,
        occasion="purchase",
        subject_id=number,
        customer_id=customer,
        rules=rules,
        now=now - timedelta(days=7),
        **about,
    )
    assert planned is not None
    assert look_at(session, invitation_id=planned.id, rules=rules, now=now) == "asked"
    if grade is not None:
        reading = Reading(value=grade, text="چون")
        answer(
            session,
            invitation=planned,
            question="recommend",
            reading=reading,
            inbox_id=number,
            rules=rules,
            now=now,
        )


def test_results_tell_who_answered_and_what(database: Database) -> None:
    with database.write() as session:
        for number, grade in enumerate([10, 9, 7, 2, None, None]):
            survey(session, grade, number=number)
        found = results(session, key="after_purchase", rules=RULES)
        total = found.total
        assert (total.asked, total.answered, total.completed) == (6, 4, 4)
        assert total.response_rate == pytest.approx(4 / 6)
        figures = total.questions[0].figures
        assert figures.nps is not None
        assert figures.nps.score == 25
        assert (figures.distribution["10"], figures.distribution["2"], figures.count) == (1, 1, 4)
        with pytest.raises(NotFound):
            results(session, key="unknown", rules=RULES)


def test_whoever_spoke_up_unasked_counts_apart(database: Database) -> None:
    with database.write() as session:
        chat, customer = a_customer(session)
        began = begin_for(
            session,
            customer_id=customer,
            conversation_id=chat.id,
            inbox_id=an_inbox_id(session, chat),
            rules=RULES,
            now=NOON,
        )
        skip(session, invitation=began, now=NOON)
        total = results(session, key="open", rules=RULES).total
        assert (total.asked, total.began, total.skipped, total.response_rate) == (0, 1, 1, None)


def test_results_by_tier_staff_and_jalali_month(database: Database) -> None:
    with database.write() as session:
        reza = a_member(session, "technician")
        survey(session, 10, number=1, tier="طلایی", staff_id=reza.id)
        survey(session, 0, number=2, now=at(21, 12))  # the last day of Aban 1405
        by = {
            name: results(session, key="after_purchase", rules=RULES, by=name)
            for name in ("tier", "staff", "month")
        }  # type: ignore[arg-type]
        names = {name: [one.name for one in found.segments] for name, found in by.items()}
        assert names == {
            "tier": ["", "طلایی"],
            "staff": ["", "technician"],
            "month": ["1405-08", "1405-09"],
        }
        month = by["month"].segments[1].questions[0].figures
        assert month.nps is not None
        assert month.nps.score == 100
        of_azar = results(session, key="after_purchase", rules=RULES, since=at(22, 0), until=at(23, 0))
        assert of_azar.total.asked == 1


def test_only_versions_in_which_it_was_the_same_question_are_added_up(database: Database) -> None:
    other = msgspec.structs.replace(RECOMMEND, kind="scale", low=1, high=10)
    before = rules_with(msgspec.structs.replace(AFTER_PURCHASE, questions=(other,)))
    renamed = rules_with(msgspec.structs.replace(AFTER_PURCHASE, title="دیگر"))
    with database.write() as session:
        survey(session, 1, number=1, rules=before)
        survey(session, 9, number=2)
        survey(session, 10, number=3, rules=renamed)
        question = results(session, key="after_purchase", rules=RULES).total.questions[0]
        assert (question.versions, question.left_out) == ([2, 3], [1])
        assert question.figures.count == 2
        former = results(session, key="after_purchase", rules=before).total.questions[0]
        assert (former.versions, former.figures.distribution["1"]) == ([1], 1)
