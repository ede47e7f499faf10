"""Sends one message with the file that it names; without markup, or as a plain file, where it must be so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import structlog

from bot.gateway.channels.base import BadMarkup, Channel, Document, FileKind, FilePlace, Part, Rejected

log = structlog.get_logger(__name__)

#: What a messenger shows or plays in place; anything else goes as a file
#: (https://core.telegram.org/bots/api#sendvoice and the methods beside it).
_SHOWN: dict[str, FileKind] = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
    "audio/ogg": "voice",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "video/mp4": "video",
}
MAX_PHOTO_BYTES = 10_000_000


async def send_part(channel: Channel, address: str, part: Part, *, folder: Path) -> str:
    """Send a message, or give one that was sent new words.

    Args:
        address: a chat, or a topic of a group.
        folder: the attachments folder.

    Returns:
        The messenger's number of the message; empty where there was nothing to send.

    Raises:
        ChannelError: it was not sent, or perhaps not.
    """
    if part.edits:
        await _without_markup_if_refused(channel, address, part)
        return part.edits
    if part.place is not None:
        document = await asyncio.to_thread(_read, folder, part.place)
        if document is None:
            log.warning("file_gone", path=part.place.path)
            part = msgspec.structs.replace(part, place=None)
            return await _without_markup_if_refused(channel, address, part) if part.text else ""
        part = msgspec.structs.replace(part, place=None, document=document)
        try:
            return await _without_markup_if_refused(channel, address, part)
        except Rejected as error:
            # Whatever is wrong with a picture or a recording, as a file it arrives.
            if document.kind == "document" or type(error) is not Rejected:
                raise
            log.warning("file_sent_as_it_is", kind=document.kind, reason=str(error))
            part = msgspec.structs.replace(part, document=msgspec.structs.replace(document, kind="document"))
    return await _without_markup_if_refused(channel, address, part)


async def _without_markup_if_refused(channel: Channel, address: str, part: Part) -> str:
    try:
        return await _send_or_edit(channel, address, part, plain=False)
    except BadMarkup:
        log.error("markup_refused")
        return await _send_or_edit(channel, address, part, plain=True)


async def _send_or_edit(channel: Channel, address: str, part: Part, *, plain: bool) -> str:
    if not part.edits:
        return await channel.send(address, part, plain=plain)
    await channel.edit(address, part, plain=plain)
    return part.edits


def _read(folder: Path, place: FilePlace) -> Document | None:
    """A file below the attachments folder; None where it is there no more."""
    file = (folder / place.path).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    content = file.read_bytes()
    kind = _SHOWN.get(place.mime_type.partition(";")[0].strip().lower(), "document")
    if place.kind == "document" or (kind == "photo" and len(content) > MAX_PHOTO_BYTES):
        kind = "document"
    if kind == "voice" and place.kind == "audio":  # a piece of music is no recording
        kind = "document"
    name = place.file_name or f"{place.kind}{file.suffix}"
    return Document(file_name=name, content=content, key="", kind=kind)
