"""What a staff group reads of what is said, in as few messages as possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from bot.gateway.channels.base import Part
from bot.gateway.leaving import HELD_BACK
from bot.gateway.staff_words import CAPTION_LIMIT, UNDELIVERED, file_place
from crm_store.conversations.models import STAFF_ONLY, Attachment
from crm_store.handoff.topics import CAPTION, PART, TEXT, LineToShow
from crm_store.persian import rich, to_persian_digits
from crm_store.staff.phones import said
from crm_store.terms import terms

#: Longest message, in UTF-16 units.
TEXT_LIMIT = 4096
_BETWEEN = "\n\n"


class Names(msgspec.Struct, frozen=True):
    """Who speaks.

    Attributes:
        customer: what the customer is called.
        number: the customer's number, where messages of several customers stand together; None in a topic.
        staff: names of members of staff by the authors of lines.
        shows_phones: whether everybody who reads it sees phone numbers whole.
    """

    customer: str
    number: int | None
    staff: Mapping[str, str]
    shows_phones: bool


class Piece(msgspec.Struct, frozen=True):
    """One message to the group.

    Attributes:
        part: what is sent.
        form: what it is for the lines that it stands for.
        message_ids: those lines.
        up_to: number of the last line that is shown whole with it; 0 where there is more of it to come.
    """

    part: Part
    form: str
    message_ids: tuple[int, ...]
    up_to: int = 0


def next_pieces(lines: Iterable[LineToShow], names: Names) -> list[Piece]:
    """The next message, with as many lines as fit into it; a line with files, or too long, makes several."""
    joined: list[LineToShow] = []
    text = ""
    for line in lines:
        longer = _said([*joined, line], names)
        if line.files or rich.utf16_length(rich.to_plain(longer)) > TEXT_LIMIT:
            break
        joined.append(line)
        text = longer
    if joined:
        ids = tuple(line.message.id for line in joined)
        return [Piece(Part(text=text), TEXT, ids, joined[-1].message.seq)]
    first = next(iter(lines), None)
    return [] if first is None else _pieces_of(first, names)


def edited_parts(lines: list[LineToShow], names: Names, *, form: str) -> list[Part]:
    """The new words of a message: one part, or several where they no longer fit."""
    text = _said(lines, names)
    limit = CAPTION_LIMIT if form == CAPTION else TEXT_LIMIT
    parts = rich.split(text, limit)
    if form == CAPTION:
        parts = parts[:1]
    return [Part(text=one, is_caption=form == CAPTION) for one in parts]


def _pieces_of(line: LineToShow, names: Names) -> list[Piece]:
    """A line of its own: its files, the first with its words below it where they fit; else those in parts."""
    ids, seq = (line.message.id,), line.message.seq
    text = _said([line], names)
    places = [file_place(one) for one in line.files]
    is_caption = bool(places) and rich.utf16_length(rich.to_plain(text)) <= CAPTION_LIMIT
    pieces = []
    if not is_caption:
        parts = rich.split(text, TEXT_LIMIT)
        form = TEXT if len(parts) == 1 else PART
        pieces = [Piece(Part(text=part), form, ids) for part in parts]
    head = _header(line, names)
    for number, place in enumerate(places):
        caption = text if is_caption and number == 0 else head
        form = CAPTION if is_caption and number == 0 else PART
        pieces.append(Piece(Part(text=caption, place=place), form, ids))
    return [*pieces[:-1], msgspec.structs.replace(pieces[-1], up_to=seq)]


def _said(lines: list[LineToShow], names: Names) -> str:
    """Lines one below the other, each speaker named once in a row."""
    blocks: list[tuple[str, list[str]]] = []
    for line in lines:
        header, words = _header(line, names), _words(line, names)
        if not blocks or blocks[-1][0] != header:
            blocks.append((header, []))
        if words:
            blocks[-1][1].append(words)
    return _BETWEEN.join("\n".join([header, *words]) for header, words in blocks)


def _header(line: LineToShow, names: Names) -> str:
    """Who said a line, and to whom, where that is not everybody."""
    message, words = line.message, terms("gateway")["speakers"]
    customer = rich.value(names.customer or words["customer"])
    if names.number is not None:
        customer = f"{customer} ({to_persian_digits(names.number)})"
    if message.author == "customer":
        return f"<b>{customer}</b>"
    speaker = words["bot"] if message.author == "bot" else names.staff.get(message.author) or words["staff"]
    header = f"<b>{rich.value(speaker)}</b>"
    if message.extra.get(HELD_BACK):
        header = f"{header} <i>({words['held_back']})</i>"
    elif message.audience == STAFF_ONLY:
        header = f"{header} <i>({words['whisper']})</i>"
    return header if names.number is None else f"{header} ← {customer}"


def _words(line: LineToShow, names: Names) -> str:
    """What a line says, with a word for what cannot be shown."""
    message, words = line.message, terms("gateway")["lines"]
    text = message.text if message.author == "bot" else rich.from_plain(message.text)
    told = [said(text, is_whole=names.shows_phones)] if text else []
    extra: dict[str, Any] = message.extra
    told += [_card(one) for one in line.attachments if not one.path]
    if extra.get("unsupported"):
        told.append(f"<i>{words['sticker' if extra['unsupported'] == 'sticker' else 'unsupported']}</i>")
    if len(extra.get("media", [])) > len(line.files):
        told.append(f"<i>{words['file_missing']}</i>")
    if extra.get("document") or extra.get("image"):
        told.append(f"<i>{words['file_sent']}</i>")
    if extra.get(UNDELIVERED):
        told.append(f"<i>{words['undelivered']}</i>")
    if message.edited_at is not None:
        told.append(f"<i>{words['edited']}</i>")
    return "\n".join(told)


def _card(attachment: Attachment) -> str:
    """A place on the map, or somebody's contact, in words."""
    data, words = attachment.data, terms("gateway")["lines"]
    if attachment.kind != "location":
        return f"<i>{words['contact']}</i> {rich.value(data.get('name', ''))}"
    place = f"{data.get('latitude')}, {data.get('longitude')}"
    shown = [
        f"<i>{words['location']}</i> <code>{rich.value(place)}</code>",
        rich.value(data.get("title", "")),
    ]
    return "\n".join(filter(None, shown))
