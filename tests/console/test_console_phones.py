"""Who may not see phone numbers whole finds none at the console: neither in fields nor in anybody's words."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.complaints.models import Complaint, ComplaintResolution
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import add_attachment, add_message
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.handoff import replying, waiting
from crm_store.handoff.models import CallbackRequest
from crm_store.persian import find_phones, hide_phones, jalali_numeric
from crm_store.service_requests.models import DONE, ServiceRequest
from crm_store.staff.models import StaffMember, StaffNote
from crm_store.surveys.models import SurveyAnswer
from crm_store.tickets.models import TicketNote
from tests.console.agents import a_customer_waits, bot_says, open_live, press, says, set_in_business
from tests.console.conftest import Enter, LogIn
from tests.console.desk import send
from tests.console.desk_store import DeskStore, business_text
from tests.console.staff import StaffBrowser, corrected
from tests.factories import RULES

WORDS = "به برادرم زنگ بزنید: ۰۹۳۵ ۴۴۴ ۵۵۶۶"
#: In front of it stands so much that lists and cards end within the number.
LONG = "یخچال دوباره خراب است " * 7 + WORDS
SHOWN = 'full_phone_roles = ["supervisor", "admin"]'
OWN, TOLD, SHARED = "+989123456789", "+989354445566", "+989361112233"


@pytest.fixture
def shop(store: DeskStore, sqlite_database: Database, tmp_path: Path) -> DeskStore:
    """The shop, where a number stands in whatever people wrote, and agents see none of them."""
    (tmp_path / "business.toml").write_text(f"{business_text()}\n[staff]\n{SHOWN}\n", encoding="utf-8")
    with sqlite_database.write() as session:
        _tell_numbers(session, store)
    return store


def _tell_numbers(session: Session, store: DeskStore) -> None:
    session.execute(update(Complaint).values(description=WORDS))
    session.execute(update(ComplaintResolution).values(explanation=WORDS))
    answers = [{"question": "نشانی دقیق؟", "answer": WORDS}]
    session.execute(update(ServiceRequest).values(problem=WORDS, address=WORDS, answers=answers))
    for table in (TicketNote, StaffNote, SurveyAnswer):
        session.execute(update(table).values(text=WORDS))
    session.execute(update(CallbackRequest).values(topic=WORDS, outcome=WORDS))
    session.execute(update(Customer).values(address=WORDS, preferred_time=WORDS))
    told = session.scalars(select(Complaint).where(Complaint.code == store.complaint)).one()
    corrected(session, told, former=WORDS)
    chat = session.get_one(Conversation, store.conversation_id)
    asked = says(session, chat, WORDS)
    add_attachment(
        session,
        conversation_id=chat.id,
        inbox_id=asked,
        kind="contact",
        data={"name": "خط دوم 09354445566", "phone": "989361112233"},
    )
    bot_says(session, chat, "شمارهٔ شما <b>\u2068۰۹۳۵ ۴۴۴ ۵۵۶۶\u2069</b> ثبت شد.")
    handoff = waiting.request(
        session, conversation_id=chat.id, reason="asked", topic=LONG, inbox_id=asked, rules=RULES
    )
    lead = session.get_one(StaffMember, store.members["supervisor"])
    replying.whisper(session, conversation_id=chat.id, staff=lead, text=WORDS, key="a-whisper")
    handoff.offered_to_id = None


def numbers_in(page: str) -> set[str]:
    """Phone numbers that stand on a page whole."""
    return {OWN, TOLD, SHARED} & {phone.value for phone in find_phones(page)}


def pages_of(shop: DeskStore) -> list[str]:
    return [
        f"/console/inbox/{shop.conversation_id}",
        "/console/inbox?tab=all",
        "/console/complaints",
        f"/console/complaints/{shop.complaint}",
        f"/console/complaints/{shop.decided}",
        "/console/requests",
        f"/console/requests/{shop.request}",
        f"/console/customers/{shop.customer_id}",
        f"/console/customers/{shop.customer_id}/history",
        f"/console/transcripts/{shop.conversation_id}",
        "/console/callbacks?show=all",
        f"/console/callbacks/{shop.callback_id}",
    ]


async def test_an_agent_finds_no_whole_number_in_anybodys_words_and_a_supervisor_does(
    log_in: LogIn, shop: DeskStore
) -> None:
    agent, lead = await log_in("agent"), await log_in("supervisor")
    for path in pages_of(shop):
        hidden, whole = await agent.page(path), await lead.page(path)
        assert numbers_in(hidden) == set(), path
        assert not re.search("۰۹۳۵ [۴•]", hidden), f"{path} shows the half of a number"
        assert "tel:" not in hidden, path
        assert "•••" in hidden, path
        assert TOLD in numbers_in(whole), path
        assert "•••" not in whole, path
    talk = await lead.page(f"/console/inbox/{shop.conversation_id}")
    assert numbers_in(talk) == {OWN, TOLD, SHARED}


@pytest.mark.parametrize("roles", ["[]", '["admin"]'])
async def test_what_only_those_above_look_at_hides_numbers_from_them_as_well_where_they_see_none(
    log_in: LogIn, shop: DeskStore, sqlite_database: Database, tmp_path: Path, roles: str
) -> None:
    text = f"{business_text()}\n[staff]\nfull_phone_roles = {roles}\n"
    (tmp_path / "business.toml").write_text(text, encoding="utf-8")
    detail = {"reason": WORDS, "former": WORDS, "changes": {"note": WORDS}}
    with sqlite_database.write() as session:
        record_audit(session, actor="operator", action="customer.viewed", detail=detail)
        visit = session.scalars(select(ServiceRequest).where(ServiceRequest.code == shop.request)).one()
        assert visit.window is not None
        day = quote(jalali_numeric(visit.window.starts_at, "Asia/Tehran").replace("/", "-"))
    admin = await log_in("admin")
    for path in ("/console/surveys/follow-ups", f"/console/visits?day={day}", "/console/audit"):
        assert (TOLD in numbers_in(await admin.page(path))) is (roles != "[]"), path


@pytest.mark.parametrize("wanted", ["برادرم", "۴۴۴", "۰۹۳۵۴۴۴۵۵۶۶", "یخچال"])
async def test_what_a_search_finds_shows_numbers_to_those_who_see_them(
    log_in: LogIn, shop: DeskStore, sqlite_database: Database, wanted: str
) -> None:
    with sqlite_database.write() as session:
        told = f"{'یخچال سرد نمی‌کند و ' * 9}{WORDS}، یا ۰۹۳۵۴۴۴۵۵۶۶"
        for cut in range(12):
            text = told[cut:]
            add_message(session, conversation_id=shop.conversation_id, author="customer", text=text)

    async def found(browser: StaffBrowser) -> str:
        address = "/console/transcripts"
        await send(browser, address, address, text=wanted)
        return (await browser.page(address)).partition('<ul class="cases">')[2]

    hidden, whole = await found(await log_in("agent")), await found(await log_in("supervisor"))
    assert "<mark>" in whole
    plain = hidden.replace("<mark>", "").replace("</mark>", "")
    assert numbers_in(plain) == set()
    assert "۴۴۴ ۵۵" not in plain
    assert "۰۹۳۵۴" not in plain
    assert ("•••" in plain) is (TOLD in numbers_in(whole.replace("<mark>", "").replace("</mark>", "")))


async def test_a_live_line_shows_a_number_to_those_who_see_it_as_they_are_now(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    set_in_business(tmp_path, "staff", SHOWN)
    _, conversation_id = a_customer_waits(sqlite_database)
    agent = await open_live(await enter(), conversation=conversation_id, last_seq=3)
    lead = await open_live(await enter("sara", role="supervisor"), conversation=conversation_id, last_seq=3)
    with sqlite_database.write() as session:
        says(session, session.get_one(Conversation, conversation_id), WORDS)
    hidden, whole = (await agent.next("line"))["html"], (await lead.next("line"))["html"]
    assert numbers_in(hidden) == set()
    assert hide_phones(WORDS) in hidden
    assert WORDS in whole
    with sqlite_database.write() as session:
        session.execute(update(StaffMember).where(StaffMember.login == "sara").values(role="agent"))
        bot_says(session, session.get_one(Conversation, conversation_id), f"نوشتم: {WORDS}")
    assert numbers_in((await lead.next("line"))["html"]) == set()


async def test_ones_own_line_keeps_its_number_as_it_is_edited_from_what_stands_there(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    set_in_business(tmp_path, "staff", SHOWN)
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    mine, theirs = await enter(), await enter("babak")
    await press(mine, conversation_id, "claim", handoff=handoff_id)
    with sqlite_database.write() as session:
        negar = session.scalars(select(StaffMember).where(StaffMember.login == "negar")).one()
        replying.reply(session, handoff_id=handoff_id, staff=negar, text=WORDS, key="a-reply")
    path = f"/console/inbox/{conversation_id}"
    page = await mine.page(path)
    assert "data-edit" in page
    assert WORDS in page
    assert numbers_in(await theirs.page(path)) == set()
    assert numbers_in(await mine.page(f"/console/transcripts/{conversation_id}")) == set()


async def test_a_technician_can_call_before_they_come_and_no_longer_afterwards(
    log_in: LogIn, shop: DeskStore, sqlite_database: Database
) -> None:
    technician = await log_in("technician")
    page = await technician.page(f"/console/requests/{shop.request}")
    assert f'href="tel:{OWN}"' in page
    assert WORDS in page
    with sqlite_database.write() as session:
        session.execute(update(ServiceRequest).values(state=DONE))
    page = await technician.page(f"/console/requests/{shop.request}")
    assert numbers_in(page) == set()
    assert "•••" in page
