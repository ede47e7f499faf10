"""Sends the outbox: in order per chat, many chats at once, no faster than the platforms allow.

A row is marked as sent after the platform has said so. A process killed between the two, or a send that timed
out, may therefore put one message out a second time; none is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from sqlalchemy.exc import OperationalError

from bot.gateway.channels.base import (
    BadMarkup,
    Blocked,
    Channel,
    Document,
    Part,
    RateLimited,
    Rejected,
    TooLarge,
    TopicGone,
    Unauthorized,
    Unreachable,
)
from bot.gateway.outgoing import Outgoing, Outgoings
from bot.gateway.pacing import Pacer
from bot.gateway.parting import parts_of
from bot.gateway.render import Responses
from bot.gateway.sending import send_part
from bot.gateway.waiting import growing_pauses, happens
from crm_store.persian import rich
from crm_store.settings import LimitSettings

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.1
CHATS_AT_ONCE = 1000
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
CONTACT_BUTTON = "utter_contact_button"
#: Files of customers' data that are made or sent at the same time: each is held in memory whole.
DOCUMENTS_AT_ONCE = 2
#: Pictures that are drawn at the same time; more would only take the processor from each other.
PICTURES_AT_ONCE = 2

Result = TypeVar("Result")


class _Withdrawn(Exception):
    """The row must not leave any more."""


class Relay:
    """Sends what is due.

    Args:
        outgoings: the store.
        channels: by name.
        responses: for the title of the contact button.
        limits: how fast.
        folder: the attachments folder.
    """

    def __init__(
        self,
        outgoings: Outgoings,
        channels: Mapping[str, Channel],
        responses: Responses,
        limits: LimitSettings,
        folder: Path,
    ) -> None:
        self._outgoings = outgoings
        self._channels = channels
        self._responses = responses
        self._folder = folder
        #: By channel; who else sends there shares them.
        self.pacers = {name: _pacer(channel, limits) for name, channel in channels.items()}
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._asked_again: set[int] = set()
        #: Conversations whose message only waits, so that nothing is lost when it is interrupted.
        self._only_waiting: set[int] = set()
        self._news = asyncio.Event()
        self._documents = asyncio.Semaphore(DOCUMENTS_AT_ONCE)
        self._drawing = asyncio.Semaphore(PICTURES_AT_ONCE)
        self._is_stopping = False

    def wake(self, conversation_id: int | None = None) -> None:
        """Look for rows now, in one conversation or in all."""
        if conversation_id is None:
            self._news.set()
        elif conversation_id in self._busy:
            self._asked_again.add(conversation_id)
        elif not self._is_stopping:
            self._start(conversation_id)

    async def run(self) -> None:
        """Send until cancelled."""
        pauses = growing_pauses(0.1, 5.0)
        while not self._is_stopping:
            self._news.clear()
            try:
                room = max(0, CHATS_AT_ONCE - len(self._busy))
                waiting = await asyncio.to_thread(self._outgoings.waiting, set(self._busy), room)
            except Exception as error:
                log.error("outbox_not_readable", error=type(error).__name__)
                await asyncio.sleep(next(pauses))
                continue
            pauses = growing_pauses(0.1, 5.0)
            for conversation_id in waiting:
                self._start(conversation_id)
            await happens(self._news, LOOK_SECONDS)

    async def stop(self, *, within: float) -> None:
        """Let messages that are being sent end, for some seconds at most."""
        self._is_stopping = True
        self.wake()
        for conversation_id in list(self._only_waiting):
            self._busy[conversation_id].cancel()
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=within)
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, conversation_id: int) -> None:
        if conversation_id in self._busy:
            return
        task = asyncio.ensure_future(self._serve(conversation_id))
        self._busy[conversation_id] = task
        task.add_done_callback(lambda ended: self._let_go(conversation_id, ended))

    def _let_go(self, conversation_id: int, ended: asyncio.Task[None]) -> None:
        del self._busy[conversation_id]
        if ended.cancelled():
            return
        if ended.exception() is not None:
            log.error("chat_relay_broke", error=type(ended.exception()).__name__)
        if conversation_id in self._asked_again:
            self._asked_again.discard(conversation_id)
            self.wake(conversation_id)

    async def _serve(self, conversation_id: int) -> None:
        """Send a conversation's due rows, one after another."""
        outgoing = await self._surely(lambda: self._outgoings.next(conversation_id))
        while outgoing is not None and not self._is_stopping:
            with structlog.contextvars.bound_contextvars(
                correlation_id=outgoing.correlation_id, outbox_id=outgoing.outbox_id, channel=outgoing.channel
            ):
                outgoing = await self._deliver(outgoing)

    async def _surely(self, step: Callable[[], Result]) -> Result:
        """Do a step in the store, however long the store is away."""
        for pause in growing_pauses(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS):
            try:
                return await asyncio.to_thread(step)
            except Exception as error:
                log.error("outbox_not_writable", error=type(error).__name__)
                await asyncio.sleep(pause)
        raise AssertionError("pauses never end")

    async def _deliver(self, outgoing: Outgoing) -> Outgoing | None:
        """Send one row until it is sent or given up; returns the conversation's next row."""
        parts = self._parts(outgoing)
        done = min(outgoing.parts_sent, len(parts))
        platform_message_id, document = "", None
        pauses = growing_pauses(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        while done < len(parts):
            try:
                if done == 0 and outgoing.export_of is not None:
                    platform_message_id, document = await self._send_export(
                        outgoing, parts[done], outgoing.export_of
                    )
                elif done == 0 and outgoing.picture is not None:
                    platform_message_id, document = await self._send_picture(outgoing, parts[done])
                else:
                    sent_id = await self._send(outgoing, parts[done])
                    # What a person wrote is known by its first message, in which its words stand.
                    is_first = outgoing.line_id is None or not platform_message_id
                    platform_message_id = sent_id if is_first else platform_message_id
            except Blocked:
                cancelled = await self._surely(lambda: self._outgoings.unreachable(outgoing))
                log.info("account_unreachable", conversation_id=outgoing.conversation_id, cancelled=cancelled)
                return None
            except _Withdrawn:
                return await self._surely(lambda: self._outgoings.next(outgoing.conversation_id))
            except (RateLimited, Unreachable, Unauthorized) as error:
                await self._hold(outgoing, error, pauses)
                if await self._surely(lambda: self._outgoings.may_leave(outgoing.outbox_id)):
                    continue
                return await self._surely(lambda: self._outgoings.next(outgoing.conversation_id))
            except Exception as error:
                return await self._give_up(outgoing, error)
            done += 1
            if done < len(parts):
                await self._surely(partial(self._outgoings.part_left, outgoing, done))
        stays = self._channels[outgoing.channel].capabilities.keeps_documents
        sent = partial(self._outgoings.sent, outgoing, platform_message_id, document, stays=stays)
        return await self._surely(sent)

    async def _send_export(self, outgoing: Outgoing, part: Part, customer_id: int) -> tuple[str, Document]:
        """Make the file of a customer's data and send it; returns the message's id there, and the file."""
        make = partial(self._outgoings.export, customer_id, key=outgoing.document_key)
        async with self._documents:
            try:
                document = await asyncio.to_thread(make)
            except OperationalError as error:  # the store is away for a while
                raise Unreachable(type(error).__name__) from error
            sent = await self._send(outgoing, msgspec.structs.replace(part, document=document))
        return sent, document

    async def _send_picture(self, outgoing: Outgoing, part: Part) -> tuple[str, Document | None]:
        """Draw a picture and send it with its text; the text alone, where it cannot be drawn or sent."""
        document = None
        if self._channels[outgoing.channel].capabilities.pictures:
            async with self._drawing:
                document = await asyncio.to_thread(self._outgoings.picture, outgoing)
        if document is not None:
            try:
                sent = await self._send(outgoing, msgspec.structs.replace(part, document=document))
                return sent, document
            except (Rejected, TooLarge) as error:
                log.error("picture_refused", error=type(error).__name__, reason=str(error))
        # A text that is too long for a caption is in the messages that follow.
        return await self._send(outgoing, part) if part.text or part.buttons else "", None

    async def _send(self, outgoing: Outgoing, part: Part) -> str:
        """Send one message, checking in the last moment that it may still leave."""
        channel = self._channels[outgoing.channel]
        pacer = self.pacers[outgoing.channel]
        if pacer is not None:
            with self._waiting(outgoing):
                await pacer.wait(outgoing.chat_id, outgoing.priority)
        if not await self._surely(lambda: self._outgoings.may_leave(outgoing.outbox_id)):
            raise _Withdrawn
        return await send_part(channel, outgoing.chat_id, part, folder=self._folder)

    async def _hold(
        self, outgoing: Outgoing, error: RateLimited | Unreachable | Unauthorized, pauses: Iterator[float]
    ) -> None:
        """Wait before the next try; only this chat waits."""
        pause = error.retry_after if isinstance(error, RateLimited) else next(pauses)
        pacer = self.pacers[outgoing.channel]
        if pacer is not None and isinstance(error, RateLimited):
            pacer.hold(outgoing.chat_id, pause)
        maybe_delivered = isinstance(error, Unreachable) and error.maybe_delivered
        reason = f"{type(error).__name__}: {error}"
        log.warning("send_delayed", reason=reason, seconds=pause, maybe_delivered=maybe_delivered)
        await self._surely(lambda: self._outgoings.delayed(outgoing.outbox_id, reason))
        with self._waiting(outgoing):
            await asyncio.sleep(pause)

    @contextmanager
    def _waiting(self, outgoing: Outgoing) -> Iterator[None]:
        if self._is_stopping:
            raise asyncio.CancelledError
        self._only_waiting.add(outgoing.conversation_id)
        try:
            yield
        finally:
            self._only_waiting.discard(outgoing.conversation_id)

    async def _give_up(self, outgoing: Outgoing, error: Exception) -> Outgoing | None:
        """Put a row aside that can never be sent, and go on with the next."""
        if isinstance(error, TopicGone):
            await self._surely(lambda: self._outgoings.topic_lost(outgoing))
        known = isinstance(error, (Rejected, TooLarge, BadMarkup))
        log.error("send_failed", error=type(error).__name__, reason=str(error) if known else "")
        reason = f"{type(error).__name__}: {error}"
        await self._surely(lambda: self._outgoings.failed(outgoing.outbox_id, reason))
        return await self._surely(lambda: self._outgoings.next(outgoing.conversation_id))

    def _parts(self, outgoing: Outgoing) -> list[Part]:
        capabilities = self._channels[outgoing.channel].capabilities
        asks = outgoing.request_contact and capabilities.request_contact
        title = rich.to_plain(self._responses.render(CONTACT_BUTTON, {}, turn=0).text) if asks else ""
        return parts_of(outgoing, capabilities, contact_title=title)


def _pacer(channel: Channel, limits: LimitSettings) -> Pacer | None:
    if not channel.capabilities.paced:
        return None
    return Pacer(
        per_second=channel.capabilities.messages_per_second or limits.messages_per_second,
        chat_burst=limits.chat_burst,
        chat_per_second=limits.chat_messages_per_second,
        group_per_minute=limits.group_messages_per_minute,
    )
