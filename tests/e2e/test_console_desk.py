"""The desk's pages in a real browser: whole at every width, without scripts, on paper, and for everybody."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from bot.console.views.console import build_console
from crm_store.persian import to_persian_digits
from tests.console import desk_store
from tests.console.desk_store import DeskStore, filled_shop
from tests.e2e.conftest import DESKTOP, PHONE, follow
from tests.e2e.test_web_chat_page import Console

#: What nobody may find on a page (WCAG); `moderate` and `minor` are advice.
SERIOUS = ("serious", "critical")


class Desk(Console):
    """The console of a filled shop."""

    def __init__(self, folder: Path, store: DeskStore) -> None:
        super().__init__(folder)
        self.store = store

    def write_business(self, folder: Path) -> None:
        """The shop has its file already."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DeskStore]:
    """A shop with everything that pages show, made once."""
    folder = tmp_path_factory.mktemp("desk")
    return folder, filled_shop(folder)


@pytest.fixture
def desk(filled: tuple[Path, DeskStore], tmp_path: Path) -> Iterator[Desk]:
    """A running console on a copy of that shop."""
    folder, made = filled
    source, copy = (sqlite3.connect(where / "store.db") for where in (folder, tmp_path))
    with closing(source), closing(copy):
        source.backup(copy)
    shutil.copytree(folder / "attachments", tmp_path / "attachments")
    shutil.copy(folder / "business.toml", tmp_path / "business.toml")
    running = Desk(tmp_path, made)
    running.start()
    yield running
    running.kill()


def pages(store: DeskStore) -> list[str]:
    """Every page of the console, as an owner sees it."""
    return [
        "inbox",
        "inbox?tab=ended",
        f"inbox/{store.conversation_id}",
        "account",
        "lists/visits/reason",
        "complaints?show=all",
        f"complaints/{store.complaint}",
        f"complaints/{store.decided}",
        "complaints/decisions",
        "requests",
        f"requests/{store.request}",
        "visits",
        "callbacks",
        f"callbacks/{store.callback_id}",
        "customers",
        f"customers/{store.customer_id}",
        f"customers/{store.customer_id}/history",
        f"customers/{store.customer_id}/reason",
        "customers/duplicates",
        f"customers/merge?one={store.customer_id}&other={store.twin_id}",
        "transcripts",
        f"transcripts/{store.conversation_id}",
        "club",
        f"club/accounts/{store.customer_id}",
        "club/codes",
        f"club/codes/{store.redemption_id}",
        "club/raffles",
        f"club/raffles/{store.raffle}",
        "surveys",
        "surveys/after_complaint?by=staff",
        "surveys/follow-ups",
        "staff",
        f"staff/{store.members['agent']}",
        "texts",
        "texts?show=responses&area=complaints",
        "texts/faq/hours",
        "texts/responses/utter_complaint_filed",
        "texts/canned",
        "settings",
        "audit",
    ]


def log_in(context: BrowserContext, desk: Desk, role: str) -> Page:
    """A page with somebody logged in."""
    page = context.new_page()
    page.goto(f"{desk.url}console/login")
    page.get_by_label("نام کاربری").fill(role)
    page.get_by_label("گذرواژه").fill(desk_store.PASSWORD)
    page.get_by_role("button", name="ورود").click()
    expect(page.get_by_role("link", name="حساب من")).to_be_attached()
    return page


def assert_whole(page: Page) -> None:
    """Nothing is wider than the window, and what is pressed is large enough for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    outside = page.evaluate(
        "[...document.querySelectorAll('main *:not(.unseen, option)')]"
        ".filter(one => !one.closest('.table-wrap')).filter(one => {"
        " const box = one.getBoundingClientRect();"
        " return box.width && (box.left < -1 || box.right > innerWidth + 1) }).map(one => one.outerHTML)"
    )
    assert outside == [], page.url
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main select, main textarea, main summary,"
        " main input:not([type=hidden], [type=radio], [type=checkbox])')]"
        ".filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)"
        ".map(one => one.outerHTML)"
    )
    assert small == [], page.url


def test_no_page_is_left_out(filled: tuple[Path, DeskStore]) -> None:
    shown = [f"/{path.partition('?')[0]}" for path in pages(filled[1])]
    # The way in is looked at in `test_console`; what is no page of its own needs no look.
    others = {"", "/", "/login", "/login/code", "/live", "/attachments/{id}", "/lines/{id}/files/{ordinal}"}
    others |= {"/surveys/{key}/picture", "/club/raffles/{key}/file"}
    routes = [route for route in build_console().router.routes() if route.method == "GET"]
    patterns = {route.resource.canonical for route in routes if route.resource is not None} - others
    shapes = {pattern: re.sub(r"\{\w+\}", "[^/]+", pattern) for pattern in patterns}
    left_out = {name for name, shape in shapes.items() if not any(re.fullmatch(shape, one) for one in shown)}
    assert left_out == set()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["dark phone", "desktop"]
)
def test_every_page_is_whole_and_accessible(
    browser: Browser, desk: Desk, tmp_path: Path, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = log_in(context, desk, "admin")
    forbidden: list[str] = []
    page.on("console", lambda said: forbidden.append(said.text) if "Policy" in said.text else None)
    found = []
    for number, path in enumerate(pages(desk.store)):
        response = page.goto(f"{desk.url}console/{path}")
        assert response is not None
        assert response.status == 200, path
        # What is folded is looked at too.
        page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true })")
        assert_whole(page)
        page.screenshot(path=tmp_path / f"{number:02}.png", full_page=True)
        noticed = Axe().run(page).response["violations"]
        violations = [one for one in noticed if one["impact"] in SERIOUS]
        found += [
            (path, one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] in SERIOUS
        ]
    context.close()
    assert found == []
    assert forbidden == []


def test_a_complaint_is_decided_without_scripts_and_with_the_keyboard_alone(
    browser: Browser, desk: Desk
) -> None:
    context = browser.new_context(viewport=DESKTOP, java_script_enabled=False)
    page = log_in(context, desk, "agent")
    page.goto(f"{desk.url}console/complaints?show=mine")
    with page.expect_navigation():
        page.get_by_role("link", name=to_persian_digits(desk.store.complaint)).press("Enter")
    page.get_by_text("تصمیم و اعلام نتیجه").press("Enter")
    page.get_by_label("وارد است", exact=True).press("Space")
    if page.locator("#resolve-cause").count():
        page.locator("#resolve-cause").select_option(index=1)
    page.get_by_label("آنچه مشتری می‌خواند").fill("حق با شماست؛ پولتان فردا برمی‌گردد.")
    page.get_by_role("button", name="ثبت تصمیم").press("Enter")
    expect(page.get_by_role("status").first).to_have_text("تصمیم ثبت شد و مشتری خبردار می‌شود.")
    expect(page.get_by_text("نتیجه اعلام شده").first).to_be_visible()
    context.close()


def test_the_visits_of_a_day_are_printed_without_the_menu(
    browser: Browser, desk: Desk, tmp_path: Path
) -> None:
    context = browser.new_context(viewport=DESKTOP)
    page = log_in(context, desk, "supervisor")
    page.goto(f"{desk.url}console/requests/{desk.store.request}")
    page.goto(f"{desk.url}console/visits")
    for _ in range(15):  # over the longest holidays
        if page.get_by_role("table").count():
            break
        follow(page, page.get_by_role("link", name="روز بعد"))
    page.emulate_media(media="print")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.get_by_role("navigation", name="بخش‌های میز کار").first).to_be_hidden()
    expect(page.get_by_role("button", name="نمایش")).to_be_hidden()
    assert page.locator(".rows thead").is_visible()
    page.screenshot(path=tmp_path / "visits-on-paper.png", full_page=True)
    context.close()


def test_an_owner_changes_a_text_and_goes_back(browser: Browser, desk: Desk) -> None:
    context = browser.new_context(viewport=PHONE)
    page = log_in(context, desk, "admin")
    page.goto(f"{desk.url}console/texts/responses/utter_complaint_filed")
    page.get_by_label("آنچه گفته می‌شود").fill("ثبت شد")
    page.get_by_role("button", name="ذخیره").click()
    expect(page.get_by_text("این بخش را نگه دارید")).to_be_visible()
    page.get_by_label("آنچه گفته می‌شود").fill("ثبت شد؛ کدتان {code} است.")
    page.get_by_role("button", name="ذخیره").click()
    expect(page.get_by_role("status").first).to_contain_text("متن ذخیره شد")
    page.get_by_role("button", name="بازگشت به متن اصلی").click()
    expect(page.get_by_text("متن اصلی", exact=True).first).to_be_visible()
    expect(page.get_by_role("heading", name="تاریخچه")).to_be_visible()
    context.close()
