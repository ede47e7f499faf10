"""Processes killed at random points: nothing is lost, nothing is filed twice, everybody is answered."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store import inbox
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Message
from tests.e2e.customers import COMPLAINT_STEPS, Customer
from tests.e2e.product import Product, eventually
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(1800)]
VICTIMS = ("gateway", "actions", "rasa")


@pytest.fixture
def crash_product(tmp_path: Path, trained_model: Path) -> Iterator[tuple[Product, ThreadRunner[FakeBotApi]]]:
    telegram = FakeBotApi.start_in_thread()
    settings = {
        "PEYVAND_TELEGRAM_TOKEN": telegram.fake.token,
        "PEYVAND_TELEGRAM_BASE_URL": telegram.fake.base_url,
    }
    product = Product(tmp_path / "data", settings)
    product.start()
    yield product, telegram
    product.stop()
    telegram.stop()


def kill_at_random(product: Product, *, times_each: int, seed: int) -> None:
    """Kill every role so many times in a random order, each time somewhere in its work."""
    chance = random.Random(seed)
    order = [role for role in VICTIMS for _ in range(times_each)]
    chance.shuffle(order)
    former: dict[str, int] = {}
    for role in order:
        eventually(
            lambda role=role: product.pid(role) != former.get(role), within=90, what=f"{role} starting again"
        )
        time.sleep(chance.uniform(0.1, 4.0))
        former[role] = product.pid(role)
        product.kill(role)


def test_sixty_messages_through_kills_of_every_process(
    crash_product: tuple[Product, ThreadRunner[FakeBotApi]], soak: bool
) -> None:
    product, telegram = crash_product
    rounds, kills_each = (6, 10) if soak else (1, 5)
    killer = threading.Thread(
        target=kill_at_random, args=(product,), kwargs={"times_each": kills_each * rounds, "seed": 7}
    )
    killer.start()
    customers = []
    for number in range(rounds):
        group = [Customer(telegram, number=1000 * (number + 1) + n) for n in range(12)]
        customers += group
        telegram.run(all_complain(group), timeout=900)
    killer.join()

    database = product.database()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Complaint)) == len(customers)
        stories = session.scalars(select(Complaint.description)).all()
        assert len(set(stories)) == len(customers)
        said = select(func.count()).select_from(Message).where(Message.author == "customer")
        assert session.scalar(said) == len(customers) * len(COMPLAINT_STEPS)
        assert set(inbox.count_by_state(session)) == {"done"}
    gateway_kills = kills_each * rounds
    repeated = sum(len(texts) - len(set(texts)) for texts in (texts_of(telegram, c) for c in customers))
    assert repeated <= gateway_kills, "at most one message may be repeated per crash of the gateway"
    assert telegram.fake.violations == []
    database.dispose()


async def all_complain(customers: list[Customer]) -> None:
    """Let all customers write at once, starting a little apart."""

    async def later(customer: Customer, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await customer.complain()

    await asyncio.gather(*(later(customer, 0.5 * n) for n, customer in enumerate(customers)))


def texts_of(telegram: ThreadRunner[FakeBotApi], customer: Customer) -> list[str]:
    """The answers of one chat without notices of delay, which may well come twice."""
    notice = customer.matcher.names
    messages = telegram.fake.messages(customer.user.id)
    return [m.plain for m in messages if "utter_trouble" not in notice(m.plain)]


def test_a_power_cut_in_the_middle_of_a_form_loses_nothing(
    crash_product: tuple[Product, ThreadRunner[FakeBotApi]],
) -> None:
    product, telegram = crash_product
    customer = Customer(telegram, number=5)
    for step in COMPLAINT_STEPS[:3]:
        telegram.run(customer.take(step))
    product.kill_everything()
    product.start()
    for step in COMPLAINT_STEPS[3:]:
        telegram.run(customer.take(step), timeout=120)
    with product.database().read() as session:
        assert session.scalar(select(func.count()).select_from(Complaint)) == 1
