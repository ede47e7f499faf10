"""The console's call-back requests: the list, each of them, and what came of the calls."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from bot.console.allowed import allowed
from bot.console.desk import Desk, Refusal, Refused, carry_out, render_form, working
from bot.console.forms import own_form
from bot.console.looking import look_through, need_reason
from bot.console.pages import page_number, render
from crm_store.base import utcnow
from crm_store.handoff import queries
from crm_store.handoff.calling import note_call
from crm_store.handoff.queries import CallbackCase, CallbackRow
from crm_store.paging import Page
from crm_store.staff.models import StaffMember

PATH = "/console/callbacks"
ONE = "/callbacks/{id:[0-9]{1,18}}"

routes = web.RouteTableDef()


@routes.get("/callbacks")
@allowed("callback.done")
async def callbacks(request: web.Request) -> web.StreamResponse:
    """Who waits for a call, the most urgent first; or all requests. Who looked is written down."""
    only_open, number = request.query.get("show") != "all", page_number(request)

    def look(desk: Desk) -> Page[CallbackRow]:
        look_through(desk, "callbacks")
        return queries.callbacks_page(desk.session, only_open=only_open, number=number)

    page = await working(request, look, "callback.done")
    now = utcnow()
    overdue = {row.request.id for row in page.rows if queries.is_overdue(row.request, now=now)}
    return render(
        request,
        "callbacks.html",
        page=page,
        overdue=overdue,
        filters={} if only_open else {"show": "all"},
        only_open=only_open,
    )


@routes.get(ONE)
@allowed("callback.done")
async def callback(request: web.Request) -> web.StreamResponse:
    """One request with everything around it; who looked is written down."""
    return await _page(request)


@routes.post(f"{ONE}/called")
@allowed("callback.done")
async def called(request: web.Request) -> web.StreamResponse:
    """Note that the customer was called, and what came of it; not reached, the request stays open."""
    fields, number = await own_form(request), int(request.match_info["id"])
    reached, outcome = fields.get("reached") == "yes", fields.get("outcome", "")

    def work(desk: Desk) -> None:
        if not reached and not outcome:
            raise Refused("not_reached_words")
        note_call(
            desk.session,
            callback_id=number,
            staff=desk.staff,
            reached=reached,
            outcome=outcome,
            now=desk.now,
        )

    done = "called" if reached else "tried"
    back = f"{PATH}/{number}"
    return await carry_out(
        request, fields, work, "callback.done", back=back, done=done, again=partial(_page, request)
    )


async def _page(request: web.Request, refusal: Refusal | None = None) -> web.StreamResponse:
    number = int(request.match_info["id"])

    def look(desk: Desk) -> tuple[CallbackCase, str]:
        case = queries.callback_case(desk.session, callback_id=number)
        need_reason(desk, case.customer.id)
        desk.audit("callback.viewed", target_type="callback_request", target_id=number)
        by = desk.session.get(StaffMember, case.request.done_by_id) if case.request.done_by_id else None
        return case, by.name or by.login or "" if by is not None else ""

    case, done_by = await working(request, look, "callback.done")
    return render_form(
        request,
        "callback.html",
        refusal,
        case=case,
        done_by=done_by,
        is_overdue=queries.is_overdue(case.request, now=utcnow()),
    )
