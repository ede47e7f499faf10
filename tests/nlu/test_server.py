"""Starting and stopping the Rasa role."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.nlu.choosing import ModelChoice
from bot.nlu.training import PROJECT_ROOT
from bot.renewing import tell_running_copy
from crm_store.settings import Settings
from tests.nlu.conftest import SECRET, TAUGHT, Rasa, ready_url, server_environment, wait_for
from tests.ports import free_port

pytestmark = pytest.mark.rasa

START = [sys.executable, "-m", "bot.nlu.server"]
#: From this turn on the change of the model is waited for.
DAWDLES = 2
PICK, SLOW = {"payload": "/pick"}, {"text": "ممنون"}


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


@contextmanager
def served(role: Rasa, model: Path) -> Iterator[None]:
    """A server with its action server, while the block runs."""
    process = subprocess.Popen(START, cwd=PROJECT_ROOT, env=server_environment(role, model))
    try:
        wait_for(ready_url(role.port), process)
        with role.action_server():
            yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def lead(link: Path, model: Path) -> None:
    """Let a link lead to another model, in one step."""
    ModelChoice(link.parent).use(model)


def test_another_model_takes_over_while_turns_run_and_none_is_lost(
    role: Rasa, model: Path, taught_model: Path, tmp_path: Path
) -> None:
    link = ModelChoice(tmp_path).link
    lead(link, model)
    answers: list[int] = []
    with served(role, link):
        assert role.turn("before", "1", text=TAUGHT)[1]["intent"] == "nlu_fallback"
        stop = threading.Event()

        def talk(sender: str) -> None:
            for number in itertools.count():
                # One of them dawdles for more than a second: it is under way while the model changes.
                fields = SLOW if (sender, number) == ("chat-0", DAWDLES) else PICK
                answers.append(role.turn(sender, str(number), **fields)[0])
                if stop.is_set() and number > DAWDLES:
                    return

        threads = [threading.Thread(target=talk, args=(f"chat-{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for number in range(6):
            chosen = (model, taught_model)[number % 2]
            time.sleep(0.3)
            lead(link, chosen)
            assert role.renew() == (200, {"model": chosen.name})
        stop.set()
        for thread in threads:
            thread.join()
        assert role.turn("before", "2", text=TAUGHT)[1]["intent"] == "greet"
    assert set(answers) == {200}
    effects = [effect for number in range(6) for effect in role.effects(f"chat-{number}")]
    assert len(effects) == len(answers), "every turn ran once"


def test_a_bad_model_is_refused_and_the_present_one_goes_on(role: Rasa, model: Path, tmp_path: Path) -> None:
    link = ModelChoice(tmp_path).link
    lead(link, model)
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"not an archive")
    with served(role, link):
        for wrong in (broken, tmp_path / "missing.tar.gz"):
            lead(link, wrong)
            status, answer = role.renew()
            assert (status, answer["error"]) == (422, "model_refused")
            assert wrong.name in answer["detail"]
            assert role.turn("1", wrong.name, text="سلام")[1]["intent"] == "greet"
        assert role.renew(secret="wrong")[0] == 401
        assert role.ready()[0] == 200


def test_a_running_copy_is_told_of_a_new_model(
    role: Rasa, model: Path, taught_model: Path, tmp_path: Path
) -> None:
    settings = Settings(data_dir=str(tmp_path), internal_secret=SECRET)
    assert tell_running_copy(settings, model) == ""
    run_file = tmp_path / "run.json"
    url = f"http://127.0.0.1:{role.port}"
    run_file.write_text(json.dumps({"supervisor": os.getpid(), "roles": {}, "PEYVAND_RASA_URL": url}))
    assert "could not be told" in tell_running_copy(settings, model)
    link = ModelChoice(tmp_path).link
    lead(link, model)
    with served(role, link):
        lead(link, taught_model)
        assert tell_running_copy(settings, taught_model) == f"Rasa at {url} uses it from now on"
        assert "uses another model" in tell_running_copy(settings, model)
        lead(link, tmp_path / "missing.tar.gz")
        assert "goes on with its former model" in tell_running_copy(settings, model)
    run_file.write_text(json.dumps({"supervisor": 2**22 + 1, "roles": {}, "PEYVAND_RASA_URL": url}))
    assert tell_running_copy(settings, model) == "", "what is left of a copy that was killed"


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
