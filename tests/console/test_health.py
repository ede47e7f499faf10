"""What the console tells machines about the product's state."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from bot.console.app import build_app
from crm_store import inbox
from crm_store.base import utcnow
from crm_store.conversations.service import add_attachment
from crm_store.db import Database
from crm_store.heartbeats import Heartbeat, beat
from crm_store.outbox import enqueue_message
from crm_store.settings import Settings
from tests.console.conftest import Serve, Visit
from tests.console.stand_in import answer_pending
from tests.factories import a_conversation, an_inbox_id

SECRET = "s3cret"


@pytest_asyncio.fixture
async def roles() -> AsyncIterator[TestServer]:
    """Something that answers health checks as Rasa and the action server do."""

    async def rasa(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.headers.get("X-Peyvand-Secret") == SECRET else 401)

    async def actions(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/webhooks/gateway/ready", rasa)
    app.router.add_get("/health", actions)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


async def readiness(server: TestServer) -> tuple[int, dict[str, Any]]:
    async with ClientSession() as session, session.get(server.make_url("/readyz")) as response:
        body = await response.json()
    assert body["ready"] == all(check["ok"] for check in body["checks"].values())
    return response.status, {name: check["why"] for name, check in body["checks"].items() if not check["ok"]}


async def numbers(server: TestServer, **headers: str) -> dict[tuple[str, ...], float]:
    async with (
        ClientSession() as session,
        session.get(server.make_url("/metrics"), headers=headers) as response,
    ):
        assert response.status == 200
        families = text_string_to_metric_families(await response.text())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def test_the_process_says_that_it_lives(serve: Serve) -> None:
    server = await serve()
    async with ClientSession() as session, session.get(server.make_url("/livez")) as response:
        assert response.status == 200


async def test_everything_is_ready_when_every_part_works(
    serve: Serve, sqlite_database: Database, roles: TestServer
) -> None:
    with sqlite_database.write() as session:
        beat(session, name="gateway")
    url = str(roles.make_url("/"))
    server = await serve(rasa_url=url, actions_url=url, internal_secret=SECRET)
    assert await readiness(server) == (200, {})


async def test_what_is_wrong_is_named_with_its_reason(
    serve: Serve, sqlite_database: Database, roles: TestServer
) -> None:
    with sqlite_database.write() as session:
        session.add(Heartbeat(name="gateway", at=utcnow() - timedelta(seconds=90)))
    url = str(roles.make_url("/"))
    await roles.close()
    status, wrong = await readiness(await serve(rasa_url=url, internal_secret=SECRET))
    assert status == 503
    assert set(wrong) == {"gateway", "rasa", "actions"}
    age = re.search(r"(\d+) s$", wrong["gateway"])
    assert age is not None
    assert int(age[1]) >= 90
    assert "cannot be reached" in wrong["rasa"]
    assert wrong["actions"] == "actions_url is not set"


async def test_a_wrong_secret_shows_as_rasas_own_answer(serve: Serve, roles: TestServer) -> None:
    server = await serve(rasa_url=str(roles.make_url("/")), internal_secret="another")
    _, wrong = await readiness(server)
    assert wrong["rasa"] == "answers with status 401"
    assert wrong["gateway"] == "the gateway has never run"


async def test_missing_migrations_are_named(serve: Serve, sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        session.execute(text("DELETE FROM alembic_version"))
    _, wrong = await readiness(await serve())
    assert "peyvand migrate" in wrong["migrations"]


async def test_a_store_that_cannot_be_read_fails_its_checks_and_no_others(settings: Settings) -> None:
    database = Database(f"sqlite:///{settings.data_path}")  # a folder, not a database
    server = TestServer(build_app(settings, database))
    await server.start_server()
    status, wrong = await readiness(server)
    await server.close()
    assert status == 503
    assert {"database", "migrations", "gateway"} <= set(wrong)
    assert "disk" not in wrong


async def test_a_disk_that_is_nearly_full_is_named(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=99_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    _, wrong = await readiness(await serve())
    assert wrong["disk"] == "only 99 MB are free for the data folder"


async def test_the_numbers_are_those_of_the_store(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    server = await serve()
    page = await (await visit(server)).page()
    await page.say("سلام")
    await page.next("ack")
    answer_pending(sqlite_database)
    long_ago = utcnow() - timedelta(seconds=40)
    with sqlite_database.write() as session:
        chat = a_conversation(session)
        parked, waiting = an_inbox_id(session, chat), an_inbox_id(session, chat)
        inbox.finish(session, inbox_id=parked, state=inbox.PARKED)
        session.get_one(inbox.InboxItem, waiting).received_at = utcnow() - timedelta(minutes=5)
        enqueue_message(session, conversation_id=chat.id, content={"text": "سلام"})
        add_attachment(session, conversation_id=chat.id, inbox_id=waiting, kind="photo", size=4096)
        beat(session, name="gateway")
        beat(session, name="poller:telegram", detail={"last_successful_poll": long_ago.isoformat()})
        beat(session, name="poller:bale", status="starting", detail={"last_successful_poll": None})
    found = await numbers(server)
    assert found["peyvand_inbox_rows", "done"] == 1
    assert found["peyvand_inbox_rows", "parked"] == 1
    assert found["peyvand_inbox_rows", "pending"] == 1
    assert found["peyvand_inbox_rows", "ignored"] == 0
    assert found["peyvand_outbox_rows", "pending"] == 1
    assert 300 <= found["peyvand_oldest_pending_seconds", "inbox"] < 400
    assert 0 <= found["peyvand_oldest_pending_seconds", "outbox"] < 100
    assert found["peyvand_messages_total", "web", "in"] == 1
    assert found["peyvand_messages_total", "web", "out"] == 1
    assert found["peyvand_attachment_bytes",] == 4096
    assert found["peyvand_websockets_open",] == 1
    assert 40 <= found["peyvand_poll_age_seconds", "telegram"] < 140
    assert found["peyvand_poll_age_seconds", "bale"] == math.inf
    assert found["peyvand_heartbeat_age_seconds", "gateway"] < 100


async def test_the_numbers_name_no_person(serve: Serve, visit: Visit, sqlite_database: Database) -> None:
    server = await serve()
    page = await (await visit(server)).page()
    await page.say("شمارهٔ من ۰۹۱۲۱۲۳۴۵۶۷ است")
    await page.next("ack")
    answer_pending(sqlite_database)
    values = {"web", "in", "out", "inbox", "outbox", *inbox_states(), *outbox_states()}
    for _, *labels in await numbers(server):
        assert set(labels) <= values


def inbox_states() -> set[str]:
    return {"pending", "done", "ignored", "parked"}


def outbox_states() -> set[str]:
    return {"pending", "sent", "failed", "cancelled"}


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_the_numbers_are_not_for_those_whom_a_proxy_here_lets_in(serve: Serve, header: str) -> None:
    server = await serve()
    elsewhere = {header: "203.0.113.7"}
    async with (
        ClientSession() as session,
        session.get(server.make_url("/metrics"), headers=elsewhere) as response,
    ):
        assert response.status == 403
    assert await numbers(await serve(public_metrics=True), **elsewhere)
