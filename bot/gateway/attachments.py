"""Keeps the files that customers send, in the data folder under names of our own."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog
from sqlalchemy import select

from bot.gateway.channels.base import Channel, Rejected, TooLarge
from bot.gateway.file_types import is_accepted, true_type
from bot.gateway.incoming import MediaRef
from bot.gateway.jobs import Kept, Notice
from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Attachment
from crm_store.db import Database
from crm_store.settings import Settings

log = structlog.get_logger(__name__)

#: Bytes from the start of a file that tell its type.
SNIFFED_BYTES = 512
PART_SUFFIX = ".part"
MEGABYTE = 1_000_000


class _Refused(Exception):
    def __init__(self, notice: Notice) -> None:
        self.notice = notice


class _Stored(NamedTuple):
    path: Path
    size: int
    mime_type: str


#: The messenger gives the file no more; the words that came with it are answered all the same.
NOT_RECEIVED = "utter_attachment_not_received"


class AttachmentKeeper:
    """Fetches files, checks them and writes them down.

    Args:
        database: the store.
        settings: the folder and the limits.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._folder = settings.attachments_path
        self._limits = settings.limits

    def remove_leftovers(self) -> None:
        """Delete what a process that was killed had half written."""
        for leftover in self._folder.glob(f"[0-9][0-9][0-9][0-9]/*/*{PART_SUFFIX}"):
            leftover.unlink(missing_ok=True)

    async def keep(
        self, channel: Channel, media: Sequence[MediaRef], *, conversation_id: int, inbox_id: int
    ) -> Kept:
        """Keep the files of one turn; those that are kept already are not fetched again.

        Args:
            media: in the order of arrival; the position is the file's ordinal.
            inbox_id: the row that names the turn.

        Raises:
            ChannelError: a file could not be fetched this time.
        """
        known = await asyncio.to_thread(self._known, inbox_id)
        kept = Kept()
        for ordinal, file in enumerate(media):
            if ordinal not in known:
                try:
                    stored = await self._store(channel, file)
                except (_Refused, Rejected) as error:
                    refused = error if isinstance(error, _Refused) else _Refused(Notice(NOT_RECEIVED))
                    if refused.notice not in kept.refusals:
                        kept.refusals.append(refused.notice)
                    continue
                record = partial(self._record, file, stored, conversation_id=conversation_id)
                known[ordinal] = await asyncio.to_thread(record, inbox_id=inbox_id, ordinal=ordinal)
            kept.attachments.append({"id": known[ordinal], "kind": file.kind})
        return kept

    def _known(self, inbox_id: int) -> dict[int, int]:
        with self._database.read() as session:
            rows = session.scalars(select(Attachment).where(Attachment.inbox_id == inbox_id))
            return {attachment.ordinal: attachment.id for attachment in rows}

    async def _store(self, channel: Channel, file: MediaRef) -> _Stored:
        """Check a file and put it into the folder."""
        if file.size > self._limits.attachment_bytes:
            raise _Refused(self._too_large())
        self._check_type(file.mime_type)
        if file.path:
            path = self._checked_path(file.path)
            return _Stored(path, path.stat().st_size, file.mime_type)
        part = self._new_part()
        try:
            size, start = await self._fetch(channel, file, part)
            mime_type = true_type(start) or file.mime_type
            self._check_type(mime_type)
            path = part.with_suffix(mimetypes.guess_extension(mime_type) or ".bin")
            await asyncio.to_thread(part.replace, path)
        finally:
            part.unlink(missing_ok=True)
        return _Stored(path, size, mime_type)

    def _check_type(self, mime_type: str) -> None:
        if not is_accepted(mime_type, self._limits.attachment_types):
            raise _Refused(Notice("utter_attachment_type_refused"))

    def _too_large(self) -> Notice:
        return Notice("utter_attachment_too_large", {"limit": self._limits.attachment_bytes // MEGABYTE})

    def _checked_path(self, path: str) -> Path:
        """A file that the console has kept; it must lie in the folder."""
        resolved = (self._folder / path).resolve()
        if not resolved.is_relative_to(self._folder) or not resolved.is_file():
            raise ValueError("an attachment's path leads out of the attachments folder, or to no file")
        return resolved

    def _new_part(self) -> Path:
        now = utcnow()
        folder = self._folder / f"{now:%Y}" / f"{now:%m}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{secrets.token_hex(16)}{PART_SUFFIX}"

    async def _fetch(self, channel: Channel, file: MediaRef, part: Path) -> tuple[int, bytes]:
        """Write a file down safely; returns its size in bytes and its first bytes."""
        size, start = 0, b""
        with part.open("wb") as sink:
            try:
                async for piece in channel.download(file):
                    size += len(piece)
                    if size > self._limits.attachment_bytes:  # whatever size was claimed
                        raise _Refused(self._too_large())
                    start = start or piece[:SNIFFED_BYTES]
                    await asyncio.to_thread(sink.write, piece)
            except TooLarge as error:
                raise _Refused(self._too_large()) from error
            sink.flush()
            await asyncio.to_thread(os.fsync, sink.fileno())
        return size, start

    def _record(
        self, file: MediaRef, stored: _Stored, *, conversation_id: int, inbox_id: int, ordinal: int
    ) -> int:
        with self._database.write() as session:
            attachment = conversations.add_attachment(
                session,
                conversation_id=conversation_id,
                inbox_id=inbox_id,
                ordinal=ordinal,
                kind=file.kind,
                mime_type=stored.mime_type,
                size=stored.size,
                file_name=file.file_name,
                path=stored.path.relative_to(self._folder).as_posix(),
            )
            return attachment.id
