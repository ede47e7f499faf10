"""Customers at the console: found, looked at with a reason, noted on, joined and parted."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from crm_store.base import utcnow
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.persian import to_persian_digits
from crm_store.privacy.models import Consent
from crm_store.staff.models import StaffNote
from tests.console.conftest import LogIn
from tests.console.desk import audited, done, send, token_of
from tests.console.desk_store import DeskStore, business_text

PAGE, WORDS = "/console/customers", "/console/transcripts"


def customer(database: Database, customer_id: int) -> Customer:
    with database.read() as session:
        return session.get_one(Customer, customer_id)


async def test_a_search_stands_in_no_address_and_is_written_down(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent = await log_in("agent")
    for text in ("۶۷۸۹", "0912 345 6789", "احمدي", store.complaint):
        assert done(await send(agent, PAGE, PAGE, text=text)) == PAGE
        assert f"/console/customers/{store.customer_id}" in await agent.page(PAGE)
    other = await log_in("supervisor")
    assert f"/console/customers/{store.customer_id}" not in await other.page(PAGE)
    searches = audited(sqlite_database, "customer.searched")
    assert {entry[0] for entry in searches} == {f"staff:{store.members['agent']}"}
    # The form for the next search shows what was found last, and that is a look at them again.
    shown = [sorted(entry[3].pop("customers")) for entry in searches[::2]]
    assert shown[:2] == [[store.customer_id, store.twin_id]] * 2
    assert shown[3] == [store.customer_id]
    assert not any(entry[3] for entry in searches[::2])
    assert done(await send(agent, PAGE, PAGE, text="س")) == f"{PAGE}?problem=search_short"


async def test_the_page_shows_the_customer_all_round_and_who_looked_is_written_down(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent = await log_in("agent")
    html = await agent.page(f"{PAGE}/{store.customer_id}")
    for shown in (
        "سارا احمدی",
        "۲٬۳۵۰٬۰۰۰ تومان",
        "همیشه عصرها پاسخ می‌دهد",
        "tel:+989123456789",
        "۹ آذر ۱۳۶۹",
        to_persian_digits(store.complaint),
        to_persian_digits(store.request),
    ):
        assert shown in html
    assert "مقایسه و یکی‌کردن" not in html
    (entry,) = audited(sqlite_database, "customer.viewed")
    assert entry[2:] == (str(store.customer_id), {"page": "card"})


async def test_where_the_business_asks_why_nothing_is_shown_before_it_is_said(
    log_in: LogIn, store: DeskStore, sqlite_database: Database, tmp_path: Path
) -> None:
    text = business_text().replace("asks_reason = false", "asks_reason = true")
    if "asks_reason = true" not in text:
        text += "\n[staff]\nasks_reason = true\n"
    (tmp_path / "business.toml").write_text(text, encoding="utf-8")
    agent = await log_in("agent")
    page = f"{PAGE}/{store.customer_id}"
    where = done(await agent.get(page))
    assert where == f"{page}/reason?next={page}"
    assert "سارا" not in await agent.page(where)
    refused = await send(agent, where, f"{page}/reason", reason=" ")
    assert refused.status == 422
    assert done(await send(agent, where, f"{page}/reason", reason="تماس مشتری")) == page
    assert "سارا احمدی" in await agent.page(page)
    assert "سارا" in await agent.page(f"{WORDS}/{store.conversation_id}")
    said = [entry[3].get("reason") for entry in audited(sqlite_database, "customer.viewed")]
    assert said[0] == "تماس مشتری"
    other = await log_in("supervisor")
    assert done(await other.get(f"/console/club/accounts/{store.customer_id}")).startswith(f"{page}/reason")
    assert done(await send(agent, PAGE, PAGE, text="احمدی")) == f"{PAGE}?problem=reason_missing"
    assert done(await send(agent, WORDS, WORDS, text="یخچال")) == f"{WORDS}?problem=reason_missing"
    assert done(await send(agent, PAGE, PAGE, text=store.complaint, reason="تماس مشتری")) == PAGE
    await agent.page(PAGE)
    (search,) = audited(sqlite_database, "customer.searched")
    assert search[3] == {"customers": [store.customer_id], "reason": "تماس مشتری"}


async def test_notes_are_written_pinned_and_deleted_by_whoever_may(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("supervisor"), f"{PAGE}/{store.customer_id}"
    for _ in range(2):
        assert (
            done(await send(lead, page, f"{page}/notes", text="کلید نزد همسایه است")) == f"{page}?done=noted"
        )
    with sqlite_database.read() as session:
        written = session.scalars(select(StaffNote).where(StaffNote.text == "کلید نزد همسایه است")).all()
    assert len(written) == 1
    note = f"{page}/notes/{written[0].id}"
    agent = await log_in("agent")
    foreign = await agent.post(f"{note}/delete", {"token": await token_of(agent)})
    assert foreign.status == 403
    assert done(await send(lead, page, f"{note}/pin", pinned="yes")) == f"{page}?done=saved"
    assert done(await send(lead, page, f"{note}/delete")) == f"{page}?done=saved"
    assert "کلید نزد همسایه است" not in await lead.page(page)
    elsewhere = f"{PAGE}/{store.twin_id}/notes/{store.note_id}/pin"
    assert (await lead.post(elsewhere, {"token": await token_of(lead)})).status == 404


async def test_a_decision_of_the_customer_is_kept_as_they_said_it(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent, page = await log_in("agent"), f"{PAGE}/{store.customer_id}"
    said = {"purpose": "marketing", "granted": "no", "text": "پشت تلفن گفت پیام نفرستید"}
    assert done(await send(agent, page, f"{page}/consent", **said)) == f"{page}?done=consent_kept"
    with sqlite_database.read() as session:
        kept = session.scalars(select(Consent)).one()
    assert (kept.granted, kept.text, kept.channel) == (False, said["text"], "staff")
    assert (await send(agent, page, f"{page}/consent", **{**said, "purpose": "spying"})).status == 422


async def test_the_history_is_limited_by_kind_and_day_and_paged(log_in: LogIn, store: DeskStore) -> None:
    agent, page = await log_in("agent"), f"{PAGE}/{store.customer_id}/history"
    everything, points = await agent.page(page), await agent.page(f"{page}?kind=points&kind=odd")
    assert "شکایت ثبت شد" in everything
    assert "شکایت ثبت شد" not in points
    assert "با امتیاز جایزه گرفت" in points
    assert "رویدادی با این ویژگی‌ها نیست" in await agent.page(f"{page}?to=1400-01-01")
    assert "تاریخ را مثل" in await agent.page(f"{page}?from=x")


async def test_two_records_of_one_person_are_joined_and_parted_again(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead = await log_in("supervisor")
    assert f"one={store.customer_id}&amp;other={store.twin_id}" in await lead.page(f"{PAGE}/duplicates")
    preview = f"{PAGE}/merge?one={store.twin_id}&other={store.customer_id}"
    html = await lead.page(preview)
    assert "این می‌ماند" in html
    assert "کد مشتری" in html
    page = f"{PAGE}/{store.customer_id}"
    assert done(await send(lead, preview, f"{PAGE}/merge")) == f"{page}?done=merged"
    assert customer(sqlite_database, store.twin_id).merged_into_id == store.customer_id
    assert done(await lead.get(f"{PAGE}/{store.twin_id}")) == page
    assert done(await lead.get(preview)) == f"{PAGE}/duplicates?problem=conflict"
    assert done(await send(lead, page, f"{page}/unmerge")) == f"{page}?done=unmerged"
    assert customer(sqlite_database, store.twin_id).merged_into_id is None
    token = await token_of(lead)
    again = await lead.post(f"{page}/unmerge", {"token": token, "joining": "1"})
    assert done(again) == f"{page}?problem=cannot_undo"


async def test_the_record_that_stays_is_not_chosen_by_the_form(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead = await log_in("supervisor")
    fields = {"token": await token_of(lead), "into": str(store.twin_id), "joined": str(store.customer_id)}
    response = await lead.post(f"{PAGE}/merge", fields)
    assert done(response) == f"{PAGE}/{store.twin_id}?problem=conflict"
    assert customer(sqlite_database, store.customer_id).merged_into_id is None


async def test_the_other_record_is_looked_for_by_a_code_that_leads_to_one(
    log_in: LogIn, store: DeskStore
) -> None:
    lead, page = await log_in("supervisor"), f"{PAGE}/{store.customer_id}"
    found = done(await send(lead, page, f"{page}/candidate", text="A-77"))
    assert found == f"{PAGE}/merge?one={store.customer_id}&other={store.twin_id}"
    nobody = done(await send(lead, page, f"{page}/candidate", text="ناشناس"))
    assert nobody == f"{page}?problem=not_found"


async def test_a_forgotten_customer_is_not_there(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        session.get_one(Customer, store.customer_id).erased_at = utcnow()
    lead = await log_in("admin")
    for path in (
        f"{PAGE}/{store.customer_id}",
        f"{PAGE}/{store.customer_id}/history",
        f"/console/club/accounts/{store.customer_id}",
        f"{WORDS}/{store.conversation_id}",
    ):
        assert (await lead.get(path)).status == 404


async def test_words_are_found_in_what_was_said_and_lead_to_their_place(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent = await log_in("agent")
    assert done(await send(agent, WORDS, WORDS, text="یخچالم دیشب")) == WORDS
    html = await agent.page(WORDS)
    assert "<mark>یخچالم</mark>" in html
    assert f"{WORDS}/{store.conversation_id}?before=" in html
    whole = await agent.page(f"{WORDS}/{store.conversation_id}")
    assert "ممنون، فقط زودتر لطفاً." in whole
    assert 'id="line-1"' in whole
    await send(agent, WORDS, WORDS, text="چیزی که نیست")
    assert "چنین پیامی پیدا نشد" in await agent.page(WORDS)
    searches = audited(sqlite_database, "transcript.searched")
    # A page with results is a search again.
    assert [entry[3]["found"] for entry in searches] == [1, 1, 0]
    assert [entry[3]["customers"] for entry in searches] == [[store.customer_id], [store.customer_id], []]
    assert audited(sqlite_database, "transcript.viewed")[0][2] == str(store.conversation_id)
