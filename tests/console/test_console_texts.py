"""The owner edits answers and wordings at the console, with their history."""

from __future__ import annotations

from sqlalchemy import select

from crm_store.db import Database
from crm_store.handoff.models import CannedReply
from crm_store.texts.models import TextVersion
from crm_store.texts.service import current_texts
from tests.console.conftest import LogIn
from tests.console.desk import audited, done, hidden_fields, send
from tests.console.desk_store import DeskStore

FAQ, RESPONSE = "/console/texts/faq/address", "/console/texts/responses/utter_complaint_filed"


def versions(database: Database, key: str) -> list[TextVersion]:
    with database.read() as session:
        own = select(TextVersion).where(TextVersion.key == key).order_by(TextVersion.id)
        return list(session.scalars(own))


async def test_an_answer_is_written_and_stands_in_the_list(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    owner = await log_in("admin")
    assert "بی‌پاسخ" in await owner.page("/console/texts")
    response = await send(owner, FAQ, FAQ, text="خیابان آزادی، <b>پلاک ۱۲</b>")
    assert done(response) == f"{FAQ}?done=text_saved"
    with sqlite_database.read() as session:
        assert current_texts(session).faq["address"] == "خیابان آزادی، <b>پلاک ۱۲</b>"
    html = await owner.page("/console/texts?show=edited")
    assert "خیابان آزادی، پلاک ۱۲" in html
    assert [entry[2] for entry in audited(sqlite_database, "text.saved")] == ["faq:hours", "faq:address"]


async def test_a_wording_without_its_placeholder_is_refused_with_the_reason(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    owner = await log_in("admin")
    response = await send(owner, RESPONSE, RESPONSE, text="شکایت ثبت شد {kod} <a>")
    assert response.status == 422
    html = await response.text()
    for reason in ("این بخش را نگه دارید", "{code}", "{kod}", "در این پیام مقداری ندارد", "&lt;a&gt;"):
        assert reason in html
    assert "شکایت ثبت شد {kod} &lt;a&gt;" in html
    assert versions(sqlite_database, "utter_complaint_filed") == []


async def test_an_earlier_version_is_put_in_force_again_and_peyvands_own_as_well(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    owner = await log_in("admin")
    for text in ("ثبت شد: {code}", "شکایتتان را گرفتیم؛ کد {code}"):
        await send(owner, RESPONSE, RESPONSE, text=text)
    first, _ = versions(sqlite_database, "utter_complaint_filed")
    fields = {**await hidden_fields(owner, RESPONSE, RESPONSE), "version": str(first.id)}
    assert done(await owner.post(f"{RESPONSE}/back", fields)) == f"{RESPONSE}?done=text_saved"
    with sqlite_database.read() as session:
        assert current_texts(session).responses["utter_complaint_filed"] == "ثبت شد: {code}"
    fields = {**await hidden_fields(owner, RESPONSE, RESPONSE), "version": "0"}
    assert done(await owner.post(f"{RESPONSE}/back", fields)) == f"{RESPONSE}?done=text_given_back"
    with sqlite_database.read() as session:
        assert "utter_complaint_filed" not in current_texts(session).responses
    assert len(versions(sqlite_database, "utter_complaint_filed")) == 4


async def test_two_owners_do_not_overwrite_each_other(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    one, other = await log_in("admin"), await log_in("admin")
    stale = await hidden_fields(one, FAQ, FAQ)
    await send(other, FAQ, FAQ, text="میدان ونک")
    response = await one.post(FAQ, {**stale, "text": "میدان آزادی"})
    assert response.status == 409
    html = await response.text()
    assert "میدان آزادی" in html
    assert "میدان ونک" in html
    assert [version.text for version in versions(sqlite_database, "address")] == ["میدان ونک"]


async def test_a_response_is_found_by_area_and_words(log_in: LogIn, store: DeskStore) -> None:
    lead = await log_in("supervisor")
    html = await lead.page("/console/texts?show=responses&area=complaints&q=utter_complaint_filed")
    assert "/texts/responses/utter_complaint_filed" in html
    assert "/texts/responses/utter_greet" not in html
    assert 'name="text"' not in await lead.page(RESPONSE)
    assert (await lead.get("/console/texts/responses/utter_nothing")).status == 404
    assert (await lead.get("/console/texts/faq/nothing")).status == 404


async def test_canned_replies_are_kept_changed_and_taken_away(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("supervisor"), "/console/texts/canned"
    reply = {"shortcut": "/سلام", "title": "خوشامد", "text": "سلام {name}، من {agent} هستم."}
    assert done(await send(lead, page, page, **reply)) == f"{page}?done=saved"
    taken = await send(lead, page, page, **reply)
    assert taken.status == 422
    assert "این میان‌بر برای پاسخ دیگری است" in await taken.text()
    assert (await send(lead, page, page, **{**reply, "shortcut": "/x", "text": "{nothing}"})).status == 422
    with sqlite_database.read() as session:
        kept = session.scalars(select(CannedReply)).one()
    address = f"{page}/{kept.id}"
    stale = await hidden_fields(lead, page, address)
    changed = {**reply, "text": "درود {name}"}
    assert done(await send(lead, page, address, **changed)) == f"{page}?done=saved"
    assert (await lead.post(address, {**stale, **reply})).status == 409
    assert done(await send(lead, page, f"{address}/delete")) == f"{page}?done=saved"
    assert "هنوز پاسخ آماده‌ای نیست" in await lead.page(page)
