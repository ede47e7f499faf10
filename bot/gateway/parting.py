"""Cuts what leaves into messages, as the platform takes them."""

from __future__ import annotations

import msgspec

from bot.gateway.channels.base import Capabilities, Part
from bot.gateway.outgoing import Outgoing, closes_keyboard
from bot.gateway.staff_words import has_caption
from crm_store.persian import rich


def parts_of(outgoing: Outgoing, capabilities: Capabilities, *, contact_title: str) -> list[Part]:
    """A row as messages: the picture with the first, the buttons below the last.

    Args:
        capabilities: of the channel.
        contact_title: title of the button that asks for the sender's number; empty for none.
    """
    if outgoing.edits is not None:
        return _edit(outgoing, capabilities)
    parts = (
        _with_files(outgoing, capabilities)
        if outgoing.files
        else _worded(outgoing, capabilities, contact_title)
    )
    if parts and outgoing.reply_to:
        parts[0] = msgspec.structs.replace(parts[0], reply_to=outgoing.reply_to)
    return parts


def _worded(outgoing: Outgoing, capabilities: Capabilities, contact_title: str) -> list[Part]:
    is_caption = bool(outgoing.image or outgoing.picture) or outgoing.export_of is not None
    caption_limit = capabilities.caption_limit if is_caption else 0
    texts = split(outgoing.text, capabilities.text_limit, caption_limit)
    last = len(texts) - 1
    return [
        Part(
            text=text,
            image=outgoing.image if number == 0 else "",
            buttons=outgoing.buttons if number == last else (),
            contact_button=contact_title if number == last else "",
            closes_keyboard=number == last and closes_keyboard(outgoing),
        )
        for number, text in enumerate(texts)
    ]


def split(text: str, limit: int, caption_limit: int) -> list[str]:
    """Cut a rich text into messages.

    Args:
        limit: visible UTF-16 units per message; 0 for no limit.
        caption_limit: of the first message, which is a picture's caption; 0 when there is no picture.
    """
    if not limit:
        return [text]
    if not caption_limit:
        return rich.split(text, limit)
    # A text that is too long for a caption follows the picture in messages of the usual length.
    caption = rich.split(text, caption_limit)
    return [*caption, ""][:1] if len(caption) <= 1 else ["", *rich.split(text, limit)]


def _edit(outgoing: Outgoing, capabilities: Capabilities) -> list[Part]:
    """The new words of a message; none for one that never had a number."""
    if not outgoing.edits:
        return []
    limit = capabilities.caption_limit if outgoing.is_caption else capabilities.text_limit
    text = rich.split(outgoing.text, limit)[0] if limit else outgoing.text
    return [Part(text=text, edits=outgoing.edits, is_caption=outgoing.is_caption)]


def _with_files(outgoing: Outgoing, capabilities: Capabilities) -> list[Part]:
    """What a person wrote: its words first, or below its only file; then its files."""
    if capabilities.keeps_documents:  # whoever reads the transcript is given the files from where they are
        return [Part(text=outgoing.text)]
    is_caption = has_caption(rich.to_plain(outgoing.text), len(outgoing.files))
    texts = [] if is_caption or not outgoing.text else split(outgoing.text, capabilities.text_limit, 0)
    parts = [Part(text=text) for text in texts]
    return [
        *parts,
        *(Part(text=outgoing.text if is_caption else "", place=place) for place in outgoing.files),
    ]
