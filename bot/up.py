"""``peyvand up``: starts every role, waits until each is healthy, keeps them running, stops them together."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp

from bot.nlu.choosing import ModelChoice
from bot.status import first_password, screen, show_status
from crm_store.base import utcnow
from crm_store.business import BusinessFile, lay_out_business_file
from crm_store.db import Database
from crm_store.errors import ConfigurationError
from crm_store.heartbeats import Heartbeat
from crm_store.migrate import upgrade
from crm_store.privacy.tracker import default_tracker_url
from crm_store.settings import PROJECT_ROOT, Settings

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: A process that lived this long has recovered: its next pause is the first one again.
RECOVERED_AFTER = 60.0
STOP_SECONDS = 12.0
READY_SECONDS = 180.0
MIN_FREE_BYTES = 200_000_000
_PORTS = range(10_000, 30_000)
EXIT_CONFIGURATION = 2
RUN_FILE = "run.json"


@dataclass
class Role:
    """One process of the product.

    Attributes:
        name: what the operator sees.
        command: its command line.
        env: variables that it gets on top of ours.
        healthy: tells whether it does its work.
    """

    name: str
    command: list[str]
    env: dict[str, str]
    healthy: Callable[[], Awaitable[bool]]
    process: asyncio.subprocess.Process | None = field(default=None)
    #: It was healthy once: its settings are right, and a later refusal (a full disk, a busy store) may pass.
    was_healthy: bool = field(default=False)


def prepare(settings: Settings, *, needs_port: bool = True) -> None:
    """Check what can be checked before anything starts, and bring the store up to date.

    Args:
        needs_port: whether the console will listen.

    Raises:
        ConfigurationError: the data folder cannot be written, the disk is full, the port is in use or the
            store cannot be reached; the message names the remedy.
    """
    folder = settings.data_path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".write-test").write_bytes(b"ok")
        (folder / ".write-test").unlink()
    except OSError as error:
        raise ConfigurationError(
            f"data_dir (PEYVAND_DATA_DIR): {folder} cannot be written: {error.strerror}"
        ) from error
    if shutil.disk_usage(folder).free < MIN_FREE_BYTES:
        raise ConfigurationError(
            f"the disk of {folder} is nearly full: free at least {MIN_FREE_BYTES // 10**6} MB"
        )
    lay_out_business_file(settings.business_path)
    BusinessFile(settings.business_path)
    if needs_port:
        _check_port(settings)
    database = Database(settings.store_url)
    try:
        upgrade(database)
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ConfigurationError(
            f"database_url (PEYVAND_DATABASE_URL): the store cannot be opened: {reason}"
        ) from error
    finally:
        database.dispose()


def _check_port(settings: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.http_host, settings.http_port))
        except OSError as error:
            raise ConfigurationError(
                f"http_port (PEYVAND_HTTP_PORT): {settings.http_host}:{settings.http_port} cannot be used "
                f"({error.strerror}). Stop what listens there or choose another port."
            ) from error


def shared_secret(settings: Settings) -> str:
    """The secret of the roles: the operator's, else one that is made once and kept in the data folder."""
    if settings.internal_secret:
        return settings.internal_secret
    file = settings.data_path / "internal_secret"
    if not file.exists():
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)  # whole or not at all, and the first one wins
        fresh.unlink()
    return file.read_text()


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody uses, and that nobody is likely to take before a role listens there.

    They lie below those that systems give to connections, and begin elsewhere for every process.

    Raises:
        ConfigurationError: there are not so many.
    """
    first = _PORTS.start + 2 * os.getpid() % (len(_PORTS) // 2)
    ports = list(itertools.islice(filter(_is_free, range(first, _PORTS.stop)), count))
    if len(ports) < count:
        raise ConfigurationError(f"no free loopback ports between {first} and {_PORTS.stop - 1}: free some")
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def roles_for(settings: Settings, model: Path, *, with_console: bool = True) -> list[Role]:
    """The roles that this machine runs; a role whose address the settings name runs elsewhere."""
    rasa_port, actions_port = free_ports(2)
    shared = {
        "PEYVAND_DATA_DIR": str(settings.data_path),
        "PEYVAND_INTERNAL_SECRET": shared_secret(settings),
        "PEYVAND_INTERNAL_SECRET_MADE_UP": "" if settings.internal_secret else "1",
        "PEYVAND_RASA_URL": settings.rasa_url or f"http://127.0.0.1:{rasa_port}",
        "PEYVAND_ACTIONS_URL": settings.actions_url or f"http://127.0.0.1:{actions_port}",
        "PYTHONUNBUFFERED": "1",
        "RASA_TELEMETRY_ENABLED": "false",
    }
    python = sys.executable
    # The dialogue writes there, and the gateway erases there what customers want forgotten.
    tracker = {} if settings.rasa_url else {"PEYVAND_TRACKER_URL": default_tracker_url(settings)}
    database = Database(settings.store_url)

    def answers(url: str, path: str) -> Callable[[], Awaitable[bool]]:
        return lambda: _answers(url + path)

    begun = utcnow()  # a beat from before is that of a former run

    async def gateway_beats() -> bool:
        return await asyncio.to_thread(_has_beat_since, database, "gateway", begun)

    roles = []
    if not settings.actions_url:
        healthy = answers(shared["PEYVAND_ACTIONS_URL"], "/health")
        roles.append(Role("actions", [python, "-m", "actions"], shared, healthy))
    if not settings.rasa_url:
        names = {"PEYVAND_MODEL": str(lasting_path(model, settings)), "PEYVAND_RASA_PORT": str(rasa_port)}
        env = shared | tracker | names
        healthy = answers(shared["PEYVAND_RASA_URL"], "/webhooks/gateway/ready")
        roles.append(Role("rasa", [python, "-m", "bot.nlu.server"], env, healthy))
    roles.append(Role("gateway", [python, "-m", "bot.cli", "gateway"], shared | tracker, gateway_beats))
    if with_console:
        host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::") else settings.http_host  # noqa: S104  # compared, not listened on
        url = f"http://{host}:{settings.http_port}"
        roles.append(Role("console", [python, "-m", "bot.cli", "console"], shared, answers(url, "/livez")))
    return roles


def lasting_path(model: Path, settings: Settings) -> Path:
    """The link that leads to this model now and to a newer one later, so that a restart takes that one."""
    link = ModelChoice(settings.data_path).link
    return link if link.resolve() == model.resolve() else model


async def _answers(url: str) -> bool:
    try:
        timeout = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(timeout=timeout) as client, client.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError):
        return False


def _has_beat_since(database: Database, name: str, moment: datetime) -> bool:
    with database.read() as session:
        beat = session.get(Heartbeat, name)
        return beat is not None and beat.status == "ok" and beat.at > moment


class Supervisor:
    """Keeps roles running until it is told to stop.

    Args:
        roles: what to run, in starting order.
        data_path: the data folder, where ``run.json`` tells who runs.
        say: receives one line per event that the operator should see.
    """

    def __init__(
        self, roles: list[Role], *, data_path: Path, say: Callable[[str], None] = screen.print
    ) -> None:
        self.roles = roles
        self._run_file = data_path / RUN_FILE
        self._say = say
        self._stopping = asyncio.Event()
        self._fatal: str | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    async def start(self) -> None:
        """Start every role and wait until all are healthy.

        Raises:
            ConfigurationError: a role refused its settings, or was not healthy in time.
        """
        self._say(f"starting {', '.join(role.name for role in self.roles)} …")
        self._tasks = [asyncio.create_task(self._keep_running(role)) for role in self.roles]
        for role in self.roles:
            await self._wait_until_healthy(role)

    async def wait(self) -> None:
        """Wait until somebody calls ``stop``, or a role refuses its settings.

        Raises:
            ConfigurationError: a role refused its settings.
        """
        await self._stopping.wait()
        if self._fatal:
            raise ConfigurationError(self._fatal)

    def request_stop(self) -> None:
        """Let ``wait`` return."""
        self._stopping.set()

    async def stop(self) -> None:
        """End every role, kindly first, then by force."""
        self._stopping.set()
        for role in reversed(self.roles):
            _signal(role, signal.SIGTERM)
        _done, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS) if self._tasks else (set(), set())
        if late:
            for role in self.roles:
                _signal(role, signal.SIGKILL)
            await asyncio.wait(late)
        self._run_file.unlink(missing_ok=True)

    async def _keep_running(self, role: Role) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            started = time.monotonic()
            role.process = await asyncio.create_subprocess_exec(
                *role.command,
                env=_child_environment(role.env),
                cwd=PROJECT_ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
                preexec_fn=_die_with_parent,
            )
            self._write_run_file()
            code = await role.process.wait()
            if self._stopping.is_set():
                return
            if code == EXIT_CONFIGURATION and not role.was_healthy:
                self._fatal = f"{role.name} cannot run with these settings (its reason stands above)"
                self._stopping.set()
                return
            if time.monotonic() - started > RECOVERED_AFTER:
                pause = FIRST_PAUSE
            self._say(
                f"[yellow]●[/] {role.name} ended ({_describe_exit(code)}); starting again in {pause:g} s"
            )
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _wait_until_healthy(self, role: Role) -> None:
        started = time.monotonic()
        while not await role.healthy():
            if self._fatal:
                raise ConfigurationError(self._fatal)
            if self._stopping.is_set():
                return
            if time.monotonic() - started > READY_SECONDS:
                raise ConfigurationError(
                    f"{role.name} was not ready within {READY_SECONDS:g} s; its log stands above"
                )
            await asyncio.sleep(0.2)
        role.was_healthy = True
        self._say(f"[green]✓[/] {role.name} is ready ({time.monotonic() - started:.1f} s)")

    def _write_run_file(self) -> None:
        running = {role.name: role.process.pid for role in self.roles if role.process}
        urls = {key: self.roles[0].env[key] for key in ("PEYVAND_RASA_URL", "PEYVAND_ACTIONS_URL")}
        fresh = self._run_file.with_suffix(".new")
        fresh.write_text(json.dumps({"supervisor": os.getpid(), "roles": running, **urls}))
        fresh.replace(self._run_file)


def _child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    # Without bytecode every start would compile Rasa and its dependencies anew.
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | dict(extra)


def _die_with_parent() -> None:
    """On Linux, let the kernel end a role when the supervisor is killed (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _signal(role: Role, number: signal.Signals) -> None:
    if role.process and role.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            role.process.send_signal(number)


def _describe_exit(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


@contextlib.contextmanager
def only_supervisor(data_path: Path) -> Iterator[bool]:
    """Hold the folder's lock for as long as the product runs; gives False when another one holds it."""
    with (data_path / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


async def run(settings: Settings, model: Path) -> None:
    """Run the product until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: something keeps it from running; the message names the remedy.
    """
    supervisor = Supervisor(roles_for(settings, model), data_path=settings.data_path)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, supervisor.request_stop)
    try:
        await supervisor.start()
        if not supervisor.stopping:
            show_status(settings, password=first_password(settings))
        await supervisor.wait()
    finally:
        screen.print("stopping …")
        await supervisor.stop()
        screen.print("stopped")
