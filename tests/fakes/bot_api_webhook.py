"""Delivers updates to the bot's webhook, one after another, until each is accepted."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.fakes.bot_api_model import BotApiError, Params
from tests.fakes.bot_api_updates import WEBHOOK_SET, UpdateQueue

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Webhook:
    """The bot's webhook, if it has set one.

    Attributes:
        url: where updates go; empty while the bot polls.
        last_error: why the last delivery failed.
    """

    def __init__(self, queue: UpdateQueue, clock: Callable[[], float]) -> None:
        self._queue = queue
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._secret = ""
        self._last_error_at = 0
        self._max_connections = 40
        self.url = ""
        self.last_error = ""

    async def set(self, params: Params) -> None:
        """Carry out setWebhook.

        Raises:
            BotApiError: 400, for an address or a secret that Telegram refuses. Plain HTTP is let through on
                loopback only, where Telegram would never reach it.
        """
        url, secret = params.text("url"), params.text("secret_token")
        parts = urlsplit(url)
        if url and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise BotApiError(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > 256:
            raise BotApiError(400, "Bad Request: secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise BotApiError(400, "Bad Request: secret token contains unallowed characters")
        await self.remove(drop_pending=params.flag("drop_pending_updates"))
        self._queue.allow(params.structure("allowed_updates"))
        self._max_connections = params.integer("max_connections", 40)
        self.url, self._secret = url, secret
        if url:
            self._queue.interrupt(WEBHOOK_SET)
            self.resume()

    async def remove(self, *, drop_pending: bool) -> None:
        """Carry out deleteWebhook."""
        self.url = self._secret = self.last_error = ""
        await self.pause()
        if drop_pending:
            self._queue.clear()

    def resume(self) -> None:
        """Begin to deliver, when a webhook is set."""
        if self.url and self._task is None:
            self._task = asyncio.create_task(self._deliver())

    async def pause(self) -> None:
        """Stop delivering; the webhook stays set."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def info(self) -> dict[str, object]:
        """Telegram's WebhookInfo object."""
        body: dict[str, object] = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._queue.pending()),
        }
        if self.url:
            body["max_connections"] = self._max_connections
        if self.last_error:
            body |= {"last_error_date": self._last_error_at, "last_error_message": self.last_error}
        if self._queue.allowed is not None:
            body["allowed_updates"] = sorted(self._queue.allowed)
        return body

    async def _deliver(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        async with ClientSession(timeout=ClientTimeout(total=30)) as client:
            while True:
                self._queue.arrival.clear()
                pending = self._queue.pending()
                if not pending:
                    await self._queue.arrival.wait()
                    continue
                error = await self._post(client, pending[0].body)
                if not error:
                    self._queue.delivered(pending[0])
                    pause = FIRST_PAUSE_SECONDS
                    continue
                self.last_error, self._last_error_at = error, int(self._clock())
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _post(self, client: ClientSession, update: dict[str, object]) -> str:
        """Post one update and say what went wrong; empty when it was accepted."""
        headers = {SECRET_HEADER: self._secret} if self._secret else {}
        try:
            async with client.post(self.url, json=update, headers=headers, allow_redirects=False) as answer:
                accepted = 200 <= answer.status < 300
                return "" if accepted else f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (ClientError, asyncio.TimeoutError) as error:
            return f"Connection failed: {error}"
