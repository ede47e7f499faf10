"""The console in a real browser, on a phone and on a desktop, light and dark, against its own process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from crm_store.complaints.models import Complaint
from crm_store.db import Database
from crm_store.persian import to_persian_digits
from tests.console.staff import a_callback, a_file, a_password, a_told_complaint
from tests.e2e.conftest import DESKTOP, PHONE, follow
from tests.e2e.test_web_chat_page import Console

NARROW: ViewportSize = {"width": 360, "height": 800}
LONG_WORD = "http://example.org/" + "سفارش" * 40


@pytest.fixture
def console(sqlite_database: Database, tmp_path: Path) -> Iterator[Console]:
    """A running console on a store of its own."""
    running = Console(tmp_path)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def complaint(browser: Browser, sqlite_database: Database, tmp_path: Path) -> Complaint:
    """A complaint with a photo, a voice message and a paper, among others."""
    drawn = browser.new_page(viewport={"width": 640, "height": 480})
    drawn.set_content("<body bgcolor=teal><h1>🍕</h1></body>")
    photo = drawn.screenshot()
    drawn.close()
    folder = tmp_path / "attachments"
    with sqlite_database.write() as session:
        for number in range(26):
            a_told_complaint(session, story=f"سفارش من {number} روز دیر رسید و کسی پاسخ نداد. {LONG_WORD}")
        told = a_told_complaint(session)
        a_file(session, folder, told, content=photo, name="جعبهٔ خیس.png", path="2026/11/a.png")
        a_file(session, folder, told, name="voice.oga", mime_type="audio/ogg", kind="voice")
        a_file(session, folder, told, name="f" * 120 + ".pdf", mime_type="application/pdf", kind="document")
        a_callback(session, topic=f"گارانتی یخچال {LONG_WORD}", hours=-1)
        a_callback(session, topic="اقساط", hours=3)
    return told


@pytest.fixture(
    params=[(NARROW, "light"), (PHONE, "dark"), (DESKTOP, "light")], ids=["narrow", "dark phone", "desktop"]
)
def page(request: pytest.FixtureRequest, browser: Browser, console: Console) -> Iterator[Page]:
    """A page that fails the test on anything that its policy forbids, and on any request to elsewhere."""
    viewport, scheme = request.param
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda said: troubles.append(said.text) if "Policy" in said.text else None)
    page.on(
        "request",
        lambda sent: None if f":{console.port}/" in sent.url else troubles.append(f"request to {sent.url}"),
    )
    yield page
    context.close()
    assert troubles == []


def assert_looks_whole(page: Page) -> None:
    """Nothing is wider than the window, and nothing in it is cut off at its side."""
    page.wait_for_load_state()  # with its styles
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    outside = page.evaluate(
        "[...document.querySelectorAll('body *:not(.skip, .unseen, option)')]"
        ".filter(one => { const box = one.getBoundingClientRect();"
        " return box.width && (box.left < -1 || box.right > innerWidth + 1) }).map(one => one.outerHTML)"
    )
    assert outside == []
    controls = "button:visible, input:visible, select:visible, .areas a:visible, .menu a:visible, .pager a"
    for control in page.locator(controls).all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44


def go_to(page: Page, area: str) -> None:
    """Open an area: on a phone its link is in a menu."""
    page.wait_for_load_state()
    menu = page.locator(".menu summary")
    if menu.is_visible():
        menu.click()
    follow(page, page.get_by_role("navigation", name="بخش‌ها").get_by_role("link", name=area))


def test_from_the_log_in_to_a_complaint_and_back_out(
    page: Page, console: Console, complaint: Complaint, sqlite_database: Database, tmp_path: Path
) -> None:
    page.goto(f"{console.url}console/complaints/{complaint.code}")
    page.get_by_label("نام کاربری").fill("admin")
    page.get_by_label("گذرواژه").fill("wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("نام کاربری یا گذرواژه درست نیست.")
    assert_looks_whole(page)
    page.screenshot(path=tmp_path / "1-login.png")
    page.get_by_label("گذرواژه").fill(a_password(sqlite_database))
    page.get_by_role("button", name="ورود").click()

    code = to_persian_digits(complaint.code)
    expect(page.get_by_role("heading", level=1)).to_contain_text(code)
    photo = page.get_by_role("img", name="عکس")
    photo.scroll_into_view_if_needed()
    expect(photo).to_have_js_property("naturalWidth", 640)
    assert_looks_whole(page)
    page.screenshot(path=tmp_path / "2-complaint.png", full_page=True)

    go_to(page, "شکایت‌ها")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(25)
    assert_looks_whole(page)
    page.screenshot(path=tmp_path / "3-complaints.png")
    page.get_by_role("searchbox", name="کد پیگیری").fill(code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(code)

    go_to(page, "درخواست‌های تماس")
    expect(page.get_by_text("دیر شده")).to_have_count(1)
    assert_looks_whole(page)
    page.screenshot(path=tmp_path / "4-callbacks.png")
    follow(page, page.get_by_role("link", name="درخواست تماس سارا").first)
    expect(page.get_by_role("heading", name="موضوع تماس")).to_be_visible()
    assert_looks_whole(page)
    page.screenshot(path=tmp_path / "5-callback.png", full_page=True)

    follow(page, page.get_by_role("button", name="خروج"))
    expect(page.get_by_role("heading", name="ورود به میز کار")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("گارانتی یخچال")).to_have_count(0)


def test_a_keyboard_alone_opens_a_complaint(
    browser: Browser, console: Console, complaint: Complaint, sqlite_database: Database
) -> None:
    page = browser.new_page(viewport=DESKTOP)
    page.goto(f"{console.url}console/complaints")
    expect(page.get_by_label("نام کاربری")).to_be_focused()
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(a_password(sqlite_database))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="شکایت‌ها")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="رفتن به متن صفحه")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    for _ in range(30):  # filters, their button, then the first complaint
        page.keyboard.press("Tab")
        if page.locator(".case-link:focus").count():
            break
    opened = page.locator(".case-link:focus").inner_text().split()[-1]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/console/complaints/\d{8}$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(opened)
    page.close()
