"""Forum topics of supergroups, as the Bot API has them, and how many messages a group takes in a minute.

The refusals are worded as Telegram words them: "the chat is not a forum" and "not enough rights to create a
topic" for createForumTopic, "message thread not found" for a topic that was deleted, TOPIC_CLOSED for one
that was closed, TOPIC_NOT_MODIFIED for reopening an open one.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.bot_api_model import BotApiError, Params, User

MAX_NAME = 128
ICON_COLOR = 0x6FB9F0
THREAD_NOT_FOUND = "Bad Request: message thread not found"
#: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
GROUP_MESSAGES, GROUP_SECONDS = 20, 60.0


@dataclass
class Topic:
    """A topic of a forum.

    Attributes:
        thread_id: number of the service message with which it was opened.
        name: as it was given.
        opener: who opened it; None for the bot.
        is_closed: nobody but admins may write in it, and this bot may not.
        is_deleted: it is there no more, and neither are its messages.
    """

    thread_id: int
    name: str
    opener: User | None = None
    is_closed: bool = False
    is_deleted: bool = False


class Forums:
    """The topics of all groups.

    Attributes:
        may_open: whether the bot may open topics.
        topics: by chat and thread.
    """

    def __init__(self) -> None:
        self.may_open = True
        self.topics: dict[tuple[int, int], Topic] = {}
        self._forums: set[int] = set()

    def make_forum(self, chat_id: int) -> None:
        """Give a supergroup topics."""
        self._forums.add(chat_id)

    def is_forum(self, chat_id: int) -> bool:
        """Whether a chat has topics."""
        return chat_id in self._forums

    def open(self, chat_id: int, name: str, next_id: Callable[[], int]) -> Topic:
        """Open a topic.

        Raises:
            BotApiError: 400.
        """
        if not self.is_forum(chat_id):
            raise BotApiError(400, "Bad Request: the chat is not a forum")
        if not self.may_open:
            raise BotApiError(400, "Bad Request: not enough rights to create a topic")
        if not 1 <= len(name) <= MAX_NAME:
            raise BotApiError(400, "Bad Request: TOPIC_TITLE_INVALID")
        topic = Topic(next_id(), name)
        self.topics[chat_id, topic.thread_id] = topic
        return topic

    def reopen(self, chat_id: int, thread_id: int) -> None:
        """Open a closed topic again.

        Raises:
            BotApiError: 400.
        """
        topic = self._existing(chat_id, thread_id)
        if not topic.is_closed:
            raise BotApiError(400, "Bad Request: TOPIC_NOT_MODIFIED")
        topic.is_closed = False

    def check_writable(self, chat_id: int, thread_id: int) -> None:
        """Refuse a message to a topic that takes none.

        Raises:
            BotApiError: 400.
        """
        if self._existing(chat_id, thread_id).is_closed:
            raise BotApiError(400, "Bad Request: TOPIC_CLOSED")

    def of(self, chat_id: int) -> list[Topic]:
        """The topics of a group that are there, the oldest first."""
        return [topic for (chat, _), topic in self.topics.items() if chat == chat_id and not topic.is_deleted]

    def _existing(self, chat_id: int, thread_id: int) -> Topic:
        topic = self.topics.get((chat_id, thread_id))
        if topic is None or topic.is_deleted:
            raise BotApiError(400, THREAD_NOT_FOUND)
        return topic


class GroupPace:
    """Refuses what a group gets beyond its messages a minute, whatever topic it is for.

    Attributes:
        limit: messages in a minute.
        refused: how often it refused.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.limit = GROUP_MESSAGES
        self.refused = 0
        self._clock = clock
        self._times: dict[int, deque[float]] = {}

    def count(self, chat_id: int) -> None:
        """Count a message.

        Raises:
            BotApiError: 429, which is not counted.
        """
        if chat_id >= 0:
            return
        now, times = self._clock(), self._times.setdefault(chat_id, deque())
        while times and times[0] <= now - GROUP_SECONDS:
            times.popleft()
        if len(times) >= self.limit:
            self.refused += 1
            wait = int(times[0] + GROUP_SECONDS - now) + 1
            raise BotApiError(429, f"Too Many Requests: retry after {wait}", wait)
        times.append(now)


def thread_of(params: Params) -> int | None:
    """The topic that a call names."""
    return params.integer("message_thread_id") or None
