"""The console's service requests: the list, each of them, and what the staff and technicians do with them."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from bot.console.allowed import allowed
from bot.console.desk import Desk, Refusal, Refused, render_form, working
from bot.console.pages import rules_of, shows_phones
from bot.console.ticket_pages import (
    TicketView,
    act,
    colleague_of,
    find_by_code,
    list_page,
    locked_ticket,
    look_at,
    may_note,
    names_of,
    words_of,
)
from crm_store.errors import InvalidTransition, NotFound
from crm_store.service_requests import notes, states
from crm_store.service_requests import working as service
from crm_store.service_requests.booking import Slot, free_slots
from crm_store.service_requests.models import (
    ASSIGNED,
    CANCELLED,
    DONE,
    NOT_DONE,
    NOT_DONE_REASONS,
    ON_THE_WAY,
    OPEN_STATES,
    SCHEDULED,
    STATES,
    ServiceRequest,
)
from crm_store.service_requests.windows import local_day
from crm_store.terms import terms
from crm_store.tickets.models import INTERNAL, NOTE, SERVICE_REQUEST

PATH = "/console/requests"
CODE = "/requests/{code:[0-9]{8}}"
#: Windows that a form offers.
_SLOTS = 60

routes = web.RouteTableDef()
_locked = partial(locked_ticket, model=ServiceRequest, lock=states.lock)
_list = partial(list_page, kind=SERVICE_REQUEST, template="requests.html", states=STATES)


@routes.get("/requests")
@allowed("ticket.view")
async def requests(request: web.Request) -> web.StreamResponse:
    """The list, the most urgent first."""
    return await _list(request)


@routes.post("/requests")
@allowed("ticket.view")
async def find(request: web.Request) -> web.StreamResponse:
    """Go to the request whose tracking code was typed."""
    return await find_by_code(request, SERVICE_REQUEST, _list)


@routes.get(CODE)
@allowed("ticket.view", "ticket.view_own")
async def service_request(request: web.Request) -> web.StreamResponse:
    """One request with everything around it; who looked is written down."""
    return await _page(request)


@routes.post(f"{CODE}/assign")
@allowed("ticket.assign")
async def assign(request: web.Request) -> web.StreamResponse:
    """Send somebody there."""

    def work(desk: Desk, ticket: ServiceRequest, fields: dict[str, str]) -> None:
        staff_id = colleague_of(fields)
        service.assign(desk.session, ticket, staff_id=staff_id, actor=desk.actor, rules=desk.rules)

    return await _do(request, work, "ticket.assign", done="assigned")


@routes.post(f"{CODE}/schedule")
@allowed("ticket.move")
async def schedule(request: web.Request) -> web.StreamResponse:
    """Agree on a window, or on another one; the customer and the technician are told."""

    def work(desk: Desk, ticket: ServiceRequest, fields: dict[str, str]) -> None:
        starts_at = _moment(fields.get("starts_at", ""))
        about: dict[str, Any] = {"actor": desk.actor, "rules": desk.rules}
        service.schedule_visit(desk.session, ticket, starts_at=starts_at, **about)

    return await _do(request, work, "ticket.move", done="scheduled")


@routes.post(f"{CODE}/cancel")
@allowed("ticket.move")
async def cancel(request: web.Request) -> web.StreamResponse:
    """Cancel a request; its place is free again and the customer is told."""

    def work(desk: Desk, ticket: ServiceRequest, fields: dict[str, str]) -> None:
        reason = words_of(fields, "reason", refusal="reason_missing")[:500]
        service.cancel_by_staff(desk.session, ticket, reason=reason, actor=desk.actor, rules=desk.rules)

    return await _do(request, work, "ticket.move", done="cancelled")


@routes.post(f"{CODE}/set-off")
@allowed("visit.work")
async def set_off(request: web.Request) -> web.StreamResponse:
    """Leave for a visit; the customer is told."""

    def work(desk: Desk, ticket: ServiceRequest, _fields: dict[str, str]) -> None:
        _work_on(desk, ticket, to=ON_THE_WAY)

    return await _do(request, work, "visit.work", done="set_off")


@routes.post(f"{CODE}/done")
@allowed("visit.work")
async def done(request: web.Request) -> web.StreamResponse:
    """A visit was done; the customer is asked for a grade."""

    def work(desk: Desk, ticket: ServiceRequest, fields: dict[str, str]) -> None:
        _work_on(desk, ticket, to=DONE, text=fields.get("text", "")[:2000])

    return await _do(request, work, "visit.work", done="visit_done")


@routes.post(f"{CODE}/not-done")
@allowed("visit.work")
async def not_done(request: web.Request) -> web.StreamResponse:
    """A visit did not succeed; the customer is told why."""

    def work(desk: Desk, ticket: ServiceRequest, fields: dict[str, str]) -> None:
        reason = fields.get("reason", "")
        if reason not in NOT_DONE_REASONS:
            raise Refused("reason_missing")
        _work_on(desk, ticket, to=NOT_DONE, reason=reason, text=fields.get("text", "")[:2000])

    return await _do(request, work, "visit.work", done="visit_not_done")


@routes.post(f"{CODE}/write")
@allowed("ticket.move", "visit.work")
async def write(request: web.Request) -> web.StreamResponse:
    """Write to the customer."""

    def work(desk: Desk, ticket: ServiceRequest, fields: dict[str, str]) -> None:
        text = words_of(fields)
        service.write_to_customer(desk.session, ticket, text=text, actor=desk.actor, rules=desk.rules)

    return await _do(request, work, "ticket.move", "visit.work", done="written", says=NOTE, checks=False)


@routes.post(f"{CODE}/note")
@allowed("ticket.move", "ticket.note_own")
async def note(request: web.Request) -> web.StreamResponse:
    """Keep a note for the staff."""

    def work(desk: Desk, ticket: ServiceRequest, fields: dict[str, str]) -> None:
        may_note(desk, is_own=ticket.technician_id == desk.staff.id)
        notes.note_internally(desk.session, ticket, text=words_of(fields), actor=desk.actor)

    permissions = ("ticket.move", "ticket.note_own")
    return await _do(request, work, *permissions, done="noted", says=INTERNAL, checks=False)


def _work_on(desk: Desk, ticket: ServiceRequest, *, to: str, reason: str = "", text: str = "") -> None:
    """Take a visit on; a technician not before its day.

    Raises:
        InvalidTransition: it is not possible in its state, or its day has not come.
    """
    window = ticket.window
    is_early = window is not None and local_day(desk.now, desk.rules) < local_day(
        window.starts_at, desk.rules
    )
    if is_early and not desk.has("ticket.move"):
        raise InvalidTransition("the day of this visit has not come", state=ticket.state)
    about: dict[str, Any] = {"actor": desk.actor, "rules": desk.rules, "now": desk.now}
    states.move(desk.session, ticket, to=to, reason=reason, text=text, **about)


def _moment(text: str) -> datetime:
    """The beginning of a window as the form has it.

    Raises:
        Refused: nothing was chosen.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused("no_time") from error
    if moment.tzinfo is None:
        raise Refused("no_time")
    return moment


async def _page(
    request: web.Request, refusal: Refusal | None = None, *, opened: str = ""
) -> web.StreamResponse:
    code = request.match_info["code"]

    def look(desk: Desk) -> tuple[TicketView, list[Slot], list[str], bool]:
        view = look_at(desk, code=code, kind=SERVICE_REQUEST)
        ticket = view.case.ticket
        if not isinstance(ticket, ServiceRequest):
            raise NotFound("no service request has this code")
        kind = desk.rules.business.service_kind(ticket.kind)
        slots = []
        if kind.is_booked and ticket.state in OPEN_STATES and desk.has("ticket.move"):
            slots = free_slots(desk.session, kind=kind, rules=desk.rules, limit=_SLOTS, with_notice=False)
        kinds = states.kinds_of_actor(desk.session, ticket, desk.actor)
        possible = [
            to for (before, to), by in states.TRANSITIONS.items() if before == ticket.state and by & kinds
        ]
        return view, slots, possible, states.is_expected(ticket, staff_id=desk.staff.id)

    view, slots, possible, is_expected = await working(request, look, "ticket.view", "ticket.view_own")
    return render_form(
        request,
        "request.html",
        refusal,
        view=view,
        shows_phones=shows_phones(request) or is_expected,
        case=view.case,
        titles=names_of(rules_of(request)),
        slots=slots,
        can_assign=ASSIGNED in possible,
        can_schedule=SCHEDULED in possible,
        can_cancel=CANCELLED in possible,
        can_set_off=ON_THE_WAY in possible,
        can_finish=DONE in possible,
        can_fail=NOT_DONE in possible,
        not_done_reasons=NOT_DONE_REASONS,
        is_open=view.case.ticket.state in OPEN_STATES,
        metrics=terms("shared")["clocks"],
        opened=opened,
    )


_do = partial(act, locked=_locked, page=_page, path=PATH)
