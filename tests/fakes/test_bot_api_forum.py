"""The fake's forum topics refuse what Telegram refuses."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.fakes.bot_api import FakeBotApi

GROUP = -1001234567890


class Client:
    """Calls methods and returns status and answer."""

    def __init__(self, fake: FakeBotApi, session: aiohttp.ClientSession) -> None:
        self._fake, self._session = fake, session

    async def call(self, method: str, **params: Any) -> tuple[int, Any]:
        url = f"{self._fake.base_url}/bot{self._fake.token}/{method}"
        async with self._session.post(url, json={"chat_id": GROUP, **params}) as answer:
            body = await answer.json()
            return answer.status, body.get("result", body.get("description"))


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    fake = FakeBotApi()
    await fake.start()
    fake.forum(GROUP)
    yield fake
    await fake.stop()
    assert fake.violations == []


@pytest.fixture
async def client(fake: FakeBotApi) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(fake, session)


async def test_a_topic_is_opened_and_messages_in_it_say_so(fake: FakeBotApi, client: Client) -> None:
    _, topic = await client.call("createForumTopic", name="سارا")
    thread = topic["message_thread_id"]
    status, sent = await client.call("sendMessage", text="سلام", message_thread_id=thread)
    assert (status, sent["message_thread_id"], sent["is_topic_message"]) == (200, thread, True)
    assert [message.plain for message in fake.topic_messages(GROUP, thread)] == ["سلام"]


async def test_a_deleted_and_an_unknown_topic_take_nothing(fake: FakeBotApi, client: Client) -> None:
    _, topic = await client.call("createForumTopic", name="سارا")
    thread = topic["message_thread_id"]
    _, sent = await client.call("sendMessage", text="سلام", message_thread_id=thread)
    fake.delete_topic(GROUP, thread)
    gone = (400, "Bad Request: message thread not found")
    assert await client.call("sendMessage", text="دو", message_thread_id=thread) == gone
    assert await client.call("sendMessage", text="دو", message_thread_id=99) == gone
    edited = await client.call("editMessageText", message_id=sent["message_id"], text="سه")
    assert edited == (400, "Bad Request: message to edit not found")


async def test_a_closed_topic_takes_nothing_until_it_is_opened_again(
    fake: FakeBotApi, client: Client
) -> None:
    _, topic = await client.call("createForumTopic", name="سارا")
    thread = topic["message_thread_id"]
    fake.close_topic(GROUP, thread)
    assert await client.call("sendMessage", text="دو", message_thread_id=thread) == (
        400,
        "Bad Request: TOPIC_CLOSED",
    )
    assert (await client.call("reopenForumTopic", message_thread_id=thread))[0] == 200
    assert await client.call("reopenForumTopic", message_thread_id=thread) == (
        400,
        "Bad Request: TOPIC_NOT_MODIFIED",
    )
    assert (await client.call("sendMessage", text="دو", message_thread_id=thread))[0] == 200


async def test_only_forums_have_topics_and_only_bots_with_the_right_open_them(
    fake: FakeBotApi, client: Client
) -> None:
    fake.state.forums.may_open = False
    assert (await client.call("createForumTopic", name="سارا"))[1].endswith(
        "not enough rights to create a topic"
    )
    await fake.group_message(GROUP - 1, fake.user(7, "سارا"), "سلام")
    status, reason = await client.call("createForumTopic", name="سارا", chat_id=GROUP - 1)
    assert (status, reason) == (400, "Bad Request: the chat is not a forum")


async def test_a_group_takes_twenty_messages_a_minute_over_all_topics(
    fake: FakeBotApi, client: Client
) -> None:
    threads = [
        (await client.call("createForumTopic", name=name))[1]["message_thread_id"] for name in ("سارا", "رضا")
    ]
    statuses = [
        (await client.call("sendMessage", text="سلام", message_thread_id=threads[number % 2]))[0]
        for number in range(19)
    ]
    assert statuses == [200] * 18 + [429]
    fake.state.skip(61)
    assert (await client.call("sendMessage", text="سلام"))[0] == 200


async def test_who_writes_in_a_topic_answers_its_first_message_unless_another(fake: FakeBotApi) -> None:
    fake.state.forums.open(GROUP, "سارا", lambda: 500)
    user = fake.user(7, "سارا")
    first = await fake.group_message(GROUP, user, "سلام", thread=500)
    said = fake.message_id_of(first)
    await fake.group_message(GROUP, user, "باز من", thread=500, reply_to=said)
    one, two = [update.body["message"] for update in fake.state.queue.pending()]
    assert isinstance(one, dict)
    assert isinstance(two, dict)
    assert "forum_topic_created" in one["reply_to_message"]
    assert two["reply_to_message"]["message_id"] == said
