"""The supervisor, with small processes in place of the roles."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from bot.up import Role, Supervisor, only_supervisor, prepare, shared_secret
from crm_store.errors import ConfigurationError
from crm_store.settings import Settings

ENV = {"PEYVAND_RASA_URL": "", "PEYVAND_ACTIONS_URL": ""}
LIVES = "import time; time.sleep(600)"
REFUSES = "raise SystemExit(2)"
IGNORES_SIGTERM = (
    "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
)


async def is_healthy() -> bool:
    return True


async def is_not_healthy() -> bool:
    return False


def role(code: str, name: str = "worker") -> Role:
    return Role(name, [sys.executable, "-c", code], dict(ENV), is_healthy)


async def until(condition: object, seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


async def test_a_killed_process_is_started_again_with_a_growing_pause_and_the_operator_is_told(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    supervisor = Supervisor([role(LIVES)], data_path=tmp_path, say=said.append)
    await supervisor.start()
    worker = supervisor.roles[0]
    for times in (1, 2):
        await until(lambda: worker.process is not None and worker.process.returncode is None)
        former = worker.process
        assert former is not None
        os.kill(former.pid, signal.SIGKILL)
        await until(lambda former=former: worker.process is not former)
        assert sum("killed by SIGKILL" in line for line in said) == times
    pauses = [line.rsplit("in ", 1)[1] for line in said if "starting again" in line]
    assert pauses == ["0.5 s", "1 s"]
    await supervisor.stop()


async def test_stopping_ends_every_process(tmp_path: Path) -> None:
    supervisor = Supervisor([role(LIVES, "one"), role(LIVES, "two")], data_path=tmp_path, say=lambda _: None)
    await supervisor.start()
    await until(lambda: all(one.process for one in supervisor.roles))
    await supervisor.stop()
    assert all(one.process is not None and one.process.returncode is not None for one in supervisor.roles)
    assert not (tmp_path / "run.json").exists()


def test_a_folder_is_run_by_one_supervisor(tmp_path: Path) -> None:
    with only_supervisor(tmp_path) as first, only_supervisor(tmp_path) as second:
        assert (first, second) == (True, False)
    with only_supervisor(tmp_path) as again:
        assert again


async def test_a_process_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.up.STOP_SECONDS", 1.0)
    ready, stubborn = tmp_path / "ready", role(IGNORES_SIGTERM)
    stubborn.command.append(str(ready))
    supervisor = Supervisor([stubborn], data_path=tmp_path, say=lambda _: None)
    await supervisor.start()
    await until(ready.exists)  # it has its handler
    await supervisor.stop()
    process = supervisor.roles[0].process
    assert process is not None
    assert process.returncode == -signal.SIGKILL


async def test_a_process_that_refuses_its_settings_is_not_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    refusing = Role("worker", [sys.executable, "-c", REFUSES], dict(ENV), is_not_healthy)
    supervisor = Supervisor([refusing], data_path=tmp_path, say=said.append)
    with pytest.raises(ConfigurationError, match="worker"):
        await supervisor.start()
    await supervisor.stop()
    assert not any("starting again" in line for line in said)


async def test_a_process_that_was_healthy_is_started_again_whatever_ended_it(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(
        [role("import time; time.sleep(0.5); raise SystemExit(2)")], data_path=tmp_path, say=said.append
    )
    await supervisor.start()
    await until(lambda: any("exit code 2" in line for line in said))
    await supervisor.stop()


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.up.MIN_FREE_BYTES", 10**18)
    with pytest.raises(ConfigurationError, match="nearly full"):
        prepare(Settings(data_dir=str(tmp_path)), needs_port=False)


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    assert shared_secret(settings) == shared_secret(settings)
    assert (tmp_path / "internal_secret").stat().st_mode & 0o777 == 0o600
    assert shared_secret(Settings(data_dir=str(tmp_path), internal_secret="mine")) == "mine"
