"""What the fake Bot API keeps: people, chats, messages, files, button presses and calls."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


class BotApiError(Exception):
    """A refusal, answered as Telegram answers it.

    Attributes:
        status: HTTP status and error_code.
        description: Telegram's wording.
        retry_after: seconds to wait, for 429.
    """

    def __init__(self, status: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.retry_after = retry_after

    def as_json(self) -> dict[str, object]:
        """The body of the answer."""
        body: dict[str, object] = {"ok": False, "error_code": self.status, "description": self.description}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        return body


@dataclass
class User:
    """A person with a Telegram account; the private chat with the bot has the same id."""

    id: int
    first_name: str
    username: str = ""
    phone_number: str = "+989120000000"
    blocked: bool = False

    def as_json(self) -> dict[str, object]:
        """Telegram's User object."""
        body: dict[str, object] = {
            "id": self.id,
            "is_bot": False,
            "first_name": self.first_name,
            "language_code": "fa",
        }
        if self.username:
            body["username"] = self.username
        return body


@dataclass
class Chat:
    """A private chat (with its user) or a supergroup (with a title)."""

    id: int
    user: User | None = None
    title: str = ""

    def as_json(self) -> dict[str, object]:
        """Telegram's Chat object."""
        if self.user is None:
            return {"id": self.id, "type": "supergroup", "title": self.title}
        body: dict[str, object] = {"id": self.id, "type": "private", "first_name": self.user.first_name}
        if self.user.username:
            body["username"] = self.user.username
        return body


@dataclass(frozen=True)
class Button:
    """An inline button: what it shows and the callback data or address behind it."""

    title: str
    data: str = ""
    url: str = ""


@dataclass
class SentMessage:
    """A message of the bot as it stands now; edits change it.

    Attributes:
        message_id: unique within the chat.
        chat_id: where it was sent.
        text: as the bot sent it, with markup (the caption of a photo or document).
        plain: as the reader sees it.
        date: seconds since the epoch.
        kind: "text", "photo", "voice", "audio", "video" or "document".
        buttons: the inline buttons, row by row in one list.
        keyboard: a reply keyboard or its removal, as sent.
        file: what was sent.
        edits: number of successful edits.
        entities: Telegram's MessageEntity objects.
        inline_keyboard: rows of Telegram's InlineKeyboardButton objects.
        reply_to: id of the message it answers.
        thread_id: the topic in which it stands.
    """

    message_id: int
    chat_id: int
    text: str
    plain: str
    date: int
    kind: str = "text"
    buttons: list[Button] = field(default_factory=list)
    keyboard: dict[str, object] | None = None
    file: "StoredFile | None" = None
    edits: int = 0
    entities: list[dict[str, object]] = field(default_factory=list)
    inline_keyboard: list[list[dict[str, object]]] = field(default_factory=list)
    reply_to: int | None = None
    thread_id: int | None = None

    def show_keyboard(self, rows: list[list[dict[str, object]]]) -> None:
        """Put these inline buttons below the message."""
        self.inline_keyboard = rows
        self.buttons = [
            Button(str(button["text"]), str(button.get("callback_data", "")), str(button.get("url", "")))
            for row in rows
            for button in row
        ]


@dataclass(frozen=True)
class StoredFile:
    """A file that somebody sent; `size` in bytes may be claimed larger than the content, to test limits."""

    file_id: str
    path: str
    content: bytes
    size: int
    name: str


@dataclass
class Callback:
    """A pressed button; `answered` counts the accepted answers."""

    id: str
    chat_id: int
    user_id: int
    pressed_at: float
    answered: int = 0
    answer_text: str = ""


@dataclass
class Call:
    """One request of the bot; `status` is 0 while it runs and when its connection was dropped unhandled.

    Attributes:
        method: the Bot API method, or "file" for a download.
        fields: parameters as they arrived.
        at: monotonic seconds at arrival.
        status: HTTP status of the answer that was given (or would have been, had the line held).
    """

    method: str
    fields: dict[str, object]
    at: float
    status: int = 0

    @property
    def chat_id(self) -> int | None:
        """The chat that the call names by number."""
        value = str(self.fields.get("chat_id", ""))
        return int(value) if value.lstrip("-").isdigit() else None


@dataclass(frozen=True)
class Upload:
    """A file part of a multipart request."""

    name: str
    content: bytes


class Params:
    """The parameters of one call, whether they came as JSON, in a form or in the address."""

    def __init__(self, fields: Mapping[str, object], uploads: Mapping[str, Upload]) -> None:
        self.fields = {name: value for name, value in fields.items() if value is not None}
        self.uploads = dict(uploads)

    def names(self) -> set[str]:
        """Names of everything that was given."""
        return set(self.fields) | set(self.uploads)

    def text(self, name: str) -> str:
        """A parameter as text, empty when it is missing."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def integer(self, name: str, default: int = 0) -> int:
        """A parameter as a number.

        Raises:
            BotApiError: 400, when it is something else.
        """
        value = self.text(name).strip()
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise BotApiError(400, f"Bad Request: parameter {name} must be an integer") from None

    def flag(self, name: str) -> bool:
        """A parameter as a truth value, read as Telegram reads it."""
        return self.text(name).strip().lower() in {"true", "yes", "1"}

    def structure(self, name: str) -> object:
        """A parameter that is JSON, decoded; None when it is missing.

        Raises:
            BotApiError: 400, when it is not JSON.
        """
        value = self.fields.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            decoded: object = json.loads(value)
        except ValueError:
            raise BotApiError(400, f"Bad Request: can't parse {name} JSON object") from None
        return decoded
