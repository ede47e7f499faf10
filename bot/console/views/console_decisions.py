"""Compensations that wait for somebody, and problems that many customers have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from sqlalchemy import select

from bot.console.allowed import allowed
from bot.console.desk import Desk, Refused, carry_out, working
from bot.console.forms import own_form
from bot.console.looking import look_through
from bot.console.pages import render, rules_of
from bot.console.ticket_pages import words_of
from crm_store.complaints import resolution
from crm_store.complaints.models import Compensation, Complaint, Problem
from crm_store.complaints.problems import answer_problem, close_problem, complaints_in, problem_title
from crm_store.complaints.queries import (
    CompensationRow,
    ProblemRow,
    compensations_to_deal_with,
    problems_to_deal_with,
)
from crm_store.errors import Conflict, NotFound
from crm_store.staff.models import StaffMember

PATH = "/console/complaints/decisions"
COMPENSATION = "/compensations/{id:[0-9]{1,18}}"
PROBLEM = "/problems/{id:[0-9]{1,18}}"

routes = web.RouteTableDef()


@routes.get("/complaints/decisions")
@allowed("ticket.resolve_any")
async def decisions(request: web.Request) -> web.StreamResponse:
    """What waits for approval, for booking or for payment, and what many customers have; audited."""
    business = rules_of(request).business

    def look(
        desk: Desk,
    ) -> tuple[list[CompensationRow], list[tuple[ProblemRow, list[Complaint]]], dict[str, str]]:
        session = desk.session
        look_through(desk, "decisions")
        problems = [(row, complaints_in(session, row.problem)) for row in problems_to_deal_with(session)]
        named = session.execute(select(StaffMember.id, StaffMember.name)).tuples()
        return compensations_to_deal_with(session), problems, {f"staff:{one}": name for one, name in named}

    compensations, problems, members = await working(request, look, "ticket.resolve_any")
    return render(
        request,
        "decisions.html",
        compensations=compensations,
        problems=problems,
        members=members,
        title_of=lambda problem: problem_title(problem, business),
    )


@routes.post(f"{COMPENSATION}/approve")
@allowed("ticket.resolve_any")
async def approve(request: web.Request) -> web.StreamResponse:
    """Approve a compensation; the customer is told of the decision."""

    def work(desk: Desk, found: Compensation, _fields: dict[str, str]) -> None:
        about: dict[str, Any] = {"actor": desk.actor, "role": desk.staff.role, "rules": desk.rules}
        resolution.approve(desk.session, found, **about)

    return await _about_compensation(request, work, done="approved")


@routes.post(f"{COMPENSATION}/refuse")
@allowed("ticket.resolve_any")
async def refuse(request: web.Request) -> web.StreamResponse:
    """Refuse a compensation; the complaint is to be decided anew."""

    def work(desk: Desk, found: Compensation, fields: dict[str, str]) -> None:
        reason = words_of(fields, "reason", refusal="reason_missing")
        about: dict[str, Any] = {"actor": desk.actor, "role": desk.staff.role, "rules": desk.rules}
        resolution.refuse(desk.session, found, reason=reason, **about)

    return await _about_compensation(request, work, done="refused")


@routes.post(f"{COMPENSATION}/settle")
@allowed("ticket.resolve_any")
async def settle(request: web.Request) -> web.StreamResponse:
    """Note that a compensation was paid or booked."""

    def work(desk: Desk, found: Compensation, _fields: dict[str, str]) -> None:
        resolution.settle(desk.session, found, actor=desk.actor)

    return await _about_compensation(request, work, done="settled")


@routes.post(f"{PROBLEM}/answer")
@allowed("ticket.resolve_any")
async def answer(request: web.Request) -> web.StreamResponse:
    """Write to everybody who has a problem."""

    def work(desk: Desk, found: Problem, fields: dict[str, str]) -> None:
        if fields.get("answer_before", "") != found.answer:
            raise Conflict("somebody else answered meanwhile")
        text = words_of(fields)
        answer_problem(desk.session, found, text=text, actor=desk.actor, rules=desk.rules)

    return await _about_problem(request, work, done="problem_answered")


@routes.post(f"{PROBLEM}/close")
@allowed("ticket.resolve_any")
async def close(request: web.Request) -> web.StreamResponse:
    """Close a problem; its complaints go on, each by itself."""

    def work(desk: Desk, found: Problem, _fields: dict[str, str]) -> None:
        close_problem(desk.session, found, actor=desk.actor, rules=desk.rules)

    return await _about_problem(request, work, done="problem_closed")


async def _about_compensation(
    request: web.Request, work: Callable[[Desk, Compensation, dict[str, str]], None], *, done: str
) -> web.StreamResponse:
    fields, number = await own_form(request), int(request.match_info["id"])

    def unit(desk: Desk) -> None:
        found = desk.session.get(Compensation, number, with_for_update=True)
        if found is None:
            raise NotFound("no compensation has this number")
        if found.state != fields.get("state", ""):
            raise Conflict("somebody else decided meanwhile")
        work(desk, found, fields)

    return await carry_out(request, fields, unit, "ticket.resolve_any", back=PATH, done=done)


async def _about_problem(
    request: web.Request, work: Callable[[Desk, Problem, dict[str, str]], None], *, done: str
) -> web.StreamResponse:
    fields, number = await own_form(request), int(request.match_info["id"])

    def unit(desk: Desk) -> None:
        found = desk.session.get(Problem, number, with_for_update=True)
        if found is None:
            raise NotFound("no problem has this number")
        if found.state != "open":
            raise Refused("invalid_transition")
        work(desk, found, fields)

    return await carry_out(request, fields, unit, "ticket.resolve_any", back=PATH, done=done)
