"""The console's ways through the store on both databases: what they ask for is written once for both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from bot.console.app import build_app
from crm_store.conversations.models import STAFF_ONLY, Conversation, Message
from crm_store.db import Database
from crm_store.handoff.models import ENDED, Handoff
from crm_store.outbox import SPEAKER_STAFF, OutboxItem
from crm_store.settings import Settings
from tests.console import desk_store
from tests.console.agents import a_customer_waits, denials, open_live, press, sends_photo
from tests.console.desk import audited, done, send, token_of
from tests.console.desk_store import DeskStore, business_text
from tests.console.staff import StaffBrowser

PAGE, WORDS = "/console/customers", "/console/transcripts"


@pytest.fixture
def store(database: Database, settings: Settings, tmp_path: Path) -> DeskStore:
    """A shop with everything that pages show, on each database in turn."""
    (tmp_path / "business.toml").write_text(business_text(), encoding="utf-8")
    rules = desk_store.rules_of(tmp_path)
    with database.write() as session:
        return desk_store.fill(session, tmp_path / "attachments", rules=rules)


@pytest_asyncio.fixture
async def console(settings: Settings, database: Database, store: DeskStore) -> AsyncIterator[TestServer]:
    """A console on that store."""
    server = TestServer(build_app(settings, database))
    await server.start_server()
    yield server
    await server.close()


@pytest_asyncio.fixture
async def lead(console: TestServer) -> AsyncIterator[StaffBrowser]:
    """A supervisor who is logged in."""
    browser = StaffBrowser(console.make_url("/"))
    assert (await browser.log_in(desk_store.PASSWORD, login="supervisor")).status == 303
    yield browser
    await browser.close()


async def test_a_conversation_is_taken_answered_and_given_back_live(
    lead: StaffBrowser, database: Database, tmp_path: Path
) -> None:
    handoff_id, conversation_id = a_customer_waits(database)
    page = await open_live(lead, conversation=conversation_id)
    await page.do("claim", handoff=handoff_id)
    said = await page.do("reply", handoff=handoff_id, text="سلام، نگاه می‌کنم")
    await page.do("whisper", conversation=conversation_id, text="مشتری قدیمی")
    with database.write() as session:
        line = session.query(Message).filter_by(conversation_id=conversation_id, seq=said["seq"]).one().id
        photo = sends_photo(session, tmp_path / "attachments", session.get_one(Conversation, conversation_id))
    await page.do("edit", message=line, text="سلام، همین حالا نگاه می‌کنم")
    assert (await lead.get(f"/console/attachments/{photo}")).status == 200
    html = await lead.page(f"/console/inbox/{conversation_id}")
    assert "سلام، همین حالا نگاه می‌کنم" in html
    assert f'data-edit="{line}"' in html
    released = await press(lead, conversation_id, "release", handoff=handoff_id, agreed="شنبه")
    assert done(released).endswith("done=released")
    with database.read() as session:
        assert session.get_one(Handoff, handoff_id).state == ENDED
        assert session.query(OutboxItem).filter_by(speaker=SPEAKER_STAFF).count() == 2
        assert session.query(Message).filter_by(audience=STAFF_ONLY).count() == 1
    assert denials(database) == []


async def test_lists_searches_and_the_trail_show_what_there_is(
    lead: StaffBrowser, store: DeskStore, database: Database
) -> None:
    for query in ("", "?show=overdue", "?show=mine", "?show=unassigned", "?show=all&state=in_review&page=9"):
        assert (await lead.get(f"/console/complaints{query}")).status == 200
        assert (await lead.get(f"/console/requests{query.partition('&')[0]}")).status == 200
    for page in ("inbox?tab=all", "visits", "callbacks?show=all", "club", "surveys/after_complaint?by=month"):
        assert (await lead.get(f"/console/{page}")).status == 200
    assert done(await send(lead, PAGE, PAGE, text="احمدي")) == PAGE
    assert f"{PAGE}/{store.customer_id}" in await lead.page(PAGE)
    assert done(await send(lead, WORDS, WORDS, text="يخچالم")) == WORDS
    assert f"{WORDS}/{store.conversation_id}" in await lead.page(WORDS)
    assert "یخچال" in await lead.page(f"{WORDS}/{store.conversation_id}")
    assert (await lead.get(f"{PAGE}/{store.customer_id}/history?kind=complaints&kind=points")).status == 200
    assert (await lead.get("/console/audit")).status == 403
    assert [entry[3]["permission"] for entry in audited(database, "staff.denied")] == ["audit.view"]


async def test_a_decision_and_a_joining_are_carried_out(
    lead: StaffBrowser, store: DeskStore, database: Database
) -> None:
    page = f"/console/complaints/{store.complaint}"
    decided = await send(
        lead, page, f"{page}/resolve", decision="rejected", cause="carrier", text="بررسی شد.", remedy=""
    )
    assert done(decided) == f"{page}?done=resolved"
    both = f"{PAGE}/merge?one={store.customer_id}&other={store.twin_id}"
    assert done(await send(lead, both, f"{PAGE}/merge")).endswith("done=merged")
    (entry,) = audited(database, "customer.merge")
    joining = await lead.page(f"{PAGE}/{store.customer_id}")
    number = joining.split('name="joining" value="')[1].split('"')[0]
    fields = {"token": await token_of(lead), "joining": number}
    assert done(await lead.post(f"{PAGE}/{store.customer_id}/unmerge", fields)).endswith("done=unmerged")
    assert entry[0] == f"staff:{store.members['supervisor']}"
