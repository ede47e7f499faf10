"""Runs lo-bot-api-emulator, a Bot API server written by others, as the independent judge of our requests.

What it does differently from Telegram, and from `FakeBotApi`:

- It keeps no texts and authenticates no token; queues are separate for each token.
- Only ``message``, ``callback_query`` and ``inline_query`` can be pushed. Updates do not expire.
- Of two polls at once the newer gets the 409; Telegram ends the older.
- It refuses ``link_preview_options``, ``protect_content``, ``message_thread_id`` and every field it does not
  know, inline buttons with more than a title and one action, and ``selective`` keyboards.
- It knows the files only that the bot uploaded itself, so attachments cannot be fetched from it.
- Tags, and whether a chat, a message or a pressed button exists, are not checked; it never answers 429.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from tests.ports import free_port

REQUIREMENT = "lo-bot-api-emulator==0.3.6"
# The emulator needs a newer Python than Rasa runs on.
PYTHON = ">=3.11"
TOKEN = "7002:AAH-emulator-token-for-loopback-tests-only"
PROJECT = Path(__file__).resolve().parents[2]
FIRST_START_SECONDS = 180.0
WATCH_SECONDS = 0.1


@dataclass(frozen=True)
class Verdict:
    """The emulator's judgement of everything it was asked.

    Attributes:
        ok: nothing was refused and every required method succeeded.
        refusals: method and HTTP status of what it refused.
        successful: how often each method succeeded.
        missing: required methods that never succeeded.
    """

    ok: bool
    refusals: list[tuple[str, int]]
    successful: dict[str, int]
    missing: list[str]


def find_uv() -> str:
    """The uv that installs and runs the emulator.

    Raises:
        FileNotFoundError: when there is none on the path or in the project.
    """
    found = shutil.which("uv") or shutil.which("uv", path=str(PROJECT / ".uv" / "bin"))
    if found is None:
        raise FileNotFoundError("uv is needed to run lo-bot-api-emulator")
    return found


class Emulator:
    """The emulator as a process of its own; a context manager.

    Attributes:
        token: the bot's token; the emulator takes any.
        journal_path: its record of all requests, one JSON object a line.
    """

    def __init__(self, directory: Path, token: str = TOKEN) -> None:
        """Prepare the emulator.

        Args:
            directory: empty folder for its journal and its output.
            token: token to push updates for.
        """
        self.token = token
        self.journal_path = directory / "requests.jsonl"
        self._output_path = directory / "emulator.log"
        self._command = [
            find_uv(),
            "tool",
            "run",
            "--python",
            PYTHON,
            "--from",
            REQUIREMENT,
            "lo-bot-api-emulator",
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._opener = build_opener(ProxyHandler({}))

    @property
    def base_url(self) -> str:
        """Address of the server; the Bot API is below ``/bot<token>``, files below ``/file/bot<token>``."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers; the first time, uv installs it.

        Raises:
            RuntimeError: with its output, when it does not come up.
        """
        self._port = free_port()
        options = ["--port", str(self._port), "--journal", str(self.journal_path), "--enable-control"]
        with self._output_path.open("wb") as output:
            self._process = subprocess.Popen(
                [*self._command, *options, "--allow-insecure-loopback-webhooks"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_clean_environment(),
                start_new_session=True,
            )
        deadline = time.monotonic() + FIRST_START_SECONDS
        while not _listens(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the emulator did not start: {self._output_path.read_text()}")
            time.sleep(WATCH_SECONDS)

    def stop(self) -> None:
        """End it together with the uv that started it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=10)

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def push(self, update: dict[str, Any]) -> int:
        """Queue an Update object of a kind that the emulator knows, and return its id."""
        body = json.dumps({"token": self.token, "update": update}).encode()
        request = Request(f"{self.base_url}/__fixture/updates", body, {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=10) as answer:
            return int(json.load(answer)["result"]["update_id"])

    def push_text(self, user_id: int, text: str, *, message_id: int, first_name: str = "سارا") -> int:
        """Let a user write to the bot."""
        return self.push({"message": _message(user_id, first_name, message_id) | {"text": text}})

    def push_press(self, user_id: int, data: str, *, message_id: int, first_name: str = "سارا") -> int:
        """Let a user press a button with this callback data below the bot's message."""
        query = {
            "id": f"{user_id}{message_id}{time.monotonic_ns()}",
            "from": _user(user_id, first_name),
            "message": _message(user_id, first_name, message_id) | {"text": "?"},
            "chat_instance": str(-user_id),
            "data": data,
        }
        return self.push({"callback_query": query})

    def journal(self) -> list[dict[str, Any]]:
        """Its record: method, names of fields, status and update ids of every request; no contents."""
        if not self.journal_path.exists():
            return []
        return [json.loads(line) for line in self.journal_path.read_text().splitlines()]

    def verdict(self, *, required: tuple[str, ...] = (), allowed: tuple[str, ...] = ()) -> Verdict:
        """Ask it to judge the journal.

        Args:
            required: methods that must have succeeded at least once.
            allowed: refusals that are meant, such as "sendMessage:400".
        """
        options = [word for method in required for word in ("--require-method", method)]
        options += [word for refusal in allowed for word in ("--allow-refusal", refusal)]
        done = subprocess.run(
            [*self._command, "verdict", str(self.journal_path), *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_clean_environment(),
            timeout=FIRST_START_SECONDS,
            check=False,
        )
        result = json.loads(done.stdout)
        return Verdict(
            ok=bool(result["ok"]) and done.returncode == 0,
            refusals=[(refusal["method"], refusal["status"]) for refusal in result.get("refusals", [])],
            successful=result.get("successful_methods", {}),
            missing=result.get("missing_methods", []),
        )


def _clean_environment() -> dict[str, str]:
    """Our environment without what would lead its Python to our packages."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in ours}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _user(user_id: int, first_name: str) -> dict[str, object]:
    return {"id": user_id, "is_bot": False, "first_name": first_name, "language_code": "fa"}


def _message(user_id: int, first_name: str, message_id: int) -> dict[str, object]:
    return {
        "message_id": message_id,
        "date": int(time.time()),
        "chat": {"id": user_id, "type": "private", "first_name": first_name},
        "from": _user(user_id, first_name),
    }
