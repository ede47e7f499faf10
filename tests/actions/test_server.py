from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crm_store.db import Database
from crm_store.migrate import upgrade
from crm_store.settings import PROJECT_ROOT
from tests.ports import free_port

SECRET = "a-secret-of-the-tests"
# The server with two more actions: one that rejects the turn, one that fails with a text that must not leave.
SERVER = """
from rasa_sdk import Action
from rasa_sdk.interfaces import ActionExecutionRejection
from actions.server import serve
from crm_store.settings import load_settings

class Rejects(Action):
    def name(self): return "action_rejects"
    def run(self, dispatcher, tracker, domain): raise ActionExecutionRejection("action_rejects")

class Fails(Action):
    def name(self): return "action_fails"
    def run(self, dispatcher, tracker, domain): raise ValueError(tracker.latest_message["text"])

serve(load_settings())
"""


@dataclass
class Server:
    """A running action server."""

    port: int
    process: subprocess.Popen[bytes]

    def call(
        self, path: str = "/webhook", body: object = None, *, secret: str | None = SECRET
    ) -> tuple[int, str, dict[str, str]]:
        """Sends a request; returns status, body and headers."""
        headers = {"Content-Type": "application/json", "Origin": "https://example.com"}
        if secret is not None:
            headers["X-Peyvand-Secret"] = secret
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode(), dict(response.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), dict(error.headers)

    def run(self, action: str, text: str = "", **call: Any) -> tuple[int, dict[str, Any]]:
        """Calls an action as Rasa does."""
        tracker = {"sender_id": "1", "slots": {}, "events": [], "latest_message": {"text": text}}
        body = {"next_action": action, "sender_id": "1", "tracker": tracker, "version": "3.6.21", **call}
        status, answer, _ = self.call(body=body)
        return status, json.loads(answer)


def environment(folder: Path, url: str, secret: str = SECRET) -> dict[str, str]:
    ours = {"PEYVAND_DATA_DIR": str(folder), "PEYVAND_ACTIONS_URL": url, "PEYVAND_INTERNAL_SECRET": secret}
    return {**os.environ, **ours}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("actions")
    upgrade(Database(f"sqlite:///{folder / 'peyvand.db'}"))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=PROJECT_ROOT,
        env=environment(folder, f"http://127.0.0.1:{port}/webhook"),
    )
    running = Server(port, process)
    try:
        _wait_until_healthy(running)
        yield running
    finally:
        process.kill()
        process.wait(timeout=10)


def _wait_until_healthy(server: Server) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.process.poll() is None
        try:
            server.call("/health", secret=None)
        except OSError:  # refused, reset or too slow
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the action server did not answer")


@pytest.mark.parametrize("secret", [None, "", "another"])
def test_the_secret_is_demanded_on_every_path_but_health(server: Server, secret: str | None) -> None:
    for path, body in (
        ("/webhook", {"next_action": "action_session_start"}),
        ("/actions", None),
        ("/", None),
    ):
        assert server.call(path, body, secret=secret)[0] == 401
    assert server.call("/health", secret=secret)[:2] == (200, '{"status":"ok"}')


def test_no_web_page_may_call_it(server: Server) -> None:
    _, _, headers = server.call("/health")
    assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_an_action_runs(server: Server) -> None:
    status, answer = server.run("action_session_start")
    assert status == 200
    assert [event["event"] for event in answer["events"]] == ["session_started", "action"]


def test_an_exception_gives_no_detail(server: Server) -> None:
    assert server.run("action_fails", "a text of a customer") == (
        500,
        {"error": "failed", "action_name": "action_fails"},
    )


def test_a_rejection_reaches_rasa_as_one(server: Server) -> None:
    status, answer = server.run("action_rejects")
    assert (status, answer["action_name"]) == (400, "action_rejects")


def test_what_is_no_call_is_no_rejection_either(server: Server) -> None:
    assert server.run("action_unknown")[0] == 404
    assert server.call(body=["no", "call"])[0] == 422


def test_a_long_conversation_fits(server: Server) -> None:
    assert server.run("action_session_start", "م" * 2_000_000)[0] == 200


@pytest.mark.parametrize(
    ("url", "secret", "key"),
    [
        ("http://0.0.0.0:5055/webhook", SECRET, "actions_url"),
        ("http://127.0.0.1:5055/webhook", "", "internal_secret"),
        ("nowhere", SECRET, "actions_url"),
    ],
)
def test_a_wrong_setting_ends_it_with_one_line_that_names_the_key(
    tmp_path: Path, url: str, secret: str, key: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "actions"],
        cwd=PROJECT_ROOT,
        env=environment(tmp_path, url, secret) | {"PEYVAND_INTERNAL_SECRET_MADE_UP": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert key in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_it_stops_cleanly_when_told_to(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=20) == 0
