"""Starts the whole product as its operator would, on free ports and in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from crm_store.conversations.service import find_conversation
from crm_store.db import Database
from crm_store.privacy.tracker import Tracker
from crm_store.settings import PROJECT_ROOT
from tests.ports import free_port

START_SECONDS = 180.0
COMMAND_SECONDS = 120.0


def eventually(condition: Callable[[], object], *, within: float, what: str) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: naming what did not come true within so many seconds.
    """
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come true within {within:g} s")
        time.sleep(0.05)


class Product:
    """``peyvand up`` as a process of its own.

    Args:
        folder: its data folder.
        settings: further ``PEYVAND_*`` variables.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "product.log"
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("PEYVAND_")} | {
            "PEYVAND_DATA_DIR": str(folder),
            "PEYVAND_HTTP_PORT": str(self.port),
            # Answers are counted; on a busy machine the notice that one takes long would be one of them.
            "PEYVAND_LIMITS_NOTICE_AFTER_SECONDS": "60",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    @property
    def url(self) -> str:
        """Address of the web chat."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def business_file(self) -> Path:
        """What its owner edits."""
        return self.folder / "business.toml"

    def start(self) -> None:
        """Start it and wait until it says that it runs.

        Raises:
            RuntimeError: it ended instead; the message holds the end of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "up"],
                cwd=PROJECT_ROOT,
                env=self._env,
                stdout=log,
                stderr=log,
            )
        self._starts += 1
        eventually(self._started_or_ended, within=START_SECONDS, what="the start of the product")
        if self._process.poll() is not None:
            raise RuntimeError(f"the product ended with code {self._process.returncode}:\n{self.log_tail()}")

    def _started_or_ended(self) -> bool:
        ended = self._process is not None and self._process.poll() is not None
        return ended or self.log.read_text(errors="replace").count("Peyvand is running.") >= self._starts

    def stop(self) -> int:
        """End it as Ctrl-C does; returns its exit code."""
        if self._process is None:
            raise RuntimeError("the product was not started")
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=40)

    def kill_everything(self) -> None:
        """End the supervisor and every role at once with SIGKILL, as a power cut would."""
        victims = [self.pid(role) for role in self.roles()]
        if self._process is None:
            raise RuntimeError("the product was not started")
        self._process.kill()
        for victim in victims:
            _kill(victim)
        self._process.wait(timeout=10)

    def roles(self) -> list[str]:
        """Names of the running roles."""
        return list(self._run_file()["roles"])

    def pid(self, role: str) -> int:
        """Process id of a role."""
        return int(self._run_file()["roles"][role])

    def kill(self, role: str) -> None:
        """End a role with SIGKILL; the supervisor starts it again."""
        _kill(self.pid(role))

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the operator's beside it, on the same store, and wait for its end."""
        return subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            cwd=PROJECT_ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def log_tail(self, lines: int = 40) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def database(self) -> Database:
        """The product's store."""
        return Database(self._env.get("PEYVAND_DATABASE_URL") or f"sqlite:///{self.folder / 'peyvand.db'}")

    def lose_session(self, *, channel: str, chat_id: str) -> None:
        """Take away all that the dialogue remembers of a chat, as when its session is over."""
        database = self.database()
        with database.read() as session:
            conversation = find_conversation(session, channel=channel, chat_id=chat_id)
        database.dispose()
        tracker = Tracker(f"sqlite:///{self.folder / 'tracker.db'}")
        if conversation is not None:
            tracker.forget([conversation.id])
        tracker.close()

    def _run_file(self) -> dict[str, dict[str, int]]:
        loaded: dict[str, dict[str, int]] = json.loads((self.folder / "run.json").read_text())
        return loaded


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
