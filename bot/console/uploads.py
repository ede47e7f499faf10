"""Files that visitors of the web chat send: kept in the attachments folder before a message names them.

``web/<visitor>/<random name>`` below the attachments folder; the visitor's part is a hash, so a message can
only name files of its own sender. The type is what the first bytes show, or else what the browser claims; so
what is served back is shown inline only for a few harmless kinds, and never as a page. Documents that a
visitor is sent stand in the same folder and are served in the same way.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader

from bot.console.frames import UploadReference
from bot.gateway.file_types import is_accepted, true_type
from crm_store.privacy.files import chat_folder
from crm_store.settings import Settings

#: Never fill the disk that the store lives on.
FREE_BYTES_KEPT = 100_000_000
#: What a browser may show or play in place, by the extension under which we keep it.
INLINE_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "weba": "audio/webm",
    "mp4": "video/mp4",
    "webm": "video/webm",
}
_EXTENSIONS = {mime_type: extension for extension, mime_type in INLINE_TYPES.items()}
_KINDS = {"image": "photo", "audio": "audio", "video": "video"}


class UploadRefusedError(Exception):
    """A file is not accepted.

    Attributes:
        code: key of the notice that tells why.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def folder_of(settings: Settings, visitor: str) -> Path:
    """Where a visitor's files are."""
    return settings.attachments_path / chat_folder("web", visitor)


async def keep_upload(settings: Settings, visitor: str, part: BodyPartReader) -> dict[str, Any]:
    """Store one file of a visitor's multipart request, on disk for good before it returns.

    Returns and raises as `keep_file` does.
    """
    return await keep_file(settings, folder_of(settings, visitor), part)


async def keep_file(settings: Settings, folder: Path, part: BodyPartReader) -> dict[str, Any]:
    """Store one file of a multipart request in a folder, on disk for good before it returns.

    Returns:
        What a message needs to refer to it: ``id``, ``mime_type``, ``file_name``; and ``kind`` and ``size``.

    Raises:
        UploadRefusedError: the type is not accepted, the file is empty or too large,
            or the disk is nearly full.
    """
    claimed = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()[:100]
    check_type(settings, claimed)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < FREE_BYTES_KEPT + settings.limits.attachment_bytes:
        raise UploadRefusedError("storage_full")
    unfinished = folder / f"{secrets.token_hex(16)}.part"
    try:
        size, start = await _write(part, unfinished, limit=settings.limits.attachment_bytes)
        mime_type = true_type(start) or claimed
        check_type(settings, mime_type)
        kept = unfinished.rename(unfinished.with_suffix(f".{_extension(mime_type)}"))
    finally:
        unfinished.unlink(missing_ok=True)
    return {
        "id": kept.name,
        "kind": _kind(mime_type),
        "mime_type": mime_type,
        "size": size,
        "file_name": Path(part.filename or "").name[:255],
    }


def check_type(settings: Settings, mime_type: str) -> None:
    """Compare a type with the accepted ones.

    Raises:
        UploadRefusedError: it is none of them.
    """
    if not is_accepted(mime_type, settings.limits.attachment_types):
        raise UploadRefusedError("file_type")


def resolve(settings: Settings, visitor: str, reference: UploadReference) -> dict[str, Any]:
    """Turn a message's reference into the attachment of an inbox row; its ``path`` is relative.

    Raises:
        UploadRefusedError: this visitor uploaded no such file, or its type is not accepted.
    """
    check_type(settings, reference.mime_type)
    file = folder_of(settings, visitor) / reference.id
    if not file.is_file():
        raise UploadRefusedError("file_missing")
    return {
        "path": file.relative_to(settings.attachments_path).as_posix(),
        "kind": _kind(reference.mime_type),
        "mime_type": reference.mime_type,
        "size": file.stat().st_size,
        "file_name": Path(reference.file_name).name,
    }


def _kind(mime_type: str) -> str:
    return _KINDS.get(mime_type.partition("/")[0], "document")


def _extension(mime_type: str) -> str:
    guessed = _EXTENSIONS.get(mime_type) or (mimetypes.guess_extension(mime_type) or "")[1:]
    return guessed if guessed.isalnum() and guessed.islower() and len(guessed) <= 8 else "bin"


async def _write(part: BodyPartReader, target: Path, *, limit: int) -> tuple[int, bytes]:
    """Write an upload down safely; returns its size and its first bytes."""
    size, start = 0, b""
    with target.open("wb") as file:
        while chunk := await part.read_chunk(65536):
            size += len(chunk)
            if size > limit:
                raise UploadRefusedError("file_too_large")
            start = start or chunk[:512]
            file.write(chunk)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    if size == 0:
        raise UploadRefusedError("file_unreadable")
    return size, start
