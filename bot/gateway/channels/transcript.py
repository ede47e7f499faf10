"""Channels whose platform is our own transcript: the web chat and the terminal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import structlog

from bot.gateway.channels.base import Capabilities, Document, Part, Rejected, Unreachable
from bot.gateway.incoming import Incoming, MediaRef
from crm_store.privacy.files import chat_folder

log = structlog.get_logger(__name__)

CAPABILITIES = Capabilities(
    text_limit=0,
    edit_keyboard=False,
    chat_actions=False,
    answer_presses=False,
    request_contact=False,
    paced=False,
    keeps_documents=True,
)


class TranscriptChannel:
    """Sending is the transcript row itself, which the relay writes; clients follow the transcript.

    Args:
        name: ``web`` or ``terminal``.
        folder: the attachments folder, where documents stay for the reader.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self.capabilities = CAPABILITIES

    def parse(self, payload: dict[str, Any], chat_id: str) -> Incoming:
        """Read what the console kept: ``{"text" | "button" | "attachments", "client_id"}``.

        An attachment is ``{"kind", "mime_type", "size", "file_name", "path"}``, kept by the console already.
        """
        try:
            return _parse(payload, chat_id)
        except Exception:
            log.exception("strange_web_message", exc_info=False)
            return Incoming(kind="ignored", detail="unreadable", chat_id=chat_id)

    async def send(self, chat_id: str, part: Part, *, plain: bool = False) -> str:
        """Put a document where its reader finds it; else the transcript row is the delivery.

        Raises:
            Unreachable: the document cannot be written now.
        """
        if part.document is not None:
            place = self._folder / kept_place(self.name, chat_id, part.document)
            try:
                await asyncio.to_thread(_write, place, part.document.content)
            except OSError as error:
                raise Unreachable(f"a document cannot be kept: {os.strerror(error.errno or 0)}") from error
        return ""

    async def edit(self, chat_id: str, part: Part, *, plain: bool = False) -> None:
        """The transcript has the new words already."""

    async def typing(self, chat_id: str) -> None:
        """Clients show on their own that an answer is awaited."""

    async def answer_press(self, callback_query_id: str, text: str = "") -> None:
        """Presses wait for nothing here."""

    async def clear_buttons(self, chat_id: str, message_id: str) -> None:
        """Clients put used buttons away on their own."""

    async def download(self, media: MediaRef) -> AsyncIterator[bytes]:
        """Nothing can be downloaded: the console keeps files itself."""
        raise Rejected(f"the channel {self.name} has no files to download")
        yield b""

    async def close(self) -> None:
        """Nothing is open."""


def kept_place(channel: str, chat_id: str, document: Document) -> str:
    """Where a document of a chat is, below the attachments folder."""
    return f"{chat_folder(channel, chat_id)}/{document.kept_name}"


def _write(place: Path, content: bytes) -> None:
    """Write a file whole or not at all, for good."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(".part")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)


def _parse(payload: dict[str, Any], chat_id: str) -> Incoming:
    client_id, name = payload.get("client_id") or "", payload.get("display_name") or ""
    who: dict[str, Any] = {"chat_id": chat_id, "user_id": chat_id}
    who |= {"message_id": str(client_id), "display_name": str(name)}
    text = str(payload.get("text") or "")
    if payload.get("button"):
        return Incoming(kind="button", token=str(payload["button"]), **who)
    if payload.get("attachments"):
        media = tuple(_media(item) for item in payload["attachments"])
        return Incoming(kind="media", text=text, media=media, **who)
    if text.strip():
        return Incoming(kind="text", text=text, **who)
    return Incoming(kind="ignored", detail="empty", **who)


def _media(item: dict[str, Any]) -> MediaRef:
    return MediaRef(
        kind=str(item.get("kind") or "document"),
        mime_type=str(item.get("mime_type") or ""),
        size=int(item.get("size") or 0),
        file_name=str(item.get("file_name") or ""),
        path=str(item["path"]),
    )
