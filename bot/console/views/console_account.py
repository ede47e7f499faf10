"""One's own account at the console: password, second step of the log-in, code for the chat account."""

from __future__ import annotations

import math

import segno
from aiohttp import web
from markupsafe import Markup
from sqlalchemy.orm import Session

from bot.console import auth
from bot.console.auth import HOME
from bot.console.desk import Desk, carry_out, working
from bot.console.forms import own_form, see_other
from bot.console.keys import BUSINESS
from bot.console.pages import reading, render
from crm_store.errors import InvalidInput
from crm_store.staff import invitations, totp
from crm_store.staff import service as staff
from crm_store.staff.accounts import channels_of
from crm_store.staff.models import StaffMember

PATH = f"{HOME}/account"
#: Digits and letters of the secret in one group, for those who type it in.
_GROUP = 4

routes = web.RouteTableDef()


@routes.get("/account")
async def account(request: web.Request) -> web.StreamResponse:
    """What one can change about oneself."""
    return await _page(request)


@routes.post("/account/password")
async def change_password(request: web.Request) -> web.StreamResponse:
    """Choose another password; all other log-ins end."""
    fields, member = await own_form(request), _member(request)
    password, login = fields.get("new_password", ""), member.login or ""
    if (wait := auth.seconds_to_wait(request, login)) > 0:
        return await _page(request, status=429, problem="often", wait=math.ceil(wait))
    if password != fields.get("password_again", ""):
        return await _page(request, status=422, problem="password_differs")
    if len(password) < staff.MIN_PASSWORD:
        return await _page(request, status=422, problem="password_short")
    typed = fields.get("old_password", "")
    checked = await reading(
        request, lambda session: staff.check_password(session, login=login, password=typed)
    )
    if not checked.fits:
        return await _page(request, status=422, problem="password_wrong")

    def change(desk: Desk) -> str:
        staff.set_password(desk.session, login=login, password=password, actor=desk.actor)
        return staff.open_session(desk.session, staff_id=desk.staff.id)

    token = await working(request, change)
    response = see_other(PATH, done="password_changed")
    auth.give_session(request, response, token)
    return response


@routes.post("/account/totp")
async def begin_totp(request: web.Request) -> web.StreamResponse:
    """Make a secret for the app on one's phone; the page then shows it."""
    fields = await own_form(request)

    def begin(desk: Desk) -> None:
        totp.begin(desk.session, staff_id=desk.staff.id)

    return await carry_out(request, fields, begin, back=PATH, done="")


@routes.post("/account/totp/confirm")
async def confirm_totp(request: web.Request) -> web.StreamResponse:
    """Turn the second step on, with a first code."""
    fields, member = await own_form(request), _member(request)
    if (wait := auth.seconds_to_wait_for_code(request, member)) > 0:
        return await _page(request, status=429, problem="often", wait=math.ceil(wait))

    def confirm(desk: Desk) -> None:
        totp.confirm(desk.session, staff_id=desk.staff.id, code=fields.get("code", "")[:40], now=desk.now)

    try:
        await working(request, confirm)
    except InvalidInput:
        return await _page(request, status=422, problem="code_wrong")
    return see_other(PATH, done="totp_on")


@routes.post("/account/totp/off")
async def end_totp(request: web.Request) -> web.StreamResponse:
    """Turn the second step off, with a code: an open browser alone is not enough."""
    fields, member = await own_form(request), _member(request)
    if (wait := auth.seconds_to_wait_for_code(request, member)) > 0:
        return await _page(request, status=429, problem="often", wait=math.ceil(wait))

    def end(desk: Desk) -> bool:
        code = fields.get("code", "")[:40]
        fits = totp.check(desk.session, staff_id=desk.staff.id, code=code, now=desk.now)
        return fits and totp.turn_off(desk.session, staff_id=desk.staff.id, actor=desk.actor)

    if not await working(request, end):
        return await _page(request, status=422, problem="code_wrong")
    return see_other(PATH, done="totp_off")


@routes.post("/account/link")
async def link(request: web.Request) -> web.StreamResponse:
    """Show, once, a code with which one links a chat account."""
    await own_form(request)

    def invite(desk: Desk) -> str:
        return invitations.invite_again(desk.session, staff_id=desk.staff.id, actor=desk.actor, now=desk.now)[
            1
        ]

    return await _page(request, link_code=await working(request, invite))


async def _page(
    request: web.Request, *, status: int = 200, problem: str = "", wait: int = 0, link_code: str = ""
) -> web.Response:
    member = _member(request)

    def read(session: Session) -> list[str]:
        return channels_of(session, staff_ids=[member.id]).get(member.id, [])

    is_on, secret = totp.is_on(member), member.totp_secret
    return render(
        request,
        "my_account.html",
        status=status,
        account_problem=problem,
        wait=wait,
        link_code=link_code,
        channels=await reading(request, read),
        is_totp_on=is_on,
        totp_secret=" ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP)),
        totp_picture="" if is_on or not secret else _picture(request, member),
        min_password=staff.MIN_PASSWORD,
    )


def _picture(request: web.Request, member: StaffMember) -> Markup:
    """The secret as a square code, drawn into the page itself: it goes to no address of its own."""
    business = request.config_dict[BUSINESS].current().name
    code = segno.make(totp.address_of(member, business=business), error="m", micro=False)
    drawn = code.svg_inline(scale=5, border=4, dark="#000000", light="#ffffff", omitsize=True, svgclass="qr")
    return Markup(drawn)  # noqa: S704  # digits of a path, and nothing that anybody typed


def _member(request: web.Request) -> StaffMember:
    member = auth.staff_of(request)
    if member is None:  # never so: the guard stands before it
        raise web.HTTPForbidden
    return member
