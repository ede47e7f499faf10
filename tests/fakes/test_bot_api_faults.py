"""The fake Bot API breaks as a test asks, and python-telegram-bot notices."""

import pytest
import telegram
from telegram.error import BadRequest, Conflict, Forbidden, NetworkError, RetryAfter, TimedOut

from tests.fakes.bot_api import FakeBotApi

CHAT = 501


async def known_user(api: FakeBotApi) -> None:
    """Let a user write, so that the bot may answer."""
    await api.send_text(api.user(CHAT, "سارا"), "سلام")


async def test_a_refusal_hits_only_its_chat_and_count(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    await api.send_text(api.user(502, "علی"), "سلام")
    api.fail_next("sendMessage", 1, status=429, retry_after=7, chat_id=CHAT)
    await bot.send_message(502, "سلام")
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(CHAT, "سلام")
    assert int(str(refused.value.retry_after)) == 7
    await bot.send_message(CHAT, "سلام")
    assert api.max_rate(CHAT, 60) == 1
    assert api.max_rate(None, 60) == 2


@pytest.mark.parametrize(
    ("status", "error"), [(400, BadRequest), (403, Forbidden), (500, NetworkError), (502, NetworkError)]
)
async def test_each_injected_status_is_what_the_client_knows(
    api: FakeBotApi, bot: telegram.Bot, status: int, error: type[Exception]
) -> None:
    await known_user(api)
    api.fail_next("sendMessage", status=status)
    with pytest.raises(error):
        await bot.send_message(CHAT, "سلام")
    assert api.messages(CHAT) == []


async def test_a_dropped_line_may_hide_that_the_message_was_sent(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    api.drop_next("sendMessage", "before")
    api.drop_next("sendMessage", "after")
    with pytest.raises(NetworkError):
        await bot.send_message(CHAT, "یک")
    with pytest.raises(NetworkError):
        await bot.send_message(CHAT, "دو")
    assert [message.plain for message in api.messages(CHAT)] == ["دو"]


async def test_a_hanging_answer_times_out_at_the_client(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    api.hang_next("sendMessage", 30, when="after")
    with pytest.raises(TimedOut):
        await bot.send_message(CHAT, "سلام", read_timeout=1.0)
    await api.wait_for_messages(CHAT, 1)
    assert [message.plain for message in api.messages(CHAT)] == ["سلام"]


async def test_a_conflict_can_be_injected(api: FakeBotApi, bot: telegram.Bot) -> None:
    api.conflict_next()
    with pytest.raises(Conflict):
        await bot.get_updates()
    assert await bot.get_updates() == ()


async def test_the_server_can_go_away_and_come_back_with_everything(
    api: FakeBotApi, bot: telegram.Bot
) -> None:
    update_id = await api.send_text(api.user(CHAT, "سارا"), "سلام")
    address = api.base_url
    await api.stop()
    with pytest.raises(NetworkError):
        await bot.get_updates()
    await api.start()
    assert api.base_url == address
    assert [update.update_id for update in await bot.get_updates()] == [update_id]
