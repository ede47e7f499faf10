"""The JSON API under ``/api/v1``: for the business's other programs."""

from __future__ import annotations

from functools import cache

import msgspec
from aiohttp import web

from bot.console.limits import RateLimiter
from bot.console.views import api_woocommerce
from bot.console.views.api_base import (
    KEY_BURST,
    KEY_LIMITER,
    KEY_PER_SECOND,
    REFUSED_BURST,
    REFUSED_LIMITER,
    REFUSED_PER_SECOND,
    explaining,
    handler_of,
)
from bot.console.views.api_document import document_of
from bot.console.views.api_operations import OPERATIONS

DOCUMENT = "/openapi.json"


def build_api() -> web.Application:
    """The API as an application of its own, to be added below its address."""
    app = web.Application(middlewares=[explaining])
    app[KEY_LIMITER] = RateLimiter(burst=KEY_BURST, per_second=KEY_PER_SECOND)
    app[REFUSED_LIMITER] = RateLimiter(burst=REFUSED_BURST, per_second=REFUSED_PER_SECOND)
    for operation in OPERATIONS:
        app.router.add_route(operation.method, operation.path, handler_of(operation))
    app.router.add_post(api_woocommerce.PATH, api_woocommerce.receive)
    app.router.add_get(DOCUMENT, _document)
    return app


async def _document(_request: web.Request) -> web.Response:
    """The API's own description; it tells nothing about the business, so anybody may read it."""
    return web.Response(body=_encoded(), content_type="application/json")


@cache
def _encoded() -> bytes:
    return msgspec.json.encode(document_of(OPERATIONS))
