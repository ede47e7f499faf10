"""A Bot API server written by others judges every request of a whole conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Message
from crm_store.db import Database
from crm_store.persian import rich
from tests.conversations.matcher import ResponseMatcher
from tests.e2e.customers import COMPLAINT_STEPS, Step
from tests.e2e.product import Product, eventually
from tests.fakes.emulator import Emulator

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(600)]
USER = 4242


def bot_messages(database: Database) -> list[Message]:
    """What the bot has said, oldest first."""
    with database.read() as session:
        return list(session.scalars(select(Message).where(Message.author == "bot").order_by(Message.id)))


def button_of(database: Database, title: str) -> tuple[Message, dict[str, str]]:
    """The latest button in whose title these words stand, and its message."""
    return next(
        (message, button)
        for message in reversed(bot_messages(database))
        for button in message.extra.get("buttons", [])
        if title in button["title"]
    )


def test_no_request_of_a_whole_complaint_is_refused(tmp_path: Path, trained_model: Path) -> None:
    with Emulator(tmp_path) as emulator:
        settings = {"PEYVAND_TELEGRAM_TOKEN": emulator.token, "PEYVAND_TELEGRAM_BASE_URL": emulator.base_url}
        product = Product(tmp_path / "data", settings)
        product.start()
        names = ResponseMatcher().names
        database = product.database()
        for number, step in enumerate(COMPLAINT_STEPS, start=1):
            before = len(bot_messages(database))
            if step.press:
                asked, button = button_of(database, step.press)
                emulator.push_press(USER, button["token"], message_id=int(asked.platform_message_id))
            else:
                emulator.push_text(USER, step.text.format(number=USER), message_id=100_000 + number)

            def is_answered(before: int = before, step: Step = step) -> bool:
                new = bot_messages(database)[before:]
                return any(step.expect in names(rich.to_plain(message.text)) for message in new)

            eventually(is_answered, within=90, what=step.expect)
        with database.read() as session:
            assert session.scalars(select(Complaint)).one().category == "delivery"
        database.dispose()
        assert product.stop() == 0
        verdict = emulator.verdict(required=("getUpdates", "sendMessage", "answerCallbackQuery"))
    assert verdict.ok, verdict
    assert verdict.refusals == []
