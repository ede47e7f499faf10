"""What the gateway does for the club by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from bot.gateway.automatic import Automatic
from crm_store.business import BusinessFile
from crm_store.complaints.models import Compensation
from crm_store.complaints.resolution import Offer
from crm_store.db import Database
from crm_store.jobs.models import ScheduledJob
from crm_store.loyalty.balance import balance_of
from crm_store.loyalty.jobs import NIGHTLY
from crm_store.loyalty.models import LedgerProof
from crm_store.outbox import OutboxItem
from crm_store.settings import PROJECT_ROOT, Settings
from tests.crm_store.complaint_case import Case

TEHRAN = ZoneInfo("Asia/Tehran")
SWITCHED_OFF = "tomans_per_point = 0 "


class Clock:
    """Shows what it was set to."""

    now = datetime(2026, 12, 1, 12, tzinfo=TEHRAN)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def automatic_work(database: Database, folder: Path, clock: Clock, *, is_on: bool = True) -> Automatic:
    shipped = (PROJECT_ROOT / "business.example.toml").read_text(encoding="utf-8")
    own = shipped.replace(SWITCHED_OFF, "tomans_per_point = 10000 ", 1) if is_on else shipped
    (folder / "business.toml").write_text(own, encoding="utf-8")
    settings = Settings(data_dir=str(folder))
    return Automatic(settings, database, BusinessFile(settings.business_path), clock=clock)


def promise_points(database: Database) -> int:
    with database.write() as session:
        case = Case(session)
        case.is_resolved(compensation=Offer("points", 100))
        return case.complaint.customer_id


def test_points_that_make_up_for_a_mistake_come_into_the_ledger_once_and_are_told(
    sqlite_database: Database, tmp_path: Path, clock: Clock
) -> None:
    customer_id = promise_points(sqlite_database)
    work = automatic_work(sqlite_database, tmp_path, clock)
    for _ in range(2):
        work.look_after_the_club()
    with sqlite_database.read() as session:
        assert balance_of(session, customer_id=customer_id, soon=timedelta(0)).points == 100
        said = [item.content.get("response") for item in session.scalars(select(OutboxItem))]
        assert said.count("utter_compensation_booked") == 1
        assert session.scalars(select(Compensation.state)).all() == ["settled"]
        nights = session.scalars(select(ScheduledJob.due_at).where(ScheduledJob.kind == NIGHTLY)).all()
        assert nights == [datetime(2026, 12, 2, 2, 30, tzinfo=TEHRAN)]


def test_without_a_club_promised_points_wait(sqlite_database: Database, tmp_path: Path, clock: Clock) -> None:
    promise_points(sqlite_database)
    automatic_work(sqlite_database, tmp_path, clock, is_on=False).look_after_the_club()
    with sqlite_database.read() as session:
        assert session.scalars(select(Compensation.state)).all() == ["granted"]


def test_the_ledger_is_proven_once_a_night_and_not_by_day_again(
    sqlite_database: Database, tmp_path: Path, clock: Clock
) -> None:
    promise_points(sqlite_database)
    work = automatic_work(sqlite_database, tmp_path, clock)
    work.prove_the_ledger()
    work.look_after_the_club()
    proofs = []
    for hours in (0, 1, 15, 15, 24):
        clock.now = Clock.now + timedelta(hours=hours)
        work.prove_the_ledger()
        with sqlite_database.read() as session:
            proofs.append(session.scalar(select(func.count(LedgerProof.id))))
    assert proofs == [1, 1, 2, 2, 2]
    with sqlite_database.read() as session:
        assert {tuple(faults) for faults in session.scalars(select(LedgerProof.faults))} == {()}
