"""The second step of the log-in at the console, and what one changes about oneself."""

from __future__ import annotations

import re
import time

import pyotp
import pytest
from sqlalchemy import select

from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.staff import service as staff
from crm_store.staff.models import StaffMember
from tests.console.agents import PASSWORD, an_agent
from tests.console.conftest import Enter
from tests.console.staff import StaffBrowser, form_token
from tests.console.test_page import Elements

ACCOUNT = "/console/account"


def with_app(database: Database, login: str = "negar") -> pyotp.TOTP:
    """An agent whose app makes codes; the first of them is still to be used."""
    with database.write() as session:
        member = an_agent(session, login=login)
        member.totp_secret, member.totp_confirmed_at = pyotp.random_base32(), utcnow()
        return pyotp.TOTP(member.totp_secret)


async def at_the_code(browser: StaffBrowser) -> str:
    """Log in up to the second step; returns the form's token."""
    response = await browser.log_in(PASSWORD, login="negar", next="/console/complaints")
    assert response.headers["Location"].startswith("/console/login/code")
    return form_token(await browser.page(response.headers["Location"]))


async def send_code(browser: StaffBrowser, token: str, code: str) -> int:
    fields = {"token": token, "code": code, "next": "/console/complaints"}
    return (await browser.post("/console/login/code", fields)).status


async def test_after_the_password_comes_the_code(
    at_the_door: StaffBrowser, sqlite_database: Database
) -> None:
    app = with_app(sqlite_database)
    token = await at_the_code(at_the_door)
    for path in ("/console/complaints", "/console/inbox", ACCOUNT):
        assert (await at_the_door.get(path)).status == 303, "the password alone opens nothing"
    assert await send_code(at_the_door, token, "000000") == 401
    fields = {"token": token, "code": app.now(), "next": "/console/complaints"}
    response = await at_the_door.post("/console/login/code", fields)
    assert (response.status, response.headers["Location"]) == (303, "/console/complaints")
    assert (await at_the_door.get("/console/complaints")).status == 200


async def test_a_code_opens_the_door_only_once(
    serve: object, at_the_door: StaffBrowser, sqlite_database: Database
) -> None:
    app = with_app(sqlite_database)
    code = app.now()
    assert await send_code(at_the_door, await at_the_code(at_the_door), code) == 303
    thief = StaffBrowser(at_the_door.url)
    assert await send_code(thief, await at_the_code(thief), code) == 401
    assert (await thief.get("/console/complaints")).status == 303
    await thief.close()


async def test_codes_are_not_guessed(at_the_door: StaffBrowser, sqlite_database: Database) -> None:
    app = with_app(sqlite_database)
    token = await at_the_code(at_the_door)
    statuses = [await send_code(at_the_door, token, "000000") for _ in range(7)]
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429
    assert await send_code(at_the_door, token, app.now()) == 429, "the right one has to wait too"
    with sqlite_database.read() as session:
        refused = session.scalars(select(AuditEntry).where(AuditEntry.action == "staff.code_refused")).all()
    assert len(refused) == 5


async def test_without_a_password_there_is_no_second_step(
    at_the_door: StaffBrowser, sqlite_database: Database
) -> None:
    app = with_app(sqlite_database)
    assert (await at_the_door.get("/console/login/code")).headers["Location"] == "/console/login"
    assert await send_code(at_the_door, "0" * 64, app.now()) == 403


@pytest.mark.parametrize("origin", ["https://example.org", ""])
async def test_no_other_site_sends_the_code(
    at_the_door: StaffBrowser, sqlite_database: Database, origin: str
) -> None:
    app = with_app(sqlite_database)
    fields = {"token": await at_the_code(at_the_door), "code": app.now()}
    assert (await at_the_door.post("/console/login/code", fields, Origin=origin)).status == 403


async def test_the_password_may_be_minutes_old_at_most(
    at_the_door: StaffBrowser, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = with_app(sqlite_database)
    monkeypatch.setattr(staff, "CODE_MINUTES", 0)
    response = await at_the_door.log_in(PASSWORD, login="negar")
    cookie = response.cookies["peyvand_console"].value
    fields = {"token": "0" * 64, "code": app.now()}
    sent = await at_the_door.post("/console/login/code", fields, Cookie=f"peyvand_console={cookie}")
    assert sent.status in (401, 403)
    assert (await at_the_door.get("/console/complaints")).status == 303


async def test_somebody_sets_the_step_up_and_turns_it_off(enter: Enter, sqlite_database: Database) -> None:
    browser = await enter()
    token = form_token(await browser.page(ACCOUNT))
    assert (await browser.post(f"{ACCOUNT}/totp", {"token": token})).status == 303
    html = await browser.page(ACCOUNT)
    secret = re.search(r'class="totp-secret">([A-Z2-7 ]+)<', html)
    assert secret is not None
    app = pyotp.TOTP(secret[1].replace(" ", ""))
    assert "<svg" in html[html.index("qr-frame") :]
    assert not any("style" in attributes for _, attributes in Elements(html).found)
    wrong = await browser.post(f"{ACCOUNT}/totp/confirm", {"token": token, "code": "000000"})
    assert (wrong.status, "این کد درست نیست" in await wrong.text()) == (422, True)
    code = app.now()
    right = await browser.post(f"{ACCOUNT}/totp/confirm", {"token": token, "code": code})
    assert right.status == 303
    shown = await browser.page(ACCOUNT)
    assert app.secret not in shown.replace(" ", ""), "the secret is shown no more"
    assert "خاموش‌کردن" in shown
    used = await browser.post(f"{ACCOUNT}/totp/off", {"token": token, "code": code})
    assert used.status == 422, "the code that turned it on was used"
    later = app.at(time.time() + 30)
    assert (await browser.post(f"{ACCOUNT}/totp/off", {"token": token, "code": later})).status == 303
    with sqlite_database.read() as session:
        assert session.scalars(select(StaffMember.totp_secret)).one() == ""


async def test_a_new_password_ends_all_other_log_ins(enter: Enter) -> None:
    here, elsewhere = await enter(), await enter()
    fields = {
        "token": form_token(await here.page(ACCOUNT)),
        "old_password": PASSWORD,
        "new_password": "another-long-one",
        "password_again": "another-long-one",
    }
    assert (await here.post(f"{ACCOUNT}/password", fields)).status == 303
    assert (await here.get(ACCOUNT)).status == 200
    assert (await elsewhere.get(ACCOUNT)).status == 303


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"old_password": "wrong-password"}, "گذرواژهٔ کنونی درست نیست"),
        ({"password_again": "another-long-two"}, "یکی نیستند"),
        ({"new_password": "short", "password_again": "short"}, "کوتاه است"),
    ],
)
async def test_a_password_is_changed_only_knowingly(enter: Enter, changes: dict[str, str], told: str) -> None:
    browser = await enter()
    fields = {
        "token": form_token(await browser.page(ACCOUNT)),
        "old_password": PASSWORD,
        "new_password": "another-long-one",
        "password_again": "another-long-one",
    }
    refused = await browser.post(f"{ACCOUNT}/password", fields | changes)
    assert (refused.status, told in await refused.text()) == (422, True)
    assert (await browser.log_in(PASSWORD, login="negar")).status == 303


async def test_a_code_for_the_chat_account_is_shown_once(enter: Enter) -> None:
    browser = await enter()
    token = form_token(await browser.page(ACCOUNT))
    response = await browser.post(f"{ACCOUNT}/link", {"token": token})
    code = re.search(r"PYV(-[0-9A-Z]{4}){8}", await response.text())
    assert code is not None
    assert code[0] not in await browser.page(ACCOUNT)


@pytest.mark.parametrize("path", ["password", "totp", "totp/confirm", "totp/off", "link"])
async def test_no_other_site_changes_anything_here(enter: Enter, path: str) -> None:
    browser = await enter()
    token = form_token(await browser.page(ACCOUNT))
    foreign = await browser.post(f"{ACCOUNT}/{path}", {"token": token}, Origin="https://example.org")
    guessed = await browser.post(f"{ACCOUNT}/{path}", {"token": "0" * 64})
    assert (foreign.status, guessed.status) == (403, 403)
