"""The queue of updates that the bot has not confirmed yet, and long polling."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.bot_api_model import BotApiError

KEPT_SECONDS = 24 * 60 * 60
MAX_BATCH = 100
MAX_POLL_SECONDS = 50
OTHER_POLLER = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
WEBHOOK_SET = "Conflict: terminated by setWebhook request"
OPT_IN_KINDS = {"chat_member", "message_reaction", "message_reaction_count"}


@dataclass
class Pending:
    """An update and how often it went out.

    Attributes:
        body: Telegram's Update object.
        arrived: clock seconds when it came in; it is dropped a day later.
        wanted: how many deliveries it gets before a confirmation counts.
        deliveries: how many it had.
        confirmed: whether the bot has confirmed it.
    """

    body: dict[str, object]
    arrived: float
    wanted: int
    deliveries: int = 0
    confirmed: bool = False

    @property
    def update_id(self) -> int:
        """Telegram's id of the update."""
        return int(str(self.body["update_id"]))


class UpdateQueue:
    """Updates in the order of their ids, kept until confirmed by an offset or by a webhook's 2xx.

    Attributes:
        next_id: id of the next update; set it to restart the numbering.
        allowed: kinds that are delivered; None stands for Telegram's default.
        left_out: kinds of updates that the bot did not ask for, in order of arrival.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pending: list[Pending] = []
        self._waiter: asyncio.Future[str] | None = None
        self._random = random.Random(0)
        self._most_deliveries = 1
        self.arrival = asyncio.Event()
        self.next_id = 700_000_001
        self.allowed: set[str] | None = None
        self.left_out: list[str] = []

    def redeliver_up_to(self, times: int, seed: int) -> None:
        """Deliver each coming update between one and `times` times, whatever is confirmed."""
        self._most_deliveries = times
        self._random = random.Random(seed)

    def add(self, kind: str, content: object) -> int:
        """Queue an update, unless its kind was not asked for, and return its id."""
        return self.add_raw({"update_id": self.next_id, kind: content})

    def add_raw(self, body: dict[str, object]) -> int:
        """Queue a whole Update object; one without an update_id gets the next."""
        body = {"update_id": self.next_id} | body
        update_id = int(str(body["update_id"]))
        self.next_id = update_id + 1
        kind = next((name for name in body if name != "update_id"), "")
        unwanted = kind in OPT_IN_KINDS if self.allowed is None else kind not in self.allowed
        if unwanted:
            self.left_out.append(kind)
            return update_id
        self._pending.append(Pending(body, self._clock(), self._random.randint(1, self._most_deliveries)))
        self.arrival.set()
        self._wake("")
        return update_id

    def pending(self) -> list[Pending]:
        """Updates that are still to be delivered or confirmed."""
        self._pending = [update for update in self._pending if self._clock() - update.arrived <= KEPT_SECONDS]
        return list(self._pending)

    def clear(self) -> None:
        """Drop all pending updates."""
        self._pending.clear()

    def allow(self, kinds: object) -> None:
        """Take over a bot's allowed_updates; None leaves it as it was, an empty list means the default."""
        if isinstance(kinds, list):
            self.allowed = {str(kind) for kind in kinds} or None

    def delivered(self, update: Pending) -> None:
        """Note a delivery that a webhook accepted."""
        update.deliveries += 1
        update.confirmed = True
        self._forget_finished()

    def interrupt(self, reason: str) -> None:
        """End the long poll that is waiting, with 409 and this reason."""
        self._wake(reason)

    async def poll(self, offset: int, limit: int, timeout: int) -> list[dict[str, object]]:
        """Confirm what lies before the offset and wait for updates.

        Args:
            offset: first id wanted; negative counts from the end; 0 confirms nothing.
            limit: 1 to 100 updates.
            timeout: seconds to wait for the first.

        Raises:
            BotApiError: 409, when another poll or a webhook took over.
        """
        self.interrupt(OTHER_POLLER)
        self._confirm(offset)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(timeout, MAX_POLL_SECONDS)
        while True:
            batch = self._batch(limit)
            remaining = deadline - loop.time()
            if batch or remaining <= 0:
                return [update.body for update in batch]
            waiter: asyncio.Future[str] = loop.create_future()
            self._waiter = waiter
            await asyncio.wait({waiter}, timeout=remaining)
            if waiter.done() and waiter.result():
                raise BotApiError(409, waiter.result())

    def _wake(self, reason: str) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(reason)

    def _confirm(self, offset: int) -> None:
        pending = self.pending()
        confirmed = pending[:offset] if offset < 0 else [one for one in pending if one.update_id < offset]
        for update in confirmed:
            update.confirmed = True
        self._forget_finished()

    def _forget_finished(self) -> None:
        """A confirmed update stays only while it was delivered, but not as often as it should be."""
        self._pending = [
            update
            for update in self._pending
            if not update.confirmed or 0 < update.deliveries < update.wanted
        ]

    def _batch(self, limit: int) -> list[Pending]:
        """The next updates; repeats come at random among fresh ones, and all when nothing is fresh."""
        pending = self.pending()
        fresh = [update for update in pending if not update.confirmed]
        repeats = [
            update for update in pending if update.confirmed and (not fresh or self._random.random() < 0.5)
        ]
        batch = sorted(fresh + repeats, key=lambda update: update.update_id)[: min(max(limit, 1), MAX_BATCH)]
        for update in batch:
            update.deliveries += 1
        self._forget_finished()
        return batch
