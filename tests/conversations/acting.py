"""What somebody in a scripted conversation does in a turn, through the fake Bot API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_model import SentMessage, User

#: A valid mobile number for each user id: their own contact, and nobody else's.
OWN_PHONE = "+98912{:07d}"
#: In what somebody else's contact card holds.
OTHERS_PHONE = "+989010000001"
#: What a turn may do: ``edit`` names the message by its first wording and gives the new one in ``to``,
#: ``press`` a button by its title and, where several messages have such a one, what stands in the message in
#: ``below``.
DEEDS = ("user", "press", "photo", "video", "voice", "document", "album", "contact", "edit")

_CONTENT = {"photo": b"\xff\xd8\xff\xe0fake jpeg\xff\xd9", "video": b"\x00\x00\x00\x18ftypmp42fake mp4"}


class Actor:
    """One person's hands.

    Args:
        fake: Telegram.
        user: whose account it is.

    Attributes:
        heard: how many of the bot's messages a turn has looked at.
    """

    def __init__(self, fake: FakeBotApi, user: User) -> None:
        self._fake = fake
        self.user = user
        self.heard = 0
        self._said: dict[str, int] = {}

    def messages(self) -> list[SentMessage]:
        """What the bot has sent to this person."""
        return self._fake.messages(self.user.id)

    async def act(self, turn: Mapping[str, Any], text: str) -> list[int]:
        """Do what a turn says.

        Args:
            turn: of a script.
            text: what it writes, with its placeholders filled in: the message, caption or new wording.

        Returns:
            Ids of the updates that came of it.
        """
        fake, user = self._fake, self.user
        match next(deed for deed in DEEDS if deed in turn):
            case "press":
                update = await self._press(turn["press"], turn.get("below", ""))
            case "photo":
                update = await fake.send_photo(user, _CONTENT["photo"], caption=text)
            case "video":
                update = await fake.send_video(user, _CONTENT["video"], caption=text)
            case "document":
                update = await fake.send_document(user, caption=text)
            case "voice":
                update = await fake.send_voice(user)
            case "album":
                items = [(kind, _CONTENT[kind]) for kind in turn["album"]]
                return await fake.send_album(user, items, caption=text)
            case "contact":
                update = await self._send_contact(own=turn["contact"] == "own")
            case "edit":
                update = await fake.edit_text(user, self._said[turn["edit"]], text)
            case _:
                update = await fake.send_text(user, text)
                self._said[turn["user"]] = fake.message_id_of(update)
        return [update]

    async def _send_contact(self, *, own: bool) -> int:
        phone = "" if own else OTHERS_PHONE
        return await self._fake.send_contact(self.user, own=own, phone_number=phone)

    async def _press(self, title: str, below: str) -> int:
        """Press the latest button that says so, below a message or of those that type their title.

        Args:
            below: what stands in the message.
        """
        for message in reversed([message for message in self.messages() if below in message.plain]):
            if any(title in button.title for button in message.buttons):
                return await self._fake.press(self.user, message, title)
            typed = next((key for key in _keys(message) if title in key), None)
            if typed is not None:
                return await self._fake.send_text(self.user, typed)
        raise LookupError(f"no button with {title!r}")


def _keys(message: SentMessage) -> list[str]:
    """What the keys of a reply keyboard type."""
    rows: Any = (message.keyboard or {}).get("keyboard", [])
    keys = [key if isinstance(key, dict) else {"text": key} for row in rows for key in row]
    return [str(key["text"]) for key in keys if not key.get("request_contact")]


def text_of(turn: Mapping[str, Any]) -> str:
    """What a turn writes: a message, a caption, or the new wording of a message."""
    return str(turn.get("user") or turn.get("caption") or turn.get("to") or "")
