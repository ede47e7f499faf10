"""One bot of a messenger that speaks the Bot API: every call, through python-telegram-bot."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.gateway.addresses import split_address
from bot.gateway.channels import bot_api_updates
from bot.gateway.channels.base import Capabilities, Part, Rejected, TooLarge, Unreachable
from bot.gateway.channels.bot_api_errors import translate
from bot.gateway.channels.bot_api_sending import inline_keyboard, markup_of, what_is_sent
from bot.gateway.incoming import Incoming, MediaRef
from crm_store.persian import rich
from crm_store.settings import BotApiSettings

CONNECT_SECONDS = 5.0
SEND_SECONDS = 15.0
#: For the answer to an upload, which the messenger first digests.
UPLOAD_SECONDS = 60.0
#: How much longer than the poll itself its answer may take.
POLL_GRACE_SECONDS = 10.0
SENDING_CONNECTIONS = 32
ALERT_LENGTH = 200
#: Longest name of a topic (https://core.telegram.org/bots/api#createforumtopic).
TOPIC_NAME_LENGTH = 128
#: An edit that changes nothing is refused.
_UNCHANGED = "message is not modified"


def server_roots(base_url: str, token: str) -> tuple[str, str]:
    """The addresses of the methods and of the files.

    Args:
        base_url: the server's root, with or without a trailing ``/bot`` and slashes.
        token: the bot's token.
    """
    root = base_url.rstrip("/")
    root = root[: -len("/bot")] if root.endswith("/bot") else root
    return f"{root}/bot{token}", f"{root}/file/bot{token}"


class BotApiChannel:
    """A bot.

    Polling and sending have connection pools of their own, so that a stuck poll never holds back an answer.

    Args:
        name: the channel's name, ``telegram`` or ``bale``.
        capabilities: what this messenger can do.
        settings: its token and address.
        proxy_url: http(s) or socks5 proxy; empty for none.
    """

    def __init__(
        self, name: str, capabilities: Capabilities, settings: BotApiSettings, *, proxy_url: str = ""
    ) -> None:
        self.name = name
        self.capabilities = capabilities
        self._settings = settings
        self._proxy = proxy_url or None
        self._methods, self._files = server_roots(settings.base_url, settings.token)
        self._closing: set[asyncio.Task[None]] = set()
        self._sending_pool = self._pool(SENDING_CONNECTIONS)
        self._polling_pool = self._pool(1)
        self._bot = self._make_bot()
        patience = httpx.Timeout(SEND_SECONDS, connect=CONNECT_SECONDS)
        self._downloads = httpx.AsyncClient(proxy=self._proxy, timeout=patience)

    def parse(self, payload: dict[str, Any], chat_id: str) -> Incoming:
        """Read a kept update."""
        return bot_api_updates.parse_update(payload)

    async def get_updates(self, *, offset: int | None, timeout: int) -> list[dict[str, Any]]:
        """Wait for updates, as they came.

        Args:
            offset: confirms all updates before this one; None confirms nothing.
            timeout: seconds to wait for the first.
        """
        asked = {"timeout": timeout, "limit": 100, "allowed_updates": list(bot_api_updates.ALLOWED_UPDATES)}
        if offset is not None:
            asked["offset"] = offset
        updates = await self._call("getUpdates", asked, read_timeout=timeout + POLL_GRACE_SECONDS)
        return list(updates)

    def rebuild_polling(self) -> None:
        """Leave the polling connection behind, as it may be stuck, and poll with a new one."""
        stuck, self._polling_pool = self._polling_pool, self._pool(1)
        self._bot = self._make_bot()
        closing = asyncio.ensure_future(stuck.shutdown())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def delete_webhook(self) -> None:
        """Ask the messenger to keep the updates for polling."""
        await self._call("deleteWebhook", {"drop_pending_updates": False})

    async def get_username(self) -> str:
        """The name by which people find the bot."""
        return str((await self._call("getMe", {})).get("username") or "")

    async def set_webhook(self, url: str, secret: str) -> None:
        """Ask the messenger to bring the updates to an address."""
        asked: dict[str, Any] = {"url": url, "allowed_updates": list(bot_api_updates.ALLOWED_UPDATES)}
        if self.capabilities.webhook_secret_header:
            asked["secret_token"] = secret
        await self._call("setWebhook", asked)

    async def send(self, chat_id: str, part: Part, *, plain: bool = False) -> str:
        """Send one message, into a topic where the address names one, and return its id."""
        method, what = what_is_sent(part, self._worded(part, plain=plain))
        asked: dict[str, Any] = {**_target(chat_id), **what}
        if self.capabilities.html and not plain:
            asked["parse_mode"] = "HTML"
        markup = markup_of(part, can_ask_contact=self.capabilities.request_contact)
        if markup is not None:
            asked["reply_markup"] = markup
        if part.reply_to.isdecimal() and self.capabilities.replies:
            message_id = int(part.reply_to)
            asked["reply_parameters"] = {"message_id": message_id, "allow_sending_without_reply": True}
        patience = SEND_SECONDS if part.document is None else UPLOAD_SECONDS
        sent = await self._call(method, asked, read_timeout=patience)
        return str(sent["message_id"])

    async def edit(self, chat_id: str, part: Part, *, plain: bool = False) -> None:
        """Replace the words of a message of ours, and the buttons below it.

        Raises:
            ChannelError: the message is gone, or cannot be edited.
        """
        name = "caption" if part.is_caption else "text"
        chat, _ = split_address(chat_id)
        asked: dict[str, Any] = {"chat_id": chat, "message_id": int(part.edits)}
        asked[name] = self._worded(part, plain=plain)
        if self.capabilities.html and not plain:
            asked["parse_mode"] = "HTML"
        if part.buttons:
            asked["reply_markup"] = inline_keyboard(part.buttons)
        try:
            await self._call("editMessageCaption" if part.is_caption else "editMessageText", asked)
        except Rejected as error:
            if _UNCHANGED not in str(error).lower():
                raise

    async def create_topic(self, chat_id: str, name: str) -> int:
        """Open a topic in a group and return its number.

        Raises:
            NoTopics: the group has none, or the bot may not open one.
        """
        made = await self._call("createForumTopic", {"chat_id": chat_id, "name": name[:TOPIC_NAME_LENGTH]})
        return int(made["message_thread_id"])

    async def reopen_topic(self, chat_id: str) -> None:
        """Open a topic again that somebody has closed."""
        await self._call("reopenForumTopic", _target(chat_id))

    def _worded(self, part: Part, *, plain: bool) -> str:
        return part.text if self.capabilities.html and not plain else rich.to_plain(part.text)

    async def typing(self, chat_id: str) -> None:
        """Show that an answer is being written."""
        await self._call("sendChatAction", {**_target(chat_id), "action": "typing"})

    async def answer_press(self, callback_query_id: str, text: str = "") -> None:
        """End the waiting of a pressed button."""
        asked: dict[str, Any] = {"callback_query_id": callback_query_id}
        if text:
            asked |= {"text": rich.to_plain(text)[:ALERT_LENGTH], "show_alert": True}
        await self._call("answerCallbackQuery", asked)

    async def clear_buttons(self, chat_id: str, message_id: str) -> None:
        """Take the buttons below a message away."""
        chat, _ = split_address(chat_id)
        await self._call("editMessageReplyMarkup", {"chat_id": chat, "message_id": int(message_id)})

    async def download(self, media: MediaRef) -> AsyncIterator[bytes]:
        """The content of a file, piece by piece."""
        file = await self._call("getFile", {"file_id": media.file_id})
        if not file.get("file_path"):
            raise TooLarge("the messenger gives no address for this file")
        address = f"{self._files}/{quote(str(file['file_path']))}"
        try:
            async with self._downloads.stream("GET", address) as answer:
                if answer.is_client_error and answer.status_code not in (408, 429):
                    raise Rejected(f"file download: {answer.status_code}")
                if answer.status_code != httpx.codes.OK:
                    raise Unreachable(f"file download: {answer.status_code}")
                async for piece in answer.aiter_bytes():
                    yield piece
        except httpx.HTTPError as error:
            raise Unreachable(f"file download: {type(error).__name__}") from error

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._downloads.aclose()
        await self._sending_pool.shutdown()
        await self._polling_pool.shutdown()

    async def _call(self, method: str, asked: dict[str, Any], *, read_timeout: float = SEND_SECONDS) -> Any:
        # Raw answers: a field that the library cannot read must not look like a message that was not sent.
        # The library takes names in snake case and warns about those that it also has as methods.
        endpoint = re.sub(r"([A-Z])", r"_\1", method)
        try:
            return await self._bot.do_api_request(endpoint, api_kwargs=asked, read_timeout=read_timeout)
        except TelegramError as error:
            raise translate(error) from error

    def _make_bot(self) -> Bot:
        token = self._settings.token
        return Bot(
            token,
            base_url=self._methods[: -len(token)],
            base_file_url=self._files[: -len(token)],
            request=self._sending_pool,
            get_updates_request=self._polling_pool,
        )

    def _pool(self, connections: int) -> HTTPXRequest:
        return HTTPXRequest(
            connection_pool_size=connections,
            proxy=self._proxy,
            connect_timeout=CONNECT_SECONDS,
            pool_timeout=CONNECT_SECONDS,
            write_timeout=SEND_SECONDS,
        )


def _target(address: str) -> dict[str, Any]:
    """The chat, and the topic in it, that a message goes to."""
    chat_id, thread_id = split_address(address)
    return {"chat_id": chat_id} if thread_id is None else {"chat_id": chat_id, "message_thread_id": thread_id}
