"""Who a visitor of the web chat is, and whether a request comes from our own page.

A visitor is known by a random cookie. The store only ever holds its hash, so that nobody who reads the store
can take a conversation over.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from urllib.parse import urlsplit

from aiohttp import web

COOKIE = "peyvand_visitor"
_COOKIE_SECONDS = 365 * 24 * 3600
_TOKEN = re.compile(r"[0-9a-f]{32}")


def visitor_of(request: web.Request) -> str | None:
    """The visitor's id (64 hexadecimal digits), or None without a valid cookie."""
    token = request.cookies.get(COOKIE, "")
    return hashlib.sha256(token.encode()).hexdigest() if _TOKEN.fullmatch(token) else None


def give_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Hand a new visitor the cookie, and prolong the one of a visitor who came back."""
    known = visitor_of(request) is not None
    response.set_cookie(
        COOKIE,
        request.cookies[COOKIE] if known else secrets.token_hex(16),
        max_age=_COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=is_https(request),
    )


def is_https(request: web.Request) -> bool:
    """Whether the visitor's connection is encrypted; behind a reverse proxy the one to us is plain."""
    return "https" in (request.scheme, request.headers.get("X-Forwarded-Proto"))


def is_same_origin(request: web.Request) -> bool:
    """Whether the browser says that our own page made the request.

    A page elsewhere can open a WebSocket to us with the visitor's cookie, but it can neither choose the
    Origin header nor add X-Forwarded-Host, which a reverse proxy sets when it changes Host.
    """
    origin = urlsplit(request.headers.get("Origin", "")).netloc
    return bool(origin) and origin in (request.headers.get("Host"), request.headers.get("X-Forwarded-Host"))
