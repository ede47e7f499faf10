"""Starting and stopping the Rasa role."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.nlu.training import PROJECT_ROOT
from tests.nlu.conftest import Rasa, free_port, ready_url, server_environment, wait_for

pytestmark = pytest.mark.rasa

START = [sys.executable, "-m", "bot.nlu.server"]


@pytest.fixture
def role(tmp_path: Path) -> Rasa:
    """Addresses and files of a server that does not run yet."""
    return Rasa(free_port(), tmp_path / "tracker.db", free_port(), tmp_path / "effects.txt")


def refusal(role: Rasa, model: Path, **environment: str) -> str:
    """Starts a server that must refuse to start; returns the line that it says."""
    outcome = subprocess.run(
        START,
        cwd=PROJECT_ROOT,
        env={**server_environment(role, model), **environment},
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode == 2, outcome.stderr
    lines = outcome.stderr.strip().splitlines()
    return lines[-1]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_tells_no_text_in_its_log(role: Rasa, model: Path, stop: signal.Signals) -> None:
    process = subprocess.Popen(
        START, cwd=PROJECT_ROOT, env=server_environment(role, model), stderr=subprocess.PIPE, text=True
    )
    wait_for(ready_url(role.port), process)
    role.turn("1", "1", text="رازِ من ۰۹۱۲۳۴۵۶۷۸۹")
    process.send_signal(stop)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "listening" in log
    assert "راز" not in log
    assert "9123456789" not in log


def test_beyond_loopback_it_wants_a_secret_that_the_operator_set(role: Rasa, model: Path) -> None:
    made_up = {"PEYVAND_INTERNAL_SECRET_MADE_UP": "1"}
    assert "PEYVAND_INTERNAL_SECRET" in refusal(role, model, PEYVAND_RASA_HOST="0.0.0.0", **made_up)


@pytest.mark.parametrize(
    "name",
    [
        "PEYVAND_MODEL",
        "PEYVAND_RASA_PORT",
        "PEYVAND_INTERNAL_SECRET",
        "PEYVAND_ACTIONS_URL",
        "PEYVAND_TRACKER_URL",
    ],
)
def test_a_missing_setting_is_named(role: Rasa, model: Path, name: str) -> None:
    assert name in refusal(role, model, **{name: ""})


def test_a_missing_model_is_one_line(role: Rasa, tmp_path: Path) -> None:
    assert "peyvand train" in refusal(role, tmp_path / "nothing.tar.gz")


def test_a_broken_model_is_one_line(role: Rasa, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"not an archive")
    assert "PEYVAND_MODEL" in refusal(role, broken)


def test_a_port_in_use_is_one_line(role: Rasa, model: Path) -> None:
    with socket.create_server(("127.0.0.1", role.port)):
        assert "PEYVAND_RASA_PORT" in refusal(role, model)


def test_a_tracker_store_out_of_reach_is_one_line(role: Rasa, model: Path) -> None:
    url = "sqlite:////nowhere/at/all/tracker.db"
    assert "PEYVAND_TRACKER_URL" in refusal(role, model, PEYVAND_TRACKER_URL=url)


def test_turns_survive_a_restart(role: Rasa, model: Path) -> None:
    with role.action_server():
        answers = []
        for _ in range(2):
            process = subprocess.Popen(START, cwd=PROJECT_ROOT, env=server_environment(role, model))
            wait_for(ready_url(role.port), process)
            answers.append(role.turn("1", "1", text="سلام")[1])
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=20)
    assert answers[1] == {**answers[0], "replayed": True}


def test_serving_needs_no_tensorflow(model: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from bot.nlu.parse import load_understanding\n"
        f"understanding = load_understanding(pathlib.Path({str(model)!r}))\n"
        "import bot.nlu.app\n"
        "assert understanding.parse('سلام')['intent'] == 'greet'\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program]
    outcome = subprocess.run(
        command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert outcome.stdout.strip() == "[]"
