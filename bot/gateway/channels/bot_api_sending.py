"""What goes into the calls that send something over the Bot API: methods, files and keyboards."""

from __future__ import annotations

from typing import Any

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from bot.gateway.channels.base import Part

#: Titles up to this length stand two in a row.
SHORT_TITLE = 18
#: The method that sends a file, by what it is; the file's parameter is called as the kind.
_METHODS = {
    "photo": "sendPhoto",
    "voice": "sendVoice",
    "audio": "sendAudio",
    "video": "sendVideo",
    "document": "sendDocument",
}

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


def what_is_sent(part: Part, text: str) -> tuple[str, dict[str, Any]]:
    """The method for a part, and its content."""
    if part.document is not None:
        kind = part.document.kind
        file = InputFile(part.document.content, filename=part.document.file_name)
        return _METHODS[kind], {kind: file, "caption": text}
    if part.image:
        return "sendPhoto", {"photo": part.image, "caption": text}
    return "sendMessage", {"text": text}


def markup_of(part: Part, *, can_ask_contact: bool) -> Markup | None:
    """The keyboard of a part."""
    if part.contact_button and can_ask_contact:
        # A message has one keyboard: beside the contact button the others can only type their own title.
        rows = [[KeyboardButton(part.contact_button, request_contact=True)]]
        rows += [[KeyboardButton(button["title"])] for button in part.buttons]
        return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)
    if part.buttons:
        return inline_keyboard(part.buttons)
    return ReplyKeyboardRemove() if part.closes_keyboard else None


def inline_keyboard(buttons: tuple[dict[str, Any], ...]) -> InlineKeyboardMarkup:
    """Buttons in their order, two in a row where both titles are short.

    Buttons that name their ``row`` stand in it from right to left, as Persian is read; the messengers lay
    rows from left to right.
    """
    rows: list[list[InlineKeyboardButton]] = []
    named: dict[int, list[InlineKeyboardButton]] = {}
    for button in buttons:
        key = InlineKeyboardButton(button["title"], callback_data=button["token"])
        if "row" in button:
            if button["row"] not in named:
                rows.append(named.setdefault(button["row"], []))
            named[button["row"]].insert(0, key)
            continue
        is_short = len(button["title"]) <= SHORT_TITLE
        if rows and is_short and len(rows[-1]) == 1 and len(rows[-1][0].text) <= SHORT_TITLE:
            rows[-1].append(key)
        else:
            rows.append([key])
    return InlineKeyboardMarkup(rows)
