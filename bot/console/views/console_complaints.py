"""The console's complaints: the list and each of them."""

from __future__ import annotations

from functools import partial

from aiohttp import web
from sqlalchemy.orm import Session

from bot.console.auth import actor_of
from bot.console.keys import BUSINESS
from bot.console.pages import page_number, reading, render, writing
from crm_store.audit import record_audit
from crm_store.complaints import queries
from crm_store.complaints.queries import ComplaintCase
from crm_store.errors import NotFound
from crm_store.persian import parse_tracking_code
from crm_store.terms import terms

PATH = "/console/complaints"

routes = web.RouteTableDef()


@routes.get("/complaints")
async def complaints(request: web.Request) -> web.StreamResponse:
    """The list, newest first; a tracking code leads to its complaint."""
    typed = request.query.get("code", "").strip()
    if typed:
        code = parse_tracking_code(typed) or ""
        is_known = await reading(request, partial(queries.has_complaint, code=code))
        if is_known:
            raise web.HTTPSeeOther(f"{PATH}/{code}")
    categories = request.config_dict[BUSINESS].current().category_keys
    states = tuple(terms("complaints")["states"])
    category, state = _chosen(request, "category", categories), _chosen(request, "state", states)
    number = page_number(request)
    page = await reading(
        request, partial(queries.complaints_page, category=category, state=state, number=number)
    )
    return render(
        request,
        "complaints.html",
        page=page,
        categories=categories,
        states=states,
        filters={"category": category, "state": state},
        unknown_code=typed,
    )


@routes.get("/complaints/{code:[0-9]{8}}")
async def complaint(request: web.Request) -> web.StreamResponse:
    """One complaint with everything around it; who looked is written down."""
    code, actor = request.match_info["code"], actor_of(request)

    def look(session: Session) -> ComplaintCase:
        case = queries.complaint_case(session, code=code)
        record_audit(
            session,
            actor=actor,
            action="complaint.viewed",
            target_type="complaint",
            target_id=case.complaint.id,
        )
        return case

    try:
        case = await writing(request, look)
    except NotFound as error:
        raise web.HTTPNotFound from error
    return render(request, "complaint.html", case=case)


def _chosen(request: web.Request, name: str, known: tuple[str, ...]) -> str:
    value = request.query.get(name, "")
    return value if value in known else ""
