"""What staff read at the console."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientResponse

from crm_store.base import utcnow
from crm_store.business import EXAMPLE
from crm_store.customers.models import Customer
from crm_store.db import Database
from crm_store.persian import to_persian_digits
from tests.console.staff import (
    PIXEL,
    STORY,
    StaffBrowser,
    a_callback,
    a_file,
    a_told_complaint,
    corrected,
    form_token,
    looked_at,
)
from tests.console.test_page import Elements


async def code_typed(staff: StaffBrowser, path: str, typed: str) -> ClientResponse:
    """What comes of a tracking code that is typed above a list."""
    return await staff.post(path, {"token": form_token(await staff.page(path)), "code": typed})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The attachments folder."""
    return tmp_path / "attachments"


async def test_the_console_begins_with_the_inbox(staff: StaffBrowser) -> None:
    assert (await staff.get("/console")).headers["Location"] == "/console/inbox"
    assert "کسی در صف نیست" in await staff.page("/console/inbox")


async def test_the_list_shows_the_newest_first_a_page_at_a_time(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        codes = [a_told_complaint(session).code for _ in range(27)]
    first, second = [await staff.page(f"/console/complaints?show=all&page={number}") for number in (1, 2)]
    assert [code in first for code in codes] == [False] * 2 + [True] * 25
    assert first.index(codes[26]) < first.index(codes[25])
    assert codes[0] in second
    assert "صفحهٔ ۲ از ۲" in second
    for odd in ("0", "-1", "x", "%DB%B2", "99999999999999999999"):
        assert codes[26] in await staff.page(f"/console/complaints?show=all&page={odd}")
    assert codes[0] in await staff.page("/console/complaints?show=all&page=999")


async def test_what_has_to_be_done_stands_first_by_urgency_and_what_is_done_is_left_out(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        calm, urgent, closed = (a_told_complaint(session) for _ in range(3))
        urgent.priority, closed.state = "urgent", "closed"
    html = await staff.page("/console/complaints")
    assert html.index(urgent.code) < html.index(calm.code)
    assert closed.code not in html


async def test_the_list_shows_what_one_needs_to_choose(
    staff: StaffBrowser, sqlite_database: Database, folder: Path
) -> None:
    with sqlite_database.write() as session:
        complaint = a_told_complaint(session)
        for name in ("a.png", "b.png"):
            a_file(session, folder, complaint, name=name)
    html = await staff.page("/console/complaints")
    for shown in (
        to_persian_digits(complaint.code),
        "تحویل سفارش",
        "رسیده",
        "سارا",
        "۲ پیوست",
        "یخ‌زده",
    ):
        assert shown in html


async def test_the_list_can_be_narrowed_down_by_category(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        delivery, payment = a_told_complaint(session), a_told_complaint(session)
        payment.category = "payment"
    html = await staff.page("/console/complaints?category=payment&state=received")
    assert payment.code in html
    assert delivery.code not in html
    assert "شکایتی با این ویژگی‌ها نیست" in await staff.page("/console/complaints?category=staff")
    assert delivery.code in await staff.page("/console/complaints?category=unheard-of")


@pytest.mark.parametrize("written", ["{code}", "{persian}", " {code} ", "{half}-{other_half}"])
async def test_a_tracking_code_leads_to_its_complaint(
    staff: StaffBrowser, sqlite_database: Database, written: str
) -> None:
    with sqlite_database.write() as session:
        code = a_told_complaint(session).code
    typed = written.format(code=code, persian=to_persian_digits(code), half=code[:4], other_half=code[4:])
    response = await code_typed(staff, "/console/complaints", typed)
    assert response.headers["Location"] == f"/console/complaints/{code}"
    elsewhere = await code_typed(staff, "/console/requests", typed)
    assert "پیدا نشد" in await elsewhere.text()


@pytest.mark.parametrize("path", ["/console/complaints", "/console/requests"])
async def test_a_code_that_is_none_is_said_to_be_unknown(staff: StaffBrowser, path: str) -> None:
    for typed in ("12345678", "<b>x</b>", "\0", "09123456789"):
        html = await (await code_typed(staff, path, typed)).text()
        assert "پیدا نشد" in html
        assert "<b>x" not in html


async def test_a_complaint_is_shown_with_everything_around_it(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        complaint = a_told_complaint(session)
        corrected(session, complaint, former="غذا سرد بود")
    html = await staff.page(f"/console/complaints/{complaint.code}")
    assert STORY in html
    for shown in ("تحویل سفارش", "پس‌گرفتن پول", "۱۲۳۴۵", "سارا", "تلگرام", "۰۹۱۲", "تأییدشده"):
        assert shown in html
    for happened in ("شکایت ثبت شد", "مشتری شرح را ویرایش کرد", "غذا سرد بود"):
        assert happened in html
    assert "همکارانم زود بررسی‌اش می‌کنند" in html
    assert looked_at(sqlite_database) == [("staff:1", "complaint.viewed", str(complaint.id))]


async def test_what_customers_wrote_is_text_whatever_it_looks_like(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        complaint = a_told_complaint(session, story="<script>alert(1)</script> {{ 7*7 }}")
    for path in ("/console/complaints", f"/console/complaints/{complaint.code}"):
        html = await staff.page(path)
        assert "<script>" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in html


async def test_a_forgotten_customer_has_no_name_and_the_page_still_opens(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        complaint = a_told_complaint(session)
        session.get_one(Customer, complaint.customer_id).erased_at = utcnow()
        complaint.description, complaint.contact_point_id = "", None
        request = a_callback(session)
        session.flush()
        case = session.get_one(Customer, request.customer_id)
        case.erased_at, case.contact_points[0].kind, case.contact_points[0].value = utcnow(), "erased", "x"
    for path in (
        "/console/complaints",
        f"/console/complaints/{complaint.code}",
        f"/console/callbacks/{request.id}",
    ):
        html = await staff.page(path)
        assert "سارا" not in html
        assert "پاک شده" in html


async def test_a_photo_is_shown_and_a_file_is_offered_for_saving(
    staff: StaffBrowser, sqlite_database: Database, folder: Path
) -> None:
    with sqlite_database.write() as session:
        complaint = a_told_complaint(session)
        photo = a_file(session, folder, complaint, name="جعبه.png", path="2026/11/ab.png")
        voice = a_file(session, folder, complaint, name="v.oga", mime_type="audio/ogg", kind="voice")
        video = a_file(session, folder, complaint, name="v.mp4", mime_type="video/mp4", kind="video")
        paper = a_file(session, folder, complaint, name="f.pdf", mime_type="application/pdf", kind="document")
    elements = Elements(await staff.page(f"/console/complaints/{complaint.code}")).found
    shown = {
        (tag, attributes["src"]) for tag, attributes in elements if "src" in attributes and tag != "script"
    }
    assert shown == {
        ("img", f"/console/attachments/{photo.id}"),
        ("audio", f"/console/attachments/{voice.id}"),
        ("video", f"/console/attachments/{video.id}"),
    }
    saved = [attributes["href"] for tag, attributes in elements if tag == "a" and "download" in attributes]
    assert f"/console/attachments/{paper.id}?save=1" in saved
    assert all(attributes["alt"] for tag, attributes in elements if tag == "img")


async def test_a_photo_is_served_in_place_and_the_look_is_audited(
    staff: StaffBrowser, sqlite_database: Database, folder: Path
) -> None:
    with sqlite_database.write() as session:
        photo = a_file(session, folder, a_told_complaint(session))
    response = await staff.get(f"/console/attachments/{photo.id}")
    assert await response.read() == PIXEL
    assert response.content_type == "image/png"
    assert response.headers["Content-Disposition"].startswith("inline")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    rest = await staff.get(f"/console/attachments/{photo.id}", headers={"Range": "bytes=10-"})
    assert (rest.status, await rest.read()) == (206, PIXEL[10:])
    assert looked_at(sqlite_database) == [("staff:1", "attachment.viewed", str(photo.id))]


async def test_whoever_asks_only_for_the_rest_of_a_file_is_written_down_too(
    staff: StaffBrowser, sqlite_database: Database, folder: Path
) -> None:
    with sqlite_database.write() as session:
        photo = a_file(session, folder, a_told_complaint(session))
    for _ in range(2):
        await staff.get(f"/console/attachments/{photo.id}", headers={"Range": "bytes=1-"})
    assert looked_at(sqlite_database) == [("staff:1", "attachment.viewed", str(photo.id))]


@pytest.mark.parametrize("mime_type", ["text/html", "image/svg+xml", "application/pdf", "text/plain", ""])
async def test_what_a_browser_could_run_is_only_for_saving(
    staff: StaffBrowser, sqlite_database: Database, folder: Path, mime_type: str
) -> None:
    page = b"<script>alert(1)</script>"
    with sqlite_database.write() as session:
        kept = a_file(
            session,
            folder,
            a_told_complaint(session),
            content=page,
            name='"x\r\n.html',
            mime_type=mime_type,
            kind="document",
            path="2026/11/0f.bin",
        )
    response = await staff.get(f"/console/attachments/{kept.id}")
    assert response.content_type == "application/octet-stream"
    assert response.headers["Content-Disposition"] == f'attachment; filename="attachment-{kept.id}.bin"'


@pytest.mark.parametrize("path", ["../store.db", "/etc/passwd", "2026/gone.png", "", "2026"])
async def test_no_row_leads_out_of_the_attachments_folder(
    staff: StaffBrowser, sqlite_database: Database, folder: Path, path: str
) -> None:
    with sqlite_database.write() as session:
        kept = a_file(session, folder, a_told_complaint(session))
        kept.path = path
    assert (await staff.get(f"/console/attachments/{kept.id}")).status == 404


async def test_waiting_calls_are_listed_by_urgency_and_the_late_ones_are_marked(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        later, late, done = (
            a_callback(session, topic="بعداً", hours=5),
            a_callback(session, topic="دیر", hours=-1),
            a_callback(session, topic="تمام", hours=-3),
        )
        done.state = "replaced"
    html = await staff.page("/console/callbacks")
    assert html.index(f"/console/callbacks/{late.id}") < html.index(f"/console/callbacks/{later.id}")
    assert f"/console/callbacks/{done.id}" not in html
    assert html.count("دیر شده") == 1
    assert "با درخواست بعدی یکی شد" in await staff.page("/console/callbacks?show=all")


async def test_a_call_back_request_is_shown_with_phone_topic_and_promise(
    staff: StaffBrowser, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        request = a_callback(session, hours=-1)
    html = await staff.page(f"/console/callbacks/{request.id}")
    for shown in ("گارانتی یخچال", "tel:+989351112233", "تأییدنشده", "دیر شده", "درخواست تماس ثبت شد"):
        assert shown in html
    assert looked_at(sqlite_database) == [("staff:1", "callback.viewed", str(request.id))]


@pytest.mark.parametrize(
    "path",
    [
        "/console/x",
        "/console/complaints/00000000",
        "/console/complaints/1",
        "/console/callbacks/999999999999999999",
        "/console/callbacks/9999999999999999999999",
        "/console/attachments/7",
        "/console/attachments/..%2f..%2fstore.db",
    ],
)
async def test_what_is_not_there_is_said_in_persian(staff: StaffBrowser, path: str) -> None:
    response = await staff.get(path)
    assert response.status == 404
    assert "صفحه پیدا نشد" in await response.text()


@pytest.mark.parametrize("path", ["/console/visits", "/console/callbacks", "/console/attachments/1"])
async def test_nothing_can_be_changed_here(staff: StaffBrowser, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        async with staff.session.request(method, staff.url / path[1:]) as response:
            assert response.status == 405


async def test_a_mistake_in_the_business_file_is_shown_to_staff_alone(
    staff: StaffBrowser, tmp_path: Path
) -> None:
    assert "business.toml" not in await staff.page("/console/complaints")
    (tmp_path / "business.toml").write_text(
        EXAMPLE.read_text(encoding="utf-8") + "\n[nmae]\n", encoding="utf-8"
    )
    html = await staff.page("/console/complaints")
    assert "فایل business.toml ایراد دارد" in html
    assert "nmae" in html
    await staff.log_out()
    assert "nmae" not in await staff.page("/console/login")


async def test_the_pages_are_persian_and_need_nothing_inline_or_from_elsewhere(
    staff: StaffBrowser, sqlite_database: Database, folder: Path
) -> None:
    with sqlite_database.write() as session:
        complaint, request = a_told_complaint(session), a_callback(session)
        a_file(session, folder, complaint)
    paths = ["complaints", f"complaints/{complaint.code}", "callbacks", f"callbacks/{request.id}"]
    for path in paths:
        response = await staff.get(f"/console/{path}")
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert response.headers["Cache-Control"] == "no-store"
        elements = Elements(await response.text()).found
        assert ("html", {"lang": "fa", "dir": "rtl"}) in elements
        for tag, attributes in elements:
            assert tag not in ("style", "iframe")
            assert tag != "script" or attributes["src"].startswith("/static/")
            assert "style" not in attributes
            assert not any(name.startswith("on") for name in attributes)
            address = attributes.get("src") or attributes.get("href") or "/"
            assert address.startswith(("/static/", "/console", "#", "tel:", "/"))


async def test_the_web_chat_keeps_its_own_policy(staff: StaffBrowser) -> None:
    response = await staff.get("/")
    assert "form-action 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_a_list_asks_the_store_the_same_few_times_however_long_it_is(
    staff: StaffBrowser, sqlite_database: Database, folder: Path
) -> None:
    counts = []
    from sqlalchemy import event

    asked: list[str] = []
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    for _ in range(2):
        with sqlite_database.write() as session:
            for _ in range(5):
                a_file(session, folder, a_told_complaint(session))
                a_callback(session)
        asked.clear()
        await staff.page("/console/complaints")
        await staff.page("/console/callbacks")
        counts.append(len(asked))
    assert counts[0] == counts[1]
