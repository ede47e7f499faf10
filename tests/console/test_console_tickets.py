"""What the staff do with complaints, service requests, visits and calls at the console."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from crm_store.base import utcnow
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.db import Database
from crm_store.handoff.models import CallbackRequest
from crm_store.persian import jalali_numeric, to_ascii_digits, to_persian_digits
from crm_store.service_requests.models import ServiceRequest
from crm_store.sla.models import RUNNING, SlaClock
from crm_store.tickets.models import TicketNote
from tests.console.conftest import LogIn
from tests.console.desk import audited, done, hidden_fields, notices, send
from tests.console.desk_store import DeskStore


def complaint_of(database: Database, code: str) -> Complaint:
    with database.read() as session:
        return session.scalars(select(Complaint).where(Complaint.code == code)).one()


def request_of(database: Database, code: str) -> ServiceRequest:
    with database.read() as session:
        return session.scalars(select(ServiceRequest).where(ServiceRequest.code == code)).one()


async def test_a_list_is_limited_by_what_it_is_asked_for(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent = await log_in("agent")
    with sqlite_database.write() as session:
        late = session.scalars(
            select(SlaClock).where(SlaClock.subject_type == "complaint", SlaClock.state == RUNNING)
        ).first()
        assert late is not None
        late.due_at = utcnow() - timedelta(hours=1)
        late_code = session.get_one(Complaint, late.subject_id).code
    other = store.decided if late_code == store.complaint else store.complaint

    async def shown(query: str) -> set[str]:
        html = await agent.page(f"/console/complaints?{query}")
        return {code for code in (store.complaint, store.decided) if f"complaints/{code}" in html}

    assert await shown("") == {store.complaint, store.decided}
    assert await shown("show=overdue") == {late_code} != {other}
    assert await shown("show=mine") == {store.complaint}
    assert await shown("show=unassigned") == {store.decided}
    assert await shown(f"assignee={store.members['agent']}") == {store.complaint}
    assert await shown("state=in_review") == {store.decided}
    assert await shown("show=all&state=closed") == set()
    assert await shown("category=nothing&assignee=x&show=odd&page=99999999") == {
        store.complaint,
        store.decided,
    }


async def test_a_colleague_is_given_a_complaint_and_told(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("supervisor"), f"/console/complaints/{store.complaint}"
    staff = str(store.members["supervisor"])
    assert done(await send(lead, page, f"{page}/assign", staff=staff)) == f"{page}?done=assigned"
    assert complaint_of(sqlite_database, store.complaint).assignee_id == store.members["supervisor"]
    refused = await lead.post(f"{page}/assign", {**await hidden_fields(lead, page, f"{page}/assign")})
    assert refused.status == 422
    assert "همکار را انتخاب کنید" in await refused.text()


async def test_a_form_of_a_page_that_is_out_of_date_changes_nothing_and_keeps_what_was_typed(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent, lead = await log_in("agent"), await log_in("supervisor")
    page = f"/console/complaints/{store.complaint}"
    stale = await hidden_fields(agent, page, f"{page}/ask")
    await send(lead, page, f"{page}/move", to="in_review")
    response = await agent.post(f"{page}/ask", {**stale, "text": "رنگ کالا چه بود؟"})
    assert response.status == 409
    html = await response.text()
    assert "همکار دیگری در این فاصله آن را تغییر داده است" in html
    assert "رنگ کالا چه بود؟" in html
    assert complaint_of(sqlite_database, store.complaint).state == "in_review"


async def test_a_question_is_asked_once_however_often_its_form_is_sent(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent, page = await log_in("agent"), f"/console/complaints/{store.complaint}"
    fields = {**await hidden_fields(agent, page, f"{page}/ask"), "text": "رنگ کالا چه بود؟"}
    for _ in range(2):
        assert done(await agent.post(f"{page}/ask", fields)) == f"{page}?done=asked"
    assert notices(sqlite_database).count("utter_complaint_question") == 1
    assert complaint_of(sqlite_database, store.complaint).state == "waiting_customer"
    html = await agent.page(page)
    assert "پرسش از مشتری" in html
    assert "متوقف تا پاسخ مشتری" in html


async def test_a_decision_is_told_with_what_makes_up_for_it(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent, page = await log_in("agent"), f"/console/complaints/{store.complaint}"
    decision = {"decision": "upheld", "text": "حق با شماست.", "remedy": "refund", "compensation": "points"}
    fields = await hidden_fields(agent, page, f"{page}/resolve")
    without = await agent.post(f"{page}/resolve", {**fields, **decision, "amount": "خیلی"})
    assert without.status == 422
    html = await without.text()
    assert "مقدار را با عدد درست بنویسید" in html
    assert "حق با شماست." in html
    response = await send(agent, page, f"{page}/resolve", **decision, amount="۵۰", cause=_cause(html))
    assert done(response) == f"{page}?done=resolved"
    with sqlite_database.read() as session:
        granted = session.scalars(select(Compensation).order_by(Compensation.id.desc())).first()
        assert granted is not None
        assert (granted.kind, granted.amount, granted.state) == ("points", 50, "granted")
    assert "نتیجه اعلام شده" in await agent.page(page)


def _cause(html: str) -> str:
    """The first cause of the form; empty where the business knows none."""
    import re

    found = re.search(r'<select id="resolve-cause".*?<option value="([a-z_]+)"', html, re.DOTALL)
    return found[1] if found else ""


async def test_above_ones_limit_a_decision_waits_and_somebody_above_approves_it(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("admin"), "/console/complaints/decisions"
    address = f"/console/compensations/{store.compensation_id}"
    assert "۹٬۰۰۰٬۰۰۰ تومان" in await lead.page(page)
    fields = await hidden_fields(lead, page, f"{address}/approve")
    assert done(await lead.post(f"{address}/approve", fields)) == f"{page}?done=approved"
    assert complaint_of(sqlite_database, store.decided).state == "resolved"
    again = await lead.post(f"{address}/approve", fields)
    assert done(again) == f"{page}?problem=conflict"
    assert "چیزی ثبت نشد" in await lead.page(done(again))


async def test_whoever_refuses_a_compensation_says_why(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("admin"), "/console/complaints/decisions"
    address = f"/console/compensations/{store.compensation_id}/refuse"
    assert done(await send(lead, page, address)) == f"{page}?problem=reason_missing"
    assert done(await send(lead, page, address, reason="زیاد است")) == f"{page}?done=refused"
    with sqlite_database.read() as session:
        states = session.scalars(select(ComplaintResolution.state)).all()
    assert "refused" in states


async def test_an_agent_decides_only_what_is_in_their_hands_and_the_try_is_audited(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent, page = await log_in("agent"), f"/console/complaints/{store.decided}"
    assert f"{page}/resolve" not in await agent.page(page)
    fields = await hidden_fields(agent, page, f"{page}/note")
    fields |= {"decision": "rejected", "text": "نه"}
    response = await agent.post(f"{page}/resolve", fields)
    assert response.status == 422
    assert "اول آن را بردارید" in await response.text()
    (denied,) = audited(sqlite_database, "staff.denied")
    assert denied[2:] == (store.decided, {"permission": "ticket.resolve", "own": False})


async def test_a_visit_is_moved_assigned_and_cancelled_from_its_page(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("supervisor"), f"/console/requests/{store.foreign}"
    html = await lead.page(page)
    starts = html.split('<select id="schedule-at"')[1].split('<option value="')[2].split('"')[0]
    response = await send(lead, page, f"{page}/schedule", starts_at=starts)
    assert done(response) == f"{page}?done=scheduled"
    staff = str(store.members["technician"])
    assert done(await send(lead, page, f"{page}/assign", staff=staff)) == f"{page}?done=assigned"
    assert request_of(sqlite_database, store.foreign).technician_id == store.members["technician"]
    assert (await send(lead, page, f"{page}/cancel", reason="")).status == 422
    assert done(await send(lead, page, f"{page}/cancel", reason="قطعه نداریم")) == f"{page}?done=cancelled"
    assert "utter_service_cancelled_by_staff" in notices(sqlite_database) or "قطعه نداریم" in await lead.page(
        page
    )


async def test_an_odd_time_is_no_time(log_in: LogIn, store: DeskStore) -> None:
    lead, page = await log_in("supervisor"), f"/console/requests/{store.foreign}"
    for starts_at in ("", "فردا", "2026-11-30T09:00:00"):
        response = await send(lead, page, f"{page}/schedule", starts_at=starts_at)
        assert response.status == 422
    response = await send(lead, page, f"{page}/schedule", starts_at="2020-01-01T09:00:00+00:00")
    assert response.status == 409
    assert "در این زمان جای خالی نمانده است" in await response.text()


async def test_a_technician_cannot_finish_a_visit_before_its_day(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    technician, page = await log_in("technician"), f"/console/requests/{store.request}"
    response = await send(technician, page, f"{page}/done", text="تعویض شد")
    assert response.status == 409
    with sqlite_database.write() as session:
        request = session.scalars(select(ServiceRequest).where(ServiceRequest.code == store.request)).one()
        assert request.window is not None
        request.window.starts_at = utcnow() - timedelta(minutes=30)
    response = await send(technician, page, f"{page}/not-done", reason="nobody_home", text="در نزدند")
    assert done(response) == f"{page}?done=visit_not_done"
    assert request_of(sqlite_database, store.request).state == "not_done"


async def test_the_visits_of_a_day_are_listed_in_order_to_be_printed(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead = await log_in("supervisor")
    window = request_of(sqlite_database, store.request)
    with sqlite_database.read() as session:
        starts_at = session.get_one(ServiceRequest, window.id).window.starts_at  # type: ignore[union-attr]
    day = to_ascii_digits(jalali_numeric(starts_at)).replace("/", "-")
    html = await lead.page(f"/console/visits?day={day}")
    assert to_persian_digits(store.request) in html
    assert "رضا پویا" in html
    technician = store.members["technician"]
    own = await lead.page(f"/console/visits?day={day}&technician={technician}")
    assert to_persian_digits(store.foreign) not in own
    assert "تاریخ را مثل" in await lead.page("/console/visits?day=2026-11-28")
    css = await (await lead.get("/static/desk.css")).text()
    assert "@media print" in css


async def test_a_call_is_noted_and_one_that_nobody_took_stays_open(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent, page = await log_in("agent"), f"/console/callbacks/{store.callback_id}"
    address = f"{page}/called"
    assert (await send(agent, page, address, reached="no")).status == 422
    assert done(await send(agent, page, address, reached="no", outcome="جواب نداد")) == f"{page}?done=tried"
    response = await send(agent, page, address, reached="yes", outcome="قرار شد فردا بیاید")
    assert done(response) == f"{page}?done=called"
    with sqlite_database.read() as session:
        request = session.get_one(CallbackRequest, store.callback_id)
    assert (request.state, request.done_by_id) == ("done", store.members["agent"])
    html = await agent.page(page)
    assert "قرار شد فردا بیاید" in html
    assert address not in html
    kinds = [action for _, action, _, _ in audited(sqlite_database, "callback.tried", "callback.done")]
    assert kinds == ["callback.tried", "callback.done"]
    assert f"/console/callbacks/{store.callback_id}" not in await agent.page("/console/callbacks")


@pytest.mark.parametrize("act", ["write", "note"])
async def test_words_are_needed_and_written_once(
    log_in: LogIn, store: DeskStore, sqlite_database: Database, act: str
) -> None:
    agent, page = await log_in("agent"), f"/console/requests/{store.foreign}"
    assert (await send(agent, page, f"{page}/{act}", text="  ")).status == 422
    for _ in range(2):
        await send(agent, page, f"{page}/{act}", text="فردا زنگ می‌زنیم")
    with sqlite_database.read() as session:
        written = select(TicketNote).where(TicketNote.text == "فردا زنگ می‌زنیم")
        assert len(session.scalars(written).all()) == 1
