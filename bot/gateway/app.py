"""Puts the gateway together and runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import structlog
from sqlalchemy.orm import Session

from bot.gateway.attachments import AttachmentKeeper
from bot.gateway.automatic import Automatic
from bot.gateway.channels.bale import bale_channel
from bot.gateway.channels.base import Channel, ChannelError
from bot.gateway.channels.bot_api import BotApiChannel
from bot.gateway.channels.telegram import telegram_channel
from bot.gateway.channels.transcript import TranscriptChannel
from bot.gateway.desk.relaying import TopicRelay
from bot.gateway.desk.steps import TopicSteps
from bot.gateway.dispatcher import Dispatcher
from bot.gateway.exports import Exports
from bot.gateway.housekeeping import Housekeeping
from bot.gateway.outgoing import Outgoings
from bot.gateway.persistence import JobKeeper
from bot.gateway.polling import Poller
from bot.gateway.rasa_client import RasaClient
from bot.gateway.receiving import Receiver
from bot.gateway.relay import Relay
from bot.gateway.render import Responses
from bot.gateway.timed import run_timed_jobs
from bot.gateway.turns import TurnRunner
from bot.gateway.waiting import growing_pauses
from bot.gateway.webhook import Webhook
from crm_store import heartbeats
from crm_store.business import BusinessFile
from crm_store.db import Database
from crm_store.errors import ConfigurationError
from crm_store.rules import Rules
from crm_store.settings import PROJECT_ROOT, Settings
from crm_store.texts.service import EditedTexts

log = structlog.get_logger(__name__)

BEAT_SECONDS = 5.0
#: Pauses between tries to learn what a bot is called.
FIRST_TRY_SECONDS, LAST_TRY_SECONDS = 1.0, 300.0
#: For turns to end, and once more for sends; together less than `peyvand up` waits.
STOP_SECONDS = 5.0
_MESSENGERS = {"telegram": telegram_channel, "bale": bale_channel}


class Gateway:
    """All parts of the gateway, on one event loop.

    Args:
        settings: what the operator has set.
        database: the store, with its tables.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        proxy = settings.proxy_url
        self._bots = {name: _MESSENGERS[name](bot, proxy_url=proxy) for name, bot in settings.bots().items()}
        self._channels: dict[str, Channel] = {
            name: TranscriptChannel(name, settings.attachments_path) for name in ("web", "terminal")
        }
        self._channels.update(self._bots)
        self._business = BusinessFile(settings.business_path)
        responses = Responses.load(
            (PROJECT_ROOT / "data").glob("*/responses.yml"), self._business, EditedTexts(database)
        )
        self._rasa = RasaClient(
            settings.rasa_url, settings.internal_secret, turn_seconds=settings.limits.turn_seconds
        )
        outgoings = Outgoings(
            database,
            responses,
            button_hours=settings.limits.button_hours,
            channels=frozenset(self._channels),
            exports=Exports(settings, self._business),
        )
        self._relay = Relay(outgoings, self._channels, responses, settings.limits, settings.attachments_path)
        self._runner = TurnRunner(
            database,
            settings,
            channels=self._channels,
            rasa=self._rasa,
            responses=responses,
            business=self._business,
            on_queued=self._relay.wake,
        )
        self._keeper = JobKeeper(
            database, self._runner, self._rasa, settings.limits, on_queued=self._relay.wake
        )
        self._dispatcher = Dispatcher(database, self._channels, self._keeper)
        self._automatic = Automatic(settings, database, self._business)
        self._housekeeping = Housekeeping(settings, database)
        self._desks = [
            desk for name in self._bots if (desk := self._make_desk(name, responses, self._automatic.rules))
        ]
        self._pollers: list[Poller] = []
        self._webhooks: list[Webhook] = []
        for name, channel in self._bots.items():
            self._add_way_in(name, channel)
        #: By which people find the bots, as far as their messengers have told.
        self._usernames: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._desk_tasks: list[asyncio.Task[None]] = []
        #: Set when a part has ended that should never end.
        self.is_broken = asyncio.Event()

    def _make_desk(self, name: str, responses: Responses, rules: Callable[[], Rules]) -> TopicRelay | None:
        """What shows the staff group of a bot whom people take over; None for a bot without one."""
        group_id, pacer = self._settings.bots()[name].staff_group_id, self._relay.pacers[name]
        if group_id is None or pacer is None:
            return None
        pacer.add_group(str(group_id))
        steps = TopicSteps(
            self._database,
            responses,
            rules,
            channel=name,
            chat_id=str(group_id),
            button_hours=self._settings.limits.button_hours,
        )
        return TopicRelay(self._bots[name], str(group_id), steps, pacer, self._settings.attachments_path)

    def _add_way_in(self, name: str, channel: BotApiChannel) -> None:
        settings = self._settings.bots()[name]
        receiver = Receiver(self._database, name, settings.account_id)
        if settings.mode == "webhook":
            self._webhooks.append(Webhook(channel, settings, receiver, self._dispatcher.wake))
        else:
            self._pollers.append(Poller(channel, receiver, self._dispatcher.offer))

    async def start(self) -> None:
        """Begin to work.

        Raises:
            ConfigurationError: a webhook's port is taken.
        """
        await asyncio.to_thread(AttachmentKeeper(self._database, self._settings).remove_leftovers)
        for webhook in self._webhooks:
            await webhook.start()
        jobs = [self._dispatcher.run(), self._relay.run(), self._keeper.watch_for_recovery(), self._beat()]
        jobs.append(run_timed_jobs([*self._automatic.jobs(), *self._housekeeping.jobs()]))
        jobs += [poller.run() for poller in self._pollers]
        jobs += [webhook.run() for webhook in self._webhooks]
        jobs += [self._learn_username(bot) for bot in self._bots.values()]
        self._tasks = [asyncio.ensure_future(job) for job in jobs]
        self._desk_tasks = [asyncio.ensure_future(desk.run()) for desk in self._desks]
        for task in self._desk_tasks:
            task.add_done_callback(self._report_end)
        for task in self._tasks:
            task.add_done_callback(self._report_end)
        log.info("gateway_started", channels=sorted(self._channels))

    def _report_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("gateway_part_broke", error=type(task.exception()).__name__)
            self.is_broken.set()

    async def stop(self) -> None:
        """Take in nothing more, let running turns and sends end, and close everything."""
        for webhook in self._webhooks:
            await webhook.stop()
        ways_in = self._tasks[5:]
        for task in ways_in:
            task.cancel()
        for desk in self._desks:
            desk.stop()
        await self._dispatcher.stop(within=STOP_SECONDS)
        await self._relay.stop(within=STOP_SECONDS)
        if self._tasks:  # the loops of these end by themselves, with no step in the store cut short
            await asyncio.wait([*self._tasks[:2], *self._desk_tasks], timeout=STOP_SECONDS)
        everything = [*self._tasks, *self._desk_tasks]
        for task in everything:
            task.cancel()
        await asyncio.gather(*everything, return_exceptions=True)
        await self._runner.close()
        await self._rasa.close()
        for channel in self._channels.values():
            await channel.close()
        log.info("gateway_stopped")

    async def _learn_username(self, bot: BotApiChannel) -> None:
        """Ask a messenger what its bot is called, until it says so: links that open the bot need the name."""
        for pause in growing_pauses(FIRST_TRY_SECONDS, LAST_TRY_SECONDS):
            try:
                self._usernames[bot.name] = await bot.get_username()
                return
            except ChannelError:
                await asyncio.sleep(pause)

    async def _beat(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._write_beats)
            except Exception as error:
                log.error("heartbeat_not_written", error=type(error).__name__)
            await asyncio.sleep(BEAT_SECONDS)

    def _write_beats(self) -> None:
        with self._database.write() as session:
            heartbeats.beat(session, name="gateway")
            for poller in self._pollers:
                last = poller.last_successful_poll
                detail: dict[str, Any] = {"last_successful_poll": last.isoformat() if last else None}
                detail |= self._name_of_bot(session, poller.name)
                heartbeats.beat(session, name=f"poller:{poller.name}", status=poller.status, detail=detail)
            for webhook in self._webhooks:
                name_of_bot = self._name_of_bot(session, webhook.name)
                heartbeats.beat(
                    session, name=f"webhook:{webhook.name}", status=webhook.status, detail=name_of_bot
                )

    def _name_of_bot(self, session: Session, channel: str) -> dict[str, Any]:
        """The bot's name as it is kept beside the beats; the one known before stays until it is told anew."""
        username = self._usernames.get(channel) or heartbeats.bot_username(session, channel=channel)
        return {heartbeats.USERNAME: username} if username else {}


@contextmanager
def only_gateway(folder: Path, *, patience: float = 15.0) -> Iterator[IO[str]]:
    """Hold the data folder's lock: two gateways would answer everything twice.

    Args:
        patience: seconds to wait for a former gateway that is still stopping.

    Raises:
        ConfigurationError: another gateway works on this folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "gateway.lock").open("w") as lock:
        deadline = time.monotonic() + patience
        while not _take(lock):
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    "data_dir (PEYVAND_DATA_DIR): another gateway is running on this folder; stop it first"
                )
            time.sleep(0.1)
        yield lock


def _take(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


async def run_gateway(settings: Settings) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a setting is missing, or another gateway works on the same data folder.
        RuntimeError: a part of the gateway broke; whoever started it should start it again.
    """
    _check(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # event loops on Windows
            loop.add_signal_handler(number, stop.set)
    with only_gateway(settings.data_path):
        database = Database(settings.store_url)
        gateway = Gateway(settings, database)
        try:
            await gateway.start()
            await _either(stop, gateway.is_broken)
            if gateway.is_broken.is_set():
                raise RuntimeError("a part of the gateway broke")
        finally:
            await gateway.stop()
            await loop.shutdown_default_executor()  # steps in the store that were under way
            database.dispose()


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def _check(settings: Settings) -> None:
    needed: Mapping[str, str] = {"rasa_url": settings.rasa_url, "internal_secret": settings.internal_secret}
    for key, value in needed.items():
        if not value:
            variable = f"PEYVAND_{key.upper()}"
            raise ConfigurationError(f"{key} ({variable}): the gateway needs it; `peyvand up` sets it")
