"""The Bot API's methods, as strict as Telegram in what they accept (https://core.telegram.org/bots/api)."""

import re
import struct
from collections.abc import Awaitable, Callable
from functools import partial

from tests.fakes.bot_api_forum import ICON_COLOR, thread_of
from tests.fakes.bot_api_html import FormattedText, parse_html, parse_plain, utf16_length
from tests.fakes.bot_api_markup import Markup, read_markup
from tests.fakes.bot_api_model import BotApiError, Params, SentMessage, StoredFile, Upload
from tests.fakes.bot_api_state import BOT, BotState
from tests.fakes.bot_api_updates import MAX_POLL_SECONDS

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ANSWER = 200
MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_UPLOAD_BYTES = 50 * 1024 * 1024
# A photo's width and height together, and the one by the other (https://core.telegram.org/bots/api#sendphoto).
MAX_SIDES, MAX_RATIO = 10_000, 20
# How a PNG begins, and where its width and height stand.
PNG, PNG_SIZE_AT = b"\x89PNG\r\n\x1a\n", 16
# How long a pressed button waits for its answer; Telegram publishes no figure.
CALLBACK_SECONDS = 60.0
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the"
    " same as a current content and reply markup of the message"
)
POLLING_REFUSED = (
    "Conflict: can't use getUpdates method while webhook is active;"
    " use deleteWebhook to delete the webhook first"
)
COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")
CHAT_ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}
_TARGET = "chat_id message_thread_id business_connection_id direct_messages_topic_id"
_SENDING = f"{_TARGET} suggested_post_parameters parse_mode disable_notification protect_content"
_REPLYING = "allow_paid_broadcast message_effect_id reply_parameters reply_markup"
_EDITING = "business_connection_id chat_id message_id inline_message_id reply_markup"
PARAMETERS = {
    method: set(names.split())
    for method, names in {
        "getMe": "",
        "getUpdates": "offset limit timeout allowed_updates",
        "setWebhook": "url certificate ip_address max_connections allowed_updates drop_pending_updates"
        " secret_token",
        "deleteWebhook": "drop_pending_updates",
        "getWebhookInfo": "",
        "sendMessage": f"{_SENDING} {_REPLYING} text entities link_preview_options",
        "sendPhoto": f"{_SENDING} {_REPLYING} photo caption caption_entities show_caption_above_media"
        " has_spoiler",
        "sendVoice": f"{_SENDING} {_REPLYING} voice caption caption_entities duration",
        "sendAudio": f"{_SENDING} {_REPLYING} audio caption caption_entities duration performer title"
        " thumbnail",
        "sendVideo": f"{_SENDING} {_REPLYING} video caption caption_entities duration width height thumbnail"
        " show_caption_above_media has_spoiler supports_streaming cover start_timestamp",
        "editMessageCaption": f"{_EDITING} caption parse_mode caption_entities show_caption_above_media",
        "createForumTopic": "chat_id name icon_color icon_custom_emoji_id",
        "reopenForumTopic": "chat_id message_thread_id",
        "sendDocument": f"{_SENDING} {_REPLYING} document thumbnail caption caption_entities"
        " disable_content_type_detection",
        "sendChatAction": "business_connection_id chat_id message_thread_id action",
        "editMessageText": f"{_EDITING} text parse_mode entities link_preview_options",
        "editMessageReplyMarkup": _EDITING,
        "answerCallbackQuery": "callback_query_id text show_alert url cache_time",
        "getFile": "file_id",
        "setMyCommands": "commands scope language_code",
        "getMyCommands": "scope language_code",
        "deleteMyCommands": "scope language_code",
    }.items()
}


class BotMethods:
    """Carries out calls on a `BotState`."""

    def __init__(self, state: BotState) -> None:
        self._state = state
        self._handlers: dict[str, Callable[[Params], Awaitable[object]]] = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
            "sendMessage": self._send_message,
            "sendPhoto": self._send_photo,
            "sendDocument": self._send_document,
            "sendVoice": partial(self._send_recording, "voice"),
            "sendAudio": partial(self._send_recording, "audio"),
            "sendVideo": partial(self._send_recording, "video"),
            "createForumTopic": self._create_topic,
            "reopenForumTopic": self._reopen_topic,
            "editMessageCaption": self._edit_caption,
            "sendChatAction": self._send_chat_action,
            "editMessageText": self._edit_text,
            "editMessageReplyMarkup": self._edit_markup,
            "answerCallbackQuery": self._answer_callback,
            "getFile": self._get_file,
            "setMyCommands": self._set_commands,
            "getMyCommands": self._get_commands,
            "deleteMyCommands": self._delete_commands,
        }

    async def call(self, method: str, params: Params) -> object:
        """Carry out one call and return its result.

        Raises:
            BotApiError: as Telegram refuses it.
        """
        handler = self._handlers.get(method)
        if handler is None:
            raise BotApiError(404, "Not Found: method not found")
        attached = {name for name in params.uploads if f"attach://{name}" in map(params.text, params.fields)}
        for name in sorted(params.names() - PARAMETERS[method] - attached):
            self._state.violations.append(f"{method}: unknown parameter {name}")
        return await handler(params)

    async def _get_me(self, params: Params) -> object:
        return BOT

    async def _get_updates(self, params: Params) -> object:
        if self._state.webhook.url:
            raise BotApiError(409, POLLING_REFUSED)
        limit, timeout = params.integer("limit", 100), params.integer("timeout")
        if not 1 <= limit <= 100 or not 0 <= timeout <= MAX_POLL_SECONDS:
            self._state.violations.append(f"getUpdates: limit {limit} or timeout {timeout} out of range")
        self._state.queue.allow(params.structure("allowed_updates"))
        return await self._state.queue.poll(params.integer("offset"), limit, timeout)

    async def _set_webhook(self, params: Params) -> object:
        await self._state.webhook.set(params)
        return True

    async def _delete_webhook(self, params: Params) -> object:
        await self._state.webhook.remove(drop_pending=params.flag("drop_pending_updates"))
        return True

    async def _get_webhook_info(self, params: Params) -> object:
        return self._state.webhook.info()

    async def _send_message(self, params: Params) -> object:
        text = self._formatted(params, "text", "entities")
        self._check_text(text)
        return self._keep(params, "text", text, None)

    async def _send_photo(self, params: Params) -> object:
        return self._send_file(params, "photo", MAX_PHOTO_BYTES)

    async def _send_recording(self, kind: str, params: Params) -> object:
        return self._send_file(params, kind, MAX_UPLOAD_BYTES)

    async def _create_topic(self, params: Params) -> object:
        chat = self._state.chat_for(params)
        self._state.group_pace.count(chat.id)
        topic = self._state.forums.open(
            chat.id, params.text("name"), partial(self._state.next_message_id, chat.id)
        )
        return {"message_thread_id": topic.thread_id, "name": topic.name, "icon_color": ICON_COLOR}

    async def _reopen_topic(self, params: Params) -> object:
        self._state.forums.reopen(self._state.chat_for(params).id, params.integer("message_thread_id"))
        return True

    async def _edit_caption(self, params: Params) -> object:
        caption = self._formatted(params, "caption", "caption_entities")
        if utf16_length(caption.plain) > MAX_CAPTION:
            raise BotApiError(400, "Bad Request: message caption is too long")
        message = self._own_message(params)
        if message.kind == "text":
            raise BotApiError(400, "Bad Request: there is no caption in the message to edit")
        return self._reworded(message, params, "caption", caption)

    async def _send_document(self, params: Params) -> object:
        return self._send_file(params, "document", MAX_UPLOAD_BYTES)

    def _send_file(self, params: Params, kind: str, limit: int) -> object:
        caption = self._formatted(params, "caption", "caption_entities")
        if utf16_length(caption.plain) > MAX_CAPTION:
            raise BotApiError(400, "Bad Request: message caption is too long")
        self._state.chat_for(params)
        return self._keep(params, kind, caption, self._file(params, kind, limit))

    def _file(self, params: Params, kind: str, limit: int) -> StoredFile:
        reference = params.text(kind)
        upload: Upload | None = params.uploads.get(reference.removeprefix("attach://") or kind)
        if upload is None and reference in self._state.files:
            return self._state.files[reference]
        if upload is None:
            raise BotApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
        if not upload.content:
            raise BotApiError(400, "Bad Request: file must be non-empty")
        if len(upload.content) > limit:
            raise BotApiError(413, "Request Entity Too Large")
        if kind == "photo" and upload.content.startswith(PNG):
            _check_dimensions(*struct.unpack_from(">II", upload.content, PNG_SIZE_AT))
        return self._state.keep_file(f"{kind}s", upload)

    async def _send_chat_action(self, params: Params) -> object:
        self._state.chat_for(params)
        if params.text("action") not in CHAT_ACTIONS:
            raise BotApiError(400, "Bad Request: wrong parameter action in request")
        return True

    async def _edit_text(self, params: Params) -> object:
        text = self._formatted(params, "text", "entities")
        self._check_text(text)
        message = self._own_message(params)
        if message.kind != "text":
            raise BotApiError(400, "Bad Request: there is no text in the message to edit")
        return self._reworded(message, params, "text", text)

    def _reworded(self, message: SentMessage, params: Params, name: str, text: FormattedText) -> object:
        markup = self._markup(params)
        unchanged = (message.plain, message.entities) == (text.plain, text.entities)
        if unchanged and message.inline_keyboard == markup.inline:
            raise BotApiError(400, NOT_MODIFIED)
        self._state.group_pace.count(message.chat_id)
        message.text, message.plain, message.entities = params.text(name), text.plain, text.entities
        return self._edited(message, markup)

    async def _edit_markup(self, params: Params) -> object:
        message = self._own_message(params)
        markup = self._markup(params)
        if message.inline_keyboard == markup.inline:
            raise BotApiError(400, NOT_MODIFIED)
        return self._edited(message, markup)

    def _edited(self, message: SentMessage, markup: Markup) -> object:
        """An edit without inline buttons takes the old ones away."""
        if markup.keyboard is not None:
            raise BotApiError(400, "Bad Request: inline keyboard expected")
        message.show_keyboard(markup.inline)
        message.edits += 1
        return self._state.message_json(message)

    def _own_message(self, params: Params) -> SentMessage:
        key = self._state.chat_for(params).id, params.integer("message_id")
        if key in self._state.heard:
            raise BotApiError(400, "Bad Request: message can't be edited")
        if key not in self._state.sent or self._is_gone(self._state.sent[key]):
            raise BotApiError(400, "Bad Request: message to edit not found")
        return self._state.sent[key]

    def _is_gone(self, message: SentMessage) -> bool:
        """Whether a message went with the topic in which it stood."""
        topic = self._state.forums.topics.get((message.chat_id, message.thread_id or 0))
        return topic is not None and topic.is_deleted

    async def _answer_callback(self, params: Params) -> object:
        callback = self._state.callbacks.get(params.text("callback_query_id"))
        if callback is None or self._state.now() - callback.pressed_at > CALLBACK_SECONDS:
            raise BotApiError(400, TOO_OLD)
        if utf16_length(params.text("text")) > MAX_ANSWER:
            raise BotApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        callback.answered += 1
        callback.answer_text = params.text("text")
        return True

    async def _get_file(self, params: Params) -> object:
        file = self._state.files.get(params.text("file_id"))
        if file is None:
            raise BotApiError(400, "Bad Request: invalid file_id")
        if file.size > MAX_DOWNLOAD_BYTES:
            raise BotApiError(400, "Bad Request: file is too big")
        return {
            "file_id": file.file_id,
            "file_unique_id": f"u{file.file_id}",
            "file_size": file.size,
            "file_path": file.path,
        }

    async def _set_commands(self, params: Params) -> object:
        commands = params.structure("commands")
        if not isinstance(commands, list) or len(commands) > 100:
            raise BotApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not isinstance(command, dict) or not COMMAND_NAME.fullmatch(str(command.get("command"))):
                raise BotApiError(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise BotApiError(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self._state.commands[params.text("scope"), params.text("language_code")] = commands
        return True

    async def _get_commands(self, params: Params) -> object:
        return self._state.commands.get((params.text("scope"), params.text("language_code")), [])

    async def _delete_commands(self, params: Params) -> object:
        self._state.commands.pop((params.text("scope"), params.text("language_code")), None)
        return True

    def _formatted(self, params: Params, name: str, entities: str) -> FormattedText:
        mode = params.text("parse_mode").lower()
        if mode == "html":
            return parse_html(params.text(name))
        if mode:
            self._state.violations.append(f"parse_mode {mode} is not modelled by this fake")
            raise BotApiError(400, "Bad Request: unsupported parse_mode")
        given = params.structure(entities)
        plain = parse_plain(params.text(name))
        return FormattedText(plain.plain, given) if isinstance(given, list) else plain

    def _check_text(self, text: FormattedText) -> None:
        if not text.plain:
            raise BotApiError(400, "Bad Request: message text is empty")
        if utf16_length(text.plain) > MAX_TEXT:
            raise BotApiError(400, "Bad Request: message is too long")

    def _markup(self, params: Params) -> Markup:
        markup = read_markup(params.structure("reply_markup"), private_chat=params.integer("chat_id") > 0)
        self._state.violations += markup.violations
        return markup

    def _reply_target(self, params: Params, chat_id: int) -> int | None:
        reply = params.structure("reply_parameters")
        if not isinstance(reply, dict):
            return None
        key = chat_id, int(str(reply.get("message_id", 0)))
        if key in self._state.heard or key in self._state.sent:
            return key[1]
        if reply.get("allow_sending_without_reply"):
            return None
        raise BotApiError(400, "Bad Request: message to be replied not found")

    def _keep(self, params: Params, kind: str, text: FormattedText, file: StoredFile | None) -> object:
        chat, thread_id = self._state.chat_for(params), thread_of(params)
        markup = self._markup(params)
        if thread_id is not None:
            self._state.forums.check_writable(chat.id, thread_id)
        answered = self._reply_target(params, chat.id)
        self._state.group_pace.count(chat.id)
        message = SentMessage(
            message_id=0,
            chat_id=chat.id,
            text=params.text("text" if kind == "text" else "caption"),
            plain=text.plain,
            date=int(self._state.now()),
            kind=kind,
            keyboard=markup.keyboard,
            file=file,
            entities=text.entities,
            reply_to=answered,
            thread_id=thread_id,
        )
        message.message_id = self._state.next_message_id(chat.id)
        message.show_keyboard(markup.inline)
        self._state.sent[chat.id, message.message_id] = message
        return self._state.message_json(message)


def _check_dimensions(width: int, height: int) -> None:
    if width + height > MAX_SIDES or max(width, height) > MAX_RATIO * min(width, height):
        raise BotApiError(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
