"""Which files are accepted, by what they claim to be and by how they begin."""

from __future__ import annotations

from collections.abc import Sequence

#: How files begin (https://www.garykessler.net/library/file_sigs.html): offset, bytes, type.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"#!", "application/x-shellscript"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"Rar!", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
)
_MARKUP = (b"<!doctype html", b"<html", b"<script", b"<svg", b"<?xml")


def true_type(start: bytes) -> str:
    """The MIME type that a file's first bytes show; empty when they show none."""
    for offset, signature, mime_type in _SIGNATURES:
        if start[offset : offset + len(signature)] == signature:
            return mime_type
    # A browser would run these, whatever name they carry.
    return "text/html" if start.lstrip().lower().startswith(_MARKUP) else ""


def is_accepted(mime_type: str, accepted: Sequence[str]) -> bool:
    """Whether a type is on the list, where ``image/*`` stands for all images.

    Args:
        mime_type: may carry parameters, as in ``text/plain; charset=utf-8``.
        accepted: from the settings.
    """
    bare = mime_type.partition(";")[0].strip().lower()
    family = bare.partition("/")[0] + "/*"
    # An SVG is a page that can run scripts, though it is called an image.
    return bare != "image/svg+xml" and (bare in accepted or family in accepted)
