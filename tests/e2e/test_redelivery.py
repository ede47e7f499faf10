"""Updates delivered up to three times each leave the same store as updates delivered once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_store.activity import Activity
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation, Message
from crm_store.db import Database
from crm_store.drafts import Draft
from tests.e2e.customers import Customer
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(900)]


def store_after(folder: Path, *, deliveries: int) -> dict[str, Any]:
    """What the store holds after six customers complained at once, without ids and codes."""
    with FakeBotApi.start_in_thread(redeliver=deliveries, seed=3) as telegram:
        settings = {
            "PEYVAND_TELEGRAM_TOKEN": telegram.fake.token,
            "PEYVAND_TELEGRAM_BASE_URL": telegram.fake.base_url,
        }
        product = Product(folder, settings)
        product.start()
        try:
            customers = [Customer(telegram, number=number) for number in range(10, 16)]
            telegram.run(complain_together(customers), timeout=300)
            return summary(product.database())
        finally:
            product.stop()


async def complain_together(customers: list[Customer]) -> None:
    """Interleave the customers' messages."""
    await asyncio.gather(*(customer.complain() for customer in customers))


def summary(database: Database) -> dict[str, Any]:
    """The store's content in a form that two runs share."""
    with database.read() as session:
        said = select(Conversation.chat_id, Message.text).join(
            Message, Message.conversation_id == Conversation.id
        )
        return {
            "complaints": sorted(session.execute(select(Complaint.description, Complaint.category)).tuples()),
            "drafts": sorted(session.scalars(select(Draft.state))),
            "timeline": sorted(session.scalars(select(Activity.kind))),
            "said": sorted(session.execute(said.where(Message.author == "customer")).tuples()),
        }


def test_three_deliveries_leave_the_store_of_one(tmp_path: Path, trained_model: Path) -> None:
    once = store_after(tmp_path / "once", deliveries=1)
    thrice = store_after(tmp_path / "thrice", deliveries=3)
    assert len(once["complaints"]) == 6
    assert thrice == once
