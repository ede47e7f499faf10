"""The console with a customers' club, and programs of shops that use its API."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import ClientSession
from aiohttp.test_utils import BaseTestServer
from aiohttp.web import AppRunner, TCPSite

from bot.console.app import build_app
from bot.console.views.api_base import HOME
from crm_store.api_keys.models import SCOPES
from crm_store.api_keys.service import create_key
from crm_store.base import utcnow
from crm_store.business import EXAMPLE
from crm_store.db import Database
from crm_store.settings import Settings, WooCommerceSettings

SECRET = "a shop's secret"
PHONE = "09121234567"
TOMAN = 10
_REWARD = """
[[loyalty.rewards]]
key = "mug"
title = "Mug"
points = 10
"""


def club_settings(folder: Path) -> Settings:
    """Settings of a business with a club: a point for 10,000 tomans, one reward; a WooCommerce shop."""
    text = re.sub(
        r"^tomans_per_point = 0", "tomans_per_point = 10000", EXAMPLE.read_text("utf-8"), flags=re.M
    )
    (folder / "business.toml").write_text(text + _REWARD, encoding="utf-8")
    return Settings(data_dir=str(folder), woocommerce=WooCommerceSettings(webhook_secret=SECRET))


def a_key(
    database: Database, *, name: str = "till", shop: str = "main", scopes: Sequence[str] = SCOPES
) -> str:
    """A key of the API."""
    with database.write() as session:
        return create_key(session, name=name, shop=shop, scopes=scopes)[1]


def an_order(number: str = "A-1", *, tomans: int = 1_000_000, **changes: Any) -> dict[str, Any]:
    """An order of one line, paid a minute ago."""
    order = {
        "order_id": number,
        "phone": PHONE,
        "paid_at": (utcnow() - timedelta(minutes=1)).isoformat(),
        "lines": [{"title": "Kettle", "category": "home", "amount_rials": tomans * TOMAN}],
    }
    return order | changes


def a_return(number: str = "R-1", **changes: Any) -> dict[str, Any]:
    """All of an order, just now."""
    return {"return_id": number, "returned_at": utcnow().isoformat()} | changes


def woo_order(**changes: Any) -> dict[str, Any]:
    """An order as WooCommerce tells it: 100,000 tomans, paid yesterday."""
    paid = (datetime.now(timezone.utc) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    order = {
        "id": 727,
        "status": "processing",
        "currency": "IRT",
        "total": "100000",
        "date_paid_gmt": paid,
        "billing": {"first_name": "سارا", "last_name": "رضایی", "phone": PHONE},
        "line_items": [
            {"name": "Kettle", "total": "60000", "total_tax": "0"},
            {"name": "Cup", "total": "40000.00", "total_tax": "0"},
        ],
        "refunds": [],
    }
    return order | changes


def signature(body: bytes, secret: str = SECRET) -> str:
    """The signature that WooCommerce sends with a body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class ShopClient:
    """A program of a shop's.

    Args:
        server: the console.
        key: that it shows; empty for none.
    """

    def __init__(self, server: BaseTestServer, key: str = "") -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def post(self, address: str, body: object = None, **options: Any) -> tuple[int, Any]:
        """Send a body; status and answer."""
        return await self.ask("POST", address, json=body, **options)

    async def get(self, address: str) -> tuple[int, Any]:
        """Look at something; status and answer."""
        return await self.ask("GET", address)

    async def woo(
        self, order: object, *, secret: str = SECRET, topic: str = "order.updated"
    ) -> tuple[int, Any]:
        """Deliver a webhook."""
        body = msgspec.json.encode(order)
        headers = {
            "X-WC-Webhook-Signature": signature(body, secret),
            "X-WC-Webhook-Topic": topic,
            "Content-Type": "application/json",
        }
        return await self.ask("POST", "/webhooks/woocommerce", data=body, headers=headers)

    async def ask(self, method: str, address: str, **options: Any) -> tuple[int, Any]:
        """Ask for anything; status and answer."""
        options["headers"] = self._headers | options.get("headers", {})
        url = self._server.make_url(HOME + address)
        async with ClientSession() as client, client.request(method, url, **options) as response:
            return response.status, await response.json(content_type=None)


class RunningConsole:
    """A console that listens on a port of its own, for `ThreadRunner`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._runner = AppRunner(build_app(settings, database))
        self.url = ""

    async def start(self) -> None:
        """Begin to listen."""
        await self._runner.setup()
        await TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
