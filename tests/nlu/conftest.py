"""A small trained model, a real Rasa server with our channel and a real action server, in own processes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.nlu.light_rasa import leave_tensorflow_out
from bot.nlu.training import PROJECT_ROOT, train
from crm_store.learning.phrases import LearnedPhrases
from crm_store.settings import learned_path
from tests.ports import free_port

# Before any test module imports Rasa: the components are tested as the server loads them.
leave_tensorflow_out()

PROJECT = Path(__file__).parent / "project"
SECRET = "a-secret-of-the-tests"
#: A greeting that only a copy understands which has learnt it.
TAUGHT = "چاکر شوما هستیم داداچ"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with the real config.yml."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(PROJECT, root, dirs_exist_ok=True)
    shutil.copy(PROJECT_ROOT / "config.yml", root)
    return root


@pytest.fixture(scope="session")
def model(project: Path) -> Path:
    """The small project's model."""
    return train(root=project)


@pytest.fixture(scope="session")
def taught_model(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the same project in a copy that has learnt from use, some of it what cannot be taught."""
    data_dir = tmp_path_factory.mktemp("taught")
    learned = LearnedPhrases(learned_path(data_dir))
    for label, text in (
        ("greet", TAUGHT),
        ("greet", "[سلام](city) /رفیق"),
        ("gone", "کجا رفت"),
        ("faq", "چی"),
    ):
        learned.put(label, text)
    return train(root=project, data_dir=data_dir)


@dataclass
class Rasa:
    """A running server and what the tests ask of it."""

    port: int
    tracker_file: Path
    actions_port: int
    effects_file: Path

    def post(
        self, body: object, *, secret: str | None = SECRET, timeout: float = 30
    ) -> tuple[int, dict[str, Any]]:
        """Sends a turn; returns the status and the answer."""
        headers = {"Content-Type": "application/json"}
        if secret is not None:
            headers["X-Peyvand-Secret"] = secret
        url = f"http://127.0.0.1:{self.port}/webhooks/gateway/turn"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return _fetch(urllib.request.Request(url, data, headers), timeout)

    def turn(self, sender: str, message_id: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Sends a turn with some fields of its body."""
        timeout = fields.pop("timeout", 30)
        return self.post(
            {"sender": sender, "message_id": message_id, "channel": "web", **fields}, timeout=timeout
        )

    def renew(self, *, secret: str = SECRET) -> tuple[int, dict[str, Any]]:
        """Has the model loaded anew."""
        url = f"http://127.0.0.1:{self.port}/webhooks/gateway/model"
        return _fetch(urllib.request.Request(url, b"", {"X-Peyvand-Secret": secret}, method="POST"), 60)

    def ready(self) -> tuple[int, dict[str, Any]]:
        """Asks whether a model is loaded."""
        return _fetch(urllib.request.Request(f"http://127.0.0.1:{self.port}/webhooks/gateway/ready"), 5)

    def events(self, sender: str) -> list[dict[str, Any]]:
        """What the tracker store holds of a conversation."""
        with sqlite3.connect(self.tracker_file) as database:
            rows = database.execute("SELECT data FROM events WHERE sender_id = ? ORDER BY id", (sender,))
            return [json.loads(data) for (data,) in rows]

    def effects(self, sender: str) -> list[str]:
        """What the actions did for a conversation."""
        if not self.effects_file.exists():
            return []
        lines = (line.split() for line in self.effects_file.read_text(encoding="utf-8").splitlines())
        return [effect for who, effect in lines if who == sender]

    @contextmanager
    def action_server(self) -> Iterator[None]:
        """Runs the action server while the block runs."""
        environment = {**os.environ, "SANIC_HOST": "127.0.0.1", "EFFECTS": str(self.effects_file)}
        arguments = [
            "-m",
            "rasa_sdk",
            "--actions",
            "tests.nlu.project.actions",
            "--port",
            str(self.actions_port),
        ]
        with _process(arguments, environment, f"http://127.0.0.1:{self.actions_port}/health"):
            yield


@pytest.fixture(scope="session")
def rasa(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rasa]:
    """A server without an action server."""
    folder = tmp_path_factory.mktemp("rasa")
    server = Rasa(free_port(), folder / "tracker.db", free_port(), folder / "effects.txt")
    with _process(["-m", "bot.nlu.server"], server_environment(server, model), ready_url(server.port)):
        yield server


@pytest.fixture
def model_without_actions(model: Path, tmp_path: Path) -> Iterator[Rasa]:
    """A server of its own whose action server does not run."""
    server = Rasa(free_port(), tmp_path / "tracker.db", free_port(), tmp_path / "effects.txt")
    with _process(["-m", "bot.nlu.server"], server_environment(server, model), ready_url(server.port)):
        yield server


@pytest.fixture(scope="session")
def with_actions(rasa: Rasa) -> Iterator[Rasa]:
    """The server with its action server."""
    with rasa.action_server():
        yield rasa


def server_environment(server: Rasa, model: Path) -> dict[str, str]:
    """What `peyvand up` sets for the Rasa role."""
    return {
        **os.environ,
        "PEYVAND_MODEL": str(model),
        "PEYVAND_RASA_PORT": str(server.port),
        "PEYVAND_INTERNAL_SECRET": SECRET,
        "PEYVAND_ACTIONS_URL": f"http://127.0.0.1:{server.actions_port}",
        "PEYVAND_TRACKER_URL": f"sqlite:///{server.tracker_file}",
    }


@contextmanager
def _process(arguments: list[str], environment: dict[str, str], health: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *arguments], cwd=PROJECT_ROOT, env=environment)
    try:
        wait_for(health, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the process ended with code {process.returncode}"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")


def ready_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/webhooks/gateway/ready"


def _fetch(request: urllib.request.Request, timeout: float) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
