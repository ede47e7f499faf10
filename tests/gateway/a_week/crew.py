"""Five processes at work on one store, some of which are killed and replaced."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import select

from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.jobs.models import ScheduledJob
from crm_store.sla.models import SlaClock
from tests.gateway.a_week.worker import work

PATIENCE_SECONDS = 60


class Mate:
    """A process and the pipe to it."""

    def __init__(self, url: str, folder: Path, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=work, args=(url, str(folder), number, theirs), daemon=True
        )
        self.process.start()
        theirs.close()
        self.is_ready = False

    def hears(self, wanted: str, seconds: float) -> bool:
        """Wait for a word from it; False when none came, or it is no more."""
        try:
            return self.pipe.poll(seconds) and self.pipe.recv() == wanted
        except (EOFError, ConnectionResetError):
            return False


class Crew:
    """The processes.

    Attributes:
        killed: how many of them were.
    """

    def __init__(self, database: Database, folder: Path, size: int) -> None:
        self._database, self._folder = database, folder
        self._url = database.engine.url.render_as_string(hide_password=False)
        self._started = 0
        self.killed = 0
        self.mates = [self._start() for _ in range(size)]
        for mate in self.mates:
            assert self._is_ready(mate, PATIENCE_SECONDS)

    def go_through(self, now: datetime, *, dies_in: str = "", kill_after: float | None = None) -> bool:
        """Have all that is due at a moment done by all of them at once.

        Args:
            dies_in: the work in the middle of which one of them dies, if it gets to do any.
            kill_after: seconds after which another one is killed, wherever it happens to be.

        Returns:
            Whether one died as it was told.
        """
        at_work = [mate for mate in self.mates if self._is_ready(mate, 0)]
        if len(at_work) < 2:  # who dies leaves somebody behind
            at_work = [mate for mate in self.mates if self._is_ready(mate, PATIENCE_SECONDS)]
        self._send_to_work(at_work, now, dies_in)
        fallen = []
        if kill_after is not None and len(at_work) > 1:
            time.sleep(kill_after)
            fallen.append(at_work.pop())
            fallen[0].process.kill()
        dead = [mate for mate in at_work if not mate.hears("done", PATIENCE_SECONDS)]
        for mate in fallen + dead:
            self._replace(mate)
        self.killed += len(fallen + dead)
        if fallen + dead:
            self._wait_for_the_dead()
            self.go_through(now)
        return bool(dead)

    def _send_to_work(self, at_work: Sequence[Mate], now: datetime, dies_in: str) -> None:
        at = now.astimezone(timezone.utc)
        for number, mate in enumerate(at_work):
            mate.pipe.send((at, "" if number else dies_in))
            if dies_in and not number:
                # The others wait until it has had something to die of, and is dead, or had nothing.
                mate.hears("begun", PATIENCE_SECONDS)

    def stop(self) -> None:
        """Let them go."""
        for mate in self.mates:
            if self._is_ready(mate, PATIENCE_SECONDS):
                mate.pipe.send(None)
        for mate in self.mates:
            mate.process.join(PATIENCE_SECONDS)
            assert mate.process.exitcode == 0

    def dismiss(self) -> None:
        """Let none of them outlive the test."""
        for mate in self.mates:
            mate.process.kill()

    def _start(self) -> Mate:
        self._started += 1
        return Mate(self._url, self._folder, self._started)

    def _replace(self, mate: Mate) -> None:
        """The new one takes part as soon as it is there; until then they are fewer."""
        mate.process.join(PATIENCE_SECONDS)
        assert mate.process.exitcode == -signal.SIGKILL
        self.mates[self.mates.index(mate)] = self._start()

    def _is_ready(self, mate: Mate, seconds: float) -> bool:
        mate.is_ready = mate.is_ready or mate.hears("ready", seconds)
        return mate.is_ready

    def _wait_for_the_dead(self) -> None:
        """A server may notice a moment later that a client is gone, and holds its locks until then."""
        with self._database.write() as session:
            for model in (ScheduledJob, SlaClock, Draft):
                session.scalars(select(model.id).with_for_update()).all()
