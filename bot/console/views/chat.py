"""The web chat: its page, its socket and its files."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import math
import os
from pathlib import Path

import msgspec
import structlog
from aiohttp import BodyPartReader, WSCloseCode, WSMsgType, web
from aiohttp.typedefs import Handler
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError

from bot.console import frames
from bot.console.chat_store import ChatStore
from bot.console.hub import Connection, Hub
from bot.console.keys import BUSINESS, CHAT_STORE, HUB, LIMITER, SETTINGS
from bot.console.limits import RateLimiter
from bot.console.texts import TEMPLATES, notice
from bot.console.uploads import INLINE_TYPES, UploadRefusedError, folder_of, keep_upload
from bot.console.visitors import give_cookie, is_same_origin, visitor_of
from crm_store.persian import to_persian_digits

HEARTBEAT_SECONDS = 25.0
HELLO_SECONDS = 15.0
#: How long a closing page may take to say goodbye.
FAREWELL_SECONDS = 1.0
FLOOD_REST_SECONDS = 0.05
MAX_FRAME_BYTES = 65_536
#: Close code for a browser that keeps no cookie; 4000 to 4999 are free for applications.
NO_COOKIE = 4401

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()
_templates = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@routes.get("/")
async def chat_page(request: web.Request) -> web.Response:
    """The page, with the visitor's cookie."""
    settings = request.app[SETTINGS]
    html = _templates.get_template("chat.html").render(
        business=request.app[BUSINESS].current().name,
        timezone=settings.business.timezone,
        accept=",".join(settings.limits.attachment_types),
        max_text=frames.MAX_TEXT,
        max_files=frames.MAX_ATTACHMENTS,
        max_files_persian=to_persian_digits(frames.MAX_ATTACHMENTS),
        max_bytes=settings.limits.attachment_bytes,
    )
    response = web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})
    give_cookie(request, response)
    return response


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Show whoever opens an address that does not exist the way to the chat.

    The console and the API have pages and problems of their own for that.
    """
    try:
        return await handler(request)
    except web.HTTPNotFound as error:
        business = request.config_dict[BUSINESS].current().name
        html = _templates.get_template("missing.html").render(business=business)
        return web.Response(text=html, content_type="text/html", status=error.status)


@routes.get("/chat/socket")
async def chat_socket(request: web.Request) -> web.WebSocketResponse:
    """The conversation of one page, as long as it is open."""
    if not is_same_origin(request):
        raise web.HTTPForbidden(text="wrong origin")
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_FRAME_BYTES, timeout=FAREWELL_SECONDS
    )
    await socket.prepare(request)
    hub, visitor = request.app[HUB], visitor_of(request)
    if visitor is None:
        return await _turn_away(socket, "no_cookie", NO_COOKIE)
    if not hub.has_room_for(visitor):
        return await _turn_away(socket, "busy", WSCloseCode.TRY_AGAIN_LATER)
    connection = Connection(visitor, socket, request.app[CHAT_STORE])
    conversation = Dialogue(connection, hub, request.app[CHAT_STORE], request.app[LIMITER])
    hub.add(connection)
    follower = asyncio.create_task(connection.follow())
    try:
        await conversation.run(socket)
    finally:
        hub.remove(connection)
        follower.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await follower
    return socket


async def _turn_away(socket: web.WebSocketResponse, code: str, close_code: int) -> web.WebSocketResponse:
    await socket.send_str(frames.encode({"type": "error", "code": code, "text": notice(code)}))
    await socket.close(code=close_code)
    return socket


class Dialogue:
    """Takes a page's frames one after the other, so that messages are kept in the order they were sent.

    Args:
        connection: the page.
        hub: told when the page speaks.
        store: where its messages are kept.
        limiter: how fast it may speak.
    """

    def __init__(self, connection: Connection, hub: Hub, store: ChatStore, limiter: RateLimiter) -> None:
        self._connection = connection
        self._hub = hub
        self._store = store
        self._limiter = limiter

    async def run(self, socket: web.WebSocketResponse) -> None:
        """Answer frames until the page goes."""
        silent: float | None = HELLO_SECONDS
        while True:
            try:
                raw = await socket.receive(timeout=silent)
            except asyncio.TimeoutError:
                await socket.close(code=WSCloseCode.POLICY_VIOLATION)
                return
            if raw.type is not WSMsgType.TEXT:
                # Closed, or binary, which the page never sends.
                await socket.close()
                return
            await self._take(raw.data)
            silent = None if self._connection.seq is not None else HELLO_SECONDS

    async def _take(self, data: str) -> None:
        wait = self._limiter.wait_for(self._connection.visitor)
        try:
            frame = frames.decode(data)
        except msgspec.DecodeError:
            await self._refuse("malformed")
            return
        if wait and not isinstance(frame, frames.Hello):
            # Frames are taken one by one: a short rest slows a flood down at its source.
            await asyncio.sleep(FLOOD_REST_SECONDS)
            await self._refuse("too_fast", frame, retry_after=math.ceil(wait))
        elif isinstance(frame, frames.Hello):
            if self._connection.seq is None:
                await self._welcome(frame)
        elif isinstance(frame, frames.Ping):
            await self._connection.send({"type": "pong"})
        else:
            await self._keep(frame)

    async def _welcome(self, hello: frames.Hello) -> None:
        try:
            place = await asyncio.to_thread(self._store.position, self._connection.visitor, hello.last_seq)
        except SQLAlchemyError as error:
            log.warning("chat_store_unreadable", error=type(error).__name__)
            await self._connection.close(WSCloseCode.TRY_AGAIN_LATER)
            return
        # Where all further lines went with time there is nothing to wait for.
        latest = place.latest if place.is_missed else min(place.latest, hello.last_seq)
        await self._connection.send({"type": "ready", "last_seq": latest, "waiting": place.waits})
        if place.waits:
            await self._connection.send({"type": "typing"})
        self._connection.seq = hello.last_seq if place.is_missed else max(place.latest, hello.last_seq)
        self._connection.news.set()
        self._hub.stir()

    async def _keep(self, frame: frames.Said | frames.Pressed) -> None:
        problem = _problem(frame)
        if problem is not None:
            await self._refuse(problem, frame)
            return
        try:
            await asyncio.to_thread(self._store.keep, self._connection.visitor, frame)
        except UploadRefusedError as error:
            await self._refuse(error.code, frame)
        except (SQLAlchemyError, OSError) as error:
            log.error("message_not_kept", error=type(error).__name__)
            await self._refuse("unavailable", frame, retry_after=2)
        else:
            self._hub.stir()
            client_id = str(frame.client_id)
            await self._connection.send({"type": "ack", "client_id": client_id})
            await self._connection.send({"type": "typing", "client_id": client_id})

    async def _refuse(
        self, code: str, frame: frames.ClientFrame | None = None, *, retry_after: int = 0
    ) -> None:
        answer = {"type": "error", "code": code, "text": notice(code, limit=frames.MAX_TEXT)}
        if isinstance(frame, frames.Said | frames.Pressed):
            answer["client_id"] = str(frame.client_id)
        if retry_after:
            # The page keeps the message and sends it again after so many seconds.
            await self._connection.send({**answer, "retry_after": retry_after})
        else:
            await self._connection.send(answer)


def _problem(frame: frames.Said | frames.Pressed) -> str | None:
    if isinstance(frame, frames.Pressed):
        return None
    if len(frame.text) > frames.MAX_TEXT:
        return "too_long"
    return None if frame.text.strip() or frame.attachments else "empty"


@routes.post("/chat/attachments")
async def upload(request: web.Request) -> web.Response:
    """Keep one file (multipart field ``file``); the message that names it follows on the socket."""
    if not is_same_origin(request):
        raise web.HTTPForbidden(text="wrong origin")
    visitor = visitor_of(request)
    if visitor is None:
        return _refusal("no_cookie", status=401)
    if request.app[LIMITER].wait_for(visitor):
        return _refusal("files_too_fast", status=429)
    settings = request.app[SETTINGS]
    try:
        is_form = request.content_type == "multipart/form-data"
        part = await (await request.multipart()).next() if is_form else None
        if not isinstance(part, BodyPartReader) or part.name != "file":
            raise UploadRefusedError("file_unreadable")
        kept = await keep_upload(settings, visitor, part)
    except UploadRefusedError as error:
        return _refusal(
            error.code, status=413 if error.code == "file_too_large" else 422, limit=_megabytes(request)
        )
    except ValueError:
        return _refusal("file_unreadable", status=400)
    except OSError as error:
        log.error("upload_not_kept", error=os.strerror(error.errno or 0))
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return _refusal("storage_full" if is_full else "file_unreadable", status=507 if is_full else 500)
    return web.json_response(kept, status=201)


@routes.get("/chat/attachments/{name:[0-9a-f]{32}[.][a-z0-9]{1,8}}")
async def own_file(request: web.Request) -> web.StreamResponse:
    """A file that this very visitor sent or was sent."""
    visitor, name = visitor_of(request), request.match_info["name"]
    file = folder_of(request.app[SETTINGS], visitor) / name if visitor else None
    if file is None or not file.is_file():
        raise web.HTTPNotFound
    return _shown(file)


@routes.get("/chat/lines/{seq:[0-9]{1,9}}/files/{ordinal:[0-9]{1,2}}")
async def sent_file(request: web.Request) -> web.StreamResponse:
    """A file that a member of staff sent to this very visitor."""
    visitor, settings = visitor_of(request), request.app[SETTINGS]
    seq, ordinal = int(request.match_info["seq"]), int(request.match_info["ordinal"])
    place = (
        await asyncio.to_thread(request.app[CHAT_STORE].sent_file, visitor, seq, ordinal) if visitor else ""
    )
    file = (settings.attachments_path / place).resolve()
    if not place or not file.is_relative_to(settings.attachments_path.resolve()) or not file.is_file():
        raise web.HTTPNotFound
    return _shown(file)


def _shown(file: Path) -> web.FileResponse:
    """A file: in place when it is of a harmless kind, else to be saved."""
    inline = INLINE_TYPES.get(file.suffix[1:])
    return web.FileResponse(
        file,
        headers={
            "Content-Type": inline or "application/octet-stream",
            "Content-Disposition": "inline" if inline else "attachment",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            # What is downloaded may be everything held about the visitor: no copy stays in the browser.
            "Cache-Control": "private, max-age=31536000, immutable" if inline else "no-store",
        },
    )


def _megabytes(request: web.Request) -> int:
    return max(1, request.app[SETTINGS].limits.attachment_bytes // 1_000_000)


def _refusal(code: str, *, status: int, **numbers: int) -> web.Response:
    return web.json_response({"code": code, "text": notice(code, **numbers)}, status=status)
