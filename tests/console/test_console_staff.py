"""Members of staff are let in, changed and kept out at the console."""

from __future__ import annotations

import re

import pytest

from crm_store.base import utcnow
from crm_store.conversations.models import Conversation
from crm_store.db import Database
from crm_store.staff import invitations
from crm_store.staff.models import StaffMember
from tests.console.conftest import LogIn
from tests.console.desk import audited, done, hidden_fields, send
from tests.console.desk_store import DeskStore
from tests.console.staff import StaffBrowser
from tests.factories import a_conversation

PAGE = "/console/staff"


def member(database: Database, staff_id: int) -> StaffMember:
    with database.read() as session:
        return session.get_one(StaffMember, staff_id)


def secret_in(html: str) -> str:
    found = re.search(r'class="secret"[^>]*><code>([^<]+)<', html)
    assert found is not None
    return found[1]


async def test_somebody_new_gets_a_code_that_is_shown_once_and_works(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    admin = await log_in("admin")
    fields = {"name": "کاوه", "role": "technician", "skills": "تعمیر، نصب", "areas": "تهران"}
    where = done(await send(admin, PAGE, PAGE, **fields))
    code = secret_in(await admin.page(where))
    assert code not in await admin.page(where)
    assert code not in where
    staff_id = int(where.rpartition("/")[2])
    kept = member(sqlite_database, staff_id)
    assert (kept.name, kept.role, kept.skills, kept.areas) == (
        "کاوه",
        "technician",
        ["تعمیر", "نصب"],
        ["تهران"],
    )
    with sqlite_database.write() as session:
        chat: Conversation = a_conversation(session)
        assert chat.identity_id is not None
        assert invitations.redeem(session, identity_id=chat.identity_id, code=code).id == staff_id
    assert "تلگرام" in await admin.page(f"{PAGE}/{staff_id}")


async def test_a_member_is_changed_and_the_change_is_in_the_trail(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    admin, page = await log_in("admin"), f"{PAGE}/{store.members['agent']}"
    fields = {"name": "نگار موسوی", "role": "supervisor", "team": "فروش", "skills": "", "areas": ""}
    response = await send(admin, page, page, **fields, max_chats="۳")
    assert done(response) == f"{page}?done=staff_changed"
    kept = member(sqlite_database, store.members["agent"])
    assert (kept.role, kept.team, kept.max_chats) == ("supervisor", "فروش", 3)
    (entry,) = audited(sqlite_database, "staff.changed")
    assert entry[3]["from"]["role"] == "agent"
    for wrong in ({"team": "نیست"}, {"role": "owner"}, {"max_chats": "99"}, {"name": ""}):
        assert (await send(admin, page, page, **{**fields, **wrong})).status == 422


async def test_a_page_that_is_out_of_date_changes_nobody(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    admin, page = await log_in("admin"), f"{PAGE}/{store.members['agent']}"
    stale = await hidden_fields(admin, page, page)
    fields = {"name": "نگار", "role": "agent", "team": "", "skills": "", "areas": ""}
    await send(admin, page, page, **fields)
    response = await admin.post(page, {**stale, **fields, "role": "admin"})
    assert response.status == 409
    assert member(sqlite_database, store.members["agent"]).role == "agent"


async def test_who_works_in_chat_alone_is_given_a_log_in(
    log_in: LogIn, at_the_door: StaffBrowser, store: DeskStore, sqlite_database: Database
) -> None:
    admin = await log_in("admin")
    where = done(await send(admin, PAGE, PAGE, name="کاوه", role="agent"))
    await admin.page(where)
    for login, text in (("agent", "از آنِ کس دیگری است"), ("نام", "نام کاربری از ۲ تا ۶۰ حرف")):
        response = await send(admin, where, f"{where}/login", login=login)
        assert response.status == 422
        assert text in await response.text()
    assert done(await send(admin, where, f"{where}/login", login="Kaveh")) == where
    password = secret_in(await admin.page(where))
    assert (await at_the_door.log_in(password, login="kaveh")).status == 303


async def test_another_password_ends_the_log_ins_there_are(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    admin, agent = await log_in("admin"), await log_in("agent")
    page = f"{PAGE}/{store.members['agent']}"
    await send(admin, page, f"{page}/password")
    password = secret_in(await admin.page(page))
    assert (await agent.get("/console/complaints")).status == 303
    assert (await agent.log_in(password, login="agent")).status == 303
    assert audited(sqlite_database, "staff.password_changed")[-1][0] == f"staff:{store.members['admin']}"


async def test_the_second_step_is_turned_off_for_who_lost_the_phone(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        agent = session.get_one(StaffMember, store.members["agent"])
        agent.totp_secret, agent.totp_confirmed_at = "JBSWY3DPEHPK3PXP", utcnow()
    admin, page = await log_in("admin"), f"{PAGE}/{store.members['agent']}"
    assert done(await send(admin, page, f"{page}/second-step")) == f"{page}?done=totp_reset"
    assert member(sqlite_database, store.members["agent"]).totp_confirmed_at is None
    assert f"{page}/second-step" not in await admin.page(page)


async def test_whoever_is_disabled_is_out_at_once(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    admin, agent = await log_in("admin"), await log_in("agent")
    page = f"{PAGE}/{store.members['agent']}"
    assert done(await send(admin, page, f"{page}/disable")) == f"{page}?done=staff_disabled"
    assert (await agent.get("/console/complaints")).status == 303
    assert "دسترسی بسته" in await admin.page(PAGE)


@pytest.mark.parametrize("act", ["disable", "password"])
async def test_nobody_closes_their_own_account_here(log_in: LogIn, store: DeskStore, act: str) -> None:
    admin, page = await log_in("admin"), f"{PAGE}/{store.members['admin']}"
    fields = await hidden_fields(admin, page, page)
    response = await admin.post(f"{page}/{act}", fields)
    assert response.status == 422
    assert "حساب خودتان" in await response.text()
    assert (await admin.post(page, {**fields, "name": "مینا", "role": "agent"})).status == 422
