"""What the gateway asks of a channel, and what can go wrong there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol

import msgspec

from bot.gateway.incoming import Incoming, MediaRef


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel can do.

    Attributes:
        html: understands our three tags; otherwise texts leave as plain text.
        text_limit: longest message in UTF-16 units; 0 for none.
        caption_limit: longest caption of a picture.
        edit_keyboard: buttons below a sent message can be taken away.
        chat_actions: can show that somebody is typing.
        answer_presses: waits for an answer to each press of a button and shows its text.
        request_contact: has a button that hands over the sender's own number.
        webhook_secret_header: repeats our secret in a header of each webhook call.
        paced: the platform limits how fast messages may come.
        keeps_documents: documents are not handed over but stay below the attachments folder, where the reader
            fetches them.
        pictures: takes pictures that we drew; otherwise their texts leave alone.
        topics: its groups can have topics.
        replies: shows to which message one of ours belongs.
        messages_per_second: per bot, where it differs from the settings.
    """

    html: bool = True
    text_limit: int = 4096
    caption_limit: int = 1024
    edit_keyboard: bool = True
    chat_actions: bool = True
    answer_presses: bool = True
    request_contact: bool = True
    webhook_secret_header: bool = True
    paced: bool = True
    keeps_documents: bool = False
    pictures: bool = True
    topics: bool = False
    replies: bool = False
    messages_per_second: float | None = None


FileKind = Literal["document", "photo", "voice", "audio", "video"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A file that we send.

    Attributes:
        file_name: what the reader's device calls it.
        content: its bytes.
        key: 32 hexadecimal digits, the same at every try; where documents stay with us it names the file.
        kind: ``document``, or ``photo``, ``voice``, ``audio`` or ``video`` for what is shown or played.
    """

    file_name: str
    content: bytes
    key: str
    kind: FileKind = "document"

    @property
    def kept_name(self) -> str:
        """The name under which it stays with us."""
        return f"{self.key}.{self.file_name.rpartition('.')[2]}"


class FilePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A file below the attachments folder that we send.

    Attributes:
        path: where it is.
        kind: as what it was sent to us.
        mime_type: its type.
        file_name: what it was called there; empty for nothing.
    """

    path: str
    kind: str = "document"
    mime_type: str = ""
    file_name: str = ""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it leaves.

    Attributes:
        text: rich text; with an image or a document its caption.
        buttons: ``{"title", "token"}`` each; those with a ``row`` stand in it from right to left.
        contact_button: title of the button that asks for the sender's number; empty for none.
        closes_keyboard: takes away the contact button of an earlier message.
        image: address of a picture.
        document: a file; never together with an image.
        place: where a file is below the attachments folder that is read when it leaves, as the document.
        reply_to: the messenger's number of the message that it belongs to; empty for none.
        edits: the messenger's number of the message whose words it replaces; empty for a new message.
        is_caption: that message is a file, and the words stand below it.
    """

    text: str
    buttons: tuple[dict[str, Any], ...] = ()
    contact_button: str = ""
    closes_keyboard: bool = False
    image: str = ""
    document: Document | None = None
    place: FilePlace | None = None
    reply_to: str = ""
    edits: str = ""
    is_caption: bool = False


class ChannelError(Exception):
    """A call to a platform did not succeed."""


class Blocked(ChannelError):
    """This chat cannot be reached: the bot was blocked or removed, or the account is gone."""


class RateLimited(ChannelError):
    """Too fast for this chat; ``retry_after`` in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


class BadMarkup(ChannelError):
    """The platform cannot read the markup of a text."""


class TooLarge(ChannelError):
    """The platform does not hand out so large a file."""


class Rejected(ChannelError):
    """The request was refused and would be refused again."""


class TopicGone(Rejected):
    """The group has no such topic: it was deleted."""


class TopicClosed(Rejected):
    """The topic is closed, and nobody may write in it."""


class NoTopics(Rejected):
    """The group has no topics, or the bot may not open one."""


class Conflict(ChannelError):
    """Somebody else asks for the updates of this bot, or a webhook is set."""


class Unauthorized(ChannelError):
    """The platform does not know this token."""


class Unreachable(ChannelError):
    """The platform could not be reached, or broke down.

    Attributes:
        maybe_delivered: the request may have arrived all the same.
    """

    def __init__(self, reason: str, *, maybe_delivered: bool = False) -> None:
        super().__init__(reason)
        self.maybe_delivered = maybe_delivered


class Channel(Protocol):
    """A way to people."""

    name: str
    capabilities: Capabilities

    def parse(self, payload: dict[str, Any], chat_id: str) -> Incoming:
        """Read a kept update; never raises."""

    async def send(self, chat_id: str, part: Part, *, plain: bool = False) -> str:
        """Send one message.

        Args:
            plain: leave all markup out.

        Returns:
            The platform's id of the message.

        Raises:
            ChannelError: it was not sent, or (``Unreachable``) perhaps not.
        """

    async def edit(self, chat_id: str, part: Part, *, plain: bool = False) -> None:
        """Replace the words of a message that was sent (``Part.edits``).

        Raises:
            ChannelError: it was not replaced.
        """

    async def typing(self, chat_id: str) -> None:
        """Show for a few seconds that an answer is being written."""

    async def answer_press(self, callback_query_id: str, text: str = "") -> None:
        """End the waiting of a pressed button, with an alert if there is a text."""

    async def clear_buttons(self, chat_id: str, message_id: str) -> None:
        """Take the buttons below a message away."""

    def download(self, media: MediaRef) -> AsyncIterator[bytes]:
        """The content of a file, piece by piece."""

    async def close(self) -> None:
        """Close all connections."""
