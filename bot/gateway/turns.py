"""Runs one try of a job: the store, the files, the dialogue, the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

import structlog

from bot.gateway import answers, intake
from bot.gateway.attachments import AttachmentKeeper
from bot.gateway.channels.base import Channel, ChannelError
from bot.gateway.jobs import Job, Notice, Plan, Press
from bot.gateway.late import LateNotice
from bot.gateway.rasa_client import RasaClient, Reply, Turn
from bot.gateway.render import Responses
from crm_store.business import BusinessFile
from crm_store.db import Database
from crm_store.rules import Rules
from crm_store.settings import Settings

log = structlog.get_logger(__name__)

TYPING_AFTER_SECONDS = 0.3
#: A chat action shows for about five seconds.
TYPING_EVERY_SECONDS = 4.0


class TurnRunner:
    """Runs jobs, one try at a time.

    Args:
        database: the store.
        settings: the limits.
        channels: by name.
        rasa: the dialogue.
        responses: for the alerts that answer a stale button.
        business: names of categories and what is asked about them.
        on_queued: called when something was put into the outbox, with the conversation if known.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        channels: Mapping[str, Channel],
        rasa: RasaClient,
        responses: Responses,
        business: BusinessFile,
        on_queued: Callable[[int | None], None],
    ) -> None:
        self._database = database
        self._settings = settings
        self._channels = channels
        self._rasa = rasa
        self._responses = responses
        self._business = business
        self._on_queued = on_queued
        self._keeper = AttachmentKeeper(database, settings)
        self._courtesies: set[asyncio.Task[None]] = set()

    async def attempt(self, job: Job, late: LateNotice) -> None:
        """Try to finish a job.

        Raises:
            TurnError: the dialogue gave no answer.
            ChannelError: a file could not be fetched.
        """
        channel = self._channels[job.head.channel]
        if not job.is_taken:
            job.plan = await asyncio.to_thread(self._take, job)
            job.is_taken = True
            if job.plan is None:
                self._on_queued(None)
                return
        plan = job.plan
        if plan is None:
            return
        if plan.press is not None and plan.press.refusal:
            await self._refuse_press(channel, job, plan, plan.press)
            return
        self._acknowledge_press(channel, job, plan)
        replies: Sequence[Reply] = []
        typing = self._show_typing(channel, job.head.chat_id, is_silent=plan.is_silent)
        try:
            if plan.media and job.kept is None:
                whose = plan.desk.conversation_id if plan.desk else plan.conversation_id
                job.kept = await self._keeper.keep(
                    channel, plan.media, conversation_id=whose, inbox_id=job.head.inbox_id
                )
            turn = _turn(job, plan)
            if turn is not None:
                answer = await self._rasa.turn(turn)
                replies = answer.messages
                log.info("turn", intent=answer.intent, replayed=answer.replayed)
        finally:
            typing.cancel()
        await late.stop()
        spoken = [reply for reply in replies if reply.text or reply.image]
        notices = job.kept.refusals if job.kept else []
        await asyncio.to_thread(self._finish, job, plan, spoken, notices)
        self._on_queued(plan.conversation_id)

    async def close(self) -> None:
        """Let the last acknowledgements go out."""
        await asyncio.gather(*self._courtesies, return_exceptions=True)

    def _take(self, job: Job) -> Plan | None:
        with self._database.write() as session:
            return intake.take(session, job=job, settings=self._settings, business=self._business.current())

    def _finish(self, job: Job, plan: Plan, replies: Sequence[Reply], notices: Sequence[Notice]) -> None:
        rules = Rules.of(self._settings, self._business.current())
        with self._database.write() as session:
            answers.finish(
                session,
                job=job,
                plan=plan,
                replies=replies,
                notices=notices,
                settings=self._settings,
                rules=rules,
            )

    async def _refuse_press(self, channel: Channel, job: Job, plan: Plan, press: Press) -> None:
        """Explain why a button does nothing: in an alert, or where that is not possible in a message."""
        notices = [Notice(press.refusal, press.params)]
        if channel.capabilities.answer_presses:
            text = self._responses.render(press.refusal, press.params, turn=job.head.inbox_id).text
            with suppress(ChannelError):
                await channel.answer_press(press.callback_query_id, text)
                notices = []
        if press.clears and channel.capabilities.edit_keyboard and press.message_id:
            self._as_courtesy(channel.clear_buttons(job.head.chat_id, press.message_id))
        await asyncio.to_thread(self._finish, job, plan, [], notices)
        self._on_queued(plan.conversation_id)

    def _acknowledge_press(self, channel: Channel, job: Job, plan: Plan) -> None:
        """End the waiting of a pressed button and put the keyboard away; neither holds up the answer."""
        press = plan.press
        if press is None or job.is_acknowledged:
            return
        job.is_acknowledged = True
        if channel.capabilities.answer_presses:
            self._as_courtesy(channel.answer_press(press.callback_query_id))
        if channel.capabilities.edit_keyboard and press.message_id:
            self._as_courtesy(channel.clear_buttons(job.head.chat_id, press.message_id))

    def _as_courtesy(self, call: Awaitable[None]) -> None:
        async def attempt_once() -> None:
            try:
                await call
            except Exception as error:
                log.info("courtesy_failed", error=type(error).__name__)

        task = asyncio.ensure_future(attempt_once())
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)

    def _show_typing(self, channel: Channel, chat_id: str, *, is_silent: bool) -> asyncio.Task[None]:
        async def show() -> None:
            await asyncio.sleep(TYPING_AFTER_SECONDS)
            while not is_silent and channel.capabilities.chat_actions:
                with suppress(ChannelError):
                    await channel.typing(chat_id)
                await asyncio.sleep(TYPING_EVERY_SECONDS)

        return asyncio.ensure_future(show())


def _turn(job: Job, plan: Plan) -> Turn | None:
    """What the dialogue is asked; None when there is nothing to ask, or a person answers."""
    if plan.is_silent:
        return None
    attachments = [*plan.attachments, *(job.kept.attachments if job.kept else [])]
    if plan.late_of is not None or not (plan.text or plan.payload or plan.contact or attachments):
        return None
    metadata = {
        "correlation_id": job.head.correlation_id,
        "audience": plan.audience,
        "edited": plan.edited,
        "expected": plan.expected.as_metadata() if plan.expected else None,
    }
    return Turn(
        sender=str(plan.conversation_id),
        message_id=str(job.head.inbox_id),
        channel=job.head.channel,
        text=plan.text,
        payload=plan.payload,
        attachments=attachments,
        contact=plan.contact,
        metadata=metadata,
    )
