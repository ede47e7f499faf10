"""The web chat in a real browser, on a phone and on a desktop, against the console as its own process.

A stand-in answers instead of the gateway, so that what is tested is the page and the console.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from crm_store.base import utcnow
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Message
from crm_store.db import Database
from crm_store.pictures import BALANCE, draw
from crm_store.privacy.files import chat_folder
from crm_store.settings import PROJECT_ROOT
from tests.console.conftest import name_business
from tests.console.stand_in import CATEGORIES, QUESTION, StandIn, received, say
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.product import eventually
from tests.ports import free_port

MINE, THEIRS = ".line.mine", ".line.bot:not(.typing)"
#: Smallest side of what a finger has to hit, in CSS pixels (WCAG 2.2, 2.5.5 enhanced).
TOUCH_TARGET = 44


class Console:
    """The console as a process that can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.write_business(self._folder)
        environment = {
            **os.environ,
            "PEYVAND_DATA_DIR": str(self._folder),
            "PEYVAND_DATABASE_URL": f"sqlite:///{self._folder / 'store.db'}",
            "PEYVAND_HTTP_PORT": str(self.port),
        }
        command = [sys.executable, "-m", "bot.cli", "console"]
        self._process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment)
        eventually(self._listens, within=30, what="the console's port")

    def write_business(self, folder: Path) -> None:
        """Give it a business file."""
        name_business(folder / "business.toml", "فروشگاه آفتاب")

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def console(sqlite_database: Database, tmp_path: Path) -> Iterator[Console]:
    """A running console on a store of its own."""
    running = Console(tmp_path)
    running.start()
    yield running
    running.kill()


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def page(request: pytest.FixtureRequest, browser: Browser, console: Console) -> Iterator[Page]:
    """The chat, open in a browser that fails the test on any error of the page or request to elsewhere."""
    context = browser.new_context(viewport=request.param, has_touch=request.param == PHONE)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "request",
        lambda sent: None if f":{console.port}/" in sent.url else troubles.append(f"request to {sent.url}"),
    )
    page.goto(console.url)
    expect(page.locator("#state[data-state=open]")).to_be_visible()
    yield page
    context.close()
    assert troubles == []


def write(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    page.locator("#text").press("Enter")


def assert_looks_whole(page: Page) -> None:
    """Nothing is wider than the window, outside of it or too small for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    width = page.viewport_size["width"] if page.viewport_size else 0
    for thing in page.locator("button:visible, textarea, .bubble:visible").all():
        box = thing.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= TOUCH_TARGET


def test_a_conversation_from_the_welcome_to_the_tracking_code(
    page: Page, sqlite_database: Database, tmp_path: Path
) -> None:
    expect(page.get_by_role("heading", name="فروشگاه آفتاب")).to_be_visible()
    expect(page.locator("#state-words")).to_have_text("آنلاین")
    expect(page.locator(".suggestions button")).to_have_count(3)
    page.screenshot(path=tmp_path / "1-welcome.png")
    assert_looks_whole(page)
    with StandIn(sqlite_database):
        page.locator(".suggestions button").first.click()
        expect(page.locator("#welcome")).to_be_hidden()
        expect(page.locator(THEIRS)).to_have_count(1)
        expect(page.locator(f"{MINE}.is-arrived")).to_have_count(1)
        expect(page.locator(f"{THEIRS} .words")).to_have_text(QUESTION)
        expect(page.locator(".chips button")).to_have_text(list(CATEGORIES))
        page.screenshot(path=tmp_path / "2-buttons.png")
        assert_looks_whole(page)

        page.get_by_role("button", name=CATEGORIES[1]).click()
        expect(page.locator(".chips button:disabled")).to_have_count(len(CATEGORIES))
        expect(page.locator(".chips button[aria-pressed=true]")).to_have_text(CATEGORIES[1])
        expect(page.locator(f"{THEIRS} code")).to_have_text("\u2068۱۴۰۵-۷۷۳۱-۲۰۶۴\u2069")
        expect(page.locator(f"{MINE} .words").nth(1)).to_have_text(CATEGORIES[1])
        page.screenshot(path=tmp_path / "3-filed.png")
        assert_looks_whole(page)

        before = page.locator("#log").inner_text()
        page.reload()
        expect(page.locator("#log .line")).to_have_count(4)
        assert page.locator("#log").inner_text() == before
        expect(page.locator(".chips button:disabled")).to_have_count(len(CATEGORIES))
    assert len(received(sqlite_database)) == 2


def test_the_page_reads_from_right_to_left_in_persian_digits(page: Page, sqlite_database: Database) -> None:
    with StandIn(sqlite_database):
        write(page, "سلام")
        expect(page.locator(THEIRS)).to_have_count(1)
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    for time in page.locator("time").all():
        assert set(time.inner_text()) <= set("۰۱۲۳۴۵۶۷۸۹:")
    assert not set("0123456789") & set(page.locator(".day").inner_text())
    mine, theirs = (
        page.locator(f"{MINE} .bubble").bounding_box(),
        page.locator(f"{THEIRS} .bubble").bounding_box(),
    )
    assert mine is not None
    assert theirs is not None
    assert mine["x"] < theirs["x"]


def test_markup_in_a_message_stays_text(page: Page, sqlite_database: Database) -> None:
    typed = "<img src=x onerror=\"document.title='stolen'\"><b>سلام</b>"
    with StandIn(sqlite_database):
        write(page, typed)
        expect(page.locator(THEIRS)).to_have_count(1)
    expect(page.locator(f"{MINE} .words")).to_have_text(typed)
    assert page.locator("#log img, #log .words b").count() == 0
    assert page.title() != "stolen"


def test_enter_sends_and_shift_enter_begins_a_line(page: Page) -> None:
    field = page.locator("#text")
    height = field.bounding_box()
    field.press_sequentially("یک")
    field.press("Shift+Enter")
    field.press_sequentially("دو")
    taller = field.bounding_box()
    assert height is not None
    assert taller is not None
    assert taller["height"] > height["height"]
    field.press("Enter")
    expect(page.locator(f"{MINE} .words")).to_have_text("یک\nدو", use_inner_text=True)
    expect(field).to_have_value("")


def test_a_message_written_while_the_server_is_dead_arrives_once(
    page: Page, console: Console, sqlite_database: Database, tmp_path: Path
) -> None:
    console.kill()
    expect(page.locator("#state[data-state=waiting]")).to_be_visible()
    write(page, "هنوز هستید؟")
    write(page, "منتظرم")
    expect(page.locator(f"{MINE}.is-clock")).to_have_count(2)
    page.screenshot(path=tmp_path / "4-no-connection.png")
    console.start()
    expect(page.locator(f"{MINE}.is-kept")).to_have_count(2, timeout=15_000)
    with StandIn(sqlite_database):
        expect(page.locator(f"{MINE}.is-arrived")).to_have_count(2)
        expect(page.locator(THEIRS)).to_have_count(2)
    assert [row.payload["text"] for row in received(sqlite_database)] == ["هنوز هستید؟", "منتظرم"]
    expect(page.locator(MINE)).to_have_count(2)


def test_what_was_said_while_the_server_was_dead_is_shown_once_when_it_is_back(
    page: Page, console: Console, sqlite_database: Database
) -> None:
    with StandIn(sqlite_database):
        write(page, "سلام")
        expect(page.locator(THEIRS)).to_have_count(1)
    write(page, "سؤالی دارم")
    expect(page.locator(f"{MINE}.is-kept")).to_have_count(1)
    console.kill()
    with StandIn(sqlite_database):
        eventually(lambda: received(sqlite_database)[1].state == "done", within=10, what="the answer")
    say(sqlite_database, received(sqlite_database)[0].chat_id, "خبر تازه‌ای داریم")
    console.start()
    expect(page.locator(THEIRS)).to_have_count(3, timeout=15_000)
    expect(page.locator(MINE)).to_have_count(2)
    expect(page.locator(f"{MINE}.is-arrived")).to_have_count(2)


def test_a_page_that_was_closed_before_its_message_left_sends_it_the_next_time(
    page: Page, console: Console, sqlite_database: Database
) -> None:
    console.kill()
    expect(page.locator("#state[data-state=waiting]")).to_be_visible()
    write(page, "این را از دست ندهید")
    context = page.context
    page.close()
    console.start()
    again = context.new_page()
    again.goto(console.url)
    with StandIn(sqlite_database):
        expect(again.locator(THEIRS)).to_have_count(1)
        expect(again.locator(MINE)).to_have_count(1)
    assert [row.payload["text"] for row in received(sqlite_database)] == ["این را از دست ندهید"]


def test_who_reads_further_up_is_not_pulled_away_but_told(page: Page, sqlite_database: Database) -> None:
    with StandIn(sqlite_database):
        for number in range(1, 9):
            write(page, f"پیام {number}\nکه دو سطر دارد")
            expect(page.locator(THEIRS)).to_have_count(number)
    newest, first = page.locator("#newest"), page.locator(f"{MINE} .words").first
    first.scroll_into_view_if_needed()
    expect(first).to_be_in_viewport()
    say(sqlite_database, received(sqlite_database)[0].chat_id, "خبر تازه‌ای داریم")
    expect(newest).to_be_visible()
    expect(first).to_be_in_viewport()
    newest.click()
    expect(page.locator(f"{THEIRS} .words").last).to_be_in_viewport(ratio=1)
    expect(newest).to_be_hidden()


def test_a_line_that_gets_other_words_shows_them_in_its_place(page: Page, sqlite_database: Database) -> None:
    with StandIn(sqlite_database):
        write(page, "سلام")
        expect(page.locator(THEIRS)).to_have_count(1)
        write(page, "کی می‌رسد؟")
        expect(page.locator(THEIRS)).to_have_count(2)
    with sqlite_database.write() as session:
        line = update(Message).where(Message.seq == 2)
        session.execute(line.values(text="VIP هستید و <b>فردا</b> می‌رسد", edited_at=utcnow()))
    expect(page.locator(f"{THEIRS} .words").first).to_have_text("VIP هستید و فردا می‌رسد")
    expect(page.locator(f"{THEIRS} .words b")).to_have_text("فردا")
    expect(page.locator("#log .line")).to_have_count(4)


def test_the_history_is_scrolled_with_the_keyboard_alone(page: Page, sqlite_database: Database) -> None:
    with StandIn(sqlite_database):
        for number in range(1, 7):
            write(page, f"پیام {number}\nکه دو سطر دارد")
            expect(page.locator(THEIRS)).to_have_count(number)
    scroller, first = page.get_by_role("region", name="پیام‌ها"), page.locator(f"{MINE} .words").first
    expect(first).not_to_be_in_viewport()
    page.locator("#text").focus()
    for _ in range(9):  # back from the text over its buttons
        page.keyboard.press("Shift+Tab")
        if scroller.evaluate("node => node === document.activeElement"):
            break
    assert scroller.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Home")
    expect(first).to_be_in_viewport()


def test_what_is_pasted_from_a_table_is_its_text(page: Page) -> None:
    paste = """([node, types]) => {
      const data = new DataTransfer();
      data.items.add(new File(["x"], "image.png", { type: "image/png" }));
      for (const type of types) data.setData(type, "قیمت");
      const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
      return node.dispatchEvent(event);
    }"""
    field = page.locator("#text").element_handle()
    assert page.evaluate(paste, [field, ["text/plain", "text/html"]]), "the browser pastes the text"
    expect(page.locator(".tray li")).to_have_count(0)
    assert not page.evaluate(paste, [field, ["text/html"]]), "a picture of a page is sent as one"
    expect(page.locator(".tray li")).to_have_count(1)


def test_a_photo_is_sent_along(page: Page, sqlite_database: Database, tmp_path: Path) -> None:
    photo = page.screenshot()  # tall on a phone: the answer below it must come into view
    page.locator("#files").set_input_files({"name": "جعبه.png", "mimeType": "image/png", "buffer": photo})
    expect(page.locator(".tray li.is-kept .file-name")).to_have_text("جعبه.png")
    with StandIn(sqlite_database):
        write(page, "این هم عکسش")
        expect(page.locator(f"{MINE}.is-arrived img")).to_be_visible()
        expect(page.locator(THEIRS)).to_have_count(1)
    expect(page.locator(f"{THEIRS} .words")).to_be_in_viewport(ratio=1)
    page.screenshot(path=tmp_path / "5-photo.png")
    assert page.locator(f"{MINE} img").evaluate("image => image.naturalWidth") > 0
    (attachment,) = received(sqlite_database)[0].payload["attachments"]
    assert attachment["file_name"] == "جعبه.png"
    assert (tmp_path / "attachments" / attachment["path"]).read_bytes() == photo


def test_a_picture_stands_above_its_words_and_grades_rise_leftwards(
    page: Page, browser: Browser, console: Console, sqlite_database: Database, tmp_path: Path
) -> None:
    with StandIn(sqlite_database):
        write(page, "سلام")
        expect(page.locator(THEIRS)).to_have_count(1)
        file = show_card(sqlite_database, tmp_path / "attachments", "از ۱ تا ۷ چند می‌دهید؟")
        image = page.locator(f"{THEIRS} img")
        expect(image).to_be_visible()
        expect(page.locator(f"{THEIRS} .words").last).to_be_in_viewport(ratio=1)
        assert image.evaluate("image => image.naturalWidth") == 1000
        assert image.get_attribute("alt") == "از ۱ تا ۷ چند می‌دهید؟"
        # Their places in the page, which the line's coming in does not change.
        places = "chips => chips.map(chip => [chip.offsetTop, chip.offsetLeft, chip.offsetWidth])"
        one, two, _, _, five, _, _, later = page.locator(".chips button").evaluate_all(places)
        assert one[0] == two[0] < five[0] < later[0]
        assert one[1] > two[1]
        assert one[1] + one[2] == five[1] + five[2], "rows begin at the right"
        page.screenshot(path=tmp_path / "6-picture.png")
        assert_looks_whole(page)
        page.get_by_role("button", name="۷", exact=True).click()
        expect(page.locator(".chips button:disabled")).to_have_count(8)
        stranger = browser.new_context()
        assert stranger.request.get(f"{console.url}chat/attachments/{file.name}").status == 404
        assert page.request.get(f"{console.url}chat/attachments/{file.name}").status == 200
        stranger.close()


def show_card(database: Database, folder: Path, text: str) -> Path:
    """The bot shows a picture and asks for a grade; returns the picture's file."""
    chat_id = received(database)[0].chat_id
    content, place = draw(BALANCE, {"points": 1250}), f"{chat_folder('web', chat_id)}/{'a' * 32}.png"
    with database.write() as session:
        conversation = conversations.find_conversation(session, channel="web", chat_id=chat_id)
        assert conversation is not None
        grades = [{"title": grade, "payload": "/affirm", "row": n // 4} for n, grade in enumerate("۱۲۳۴۵۶۷")]
        buttons = conversations.issue_buttons(
            session,
            conversation_id=conversation.id,
            buttons=[*grades, {"title": "الان نه", "payload": "/deny"}],
            lifetime=timedelta(hours=1),
        )
        document = {"file_name": "balance.png", "size": len(content), "kind": "photo", "path": place}
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        extra = {"buttons": buttons, "document": document}
        conversations.add_message(
            session, conversation_id=conversation.id, author="bot", text=text, extra=extra
        )
    return file
