"""Health for machines: ``/livez``, ``/readyz`` and ``/metrics``, on the console's public port.

``/livez`` answers as long as the process does. ``/readyz`` says for each part whether it works and, if not,
why; it tells no secret and no person's data, so anybody may ask. ``/metrics`` tells how busy the business is,
so unless ``public_metrics`` is set it answers this machine only, and not what a reverse proxy passes on.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable

from aiohttp import ClientError, web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.console.keys import DATABASE, HTTP, HUB, SETTINGS
from bot.console.metrics import build_registry
from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.heartbeats import Heartbeat
from crm_store.migrate import is_current
from crm_store.roles import SECRET_HEADER, is_loopback

CHECK_SECONDS = 4.0
GATEWAY_FRESH_SECONDS = 20.0
FREE_BYTES = 100_000_000
_FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP")

routes = web.RouteTableDef()


class UnreadyError(Exception):
    """A check failed; the message says why."""


@routes.get("/livez")
async def livez(_request: web.Request) -> web.Response:
    """200 as long as the process answers."""
    return web.json_response({"alive": True})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """200 when every part works, else 503; the body names each check and what is wrong."""
    settings, database = request.app[SETTINGS], request.app[DATABASE]
    checks = {
        "database": asyncio.to_thread(_check_database, database),
        "migrations": asyncio.to_thread(_check_migrations, database),
        "gateway": asyncio.to_thread(_check_gateway, database),
        "rasa": _check_role(request, "rasa_url", settings.rasa_url, "/webhooks/gateway/ready"),
        "actions": _check_role(request, "actions_url", settings.actions_url, "/health"),
        "disk": asyncio.to_thread(_check_disk, request),
    }
    reasons = await asyncio.gather(*(_reason(check) for check in checks.values()))
    results = {name: {"ok": why is None, "why": why} for name, why in zip(checks, reasons, strict=True)}
    ready = all(why is None for why in reasons)
    return web.json_response({"ready": ready, "checks": results}, status=200 if ready else 503)


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """The numbers, for Prometheus."""
    if not request.app[SETTINGS].public_metrics and not _is_this_machine(request):
        raise web.HTTPForbidden(text="metrics answer this machine only; see public_metrics\n")
    registry = build_registry(request.app[DATABASE], request.app[HUB])
    body = await asyncio.to_thread(generate_latest, registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


async def _reason(check: Awaitable[None]) -> str | None:
    """Why a check fails, or None when it does not."""
    try:
        await asyncio.wait_for(check, CHECK_SECONDS)
    except UnreadyError as error:
        return str(error)
    except asyncio.TimeoutError:
        return f"no answer within {CHECK_SECONDS:.0f} s"
    except SQLAlchemyError as error:
        return f"the store cannot be read ({type(error).__name__})"
    return None


def _check_database(database: Database) -> None:
    with database.read() as session:
        session.execute(text("SELECT 1"))


def _check_migrations(database: Database) -> None:
    if not is_current(database):
        raise UnreadyError("the store lacks migrations; run: peyvand migrate")


def _check_gateway(database: Database) -> None:
    with database.read() as session:
        beat = session.get(Heartbeat, "gateway")
    if beat is None:
        raise UnreadyError("the gateway has never run")
    age = (utcnow() - beat.at).total_seconds()
    if age > GATEWAY_FRESH_SECONDS:
        raise UnreadyError(f"no sign of life for {age:.0f} s")


async def _check_role(request: web.Request, key: str, address: str, path: str) -> None:
    if not address:
        raise UnreadyError(f"{key} is not set")
    secret = request.app[SETTINGS].internal_secret
    headers = {SECRET_HEADER: secret} if secret else {}
    try:
        async with request.app[HTTP].get(address.rstrip("/") + path, headers=headers) as response:
            if response.status != 200:
                raise UnreadyError(f"answers with status {response.status}")
    except (ClientError, ValueError) as error:
        raise UnreadyError(f"cannot be reached ({type(error).__name__})") from error


def _check_disk(request: web.Request) -> None:
    folder = request.app[SETTINGS].data_path
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise UnreadyError("the data folder cannot be read") from error
    if free < FREE_BYTES:
        raise UnreadyError(f"only {free // 1_000_000} MB are free for the data folder")


def _is_this_machine(request: web.Request) -> bool:
    if any(header in request.headers for header in _FORWARDING_HEADERS):
        return False
    return is_loopback(request.remote or "")
