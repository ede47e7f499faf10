"""Who may do what at the console's inbox, and what is written down of those who look."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store.audit import AuditEntry
from crm_store.conversations.models import Message
from crm_store.db import Database
from crm_store.handoff.models import Handoff
from crm_store.outbox import SPEAKER_STAFF, OutboxItem
from crm_store.staff.models import StaffMember
from tests.console.agents import (
    a_customer_waits,
    denials,
    press,
    say,
    set_in_business,
)
from tests.console.conftest import Enter
from tests.console.desk import audited, done
from tests.console.staff import PIXEL, form_token
from tests.console.test_page import Elements


async def test_whoever_looks_is_written_down_once_an_hour(enter: Enter, sqlite_database: Database) -> None:
    _, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    for _ in range(3):
        await browser.page(f"/console/inbox/{conversation_id}")
    with sqlite_database.read() as session:
        looks = session.scalars(select(AuditEntry).where(AuditEntry.action == "conversation.viewed")).all()
    assert [(look.actor, look.target_id) for look in looks] == [("staff:1", str(conversation_id))]


async def test_a_reason_is_asked_for_where_the_settings_say_so(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    set_in_business(tmp_path, "staff", "asks_reason = true")
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    mine, other = await enter(), await enter("babak")
    path = f"/console/inbox/{conversation_id}"
    assert "مریم رضایی" in await mine.page(path), "whoever waits may be looked at by all"
    await press(mine, conversation_id, "claim", handoff=handoff_id)
    assert "مریم رضایی" in await mine.page(path)
    html = await other.page(path)
    assert "مریم رضایی" not in html
    assert "دلیل دیدن این گفت‌وگو" in html
    assert (await press(other, conversation_id, "reason", reason=" ")).headers["Location"].endswith("missing")
    await press(other, conversation_id, "reason", reason="شکایت تلفنی")
    assert "مریم رضایی" in await other.page(path)
    with sqlite_database.read() as session:
        newest = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (newest.action, newest.detail) == ("conversation.viewed", {"reason": "شکایت تلفنی"})


async def test_a_search_is_written_down_with_those_whom_it_shows(
    enter: Enter, sqlite_database: Database
) -> None:
    wanted, _ = a_customer_waits(sqlite_database)
    a_customer_waits(sqlite_database, name="علی کریمی")
    browser = await enter()
    token = form_token(await browser.page("/console/inbox"))
    for query in ("مریم", "کسی که نیست", ""):
        fields = {"token": token, "tab": "waiting", "query": query}
        assert (await browser.post("/console/inbox", fields)).status == 200
    with sqlite_database.read() as session:
        customer_id = session.get_one(Handoff, wanted).customer_id
    searches = audited(sqlite_database, "handoff.searched")
    assert [entry[3] for entry in searches] == [{"customers": [customer_id]}, {"customers": []}]


async def test_a_search_asks_for_a_reason_where_the_settings_say_so(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    browser = await enter()
    assert 'name="reason"' not in await browser.page("/console/inbox")
    set_in_business(tmp_path, "staff", "asks_reason = true")
    handoff_id, _ = a_customer_waits(sqlite_database)
    html = await browser.page("/console/inbox")
    assert 'name="reason"' in html
    fields = {"token": form_token(html), "tab": "waiting", "query": "مریم"}
    for reason in ("", " "):
        refused = await browser.post("/console/inbox", fields | {"reason": reason})
        assert done(refused) == "/console/inbox?tab=waiting&problem=reason_missing"
    assert audited(sqlite_database, "handoff.searched") == []
    found = await browser.post("/console/inbox", fields | {"reason": "تماس مشتری"})
    assert "مریم رضایی" in await found.text()
    assert 'value="تماس مشتری"' in await found.text()
    with sqlite_database.read() as session:
        customer_id = session.get_one(Handoff, handoff_id).customer_id
    (search,) = audited(sqlite_database, "handoff.searched")
    assert search[3] == {"customers": [customer_id], "reason": "تماس مشتری"}


async def test_the_phone_is_masked_for_roles_that_do_not_see_it(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    from crm_store.customers.service import add_phone

    set_in_business(tmp_path, "staff", 'full_phone_roles = ["supervisor"]')
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    with sqlite_database.write() as session:
        customer_id = session.get_one(Handoff, handoff_id).customer_id
        add_phone(session, customer_id=customer_id, phone="09123456789", proven=True)
    path = f"/console/inbox/{conversation_id}"
    assert "+989123456789" in await (await enter("sara", role="supervisor")).page(path)
    html = await (await enter()).page(path)
    assert "9123456789" not in html
    assert "۶۷۸۹" in html


async def test_presence_is_chosen_and_what_is_none_is_not(enter: Enter, sqlite_database: Database) -> None:
    browser = await enter()
    token = form_token(await browser.page("/console/inbox"))
    fields = {"token": token, "presence": "away", "next": "/console/complaints"}
    response = await browser.post("/console/presence", fields)
    assert response.headers["Location"] == "/console/complaints?done=presence"
    fields = {"token": token, "presence": "everywhere", "next": "//example.org"}
    assert (
        (await browser.post("/console/presence", fields)).headers["Location"].startswith("/console?problem=")
    )
    with sqlite_database.read() as session:
        assert session.scalars(select(StaffMember.presence)).one() == "away"


PAGES = ["/console/inbox", "/console/inbox/1", "/console/lines/1/files/0"]
FORMS = ["/console/inbox", "/console/inbox/next", "/console/presence"] + [
    f"/console/inbox/1/{deed}" for deed in ("claim", "take", "release", "transfer", "say", "reason")
]


async def test_a_technician_may_do_nothing_here_and_every_try_is_audited(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, _ = a_customer_waits(sqlite_database)
    browser = await enter("tech", role="technician")
    token = form_token(await browser.page("/console/account"))
    for path in PAGES:
        response = await browser.get(path)
        assert (response.status, "اجازهٔ این کار را ندارید" in await response.text()) == (403, True)
    for path in FORMS:
        response = await browser.post(path, {"token": token, "handoff": str(handoff_id)})
        assert response.status == 403, path
    assert [target for _, _, target in denials(sqlite_database)] == PAGES + FORMS
    html = await browser.page("/console/account")
    assert "/console/inbox" not in html
    assert "data-live" not in html
    with sqlite_database.read() as session:
        assert session.get_one(Handoff, handoff_id).state == "waiting"


@pytest.mark.parametrize("path", FORMS)
async def test_no_other_site_does_anything_here(enter: Enter, sqlite_database: Database, path: str) -> None:
    a_customer_waits(sqlite_database)
    browser = await enter()
    token = form_token(await browser.page("/console/inbox"))
    if path.endswith("/say"):
        assert (await say(browser, 1, token="0" * 64, text="سلام", handoff=1)).status == 403
        return
    foreign = await browser.post(path, {"token": token}, Origin="https://example.org")
    guessed = await browser.post(path, {"token": "0" * 64})
    assert (foreign.status, guessed.status) == (403, 403)


async def test_pages_need_nothing_inline_or_from_elsewhere(enter: Enter, sqlite_database: Database) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    for path in ("/console/inbox", f"/console/inbox/{conversation_id}", "/console/account"):
        response = await browser.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert response.headers["Cache-Control"] == "no-store"
        for tag, attributes in Elements(await response.text()).found:
            assert tag not in ("style", "iframe")
            assert tag != "script" or attributes["src"].startswith("/static/")
            assert "style" not in attributes
            assert not any(name.startswith("on") for name in attributes)
            address = attributes.get("src") or attributes.get("href") or "/"
            assert address.startswith(("/static/", "/console", "#", "tel:", "/"))


@pytest.mark.parametrize(
    "path", ["/console/inbox/999", "/console/inbox/9999999999999999999", "/console/inbox/x"]
)
async def test_a_conversation_that_is_not_there_is_said_to_be_missing(enter: Enter, path: str) -> None:
    assert (await (await enter()).get(path)).status == 404


@pytest.mark.parametrize("role", ["agent", "supervisor", "admin"])
async def test_a_conversation_of_somebody_elses_is_managed_by_whoever_may_and_answered_by_nobody(
    enter: Enter, sqlite_database: Database, role: str
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    owner, other = await enter("babak"), await enter(f"other-{role}", role=role)
    await press(owner, conversation_id, "claim", handoff=handoff_id)
    assert (await say(other, conversation_id, text="سلام", handoff=handoff_id)).status == 403
    photo = [("a.png", PIXEL, "image/png")]
    assert (await say(other, conversation_id, files=photo, handoff=handoff_id)).status == 403
    claimed = await press(other, conversation_id, "claim", handoff=handoff_id)
    assert "problem=" in claimed.headers["Location"]
    moved = await press(other, conversation_id, "transfer", handoff=handoff_id, to="staff:999")
    ended = await press(other, conversation_id, "release", handoff=handoff_id)
    is_lead = role != "agent"
    assert (moved.status == 403, ended.status == 403) == (not is_lead, not is_lead)
    assert len(denials(sqlite_database)) == (2 if is_lead else 4)
    with sqlite_database.read() as session:
        assert session.get_one(Handoff, handoff_id).state == ("ended" if is_lead else "claimed")
        assert session.scalars(select(OutboxItem).where(OutboxItem.speaker == SPEAKER_STAFF)).all() == []


async def test_a_file_that_the_staff_sent_is_looked_at_in_the_open(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    await say(browser, conversation_id, files=[("a.png", PIXEL, "image/png")], handoff=handoff_id)
    with sqlite_database.read() as session:
        line = session.scalars(select(Message.id).where(Message.author.startswith("staff:"))).one()
    assert (await browser.get(f"/console/lines/{line}/files/0")).status == 200
    assert (await browser.get(f"/console/lines/{line}/files/0", headers={"Range": "bytes=2-"})).status == 206
    with sqlite_database.read() as session:
        looks = select(AuditEntry.target_id).where(AuditEntry.action == "message.file_viewed")
        assert session.scalars(looks).all() == [str(line)]
