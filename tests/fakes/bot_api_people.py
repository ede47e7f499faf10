"""The people's side of the fake Bot API: what they write, send and press becomes updates."""

import itertools
import re
from collections.abc import Sequence
from typing import Literal

from tests.fakes.bot_api_forum import ICON_COLOR
from tests.fakes.bot_api_model import Button, Callback, Chat, SentMessage, StoredFile, Upload, User
from tests.fakes.bot_api_state import BOT, BotState

SMALLEST_PHOTO = b"\xff\xd8\xff\xe0fake jpeg\xff\xd9"
SMALLEST_VOICE = b"OggS fake voice"
#: https://core.telegram.org/bots/api#message: a fake user stands in ``from`` of what is sent as a chat.
ANONYMOUS_ID = 1087968824
COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(?:@\w+)?")


class People:
    """Drives a `BotState` as the users of Telegram do. Each step returns the id of its update."""

    def __init__(self, state: BotState) -> None:
        self.state = state
        self._albums = itertools.count(13_500_000_001)
        self._update_messages: dict[int, int] = {}

    def user(
        self, user_id: int, first_name: str, *, username: str = "", phone_number: str = "+989120000000"
    ) -> User:
        """A person, who is unknown to the bot until they write to it.

        Args:
            user_id: Telegram's id, also that of the private chat.
            first_name: as shown in Telegram.
            username: without the at sign.
            phone_number: of their own contact, in international form.
        """
        person = User(user_id, first_name, username, phone_number)
        return self.state.users.setdefault(user_id, person)

    def message_id_of(self, update_id: int) -> int:
        """The id of the message that came with an update."""
        return self._update_messages[update_id]

    async def send_text(self, user: User, text: str) -> int:
        """Write to the bot."""
        return self._say(self._private(user), user, _text_json(text))

    async def edit_text(self, user: User, message_id: int, text: str) -> int:
        """Change the text of one's own message."""
        message = (
            self.state.heard[user.id, message_id] | {"edit_date": int(self.state.now())} | _text_json(text)
        )
        self.state.heard[user.id, message_id] = message
        return self.state.queue.add("edited_message", message)

    def forum(self, chat_id: int, *, title: str = "همکاران") -> None:
        """A supergroup with topics that the bot is in (`chat_id` below -1000000000000)."""
        self.state.chats.setdefault(chat_id, Chat(chat_id, title=title))
        self.state.forums.make_forum(chat_id)

    def delete_topic(self, chat_id: int, thread_id: int) -> None:
        """Delete a topic with all its messages; the bot is not told."""
        self.state.forums.topics[chat_id, thread_id].is_deleted = True

    def close_topic(self, chat_id: int, thread_id: int) -> None:
        """Close a topic."""
        self.state.forums.topics[chat_id, thread_id].is_closed = True

    async def group_message(
        self,
        chat_id: int,
        user: User,
        text: str,
        *,
        title: str = "گروه",
        thread: int | None = None,
        reply_to: int | None = None,
    ) -> int:
        """Write in a supergroup that the bot is in (`chat_id` below -1000000000000).

        Args:
            thread: the topic.
            reply_to: the message that is answered.
        """
        chat = self.state.chats.setdefault(chat_id, Chat(chat_id, title=title))
        return self._say(chat, user, self._in_group(chat_id, thread, reply_to) | _text_json(text))

    async def group_photo(
        self,
        chat_id: int,
        user: User,
        content: bytes = SMALLEST_PHOTO,
        *,
        caption: str = "",
        thread: int,
        album: str = "",
    ) -> int:
        """Send a photo into a topic, by itself or as one of an album."""
        what = self._photo_json(content, None) | _caption_json(caption)
        what |= {"media_group_id": album} if album else {}
        return self._say(self.state.chats[chat_id], user, self._in_group(chat_id, thread, None) | what)

    async def group_message_unnamed(self, chat_id: int, text: str, *, thread: int) -> int:
        """Write in a topic as an admin who stays anonymous, which is in the group's own name."""
        chat = self.state.chats[chat_id]
        nobody = {
            "from": {
                "id": ANONYMOUS_ID,
                "is_bot": True,
                "first_name": "Group",
                "username": "GroupAnonymousBot",
            },
            "sender_chat": chat.as_json(),
        }
        unnamed = User(ANONYMOUS_ID, "Group")
        return self._say(chat, unnamed, self._in_group(chat_id, thread, None) | _text_json(text) | nobody)

    async def group_voice(
        self, chat_id: int, user: User, content: bytes = SMALLEST_VOICE, *, thread: int
    ) -> int:
        """Send a voice message into a topic."""
        file = self.state.keep_file("voice", Upload("voice.oga", content))
        voice = {"voice": _file_json(file) | {"duration": 3, "mime_type": "audio/ogg"}}
        return self._say(self.state.chats[chat_id], user, self._in_group(chat_id, thread, None) | voice)

    async def group_location(self, chat_id: int, user: User, *, thread: int) -> int:
        """Send a place into a topic."""
        place = {"location": {"latitude": 35.6892, "longitude": 51.3890}}
        return self._say(self.state.chats[chat_id], user, self._in_group(chat_id, thread, None) | place)

    async def edit_group_text(self, chat_id: int, message_id: int, text: str) -> int:
        """Change the text of one's own message in a group."""
        changed = {"edit_date": int(self.state.now())} | _text_json(text)
        self.state.heard[chat_id, message_id] |= changed
        return self.state.queue.add("edited_message", self.state.heard[chat_id, message_id])

    def _in_group(self, chat_id: int, thread: int | None, reply_to: int | None) -> dict[str, object]:
        """Where in a group a message stands; in a topic one that answers none answers the topic's first."""
        body: dict[str, object] = {}
        if thread is not None:
            body = {"message_thread_id": thread, "is_topic_message": True}
            topic = self.state.forums.topics[chat_id, thread]
            bot = {name: BOT[name] for name in ("id", "is_bot", "first_name", "username")}
            body["reply_to_message"] = {
                "message_id": thread,
                "from": topic.opener.as_json() if topic.opener else bot,
                "forum_topic_created": {"name": topic.name, "icon_color": ICON_COLOR},
            }
        if reply_to is not None:
            ours = self.state.sent.get((chat_id, reply_to))
            answered = self.state.message_json(ours) if ours else self.state.heard[chat_id, reply_to]
            body["reply_to_message"] = answered
        return body

    async def press(self, user: User, message: SentMessage, title_contains: str) -> int:
        """Press the inline button whose title contains these words.

        Raises:
            LookupError: when the message shows no such button.
        """
        found: list[Button] = [button for button in message.buttons if title_contains in button.title]
        if not found:
            titles = [button.title for button in message.buttons]
            raise LookupError(f"no button with {title_contains!r} among {titles} below {message.plain!r}")
        return await self.press_data(user, message, found[0].data)

    async def press_data(self, user: User, message: SentMessage, data: str) -> int:
        """Press with this callback data, as from a stale screen or a forged client."""
        callback = Callback(self.state.next_callback_id(), message.chat_id, user.id, self.state.now())
        self.state.callbacks[callback.id] = callback
        query = {
            "id": callback.id,
            "from": user.as_json(),
            "message": self.state.message_json(message),
            "chat_instance": str(-(7_000_000_000 + abs(message.chat_id))),
            "data": data,
        }
        return self.state.queue.add("callback_query", query)

    async def send_photo(
        self, user: User, content: bytes = SMALLEST_PHOTO, *, caption: str = "", size: int | None = None
    ) -> int:
        """Send a photo; `size` claims that many bytes."""
        return self._say(self._private(user), user, self._photo_json(content, size) | _caption_json(caption))

    async def send_voice(self, user: User, content: bytes = SMALLEST_VOICE, *, duration: int = 3) -> int:
        """Send a voice message of this many seconds."""
        file = self.state.keep_file("voice", Upload("voice.oga", content))
        voice = _file_json(file) | {"duration": duration, "mime_type": "audio/ogg"}
        return self._say(self._private(user), user, {"voice": voice})

    async def send_document(
        self,
        user: User,
        content: bytes = b"%PDF-1.4 fake",
        *,
        name: str = "رسید.pdf",
        mime_type: str = "application/pdf",
        caption: str = "",
        size: int | None = None,
    ) -> int:
        """Send a document; `size` claims that many bytes."""
        file = self.state.keep_file("documents", Upload(name, content), size)
        document = _file_json(file) | {"file_name": name, "mime_type": mime_type}
        return self._say(self._private(user), user, {"document": document} | _caption_json(caption))

    async def send_video(self, user: User, content: bytes = b"fake mp4", *, caption: str = "") -> int:
        """Send a video."""
        return self._say(self._private(user), user, self._video_json(content) | _caption_json(caption))

    async def send_album(
        self, user: User, items: Sequence[tuple[Literal["photo", "video"], bytes]], *, caption: str = ""
    ) -> list[int]:
        """Send several photos and videos at once: one update for each, the caption with the first."""
        album = str(next(self._albums))
        updates = []
        for number, (kind, content) in enumerate(items):
            media = self._photo_json(content, None) if kind == "photo" else self._video_json(content)
            body = media | {"media_group_id": album} | (_caption_json(caption) if number == 0 else {})
            updates.append(self._say(self._private(user), user, body))
        return updates

    async def send_location(self, user: User, latitude: float = 35.6892, longitude: float = 51.3890) -> int:
        """Send a place."""
        return self._say(
            self._private(user), user, {"location": {"latitude": latitude, "longitude": longitude}}
        )

    async def send_contact(self, user: User, *, own: bool = True, phone_number: str = "") -> int:
        """Share one's own contact, or somebody else's.

        Args:
            user: who sends it.
            own: whether it is the sender's; somebody else's carries another user's id.
            phone_number: shared number; the sender's when not given.
        """
        contact: dict[str, object] = {
            "phone_number": phone_number or user.phone_number,
            "first_name": user.first_name,
            "user_id": user.id if own else user.id + 1,
        }
        return self._say(self._private(user), user, {"contact": contact})

    async def send_sticker(self, user: User, emoji: str = "👍") -> int:
        """Send a sticker."""
        file = self.state.keep_file("stickers", Upload("sticker.webp", b"RIFF fake webp"))
        sticker = _file_json(file) | {
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": emoji,
        }
        return self._say(self._private(user), user, {"sticker": sticker})

    async def block(self, user: User) -> int:
        """Block the bot: it is told, and may not write any more."""
        user.blocked = True
        return self._membership(user, "member", "kicked")

    async def unblock(self, user: User) -> int:
        """Take the block back."""
        user.blocked = False
        return self._membership(user, "kicked", "member")

    async def inject_update(self, update: dict[str, object]) -> int:
        """Queue any Update object; one without an update_id gets the next."""
        return self.state.queue.add_raw(update)

    def _private(self, user: User) -> Chat:
        if user.blocked:
            raise ValueError(f"{user.first_name} has blocked the bot and cannot write to it")
        return self.state.chats.setdefault(user.id, Chat(user.id, user))

    def _say(self, chat: Chat, user: User, content: dict[str, object]) -> int:
        message_id = self.state.next_message_id(chat.id)
        message: dict[str, object] = {
            "message_id": message_id,
            "from": user.as_json(),
            "chat": chat.as_json(),
            "date": int(self.state.now()),
        }
        self.state.heard[chat.id, message_id] = message | content
        update_id = self.state.queue.add("message", message | content)
        self._update_messages[update_id] = message_id
        return update_id

    def _membership(self, user: User, before: str, after: str) -> int:
        change = {
            "chat": self.state.chats.setdefault(user.id, Chat(user.id, user)).as_json(),
            "from": user.as_json(),
            "date": int(self.state.now()),
            "old_chat_member": _member_json(before),
            "new_chat_member": _member_json(after),
        }
        return self.state.queue.add("my_chat_member", change)

    def _photo_json(self, content: bytes, size: int | None) -> dict[str, object]:
        """Telegram offers a photo in several sizes, the largest last."""
        small = self.state.keep_file("photos", Upload("small.jpg", SMALLEST_PHOTO))
        large = self.state.keep_file("photos", Upload("large.jpg", content), size)
        return {
            "photo": [
                _file_json(small) | {"width": 90, "height": 67},
                _file_json(large) | {"width": 1280, "height": 960},
            ]
        }

    def _video_json(self, content: bytes) -> dict[str, object]:
        file = self.state.keep_file("videos", Upload("video.mp4", content))
        return {
            "video": _file_json(file) | {"width": 640, "height": 480, "duration": 5, "mime_type": "video/mp4"}
        }


def _text_json(text: str) -> dict[str, object]:
    command = COMMAND.match(text)
    if command is None:
        return {"text": text}
    return {"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": command.end()}]}


def _member_json(status: str) -> dict[str, object]:
    member: dict[str, object] = {"user": BOT, "status": status}
    return member | {"until_date": 0} if status == "kicked" else member


def _caption_json(caption: str) -> dict[str, object]:
    return {"caption": caption} if caption else {}


def _file_json(file: StoredFile) -> dict[str, object]:
    return {"file_id": file.file_id, "file_unique_id": f"u{file.file_id}", "file_size": file.size}
