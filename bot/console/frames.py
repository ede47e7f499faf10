"""What goes over the web chat's socket, in both directions, as JSON objects with a ``type``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from crm_store.conversations.queries import Line
from crm_store.persian import jalali_numeric, rich, to_jalali_datetime_text, to_persian_digits

#: Longest message, in characters.
MAX_TEXT = 4000
MAX_ATTACHMENTS = 10


class UploadReference(msgspec.Struct, frozen=True):
    """A file that was uploaded before.

    Attributes:
        id: name under which the upload was kept.
        mime_type: its type, as told at the upload.
        file_name: its name on the visitor's device.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\.[a-z0-9]{1,8}$")]
    mime_type: Annotated[str, msgspec.Meta(max_length=100)]
    file_name: Annotated[str, msgspec.Meta(max_length=255)] = ""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first frame: everything after ``last_seq`` is wanted."""

    last_seq: Annotated[int, msgspec.Meta(ge=0)]


class Said(msgspec.Struct, frozen=True, tag="message"):
    """A message; the same ``client_id`` again is the same message."""

    client_id: UUID
    text: str = ""
    attachments: Annotated[list[UploadReference], msgspec.Meta(max_length=MAX_ATTACHMENTS)] = []


class Pressed(msgspec.Struct, frozen=True, tag="press"):
    """A tap on a button."""

    client_id: UUID
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=24)]


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Asks whether the connection still carries; answered by a pong."""


ClientFrame = Hello | Said | Pressed | Ping
_decoder = msgspec.json.Decoder(Hello | Said | Pressed | Ping)


def decode(data: str) -> ClientFrame:
    """Read a frame of the browser.

    Raises:
        msgspec.DecodeError: it is not JSON, or not a frame as described above.
    """
    frame: ClientFrame = _decoder.decode(data)
    return frame


def encode(frame: dict[str, Any]) -> str:
    """Write a frame for the browser."""
    return msgspec.json.encode(frame).decode()


def message_frame(line: Line, *, timezone: str, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A line of the transcript as the page draws it: text runs and tags, never markup.

    Args:
        line: the line; its own message also carries the ``client_id`` it was sent with.
        timezone: zone in which times are shown.
        names: what colleagues are called, by the authors of lines.
    """
    message, incoming = line.message, line.incoming
    frame: dict[str, Any] = {
        "type": "message",
        "seq": message.seq,
        "author": message.author.partition(":")[0],
        "segments": _segments(message.author, message.text),
        "buttons": [
            {name: button[name] for name in ("title", "token", "row") if name in button}
            for button in message.extra.get("buttons", [])
        ],
        "at": _moment(message.created_at, timezone),
    }
    if names and names.get(message.author):
        frame["name"] = names[message.author]
    if "client_id" in incoming:
        frame["client_id"] = incoming["client_id"]
    if "button" in incoming:
        frame["pressed"] = incoming["button"]
    if incoming.get("attachments"):
        frame["attachments"] = [_attachment(item) for item in incoming["attachments"]]
    if message.extra.get("document", {}).get("path"):  # a file that we sent and that is still here
        frame["attachments"] = [_attachment({"kind": "document", **message.extra["document"]})]
    if message.author.startswith("staff:") and message.extra.get("files"):
        frame["attachments"] = [
            {**_attachment(item), "address": _address(message.seq, ordinal, item)}
            for ordinal, item in enumerate(message.extra["files"])
        ]
    return frame


def _segments(author: str, text: str) -> list[tuple[str, list[str]]]:
    # Only the bot writes rich text; what people typed is text, whatever it looks like.
    if author != "bot":
        return [(text, [])] if text else []
    return [(run, sorted(tags)) for run, tags in rich.segments(text)]


def _moment(at: datetime, timezone: str) -> dict[str, str]:
    # «یکشنبه ۱ آذر ۱۴۰۵، ساعت ۱۴:۰۵»: the day stands before the comma.
    day, _, _ = to_jalali_datetime_text(at, timezone).partition("،")
    return {
        "iso": at.isoformat(),
        "time": to_persian_digits(f"{at.astimezone(ZoneInfo(timezone)):%H:%M}"),
        "day": day,
        "day_key": jalali_numeric(at, timezone),
    }


def _address(seq: int, ordinal: int, item: dict[str, Any]) -> str:
    # With the file's own name: numbers begin again after an erasure, and a browser keeps what it was shown.
    return f"/chat/lines/{seq}/files/{ordinal}?name={quote(item['path'].rpartition('/')[2])}"


def _attachment(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": item["path"].rpartition("/")[2],
        "kind": item["kind"],
        "file_name": item["file_name"],
        "size": item["size"],
    }
