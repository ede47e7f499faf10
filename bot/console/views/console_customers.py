"""Customers: found by what the staff have at hand, and everything about one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from bot.console.allowed import allowed
from bot.console.days import span_of
from bot.console.desk import Desk, Refusal, Refused, carry_out, id_of, render_form, working
from bot.console.forms import own_form, see_other
from bot.console.kept import kept
from bot.console.looking import MAX_REASON, look_up, shown, standing
from bot.console.pages import render, rules_of
from bot.console.ticket_pages import names_of, words_of
from crm_store.audit import AuditEntry
from crm_store.customers.duplicates import alike
from crm_store.customers.finding import Found, find
from crm_store.customers.models import Customer
from crm_store.customers.unmerging import joinings
from crm_store.errors import NotFound
from crm_store.overview.card import card_of
from crm_store.overview.history import GROUPS, HistoryPage, history
from crm_store.overview.parts import CustomerCard
from crm_store.privacy.service import record_consent
from crm_store.staff import notes
from crm_store.staff.models import StaffNote
from crm_store.terms import terms

PATH = "/console/customers"
ONE = "/customers/{id:[0-9]{1,18}}"
NOTE = f"{ONE}/notes/{{note:[0-9]{{1,18}}}}"
#: What is remembered of the last search, for the way back from a customer to the others.
SEARCH = "customer-search"
PURPOSES = ("marketing", "learning")
_LATEST, _PAGE = 8, 30
_SHORTEST = 2

routes = web.RouteTableDef()


class CustomerView(msgspec.Struct, frozen=True):
    """Everything that a customer's page shows.

    Attributes:
        notes: of the staff's, pinned ones first.
        latest: the beginning of the history.
        alike: other records with one of the customer's numbers.
        joined: joinings of other records to this one that can be undone.
    """

    card: CustomerCard
    notes: list[StaffNote]
    latest: HistoryPage
    alike: list[Customer]
    joined: list[AuditEntry]


@routes.get("/customers")
@allowed("customer.find")
async def customers(request: web.Request) -> web.StreamResponse:
    """The search, with what was found last in this log-in; who searched and whom they see is written down."""
    asked = kept(request).get(request, SEARCH)
    text, reason = asked.get("text", ""), asked.get("reason", "")

    def look(desk: Desk) -> list[Found]:
        found = find(desk.session, text=text, limit=20)
        detail = shown((one.customer_id for one in found), reason=reason)
        desk.audit("customer.searched", target_type="customer", target_id="", detail=detail)
        return found

    found = await working(request, look, "customer.find") if text else []
    return render(
        request,
        "customers.html",
        found=found,
        text=text,
        reason=reason,
        asks_reason=rules_of(request).business.staff.asks_reason,
    )


@routes.post("/customers")
@allowed("customer.find")
async def search(request: web.Request) -> web.StreamResponse:
    """Search; what is searched for stands in no address."""
    fields = await own_form(request)
    text, reason = fields.get("text", "")[:100], fields.get("reason", "")[:MAX_REASON]
    if len(text) < _SHORTEST:
        kept(request).put(request, SEARCH, {})
        return see_other(PATH, problem="search_short" if text else "")
    if rules_of(request).business.staff.asks_reason and not reason:
        return see_other(PATH, problem="reason_missing")
    kept(request).put(request, SEARCH, {"text": text, "reason": reason})
    return see_other(PATH)


@routes.get(ONE)
@allowed("customer.view")
async def customer(request: web.Request) -> web.StreamResponse:
    """A customer all round; who looked is written down."""
    return await _page(request)


@routes.get(f"{ONE}/history")
@allowed("customer.history")
async def history_page(request: web.Request) -> web.StreamResponse:
    """What happened with a customer, a page at a time, by kind and span of days."""
    asked, rules = request.query, rules_of(request)
    customer_id = int(request.match_info["id"])
    kinds = [kind for kind in asked.getall("kind", []) if kind in GROUPS]
    first, last = asked.get("from", "")[:12], asked.get("to", "")[:12]
    span = span_of(first, last, rules)

    def look(desk: Desk) -> tuple[Customer, HistoryPage]:
        found = standing(desk, customer_id)
        look_up(desk, found.id, page="history")
        return found, history(
            desk.session,
            customer_id=found.id,
            rules=rules,
            kinds=kinds,
            since=span.since,
            until=span.until,
            before_id=id_of(asked.get("before", "")),
            size=_PAGE,
        )

    found, page = await working(request, look, "customer.history")
    query = [("kind", kind) for kind in kinds]
    query += [(name, text.replace("/", "-")) for name, text in (("from", first), ("to", last)) if text]
    return render(
        request,
        "history.html",
        customer=found,
        page=page,
        kinds=kinds,
        groups=tuple(GROUPS),
        first=first,
        last=last,
        is_right=span.is_right,
        query="&".join(f"{name}={text}" for name, text in query),
    )


@routes.post(f"{ONE}/notes")
@allowed("customer.note")
async def add_note(request: web.Request) -> web.StreamResponse:
    """Write a note on a customer; the same words sent twice make one note."""

    def work(desk: Desk, customer_id: int, fields: dict[str, str]) -> None:
        text = words_of(fields)
        latest = max(notes.notes_of(desk.session, customer_id=customer_id), key=lambda n: n.id, default=None)
        if latest is not None and (latest.staff_id, latest.text) == (desk.staff.id, text):
            return
        is_pinned = fields.get("pinned") == "yes"
        about: dict[str, Any] = {"customer_id": customer_id, "staff": desk.staff, "now": desk.now}
        notes.add_note(desk.session, text=text, is_pinned=is_pinned, **about)

    return await _do(request, work, "customer.note", done="noted")


@routes.post(f"{NOTE}/pin")
@allowed("customer.note")
async def pin_note(request: web.Request) -> web.StreamResponse:
    """Show a note first, or no longer."""

    def work(desk: Desk, customer_id: int, fields: dict[str, str]) -> None:
        note_id = _note_of(desk, request, customer_id)
        is_pinned = fields.get("pinned") == "yes"
        notes.pin_note(desk.session, note_id=note_id, staff=desk.staff, is_pinned=is_pinned)

    return await _do(request, work, "customer.note", done="saved")


@routes.post(f"{NOTE}/delete")
@allowed("customer.note")
async def delete_note(request: web.Request) -> web.StreamResponse:
    """Delete a note of one's own, or as a supervisor anybody's."""

    def work(desk: Desk, customer_id: int, _fields: dict[str, str]) -> None:
        note_id = _note_of(desk, request, customer_id)
        notes.delete_note(desk.session, note_id=note_id, staff=desk.staff, now=desk.now)

    return await _do(request, work, "customer.note", done="saved")


@routes.post(f"{ONE}/consent")
@allowed("customer.edit")
async def consent(request: web.Request) -> web.StreamResponse:
    """Write down what a customer decided, as they said it."""

    def work(desk: Desk, customer_id: int, fields: dict[str, str]) -> None:
        purpose, granted = fields.get("purpose", ""), fields.get("granted", "")
        if purpose not in PURPOSES or granted not in ("yes", "no"):
            raise Refused("invalid_input")
        said = words_of(fields)
        record_consent(
            desk.session,
            customer_id=customer_id,
            granted=granted == "yes",
            text=said,
            channel="staff",
            inbox_id=None,
            purpose=purpose,
        )
        detail: dict[str, object] = {"purpose": purpose, "granted": granted == "yes"}
        desk.audit("customer.consent", target_type="customer", target_id=customer_id, detail=detail)

    return await _do(request, work, "customer.edit", done="consent_kept")


async def _do(
    request: web.Request,
    work: Callable[[Desk, int, dict[str, str]], None],
    permission: str,
    *,
    done: str,
) -> web.StreamResponse:
    fields, customer_id = await own_form(request), int(request.match_info["id"])

    def unit(desk: Desk) -> None:
        work(desk, standing(desk, customer_id).id, fields)

    again = partial(_page, request)
    return await carry_out(
        request, fields, unit, permission, back=f"{PATH}/{customer_id}", done=done, again=again
    )


def _note_of(desk: Desk, request: web.Request, customer_id: int) -> int:
    """The note in the address, if it is one on this customer.

    Raises:
        NotFound: it is not.
    """
    note = desk.session.get(StaffNote, int(request.match_info["note"]))
    if note is None or note.customer_id != customer_id or note.deleted_at is not None:
        raise NotFound("there is no such note on this customer")
    return note.id


async def _page(request: web.Request, refusal: Refusal | None = None) -> web.StreamResponse:
    customer_id = int(request.match_info["id"])

    def look(desk: Desk) -> CustomerView:
        found = standing(desk, customer_id)
        look_up(desk, found.id, page="card")
        return CustomerView(
            card=card_of(desk.session, customer_id=found.id, rules=desk.rules, now=desk.now),
            notes=notes.notes_of(desk.session, customer_id=found.id),
            latest=history(desk.session, customer_id=found.id, rules=desk.rules, size=_LATEST),
            alike=alike(desk.session, customer_id=found.id),
            joined=joinings(desk.session, customer_id=found.id) if desk.has("customer.merge") else [],
        )

    view = await working(request, look, "customer.view")
    if view.card.customer_id != customer_id:
        raise web.HTTPSeeOther(f"{PATH}/{view.card.customer_id}")
    return render_form(
        request,
        "customer.html",
        refusal,
        view=view,
        card=view.card,
        titles=names_of(rules_of(request)),
        words=terms("overview"),
        measures=terms("surveys")["measures"],
        purposes=PURPOSES,
        came_from_search=bool(kept(request).get(request, SEARCH)),
    )
