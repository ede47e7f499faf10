"""The console's socket: it tells a page what happens, and takes what its agent does.

Every frame is checked as if nothing had been before: its form, the session behind the cookie, the member's
permissions and whose conversation it is. What is refused is written down, and so is every look at a
conversation; where the page would ask for a reason first, the socket tells nothing without one.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import Any

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.console import auth, live_frames, talk, talk_looks
from bot.console.allowed import audit_refusal
from bot.console.desk import Desk, problem_text
from bot.console.keys import LIVE_HUB, LIVE_LIMITER
from bot.console.live import NOT_ALLOWED, SESSION_OVER, Watcher, changing_lines
from bot.console.looking import ReasonMissing
from bot.console.pages import part, reading, rules_of, writing
from bot.console.visitors import is_same_origin
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.conversations.queries import TranscriptLine
from crm_store.errors import CrmError, Forbidden, NotFound
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import has_permission
from crm_store.staff.phones import sees_phones

HEARTBEAT_SECONDS = 25.0
FAREWELL_SECONDS = 1.0
FLOOD_REST_SECONDS = 0.05
MAX_FRAME_BYTES = 65_536
#: A page that missed more lines than this is loaded anew.
MOST_MISSED = 200
PERMISSION = "handoff.view"

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


class SessionOverError(Exception):
    """Whoever was logged in no longer is."""


@routes.get("/live")
async def live(request: web.Request) -> web.WebSocketResponse:
    """The news for one page, as long as it is open."""
    if not is_same_origin(request):
        await _audit_origin(request)
        raise web.HTTPForbidden(text="wrong origin")
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_FRAME_BYTES, timeout=FAREWELL_SECONDS
    )
    try:
        await socket.prepare(request)
    except ConnectionError:
        return socket  # the page went before its socket was open
    staff, hub = auth.staff_of(request), request.config_dict[LIVE_HUB]
    if staff is None:
        await socket.close(code=SESSION_OVER)
    elif not has_permission(staff, PERMISSION):
        await audit_refusal(request, PERMISSION)
        await socket.close(code=NOT_ALLOWED)
    elif not hub.has_room_for(staff.id):
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
    else:
        await LivePage(request, socket, staff).run()
    return socket


class LivePage:
    """Takes a page's frames one after the other, so that what is said leaves in the order it was said.

    Args:
        request: that opened the socket; its cookie is looked up anew for every frame.
        socket: the socket.
        staff: who opened it.
    """

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, staff: StaffMember) -> None:
        self._request = request
        self._socket = socket
        self._staff_id = staff.id
        self._shows_phones = False  # until it is known what holds now
        self._hub = request.config_dict[LIVE_HUB]
        self._watcher = Watcher(staff.id, socket, self._news)

    async def run(self) -> None:
        """Answer frames until the page goes."""
        self._hub.add(self._watcher)
        follower = asyncio.create_task(self._watcher.follow())
        try:
            while (raw := await self._socket.receive()).type is WSMsgType.TEXT:
                await self._take(raw.data)
            await self._socket.close()
        finally:
            self._hub.remove(self._watcher)
            follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await follower

    async def _take(self, data: str) -> None:
        try:
            frame = live_frames.decode(data)
        except msgspec.DecodeError:
            await self._refuse("malformed")
            return
        wait = self._request.config_dict[LIVE_LIMITER].wait_for(str(self._staff_id))
        if wait:
            # Frames are taken one by one: a short rest slows a flood down at its source.
            await asyncio.sleep(FLOOD_REST_SECONDS)
            if not isinstance(frame, live_frames.Hello):  # without it the page would never hear anything
                await self._refuse("too_fast", frame, retry_after=math.ceil(wait))
                return
        try:
            await self._answer(frame)
        except SessionOverError:
            await self._socket.close(code=SESSION_OVER)
        except Forbidden:
            await self._audit(frame)
            await self._refuse("forbidden", frame)
        except ReasonMissing:
            await self._audit(frame, reason_missing=True)
            await self._refuse("reason_missing", frame)
        except CrmError as error:
            await self._refuse(error.code, frame)
        except SQLAlchemyError as error:
            log.error("console_frame_not_kept", error=type(error).__name__)
            if isinstance(frame, live_frames.Hello):  # the page says it again once it is connected anew
                await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
            else:
                await self._refuse("unavailable", frame, retry_after=2)

    async def _answer(self, frame: live_frames.Frame) -> None:
        if isinstance(frame, live_frames.Hello):
            await self._welcome(frame)
        elif isinstance(frame, live_frames.Ping):
            await reading(self._request, self._member)
            await self._watcher.send({"type": "pong"})
        else:
            done = await self._do(frame)
            self._hub.stir()
            await self._watcher.send({"type": "ack", "key": str(frame.key), **done})

    async def _welcome(self, hello: live_frames.Hello) -> None:
        rules = rules_of(self._request)

        def unit(session: Session) -> tuple[int, bool, list[int]]:
            return self._latest(session, rules, hello.conversation)

        latest, is_noted, changing = await reading(self._request, unit)
        if not is_noted:
            await self._note_look(rules, hello.conversation)
        await self._watcher.send({"type": "ready", "last_seq": latest, "staff": self._staff_id})
        if hello.conversation is not None and latest - hello.last_seq > MOST_MISSED:
            await self._watcher.send({"type": "reload"})
            return
        self._hub.follow(self._watcher, hello.conversation, min(hello.last_seq, latest), changing)

    def _latest(
        self, session: Session, rules: Rules, conversation_id: int | None
    ) -> tuple[int, bool, list[int]]:
        """Number of the latest line, whether the look at it all is written down, and lines that change."""
        desk = self._desk(session, rules)
        if conversation_id is None:
            return 0, True, []
        is_noted = talk_looks.is_noted(desk, conversation_id=conversation_id)
        changing = changing_lines(session, conversation_id, now=desk.now)
        return session.get_one(Conversation, conversation_id).last_seq, is_noted, changing

    async def _note_look(self, rules: Rules, conversation_id: int | None) -> None:
        def unit(session: Session) -> None:
            if conversation_id is not None:
                talk_looks.note(self._desk(session, rules), conversation_id=conversation_id)

        await writing(self._request, unit)

    async def _do(self, frame: live_frames.Deed) -> dict[str, Any]:
        rules = rules_of(self._request)

        def unit(session: Session) -> dict[str, Any]:
            desk = self._desk(session, rules)
            if isinstance(frame, live_frames.Claim):
                return {"conversation": talk.claim(desk, handoff_id=frame.handoff)}
            if isinstance(frame, live_frames.Reply):
                return {"seq": talk.say(desk, handoff_id=frame.handoff, text=frame.text, key=frame.key)}
            if isinstance(frame, live_frames.Whisper):
                conversation_id = frame.conversation
                return {
                    "seq": talk.whisper(desk, conversation_id=conversation_id, text=frame.text, key=frame.key)
                }
            return {"seq": talk.edit(desk, message_id=frame.message, text=frame.text)}

        return await writing(self._request, unit)

    def _desk(self, session: Session, rules: Rules) -> Desk:
        staff = self._member(session)
        return Desk(session, rules, staff, f"staff:{staff.id}", utcnow())

    def _member(self, session: Session) -> StaffMember:
        """Who is logged in with the cookie at this moment, and may be here.

        Raises:
            SessionOverError: nobody is any more.
            Forbidden: they may not.
        """
        staff = auth.member_in(session, self._request)
        if staff is None:
            raise SessionOverError
        if not has_permission(staff, PERMISSION):
            raise Forbidden("this member of staff may not look at conversations")
        return staff

    async def _news(self, watcher: Watcher) -> list[dict[str, Any]] | None:
        """Frames with what the page lacks; None when it may no longer be told."""
        frames: list[dict[str, Any]] = []
        if watcher.desk is not None:
            frames.append(watcher.desk)
        conversation_id, seq, changed = watcher.conversation_id, watcher.seq, set(watcher.changed)
        watcher.changed -= changed
        # Up to the line that the hub saw: what came after it is news again. A page may know a later one.
        latest = max(self._hub.latest_of(conversation_id), seq)
        missed, rules = latest - min([seq + 1, *changed]) + 1, rules_of(self._request)

        def unit(session: Session) -> tuple[talk.Lines | None, bool]:
            desk = self._desk(session, rules)
            self._shows_phones = sees_phones(rules, role=desk.staff.role)
            if conversation_id is None or missed <= 0:
                return None, True
            is_noted = talk_looks.is_noted(desk, conversation_id=conversation_id)
            size = min(missed, MOST_MISSED)
            about: dict[str, int] = {"conversation_id": conversation_id, "before_seq": latest + 1}
            return talk.lines_of(session, **about, size=size), is_noted

        try:
            lines, is_noted = await self._hub.reader.read(unit, conversation_id=conversation_id)
            if not is_noted:  # the page is open for longer than one look
                await self._note_look(rules, conversation_id)
        except (SessionOverError, Forbidden):
            return None
        except ReasonMissing:
            # Who waited for anybody has come to a colleague: the page is shown again once it is said why.
            if watcher.conversation_id == conversation_id:
                watcher.conversation_id, watcher.seq = None, 0
            return [{"type": "reload"}]
        except NotFound:
            return [{"type": "reload"}]
        except SQLAlchemyError:
            if watcher.conversation_id == conversation_id:
                watcher.changed |= changed
            raise
        if lines is None or not lines.lines:
            return frames
        for line in lines.lines:
            if line.message.seq > seq or line.message.seq in changed:
                frames.append(self._line(line, lines))
                self._note_delivery(watcher, line, lines)
        if watcher.conversation_id == conversation_id:
            watcher.seq = max(watcher.seq, lines.lines[-1].message.seq)
        return frames

    def _note_delivery(self, watcher: Watcher, line: TranscriptLine, lines: talk.Lines) -> None:
        """Note how far a line's delivery is that is shown now, so that the page is told of what follows."""
        fate = lines.fates.get(line.message.outbox_id or 0)
        if fate is None:
            watcher.on_way.pop(line.message.seq, None)
        else:
            watcher.on_way[line.message.seq] = fate

    def _line(self, line: TranscriptLine, lines: talk.Lines) -> dict[str, Any]:
        message = line.message
        shown = (line, lines.names, lines.fates, lines.files, self._staff_id, self._shows_phones)
        html = part(self._request, "parts.html", "line", *shown)
        return {"type": "line", "seq": message.seq, "author": message.author.partition(":")[0], "html": html}

    async def _refuse(
        self, code: str, frame: live_frames.Frame | None = None, *, retry_after: int = 0
    ) -> None:
        answer: dict[str, Any] = {"type": "error", "code": code, "text": problem_text(code)}
        key = getattr(frame, "key", None)
        if key is not None:
            answer["key"] = str(key)
        if retry_after:
            # The page keeps the message and sends it again after so many seconds.
            answer["retry_after"] = retry_after
        await self._watcher.send(answer)

    async def _audit(self, frame: live_frames.Frame, **detail: object) -> None:
        fields = msgspec.structs.asdict(frame)
        about = next((name for name in ("handoff", "conversation", "message") if fields.get(name)), "")
        await writing(
            self._request,
            lambda session: record_audit(
                session,
                actor=f"staff:{self._staff_id}",
                action="staff.denied",
                target_type=about or "page",
                target_id=fields.get(about, "") or auth.LIVE,
                detail={"frame": type(frame).__name__.lower(), **detail},
            ),
        )


async def _audit_origin(request: web.Request) -> None:
    staff = auth.staff_of(request)
    if staff is None:
        return
    await writing(
        request,
        lambda session: record_audit(
            session,
            actor=f"staff:{staff.id}",
            action="staff.denied",
            target_type="page",
            target_id=auth.LIVE,
            detail={"origin": "foreign"},
        ),
    )
