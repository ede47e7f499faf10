"""The console's front door: log-in, log-out, and what is shown where nothing is."""

from __future__ import annotations

import math

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import SQLAlchemyError
from yarl import URL

from bot.console import auth
from bot.console.allowed import audit_forbidden
from bot.console.areas import first_page
from bot.console.forms import StaleFormError, own_form, text_fields
from bot.console.looking import ReasonMissing, to_reason
from bot.console.pages import render
from bot.console.views import console_account, console_files, console_inbox, console_live, console_talk
from bot.console.views.desk_areas import DESK_AREAS, set_up_desk
from bot.console.visitors import is_same_origin
from crm_store.errors import CrmError, Forbidden, InvalidInput, NotAllowed, NotFound

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()
#: The modules of views; each has ``routes``, and asks for its permissions with `bot.console.allowed.allowed`.
AREAS = (console_account, console_files, console_inbox, console_live, console_talk, *DESK_AREAS)
#: Status and notice of what the store refuses and no view has its own word for.
_REFUSALS: dict[type[CrmError], tuple[int, str]] = {
    Forbidden: (403, "forbidden"),
    NotAllowed: (403, "forbidden"),
    NotFound: (404, "missing"),
    InvalidInput: (422, "invalid"),
    CrmError: (409, "changed"),
}


def build_console() -> web.Application:
    """The application below ``/console``: whatever it serves, the guard stands before it."""
    console = web.Application(middlewares=[explain, auth.guard])
    set_up_desk(console)
    console.add_routes(routes)
    for area in AREAS:
        console.add_routes(area.routes)
    return console


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell in a page of our own what could not be shown."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        return render(request, "notice.html", status=error.status, kind="missing")
    except ReasonMissing as missing:
        raise to_reason(request, missing) from missing
    except StaleFormError:
        if auth.staff_of(request) is not None:
            await audit_forbidden(request, form="foreign")
        return render(request, "notice.html", status=403, kind="stale")
    except CrmError as error:
        if isinstance(error, Forbidden | NotAllowed):
            await audit_forbidden(request)
        status, kind = next(shown for refused, shown in _REFUSALS.items() if isinstance(error, refused))
        return render(request, "notice.html", status=status, kind=kind)
    except SQLAlchemyError as error:
        log.error("console_store_unreadable", error=type(error).__name__)
        return render(request, "notice.html", status=503, kind="trouble")


@routes.get("")
@routes.get("/")
async def home(request: web.Request) -> web.StreamResponse:
    """The console begins with the first area that one may open."""
    raise web.HTTPSeeOther(first_page(auth.staff_of(request)))


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
    fields = await text_fields(request)
    login, back = fields.get("login", ""), auth.local_path(fields.get("next", ""))
    wait = auth.seconds_to_wait(request, login)
    if wait:
        form = _login_form(request, back=back, login=login, problem="often", wait=wait, status=429)
        form.headers["Retry-After"] = str(math.ceil(wait))
        return form
    entered = await auth.log_in(request, login=login, password=fields.get("password", ""))
    if entered is None:
        return _login_form(request, back=back, login=login, problem="refused", status=401)
    return _let_in(request, back, entered)


@routes.get("/login/code")
async def code_page(request: web.Request) -> web.StreamResponse:
    """The form of the second step, for those whose password fitted a moment ago."""
    back = auth.local_path(request.query.get("next", ""))
    if auth.staff_of(request) is not None:
        raise web.HTTPSeeOther(back)
    if await auth.at_door(request) is None:
        raise web.HTTPSeeOther(auth.LOGIN)
    return render(request, "code.html", back=back, problem="")


@routes.post("/login/code")
async def enter_code(request: web.Request) -> web.StreamResponse:
    """Check the code of the second step, and begin a session."""
    fields = await own_form(request)
    back, member = auth.local_path(fields.get("next", "")), await auth.at_door(request)
    if member is None:
        return _login_form(request, back=back, problem="late", status=401)
    wait = math.ceil(auth.seconds_to_wait_for_code(request, member))
    if wait:
        form = render(request, "code.html", status=429, back=back, problem="often", wait=wait)
        form.headers["Retry-After"] = str(wait)
        return form
    token = await auth.pass_door(request, code=fields.get("code", "")[:40])
    if token is None:
        return render(request, "code.html", status=401, back=back, problem="refused")
    return _let_in(request, back, auth.Entered(token, awaits_code=False))


@routes.post("/logout")
async def log_out(request: web.Request) -> web.StreamResponse:
    """End the session."""
    await own_form(request)
    await auth.log_out(request)
    response = web.Response(status=303, headers={"Location": auth.LOGIN})
    auth.take_session(response)
    return response


def _let_in(request: web.Request, back: str, entered: auth.Entered) -> web.Response:
    there = str(URL(auth.CODE).with_query(next=back)) if entered.awaits_code else back
    response = web.Response(status=303, headers={"Location": there})
    auth.give_session(request, response, entered.token, awaits_code=entered.awaits_code)
    return response


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
