"""The webhook to which a WooCommerce shop tells its orders."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import structlog
from aiohttp import web

from bot.console.keys import DATABASE, SETTINGS
from bot.console.views.api_base import Refused, json_response, read_body, refuse_stranger, rules_of
from crm_store.purchases.woocommerce import TOPICS, Taken, is_ping, is_signed, read_order, take_order

PATH = "/webhooks/woocommerce"
#: Plugins write much into an order; one that is refused counts as a failure there.
BODY_BYTES = 2 * 1024 * 1024
SIGNATURE, TOPIC = "X-WC-Webhook-Signature", "X-WC-Webhook-Topic"

log = structlog.get_logger(__name__)


async def receive(request: web.Request) -> web.StreamResponse:
    """Take in an order that carries the shop's signature."""
    settings = request.config_dict[SETTINGS].woocommerce
    if not settings.webhook_secret:
        refuse_stranger(request)
        raise Refused(HTTPStatus.FORBIDDEN, "switched_off", "woocommerce.webhook_secret is not set")
    raw = await read_body(request, BODY_BYTES)
    if is_ping(raw):  # sent once, unsigned, when the webhook is made
        refuse_stranger(request)
        return json_response(Taken("pong"))
    signature = request.headers.get(SIGNATURE, "")
    if not is_signed(raw, signature=signature, secret=settings.webhook_secret):
        refuse_stranger(request)
        raise Refused(HTTPStatus.UNAUTHORIZED, "signature_refused", "the signature does not fit the body")
    if request.headers.get(TOPIC, TOPICS[0]) not in TOPICS:
        return json_response(Taken("ignored", "only orders are taken"))
    order = read_order(raw)
    database, rules = request.config_dict[DATABASE], await asyncio.to_thread(rules_of, request)

    def work() -> Taken:
        with database.write() as session:
            return take_order(session, order=order, settings=settings, rules=rules)

    taken = await asyncio.to_thread(work)
    if taken.result == "ignored":
        log.warning("woocommerce_order_ignored", order_id=order.id, status=order.status, why=taken.why)
    return json_response(taken)
