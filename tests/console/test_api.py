"""What a shop's programs can do over the API, and what nobody can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import requests
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select

from bot.console.app import build_app
from bot.console.limits import RateLimiter
from bot.console.views import api
from bot.console.views.api_base import BODY_BYTES, HOME
from crm_store.api_keys.models import ApiKey
from crm_store.api_keys.service import revoke_key
from crm_store.base import utcnow
from crm_store.business import BusinessFile
from crm_store.customers.merging import merge
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.loyalty import ledger
from crm_store.loyalty.models import LedgerPosting
from crm_store.loyalty.redemptions import redeem
from crm_store.purchases.models import Purchase
from crm_store.rules import Rules
from crm_store.settings import Settings
from tests.console.api_shop import (
    PHONE,
    TOMAN,
    RunningConsole,
    ShopClient,
    a_key,
    a_return,
    an_order,
    club_settings,
    woo_order,
)
from tests.fakes.thread_runner import ThreadRunner


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return club_settings(tmp_path)


@pytest_asyncio.fixture
async def server(settings: Settings, sqlite_database: Database) -> AsyncIterator[TestServer]:
    server = TestServer(build_app(settings, sqlite_database))
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
def shop(server: TestServer, sqlite_database: Database) -> ShopClient:
    return ShopClient(server, a_key(sqlite_database))


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


async def test_an_order_is_kept_once_and_brings_points(shop: ShopClient, sqlite_database: Database) -> None:
    order = an_order()
    status, kept = await shop.post("/purchases", order)
    assert (status, kept["points"], kept["total_rials"]) == (201, 100, 1_000_000 * TOMAN)
    assert await shop.post("/purchases", order) == (200, kept)
    assert await shop.get("/purchases/A-1") == (200, kept)
    assert count(sqlite_database, LedgerPosting) == 1


async def test_the_same_order_with_other_content_is_a_conflict(shop: ShopClient) -> None:
    order = an_order()
    await shop.post("/purchases", order)
    status, answer = await shop.post("/purchases", order | {"phone": "09127654321"})
    assert (status, answer["code"], answer["status"]) == (409, "conflict", 409)


async def test_parts_come_back_until_nothing_is_left(shop: ShopClient) -> None:
    await shop.post("/purchases", an_order(tomans=1_000_000))
    part = a_return(lines=[{"number": 1, "amount_rials": 300_000 * TOMAN}])
    status, kept = await shop.post("/purchases/A-1/returns", part)
    assert (status, kept["total_rials"]) == (201, 300_000 * TOMAN)
    assert await shop.post("/purchases/A-1/returns", part) == (200, kept)
    more = a_return("R-2", lines=[{"number": 1, "amount_rials": 700_001 * TOMAN}])
    assert (await shop.post("/purchases/A-1/returns", more))[0] == 422
    assert (await shop.post("/purchases/A-1/returns", a_return("R-3")))[0] == 201
    status, answer = await shop.post("/purchases/A-1/returns", a_return("R-4"))
    assert (status, answer["code"]) == (409, "conflict")
    _, order = await shop.get("/purchases/A-1")
    assert order["lines"][0]["returned_rials"] == order["total_rials"]
    assert [one["return_id"] for one in order["returns"]] == ["R-1", "R-3"]


async def test_another_shops_orders_do_not_exist(
    server: TestServer, shop: ShopClient, sqlite_database: Database
) -> None:
    await shop.post("/purchases", an_order())
    other = ShopClient(server, a_key(sqlite_database, name="other", shop="north"))
    assert (await other.get("/purchases/A-1"))[0] == 404
    assert (await other.post("/purchases/A-1/returns", a_return()))[0] == 404
    assert (await other.post("/purchases", an_order()))[0] == 201  # its own order of that number


async def test_without_a_key_with_a_wrong_or_revoked_one_nothing_opens(
    server: TestServer, sqlite_database: Database
) -> None:
    key = a_key(sqlite_database)
    assert (await ShopClient(server, key).get("/surveys"))[0] == 200
    with sqlite_database.write() as session:
        revoke_key(session, name="till")
    for shown in ("", "pk_wrong", key):
        status, answer = await ShopClient(server, shown).get("/surveys")
        assert (status, answer["code"]) == (401, "key_refused")


async def test_a_key_does_only_what_it_is_for(server: TestServer, sqlite_database: Database) -> None:
    till = ShopClient(server, a_key(sqlite_database, scopes=["rewards"]))
    status, answer = await till.post("/purchases", an_order())
    assert (status, answer["code"]) == (403, "not_allowed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"paid_at": "2999-01-01T00:00:00Z"},
        {"paid_at": "2026-01-01T00:00:00"},
        {"phone": "12"},
        {"lines": []},
        {"lines": [{"amount_rials": -1}]},
        {"order_id": "a/b"},
        {"order_id": "a\u0000b"},
        {"total": 5},
    ],
)
async def test_what_cannot_be_true_is_refused(
    shop: ShopClient, sqlite_database: Database, wrong: dict[str, Any]
) -> None:
    status, answer = await shop.post("/purchases", an_order() | wrong)
    assert (status, answer["code"]) == (422, "invalid_input")
    assert count(sqlite_database, Purchase) == 0


async def test_bodies_of_another_kind_are_refused(shop: ShopClient) -> None:
    json_type = {"Content-Type": "application/json"}
    assert (await shop.ask("POST", "/purchases", data=b"{", headers=json_type))[0] == 400
    assert (await shop.ask("POST", "/purchases", data=b"{}", headers={"Content-Type": "text/plain"}))[
        0
    ] == 415
    long = b" " * (BODY_BYTES + 1)
    assert (await shop.ask("POST", "/purchases", data=long, headers=json_type))[0] == 413
    assert (await shop.get("/nothing"))[0] == 404
    assert (await shop.ask("DELETE", "/purchases"))[0] == 405


async def test_who_asks_too_often_waits(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, sqlite_database: Database
) -> None:
    seconds = [0.0]  # a clock that stands still, however slow the machine is
    limiter = partial(RateLimiter, clock=lambda: seconds[0])
    monkeypatch.setattr(api, "RateLimiter", limiter)
    monkeypatch.setattr(api, "KEY_BURST", 2)
    async with TestServer(build_app(settings, sqlite_database)) as server:
        hasty = ShopClient(server, a_key(sqlite_database, name="hasty"))
        assert [(await hasty.get("/surveys"))[0] for _ in range(4)] == [200, 200, 429, 429]
        seconds[0] += 1.0
        assert (await hasty.get("/surveys"))[0] == 200


async def test_what_a_purchase_brought_is_told_in_full_although_a_part_settled_what_was_owed(
    shop: ShopClient, sqlite_database: Database
) -> None:
    await shop.post("/purchases", an_order("A-1"))
    with sqlite_database.write() as session:
        by: dict[str, Any] = {"cause": "test", "actor": "system"}
        customer = session.scalars(select(Customer)).one()
        other = Customer()
        session.add(other)
        session.flush()
        earned = ledger.earn(session, customer_id=other.id, points=40, key="earned", expires_at=None, **by)
        ledger.spend(session, customer_id=other.id, points=40, key="spent", **by)
        ledger.take_back(
            session, customer_id=other.id, earned=earned, points=40, base=0, key="returned", **by
        )
        merge(session, into_id=customer.id, from_id=other.id, actor="operator")
    _, kept = await shop.post("/purchases", an_order("A-2"))
    assert kept["points"] == 100


async def test_a_code_is_looked_at_and_taken_once(
    shop: ShopClient, sqlite_database: Database, settings: Settings
) -> None:
    await shop.post("/purchases", an_order())
    rules = Rules.of(settings, BusinessFile(settings.business_path).current())
    with sqlite_database.write() as session:
        customer = session.scalars(select(Customer)).one()
        code = redeem(session, customer_id=customer.id, reward="mug", key="k", rules=rules).code
    status, found = await shop.get(f"/rewards/codes/{code}")
    assert (status, found["reward"], found["can_be_used"]) == (200, "mug", True)
    use = f"/rewards/codes/{code}/use"
    status, used = await shop.post(use, {"order_id": "B-2"})
    assert (status, used["state"]) == (200, "used")
    assert await shop.post(use, {"order_id": "B-2"}) == (200, used)
    assert (await shop.post(use, {}))[0] == 409
    assert (await shop.get("/rewards/codes/22222-22222"))[0] == 404


async def test_a_survey_is_set_sent_and_evaluated(shop: ShopClient) -> None:
    survey = {
        "key": "packing",
        "title": "Packing",
        "questions": [{"key": "grade", "kind": "csat", "text": "How was it packed?"}],
    }
    assert (await shop.ask("PUT", "/surveys/other", json=survey))[0] == 422
    status, kept = await shop.ask("PUT", "/surveys/packing", json=survey)
    assert (status, kept["origin"], kept["version"]) == (200, "api", 1)
    _, all_of_them = await shop.get("/surveys")
    assert "packing" in [one["survey"]["key"] for one in all_of_them["surveys"]]
    await shop.post("/purchases", an_order())
    status, plan = await shop.post("/surveys/packing/invitations", {"phones": [PHONE, "09351112233", "?!?"]})
    assert (status, plan["planned"], plan["unknown"], plan["unreadable"]) == (200, 0, 1, 1)
    assert plan["left_out"] == {"no_chat": 1}
    status, results = await shop.get("/surveys/packing/results?by=month")
    assert (status, results["total"]["asked"]) == (200, 0)
    for odd in ("by=mood", "by=null", "by=tier&by=staff", "since=yesterday", "until=0.5"):
        assert (await shop.get(f"/surveys/packing/results?{odd}"))[0] == 422
    assert (await shop.get("/surveys/nobody/results"))[0] == 404


async def test_a_webhook_counts_once_however_often_it_is_replayed(
    shop: ShopClient, sqlite_database: Database
) -> None:
    assert (await shop.woo(woo_order())) == (200, {"result": "recorded", "why": ""})
    for _ in range(3):
        assert (await shop.woo(woo_order()))[1]["result"] == "known"
    assert count(sqlite_database, LedgerPosting) == 1
    _, order = await shop.get("/purchases/727")
    assert (order["points"], order["total_rials"]) == (10, 100_000 * TOMAN)


async def test_a_refund_and_a_cancelled_order_come_back_once(shop: ShopClient) -> None:
    order = woo_order()
    await shop.woo(order)
    refunded = order | {"refunds": [{"id": 9, "reason": "", "total": "-50000"}]}
    assert (await shop.woo(refunded))[1]["result"] == "returned"
    assert (await shop.woo(refunded))[1]["result"] == "known"
    assert (await shop.woo(refunded | {"status": "cancelled"}))[1]["result"] == "returned"
    assert (await shop.woo(order))[1]["result"] == "known"  # an old delivery once more
    _, kept = await shop.get("/purchases/727")
    assert sum(one["total_rials"] for one in kept["returns"]) == kept["total_rials"]


async def test_a_forged_webhook_is_refused(
    server: TestServer, shop: ShopClient, sqlite_database: Database
) -> None:
    status, answer = await shop.woo(woo_order(), secret="guessed")
    assert (status, answer["code"]) == (401, "signature_refused")
    headers = {"Content-Type": "application/json"}
    assert (await shop.ask("POST", "/webhooks/woocommerce", json=woo_order(), headers=headers))[0] == 401
    assert count(sqlite_database, Purchase) == 0


async def test_woocommerce_finds_somebody_there_when_the_webhook_is_made(shop: ShopClient) -> None:
    status, answer = await shop.ask("POST", "/webhooks/woocommerce", data={"webhook_id": "3"})
    assert (status, answer["result"]) == (200, "pong")


async def test_without_a_secret_webhooks_are_switched_off(
    settings: Settings, sqlite_database: Database
) -> None:
    off = msgspec.structs.replace(settings, woocommerce=type(settings.woocommerce)())
    async with TestServer(build_app(off, sqlite_database)) as server:
        status, answer = await ShopClient(server).woo(woo_order(), secret="")
    assert (status, answer["code"]) == (403, "switched_off")


async def test_the_use_of_a_key_is_noted(
    server: TestServer, shop: ShopClient, sqlite_database: Database
) -> None:
    await shop.get("/surveys")
    with sqlite_database.read() as session:
        used = session.scalars(select(ApiKey.last_used_at)).one()
    assert used is not None
    assert utcnow() - used < timedelta(minutes=1)


def test_eight_programs_at_once_count_what_they_tell_once(settings: Settings, database: Database) -> None:
    headers = {"Authorization": f"Bearer {a_key(database)}"}
    order, given_back = an_order(), a_return()

    with ThreadRunner(RunningConsole(settings, database)) as runner, ThreadPoolExecutor(8) as pool:

        def tell(address: str, *bodies: dict[str, Any]) -> list[int]:
            def send(body: dict[str, Any]) -> int:
                url = f"{runner.fake.url}{HOME}{address}"
                return requests.post(url, json=body, headers=headers, timeout=60).status_code

            return sorted(pool.map(send, bodies))

        assert tell("/purchases", *[order] * 8) == [200] * 7 + [201]
        assert [count(database, table) for table in (Purchase, Customer, LedgerPosting)] == [1, 1, 1]
        assert tell("/purchases/A-1/returns", *[given_back] * 8) == [200] * 7 + [201]
        assert count(database, LedgerPosting) == 2
        # Eight orders of somebody who was unknown until now.
        others = [an_order(f"B-{number}", phone="09351112233") for number in range(8)]
        assert tell("/purchases", *others) == [201] * 8
        assert [count(database, table) for table in (Purchase, Customer)] == [9, 2]
