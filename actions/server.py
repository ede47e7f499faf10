"""The action server: rasa_sdk's executor behind a secret, silent about what went wrong inside.

rasa_sdk's own server listens everywhere, lets any web page call it and answers an error with the exception's
text and the whole conversation. Paths and bodies are the same here, so Rasa notices no difference.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import socket
from typing import Any
from urllib.parse import urlsplit

import structlog
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from sanic import Sanic, response
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from actions import base
from actions.handoff_watch import HandoffWatch
from crm_store.errors import ConfigurationError
from crm_store.logs import place_of
from crm_store.roles import SECRET_HEADER, is_loopback
from crm_store.settings import Settings

#: Largest body, in bytes: a call carries a part of the conversation, and stories may be long.
MAX_BODY = 32 * 1024 * 1024
#: Seconds that running actions may take to finish after SIGTERM.
STOP_SECONDS = 5.0

log = structlog.get_logger("actions.server")


def serve(settings: Settings) -> None:
    """Run actions until SIGTERM or SIGINT.

    ``actions_url`` names the address to listen on. Beyond loopback a secret that
    ``peyvand up`` made up (``PEYVAND_INTERNAL_SECRET_MADE_UP=1``) is refused: it does not leave this machine.

    Raises:
        ConfigurationError: the secret or the address is missing or cannot be used.
    """
    if not settings.internal_secret:
        raise ConfigurationError("internal_secret (PEYVAND_INTERNAL_SECRET) is not set")
    host, port = _address(settings.actions_url)
    if not is_loopback(host) and os.environ.get("PEYVAND_INTERNAL_SECRET_MADE_UP") == "1":
        raise ConfigurationError(
            f"actions_url (PEYVAND_ACTIONS_URL) is beyond loopback ({host}): set a secret of your own in "
            "PEYVAND_INTERNAL_SECRET"
        )
    shared = base.configure(settings)
    base.watch_with(HandoffWatch())
    app = create_app(settings.internal_secret)
    log.info("listening", host=host, port=port)
    app.run(sock=_listen(host, port), access_log=False, motd=False)
    shared.database.dispose()


def create_app(secret: str) -> Sanic:
    """Build the web application around every action below ``actions/``.

    Args:
        secret: what a caller must send in the header `SECRET_HEADER`.
    """
    app = Sanic("peyvand_actions", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = MAX_BODY
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = STOP_SECONDS
    # rasa_sdk tells of every action that it finds.
    logging.getLogger("rasa_sdk").setLevel(logging.WARNING)
    executor = ActionExecutor()
    executor.register_package("actions")

    @app.on_request  # type: ignore[untyped-decorator]  # Sanic leaves it untyped
    async def demand_secret(request: Request) -> HTTPResponse | None:
        is_health = request.method == "GET" and request.path == "/health"
        given = request.headers.get(SECRET_HEADER, "").encode()
        if is_health or hmac.compare_digest(given, secret.encode()):
            return None
        return _error(401, "unauthorized", None)

    @app.get("/health")
    async def health(_request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    @app.post("/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        return await _run(executor, request)

    @app.exception(Exception)  # type: ignore[no-untyped-call,untyped-decorator]  # likewise
    async def fail(_request: Request, error: Exception) -> HTTPResponse:
        status = error.status_code if isinstance(error, SanicException) else 500
        return _error(status, "failed", None)

    return app


async def _run(executor: ActionExecutor, request: Request) -> HTTPResponse:
    """Run one action. Only a rejection answers 400: Rasa reads that as "ask the other rules"."""
    call: Any = request.json
    if not isinstance(call, dict) or not isinstance(call.get("next_action"), str):
        return _error(422, "malformed", None)
    action = call["next_action"]
    try:
        return response.json(await executor.run(call))
    except ActionExecutionRejection as rejection:
        return _error(400, "rejected", rejection.action_name)
    except ActionNotFoundException:
        return _error(404, "unknown action", action)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        # Neither the text of the error nor a traceback with values: both may quote what a person typed.
        log.error("action_failed", action=action, error=type(error).__name__, at=place_of(error))
        return _error(500, "failed", action)


def _error(status: int, error: str, action_name: str | None) -> HTTPResponse:
    return response.json({"error": error, "action_name": action_name}, status=status)


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or not port:
        raise ConfigurationError("actions_url (PEYVAND_ACTIONS_URL) must name a host and a port")
    return parts.hostname, port


def _listen(host: str, port: int) -> socket.socket:
    # Sanic would log a traceback and end as if all was well.
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigurationError(
            f"actions_url (PEYVAND_ACTIONS_URL): cannot listen on {host}:{port}: {error.strerror}"
        ) from error
