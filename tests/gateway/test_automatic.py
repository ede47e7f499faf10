"""The gateway does by itself what is due, whichever process does it first, and says each thing once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.gateway import automatic
from bot.gateway.automatic import Automatic
from bot.gateway.timed import run_timed_jobs
from crm_store.base import utcnow
from crm_store.business import EXAMPLE, BusinessFile
from crm_store.jobs.models import DONE, ScheduledJob
from crm_store.jobs.service import Handler, schedule
from crm_store.outbox import OutboxItem, enqueue_notice
from crm_store.rules import Rules
from tests.factories import a_conversation
from tests.gateway.conftest import Setup

GROUP = -1001234567890


def tell(session: Session, job: ScheduledJob, now: datetime) -> None:
    enqueue_notice(
        session,
        conversation_id=job.data["conversation"],
        response="utter_complaint_left",
        idempotency_key=f"{job.key}:{job.due_at.isoformat()}",
    )


def plan(setup: Setup, key: str, *, chat_id: int, due_at: datetime) -> None:
    def step(session: Session) -> None:
        conversation = a_conversation(session, chat_id=str(chat_id))
        schedule(session, kind="tell", key=key, due_at=due_at, data={"conversation": conversation.id})

    setup.write(step)


async def write_first(setup: Setup, user_id: int) -> None:
    """A bot may only write to who has written to it."""
    await setup.telegram.send_text(setup.telegram.user(user_id, "سارا"), "سلام")
    await setup.telegram.wait_for_messages(user_id, 1)


def automatic_work(setup: Setup, handlers: Mapping[str, Handler] | None = None) -> Automatic:
    business = BusinessFile(setup.settings.business_path)
    return Automatic(setup.settings, setup.database, business, handlers=handlers)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step comes round at once."""
    for name in ("RUN_EVERY_SECONDS", "SWEEP_EVERY_SECONDS", "REMIND_EVERY_SECONDS"):
        monkeypatch.setattr(automatic, name, 0.05)


@pytest.mark.usefixtures("quickly")
async def test_what_is_due_reaches_the_customer_once_and_what_is_not_waits(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "all_handlers", lambda rules: {"tell": tell})
    async with setup.running():
        for user_id in (7, 8):
            await write_first(setup, user_id)
        plan(setup, "due", chat_id=7, due_at=utcnow() - timedelta(days=3))  # Peyvand was off meanwhile
        plan(setup, "later", chat_id=8, due_at=utcnow() + timedelta(hours=1))
        await setup.telegram.wait_for_messages(7, 2)
        await asyncio.sleep(0.5)
    assert (len(setup.telegram.messages(7)), len(setup.telegram.messages(8))) == (2, 1)


@pytest.mark.usefixtures("quickly")
async def test_several_processes_at_one_store_share_the_work(setup: Setup) -> None:
    for number in range(40):
        plan(setup, f"job:{number}", chat_id=100 + number, due_at=utcnow())
    works = [automatic_work(setup, {"tell": tell}) for _ in range(5)]
    running = asyncio.ensure_future(run_timed_jobs([job for work in works for job in work.jobs()]))
    await setup.until(lambda: setup.read(lambda s: s.query(ScheduledJob).filter_by(state=DONE).count()) == 40)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert setup.read(lambda session: session.query(OutboxItem).count()) == 40


@pytest.mark.usefixtures("quickly")
async def test_a_failing_step_stops_no_other(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> int:
        raise RuntimeError("no sweep today")

    monkeypatch.setattr(automatic, "sweep", break_down)
    monkeypatch.setattr(automatic, "all_handlers", lambda rules: {"tell": tell})
    async with setup.running():
        await write_first(setup, 7)
        plan(setup, "due", chat_id=7, due_at=utcnow())
        await setup.telegram.wait_for_messages(7, 2)


async def test_promises_are_looked_at_batch_by_batch_with_the_present_rules(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.set_telegram(staff_group_id=GROUP)
    left, seen = [200, 200, 3], list[Rules]()

    def sweep(session: Session, *, rules: Rules, now: datetime, limit: int) -> int:
        assert limit == 200
        seen.append(rules)
        return left.pop(0)

    monkeypatch.setattr(automatic, "sweep", sweep)
    work = automatic_work(setup, {})
    work.keep_promises()
    assert left == []
    assert seen[0].groups == (("telegram", str(GROUP)),)


async def test_handlers_get_the_owners_rules_as_they_are_at_that_moment(setup: Setup, tmp_path: Path) -> None:
    work = automatic_work(setup, {})
    first = work.rules()
    assert work.rules() is first
    text = EXAMPLE.read_text(encoding="utf-8").replace("کسب‌وکار ما", "یاس")
    setup.settings.business_path.write_text(text, encoding="utf-8")
    assert (first.business.name, work.rules().business.name) == ("کسب‌وکار ما", "یاس")


def test_every_area_names_its_jobs_differently() -> None:
    from crm_store.complaints import jobs as complaint_jobs
    from crm_store.loyalty import jobs as loyalty_jobs
    from crm_store.loyalty import raffle_telling
    from crm_store.service_requests import jobs as service_jobs

    def no_rules() -> Rules:
        raise AssertionError("handlers ask for the rules when they run")

    areas = (complaint_jobs, service_jobs, loyalty_jobs, raffle_telling)
    kinds = [kind for area in areas for kind in area.handlers(no_rules)]
    assert sorted(automatic.all_handlers(no_rules)) == sorted(kinds)
