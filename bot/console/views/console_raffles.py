"""Raffles that anybody can check: opened, sealed, drawn or called off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.console.allowed import allowed
from bot.console.days import day_of, moment_of
from bot.console.desk import Desk, Refusal, Refused, carry_out, number_of, render_form
from bot.console.forms import own_form
from bot.console.pages import reading, rules_of
from bot.console.ticket_pages import words_of
from crm_store.base import utcnow
from crm_store.errors import Conflict
from crm_store.loyalty import raffles
from crm_store.loyalty.models import OPEN, SEALED, Raffle, RaffleEntry
from crm_store.loyalty.raffle_sources import Source, drand_source, index_source
from crm_store.loyalty.raffles import Winner
from crm_store.rules import Rules

PATH = "/console/club/raffles"
ONE = "/club/raffles/{key:[a-z][a-z0-9_]{0,39}}"

routes = web.RouteTableDef()


class Lot(msgspec.Struct, frozen=True):
    """A raffle as its pages show it.

    Attributes:
        chances: how many there are.
        winners: who won, in order.
    """

    raffle: Raffle
    chances: int
    winners: list[Winner]


@routes.get("/club/raffles")
@allowed("club.view")
async def all_of_them(request: web.Request) -> web.StreamResponse:
    """Every raffle, the latest first."""
    return await _list(request)


@routes.post("/club/raffles")
@allowed("club.manage")
async def begin(request: web.Request) -> web.StreamResponse:
    """Have customers join a new raffle."""
    fields = await own_form(request)

    def work(desk: Desk) -> None:
        closes_at = moment_of(fields.get("day", ""), fields.get("time", ""), desk.rules)
        if closes_at is None:
            raise Refused("day_wrong")
        numbers = {name: number_of(fields.get(name, "")) for name in ("winners", "points", "chances")}
        if any(value is None for value in numbers.values()):
            raise Refused("amount_wrong")
        tiers = [name.removeprefix("right:") for name in fields if name.startswith("right:")]
        raffles.open_raffle(
            desk.session,
            key=fields.get("key", "").lower(),
            title=words_of(fields, "title"),
            prize=words_of(fields, "prize"),
            winners=numbers["winners"] or 0,
            points=numbers["points"] or 0,
            chances=numbers["chances"] or 0,
            by_right=tiers,
            closes_at=closes_at,
            actor=desk.actor,
            rules=desk.rules,
            now=desk.now,
        )

    again = partial(_list, request)
    return await carry_out(request, fields, work, "club.manage", back=PATH, done="raffle_opened", again=again)


@routes.get(ONE)
@allowed("club.view")
async def raffle(request: web.Request) -> web.StreamResponse:
    """One raffle with its published hash."""
    return await _page(request)


@routes.get(f"{ONE}/file")
@allowed("club.view")
async def file(request: web.Request) -> web.StreamResponse:
    """The file that anybody may have, to be published."""
    key = request.match_info["key"]
    text = await reading(
        request, lambda session: raffles.published(session, raffle=raffles.find_raffle(session, key=key))
    )
    headers = {"Content-Disposition": f'attachment; filename="raffle-{key}.json"'}
    return web.Response(text=text, content_type="application/json", headers=headers)


@routes.post(f"{ONE}/seal")
@allowed("club.manage")
async def seal(request: web.Request) -> web.StreamResponse:
    """Close the list for good and name the public value that decides; everybody in it is told the hash."""
    fields = await own_form(request)

    def work(desk: Desk, found: Raffle) -> None:
        if desk.now < found.closes_at:
            raise Refused("raffle_early")
        source = _source(fields, desk)
        raffles.seal(
            desk.session,
            raffle=found,
            random_source=source.text,
            random_at=source.at,
            actor=desk.actor,
            rules=desk.rules,
            now=desk.now,
        )

    return await _do(request, fields, work, done="raffle_sealed", opened="seal")


@routes.post(f"{ONE}/draw")
@allowed("club.manage")
async def draw(request: web.Request) -> web.StreamResponse:
    """Mix in the public value and find the winners, once."""
    fields = await own_form(request)

    def work(desk: Desk, found: Raffle) -> None:
        if found.random_at is None or desk.now < found.random_at:
            raise Refused("raffle_value_early")
        value = words_of(fields, "value", refusal="amount_wrong")
        raffles.draw(
            desk.session, raffle=found, random_value=value, actor=desk.actor, rules=desk.rules, now=desk.now
        )

    return await _do(request, fields, work, done="raffle_drawn", opened="draw")


@routes.post(f"{ONE}/call-off")
@allowed("club.manage")
async def call_off(request: web.Request) -> web.StreamResponse:
    """Let a raffle not take place; points go back."""
    fields = await own_form(request)

    def work(desk: Desk, found: Raffle) -> None:
        raffles.call_off(desk.session, raffle=found, actor=desk.actor, rules=desk.rules, now=desk.now)

    return await _do(request, fields, work, done="raffle_called_off", opened="call-off")


async def _do(
    request: web.Request,
    fields: dict[str, str],
    work: Callable[[Desk, Raffle], None],
    *,
    done: str,
    opened: str,
) -> web.StreamResponse:
    key = request.match_info["key"]

    def unit(desk: Desk) -> None:
        found = raffles.find_raffle(desk.session, key=key)
        if found.state != fields.get("state", ""):
            raise Conflict("somebody was faster")
        work(desk, found)

    again = partial(_page, request, opened=opened)
    return await carry_out(request, fields, unit, "club.manage", back=f"{PATH}/{key}", done=done, again=again)


def _source(fields: dict[str, str], desk: Desk) -> Source:
    """The public value to come that a form names.

    Raises:
        Refused: its day or hour is none.
        InvalidInput: its day is not to come.
    """
    kind = fields.get("source", "")
    if kind == "index":
        day = day_of(fields.get("day", ""))
        if day is None:
            raise Refused("day_wrong")
        return index_source(day, timezone=desk.rules.timezone, now=desk.now)
    moment = moment_of(fields.get("day", ""), fields.get("time", ""), desk.rules)
    if moment is None:
        raise Refused("day_wrong")
    return drand_source(moment) if kind == "drand" else Source(words_of(fields, "words"), moment)


async def _list(request: web.Request, refusal: Refusal | None = None) -> web.StreamResponse:
    found = await reading(request, lambda session: _lots(session, raffles.all_raffles(session)))
    return render_form(
        request,
        "raffles.html",
        refusal,
        found=found,
        tiers=_tiers(rules_of(request)),
        is_on=rules_of(request).business.loyalty.is_on,
    )


async def _page(
    request: web.Request, refusal: Refusal | None = None, *, opened: str = ""
) -> web.StreamResponse:
    key = request.match_info["key"]

    def look(session: Session) -> Lot:
        return _lots(session, [raffles.find_raffle(session, key=key)])[0]

    found = await reading(request, look)
    now, one = utcnow(), found.raffle
    value_is_there = one.random_at is not None and now >= one.random_at
    return render_form(
        request,
        "raffle.html",
        refusal,
        found=found,
        can_seal=one.state == OPEN and now >= one.closes_at,
        can_draw=one.state == SEALED and value_is_there,
        can_call_off=one.state == OPEN or (one.state == SEALED and not value_is_there),
        opened=opened,
    )


def _lots(session: Session, found: list[Raffle]) -> list[Lot]:
    counted = select(RaffleEntry.raffle_id, func.count()).group_by(RaffleEntry.raffle_id)
    chances = dict(session.execute(counted).tuples().all())
    won = raffles.past_winners(session, limit=1000)
    return [Lot(one, chances.get(one.id, 0), [who for who in won if who.key == one.key]) for one in found]


def _tiers(rules: Rules) -> list[str]:
    return [tier.name for tier in rules.business.loyalty.tiers]
