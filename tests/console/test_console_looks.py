"""Looks at conversations: none leads around the question why, by whatever way, and each is written down."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from yarl import URL

from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation, Message
from crm_store.db import Database
from crm_store.settings import Settings
from tests.console.agents import (
    LiveSocket,
    a_customer_waits,
    denials,
    open_live,
    press,
    say,
    says,
    sends_photo,
    set_in_business,
)
from tests.console.conftest import Enter
from tests.console.desk import audited, done
from tests.console.staff import PIXEL, StaffBrowser
from tests.factories import a_complaint

SECRET = "رمز کارتم را عوض کردم"
VIEWED = "conversation.viewed"


@pytest.fixture
def asks_why(settings: Settings) -> None:
    """The owner wants to know why conversations are looked at."""
    set_in_business(settings.business_path.parent, "staff", "asks_reason = true")


async def a_colleague_has(enter: Enter, database: Database) -> tuple[StaffBrowser, int, int]:
    """A customer in the hands of somebody else; returns their browser, the hand-over and the conversation."""
    handoff_id, conversation_id = a_customer_waits(database)
    colleague = await enter("babak")
    await press(colleague, conversation_id, "claim", handoff=handoff_id)
    return colleague, handoff_id, conversation_id


def tells(database: Database, conversation_id: int) -> None:
    """The customer says something."""
    with database.write() as session:
        says(session, session.get_one(Conversation, conversation_id), SECRET)


def photo_in(database: Database, conversation_id: int, folder: Path) -> int:
    with database.write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        return sends_photo(session, folder / "attachments", conversation)


async def hello(page: LiveSocket, conversation_id: int) -> None:
    await page.send({"type": "hello", "conversation": conversation_id, "last_seq": 0})


@pytest.mark.usefixtures("asks_why")
async def test_a_forged_page_is_told_nothing_of_a_conversation_without_a_reason(
    enter: Enter, sqlite_database: Database
) -> None:
    *_, conversation_id = await a_colleague_has(enter, sqlite_database)
    page = await open_live(await enter())
    await page.desk(waiting=0)
    await hello(page, conversation_id)
    refused = await page.next("error")
    assert (refused["code"], refused["text"]) == ("reason_missing", "دلیل را بنویسید.")
    tells(sqlite_database, conversation_id)
    a_customer_waits(sqlite_database, name="علی کریمی")
    await page.desk(waiting=1)  # what was said before this was seen by the hub
    assert not [frame for frame in await page.until_pong() if frame["type"] in ("ready", "line")]
    assert denials(sqlite_database) == [("staff:2", "conversation", str(conversation_id))]
    (denied,) = audited(sqlite_database, "staff.denied")
    assert denied[3] == {"frame": "hello", "reason_missing": True}
    assert [look[0] for look in audited(sqlite_database, VIEWED)] == []


@pytest.mark.usefixtures("asks_why")
async def test_a_reason_that_was_given_at_the_page_holds_for_its_socket(
    enter: Enter, sqlite_database: Database
) -> None:
    *_, conversation_id = await a_colleague_has(enter, sqlite_database)
    browser = await enter()
    await press(browser, conversation_id, "reason", reason="شکایت تلفنی")
    page = await open_live(browser, conversation=conversation_id)
    assert (await page.next("line"))["seq"] == 1
    looks = audited(sqlite_database, VIEWED)
    assert looks == [("staff:2", VIEWED, str(conversation_id), {"reason": "شکایت تلفنی"})]
    with sqlite_database.write() as session:
        session.execute(update(AuditEntry).values(at=utcnow() - timedelta(hours=2)))
    await hello(page, conversation_id)
    assert (await page.next("error"))["code"] == "reason_missing"


@pytest.mark.usefixtures("asks_why")
async def test_who_waits_and_whom_one_has_is_followed_without_a_reason_and_written_down(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    page = await open_live(browser, conversation=conversation_id)
    await page.do("claim", handoff=handoff_id)
    tells(sqlite_database, conversation_id)
    line = await page.next("line")
    while SECRET not in line["html"]:
        line = await page.next("line")
    assert audited(sqlite_database, VIEWED) == [("staff:1", VIEWED, str(conversation_id), {})]


async def test_page_and_socket_are_one_look_an_hour(enter: Enter, sqlite_database: Database) -> None:
    _, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    for _ in range(2):
        page = await open_live(browser, conversation=conversation_id)
        await browser.page(f"/console/inbox/{conversation_id}")
    assert len(audited(sqlite_database, VIEWED)) == 1
    with sqlite_database.write() as session:
        session.execute(update(AuditEntry).values(at=utcnow() - timedelta(hours=2)))
    tells(sqlite_database, conversation_id)
    line = await page.next("line")
    while SECRET not in line["html"]:
        line = await page.next("line")
    assert [look[0] for look in audited(sqlite_database, VIEWED)] == ["staff:1"] * 2


@pytest.mark.usefixtures("asks_why")
async def test_whoever_watched_who_waited_is_told_no_more_once_a_colleague_has_them(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    watching, colleague = await enter(), await enter("babak")
    page = await open_live(watching, conversation=conversation_id, last_seq=3)
    await page.desk(state="waiting:0")
    await press(colleague, conversation_id, "claim", handoff=handoff_id)
    tells(sqlite_database, conversation_id)
    await page.next("reload")
    assert not any(SECRET in str(frame) for frame in await page.until_pong())
    assert "دلیل دیدن این گفت‌وگو" in await watching.page(f"/console/inbox/{conversation_id}")


@pytest.mark.usefixtures("asks_why")
async def test_a_file_of_a_conversation_is_shown_once_it_is_said_why(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    colleague, handoff_id, conversation_id = await a_colleague_has(enter, sqlite_database)
    photo = photo_in(sqlite_database, conversation_id, tmp_path)
    await say(colleague, conversation_id, handoff=handoff_id, files=[("a.png", PIXEL, "image/png")])
    with sqlite_database.read() as session:
        line = session.scalars(select(Message.id).where(Message.author.startswith("staff:"))).one()
        identity = session.get_one(Conversation, conversation_id).identity
        assert identity is not None
        customer_id = identity.customer_id
    files = (f"/console/attachments/{photo}", f"/console/lines/{line}/files/0")
    browser = await enter()
    for file in files:
        where = URL(done(await browser.get(file)))
        assert (where.path, where.query["next"]) == (f"/console/customers/{customer_id}/reason", file)
    assert audited(sqlite_database, "attachment.viewed", "message.file_viewed") == []
    await press(browser, conversation_id, "reason", reason="شکایت تلفنی")
    for whose in (browser, colleague):  # whoever has the customer is asked nothing
        for file in files:
            assert await (await whose.get(file)).read() == PIXEL
    assert len(audited(sqlite_database, "attachment.viewed", "message.file_viewed")) == 4


@pytest.mark.usefixtures("asks_why")
async def test_a_file_around_ones_own_ticket_needs_no_reason(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    *_, conversation_id = await a_colleague_has(enter, sqlite_database)
    browser, other = await enter(), await enter("reza")
    photo = photo_in(sqlite_database, conversation_id, tmp_path)
    with sqlite_database.write() as session:
        ticket = a_complaint(session, session.get_one(Conversation, conversation_id))
        session.get_one(Complaint, ticket.id).assignee_id = 2
        code = ticket.code
    assert f'src="/console/attachments/{photo}"' in await browser.page(f"/console/complaints/{code}")
    assert (await browser.get(f"/console/attachments/{photo}")).status == 200
    assert (await other.get(f"/console/attachments/{photo}")).status == 303
