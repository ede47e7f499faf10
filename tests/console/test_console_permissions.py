"""Who may open which page and send which form of the console: every route there is, with every role."""

from __future__ import annotations

import re

import pytest
from aiohttp.web import AbstractRoute
from sqlalchemy import func, select

from bot.console.views.console import build_console
from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.staff.models import ROLES, StaffMember
from crm_store.staff.permissions import PERMISSIONS
from tests.console.conftest import LogIn, Serve
from tests.console.desk_store import DeskStore
from tests.console.staff import StaffBrowser, form_token

#: Routes that ask for no permission: the door, one's own account, and the socket, which asks for each frame.
FOR_EVERYBODY = {
    "",
    "/",
    "/login",
    "/login/code",
    "/logout",
    "/account",
    "/account/password",
    "/account/totp",
    "/account/totp/confirm",
    "/account/totp/off",
    "/account/link",
    "/live",
}
#: Where a technician may do something with their own alone, and what is there is somebody else's.
FOREIGN_TO_TECHNICIAN = {"/complaints/{code}", "/complaints/{code}/note", "/attachments/{id}"}


def routes() -> list[AbstractRoute]:
    """Every route below ``/console``."""
    return [route for route in build_console().router.routes() if route.method != "HEAD"]


def pattern_of(route: AbstractRoute) -> str:
    assert route.resource is not None
    return route.resource.canonical


def permissions_of(route: AbstractRoute) -> tuple[str, ...]:
    return getattr(route.handler, "permissions", ())


GUARDED = [route for route in routes() if pattern_of(route) not in FOR_EVERYBODY]


def address_of(pattern: str, store: DeskStore, *, mine: bool = True) -> str:
    """A route's address for something that is there; a technician's own, where it can be."""
    numbers = {
        "/callbacks": store.callback_id,
        "/customers": store.customer_id,
        "/transcripts": store.conversation_id,
        "/club/accounts": store.customer_id,
        "/club/codes": store.redemption_id,
        "/compensations": store.compensation_id,
        "/surveys/follow-ups": store.follow_up_id,
        "/staff": store.members["agent"],
    }
    number = next((value for begin, value in numbers.items() if pattern.startswith(f"{begin}/{{id")), 1)
    keys = {"/club/raffles": store.raffle, "/surveys": "after_complaint", "/texts/faq": "hours"}
    key = next((value for begin, value in keys.items() if pattern.startswith(begin)), "utter_greet")
    code = store.complaint if pattern.startswith("/complaints") else store.request if mine else store.foreign
    values = {"id": number, "code": code, "key": key, "note": store.note_id, "ordinal": 0, "list": "visits"}
    return "/console" + re.sub(r"\{(\w+)[^}]*\}", lambda match: str(values[match[1]]), pattern)


def denials(database: Database) -> int:
    with database.read() as session:
        denied = select(func.count()).where(AuditEntry.action == "staff.denied")
        return session.scalar(denied) or 0


def test_every_route_asks_for_a_permission_or_is_known_to_need_none() -> None:
    without = {pattern_of(route) for route in routes() if not permissions_of(route)}
    assert without == FOR_EVERYBODY


def test_every_permission_that_a_route_asks_for_is_in_the_table() -> None:
    asked = {permission for route in GUARDED for permission in permissions_of(route)}
    assert asked <= set(PERMISSIONS)


def test_forms_change_something_only_by_post() -> None:
    assert {route.method for route in routes()} == {"GET", "POST"}


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_gets_what_the_table_allows_and_nothing_else(
    log_in: LogIn, store: DeskStore, sqlite_database: Database, role: str
) -> None:
    browser = await log_in(role)
    token = form_token(await browser.page("/console/account"))
    wrong = []
    for route in GUARDED:
        address = address_of(pattern_of(route), store)
        may = any(role in PERMISSIONS[permission] for permission in permissions_of(route))
        if role == "technician" and pattern_of(route) in FOREIGN_TO_TECHNICIAN:
            may = False
        before = denials(sqlite_database)
        if route.method == "GET":
            response = await browser.get(address)
        else:
            response = await browser.post(address, {"token": token})
        is_refused = response.status == 403
        is_audited = denials(sqlite_database) > before
        if is_refused == may or is_audited != is_refused or response.status >= 500:
            wrong.append((route.method, address, response.status, may, is_audited))

    assert wrong == []


async def test_nobody_gets_anything_without_a_log_in(serve: Serve, store: DeskStore) -> None:
    browser = StaffBrowser((await serve()).make_url("/"))
    for route in GUARDED:
        address = address_of(pattern_of(route), store)
        response = await (browser.get(address) if route.method == "GET" else browser.post(address, {}))
        assert (response.status, response.headers["Location"][:14]) == (303, "/console/login"), address
    await browser.close()


async def test_no_form_counts_without_the_sessions_own_token(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    browser, other = await log_in("admin"), await log_in("admin")
    theirs = form_token(await other.page("/console/account"))
    for route in GUARDED:
        if route.method == "POST":
            address = address_of(pattern_of(route), store)
            for fields in ({}, {"token": theirs}):
                before = denials(sqlite_database)
                status = (await browser.post(address, fields)).status
                # What takes files takes no plain form.
                assert status in (403, 404, 415), address
                assert denials(sqlite_database) - before == (status == 403), address


async def test_a_technician_sees_and_does_what_is_their_own_alone(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    browser = await log_in("technician")
    own, foreign = f"/console/requests/{store.request}", f"/console/requests/{store.foreign}"
    token = form_token(await browser.page(own))
    before = denials(sqlite_database)
    assert (await browser.get(foreign)).status == 403
    for act in ("set-off", "done", "not-done", "note", "write"):
        fields = {"token": token, "version": "1", "text": "تمام شد", "reason": "other"}
        assert (await browser.post(f"{foreign}/{act}", fields)).status == 403
    assert denials(sqlite_database) == before + 6
    noted = await browser.post(f"{own}/note", {"token": token, "text": "زنگ زدم"})
    assert (noted.status, noted.headers["Location"]) == (303, f"{own}?done=noted")
    html = await browser.page("/console/visits")
    assert store.foreign not in html


async def test_who_loses_a_role_loses_it_with_the_next_click(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    browser = await log_in("supervisor")
    token = form_token(await browser.page("/console/surveys"))
    with sqlite_database.write() as session:
        session.get_one(StaffMember, store.members["supervisor"]).role = "agent"
    assert (await browser.get("/console/surveys")).status == 403
    assert (await browser.post("/console/texts/canned", {"token": token})).status == 403
    with sqlite_database.write() as session:
        session.get_one(StaffMember, store.members["supervisor"]).disabled_at = utcnow()
    assert (await browser.get("/console/complaints")).status == 303
