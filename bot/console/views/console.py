"""The console's front door: log-in, log-out, and what is shown where nothing is."""

from __future__ import annotations

import math

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import SQLAlchemyError

from bot.console import auth
from bot.console.pages import render
from bot.console.views import console_callbacks, console_complaints, console_files
from bot.console.visitors import is_same_origin

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


def build_console() -> web.Application:
    """The application below ``/console``: whatever it serves, the guard stands before it."""
    console = web.Application(middlewares=[explain, auth.guard])
    for area in (routes, console_complaints.routes, console_callbacks.routes, console_files.routes):
        console.add_routes(area)
    return console


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell in a page of our own what could not be shown."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        return render(request, "notice.html", status=error.status, kind="missing")
    except SQLAlchemyError as error:
        log.error("console_store_unreadable", error=type(error).__name__)
        return render(request, "notice.html", status=503, kind="trouble")


@routes.get("")
@routes.get("/")
async def home(_request: web.Request) -> web.StreamResponse:
    """The console begins with the complaints."""
    raise web.HTTPSeeOther(console_complaints.PATH)


@routes.get("/login")
async def login_page(request: web.Request) -> web.StreamResponse:
    """The log-in form; whoever is logged in goes on."""
    back = auth.local_path(request.query.get("next", ""))
    if auth.staff_of(request) is not None:
        raise web.HTTPSeeOther(back)
    return _login_form(request, back=back)


@routes.post("/login")
async def log_in(request: web.Request) -> web.StreamResponse:
    """Check login and password, and begin a session."""
    if not is_same_origin(request):
        return _login_form(request, problem="origin", status=403)
    fields = await _text_fields(request)
    login, back = fields.get("login", ""), auth.local_path(fields.get("next", ""))
    wait = auth.seconds_to_wait(request, login)
    if wait:
        form = _login_form(request, back=back, login=login, problem="often", wait=wait, status=429)
        form.headers["Retry-After"] = str(math.ceil(wait))
        return form
    token = await auth.log_in(request, login=login, password=fields.get("password", ""))
    if token is None:
        return _login_form(request, back=back, login=login, problem="refused", status=401)
    response = web.Response(status=303, headers={"Location": back})
    auth.give_session(request, response, token)
    return response


@routes.post("/logout")
async def log_out(request: web.Request) -> web.StreamResponse:
    """End the session."""
    fields = await _text_fields(request)
    if not auth.is_own_form(request, fields.get("token", "")):
        return render(request, "notice.html", status=403, kind="stale")
    await auth.log_out(request)
    response = web.Response(status=303, headers={"Location": auth.LOGIN})
    auth.take_session(response)
    return response


async def _text_fields(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    try:
        form = await request.post()
    except ValueError as error:
        raise web.HTTPBadRequest from error
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _login_form(
    request: web.Request,
    *,
    back: str = auth.HOME,
    login: str = "",
    problem: str = "",
    wait: float = 0.0,
    status: int = 200,
) -> web.Response:
    return render(
        request,
        "login.html",
        status=status,
        back=back,
        login=login[:60],
        problem=problem,
        wait=math.ceil(wait),
    )
