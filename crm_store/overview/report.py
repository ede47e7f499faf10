"""How a period went, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.errors import InvalidInput, NotFound
from crm_store.overview import counting
from crm_store.overview.counting import Period
from crm_store.persian import to_jalali_text
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.surveys.figures import nps

#: Longest period of a report.
LONGEST = timedelta(days=740)
#: So many bars have room in the picture; longer periods have several days in a bar.
MOST_BARS = 14
_SATISFIED_FROM = 4


class Day(msgspec.Struct, frozen=True):
    """A day or, in longer periods, several days of a report.

    Attributes:
        label: as it stands below the picture: «۳ مهر», the first of several days.
    """

    label: str
    opened: int
    resolved: int


class Report(msgspec.Struct, frozen=True):
    """How a period went.

    Attributes:
        staff_name: whose work it tells of; empty for everybody's.
        complaints_resolved: decisions that were told.
        complaints_breached: promises about complaints that were broken in the period.
        complaints_open: at the moment of asking.
        first_answer_minutes: median working time until a complaint's first answer; None without any.
        handoffs: conversations that needed a person; `handoffs_claimed` of them got one.
        handoff_wait_minutes: median until somebody came; None without any.
        visits_done: service requests that were done.
        csat: share of the two best grades, 0 to 1; None without answers.
        csat_answers: how many answers that is made of.
        nps: from -100 to 100; None without answers.
        points_given: in all, by purchases and by hand.
        purchases: how many, and what they came to less what went back, in rials.
        days: for the picture, in order.
    """

    since: datetime
    until: datetime
    staff_name: str
    complaints_opened: int
    complaints_resolved: int
    complaints_breached: int
    complaints_open: int
    first_answer_minutes: int | None
    service_requests: int
    visits_done: int
    handoffs: int
    handoffs_claimed: int
    handoff_wait_minutes: int | None
    callbacks_done: int
    csat: float | None
    csat_answers: int
    nps: float | None
    points_given: int
    purchases: int
    purchases_rials: int
    days: list[Day]


def report(
    session: Session,
    *,
    since: datetime,
    until: datetime,
    rules: Rules,
    staff_id: int | None = None,
    now: datetime | None = None,
) -> Report:
    """How a period went.

    Args:
        since: its first moment.
        until: the moment after its last one.
        staff_id: only the work of this member of staff; then purchases and points are those that they
            registered and gave.

    Raises:
        InvalidInput: the period is empty or longer than two years.
        NotFound: there is no such member of staff.
    """
    if not since < until <= since + LONGEST:
        raise InvalidInput("a report is about a period of at most two years")
    staff = session.get(StaffMember, staff_id) if staff_id is not None else None
    if staff_id is not None and staff is None:
        raise NotFound("there is no such member of staff")
    period = Period(session, since, until, staff_id)
    opened, resolved = counting.complaints_opened(period), counting.complaints_resolved(period)
    waits = counting.handoff_waits(period)
    grades = counting.grades(period)
    csat = grades.get("csat", [])
    score = nps(grades.get("nps", []))
    purchases, rials = counting.purchases(period)
    answers = [
        rules.working_time.between(started, stopped).total_seconds() - paused
        for started, stopped, paused in counting.first_answers(period)
    ]
    return Report(
        since=since,
        until=until,
        staff_name=staff.name if staff is not None else "",
        complaints_opened=len(opened),
        complaints_resolved=len(resolved),
        complaints_breached=counting.complaints_breached(period),
        complaints_open=counting.complaints_open(period),
        first_answer_minutes=_median_minutes(answers),
        service_requests=counting.requests_made(period),
        visits_done=counting.visits_done(period),
        handoffs=len(waits),
        handoffs_claimed=sum(wait is not None for wait in waits),
        handoff_wait_minutes=_median_minutes([wait for wait in waits if wait is not None]),
        callbacks_done=counting.callbacks_done(period),
        csat=sum(grade >= _SATISFIED_FROM for grade in csat) / len(csat) if csat else None,
        csat_answers=len(csat),
        nps=score.score if score is not None else None,
        points_given=counting.points_given(period),
        purchases=purchases,
        purchases_rials=rials,
        days=_days(opened, resolved, since, min(until, max(since, now or utcnow())), rules.timezone),
    )


def picture_of(told: Report, *, title: str, business: str = "") -> dict[str, Any]:
    """What `crm_store.pictures.draw` takes to draw a report.

    Args:
        title: what stands above it, such as the period in words.
    """
    numbers: dict[str, Any] = msgspec.to_builtins(told)
    del numbers["since"], numbers["until"]
    return {"title": title, "business": business, "report": numbers}


def _median_minutes(seconds: Sequence[float]) -> int | None:
    return max(0, round(median(seconds) / 60)) if seconds else None


def _days(
    opened: Sequence[datetime], resolved: Sequence[datetime], since: datetime, until: datetime, timezone: str
) -> list[Day]:
    """Complaints that came and went, day by day, or by several days."""
    zone = ZoneInfo(timezone)
    first, last = since.astimezone(zone).date(), (until - timedelta(microseconds=1)).astimezone(zone).date()
    width = max(1, -(-((last - first).days + 1) // MOST_BARS))
    bars = [first + timedelta(days=n) for n in range(0, max(0, (last - first).days) + 1, width)]

    def counted(moments: Sequence[datetime]) -> list[int]:
        counts = [0] * len(bars)
        for moment in moments:
            place = (moment.astimezone(zone).date() - first).days // width
            counts[min(max(place, 0), len(bars) - 1)] += 1
        return counts

    return [
        Day(_label(day, zone), came, went)
        for day, came, went in zip(bars, counted(opened), counted(resolved), strict=True)
    ]


def _label(day: date, zone: ZoneInfo) -> str:
    """A day and its month, without the year."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    return to_jalali_text(noon, zone.key).rsplit(" ", 1)[0]
