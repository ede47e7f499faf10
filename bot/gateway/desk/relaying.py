"""Shows a staff group what happens in conversations that people take over, no faster than the group allows.

One message after another leaves to a group, however many topics it has. What is said is read after a
message's turn has come: all that was said in the meantime goes into it together.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError

from bot.gateway.addresses import split_address
from bot.gateway.channels.base import (
    Blocked,
    ChannelError,
    NoTopics,
    RateLimited,
    Rejected,
    TooLarge,
    TopicClosed,
    TopicGone,
)
from bot.gateway.channels.bot_api import BotApiChannel
from bot.gateway.desk.composing import Piece
from bot.gateway.desk.steps import Step, TopicSteps
from bot.gateway.pacing import Pacer
from bot.gateway.sending import send_part
from bot.gateway.waiting import growing_pauses, happens

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.2
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
#: A group that had no topics may have been given some after this long.
ASK_AGAIN_SECONDS = 600.0
#: What of one customer cannot be shown is tried again after this long; the others' topics go on.
TRY_AGAIN_SECONDS = 30.0


class TopicRelay:
    """One staff group.

    Args:
        channel: the bot in it.
        chat_id: the group.
        steps: its view of the store.
        pacer: of the bot; whoever else sends to the group shares it.
        folder: the attachments folder.
    """

    def __init__(
        self, channel: BotApiChannel, chat_id: str, steps: TopicSteps, pacer: Pacer, folder: Path
    ) -> None:
        self._channel = channel
        self._chat_id = chat_id
        self._steps = steps
        self._pacer = pacer
        self._folder = folder
        self._plain_until = 0.0 if channel.capabilities.topics else float("inf")
        #: When a topic is tried again that could not be shown, by its conversation.
        self._set_aside: dict[int, float] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End after the message that is being sent."""
        self._stopping.set()

    async def run(self) -> None:
        """Show what there is to show until stopped."""
        pauses = growing_pauses(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        while not self._stopping.is_set():
            try:
                has_shown = await self._look()
            except (ChannelError, OSError) as error:
                pause = error.retry_after if isinstance(error, RateLimited) else next(pauses)
                log.warning("topics_delayed", error=type(error).__name__, reason=str(error), seconds=pause)
                await happens(self._stopping, pause)
                continue
            except Exception as error:
                log.error("topics_failed", error=type(error).__name__, reason=repr(error)[:300])
                await happens(self._stopping, next(pauses))
                continue
            pauses = growing_pauses(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            if not has_shown:
                await happens(self._stopping, LOOK_SECONDS)

    async def _look(self) -> bool:
        """Take one step for each topic that has something to show; whether there was any."""
        has_shown = False
        for conversation_id in await asyncio.to_thread(self._steps.due):
            if self._stopping.is_set():
                break
            if time.monotonic() < self._set_aside.get(conversation_id, 0.0):
                continue
            try:
                has_shown = await self._serve(conversation_id) or has_shown
                self._set_aside.pop(conversation_id, None)
            except (ChannelError, OSError, OperationalError):
                raise
            except Exception as error:
                self._set_aside[conversation_id] = time.monotonic() + TRY_AGAIN_SECONDS
                log.error("topic_failed", conversation_id=conversation_id, error=repr(error)[:300])
        return has_shown

    async def _serve(self, conversation_id: int) -> bool:
        """Take the next step of one topic."""
        if not await asyncio.to_thread(self._steps.is_ready, conversation_id):
            return False
        await self._pacer.wait(self._chat_id, 0)
        with_topics = time.monotonic() >= self._plain_until
        step = await asyncio.to_thread(self._steps.next, conversation_id, with_topics=with_topics)
        if step is None or self._stopping.is_set():
            return False
        try:
            await self._take(step)
        except RateLimited as error:
            self._pacer.hold(self._chat_id, error.retry_after)
            raise
        except TopicGone:
            await self._lose(step)
        except TopicClosed:
            await self._reopen(step)
        except NoTopics as error:
            log.warning("group_without_topics", group_id=self._chat_id, reason=str(error))
            self._plain_until = time.monotonic() + ASK_AGAIN_SECONDS
        return True

    async def _take(self, step: Step) -> None:
        if step.opens:
            thread_id = await self._channel.create_topic(self._chat_id, step.opens)
            await asyncio.to_thread(self._steps.opened, step, thread_id)
            return
        sent: list[tuple[Piece, str]] = []
        if step.edit is not None:
            await self._try_to_edit(step)
        for number, piece in enumerate(step.pieces):
            if number:
                await self._pacer.wait(self._chat_id, 0)
            sent.append((piece, await self._send(step, piece)))
        await asyncio.to_thread(self._steps.shown, step, sent)

    async def _try_to_edit(self, step: Step) -> None:
        """An edit is worth one try: the message may be gone."""
        if step.edit is None:
            return
        try:
            await send_part(self._channel, step.address, step.edit, folder=self._folder)
        except Rejected as error:
            log.warning("topic_edit_refused", reason=str(error))

    async def _send(self, step: Step, piece: Piece) -> str:
        """Send one message; one that is refused for good is left out, so that it holds up nothing."""
        try:
            return await send_part(self._channel, step.address, piece.part, folder=self._folder)
        except (TopicGone, TopicClosed, NoTopics, Blocked):
            raise
        except (Rejected, TooLarge) as error:
            log.error("topic_message_refused", topic_id=step.topic_id, reason=str(error))
            return ""

    async def _lose(self, step: Step) -> None:
        _, thread_id = split_address(step.address)
        log.warning("topic_deleted", topic_id=step.topic_id)
        if thread_id is not None:
            await asyncio.to_thread(self._steps.lost, step, thread_id)

    async def _reopen(self, step: Step) -> None:
        """Open a topic again that somebody closed; where that is refused, a new one is opened."""
        try:
            await self._channel.reopen_topic(step.address)
        except Rejected as error:
            log.warning("topic_not_reopened", topic_id=step.topic_id, reason=str(error))
            await self._lose(step)
