"""Why somebody looks a customer up, or through a list of them; asked where the business wants to know."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.console.allowed import allowed, can, refuse
from bot.console.auth import HOME, local_path
from bot.console.desk import Desk, Refusal, carry_out, render_form
from bot.console.forms import own_form
from bot.console.looking import CUSTOMER, LIST, LISTS, give_reason, standing
from bot.console.ticket_pages import words_of

OF_CUSTOMER = "/customers/{id:[0-9]{1,18}}/reason"
OF_LIST = "/lists/{list:[a-z-]{1,20}}/reason"
_LIST_PERMISSIONS = tuple(dict.fromkeys(permission for _, permission in LISTS.values()))

routes = web.RouteTableDef()


@routes.get(OF_CUSTOMER)
@allowed("customer.view")
async def reason_page(request: web.Request) -> web.StreamResponse:
    """Ask why somebody looks a customer up."""
    return _page(request, CUSTOMER, request.match_info["id"])


@routes.post(OF_CUSTOMER)
@allowed("customer.view")
async def reason(request: web.Request) -> web.StreamResponse:
    """Keep the reason, and lead on to what was wanted."""
    customer_id = int(request.match_info["id"])

    def who(desk: Desk) -> int:
        return standing(desk, customer_id).id

    return await _keep(request, CUSTOMER, who, "customer.view", first=f"{HOME}/customers/{customer_id}")


@routes.get(OF_LIST)
@allowed(*_LIST_PERMISSIONS)
async def list_reason_page(request: web.Request) -> web.StreamResponse:
    """Ask why somebody looks through a list."""
    name = request.match_info["list"]
    _, permission = _list_of(name)
    return _page(request, LIST, name) if can(request, permission) else await refuse(request, permission)


@routes.post(OF_LIST)
@allowed(*_LIST_PERMISSIONS)
async def list_reason(request: web.Request) -> web.StreamResponse:
    """Keep the reason, and lead on to the list."""
    name = request.match_info["list"]
    address, permission = _list_of(name)

    def which(_desk: Desk) -> str:
        return name

    return await _keep(request, LIST, which, permission, first=f"{HOME}{address}")


def _list_of(name: str) -> tuple[str, str]:
    if name not in LISTS:
        raise web.HTTPNotFound
    return LISTS[name]


async def _keep(
    request: web.Request, kind: str, name_of: Callable[[Desk], object], permission: str, *, first: str
) -> web.StreamResponse:
    fields = await own_form(request)
    back = local_path(fields.get("next", ""))

    def work(desk: Desk) -> None:
        why = words_of(fields, "reason", refusal="reason_missing")
        give_reason(desk, kind, name_of(desk), why)

    async def again(refusal: Refusal) -> web.StreamResponse:
        return _page(request, kind, request.path.split("/")[-2], refusal)

    where = first if back == HOME else back
    return await carry_out(request, fields, work, permission, back=where, done="", again=again)


def _page(request: web.Request, kind: str, name: str, refusal: Refusal | None = None) -> web.Response:
    asked = refusal.fields if refusal else request.query
    return render_form(
        request,
        "reason.html",
        refusal,
        is_list=kind == LIST,
        address=f"{HOME}/{kind}s/{name}/reason",
        back=local_path(asked.get("next", "")),
    )
