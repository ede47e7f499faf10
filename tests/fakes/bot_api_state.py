"""Everything that the fake Bot API remembers while it runs."""

import itertools
import time

from tests.fakes.bot_api_forum import Forums, GroupPace
from tests.fakes.bot_api_model import (
    BotApiError,
    Call,
    Callback,
    Chat,
    Params,
    SentMessage,
    StoredFile,
    Upload,
    User,
)
from tests.fakes.bot_api_updates import UpdateQueue
from tests.fakes.bot_api_webhook import Webhook

BOT = {
    "id": 7001,
    "is_bot": True,
    "first_name": "پیوند",
    "username": "peyvand_test_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}
# A supergroup counts its messages itself; all private chats of a bot share one counter.
SUPERGROUP_IDS_BELOW = -1_000_000_000_000


class BotState:
    """The bot's account: who it knows, what was said, and what it was asked.

    Attributes:
        token: the only token that is let in.
        sent: the bot's messages by chat and message id.
        heard: people's messages (Telegram's Message objects) by chat and message id.
        callbacks: pressed buttons by query id.
        files: everything downloadable, by file id.
        chats: chats that the bot may write to.
        calls: all requests, in order of arrival.
        violations: what Telegram would let pass, but a careful client does not do.
        commands: the bot's commands by scope and language.
        forums: the topics of groups.
        group_pace: how many messages groups take.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.sent: dict[tuple[int, int], SentMessage] = {}
        self.heard: dict[tuple[int, int], dict[str, object]] = {}
        self.callbacks: dict[str, Callback] = {}
        self.files: dict[str, StoredFile] = {}
        self.chats: dict[int, Chat] = {}
        self.users: dict[int, User] = {}
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.commands: dict[tuple[str, str], list[dict[str, object]]] = {}
        self.queue = UpdateQueue(self.now)
        self.webhook = Webhook(self.queue, self.now)
        self.forums = Forums()
        self.group_pace = GroupPace(self.now)
        self._skew = 0.0
        self._message_ids: dict[int, itertools.count[int]] = {}
        self._file_numbers = itertools.count(1)
        self._callback_numbers = itertools.count(4_382_000_000_000_001)

    def now(self) -> float:
        """Seconds since the epoch, moved by what the test skipped."""
        return time.time() + self._skew

    def skip(self, seconds: float) -> None:
        """Let time pass at once, for what Telegram forgets after a while."""
        self._skew += seconds

    def next_message_id(self, chat_id: int) -> int:
        """A message id for this chat."""
        counter = chat_id if chat_id < SUPERGROUP_IDS_BELOW else 0
        return next(self._message_ids.setdefault(counter, itertools.count(101)))

    def next_callback_id(self) -> str:
        """An id for a pressed button."""
        return str(next(self._callback_numbers))

    def keep_file(self, folder: str, upload: Upload, size: int | None = None) -> StoredFile:
        """Keep a file and give it an id and a path for download.

        Args:
            folder: first part of the path, such as "photos".
            upload: name and content.
            size: bytes to claim, when not those of the content.
        """
        number = next(self._file_numbers)
        suffix = f".{upload.name.rpartition('.')[2]}" if "." in upload.name else ""
        kept = StoredFile(
            file_id=f"AgACAgQAAx{number:06d}",
            path=f"{folder}/file_{number}{suffix}",
            content=upload.content,
            size=len(upload.content) if size is None else size,
            name=upload.name,
        )
        self.files[kept.file_id] = kept
        return kept

    def chat_for(self, params: Params) -> Chat:
        """The chat that a call writes to.

        Raises:
            BotApiError: 400, when the bot does not know it; 403, when its user blocked the bot.
        """
        wanted = params.text("chat_id").strip()
        if not wanted:
            raise BotApiError(400, "Bad Request: chat_id is empty")
        chat = self.chats.get(int(wanted)) if wanted.lstrip("-").isdigit() else None
        if chat is None:
            raise BotApiError(400, "Bad Request: chat not found")
        if chat.user is not None and chat.user.blocked:
            raise BotApiError(403, "Forbidden: bot was blocked by the user")
        return chat

    def message_json(self, message: SentMessage) -> dict[str, object]:
        """Telegram's Message object of a message that the bot sent."""
        body: dict[str, object] = {
            "message_id": message.message_id,
            "from": {name: BOT[name] for name in ("id", "is_bot", "first_name", "username")},
            "chat": self.chats[message.chat_id].as_json(),
            "date": message.date,
        }
        if message.thread_id is not None:
            body |= {"message_thread_id": message.thread_id, "is_topic_message": True}
        if message.edits:
            body["edit_date"] = int(self.now())
        body |= _content_json(message)
        if message.inline_keyboard:
            body["reply_markup"] = {"inline_keyboard": message.inline_keyboard}
        if message.reply_to is not None and (message.chat_id, message.reply_to) in self.heard:
            body["reply_to_message"] = self.heard[message.chat_id, message.reply_to]
        return body


def _content_json(message: SentMessage) -> dict[str, object]:
    if message.file is None:
        return {"text": message.plain} | ({"entities": message.entities} if message.entities else {})
    file = {
        "file_id": message.file.file_id,
        "file_unique_id": f"u{message.file.file_id}",
        "file_size": message.file.size,
    }
    body: dict[str, object] = (
        {"photo": [file | {"width": 90, "height": 90}]}
        if message.kind == "photo"
        else {message.kind: file | {"file_name": message.file.name}}
    )
    if message.plain:
        body["caption"] = message.plain
    if message.entities:
        body["caption_entities"] = message.entities
    return body
