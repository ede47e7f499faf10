"""Surveys: what is asked, what it brought, drawn and in figures, and who is still to be looked after."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any, cast

import msgspec
from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.console.allowed import allowed
from bot.console.days import Span, span_of
from bot.console.desk import Desk, Refusal, Refused, carry_out, id_of, render_form, working
from bot.console.forms import own_form
from bot.console.looking import look_through
from bot.console.pages import page_number, reading, render, rules_of
from crm_store.base import utcnow
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.service import best_phone
from crm_store.errors import NotFound
from crm_store.paging import Page, find_place
from crm_store.pictures import SURVEY, draw
from crm_store.staff.models import StaffMember
from crm_store.surveys.definitions import Listed, definition_of, listed, survey_in_force
from crm_store.surveys.follow_ups import finish
from crm_store.surveys.models import OPEN, SurveyAnswer, SurveyFollowUp, SurveyInvitation, SurveyVersion
from crm_store.surveys.results import By, SurveyResults, results

PATH = "/console/surveys"
ONE = "/surveys/{key:[a-z][a-z0-9_]{0,39}}"
FOLLOW_UPS = "/surveys/follow-ups"
BY = ("tier", "staff", "month")
_PAGE = 25
#: Pictures are drawn one after the other: each takes a core for a second.
_drawing = threading.Lock()

routes = web.RouteTableDef()


class FollowUp(msgspec.Struct, frozen=True):
    """A low grade that somebody looks after.

    Attributes:
        answers: what the customer answered in that survey, in order.
        done_by: name of who looked after it.
    """

    row: SurveyFollowUp
    title: str
    customer: Customer
    phone: ContactPoint | None
    answers: list[SurveyAnswer]
    done_by: str


@routes.get("/surveys")
@allowed("surveys.view")
async def surveys(request: web.Request) -> web.StreamResponse:
    """The surveys of the business file and of the API."""
    rules = rules_of(request)

    def look(session: Session) -> tuple[list[Listed], dict[str, int], int]:
        asked = select(SurveyInvitation.key, func.count()).where(SurveyInvitation.asked_at.is_not(None))
        counts = dict(session.execute(asked.group_by(SurveyInvitation.key)).tuples().all())
        waiting = select(func.count()).select_from(SurveyFollowUp).where(SurveyFollowUp.state == OPEN)
        return listed(session, rules=rules), counts, session.scalar(waiting) or 0

    found, asked, waiting = await reading(request, look)
    return render(request, "surveys.html", found=found, asked=asked, waiting=waiting)


@routes.get(FOLLOW_UPS)
@allowed("surveys.view")
async def follow_ups(request: web.Request) -> web.StreamResponse:
    """Low grades that somebody has to look after, the most pressing first; or those that were."""
    return await _follow_ups_page(request)


@routes.post(f"{FOLLOW_UPS}/{{id:[0-9]{{1,18}}}}/done")
@allowed("surveys.manage")
async def looked_after(request: web.Request) -> web.StreamResponse:
    """Note that somebody was looked after, and how."""
    fields, number = await own_form(request), int(request.match_info["id"])

    def work(desk: Desk) -> None:
        text = fields.get("text", "")
        if not text:
            raise Refused("words_missing")
        finish(desk.session, follow_up_id=number, text=text, actor=desk.actor, now=desk.now)

    back = f"{PATH}/follow-ups"
    again = partial(_follow_ups_page, request)
    return await carry_out(
        request, fields, work, "surveys.manage", back=back, done="followed_up", again=again
    )


@routes.get(ONE)
@allowed("surveys.view")
async def survey(request: web.Request) -> web.StreamResponse:
    """One survey: its questions and its results, of a span of days, as a whole and by segment."""
    key, rules = request.match_info["key"], rules_of(request)
    by, span = _by_of(request), _span_of(request)

    def look(session: Session) -> tuple[SurveyResults, object]:
        found = _results(session, request, by, span)
        return found, survey_in_force(session, key=key, rules=rules)

    found, definition = await reading(request, look)
    return render(
        request,
        "survey.html",
        found=found,
        definition=definition,
        by=by or "",
        first=request.query.get("from", "")[:12],
        last=request.query.get("to", "")[:12],
        is_right=span.is_right,
        chosen=_chosen_query(request),
    )


@routes.get(f"{ONE}/picture")
@allowed("surveys.view")
async def picture(request: web.Request) -> web.StreamResponse:
    """The results drawn, as a whole or of one segment by its place."""
    by, span = _by_of(request), _span_of(request)
    place = id_of(request.query.get("segment", ""))

    def look(session: Session) -> SurveyResults:
        return _results(session, request, by, span)

    found = await reading(request, look)
    shown: dict[str, Any] = msgspec.to_builtins(found)
    if place is not None:
        if place >= len(found.segments):
            raise NotFound("there is no such segment")
        segment = shown["segments"][place]
        shown |= {"total": segment, "title": f"{found.title} · {segment['name'] or '—'}"}
    png = await asyncio.to_thread(_drawn, shown)
    return web.Response(body=png, content_type="image/png")


def _results(session: Session, request: web.Request, by: By | None, span: Span) -> SurveyResults:
    return results(
        session,
        key=request.match_info["key"],
        rules=rules_of(request),
        since=span.since,
        until=span.until,
        by=by,
    )


def _drawn(shown: dict[str, Any]) -> bytes:
    with _drawing:
        return draw(SURVEY, shown)


def _by_of(request: web.Request) -> By | None:
    by = request.query.get("by", "")
    return cast(By, by) if by in BY else None


def _span_of(request: web.Request) -> Span:
    return span_of(request.query.get("from", "")[:12], request.query.get("to", "")[:12], rules_of(request))


def _chosen_query(request: web.Request) -> str:
    """What the address of the picture repeats."""
    names = ("from", "to", "by")
    kept = {name: request.query[name][:12].replace("/", "-") for name in names if request.query.get(name)}
    return "&".join(f"{name}={value}" for name, value in kept.items())


async def _follow_ups_page(request: web.Request, refusal: Refusal | None = None) -> web.StreamResponse:
    only_open, number = request.query.get("show") != "done", page_number(request)

    def look(desk: Desk) -> Page[FollowUp]:
        look_through(desk, "follow-ups")
        is_open = SurveyFollowUp.state == OPEN
        wanted = is_open if only_open else ~is_open
        total = desk.session.scalar(select(func.count()).select_from(SurveyFollowUp).where(wanted)) or 0
        place = find_place(number=number, total=total, size=_PAGE)
        order = (SurveyFollowUp.due_at, SurveyFollowUp.id) if only_open else (SurveyFollowUp.id.desc(),)
        rows = desk.session.scalars(
            select(SurveyFollowUp).where(wanted).order_by(*order).offset(place.offset).limit(_PAGE)
        )
        found = [_follow_up(desk.session, row) for row in rows]
        return Page(found, place)

    page = await working(request, look, "surveys.view")
    return render_form(
        request,
        "follow_ups.html",
        refusal,
        page=page,
        only_open=only_open,
        now=utcnow(),
        failed=int(request.match_info["id"]) if refusal else 0,
    )


def _follow_up(session: Session, row: SurveyFollowUp) -> FollowUp:
    invitation = session.get_one(SurveyInvitation, row.invitation_id)
    answers = select(SurveyAnswer).where(SurveyAnswer.invitation_id == row.invitation_id)
    done_by = row.done_by.removeprefix("staff:")
    member = session.get(StaffMember, int(done_by)) if done_by.isdigit() else None
    return FollowUp(
        row=row,
        title=definition_of(session.get_one(SurveyVersion, invitation.version_id)).title,
        customer=session.get_one(Customer, row.customer_id),
        phone=best_phone(session, customer_id=row.customer_id),
        answers=list(session.scalars(answers.order_by(SurveyAnswer.id))),
        done_by=member.name or member.login or "" if member is not None else "",
    )
