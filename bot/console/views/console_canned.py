"""Replies that the staff keep ready, written by those who lead them."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from bot.console.allowed import allowed
from bot.console.desk import Desk, Refusal, Refused, carry_out, render_form
from bot.console.forms import own_form
from bot.console.pages import reading
from crm_store.errors import Conflict
from crm_store.handoff.canned import (
    MAX_SHORTCUT,
    MAX_TEXT,
    MAX_TITLE,
    PLACEHOLDERS,
    canned_replies,
    delete_canned,
    save_canned,
)
from crm_store.handoff.models import CannedReply

PATH = "/console/texts/canned"
ONE = "/texts/canned/{id:[0-9]{1,18}}"

routes = web.RouteTableDef()


@routes.get("/texts/canned")
@allowed("canned.edit")
async def canned(request: web.Request) -> web.StreamResponse:
    """All replies, by their shortcuts."""
    return await _page(request)


@routes.post("/texts/canned")
@allowed("canned.edit")
async def add(request: web.Request) -> web.StreamResponse:
    """Keep another reply ready."""
    return await _save(request, None)


@routes.post(ONE)
@allowed("canned.edit")
async def change(request: web.Request) -> web.StreamResponse:
    """Change a reply that is as the page showed it."""
    return await _save(request, int(request.match_info["id"]))


@routes.post(f"{ONE}/delete")
@allowed("canned.edit")
async def delete(request: web.Request) -> web.StreamResponse:
    """Keep a reply ready no more."""
    fields, canned_id = await own_form(request), int(request.match_info["id"])

    def work(desk: Desk) -> None:
        delete_canned(desk.session, staff=desk.staff, canned_id=canned_id, now=desk.now)

    return await carry_out(request, fields, work, "canned.edit", back=PATH, done="saved")


async def _save(request: web.Request, canned_id: int | None) -> web.StreamResponse:
    fields = await own_form(request)

    def work(desk: Desk) -> None:
        row = desk.session.get(CannedReply, canned_id) if canned_id is not None else None
        if row is not None and row.updated_at.isoformat() != fields.get("updated", ""):
            raise Conflict("somebody changed it meanwhile")
        try:
            save_canned(
                desk.session,
                staff=desk.staff,
                shortcut=fields.get("shortcut", ""),
                title=fields.get("title", ""),
                text=fields.get("text", ""),
                canned_id=canned_id,
                now=desk.now,
            )
        except Conflict as error:
            raise Refused("shortcut_taken") from error

    again = partial(_page, request, failed=canned_id or 0)
    return await carry_out(request, fields, work, "canned.edit", back=PATH, done="saved", again=again)


async def _page(
    request: web.Request, refusal: Refusal | None = None, *, failed: int = 0
) -> web.StreamResponse:
    return render_form(
        request,
        "canned.html",
        refusal,
        replies=await reading(request, canned_replies),
        placeholders=PLACEHOLDERS,
        longest={"shortcut": MAX_SHORTCUT, "title": MAX_TITLE, "text": MAX_TEXT},
        failed=failed,
    )
