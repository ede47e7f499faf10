"""Checks a reply_markup as the Bot API does."""

import json
from dataclasses import dataclass, field

from tests.fakes.bot_api_model import BotApiError

MAX_CALLBACK_BYTES = 64
MAX_MARKUP_BYTES = 10_000
MAX_INLINE_BUTTONS = 100
INLINE_FIELDS = {"text", "callback_data", "url", "web_app", "copy_text", "icon_custom_emoji_id", "style"}
INLINE_ACTIONS = {"callback_data", "url", "web_app", "copy_text"}
KEYBOARD_FIELDS = {"text", "request_contact", "request_location", "web_app", "icon_custom_emoji_id", "style"}
MARKUP_FIELDS = {
    "inline_keyboard": {"inline_keyboard"},
    "keyboard": {
        "keyboard",
        "is_persistent",
        "resize_keyboard",
        "one_time_keyboard",
        "input_field_placeholder",
        "selective",
    },
    "remove_keyboard": {"remove_keyboard", "selective"},
    "force_reply": {"force_reply", "input_field_placeholder", "selective"},
}


@dataclass
class Markup:
    """A checked reply_markup.

    Attributes:
        inline: rows of inline buttons; empty when there are none.
        keyboard: a reply keyboard, its removal or a forced reply, as sent.
        violations: what Telegram would overlook, but a careful client does not send.
    """

    inline: list[list[dict[str, object]]] = field(default_factory=list)
    keyboard: dict[str, object] | None = None
    violations: list[str] = field(default_factory=list)


def read_markup(value: object, *, private_chat: bool) -> Markup:
    """Check a reply_markup.

    Args:
        value: the decoded JSON; None when there is no markup.
        private_chat: whether a telephone number or a location may be asked for.

    Raises:
        BotApiError: 400, with Telegram's wording.
    """
    if value is None:
        return Markup()
    if not isinstance(value, dict):
        raise BotApiError(400, "Bad Request: object expected as reply markup")
    kind = next((name for name in MARKUP_FIELDS if name in value), None)
    if kind is None:
        return Markup(violations=[f"reply_markup of no known kind: {sorted(value)}"])
    markup = Markup(violations=_unknown("reply_markup", value, MARKUP_FIELDS[kind]))
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_MARKUP_BYTES:
        raise BotApiError(400, "Bad Request: reply markup is too long")
    if kind == "inline_keyboard":
        markup.inline = _rows(value[kind], kind)
        _check_inline(markup)
        return markup
    if kind == "keyboard":
        for row in _rows(value[kind], kind):
            for button in row:
                _check_keyboard_button(button, markup, private_chat=private_chat)
    markup.keyboard = value
    return markup


def _unknown(what: str, given: dict[str, object], known: set[str]) -> list[str]:
    return [f"{what}: unknown field {name}" for name in sorted(set(given) - known)]


def _rows(value: object, kind: str) -> list[list[dict[str, object]]]:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise BotApiError(400, f'Bad Request: field "{kind}" must be an Array of Arrays')
    rows: list[list[dict[str, object]]] = []
    for row in value:
        buttons: list[dict[str, object]] = []
        for button in row:
            if isinstance(button, str) and kind == "keyboard":
                buttons.append({"text": button})
            elif isinstance(button, dict):
                buttons.append(button)
            else:
                raise BotApiError(400, "Bad Request: can't parse keyboard button: it must be an Object")
        rows.append(buttons)
    return rows


def _check_text(button: dict[str, object]) -> None:
    if not isinstance(button.get("text"), str):
        raise BotApiError(400, 'Bad Request: can\'t parse button: Field "text" must be of type String')
    if not str(button["text"]).strip():
        raise BotApiError(400, "Bad Request: BUTTON_TEXT_INVALID")


def _check_inline(markup: Markup) -> None:
    if sum(len(row) for row in markup.inline) > MAX_INLINE_BUTTONS:
        raise BotApiError(400, "Bad Request: BUTTON_COUNT_INVALID")
    for button in (button for row in markup.inline for button in row):
        _check_text(button)
        markup.violations += _unknown("inline button", button, INLINE_FIELDS)
        actions = [name for name in INLINE_ACTIONS if button.get(name)]
        if not actions:
            reason = "Text buttons are unallowed in the inline keyboard"
            raise BotApiError(400, f"Bad Request: can't parse inline keyboard button: {reason}")
        if len(actions) > 1:
            markup.violations.append(f"inline button with several actions: {sorted(actions)}")
        data = button.get("callback_data", "x")
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= MAX_CALLBACK_BYTES:
            raise BotApiError(400, "Bad Request: BUTTON_DATA_INVALID")
        url = button.get("url", "https://")
        if not isinstance(url, str) or not url.startswith(("https://", "http://", "tg://")):
            raise BotApiError(400, "Bad Request: BUTTON_URL_INVALID")


def _check_keyboard_button(button: dict[str, object], markup: Markup, *, private_chat: bool) -> None:
    _check_text(button)
    markup.violations += _unknown("keyboard button", button, KEYBOARD_FIELDS)
    if button.get("request_contact") and not private_chat:
        raise BotApiError(400, "Bad Request: phone number can be requested in private chats only")
    if button.get("request_location") and not private_chat:
        raise BotApiError(400, "Bad Request: location can be requested in private chats only")
