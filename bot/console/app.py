"""Builds the console's web application and runs it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from aiohttp import ClientSession, ClientTimeout, web

from bot.console import auth
from bot.console.chat_store import ChatStore
from bot.console.hub import Hub
from bot.console.keys import (
    BUSINESS,
    CHAT_STORE,
    DATABASE,
    HTTP,
    HUB,
    LIMITER,
    LIVE_HUB,
    LIVE_LIMITER,
    SETTINGS,
)
from bot.console.limits import RateLimiter
from bot.console.live import LiveHub
from bot.console.views import chat, health
from bot.console.views.api import build_api
from bot.console.views.api_base import HOME as API
from bot.console.views.console import build_console
from crm_store.business import BusinessFile
from crm_store.db import Database
from crm_store.errors import ConfigurationError
from crm_store.settings import Settings

#: A visitor may send this many frames at once, and so many a second after that.
FRAME_BURST, FRAMES_PER_SECOND = 20, 2.0
#: Likewise a member of staff at the console.
STAFF_BURST, STAFF_PER_SECOND = 40, 5.0
SHUTDOWN_SECONDS = 5.0
_STATIC = Path(__file__).parent / "static"
_SECURITY_HEADERS = {
    # Everything the page needs comes from here, in files of its own: no inline script or style, no frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

#: The console's pages have forms too; what they show is never left in a browser's cache.
_CONSOLE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With "no-referrer" a browser would not say where a form comes from (Fetch standard, "origin header").
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

log = structlog.get_logger(__name__)


def build_app(settings: Settings, database: Database) -> web.Application:
    """The console's application: web chat, the pages for staff, the API, static files, health and metrics.

    Args:
        settings: limits, addresses of the other roles, where the business file is.
        database: the store; stays the caller's to dispose of.
    """
    app = web.Application(middlewares=[chat.explain])
    store = ChatStore(settings, database)
    app[SETTINGS] = settings
    app[DATABASE] = database
    app[BUSINESS] = BusinessFile(settings.business_path)
    app[CHAT_STORE] = store
    app[HUB] = Hub(store)
    app[LIMITER] = RateLimiter(burst=FRAME_BURST, per_second=FRAMES_PER_SECOND)
    app[LIVE_HUB] = LiveHub(database)
    app[LIVE_LIMITER] = RateLimiter(burst=STAFF_BURST, per_second=STAFF_PER_SECOND)
    auth.keep_limits(app)
    app.add_routes(chat.routes)
    app.add_routes(health.routes)
    app.add_subapp(auth.HOME, build_console())
    app.add_subapp(API, build_api())
    app.router.add_static("/static", _STATIC)
    app.on_response_prepare.append(_add_headers)
    app.cleanup_ctx.append(_http_client)
    app.cleanup_ctx.append(_tailer)
    app.on_shutdown.append(_say_goodbye)
    return app


async def run_console(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    database = Database(settings.store_url)
    runner = web.AppRunner(build_app(settings, database), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await _listen(runner, settings)
        log.info("console_ready", host=settings.http_host, port=settings.http_port)
        await _until_asked_to_stop()
    finally:
        await runner.cleanup()
        database.dispose()


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    host, port = settings.http_host, settings.http_port
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"http_port (PEYVAND_HTTP_PORT): another program already listens on {host}:{port}; "
                "stop it or choose another port"
            ) from error
        if error.errno == errno.EACCES:
            raise ConfigurationError(
                f"http_port (PEYVAND_HTTP_PORT): you may not listen on port {port}; choose one above 1023"
            ) from error
        raise ConfigurationError(
            f"http_host (PEYVAND_HTTP_HOST): cannot listen on {host}:{port}; give an address of this machine"
        ) from error


async def _until_asked_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    is_console = f"{request.path}/".startswith(f"{auth.HOME}/")
    for name, value in (_SECURITY_HEADERS | (_CONSOLE_HEADERS if is_console else {})).items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/static/"):
        # Asked again at every visit, answered by "not modified": an update is never half applied.
        response.headers["Cache-Control"] = "no-cache"


async def _http_client(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession(timeout=ClientTimeout(total=health.CHECK_SECONDS), trust_env=False) as client:
        app[HTTP] = client
        yield


async def _tailer(app: web.Application) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(app[HUB].tail()), asyncio.create_task(app[LIVE_HUB].tail())]
    yield
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _say_goodbye(app: web.Application) -> None:
    await asyncio.gather(app[HUB].close_all(), app[LIVE_HUB].close_all())
