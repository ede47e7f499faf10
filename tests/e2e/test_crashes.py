"""Processes killed at random points: nothing is lost, nothing is filed twice, everybody is answered."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from functools import partial
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


class Killer(threading.Thread):
    """Kills every role so many times in a random order, each time somewhere in its work."""

    def __init__(self, product: Product, *, times_each: int, seed: int) -> None:
        super().__init__()
        self._product = product
        self._chance = random.Random(seed)
        self._order = [role for role in VICTIMS for _ in range(times_each)]
        self._chance.shuffle(self._order)
        self.done = 0

    def run(self) -> None:
        former: dict[str, int] = {}
        for role in self._order:
            self._wait_for_another_process(role, former.get(role))
            time.sleep(self._chance.uniform(0.05, 4.0))
            former[role] = self._product.pid(role)
            self._product.kill(role)
            self.done += 1

    def share_done(self) -> float:
        """How much of the work is behind it, from 0 to 1."""
        return self.done / len(self._order)

    def _wait_for_another_process(self, role: str, former: int | None) -> None:
        eventually(lambda: self._product.pid(role) != former, within=90, what=f"{role} starting again")


def test_sixty_messages_through_kills_of_every_process(
    crash_product: tuple[Product, ThreadRunner[FakeBotApi]], soak: bool
) -> None:
    product, telegram = crash_product
    kills_each = 50 if soak else 5
    customers = [Customer(telegram, number=1000 + n) for n in range(120 if soak else 12)]
    killer = Killer(product, times_each=kills_each, seed=7)
    killer.start()
    telegram.run(complain_while(killer, customers), timeout=1700)
    killer.join()

    database = product.database()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Complaint)) == len(customers)
        stories = session.scalars(select(Complaint.description)).all()
        assert len(set(stories)) == len(customers)
        said = select(func.count()).select_from(Message).where(Message.author == "customer")
        assert session.scalar(said) == len(customers) * len(COMPLAINT_STEPS)
        assert set(inbox.count_by_state(session)) == {"done"}
    # What was on its way to a chat when the gateway was killed may arrive twice; the relay serves many chats
    # at once, and each only after its last message has left.
    repeated = {
        c.user.id: len(texts) - len(set(texts)) for c in customers for texts in [texts_of(telegram, c)]
    }
    often = {number: count for number, count in repeated.items() if count > kills_each}
    assert often == {}, "at most one message of a chat may be repeated per crash of the gateway"
    assert telegram.fake.violations == []
    database.dispose()


async def complain_while(killer: Killer, customers: list[Customer]) -> None:
    """Spread the customers' messages evenly over all the kills."""

    def turn_has_come(place: float, step: int) -> bool:
        return killer.share_done() >= (step + place) / len(COMPLAINT_STEPS)

    await asyncio.gather(
        *(
            customer.complain(partial(turn_has_come, number / len(customers)))
            for number, customer in enumerate(customers)
        )
    )


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
