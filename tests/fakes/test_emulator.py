"""The emulator starts, takes users' messages and judges what the bot did."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest

from tests.fakes.emulator import Emulator

CHAT = 501


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """A running emulator."""
    with Emulator(tmp_path) as running:
        yield running


async def test_a_whole_exchange_passes_its_verdict(emulator: Emulator) -> None:
    text = emulator.push_text(CHAT, "سلام", message_id=1)
    press = emulator.push_press(CHAT, "t1", message_id=2)
    async with telegram.Bot(emulator.token, base_url=f"{emulator.base_url}/bot") as bot:
        first, second = await bot.get_updates(timeout=1)
        keyboard = InlineKeyboardMarkup.from_button(InlineKeyboardButton("تأیید", callback_data="t1"))
        await bot.send_message(CHAT, "<b>سلام</b>", parse_mode="HTML", reply_markup=keyboard)
        assert second.callback_query is not None
        await bot.answer_callback_query(second.callback_query.id)
    assert [first.update_id, second.update_id] == [text, press]
    recorded = [entry["method"] for entry in emulator.journal() if "method" in entry]
    assert recorded[-2:] == ["sendMessage", "answerCallbackQuery"]
    verdict = emulator.verdict(required=("getUpdates", "sendMessage", "answerCallbackQuery"))
    assert verdict.ok, verdict
    assert verdict.successful["sendMessage"] == 1


async def test_a_refused_request_fails_the_verdict_unless_it_was_meant(emulator: Emulator) -> None:
    async with telegram.Bot(emulator.token, base_url=f"{emulator.base_url}/bot") as bot:
        with pytest.raises(BadRequest):
            await bot.send_message(CHAT, "x" * 4097)
    assert emulator.verdict().refusals == [("sendMessage", 400)]
    assert emulator.verdict(allowed=("sendMessage:400",)).ok
    assert emulator.verdict(required=("sendMessage",)).missing == ["sendMessage"]


def test_it_is_gone_when_stopped(emulator: Emulator) -> None:
    emulator.stop()
    with pytest.raises(OSError, match="refused"):
        emulator.push_text(CHAT, "سلام", message_id=1)
