"""Lets messengers bring the updates, instead of asking for them."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from bot.gateway.channels.base import ChannelError
from bot.gateway.channels.bot_api import BotApiChannel
from bot.gateway.receiving import Receiver
from bot.gateway.waiting import growing_pauses
from crm_store.errors import ConfigurationError
from crm_store.settings import BotApiSettings

log = structlog.get_logger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a header's name
MAX_UPDATE_BYTES = 1_000_000
HOST = "127.0.0.1"


class Webhook:
    """The webhook of one bot: an update is answered with 200 only when it is kept.

    A messenger that repeats no secret in a header gets it as the last part of the address.

    Args:
        channel: the bot.
        settings: its address, port and secret.
        receiver: keeps the updates.
        on_kept: called when new updates are in the inbox.
    """

    def __init__(
        self,
        channel: BotApiChannel,
        settings: BotApiSettings,
        receiver: Receiver,
        on_kept: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._receiver = receiver
        self._on_kept = on_kept
        self._runner: web.AppRunner | None = None
        self.status = "starting"

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._channel.name

    async def start(self) -> None:
        """Listen.

        Raises:
            ConfigurationError: the port is taken.
        """
        app = web.Application(client_max_size=MAX_UPDATE_BYTES)
        path = urlsplit(self._settings.webhook_url).path.rstrip("/")
        app.router.add_post(path if self._has_header else f"{path}/{{secret}}", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, self._settings.webhook_port).start()
        except OSError as error:
            await self._runner.cleanup()
            setting = f"{self.name}.webhook_port (PEYVAND_{self.name.upper()}_WEBHOOK_PORT)"
            raise ConfigurationError(f"{setting}: port {self._settings.webhook_port} is in use") from error

    async def run(self) -> None:
        """Tell the messenger the address; returns when it has agreed."""
        url = self._settings.webhook_url.rstrip("/")
        if not self._has_header:
            url = f"{url}/{self._settings.webhook_secret}"
        for pause in growing_pauses(0.5, 30.0):
            try:
                await self._channel.set_webhook(url, self._settings.webhook_secret)
                break
            except ChannelError as error:
                if self.status != "unreachable":
                    log.error("webhook_not_set", channel=self.name, reason=str(error))
                self.status = "unreachable"
                await asyncio.sleep(pause)
        self.status = "ok"
        log.info("webhook_set", channel=self.name)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def _has_header(self) -> bool:
        return self._channel.capabilities.webhook_secret_header

    async def _receive(self, request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "") if self._has_header else request.match_info["secret"]
        if not hmac.compare_digest(given.encode(), self._settings.webhook_secret.encode()):
            log.warning("webhook_refused", channel=self.name)
            return web.Response(status=403)
        try:
            update: Any = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        if not isinstance(update, dict):
            return web.Response(status=400)
        try:
            new = await asyncio.to_thread(self._receiver.keep, [update])
        except Exception as error:
            log.error("updates_not_kept", channel=self.name, error=type(error).__name__)
            return web.Response(status=503)  # the messenger brings it again
        if new:
            self._on_kept()
        return web.Response(status=200)
