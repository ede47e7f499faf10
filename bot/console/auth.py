"""Who is at the console: the session cookie, the guard before every page, the limits of trying to log in."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.orm import Session
from yarl import URL

from bot.console.keys import DATABASE, LOGIN_ADDRESSES, LOGIN_CODES, LOGIN_NAMES
from bot.console.limits import RateLimiter
from bot.console.visitors import is_https, is_same_origin
from crm_store.db import Database
from crm_store.errors import LoginRefused
from crm_store.roles import is_loopback
from crm_store.staff import service as staff
from crm_store.staff import totp
from crm_store.staff.models import StaffMember

COOKIE = "peyvand_console"
HOME = "/console"
LOGIN = "/console/login"
CODE = "/console/login/code"
LIVE = "/console/live"
#: Tries to log in at once, and a second after that. One address gets less than one login: nobody can keep a
#: member of staff out from a single place.
ADDRESS_BURST, ADDRESS_PER_SECOND = 10, 1 / 20
NAME_BURST, NAME_PER_SECOND = 20, 1 / 5
#: Codes of the second step that one member may try: a guesser needs years, whoever mistypes a minute.
CODE_BURST, CODE_PER_SECOND = 5, 1 / 60
#: Pages of our own, as we write their addresses; nothing that a browser could take for another host.
_LOCAL = re.compile(r"/console(/[0-9a-z_-]+)*(\?[0-9a-z_&=-]*)?", re.ASCII)
_STAFF = web.RequestKey("staff", StaffMember)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only members of staff pass; everybody else is led to the log-in, and from there back."""
    member = await asyncio.to_thread(_member, request.config_dict[DATABASE], _token(request))
    if member is not None:
        request[_STAFF] = member
    elif request.path not in (LOGIN, CODE, LIVE):  # the socket says so itself, in a way that its page hears
        raise web.HTTPSeeOther(login_address(request))
    return await handler(request)


def staff_of(request: web.Request) -> StaffMember | None:
    """Who is logged in."""
    return request.get(_STAFF)


def actor_of(request: web.Request) -> str:
    """Who is logged in, as the audit trail names them."""
    return f"staff:{request[_STAFF].id}"


def login_address(request: web.Request) -> URL:
    """The log-in page, with the way back to the page that was asked for."""
    back = local_path(request.path_qs) if request.method in ("GET", "HEAD") else HOME
    return URL(LOGIN) if back == HOME else URL(LOGIN).with_query(next=back)


def local_path(text: str) -> str:
    """Where to go after the log-in: a page of the console, whatever was asked for."""
    is_page = _LOCAL.fullmatch(text) and not text.startswith((LOGIN, f"{HOME}/logout"))
    return text if is_page else HOME


def form_token(request: web.Request) -> str:
    """What a form of this session carries, so that no other site can fill it in."""
    return hashlib.sha256(b"form:" + _token(request).encode()).hexdigest()


def is_own_form(request: web.Request, token: str) -> bool:
    """Whether a form was sent from a page that we gave to this session."""
    return is_same_origin(request) and hmac.compare_digest(token.encode(), form_token(request).encode())


def seconds_to_wait(request: web.Request, login: str) -> float:
    """Count a try to log in; 0 when it may be made now, else the seconds until the next one may."""
    by_address, by_name = request.config_dict[LOGIN_ADDRESSES], request.config_dict[LOGIN_NAMES]
    return by_address.wait_for(address_of(request)) or by_name.wait_for(staff.normalize_login(login)[:60])


def seconds_to_wait_for_code(request: web.Request, member: StaffMember) -> float:
    """Count a try of a code; 0 when it may be made now, else the seconds until the next one may."""
    by_address = request.config_dict[LOGIN_ADDRESSES]
    return by_address.wait_for(address_of(request)) or request.config_dict[LOGIN_CODES].wait_for(
        str(member.id)
    )


def keep_limits(app: web.Application) -> None:
    """Begin to count tries: by address, by login, and of codes by member."""
    app[LOGIN_ADDRESSES] = RateLimiter(burst=ADDRESS_BURST, per_second=ADDRESS_PER_SECOND)
    app[LOGIN_NAMES] = RateLimiter(burst=NAME_BURST, per_second=NAME_PER_SECOND)
    app[LOGIN_CODES] = RateLimiter(burst=CODE_BURST, per_second=CODE_PER_SECOND)


class Entered(NamedTuple):
    """Somebody whose password fitted.

    Attributes:
        token: of the session.
        awaits_code: whether the code of the second step is still to come.
    """

    token: str
    awaits_code: bool


async def log_in(request: web.Request, *, login: str, password: str) -> Entered | None:
    """A new session; None when login and password do not fit."""
    return await asyncio.to_thread(_log_in, request.config_dict[DATABASE], login, password)


async def at_door(request: web.Request) -> StaffMember | None:
    """Whose password fitted, and whose code is still to come."""
    return await asyncio.to_thread(_at_door, request.config_dict[DATABASE], _token(request))


async def pass_door(request: web.Request, *, code: str) -> str | None:
    """The token of the session of who is at the door; None when the code does not fit."""
    return await asyncio.to_thread(_pass_door, request.config_dict[DATABASE], _token(request), code)


def member_in(session: Session, request: web.Request) -> StaffMember | None:
    """Who is logged in at this moment, asked of the store again; a socket's request was long ago."""
    token = _token(request)
    return staff.find_session(session, token=token) if token else None


async def log_out(request: web.Request) -> None:
    """End the session."""
    await asyncio.to_thread(_log_out, request.config_dict[DATABASE], _token(request))


def give_session(
    request: web.Request, response: web.StreamResponse, token: str, *, awaits_code: bool = False
) -> None:
    """Hand over the session's cookie; no script sees it and no other site can make the browser send it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=staff.CODE_MINUTES * 60 if awaits_code else staff.SESSION_HOURS * 3600,
        path=HOME,
        httponly=True,
        samesite="Strict",
        secure=is_https(request),
    )


def take_session(response: web.StreamResponse) -> None:
    """Have the browser forget the session's cookie."""
    response.del_cookie(COOKIE, path=HOME, httponly=True, samesite="Strict")


def _token(request: web.Request) -> str:
    return request.cookies.get(COOKIE, "")


def address_of(request: web.Request) -> str:
    """Where a request comes from, as far as we can know.

    A reverse proxy on this machine adds its visitor's address as the last one; what stands before it, and
    what others send, may be made up.
    """
    remote = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if forwarded and is_loopback(remote):
        return forwarded.rpartition(",")[2].strip()[:60]
    return remote


def _member(database: Database, token: str) -> StaffMember | None:
    if not token:
        return None
    with database.read() as session:
        return staff.find_session(session, token=token)


def _at_door(database: Database, token: str) -> StaffMember | None:
    if not token:
        return None
    with database.read() as session:
        return staff.find_at_door(session, token=token)


def _pass_door(database: Database, token: str, code: str) -> str | None:
    with database.write() as session:
        return staff.pass_door(session, token=token, code=code)


def _log_in(database: Database, login: str, password: str) -> Entered | None:
    with database.read() as session:
        checked = staff.check_password(session, login=login, password=password)
    with database.write() as session:
        try:
            member = staff.admit(session, checked)
        except LoginRefused:
            return None  # the unit of work ends well: it holds the audit entry of the refusal
        if totp.is_on(member):
            return Entered(staff.open_door(session, staff_id=member.id), awaits_code=True)
        return Entered(staff.open_session(session, staff_id=member.id), awaits_code=False)


def _log_out(database: Database, token: str) -> None:
    with database.write() as session:
        staff.close_session(session, token=token)
