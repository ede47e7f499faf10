"""Asks one bot's messenger for updates, and confirms them only when they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import structlog

from bot.gateway.channels.base import ChannelError, Conflict, Unauthorized
from bot.gateway.channels.bot_api import BotApiChannel
from bot.gateway.receiving import Receiver
from bot.gateway.waiting import growing_pauses
from crm_store.base import utcnow
from crm_store.inbox import InboxItem

log = structlog.get_logger(__name__)

POLL_SECONDS = 30
#: A poll without any end this long after its time is stuck.
STUCK_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

WHAT_TO_DO = {
    "conflict": "another program asks for the updates of this bot, or has set a webhook for it; stop it",
    "unauthorized": "the messenger does not know this token; correct it and start again",
    "unreachable": "the messenger cannot be reached; is a proxy needed (PEYVAND_PROXY_URL)?",
}


class Poller:
    """The poll loop of one bot.

    Args:
        channel: the bot.
        receiver: keeps the updates.
        on_kept: called with the rows that are new in the inbox.
        poll_seconds: how long the messenger holds a poll without updates.
        stuck_seconds: how much longer it may take before the connection is replaced.
    """

    def __init__(
        self,
        channel: BotApiChannel,
        receiver: Receiver,
        on_kept: Callable[[Sequence[InboxItem]], None],
        *,
        poll_seconds: int = POLL_SECONDS,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self._channel = channel
        self._receiver = receiver
        self._on_kept = on_kept
        self._poll_seconds = poll_seconds
        self._stuck_seconds = stuck_seconds
        # Kept in memory only: what a killed process had not confirmed comes again and is known by its id.
        self._offset: int | None = None
        self.status = "starting"
        self.last_successful_poll: datetime | None = None

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._channel.name

    async def run(self) -> None:
        """Poll until cancelled."""
        pauses = self._pauses()
        has_webhook = True
        while True:
            try:
                if has_webhook:
                    await self._in_time(self._channel.delete_webhook())
                    has_webhook = False
                updates = await self._in_time(
                    self._channel.get_updates(offset=self._offset, timeout=self._poll_seconds)
                )
            except asyncio.TimeoutError:
                log.warning("poll_stuck", channel=self.name, seconds=self._poll_seconds + self._stuck_seconds)
                self.status = "stuck"
                self._channel.rebuild_polling()
            except ChannelError as error:
                self._note_trouble(error)
                await asyncio.sleep(next(pauses))
            else:
                self._note_success()
                pauses = self._pauses()
                await self._keep(updates)

    def _pauses(self) -> Iterator[float]:
        return growing_pauses(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)

    async def _in_time(self, call: Any) -> Any:
        """The call's result; one that gets stuck is left behind, even if it cannot be cancelled."""
        task = asyncio.ensure_future(call)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._poll_seconds + self._stuck_seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()
            task.add_done_callback(_forget)
            raise asyncio.TimeoutError
        return task.result()

    async def _keep(self, updates: list[dict[str, Any]]) -> None:
        """Keep a batch, however long the store is away, and only then move on."""
        if not updates:
            # All is confirmed. Ids may restart at random after a quiet week: an old offset would hide them.
            self._offset = None
            return
        was_reported = False
        for pause in self._pauses():
            try:
                new = await asyncio.to_thread(self._receiver.keep, updates)
                break
            except Exception as error:
                if not was_reported:
                    log.error("updates_not_kept", channel=self.name, reason=_cause(error))
                    was_reported, self.status = True, "store_down"
                await asyncio.sleep(pause)
        self.status = "ok"
        ids = [update["update_id"] for update in updates if isinstance(update.get("update_id"), int)]
        self._offset = max(ids) + 1 if ids else None
        if new:
            self._on_kept(new)

    def _note_success(self) -> None:
        if self.status != "ok":
            log.info("polling", channel=self.name)
        self.status, self.last_successful_poll = "ok", utcnow()

    def _note_trouble(self, error: ChannelError) -> None:
        """Say what is wrong once, not with every try."""
        status = "unreachable"
        if isinstance(error, Conflict):
            status = "conflict"
        elif isinstance(error, Unauthorized):
            status = "unauthorized"
        if status != self.status:
            remedy = WHAT_TO_DO[status]
            log.error("poll_failed", channel=self.name, status=status, reason=str(error), remedy=remedy)
        self.status = status


def _forget(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _cause(error: Exception) -> str:
    """The database's own words (``disk full``), without the statement and its values."""
    return str(getattr(error, "orig", None) or type(error).__name__)
