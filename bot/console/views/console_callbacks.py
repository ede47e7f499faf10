"""The console's call-back requests: the list and each of them."""

from __future__ import annotations

from functools import partial

from aiohttp import web
from sqlalchemy.orm import Session

from bot.console.auth import actor_of
from bot.console.pages import page_number, reading, render, writing
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.errors import NotFound
from crm_store.handoff import queries
from crm_store.handoff.queries import CallbackCase

routes = web.RouteTableDef()


@routes.get("/callbacks")
async def callbacks(request: web.Request) -> web.StreamResponse:
    """Who waits for a call, the most urgent first; or all requests."""
    only_open, number = request.query.get("show") != "all", page_number(request)
    page = await reading(request, partial(queries.callbacks_page, only_open=only_open, number=number))
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


@routes.get("/callbacks/{id:[0-9]{1,18}}")
async def callback(request: web.Request) -> web.StreamResponse:
    """One request with everything around it; who looked is written down."""
    callback_id, actor = int(request.match_info["id"]), actor_of(request)

    def look(session: Session) -> CallbackCase:
        case = queries.callback_case(session, callback_id=callback_id)
        record_audit(
            session,
            actor=actor,
            action="callback.viewed",
            target_type="callback_request",
            target_id=callback_id,
        )
        return case

    try:
        case = await writing(request, look)
    except NotFound as error:
        raise web.HTTPNotFound from error
    is_overdue = queries.is_overdue(case.request, now=utcnow())
    return render(request, "callback.html", case=case, is_overdue=is_overdue)
