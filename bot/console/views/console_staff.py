"""Members of staff: who there is, what they may do, and how they come in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from aiohttp import web
from sqlalchemy.orm import Session

from bot.console.allowed import allowed
from bot.console.desk import Desk, Refusal, Refused, carry_out, number_of, render_form
from bot.console.forms import own_form, see_other
from bot.console.kept import kept
from bot.console.labels import label
from bot.console.pages import reading, rules_of
from crm_store.errors import Conflict, InvalidInput
from crm_store.rules import Rules
from crm_store.staff import accounts, invitations, managing, pin, totp
from crm_store.staff.models import ROLES, StaffMember
from crm_store.tickets.queries import queue

PATH = "/console/staff"
ONE = "/staff/{id:[0-9]{1,18}}"
CODE, PASSWORD, PIN = "code", "password", "pin"
#: A comma, Persian or Latin, or the end of a line.
_BETWEEN = re.compile("[,\u060c\n]")

routes = web.RouteTableDef()


class Colleague(msgspec.Struct, frozen=True):
    """A member of staff in the list.

    Attributes:
        channels: on which they have linked an account.
    """

    member: StaffMember
    channels: list[str]


class OneMember(msgspec.Struct, frozen=True):
    """Everything about a member of staff.

    Attributes:
        version: of what the form shows; another one means that somebody changed it.
        tickets: how many tickets are theirs to work on.
    """

    member: StaffMember
    channels: list[str]
    version: str
    tickets: int


@routes.get("/staff")
@allowed("staff.view")
async def staff(request: web.Request) -> web.StreamResponse:
    """Everybody, those who no longer work here at the end."""
    return await _list(request)


@routes.post("/staff")
@allowed("staff.manage")
async def invite(request: web.Request) -> web.StreamResponse:
    """Add somebody; the code with which they link their chat is shown once."""
    fields = await own_form(request)
    made: dict[str, str] = {}

    def work(desk: Desk) -> None:
        if not fields.get("name", ""):
            raise Refused("name_missing")
        member, code = invitations.invite(
            desk.session,
            name=fields["name"],
            role=fields.get("role", ""),
            skills=_listed(fields.get("skills", "")),
            areas=_listed(fields.get("areas", "")),
            actor=desk.actor,
            now=desk.now,
        )
        made.update(id=str(member.id), code=code)

    again = partial(_list, request)
    answer = await carry_out(request, fields, work, "staff.manage", back=PATH, done="saved", again=again)
    return _shown_once(request, made, CODE) if made else answer


@routes.get(ONE)
@allowed("staff.view")
async def colleague(request: web.Request) -> web.StreamResponse:
    """One member of staff."""
    return await _page(request)


@routes.post(ONE)
@allowed("staff.manage")
async def change(request: web.Request) -> web.StreamResponse:
    """Change role, team, skills or areas."""

    def work(desk: Desk, member: StaffMember, fields: dict[str, str]) -> None:
        most = number_of(fields.get("max_chats", "")) if fields.get("max_chats") else None
        if fields.get("max_chats") and most is None:
            raise Refused("amount_wrong")
        if member.id == desk.staff.id and fields.get("role") != member.role:
            raise Refused("own_account")
        if not fields.get("name", ""):
            raise Refused("name_missing")
        try:
            managing.change_member(
                desk.session,
                staff_id=member.id,
                name=fields["name"],
                role=fields.get("role", ""),
                team=fields.get("team", ""),
                skills=_listed(fields.get("skills", "")),
                areas=_listed(fields.get("areas", "")),
                max_chats=most,
                actor=desk.actor,
                rules=desk.rules,
            )
        except Conflict as error:
            raise Refused("last_admin") from error

    return await _do(request, work, done="staff_changed")


@routes.post(f"{ONE}/code")
@allowed("staff.manage")
async def new_code(request: web.Request) -> web.StreamResponse:
    """Another code with which a member links their chat; it is shown once."""

    def work(desk: Desk, member: StaffMember, _fields: dict[str, str]) -> str:
        return invitations.invite_again(desk.session, staff_id=member.id, actor=desk.actor, now=desk.now)[1]

    return await _do(request, work, done="saved", secret=CODE)


@routes.post(f"{ONE}/login")
@allowed("staff.manage")
async def login(request: web.Request) -> web.StreamResponse:
    """Let a member log in at the console; the password is shown once."""

    def work(desk: Desk, member: StaffMember, fields: dict[str, str]) -> str:
        about: dict[str, Any] = {"staff_id": member.id, "login": fields.get("login", ""), "actor": desk.actor}
        try:
            return managing.give_login(desk.session, **about)
        except Conflict as error:
            raise Refused("login_taken") from error
        except InvalidInput as error:
            raise Refused("login_wrong") from error

    return await _do(request, work, done="saved", secret=PASSWORD)


@routes.post(f"{ONE}/password")
@allowed("staff.manage")
async def password(request: web.Request) -> web.StreamResponse:
    """Another password, shown once; all log-ins of the member end."""

    def work(desk: Desk, member: StaffMember, _fields: dict[str, str]) -> str:
        if member.id == desk.staff.id:
            raise Refused("own_account")
        return managing.reset_password(desk.session, staff_id=member.id, actor=desk.actor)

    return await _do(request, work, done="saved", secret=PASSWORD)


@routes.post(f"{ONE}/second-step")
@allowed("staff.manage")
async def second_step(request: web.Request) -> web.StreamResponse:
    """Ask a member for no code of the second step any more, who has lost the phone."""

    def work(desk: Desk, member: StaffMember, _fields: dict[str, str]) -> None:
        totp.turn_off(desk.session, staff_id=member.id, actor=desk.actor)

    return await _do(request, work, done="totp_reset")


@routes.post(f"{ONE}/pin")
@allowed("staff.manage")
async def new_pin(request: web.Request) -> web.StreamResponse:
    """Another PIN for the chat, shown once."""

    def work(desk: Desk, member: StaffMember, _fields: dict[str, str]) -> str:
        return pin.make_pin(desk.session, staff_id=member.id, actor=desk.actor)

    return await _do(request, work, done="saved", secret=PIN)


@routes.post(f"{ONE}/disable")
@allowed("staff.manage")
async def disable(request: web.Request) -> web.StreamResponse:
    """Keep somebody out from now on."""

    def work(desk: Desk, member: StaffMember, _fields: dict[str, str]) -> None:
        if member.id == desk.staff.id:
            raise Refused("own_account")
        try:
            accounts.disable(desk.session, staff_id=member.id, actor=desk.actor, now=desk.now)
        except InvalidInput as error:
            raise Refused("last_admin") from error

    return await _do(request, work, done="staff_disabled")


async def _do(
    request: web.Request,
    work: Callable[[Desk, StaffMember, dict[str, str]], str | None],
    *,
    done: str,
    secret: str = "",
) -> web.StreamResponse:
    """Do something with a member who is as the page showed them.

    Args:
        secret: what kind of secret the work gives, which the next page shows once.
    """
    fields, staff_id = await own_form(request), int(request.match_info["id"])
    made: dict[str, str] = {}

    def unit(desk: Desk) -> None:
        member = managing.locked(desk.session, staff_id=staff_id)
        if fields.get("version", "") != _version(member):
            raise Conflict("somebody changed the member meanwhile")
        given = work(desk, member, fields)
        if secret and given:
            made.update({"id": str(staff_id), secret: given})

    back = f"{PATH}/{staff_id}"
    again = partial(_page, request)
    answer = await carry_out(request, fields, unit, "staff.manage", back=back, done=done, again=again)
    return _shown_once(request, made, secret) if made else answer


def _shown_once(request: web.Request, made: dict[str, str], kind: str) -> web.Response:
    """Lead on to the member's page, which shows a secret once."""
    kept(request).put(request, f"secret:{made['id']}", {"kind": kind, "value": made[kind]})
    return see_other(f"{PATH}/{made['id']}")


async def _list(request: web.Request, refusal: Refusal | None = None) -> web.StreamResponse:
    def look(session: Session) -> list[Colleague]:
        everybody = accounts.members(session)
        channels = accounts.channels_of(session, staff_ids=[one.id for one in everybody])
        found = [Colleague(one, channels.get(one.id, [])) for one in everybody]
        return sorted(found, key=lambda one: one.member.disabled_at is not None)

    return render_form(
        request,
        "staff.html",
        refusal,
        everybody=await reading(request, look),
        **_choices(rules_of(request)),
    )


async def _page(request: web.Request, refusal: Refusal | None = None) -> web.StreamResponse:
    staff_id = int(request.match_info["id"])

    def look(session: Session) -> OneMember:
        member = accounts.member(session, staff_id=staff_id)
        channels = accounts.channels_of(session, staff_ids=[staff_id]).get(staff_id, [])
        tickets = queue(session, assignee_id=staff_id, size=1).place.total
        return OneMember(member, channels, _version(member), tickets)

    found = await reading(request, look)
    return render_form(
        request,
        "member.html",
        refusal,
        found=found,
        secret=kept(request).take(request, f"secret:{staff_id}"),
        minutes=int(invitations.VALID_FOR.total_seconds() // 60),
        asks_pin=rules_of(request).business.staff.pin_after_minutes > 0,
        **_choices(rules_of(request)),
    )


def _choices(rules: Rules) -> dict[str, object]:
    business = rules.business
    asked_for = {skill for kind in business.service.kinds for skill in kind.skills}
    asked_for |= {rule.skill for rule in business.handoff.rules if rule.skill}
    return {
        "role_names": [(role, label(role, "roles")) for role in ROLES],
        "team_names": business.handoff.teams,
        "known_skills": sorted(asked_for),
    }


def _version(member: StaffMember) -> str:
    """Names what is kept of a member: another one after every change."""
    kept_of = (
        member.name,
        member.role,
        member.team,
        member.skills,
        member.areas,
        member.max_chats,
        member.login,
        member.disabled_at is not None,
        totp.is_on(member),
    )
    return hashlib.sha256(repr(kept_of).encode()).hexdigest()[:16]


def _listed(text: str) -> list[str]:
    """What stands between commas, Persian or Latin, or on lines of its own."""
    return [word for word in (part.strip() for part in _BETWEEN.split(text)) if word]
