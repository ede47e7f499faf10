"""What a console page sends over its socket: JSON objects with a ``type``, and nothing else in them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

#: Longest message, in characters.
MAX_TEXT = 4000
Id = Annotated[int, msgspec.Meta(ge=1, lt=10**18)]


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hello"):
    """What the page shows: everything after `last_seq` of a conversation is wanted; None for no one's."""

    conversation: Id | None = None
    last_seq: Annotated[int, msgspec.Meta(ge=0, lt=10**9)] = 0


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reply"):
    """Words for the customer of a hand-over; the same `key` again is the same message."""

    key: UUID
    handoff: Id
    text: str


class Whisper(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="whisper"):
    """Words for the staff alone."""

    key: UUID
    conversation: Id
    text: str


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="edit"):
    """Other words for a line that one wrote."""

    key: UUID
    message: Id
    text: str


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="claim"):
    """Take a hand-over that waits."""

    key: UUID
    handoff: Id


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ping"):
    """Asks whether the connection still carries; answered by a pong."""


Deed = Reply | Whisper | Edit | Claim
Frame = Hello | Reply | Whisper | Edit | Claim | Ping
_decoder = msgspec.json.Decoder(Hello | Reply | Whisper | Edit | Claim | Ping)


def decode(data: str) -> Frame:
    """Read a frame of the browser.

    Raises:
        msgspec.DecodeError: it is not JSON, or not a frame as described above.
    """
    frame: Frame = _decoder.decode(data)
    return frame
