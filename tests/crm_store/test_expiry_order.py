"""When points lapse and which go first, over years of the Jalali calendar, against a calendar on paper."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.loyalty import ledger
from crm_store.loyalty.balance import lots_of
from crm_store.loyalty.expiry import expiry_of
from crm_store.loyalty.models import PointLot
from tests.factories.club import club

TEHRAN = ZoneInfo("Asia/Tehran")
#: The first day of the year FIRST; the years of these with a thirtieth of Esfand.
FIRST, NOWRUZ, LEAP = 1398, date(2019, 3, 21), {1399, 1403, 1408}
BY = {"cause": "test", "actor": "system"}
RULES = {months: club(expires_after_months=months) for months in range(1, 25)}


def length(year: int, month: int) -> int:
    """Days of a month."""
    if month <= 6:
        return 31
    return 30 if month < 12 or year in LEAP else 29


def on_paper(year: int, month: int, day: int) -> date:
    """The day, counted month by month from the first of all."""
    before = [(FIRST + n // 12, n % 12 + 1) for n in range((year - FIRST) * 12 + month - 1)]
    return NOWRUZ + timedelta(days=sum(length(*one) for one in before) + day - 1)


class Given(NamedTuple):
    """Points that come in; a day that the month does not have is its last one."""

    year: int
    month: int
    day: int
    hour: int
    months: int
    points: int

    @property
    def at(self) -> datetime:
        day = min(self.day, length(self.year, self.month))
        return datetime.combine(on_paper(self.year, self.month, day), time(self.hour), TEHRAN)

    @property
    def last_day(self) -> date:
        """The last day on which they can be spent."""
        number = (self.year - FIRST) * 12 + self.month - 1 + self.months
        year, month = FIRST + number // 12, number % 12 + 1
        return on_paper(year, month, min(self.day, length(self.year, self.month), length(year, month)))


SOMETHING = st.builds(
    Given,
    year=st.integers(FIRST, 1405),
    month=st.integers(1, 12) | st.sampled_from([6, 12]),
    day=st.integers(1, 31) | st.sampled_from([29, 30, 31]),
    hour=st.integers(2, 23),  # until 1401 the clock was put forward at midnight
    months=st.integers(1, 24) | st.sampled_from([12, 24]),
    points=st.integers(1, 40),
)


def test_the_calendar_on_paper_has_the_new_years_days_that_everybody_knows() -> None:
    known = [date(2020, 3, 20), date(2021, 3, 21), date(2024, 3, 20), date(2025, 3, 21), date(2026, 3, 21)]
    assert [on_paper(year, 1, 1) for year in (1399, 1400, 1403, 1404, 1405)] == known


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_points=st.lists(SOMETHING, min_size=1, max_size=8),
    waits=st.integers(0, 400),
    spent=st.lists(st.integers(1, 60), max_size=6),
)
def test_points_lapse_after_the_same_day_of_their_jalali_month_and_the_soonest_to_lapse_go_first(
    sqlite_database: Database, given_points: list[Given], waits: int, spent: list[int]
) -> None:
    came = sorted(given_points, key=lambda one: one.at)
    with sqlite_database.write() as session:
        customer = Customer()
        session.add(customer)
        session.flush()
        who = {"customer_id": customer.id}
        for number, one in enumerate(came):
            ends = expiry_of(one.at, RULES[one.months])
            key = f"{customer.id}:earn:{number}"
            ledger.earn(session, **who, points=one.points, key=key, expires_at=ends, now=one.at, **BY)
        account = ledger.account_of(session, **who)
        lots = session.scalars(
            select(PointLot).where(PointLot.account_id == account.id).order_by(PointLot.id)
        )
        for lot, one in zip(lots, came, strict=True):
            assert lot.expires_at is not None
            last = lot.expires_at - timedelta(microseconds=1)
            assert last.astimezone(TEHRAN).date() == one.last_day
            assert lot.expires_at.astimezone(TEHRAN).date() == one.last_day + timedelta(days=1)
        now = came[-1].at + timedelta(days=waits)
        today = now.astimezone(TEHRAN).date()
        # Sorting keeps those that came first before the others that lapse on the same day.
        heap = sorted((one for one in came if one.last_day >= today), key=lambda one: one.last_day)
        left = [one.points for one in heap]
        for number, points in enumerate(spent):
            if points > sum(left):
                break
            key = f"{customer.id}:spend:{number}"
            ledger.spend(session, **who, points=points, key=key, now=now, **BY)
            wanted = points
            while wanted:
                share = min(wanted, left[0])
                left[0], wanted = left[0] - share, wanted - share
                left = left if left[0] else left[1:]
            assert [lot.points for lot in lots_of(session, **who, now=now)] == left
        ending = [one.last_day for one in heap][len(heap) - len(left) :]
        found = [lot.expires_at for lot in lots_of(session, **who, now=now) if lot.expires_at is not None]
        assert [(end - timedelta(microseconds=1)).astimezone(TEHRAN).date() for end in found] == ending
