"""The console's complaints: the list, each of them, and what the staff do with them."""

from __future__ import annotations

from functools import partial
from typing import Any

from aiohttp import web

from bot.console.allowed import allowed, audit_refusal
from bot.console.desk import Desk, Refusal, Refused, carry_out, number_of, render_form, working
from bot.console.forms import own_form, see_other
from bot.console.pages import rules_of
from bot.console.ticket_pages import (
    act,
    colleague_of,
    find_by_code,
    list_page,
    locked_ticket,
    look_at,
    may_note,
    names_of,
    unchanged,
    words_of,
)
from crm_store.complaints import states
from crm_store.complaints import working as service
from crm_store.complaints.models import (
    CLOSED,
    DECISIONS,
    OPEN_STATES,
    REMEDIES,
    RESOLVED,
    STATES,
    WAITING,
    Complaint,
)
from crm_store.complaints.problems import problem_title
from crm_store.complaints.resolution import Offer
from crm_store.complaints.resolution import resolve as decide
from crm_store.terms import terms
from crm_store.tickets.models import COMPLAINT, INTERNAL, NOTE, PRIORITIES, QUESTION

PATH = "/console/complaints"
CODE = "/complaints/{code:[0-9]{8}}"
_RIALS_IN_A_TOMAN = 10
#: Why an agent decides nothing that is not in their hands.
NOT_YOURS = "not_yours_yet"
#: What a form cannot simply lead to: a question and a decision bring words of their own.
_WITH_WORDS = (WAITING, RESOLVED)

routes = web.RouteTableDef()
_locked = partial(locked_ticket, model=Complaint, lock=states.lock)
_list = partial(list_page, kind=COMPLAINT, template="complaints.html", states=STATES)


@routes.get("/complaints")
@allowed("ticket.view")
async def complaints(request: web.Request) -> web.StreamResponse:
    """The list, the most urgent first."""
    return await _list(request)


@routes.post("/complaints")
@allowed("ticket.view")
async def find(request: web.Request) -> web.StreamResponse:
    """Go to the complaint whose tracking code was typed."""
    return await find_by_code(request, COMPLAINT, _list)


@routes.get(CODE)
@allowed("ticket.view", "ticket.view_own")
async def complaint(request: web.Request) -> web.StreamResponse:
    """One complaint with everything around it; who looked is written down."""
    return await _page(request)


@routes.post(f"{CODE}/take")
@allowed("ticket.take")
async def take(request: web.Request) -> web.StreamResponse:
    """Take a complaint upon oneself."""

    def work(desk: Desk, ticket: Complaint, _fields: dict[str, str]) -> None:
        if ticket.assignee_id not in (None, desk.staff.id):
            desk.must("ticket.assign")
        service.assign(desk.session, ticket, staff_id=desk.staff.id, actor=desk.actor, rules=desk.rules)

    return await _do(request, work, "ticket.take", done="taken")


@routes.post(f"{CODE}/assign")
@allowed("ticket.assign")
async def assign(request: web.Request) -> web.StreamResponse:
    """Give a complaint to a colleague, who is told."""

    def work(desk: Desk, ticket: Complaint, fields: dict[str, str]) -> None:
        staff_id = colleague_of(fields)
        service.assign(desk.session, ticket, staff_id=staff_id, actor=desk.actor, rules=desk.rules)

    return await _do(request, work, "ticket.assign", done="assigned")


@routes.post(f"{CODE}/move")
@allowed("ticket.move")
async def move(request: web.Request) -> web.StreamResponse:
    """Take a complaint to another state, of which the customer is told."""

    def work(desk: Desk, ticket: Complaint, fields: dict[str, str]) -> None:
        to = fields.get("to", "")
        if to in _WITH_WORDS:
            raise Refused("invalid_input")
        reason = fields.get("reason", "")[:500]
        states.move(desk.session, ticket, to=to, actor=desk.actor, rules=desk.rules, reason=reason)

    return await _do(request, work, "ticket.move", done="moved")


@routes.post(f"{CODE}/ask")
@allowed("ticket.move")
async def ask(request: web.Request) -> web.StreamResponse:
    """Ask the customer something; the clocks stand still until the answer comes."""

    def work(desk: Desk, ticket: Complaint, fields: dict[str, str]) -> None:
        text = words_of(fields)
        service.ask_customer(desk.session, ticket, text=text, actor=desk.actor, rules=desk.rules)

    return await _do(request, work, "ticket.move", done="asked", says=QUESTION)


@routes.post(f"{CODE}/write")
@allowed("ticket.move")
async def write(request: web.Request) -> web.StreamResponse:
    """Write to the customer."""

    def work(desk: Desk, ticket: Complaint, fields: dict[str, str]) -> None:
        text = words_of(fields)
        service.write_to_customer(desk.session, ticket, text=text, actor=desk.actor, rules=desk.rules)

    return await _do(request, work, "ticket.move", done="written", says=NOTE, checks=False)


@routes.post(f"{CODE}/note")
@allowed("ticket.move", "ticket.note_own")
async def note(request: web.Request) -> web.StreamResponse:
    """Keep a note for the staff."""

    def work(desk: Desk, ticket: Complaint, fields: dict[str, str]) -> None:
        may_note(desk, is_own=ticket.assignee_id == desk.staff.id)
        text = words_of(fields)
        service.note_internally(desk.session, ticket, text=text, actor=desk.actor, rules=desk.rules)

    permissions = ("ticket.move", "ticket.note_own")
    return await _do(request, work, *permissions, done="noted", says=INTERNAL, checks=False)


@routes.post(f"{CODE}/priority")
@allowed("ticket.move")
async def priority(request: web.Request) -> web.StreamResponse:
    """Correct the priority, with the reason."""

    def work(desk: Desk, ticket: Complaint, fields: dict[str, str]) -> None:
        reason = words_of(fields, "reason", refusal="reason_missing")
        chosen_one = fields.get("priority", "")
        about: dict[str, Any] = {"actor": desk.actor, "rules": desk.rules}
        service.set_priority(desk.session, ticket, priority=chosen_one, reason=reason, **about)

    return await _do(request, work, "ticket.move", done="priority_set")


@routes.post(f"{CODE}/cause")
@allowed("ticket.move")
async def cause(request: web.Request) -> web.StreamResponse:
    """Note why it happened."""

    def work(desk: Desk, ticket: Complaint, fields: dict[str, str]) -> None:
        found = fields.get("cause", "")
        service.set_cause(desk.session, ticket, cause=found, actor=desk.actor, rules=desk.rules)

    return await _do(request, work, "ticket.move", done="cause_set")


@routes.post(f"{CODE}/resolve")
@allowed("ticket.resolve", "ticket.resolve_any")
async def resolve(request: web.Request) -> web.StreamResponse:
    """Decide a complaint, with what the customer gets; above one's limit it waits for approval."""
    fields = await own_form(request)
    code = request.match_info["code"]

    def work(desk: Desk) -> str:
        ticket = _own_or_any(desk, code)
        unchanged(ticket, fields.get("version", ""))
        resolution = decide(
            desk.session,
            ticket,
            decision=fields.get("decision", ""),
            root_cause=fields.get("cause", ""),
            explanation=words_of(fields),
            actor=desk.actor,
            role=desk.staff.role,
            rules=desk.rules,
            remedy=fields.get("remedy", ""),
            compensation=_offer(fields),
            now=desk.now,
        )
        outcome["state"] = resolution.state
        return resolution.state

    async def again(refusal: Refusal) -> web.StreamResponse:
        if refusal.error.code == NOT_YOURS:
            about: dict[str, Any] = {"target_type": COMPLAINT, "target_id": code}
            await audit_refusal(request, "ticket.resolve", own=False, **about)
        return await _page(request, refusal, opened="resolve")

    outcome: dict[str, str] = {}
    answer = await carry_out(
        request,
        fields,
        work,
        "ticket.resolve",
        "ticket.resolve_any",
        back=f"{PATH}/{code}",
        done="resolved",
        again=again,
    )
    if outcome.get("state") == "proposed" and answer.status == web.HTTPSeeOther.status_code:
        return see_other(f"{PATH}/{code}", done="proposed")
    return answer


def _own_or_any(desk: Desk, code: str) -> Complaint:
    """The complaint to decide: an agent decides their own ones."""
    ticket = _locked(desk, code)
    if ticket.assignee_id != desk.staff.id and not desk.has("ticket.resolve_any"):
        raise Refused(NOT_YOURS)
    return ticket


def _offer(fields: dict[str, str]) -> Offer | None:
    """What makes up for the mistake.

    Raises:
        Refused: its amount is no number above zero.
    """
    kind = fields.get("compensation", "")
    if kind not in ("points", "money"):
        return None
    amount = number_of(fields.get("amount", ""))
    if amount is None or amount <= 0:
        raise Refused("amount_wrong")
    return Offer(kind, amount * _RIALS_IN_A_TOMAN if kind == "money" else amount)


def _possible(state: str) -> list[str]:
    """The states to which the staff may take a complaint."""
    return [to for (before, to), by in states.TRANSITIONS.items() if before == state and states.STAFF in by]


async def _page(
    request: web.Request, refusal: Refusal | None = None, *, opened: str = ""
) -> web.StreamResponse:
    look = partial(look_at, code=request.match_info["code"], kind=COMPLAINT)
    view = await working(request, look, "ticket.view", "ticket.view_own")
    rules, ticket = rules_of(request), view.case.ticket
    possible = _possible(ticket.state)
    problem = view.case.problem
    return render_form(
        request,
        "complaint.html",
        refusal,
        view=view,
        case=view.case,
        titles=names_of(rules),
        moves=[to for to in possible if to not in _WITH_WORDS],
        can_ask=WAITING in possible or ticket.state == WAITING,
        can_resolve=RESOLVED in possible,
        is_open=ticket.state in OPEN_STATES,
        is_closed=ticket.state == CLOSED,
        decisions=DECISIONS,
        remedies=REMEDIES,
        priorities=PRIORITIES,
        reasons=terms("complaints")["priority_reasons"],
        problem_name=problem_title(problem, rules.business) if problem else "",
        metrics=terms("shared")["clocks"],
        opened=opened,
    )


_do = partial(act, locked=_locked, page=_page, path=PATH)
