"""What the web chat does not take, and how it says so."""

from __future__ import annotations

import pytest

from bot.console import app, hub
from bot.console.frames import MAX_TEXT
from bot.console.limits import RateLimiter
from bot.console.texts import notice
from crm_store.db import Database
from tests.console.conftest import Serve, Visit
from tests.console.stand_in import received

A_CLIENT_ID = "7b0c8d3e-8c55-4d5d-9a76-0f2f3b6f1c11"


async def test_a_message_of_the_greatest_length_passes_and_a_longer_one_is_answered_kindly(
    serve: Serve, visit: Visit, sqlite_database: Database
) -> None:
    page = await (await visit(await serve())).page()
    await page.say("آ" * MAX_TEXT)
    await page.next("ack")
    client_id = await page.say("آ" * (MAX_TEXT + 1))
    error = await page.next("error")
    assert (error["client_id"], error["code"]) == (client_id, "too_long")
    assert "۴۰۰۰" in error["text"]
    assert len(received(sqlite_database)) == 1


async def test_a_flood_is_answered_kindly_and_what_was_acknowledged_is_kept(
    serve: Serve, visit: Visit, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "FRAMES_PER_SECOND", 0.01)  # however long a frame takes
    page = await (await visit(await serve())).page()
    sent = [await page.say(str(number)) for number in range(40)]
    outcomes: dict[str, dict[str, object]] = {}
    while len(outcomes) < len(sent):
        frame = await page.socket.receive_json(timeout=10)
        if frame["type"] in ("ack", "error"):
            outcomes[frame["client_id"]] = frame
    refused = [frame for frame in outcomes.values() if frame["type"] == "error"]
    assert refused
    assert all(frame["text"] == notice("too_fast") and frame["retry_after"] for frame in refused)
    kept = {row.payload["client_id"] for row in received(sqlite_database)}
    assert kept == {client_id for client_id, frame in outcomes.items() if frame["type"] == "ack"}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "message", "client_id": A_CLIENT_ID, "text": "  \n "}, "empty"),
        ({"type": "message", "client_id": "17", "text": "سلام"}, "malformed"),
        ({"type": "message", "client_id": A_CLIENT_ID, "text": 5}, "malformed"),
        ({"type": "press", "client_id": A_CLIENT_ID, "token": "x" * 25}, "malformed"),
        ({"type": "open_the_safe"}, "malformed"),
        (["not", "a", "frame"], "malformed"),
    ],
)
async def test_a_frame_that_makes_no_sense_is_refused_and_not_kept(
    serve: Serve, visit: Visit, sqlite_database: Database, frame: object, code: str
) -> None:
    page = await (await visit(await serve())).page()
    await page.socket.send_json(frame)
    assert (await page.next("error"))["code"] == code
    assert received(sqlite_database) == []


async def test_a_browser_that_keeps_no_cookie_is_told_what_to_do(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    browser.session.cookie_jar.clear()
    socket = await browser.session.ws_connect(browser.url / "chat/socket", origin=browser.origin)
    assert (await socket.receive_json(timeout=10))["text"] == notice("no_cookie")
    assert (await socket.receive(timeout=10)).data == 4401


async def test_one_visitor_cannot_hold_all_sockets(serve: Serve, visit: Visit) -> None:
    browser = await visit(await serve())
    for _ in range(hub.MAX_SOCKETS_PER_VISITOR):
        await (await browser.page()).next("ready")
    one_too_many = await browser.page()
    assert (await one_too_many.next("error"))["text"] == notice("busy")


def test_a_bucket_fills_up_again_and_is_each_visitors_own() -> None:
    now = 100.0
    limiter = RateLimiter(burst=2, per_second=0.5, clock=lambda: now)
    assert [limiter.wait_for("sara") for _ in range(3)] == [0.0, 0.0, 2.0]
    assert limiter.wait_for("reza") == 0.0
    now += 2
    assert [limiter.wait_for("sara") for _ in range(2)] == [0.0, 2.0]
