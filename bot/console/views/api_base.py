"""What all of the API shares: keys, limits, bodies, units of work, and errors as problem JSON (RFC 9457)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.console.auth import address_of
from bot.console.keys import BUSINESS, DATABASE, SETTINGS
from bot.console.limits import RateLimiter
from bot.console.views.api_bodies import Problem
from crm_store.api_keys.service import check_key, is_noted
from crm_store.db import Database
from crm_store.errors import (
    CrmError,
    InvalidInput,
    KeyRefused,
    NotAllowed,
    NotFound,
    TooLate,
)
from crm_store.rules import Rules

HOME = "/api/v1"
BODY_BYTES = 256 * 1024
#: Requests of a key at once, and a second after that.
KEY_BURST, KEY_PER_SECOND = 120, 30.0
#: Requests without a good key, by address: whoever guesses keys does not get far.
REFUSED_BURST, REFUSED_PER_SECOND = 30, 0.5
KEY_LIMITER = web.AppKey("key_limiter", RateLimiter)
REFUSED_LIMITER = web.AppKey("refused_limiter", RateLimiter)
#: A character that texts in PostgreSQL cannot have, as JSON writes it.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_STATUSES: tuple[tuple[type[CrmError], HTTPStatus], ...] = (
    (KeyRefused, HTTPStatus.UNAUTHORIZED),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TooLate, HTTPStatus.GONE),
)

log = structlog.get_logger(__name__)


class Refused(Exception):
    """A request that is answered with a problem.

    Attributes:
        status: of the answer.
        code: stable reason.
        headers: further headers of the answer.
    """

    def __init__(
        self, status: HTTPStatus, code: str, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}


class Call(NamedTuple):
    """A request as its work sees it.

    Attributes:
        actor: ``api:<id of the key>``.
        shop: the key's.
        path: parameters of the address, decoded.
        query: as the operation's struct; None where it has none.
        body: as the operation's struct; None where it has none.
    """

    session: Session
    rules: Rules
    actor: str
    shop: str
    path: Mapping[str, str]
    query: Any
    body: Any


class Operation(NamedTuple):
    """Something that the API does: its route and its part of the document are made of this.

    Attributes:
        path: below `HOME`.
        name: of the operation, as programs that read the document call it.
        scope: that the key must have.
        work: runs in a thread within one unit of work; gives status and answer.
        answers: struct and meaning by status, of good answers.
        problems: further statuses that the work may end in.
        writes: whether it may change the store.
        needs_body: whether the body may be left out.
    """

    method: str
    path: str
    name: str
    summary: str
    scope: str
    work: Callable[[Call], tuple[int, msgspec.Struct]]
    answers: Mapping[int, tuple[type, str]]
    problems: tuple[int, ...] = ()
    body: type | None = None
    query: type | None = None
    writes: bool = False
    needs_body: bool = True


def handler_of(operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler that does an operation."""

    async def handle(request: web.Request) -> web.StreamResponse:
        database = request.config_dict[DATABASE]
        key_id, shop = await _admitted(request, operation.scope, database)
        query = _query(request, operation)
        body = await _body(request, operation)
        rules = await asyncio.to_thread(rules_of, request)

        def work() -> tuple[int, msgspec.Struct]:
            with database.write() if operation.writes else database.read() as session:
                call = Call(session, rules, f"api:{key_id}", shop, dict(request.match_info), query, body)
                return operation.work(call)

        status, answer = await asyncio.to_thread(work)
        return json_response(answer, status)

    return handle


def rules_of(request: web.Request) -> Rules:
    """The rules that are in force now."""
    return Rules.of(request.config_dict[SETTINGS], request.config_dict[BUSINESS].current())


@web.middleware
async def explaining(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong into problem JSON; tell nobody what went wrong inside."""
    try:
        response = await handler(request)
    except Refused as error:
        response = problem(error.status, error.code, error.detail, error.headers)
    except CrmError as error:
        status = next((s for kind, s in _STATUSES if isinstance(error, kind)), HTTPStatus.CONFLICT)
        headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
        response = problem(status, error.code, str(error), headers)
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        status = HTTPStatus(error.status)
        response = problem(status, status.phrase.lower().replace(" ", "_"), "", headers)
    except OperationalError:
        log.warning("api_store_busy", path=request.path, exc_info=True)
        headers = {"Retry-After": "5"}
        response = problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "try again in a moment", headers)
    except Exception:
        log.exception("api_failed", method=request.method, path=request.path)
        response = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal")
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def problem(
    status: HTTPStatus, code: str, detail: str = "", headers: Mapping[str, str] | None = None
) -> web.Response:
    """A problem as RFC 9457 has it."""
    told = Problem(title=status.phrase, status=int(status), code=code, detail=detail)
    return web.Response(
        body=msgspec.json.encode(told),
        status=status,
        content_type="application/problem+json",
        headers=headers,
    )


def json_response(answer: object, status: int = 200) -> web.Response:
    """An answer as JSON."""
    return web.Response(body=msgspec.json.encode(answer), status=status, content_type="application/json")


async def read_body(request: web.Request, longest: int = BODY_BYTES) -> bytes:
    """The body as it came.

    Args:
        longest: bytes that it may have.

    Raises:
        Refused: it is too long.
    """
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > longest:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"at most {longest} bytes")
    return bytes(body)


def decode(raw: bytes, kind: type) -> Any:
    """A body as a struct.

    Raises:
        Refused: it is no JSON, or not of this kind.
    """
    if _NUL.search(raw):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", "no text may hold U+0000")
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "malformed", "this is no JSON") from error


def refuse_stranger(request: web.Request) -> None:
    """Count a request without a good key or signature.

    Raises:
        Refused: the address has sent too many of them.
    """
    _limit(request.config_dict[REFUSED_LIMITER], address_of(request))


async def _admitted(request: web.Request, scope: str, database: Database) -> tuple[int, str]:
    """Id and shop of the key that a request shows."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    try:
        if kind.lower() != "bearer" or not key:
            raise KeyRefused("show a key: Authorization: Bearer pk_…")
        key_id, shop = await asyncio.to_thread(_check, database, key.strip(), scope)
    except CrmError:
        refuse_stranger(request)
        raise
    _limit(request.config_dict[KEY_LIMITER], str(key_id))
    return key_id, shop


def _check(database: Database, key: str, scope: str) -> tuple[int, str]:
    with database.read() as session:
        row = check_key(session, key=key, scope=scope, notes_use=False)
    if not is_noted(row):
        with database.write() as session:
            row = check_key(session, key=key, scope=scope)
    return row.id, row.shop


def _limit(limiter: RateLimiter, who: str) -> None:
    seconds = limiter.wait_for(who)
    if seconds:
        wait = str(int(seconds) + 1)
        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", "", {"Retry-After": wait})


def _query(request: web.Request, operation: Operation) -> Any:
    if operation.query is None:
        return None
    told = dict(request.query)
    if len(told) < len(request.query):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", "a parameter stands there twice")
    try:
        return msgspec.convert(told, operation.query)
    except msgspec.ValidationError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", str(error)) from error


async def _body(request: web.Request, operation: Operation) -> Any:
    if operation.body is None:
        return None
    raw = await read_body(request)
    if not raw and not operation.needs_body:
        raw = b"{}"
    elif request.content_type != "application/json":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "send application/json")
    return decode(raw, operation.body)
