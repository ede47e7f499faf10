"""Records that may be one person: candidates, what joining two would do, joining them and parting them."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from bot.console.allowed import allowed
from bot.console.desk import Desk, Refused, carry_out, id_of, working
from bot.console.forms import own_form, see_other
from bot.console.looking import look_through, look_up, shown
from bot.console.pages import render
from crm_store.audit import AuditEntry
from crm_store.customers.duplicates import (
    Dispute,
    MergePreview,
    SharedPhone,
    disputes,
    preview,
    shared_phones,
)
from crm_store.customers.finding import find
from crm_store.customers.merging import merge
from crm_store.customers.models import JOINED, KEPT_APART, MOVED, OPEN, LinkConflict
from crm_store.customers.settling import settle
from crm_store.customers.unmerging import undo_merge
from crm_store.errors import Conflict, CrmError, InvalidInput, NotFound

PATH = "/console/customers/duplicates"
CUSTOMERS = "/console/customers"
DECISIONS = (JOINED, MOVED, KEPT_APART)

routes = web.RouteTableDef()


@routes.get("/customers/duplicates")
@allowed("customer.merge")
async def duplicates(request: web.Request) -> web.StreamResponse:
    """Disputed numbers, and numbers that several records have; who looked is written down."""

    def look(desk: Desk) -> tuple[list[Dispute], list[SharedPhone]]:
        look_through(desk, "duplicates")
        return disputes(desk.session), shared_phones(desk.session)

    disputed, shared = await working(request, look, "customer.merge")
    return render(request, "duplicates.html", disputed=disputed, shared=shared)


@routes.post("/customers/duplicates/{id:[0-9]{1,18}}")
@allowed("customer.merge")
async def settle_dispute(request: web.Request) -> web.StreamResponse:
    """Carry out what somebody decided about a disputed number; the claimant is told."""
    fields, number = await own_form(request), int(request.match_info["id"])
    decision = fields.get("decision", "")

    def work(desk: Desk) -> None:
        found = desk.session.get(LinkConflict, number, with_for_update=True)
        if found is None:
            raise NotFound("there is no such conflict")
        if found.state != OPEN or decision not in DECISIONS:
            raise Conflict("somebody settled it meanwhile")
        settle(desk.session, conflict_id=number, decision=decision, actor=desk.actor)

    done = {JOINED: "merged", KEPT_APART: "settled_apart"}.get(decision, "saved")
    return await carry_out(request, fields, work, "customer.merge", back=PATH, done=done)


@routes.get("/customers/merge")
@allowed("customer.merge")
async def merge_page(request: web.Request) -> web.StreamResponse:
    """What joining two records would do, side by side."""
    one, other = (id_of(request.query.get(name, "")) for name in ("one", "other"))
    if one is None or other is None:
        raise web.HTTPNotFound

    def look(desk: Desk) -> MergePreview:
        found = preview(desk.session, one_id=one, other_id=other)
        for side in (found.into, found.joined):
            look_up(desk, side.customer.id, page="merge")
        return found

    try:
        found = await working(request, look, "customer.merge")
    except InvalidInput:
        return see_other(PATH, problem="same_record" if one == other else "conflict")
    return render(request, "merge.html", found=found)


@routes.post("/customers/merge")
@allowed("customer.merge")
async def join(request: web.Request) -> web.StreamResponse:
    """Join two records; it can be undone."""
    fields = await own_form(request)
    into, joined = (id_of(fields.get(name, "")) for name in ("into", "joined"))

    def work(desk: Desk) -> None:
        if into is None or joined is None or into == joined:
            raise Refused("same_record")
        found = preview(desk.session, one_id=into, other_id=joined)
        if found.into.customer.id != into:
            raise Conflict("the other record stays now")
        merge(desk.session, into_id=into, from_id=joined, actor=desk.actor)

    try:
        back = f"{CUSTOMERS}/{into}"
        return await carry_out(request, fields, work, "customer.merge", back=back, done="merged")
    except NotFound:
        return see_other(PATH, problem="conflict")


@routes.post("/customers/{id:[0-9]{1,18}}/candidate")
@allowed("customer.merge")
async def candidate(request: web.Request) -> web.StreamResponse:
    """Look for the other record by a number, a code or a name that leads to one alone."""
    fields, customer_id = await own_form(request), int(request.match_info["id"])

    def look(desk: Desk) -> list[int]:
        found = find(desk.session, text=fields.get("text", "")[:100], limit=5)
        detail = shown(one.customer_id for one in found)
        desk.audit("customer.searched", target_type="customer", target_id=customer_id, detail=detail)
        return [one.customer_id for one in found if one.customer_id != customer_id]

    others = await working(request, look, "customer.merge")
    if len(others) != 1:
        return see_other(f"{CUSTOMERS}/{customer_id}", problem="not_one" if others else "not_found")
    return web.Response(
        status=303, headers={"Location": f"{CUSTOMERS}/merge?one={customer_id}&other={others[0]}"}
    )


@routes.post("/customers/{id:[0-9]{1,18}}/unmerge")
@allowed("customer.merge")
async def part(request: web.Request) -> web.StreamResponse:
    """Part two records that were joined by mistake."""
    fields, customer_id = await own_form(request), int(request.match_info["id"])
    audit_id = id_of(fields.get("joining", ""))

    def work(desk: Desk) -> None:
        entry = desk.session.get(AuditEntry, audit_id) if audit_id is not None else None
        if entry is None or entry.target_id != str(customer_id):
            raise Refused("cannot_undo")
        try:
            undo_merge(desk.session, audit_id=audit_id, actor=desk.actor, now=desk.now)
        except CrmError as error:
            raise Refused("cannot_undo") from error

    back = f"{CUSTOMERS}/{customer_id}"
    again = partial(_refused, back)
    return await carry_out(request, fields, work, "customer.merge", back=back, done="unmerged", again=again)


async def _refused(back: str, refusal: object) -> web.StreamResponse:  # noqa: ARG001  # all refusals are alike
    return see_other(back, problem="cannot_undo")
