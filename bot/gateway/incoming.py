"""What arrived, in one shape for every channel."""

from __future__ import annotations

from typing import Literal

import msgspec

from bot.gateway.addresses import topic_address

Kind = Literal[
    "text",
    "button",
    "media",
    "location",
    "contact",
    "edited",
    "unsupported",
    "membership",
    "migrated",
    "anonymous",
    "ignored",
]


class MediaRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent along.

    Attributes:
        kind: ``photo``, ``voice``, ``audio``, ``video`` or ``document``.
        file_id: the messenger's id of the file; empty for a file that is kept already.
        mime_type: as the sender's client claims.
        size: bytes, as claimed; 0 when unknown.
        file_name: the sender's name for it, shown but never used as a path.
        path: place below the attachments folder of a file that the web chat has kept already.
    """

    kind: str
    file_id: str = ""
    mime_type: str = ""
    size: int = 0
    file_name: str = ""
    path: str = ""


class Location(msgspec.Struct, frozen=True):
    """A place on the map, in degrees (WGS 84)."""

    latitude: float
    longitude: float
    title: str = ""


class ContactCard(msgspec.Struct, frozen=True):
    """A contact card; ``own`` only when the messenger says that it is the sender's."""

    phone: str
    own: bool
    name: str = ""


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """One update of any channel.

    Attributes:
        kind: what it is.
        chat_id: where it was written.
        user_id: the account that wrote it.
        text: the text or caption, as typed.
        token: the pressed button's token.
        callback_query_id: what a press is answered with.
        message_id: the message itself; for a press the message below which the button stands.
        media_group_id: the album that it belongs to.
        is_group: written in a group, not in a private chat.
        thread_id: the group's topic in which it was written; empty for none.
        reply_to: the message that it answers; empty for none.
        answers_account: who wrote that message or, where none is answered, opened the topic; empty for
            nobody.
        detail: of ``unsupported`` what it was, of ``membership`` ``blocked``, ``reachable``, ``added`` or
            ``removed``, of ``migrated`` the group's new id, of ``ignored`` why.
    """

    kind: Kind
    chat_id: str = ""
    user_id: str = ""
    display_name: str = ""
    username: str = ""
    text: str = ""
    token: str = ""
    callback_query_id: str = ""
    message_id: str = ""
    media: tuple[MediaRef, ...] = ()
    media_group_id: str = ""
    location: Location | None = None
    contact: ContactCard | None = None
    is_group: bool = False
    thread_id: str = ""
    reply_to: str = ""
    answers_account: str = ""
    detail: str = ""

    @property
    def place(self) -> str:
        """The chat, or the topic of a group: what is said there is dealt with in order."""
        return topic_address(self.chat_id, self.thread_id)
