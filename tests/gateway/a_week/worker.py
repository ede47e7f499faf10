"""One of the processes that do the automatic work of the week; started with a new interpreter."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection
from random import Random
from typing import Any
from unittest import mock

from sqlalchemy.orm import Session

import crm_store.models  # noqa: F401  # every table must be known before the first flush
from bot.gateway import automatic
from crm_store.base import utcnow
from crm_store.business import BusinessFile
from crm_store.db import Database
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import Handler
from crm_store.settings import BotApiSettings, Settings

GROUP = -1001234567890


def settings_in(folder: str) -> Settings:
    """The settings of the week."""
    return Settings(data_dir=folder, telegram=BotApiSettings(token="1:a", staff_group_id=GROUP))


class Worker:
    """Does the gateway's automatic work, at moments that it is given.

    Attributes:
        now: the present moment.
        dies_in: the work in the middle of which the process is killed, without a goodbye.
    """

    def __init__(self, url: str, folder: str) -> None:
        self.now, self.dies_in = utcnow(), ""
        settings = settings_in(folder)
        handlers = automatic.all_handlers(lambda: self._work.rules())  # noqa: PLW0108  # it is made below
        self._work = automatic.Automatic(
            settings,
            Database(url, pool_size=1),
            BusinessFile(settings.business_path),
            handlers={kind: self._mortal_handler(handler) for kind, handler in handlers.items()},
            clock=lambda: self.now,
        )
        # Within their transactions, before these are committed.
        for job, name in (("sla_sweep", "sweep"), ("half_told", "remind_of_half_told")):
            mock.patch.object(automatic, name, self._mortal(job, getattr(automatic, name))).start()

    def go_through(self, order: Random, begun: Callable[[], None]) -> None:
        """All that the gateway repeats, once, in any order.

        Args:
            begun: called when the work in which it should die is over, as there was nothing to do.
        """
        jobs = self._work.jobs()
        order.shuffle(jobs)
        for number, job in enumerate(sorted(jobs, key=lambda job: job.name != self.dies_in)):
            job.run()
            if self.dies_in and not number:
                begun()

    def _mortal_handler(self, handler: Handler) -> Handler:
        def run(session: Session, job: ScheduledJob, now: datetime) -> None:
            handler(session, job, now)
            session.flush()
            self._die("due_jobs")

        return run

    def _mortal(self, name: str, do: Callable[..., int]) -> Callable[..., int]:
        def run(session: Session, **given: Any) -> int:
            count = do(session, **given)
            if count:
                session.flush()
                self._die(name)
            return count

        return run

    def _die(self, name: str) -> None:
        if self.dies_in == name:
            os.kill(os.getpid(), signal.SIGKILL)


def work(url: str, folder: str, number: int, pipe: Connection) -> None:
    """Work at each moment that comes through the pipe, until None comes.

    Args:
        url: the store.
        folder: where the business file is.
        number: of this process.
        pipe: moments and the work in which to die come in; it is answered when all is done.
    """
    worker, order = Worker(url, folder), Random(number)
    pipe.send("ready")
    for worker.now, worker.dies_in in iter(pipe.recv, None):
        worker.go_through(order, lambda: pipe.send("begun"))
        pipe.send("done")
