"""Where the business wants to know why, nothing of a customer is shown before it was said; all is audited."""

from __future__ import annotations

from pathlib import Path

import pytest
from yarl import URL

from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.customers.models import Customer
from crm_store.db import Database
from tests.console.conftest import LogIn
from tests.console.desk import audited, done, send, token_of
from tests.console.desk_store import DeskStore, business_text
from tests.console.staff import StaffBrowser

LISTS = {
    "visits": "/console/visits",
    "callbacks": "/console/callbacks?show=all",
    "follow-ups": "/console/surveys/follow-ups",
    "decisions": "/console/complaints/decisions",
    "duplicates": "/console/customers/duplicates",
    "codes": "/console/club/codes",
}


@pytest.fixture
def asks_why(store: DeskStore, tmp_path: Path) -> DeskStore:
    """The shop, whose owner wants to know why customers are looked up."""
    text = business_text().replace("asks_reason = false", "asks_reason = true")
    if "asks_reason = true" not in text:
        text += "\n[staff]\nasks_reason = true\n"
    (tmp_path / "business.toml").write_text(text, encoding="utf-8")
    return store


async def say_why(browser: StaffBrowser, page: str, *, kind: str, name: object) -> None:
    """A page leads to the question, and the answer back to the page."""
    where = done(await browser.get(page))
    form = f"/console/{kind}s/{name}/reason"
    assert URL(where).path == form
    assert URL(where).query["next"] == page
    assert "سارا" not in await browser.page(where)
    assert done(await send(browser, where, form, reason="پیگیری تماس مشتری")) == page
    assert (await browser.get(page)).status == 200


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_of_customers_is_shown_once_it_is_said_why(
    log_in: LogIn, asks_why: DeskStore, sqlite_database: Database, name: str
) -> None:
    lead = await log_in("supervisor")
    await say_why(lead, LISTS[name], kind="list", name=name)
    actor = f"staff:{asks_why.members['supervisor']}"
    looks = audited(sqlite_database, "customer.listed")
    assert [entry[:3] for entry in looks] == [(actor, "customer.listed", name)] * 2
    assert looks[0][3] == {"reason": "پیگیری تماس مشتری"}


@pytest.mark.parametrize("name", LISTS)
async def test_who_looks_through_a_list_of_customers_is_written_down_in_any_case(
    log_in: LogIn, store: DeskStore, sqlite_database: Database, name: str
) -> None:
    await (await log_in("supervisor")).page(LISTS[name])
    assert [entry[2] for entry in audited(sqlite_database, "customer.listed")] == [name]


async def test_a_case_of_somebody_elses_is_shown_once_it_is_said_why(
    log_in: LogIn, asks_why: DeskStore, sqlite_database: Database
) -> None:
    lead = await log_in("supervisor")
    await say_why(
        lead, f"/console/complaints/{asks_why.complaint}", kind="customer", name=asks_why.customer_id
    )
    # One reason holds for all of that customer's.
    assert (await lead.get(f"/console/requests/{asks_why.request}")).status == 200
    assert (await lead.get(f"/console/club/codes/{asks_why.redemption_id}")).status == 200
    await say_why(
        lead,
        f"/console/customers/merge?one={asks_why.customer_id}&other={asks_why.twin_id}",
        kind="customer",
        name=asks_why.twin_id,
    )
    (look,) = audited(sqlite_database, "complaint.viewed")
    assert look[0] == f"staff:{asks_why.members['supervisor']}"


async def test_a_call_and_a_reward_are_shown_once_it_is_said_why(
    log_in: LogIn, asks_why: DeskStore, sqlite_database: Database
) -> None:
    agent = await log_in("agent")
    caller = done(await agent.get(f"/console/callbacks/{asks_why.callback_id}"))
    assert URL(caller).path.startswith("/console/customers/")
    code = f"/console/club/codes/{asks_why.redemption_id}"
    assert done(await agent.get(code)).startswith(f"/console/customers/{asks_why.customer_id}/reason")
    assert audited(sqlite_database, "redemption.viewed", "callback.viewed") == []


async def test_ones_own_work_needs_no_reason(log_in: LogIn, asks_why: DeskStore) -> None:
    agent, technician = await log_in("agent"), await log_in("technician")
    assert "سارا" in await agent.page(f"/console/complaints/{asks_why.complaint}")
    assert "سارا" in await technician.page(f"/console/requests/{asks_why.request}")
    assert (await technician.get("/console/visits")).status == 200


async def test_of_who_was_forgotten_nothing_is_looked_up(
    log_in: LogIn, asks_why: DeskStore, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        ticket = session.query(Complaint).filter_by(code=asks_why.decided).one()
        session.get_one(Customer, ticket.customer_id).erased_at = utcnow()
    agent = await log_in("agent")
    assert "پاک شده" in await agent.page(f"/console/complaints/{asks_why.decided}")


async def test_a_reason_is_given_for_lists_that_there_are_by_whoever_may_see_them(
    log_in: LogIn, asks_why: DeskStore, sqlite_database: Database
) -> None:
    agent = await log_in("agent")
    token = await token_of(agent)
    form = {"token": token, "reason": "کنجکاوی", "next": "//example.org"}
    assert (await agent.post("/console/lists/decisions/reason", form)).status == 403
    assert (await agent.get("/console/lists/decisions/reason")).status == 403
    assert (await agent.get("/console/lists/nothing/reason")).status == 404
    assert len(audited(sqlite_database, "staff.denied")) == 2
    assert done(await agent.post("/console/lists/callbacks/reason", form)) == "/console/callbacks"
    empty = await agent.post("/console/lists/callbacks/reason", form | {"reason": " "})
    assert empty.status == 422
    assert "دلیل را بنویسید" in await empty.text()
