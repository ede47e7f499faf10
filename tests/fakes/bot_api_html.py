"""What Telegram does to a text before it keeps it: HTML entities parsed, control characters taken out.

The rules and the wording of the errors follow https://core.telegram.org/bots/api#html-style and the open
source of the server behind the Bot API.
"""

import re
from dataclasses import dataclass

from tests.fakes.bot_api_model import BotApiError

ENTITY_OF_TAG = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
NAMED_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
CHARACTER_REFERENCE = re.compile(r"&(?:#(?P<decimal>\d+)|#[xX](?P<hex>[0-9a-fA-F]+)|(?P<name>[a-z]+));?")
ATTRIBUTE = re.compile(r"""\s*(?P<name>[^\s=>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9.-]+)))?""")
# Telegram keeps no line separators and no embedding or override marks; isolates (U+2066 to U+2069) survive.
REMOVED = re.compile("[\r\u2028-\u202e\u0333\u033f\u030a]")
BLANKED = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f]")
# Of several direction marks in a row only the last survives; the others become half-spaces.
MARK_BEFORE_MARK = re.compile("[\u200e\u200f](?=[\u200e\u200f])")


@dataclass(frozen=True)
class FormattedText:
    """A text as Telegram keeps it.

    Attributes:
        plain: without markup.
        entities: Telegram's MessageEntity objects, offsets and lengths in UTF-16 units.
    """

    plain: str
    entities: list[dict[str, object]]


@dataclass(frozen=True)
class _OpenTag:
    name: str
    start: int
    url: str


def utf16_length(text: str) -> int:
    """Length of a text as Telegram counts it, in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def cleaned(text: str) -> str:
    """The text without the characters that Telegram takes out or replaces."""
    return MARK_BEFORE_MARK.sub("\u200c", BLANKED.sub(" ", REMOVED.sub("", text)))


def parse_html(source: str) -> FormattedText:
    """Read a text in Telegram's HTML mode.

    Args:
        source: the text with its tags.

    Returns:
        The text without tags, and its entities.

    Raises:
        BotApiError: 400 "can't parse entities: …", as Telegram words it.
    """
    source = cleaned(source)
    plain = ""
    entities: list[dict[str, object]] = []
    open_tags: list[_OpenTag] = []
    position = 0
    while position < len(source):
        if source[position] == "<" and source[position + 1 : position + 2] == "/":
            tag, position = _close(source, position, open_tags)
            length = utf16_length(plain) - tag.start
            if length > 0:
                entities.append(_entity(tag, length))
        elif source[position] == "<":
            tag, position = _open(source, position, utf16_length(plain))
            open_tags.append(tag)
        else:
            character, position = _character(source, position)
            plain += character
    if open_tags:
        raise _unparsable(f'Can\'t find end tag corresponding to start tag "{open_tags[-1].name}"')
    return _trimmed(plain, entities)


def parse_plain(source: str) -> FormattedText:
    """Read a text without a parse mode."""
    return _trimmed(cleaned(source), [])


def _unparsable(reason: str) -> BotApiError:
    return BotApiError(400, f"Bad Request: can't parse entities: {reason}")


def _byte_offset(source: str, position: int) -> int:
    return len(source[:position].encode())


def _character(source: str, position: int) -> tuple[str, int]:
    """One character of the text and the position after it; an unknown reference is the text it is."""
    reference = CHARACTER_REFERENCE.match(source, position)
    if reference is None:
        return source[position], position + 1
    if reference["name"]:
        known = NAMED_CHARACTERS.get(reference["name"])
    else:
        code = int(reference["decimal"]) if reference["decimal"] else int(reference["hex"], 16)
        known = chr(code) if 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF else None
    if known is None:
        return source[position], position + 1
    return known, reference.end()


def _open(source: str, begin: int, start: int) -> tuple[_OpenTag, int]:
    offset = _byte_offset(source, begin)
    head = re.compile(r"<([^\s>]*)").match(source, begin)
    if head is None or head.end() == len(source):
        raise _unparsable(f"Unclosed start tag at byte offset {offset}")
    name = head[1].lower()
    if name not in ENTITY_OF_TAG:
        raise _unparsable(f'Unsupported start tag "{name}" at byte offset {offset}')
    attributes, end = _attributes(source, head.end(), name, offset)
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    return _OpenTag(name, start, attributes.get("href", "")), end


def _attributes(source: str, position: int, tag: str, offset: int) -> tuple[dict[str, str], int]:
    attributes: dict[str, str] = {}
    while True:
        position += len(source[position:]) - len(source[position:].lstrip())
        if position >= len(source):
            raise _unparsable(f"Unclosed start tag at byte offset {offset}")
        if source[position] == ">":
            return attributes, position + 1
        found = ATTRIBUTE.match(source, position)
        if found is None:
            raise _unparsable(f'Empty attribute name in the tag "{tag}" at byte offset {offset}')
        value = next((part for part in found.groups()[1:] if part is not None), None)
        if value is None and (tag, found["name"]) != ("blockquote", "expandable"):
            place = f'the tag "{tag}" at byte offset {offset}'
            raise _unparsable(f"Expected equal sign in declaration of an attribute of {place}")
        attributes[found["name"].lower()] = value or ""
        position = found.end()


def _close(source: str, begin: int, open_tags: list[_OpenTag]) -> tuple[_OpenTag, int]:
    offset = _byte_offset(source, begin)
    if not open_tags:
        raise _unparsable(f"Unexpected end tag at byte offset {offset}")
    found = re.compile(r"</([^\s>]*)\s*>").match(source, begin)
    if found is None:
        raise _unparsable(f"Unclosed end tag at byte offset {offset}")
    tag = open_tags.pop()
    if found[1] and found[1].lower() != tag.name:
        pair = f'expected "</{tag.name}>", found "</{found[1].lower()}>"'
        raise _unparsable(f"Unmatched end tag at byte offset {offset}, {pair}")
    return tag, found.end()


def _entity(tag: _OpenTag, length: int) -> dict[str, object]:
    entity: dict[str, object] = {"type": ENTITY_OF_TAG[tag.name], "offset": tag.start, "length": length}
    if tag.url:
        entity["url"] = tag.url
    return entity


def _trimmed(plain: str, entities: list[dict[str, object]]) -> FormattedText:
    """The text without surrounding whitespace, its entities moved and cut accordingly."""
    kept = plain.strip(" \n")
    shift = utf16_length(plain) - utf16_length(plain.lstrip(" \n"))
    total = utf16_length(kept)
    moved = []
    for entity in entities:
        start = int(str(entity["offset"])) - shift
        end = min(start + int(str(entity["length"])), total)
        if max(start, 0) < end:
            moved.append({**entity, "offset": max(start, 0), "length": end - max(start, 0)})
    moved.sort(key=lambda entity: int(str(entity["offset"])))
    return FormattedText(kept, moved)
