"""The console's inbox and conversations, with forms alone: no script is needed for them."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from yarl import URL

from crm_store.audit import AuditEntry
from crm_store.base import utcnow
from crm_store.conversations.models import BOT, STAFF_ONLY, Conversation, Message
from crm_store.db import Database
from crm_store.handoff.keeping import MAX_WORDS
from crm_store.handoff.models import CLAIMED, ENDED, RELEASED, Handoff
from crm_store.handoff.presence import LASTS
from crm_store.outbox import SPEAKER_STAFF, OutboxItem
from crm_store.paging import PAGE_SIZE
from crm_store.privacy.retention import known_places
from crm_store.staff.models import StaffMember
from tests.console.agents import (
    a_canned_reply,
    a_customer_waits,
    an_agent,
    denials,
    press,
    say,
    sends_photo,
    set_in_business,
)
from tests.console.conftest import Enter, Serve, Visit
from tests.console.desk import audited
from tests.console.staff import PIXEL, form_token
from tests.console.test_page import Elements


def sent_to_customers(database: Database) -> list[OutboxItem]:
    with database.read() as session:
        return list(session.scalars(select(OutboxItem).where(OutboxItem.speaker == SPEAKER_STAFF)))


async def test_the_inbox_shows_who_waits_with_what_one_needs_to_choose(
    enter: Enter, sqlite_database: Database
) -> None:
    a_customer_waits(sqlite_database, minutes=31)
    html = await (await enter()).page("/console/inbox")
    for shown in ("مریم رضایی", "سفارشم سه روز دیر کرده است", "۳۱ دقیقه", "تلگرام", "خودش همکار خواست"):
        assert shown in html
    for tab in ("mine", "ended"):
        assert "مریم رضایی" not in await (await enter()).page(f"/console/inbox?tab={tab}")


async def test_a_search_finds_by_name_and_stands_in_no_address(
    enter: Enter, sqlite_database: Database
) -> None:
    a_customer_waits(sqlite_database)
    a_customer_waits(sqlite_database, name="علی کریمی")
    browser = await enter()
    token = form_token(await browser.page("/console/inbox"))
    response = await browser.post("/console/inbox", {"token": token, "tab": "waiting", "query": "كريمي"})
    html = await response.text()
    assert response.status == 200
    assert "علی کریمی" in html
    assert "مریم رضایی" not in html
    with sqlite_database.read() as session:
        assert session.scalar(select(AuditEntry.actor).where(AuditEntry.action == "handoff.searched"))


async def test_a_search_that_is_drawn_anew_is_written_down_once(
    enter: Enter, sqlite_database: Database
) -> None:
    a_customer_waits(sqlite_database)
    browser = await enter()
    fields = {"token": form_token(await browser.page("/console/inbox")), "tab": "waiting", "query": "مریم"}
    for _ in range(3):
        await browser.post("/console/inbox", fields)
    assert len(audited(sqlite_database, "handoff.searched")) == 1
    a_customer_waits(sqlite_database, name="مریم کریمی")
    await browser.post("/console/inbox", fields)
    assert len(audited(sqlite_database, "handoff.searched")) == 2
    with sqlite_database.write() as session:
        session.execute(update(AuditEntry).values(at=utcnow() - timedelta(hours=2)))
    await browser.post("/console/inbox", fields)
    assert len(audited(sqlite_database, "handoff.searched")) == 3


async def test_a_search_that_finds_too_many_asks_for_more_words(
    enter: Enter, sqlite_database: Database
) -> None:
    for _ in range(PAGE_SIZE + 1):
        a_customer_waits(sqlite_database)
    browser = await enter()
    token = form_token(await browser.page("/console/inbox"))
    response = await browser.post("/console/inbox", {"token": token, "tab": "waiting", "query": "مریم"})
    html = await response.text()
    assert "فقط نتیجه‌های نخست آمده است؛ دقیق‌تر بنویسید." in html
    assert "صفحهٔ بعد" not in html
    assert "صفحهٔ بعد" in await browser.page("/console/inbox?tab=waiting")


async def test_who_said_long_ago_to_be_there_is_shown_as_gone(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser, boss = await enter(), await enter("boss", role="admin")
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    page = f"/console/inbox/{conversation_id}"
    assert "(آماده، " in await browser.page(page)
    with sqlite_database.write() as session:
        session.execute(update(StaffMember).values(presence_at=utcnow() - LASTS))
    html = await browser.page(page)
    assert "(نیست، " in html
    assert '<option value="offline" selected>' in html
    assert 'class="badge good">آماده' not in await boss.page("/console/staff")
    assert "<dt>آمادگی</dt><dd>نیست</dd>" in await boss.page("/console/staff/1")
    token = form_token(html)
    await browser.post("/console/presence", {"token": token, "next": page, "presence": "online"})
    assert '<option value="online" selected>' in await browser.page(page)


async def test_what_was_agreed_is_kept_whole_as_long_as_its_field_takes_it(
    enter: Enter, sqlite_database: Database
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    await enter("babak")
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    elements = Elements(await browser.page(f"/console/inbox/{conversation_id}")).found
    room = {fields.get("name"): fields.get("maxlength") for tag, fields in elements if tag == "textarea"}
    assert room["agreed"] == room["note"] == str(MAX_WORDS)
    agreed = "\n".join(["قرار"] * (MAX_WORDS // 5))
    await press(browser, conversation_id, "release", handoff=handoff_id, agreed=agreed.replace("\n", "\r\n"))
    with sqlite_database.read() as session:
        assert session.get_one(Handoff, handoff_id).agreed == agreed


async def test_from_the_claim_to_the_release(enter: Enter, sqlite_database: Database) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    page = f"/console/inbox/{conversation_id}"
    assert "برداشتن گفت‌وگو" in await browser.page(page)
    claimed = await press(browser, conversation_id, "claim", handoff=handoff_id)
    assert claimed.headers["Location"] == f"{page}?done=claimed"
    html = await browser.page(claimed.headers["Location"])
    for shown in ("این گفت‌وگو حالا با شماست", "بله، با آدم صحبت می‌کنم", "<b>همکار</b>", "پروندهٔ مشتری"):
        assert shown in html
    sent = await say(browser, conversation_id, handoff=handoff_id, text="سلام، پیگیری می‌کنم.")
    assert sent.headers["Location"] == f"{page}?done=sent"
    assert "سلام، پیگیری می‌کنم." in await browser.page(page)
    released = await press(browser, conversation_id, "release", handoff=handoff_id, agreed="تا شنبه می‌رسد")
    assert released.headers["Location"] == f"{page}?done=released"
    assert "تا شنبه می‌رسد" in await browser.page(page)
    with sqlite_database.read() as session:
        handoff = session.get_one(Handoff, handoff_id)
        assert (handoff.state, handoff.outcome, handoff.agreed) == (ENDED, RELEASED, "تا شنبه می‌رسد")
        assert session.get_one(Conversation, conversation_id).owner == BOT


async def test_the_next_one_is_the_most_urgent(enter: Enter, sqlite_database: Database) -> None:
    a_customer_waits(sqlite_database)
    urgent, conversation_id = a_customer_waits(sqlite_database, name="علی")
    with sqlite_database.write() as session:
        session.get_one(Handoff, urgent).urgency = 90
    browser = await enter()
    token = form_token(await browser.page("/console/inbox"))
    response = await browser.post("/console/inbox/next", {"token": token})
    assert response.headers["Location"] == f"/console/inbox/{conversation_id}?done=claimed"
    await browser.post("/console/inbox/next", {"token": token})
    nobody = await browser.post("/console/inbox/next", {"token": token})
    assert nobody.headers["Location"] == "/console/inbox?problem=none_waiting"


async def test_a_conversation_of_the_bot_can_be_taken_over(enter: Enter, sqlite_database: Database) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    await press(browser, conversation_id, "release", handoff=handoff_id)
    assert "خودم ادامه می‌دهم" in await browser.page(f"/console/inbox/{conversation_id}")
    assert (await press(browser, conversation_id, "take")).headers["Location"].endswith("done=claimed")


async def test_a_colleague_and_a_team_get_a_conversation(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    set_in_business(tmp_path, "handoff", 'teams = ["فروش"]')
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    with sqlite_database.write() as session:
        colleague = an_agent(session, login="babak", name="بابک").id
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    html = await browser.page(f"/console/inbox/{conversation_id}")
    assert f'value="staff:{colleague}"' in html
    assert 'value="team:فروش"' in html
    given = await press(
        browser, conversation_id, "transfer", handoff=handoff_id, to=f"staff:{colleague}", note="خوش‌قول باش"
    )
    assert given.headers["Location"].endswith("done=transferred")
    with sqlite_database.read() as session:
        handoff = session.get_one(Handoff, handoff_id)
        assert (handoff.state, handoff.owner_id) == (CLAIMED, colleague)
    refused = await press(browser, conversation_id, "transfer", handoff=handoff_id, to="team:فروش")
    assert refused.status == 403


@pytest.mark.parametrize("to", ["", "staff:", "staff:x", "staff:999", "team:nobody", "admin:1"])
async def test_a_conversation_is_given_to_nobody_that_there_is_not(
    enter: Enter, sqlite_database: Database, to: str
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    response = await press(browser, conversation_id, "transfer", handoff=handoff_id, to=to)
    assert response.status in (303, 404)
    assert "done=" not in response.headers.get("Location", "")
    with sqlite_database.read() as session:
        assert session.get_one(Handoff, handoff_id).state == CLAIMED


async def test_a_form_reaches_only_the_customer_whose_page_it_is(
    enter: Enter, sqlite_database: Database
) -> None:
    mine, here = a_customer_waits(sqlite_database)
    other, there = a_customer_waits(sqlite_database, name="علی")
    browser = await enter()
    for handoff_id, conversation_id in ((mine, here), (other, there)):
        await press(browser, conversation_id, "claim", handoff=handoff_id)
    assert (await say(browser, here, handoff=other, text="رازی از مریم")).status == 404
    assert (await press(browser, here, "release", handoff=other)).status == 404
    assert sent_to_customers(sqlite_database) == []


async def test_files_go_along_and_are_shown_to_staff(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    files = [("عکس.png", PIXEL, "image/png"), ("x.pdf", b"%PDF-1.4 x", "application/pdf")]
    sent = await say(browser, conversation_id, handoff=handoff_id, text="بفرمایید", files=files)
    assert sent.headers["Location"].endswith("done=sent")
    (item,) = sent_to_customers(sqlite_database)
    kept = item.content["files"]
    assert [(one["kind"], one["file_name"]) for one in kept] == [("photo", "عکس.png"), ("document", "x.pdf")]
    assert (tmp_path / "attachments" / kept[0]["path"]).read_bytes() == PIXEL
    elements = Elements(await browser.page(f"/console/inbox/{conversation_id}")).found
    (shown,) = [attributes["src"] for tag, attributes in elements if tag == "img"]
    served = await browser.get(shown)
    assert (await served.read(), served.content_type) == (PIXEL, "image/png")
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert (await browser.get(shown.replace("files/0", "files/7"))).status == 404


async def test_a_visitor_of_the_site_sees_what_they_were_sent_and_nobody_else_does(
    serve: Serve, visit: Visit, enter: Enter, sqlite_database: Database
) -> None:
    server = await serve()
    visitor, stranger = await visit(server), await visit(server)
    known = hashlib.sha256(visitor.token.encode()).hexdigest()
    handoff_id, conversation_id = a_customer_waits(sqlite_database, channel="web", chat_id=known)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    await say(browser, conversation_id, handoff=handoff_id, files=[("راهنما.png", PIXEL, "image/png")])
    page = await visitor.page(last_seq=3)
    line = await page.next("message")
    while line["author"] != "staff":
        line = await page.next("message")
    (file,) = line["attachments"]
    assert (file["kind"], file["file_name"]) == ("photo", "راهنما.png")
    async with visitor.session.get(visitor.url.join(URL(file["address"]))) as response:
        assert (await response.read(), response.content_type) == (PIXEL, "image/png")
    async with stranger.session.get(stranger.url.join(URL(file["address"]))) as response:
        assert response.status == 404


async def test_a_file_that_was_sent_is_no_orphan(enter: Enter, sqlite_database: Database) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    await say(browser, conversation_id, handoff=handoff_id, files=[("a.png", PIXEL, "image/png")])
    (item,) = sent_to_customers(sqlite_database)
    place, orphan = item.content["files"][0]["path"], f"staff/{conversation_id}/x.png"
    with sqlite_database.read() as session:
        assert known_places(session, [place, orphan, "staff/x/y"]) == {place}


async def test_files_that_may_not_be_sent_leave_nothing_behind(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser, other = await enter(), await enter("babak")
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    photo = [("a.png", PIXEL, "image/png")]
    page = [("a.html", b"<script>", "text/html")]
    big = [("a.png", PIXEL + b"0" * 60_000, "image/png")]
    assert (
        await say(browser, conversation_id, handoff=handoff_id, files=photo, token="0" * 64)
    ).status == 403
    assert (await say(other, conversation_id, handoff=handoff_id, files=photo)).status == 403
    for files, problem in ((page, "file_type"), (big, "file_too_large"), (photo * 11, "too_many_files")):
        response = await say(browser, conversation_id, handoff=handoff_id, files=files)
        assert response.headers["Location"].endswith(f"problem={problem}")
    assert sent_to_customers(sqlite_database) == []
    assert ("staff:2", "page", f"/console/inbox/{conversation_id}/say") in denials(sqlite_database)


async def test_a_whisper_is_shown_to_colleagues_and_sent_to_nobody(
    enter: Enter, sqlite_database: Database
) -> None:
    _, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    response = await say(browser, conversation_id, to="staff", text="این مشتری حساس است")
    assert response.headers["Location"].endswith("done=whispered")
    html = await (await enter("babak")).page(f"/console/inbox/{conversation_id}")
    assert "فقط برای همکاران" in html
    assert "این مشتری حساس است" in html
    assert sent_to_customers(sqlite_database) == []
    with sqlite_database.read() as session:
        whisper = session.scalars(select(Message).where(Message.audience == STAFF_ONLY)).one()
    assert whisper.text == "این مشتری حساس است"


@pytest.mark.parametrize(
    "how", [{"to": "staff", "text": "قبضش"}, {"text": "// قبضش"}, {"text": "\u200f//\u200fقبضش"}]
)
async def test_a_whispered_file_is_shown_to_colleagues_and_sent_to_nobody(
    enter: Enter, sqlite_database: Database, how: dict[str, str]
) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    files = [("a.png", PIXEL, "image/png")]
    response = await say(browser, conversation_id, handoff=handoff_id, files=files, **how)
    assert response.status == 303
    with sqlite_database.read() as session:
        whisper = session.scalars(select(Message).where(Message.audience == STAFF_ONLY)).one()
    assert whisper.text == "قبضش"
    colleague = await enter("babak")
    assert f"/console/lines/{whisper.id}/files/0" in await colleague.page(f"/console/inbox/{conversation_id}")
    assert await (await colleague.get(f"/console/lines/{whisper.id}/files/0")).read() == PIXEL
    assert sent_to_customers(sqlite_database) == []


async def test_a_canned_reply_is_filled_in(enter: Enter, sqlite_database: Database) -> None:
    handoff_id, conversation_id = a_customer_waits(sqlite_database)
    with sqlite_database.write() as session:
        a_canned_reply(session)
    browser = await enter()
    await press(browser, conversation_id, "claim", handoff=handoff_id)
    filled = "سلام مریم رضایی، من نگار هستم از فروشگاه آفتاب."
    assert f'data-text="{filled}"' in await browser.page(f"/console/inbox/{conversation_id}")
    await say(browser, conversation_id, handoff=handoff_id, canned="/سلام", text="")
    with sqlite_database.read() as session:
        assert session.scalar(select(Message.text).where(Message.author.startswith("staff:"))) == filled


async def test_a_photo_of_the_customer_is_shown(
    enter: Enter, sqlite_database: Database, tmp_path: Path
) -> None:
    _, conversation_id = a_customer_waits(sqlite_database)
    with sqlite_database.write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        photo = sends_photo(session, tmp_path / "attachments", conversation, text="این جعبه است")
    browser = await enter()
    html = await browser.page(f"/console/inbox/{conversation_id}")
    assert f'src="/console/attachments/{photo}"' in html
    assert (await browser.get(f"/console/attachments/{photo}")).status == 200


async def test_earlier_lines_are_a_page_away(enter: Enter, sqlite_database: Database) -> None:
    from tests.console.agents import bot_says

    _, conversation_id = a_customer_waits(sqlite_database)
    with sqlite_database.write() as session:
        for number in range(70):
            bot_says(session, session.get_one(Conversation, conversation_id), f"سطر {number} است")
    browser = await enter()
    html = await browser.page(f"/console/inbox/{conversation_id}")
    assert "سطر 69 است" in html
    assert "بله، با آدم صحبت می‌کنم" not in html
    earlier = re.search(rf'href="(/console/inbox/{conversation_id}\?before=\d+)"', html)
    assert earlier is not None
    assert "بله، با آدم صحبت می‌کنم" in await browser.page(earlier[1])
