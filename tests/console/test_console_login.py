"""The console's door: who gets in, how, and who does not."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.staff.models import StaffMember
from tests.console.staff import StaffBrowser, a_password, form_token

PAGES = [
    "/console",
    "/console/",
    "/console/complaints",
    "/console/complaints/12345670",
    "/console/callbacks",
    "/console/callbacks/1",
    "/console/attachments/1",
    "/console/nothing-here",
    "/console/%63omplaints",
    "/%63onsole/complaints",
]


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_is_shown_before_the_log_in(at_the_door: StaffBrowser, path: str) -> None:
    response = await at_the_door.get(path)
    assert response.status == 303
    assert response.headers["Location"].startswith("/console/login")


async def test_after_the_log_in_one_is_where_one_wanted_to_go(
    at_the_door: StaffBrowser, sqlite_database: Database
) -> None:
    led = (await at_the_door.get("/console/complaints?category=delivery&page=2")).headers["Location"]
    html = await at_the_door.page(led)
    assert 'value="/console/complaints?category=delivery&amp;page=2"' in html
    wanted = "/console/complaints?category=delivery&page=2"
    response = await at_the_door.log_in(a_password(sqlite_database), next=wanted)
    assert (response.status, response.headers["Location"]) == (303, wanted)
    assert (await at_the_door.get("/console/login")).headers["Location"] == "/console"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.org/console",
        "//example.org",
        "/console//example.org",
        "/console/../../x",
        "/console\\example.org",
        "/consolex",
        "/console@example.org",
        "/console/login",
        "/console/logout",
        "/console/complaints\r\nX: y",
        "javascript:alert(1)",
        "",
    ],
)
async def test_the_way_back_is_never_out_of_the_console(
    at_the_door: StaffBrowser, sqlite_database: Database, elsewhere: str
) -> None:
    response = await at_the_door.log_in(a_password(sqlite_database), next=elsewhere)
    assert response.headers["Location"] == "/console"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    at_the_door: StaffBrowser, sqlite_database: Database
) -> None:
    password = a_password(sqlite_database)
    fields = {"login": "admin", "password": password}
    response = await at_the_door.post("/console/login", fields, **{"X-Forwarded-Proto": "https"})
    cookie = response.cookies["peyvand_console"]
    assert cookie["httponly"]
    assert cookie["secure"]
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("Strict", "/console", "43200")
    assert len(cookie.value) >= 43


@pytest.mark.parametrize(("login", "password"), [("admin", "wrong"), ("nobody", "wrong")])
async def test_a_refusal_does_not_tell_whether_the_login_exists(
    at_the_door: StaffBrowser, sqlite_database: Database, login: str, password: str
) -> None:
    a_password(sqlite_database)
    response = await at_the_door.log_in(password, login=login)
    assert response.status == 401
    assert "نام کاربری یا گذرواژه درست نیست" in await response.text()
    assert "peyvand_console" not in response.cookies
    with sqlite_database.read() as session:
        refused = session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.login_refused")).all()
    assert len(refused) == 1


@pytest.mark.parametrize("origin", ["https://example.org", "null", ""])
async def test_no_other_site_can_log_anybody_in(
    at_the_door: StaffBrowser, sqlite_database: Database, origin: str
) -> None:
    fields = {"login": "admin", "password": a_password(sqlite_database)}
    response = await at_the_door.post("/console/login", fields, Origin=origin)
    assert response.status == 403
    assert "peyvand_console" not in response.cookies


async def test_whoever_tries_too_often_from_one_place_has_to_wait(
    at_the_door: StaffBrowser, sqlite_database: Database
) -> None:
    password = a_password(sqlite_database)
    # On a slow machine a try comes back in the meantime: a few more are made.
    statuses = [(await at_the_door.log_in("wrong", login="")).status for _ in range(13)]
    assert statuses[:10] == [401] * 10
    assert 429 in statuses
    response = await at_the_door.log_in(password)
    assert response.status == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 20
    assert "دوباره امتحان کنید" in await response.text()


async def test_one_login_is_not_guessed_from_many_places(
    at_the_door: StaffBrowser, sqlite_database: Database
) -> None:
    a_password(sqlite_database)
    fields = {"login": "admin", "password": "wrong"}
    statuses: list[int] = []
    while 429 not in statuses and len(statuses) < 100:
        visitor = {"X-Forwarded-For": f"spoofed, 192.0.2.{len(statuses)}"}
        statuses.append((await at_the_door.post("/console/login", fields, **visitor)).status)
    assert statuses[:20] == [401] * 20
    assert statuses[-1] == 429


async def test_logging_out_ends_the_session_everywhere(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    cookie = next(iter(staff.session.cookie_jar)).value
    response = await staff.log_out()
    assert (response.status, response.headers["Location"]) == (303, "/console/login")
    kept = await staff.get("/console/complaints", headers={"Cookie": f"peyvand_console={cookie}"})
    assert kept.status == 303


async def test_no_other_site_can_log_anybody_out(staff: StaffBrowser) -> None:
    token = form_token(await staff.page("/console/complaints"))
    foreign = await staff.post("/console/logout", {"token": token}, Origin="https://example.org")
    guessed = await staff.post("/console/logout", {"token": "0" * 64})
    assert (foreign.status, guessed.status) == (403, 403)
    assert (await staff.get("/console/complaints")).status == 200


async def test_who_is_disabled_is_out_at_once(staff: StaffBrowser, sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        session.scalars(select(StaffMember)).one().disabled_at = utcnow()
    assert (await staff.get("/console/complaints")).status == 303


@pytest.mark.parametrize("token", ["", "x", "'; --", "\u06f1" * 20])
async def test_a_made_up_cookie_opens_nothing(at_the_door: StaffBrowser, token: str) -> None:
    response = await at_the_door.get("/console/complaints", headers={"Cookie": f"peyvand_console={token}"})
    assert response.status == 303


async def test_a_form_of_another_kind_is_refused(at_the_door: StaffBrowser) -> None:
    headers = {"Origin": str(at_the_door.url.origin())}
    address = at_the_door.url / "console/login"
    async with at_the_door.session.post(address, json={"login": "admin"}, headers=headers) as response:
        assert response.status == 415
