"""A year of thousands of customers in which every rule about asking holds."""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from crm_store.db import Database
from crm_store.surveys.models import SurveyAnswer, SurveyInvitation
from tests.crm_store.survey_year import Year

CUSTOMERS, DAYS = 200, 100


@pytest.mark.timeout(3000)
def test_in_a_year_nobody_is_asked_too_often_too_late_or_against_their_will(
    sqlite_database: Database, soak: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    customers, days = (10_000, 365) if soak else (CUSTOMERS, DAYS)
    year = Year(sqlite_database, customers, random.Random(1405))
    year.run(days=days)
    assert year.faults == []
    with sqlite_database.read() as session:
        asked = defaultdict(list)
        columns = SurveyInvitation.customer_id, SurveyInvitation.asked_at, SurveyInvitation.trigger
        rows = session.execute(select(*columns).where(SurveyInvitation.asked_at.is_not(None)))
        for customer, moment, trigger in rows:
            asked[customer].append((moment, trigger))
        answers = session.scalar(select(func.count()).select_from(SurveyAnswer))
        states = Counter(dict(_counts(session, SurveyInvitation.state)))
        reasons = dict(_counts(session, SurveyInvitation.reason))
    pauses = []
    for moments in asked.values():
        ordered = sorted(moments)
        for (before, _), (after, trigger) in zip(ordered, ordered[1:], strict=False):  # noqa: RUF007
            if trigger != "customer":
                pauses.append(after - before)
    assert min(pauses) >= timedelta(days=30)
    assert {"asked", "reminded", "expired", "moved", "dropped"} <= set(year.figures)
    assert states["completed"]
    assert states["skipped"]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{customers} customers, {days} days, done: {dict(year.figures)}\n"
            f"invitations: {dict(states)}, dropped for: {reasons}, answers: {answers}\n"
            f"shortest pause: {min(pauses)}; asked at night, opted out or blocked: {len(year.faults)}\n"
        )


def _counts(session: object, column: object) -> list[tuple[str, int]]:
    rows = session.execute(select(column, func.count()).group_by(column))  # type: ignore[attr-defined,call-overload]
    return [(value, number) for value, number in rows if value]
