"""An agent at the console in a real browser, on a phone and on a desktop, against its own process."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    Dialog,
    FilePayload,
    Page,
    Route,
    ViewportSize,
    WebSocketRoute,
    expect,
)
from sqlalchemy import select

from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import STAFF_ONLY, Conversation, Message
from crm_store.db import Database
from crm_store.handoff import claiming, releasing
from crm_store.handoff.models import CLAIMED, ENDED, WAITING, Handoff
from crm_store.outbox import SENT, SPEAKER_STAFF, OutboxItem
from crm_store.persian import rich, to_persian_digits
from crm_store.staff.models import StaffMember
from tests.console.agents import PASSWORD, a_canned_reply, an_agent, says, sends_photo, who_waits
from tests.e2e.conftest import DESKTOP, PHONE, follow
from tests.e2e.test_web_chat_page import Console
from tests.factories import RULES, a_complaint

SMALLEST_TARGET = 44


@pytest.fixture
def console(sqlite_database: Database, tmp_path: Path) -> Iterator[Console]:
    """A running console on a store of its own, with two agents."""
    with sqlite_database.write() as session:
        an_agent(session)
        an_agent(session, login="babak", name="بابک")
        a_canned_reply(session)
    running = Console(tmp_path)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def photo(browser: Browser) -> bytes:
    """A photo of a box."""
    drawn = browser.new_page(viewport={"width": 640, "height": 480})
    drawn.set_content("<body bgcolor=teal><h1>📦</h1></body>")
    picture = drawn.screenshot()
    drawn.close()
    return picture


@pytest.fixture(
    params=[(PHONE, "light"), (DESKTOP, "dark")],
    ids=["phone", "dark desktop"],
)
def page(request: pytest.FixtureRequest, browser: Browser, console: Console) -> Iterator[Page]:
    """A page that fails the test on errors, on what its policy forbids, and on requests to elsewhere."""
    viewport, scheme = request.param
    yield from watched_page(browser, console, viewport, scheme)


@pytest.fixture
def desktop(browser: Browser, console: Console) -> Iterator[Page]:
    """The same on a desktop alone."""
    yield from watched_page(browser, console, DESKTOP)


def watched_page(
    browser: Browser, console: Console, viewport: ViewportSize, scheme: str = "light"
) -> Iterator[Page]:
    context = browser.new_context(
        viewport=viewport,
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=viewport == PHONE,
    )
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if "Policy" in said.text else None)
    page.on(
        "request",
        lambda sent: None if f":{console.port}/" in sent.url else troubles.append(f"request to {sent.url}"),
    )
    yield page
    context.close()
    assert troubles == []


def log_in(page: Page, console: Console, login: str = "negar") -> None:
    page.goto(f"{console.url}console/inbox?tab=waiting")
    page.get_by_label("نام کاربری").fill(login)
    page.get_by_label("گذرواژه").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="گفت‌وگوها")).to_be_visible()
    expect(page.locator("html[data-live=open]")).to_be_attached()


def assert_fit_for_everybody(page: Page, picture: Path) -> None:
    """Nothing serious for axe, nothing wider than the window, nothing too small for a finger."""
    page.wait_for_load_state()  # with its styles
    page.screenshot(path=picture)
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert serious == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    assert page.evaluate("document.fonts.check('16px Vazirmatn')")
    for control in page.locator(
        "button:visible, input:not([type=radio]):visible, select:visible, summary:visible, .areas a:visible"
    ).all():
        box = control.bounding_box()
        assert box is not None
        if control.evaluate("one => !one.closest('.log, .talk-card')"):
            assert box["height"] >= SMALLEST_TARGET - 1, control.evaluate("one => one.outerHTML")


def test_an_agent_receives_claims_answers_sees_a_photo_resolves_and_releases(
    page: Page, console: Console, sqlite_database: Database, tmp_path: Path, photo: bytes
) -> None:
    page.goto(f"{console.url}console")
    assert_fit_for_everybody(page, tmp_path / "1-login.png")
    log_in(page, console)
    expect(page.get_by_text("کسی در صف نیست.")).to_be_visible()
    assert_fit_for_everybody(page, tmp_path / "2-empty.png")

    # A customer comes while the inbox is open: nobody loads anything anew.
    with sqlite_database.write() as session:
        handoff = who_waits(session, minutes=0.2)
        conversation_id = handoff.conversation_id
        complaint = a_complaint(session, session.get_one(Conversation, conversation_id))
        code = to_persian_digits(complaint.code)
    expect(page.locator("#news")).to_contain_text("یک مشتری در انتظار پاسخ است")
    waiting = page.get_by_role("link", name="مریم رضایی")
    expect(waiting).to_be_visible()
    assert_fit_for_everybody(page, tmp_path / "3-waiting.png")

    waiting.click()
    expect(page.get_by_role("log")).to_contain_text("بله، با آدم صحبت می‌کنم")
    follow(page, page.get_by_role("button", name="برداشتن گفت‌وگو"))
    expect(page.get_by_role("status").filter(has_text="حالا با شماست")).to_be_visible()

    with sqlite_database.write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        sends_photo(session, tmp_path / "attachments", conversation, content=photo, text="جعبه این‌طوری بود")
    picture = page.get_by_role("log").get_by_role("img")
    expect(picture).to_have_js_property("naturalWidth", 640)

    field = page.get_by_label("متن پیام")
    field.fill("/سلام ")
    expect(field).to_have_value("سلام مریم رضایی، من نگار هستم از فروشگاه آفتاب.")
    field.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("من نگار هستم")
    expect(page.locator(".line.pending")).to_have_count(0)
    page.get_by_text("فقط همکاران").click()
    field.fill("این مشتری قدیمی است")
    field.press("Enter")
    expect(page.locator(".line.whisper")).to_contain_text("این مشتری قدیمی است")
    page.get_by_text("به مشتری", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        FilePayload(name="راهنما.png", mimeType="image/png", buffer=photo)
    )
    field.fill("این هم راهنما")
    page.get_by_role("button", name="فرستادن").click()
    expect(page.locator(".line.staff", has_text="این هم راهنما").get_by_role("img")).to_be_visible()
    assert_fit_for_everybody(page, tmp_path / "4-conversation.png")
    page.screenshot(path=tmp_path / "5-whole.png", full_page=True)

    # The customer's complaint is decided from the card beside the conversation.
    follow(page, page.locator("#card").get_by_role("link", name=code).first)
    follow(page, page.get_by_role("button", name="این پرونده با من"))
    expect(page.get_by_role("status").first).to_be_visible()
    page.get_by_text("تصمیم و اعلام نتیجه").click()
    page.get_by_label("وارد است", exact=True).check()
    page.locator("#resolve-cause").select_option(index=1)
    page.get_by_label("آنچه مشتری می‌خواند").fill("حق با شماست؛ امروز می‌فرستیم.")
    page.get_by_role("button", name="ثبت تصمیم").click()
    expect(page.get_by_role("status").first).to_have_text("تصمیم ثبت شد و مشتری خبردار می‌شود.")
    assert_fit_for_everybody(page, tmp_path / "6-resolved.png")
    page.goto(f"{console.url}console/inbox/{conversation_id}")

    page.get_by_text("برگرداندن به دستیار").click()
    page.get_by_label("قرار با مشتری").fill("تا شنبه می‌رسد")
    assert_fit_for_everybody(page, tmp_path / "7-release.png")
    follow(page, page.get_by_role("button", name="پایان و برگرداندن"))
    expect(page.get_by_role("status").filter(has_text="به دستیار برگشت")).to_be_visible()
    expect(page.get_by_text("تا شنبه می‌رسد").first).to_be_visible()

    with sqlite_database.read() as session:
        ended = session.scalars(select(Handoff)).one()
        assert (ended.state, ended.agreed) == (ENDED, "تا شنبه می‌رسد")
        assert session.scalars(select(Complaint.state)).one() == "resolved"
        sent = session.scalars(select(OutboxItem).where(OutboxItem.speaker == SPEAKER_STAFF)).all()
        said = [rich.to_plain(item.content["text"]) for item in sent]
        assert said == ["سلام مریم رضایی، من نگار هستم از فروشگاه آفتاب.", "این هم راهنما"]
        assert session.scalar(select(Message.text).where(Message.audience == STAFF_ONLY)) is not None


def test_of_two_agents_who_look_one_has_it_and_the_other_sees_that_at_once(
    browser: Browser, console: Console, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        conversation_id = who_waits(session).conversation_id
    pages = [next(watched_page(browser, console, DESKTOP)) for _ in range(2)]
    for page, login in zip(pages, ("negar", "babak"), strict=True):
        log_in(page, console, login)
        page.goto(f"{console.url}console/inbox/{conversation_id}")
        expect(page.get_by_role("button", name="برداشتن گفت‌وگو")).to_be_visible()
        expect(page.locator("html[data-live=open]")).to_be_attached()
    mine, theirs = pages
    mine.get_by_role("button", name="برداشتن گفت‌وگو").click()
    expect(theirs.get_by_role("button", name="برداشتن گفت‌وگو")).to_have_count(0)
    expect(theirs.locator("#title")).to_contain_text("با نگار")
    for page in pages:
        page.context.close()


def claim_elsewhere(database: Database, conversation_id: int, login: str) -> None:
    """Somebody takes a conversation over, but not on this page: in the staff's group, say."""
    with database.write() as session:
        staff = session.scalars(select(StaffMember).where(StaffMember.login == login)).one()
        handoff = session.scalars(select(Handoff).where(Handoff.conversation_id == conversation_id)).one()
        claiming.claim(session, handoff_id=handoff.id, staff=staff, rules=RULES)


def break_connection(page: Page) -> Callable[[], None]:
    """Let a page's socket connect no more; returns what mends it."""
    is_broken = [True]
    page.route_web_socket(
        re.compile("/console/live"), lambda ws: ws.close() if is_broken else ws.connect_to_server()
    )
    return is_broken.clear


def test_a_note_that_is_being_written_stays_one_when_the_conversation_becomes_ones_own(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        conversation_id = who_waits(session).conversation_id
    log_in(desktop, console)
    desktop.goto(f"{console.url}console/inbox/{conversation_id}")
    expect(desktop.locator("html[data-live=open]")).to_be_attached()
    field = desktop.get_by_label("متن پیام")
    field.fill("این مشتری حساس است")
    claim_elsewhere(sqlite_database, conversation_id, "negar")
    expect(desktop.locator("#title")).to_contain_text("با شما")
    expect(desktop.get_by_label("فقط همکاران")).to_be_checked()
    expect(field).to_have_value("این مشتری حساس است")
    field.press("Enter")
    expect(desktop.locator(".line.whisper")).to_contain_text("این مشتری حساس است")
    with sqlite_database.read() as session:
        assert session.scalars(select(OutboxItem).where(OutboxItem.speaker == SPEAKER_STAFF)).all() == []


def test_a_page_that_came_before_the_conversation_was_taken_shows_it_as_soon_as_it_is_connected(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        conversation_id = who_waits(session).conversation_id
    log_in(desktop, console)
    mend = break_connection(desktop)
    desktop.goto(f"{console.url}console/inbox/{conversation_id}")
    expect(desktop.get_by_role("button", name="برداشتن گفت‌وگو")).to_be_visible()
    claim_elsewhere(sqlite_database, conversation_id, "babak")
    mend()
    expect(desktop.locator("#title")).to_contain_text("با بابک")
    expect(desktop.get_by_role("button", name="برداشتن گفت‌وگو")).to_have_count(0)


def test_a_customer_who_came_before_the_inbox_was_connected_is_shown_as_soon_as_it_is(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    log_in(desktop, console)
    mend = break_connection(desktop)
    desktop.goto(f"{console.url}console/inbox?tab=waiting")
    expect(desktop.get_by_text("کسی در صف نیست.")).to_be_visible()
    with sqlite_database.write() as session:
        who_waits(session)
    mend()
    expect(desktop.get_by_role("link", name="مریم رضایی")).to_be_visible()


def test_what_is_written_survives_a_break_of_the_connection(
    browser: Browser, console: Console, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        conversation_id = who_waits(session).conversation_id
    page = next(watched_page(browser, console, DESKTOP))
    log_in(page, console)
    page.goto(f"{console.url}console/inbox/{conversation_id}")
    follow(page, page.get_by_role("button", name="برداشتن گفت‌وگو"))
    expect(page.get_by_label("متن پیام")).to_be_visible()
    expect(page.locator("html[data-live=open]")).to_be_attached()
    console.kill()
    page.get_by_label("متن پیام").fill("نوشته در قطعی")
    page.get_by_label("متن پیام").press("Enter")
    expect(page.locator(".line.pending")).to_contain_text("نوشته در قطعی")
    with sqlite_database.write() as session:
        says(session, session.get_one(Conversation, conversation_id), "شما هستید؟")
    console.start()
    expect(page.get_by_role("log")).to_contain_text("شما هستید؟", timeout=15_000)
    expect(page.locator(".line.pending")).to_have_count(0, timeout=15_000)
    expect(page.locator(".line.staff", has_text="نوشته در قطعی")).to_have_count(1)
    page.context.close()


def test_a_keyboard_alone_claims_and_answers(
    browser: Browser, console: Console, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        conversation_id = who_waits(session).conversation_id
    page = next(watched_page(browser, console, DESKTOP))
    log_in(page, console)
    page.get_by_role("link", name="مریم رضایی").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="برداشتن گفت‌وگو").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("متن پیام")).to_be_focused()
    page.keyboard.type("سلام")
    page.keyboard.press("Enter")
    expect(page.locator(".line.staff[data-seq]")).to_contain_text("سلام")
    with sqlite_database.read() as session:
        (item,) = session.scalars(select(OutboxItem).where(OutboxItem.speaker == SPEAKER_STAFF)).all()
    assert item.conversation_id == conversation_id
    page.context.close()


def test_a_line_gets_other_words_with_the_keyboard_alone(
    page: Page, console: Console, sqlite_database: Database, tmp_path: Path
) -> None:
    with sqlite_database.write() as session:
        conversation_id = who_waits(session).conversation_id
    log_in(page, console)
    page.goto(f"{console.url}console/inbox/{conversation_id}")
    follow(page, page.get_by_role("button", name="برداشتن گفت‌وگو"))
    field = page.get_by_label("متن پیام", exact=True)
    field.fill("ساعت سه می‌رسد")
    field.press("Enter")
    line = page.locator(".line.staff[data-seq]", has_text="ساعت")
    button = line.get_by_role("button", name="ویرایش")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("متن تازهٔ پیام")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("متن تازهٔ پیام")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("ساعت چهار می‌رسد")
    assert_fit_for_everybody(page, tmp_path / "editing.png")
    page.keyboard.press("Enter")
    expect(line).to_contain_text("ساعت چهار می‌رسد")
    expect(line).to_contain_text("ویرایش‌شده")
    expect(page.locator(".edit-form")).to_have_count(0)
    # Nobody else's line, and none after the conversation was given back.
    expect(page.locator(".line.customer [data-edit]")).to_have_count(0)
    page.get_by_text("برگرداندن به دستیار").click()
    follow(page, page.get_by_role("button", name="پایان و برگرداندن"))
    expect(page.get_by_role("status").filter(has_text="به دستیار برگشت")).to_be_visible()
    expect(line).to_be_visible()
    expect(button).to_be_hidden()


def test_the_second_step_is_set_up_with_the_picture_and_asked_for_afterwards(
    page: Page, console: Console, sqlite_database: Database, tmp_path: Path
) -> None:
    log_in(page, console)
    page.get_by_role("link", name="حساب من").click()
    page.get_by_role("button", name="آغاز راه‌اندازی").click()
    page.get_by_text("دوربین ندارم").click()
    app = pyotp.TOTP(page.locator(".totp-secret").inner_text().replace(" ", ""))
    expect(page.get_by_role("img", name="کد تصویری")).to_be_visible()
    assert_fit_for_everybody(page, tmp_path / "1-set-up.png")
    page.get_by_label("کد شش‌رقمی").fill(app.now())
    page.get_by_role("button", name="روشن‌کردن").click()
    expect(page.get_by_role("status").filter(has_text="روشن شد")).to_be_visible()
    follow(page, page.get_by_role("button", name="خروج"))
    log_in_with_code(page, console, "000000")
    expect(page.get_by_role("alert")).to_contain_text("این کد درست نیست")
    assert_fit_for_everybody(page, tmp_path / "2-code.png")


def log_in_with_code(page: Page, console: Console, code: str) -> None:
    page.goto(f"{console.url}console")
    page.get_by_label("نام کاربری").fill("negar")
    page.get_by_label("گذرواژه").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("کد شش‌رقمی").fill(code)
    page.keyboard.press("Enter")


def open_claimed(page: Page, console: Console, database: Database) -> int:
    """The page of a conversation that its agent has taken; returns the conversation."""
    with database.write() as session:
        conversation_id = who_waits(session).conversation_id
    log_in(page, console)
    page.goto(f"{console.url}console/inbox/{conversation_id}")
    follow(page, page.get_by_role("button", name="برداشتن گفت‌وگو"))
    expect(page.locator("html[data-live=open]")).to_be_attached()
    return conversation_id


def log_out_in_another_tab(page: Page, console: Console) -> None:
    other = page.context.new_page()
    other.goto(f"{console.url}console/account")
    follow(other, other.get_by_role("button", name="خروج"))
    other.close()


def test_words_and_files_stay_when_the_session_was_over_before_they_were_sent(
    desktop: Page, console: Console, sqlite_database: Database, photo: bytes
) -> None:
    open_claimed(desktop, console, sqlite_database)
    log_out_in_another_tab(desktop, console)
    field = desktop.get_by_label("متن پیام")
    desktop.locator("input[type=file]").set_input_files(
        FilePayload(name="راهنما.png", mimeType="image/png", buffer=photo)
    )
    field.fill("این هم راهنما")
    field.press("Enter")
    expect(desktop.locator("#trouble")).to_contain_text("نشست شما تمام شده است")
    expect(field).to_have_value("این هم راهنما")
    expect(field).to_be_editable()
    expect(desktop.locator(".chosen")).to_contain_text("راهنما.png")
    assert desktop.locator("input[type=file]").evaluate("one => one.files.length") == 1


def test_a_page_whose_session_is_over_says_so_and_goes_on_saying_it(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    log_in(desktop, console)
    log_out_in_another_tab(desktop, console)
    with sqlite_database.write() as session:
        who_waits(session)
    bar = desktop.locator("#offline")
    expect(bar).to_have_text("نشست شما تمام شده است. لطفاً دوباره وارد شوید.")
    expect(bar).to_be_visible()
    expect(desktop.locator("html")).to_have_attribute("data-live", "refused")


def test_a_button_that_is_pressed_twice_takes_one_customer(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        who_waits(session)
        who_waits(session, name="رضا کریمی")
    log_in(desktop, console)
    sent: list[Route] = []

    def hold(route: Route) -> None:
        sent.append(route)

    desktop.route("**/inbox/next", hold)
    twice = "one => new Promise(done => { one.click(); setTimeout(() => done(one.click()), 200); })"
    desktop.get_by_role("button", name="برداشتن نفر بعدی").evaluate(twice)
    sent[0].continue_()
    expect(desktop.get_by_role("status").filter(has_text="حالا با شماست")).to_be_visible()
    with sqlite_database.read() as session:
        assert sorted(session.scalars(select(Handoff.state))) == [CLAIMED, WAITING]
    assert len(sent) == 1


def test_what_is_not_sent_yet_is_not_left_without_a_question_nor_for_ones_presence(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    conversation_id = open_claimed(desktop, console, sqlite_database)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    desktop.on("dialog", stay)
    field = desktop.get_by_label("متن پیام")
    field.click()
    desktop.keyboard.type("هنوز نفرستاده‌ام")
    presence = desktop.get_by_label("وضعیت من")
    presence.select_option("away")
    expect(desktop.locator("#news")).to_contain_text("وضعیت شما عوض شد")
    expect(presence).to_have_class("presence-away")
    assert asked == []
    desktop.get_by_role("link", name="گفت‌وگوها").first.click()
    expect(field).to_have_value("هنوز نفرستاده‌ام")
    assert (asked, desktop.url) == (
        ["beforeunload"],
        f"{console.url}console/inbox/{conversation_id}?done=claimed",
    )
    field.press("Enter")
    expect(desktop.locator(".line.staff[data-seq]")).to_contain_text("هنوز نفرستاده‌ام")
    expect(desktop.locator(".line.pending")).to_have_count(0)
    follow(desktop, desktop.get_by_role("link", name="گفت‌وگوها").first)
    assert asked == ["beforeunload"]
    with sqlite_database.read() as session:
        staff = session.scalars(select(StaffMember).where(StaffMember.login == "negar")).one()
        assert staff.presence == "away"


def test_an_agreement_that_is_being_written_becomes_a_note_when_the_conversation_ends_meanwhile(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    conversation_id = open_claimed(desktop, console, sqlite_database)
    desktop.get_by_text("برگرداندن به دستیار").click()
    desktop.get_by_label("قرار با مشتری").fill("تا شنبه می‌رسد")
    with sqlite_database.write() as session:
        staff = session.scalars(select(StaffMember).where(StaffMember.login == "negar")).one()
        handoff = session.scalars(select(Handoff).where(Handoff.conversation_id == conversation_id)).one()
        releasing.release(session, handoff_id=handoff.id, staff=staff, rules=RULES)
    expect(desktop.locator("#title")).to_contain_text("دستیار پاسخ می‌دهد")
    expect(desktop.get_by_label("متن پیام")).to_have_value("تا شنبه می‌رسد")
    expect(desktop.get_by_label("فقط همکاران")).to_be_checked()


def test_a_shortcut_alone_is_shown_as_the_kept_reply_before_it_is_sent(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    open_claimed(desktop, console, sqlite_database)
    field = desktop.get_by_label("متن پیام")
    field.fill("/سلام")
    field.press("Enter")
    expect(field).to_have_value("سلام مریم رضایی، من نگار هستم از فروشگاه آفتاب.")
    expect(desktop.locator(".line.pending, .line.staff")).to_have_count(0)
    field.press("Enter")
    expect(desktop.locator(".line.staff[data-seq]")).to_contain_text("من نگار هستم")
    # What is no shortcut may be a slip with words for colleagues: it stays here.
    field.fill("/ناشناس")
    field.press("Enter")
    expect(desktop.locator("#trouble")).to_contain_text("چیزی به مشتری نرسید")
    expect(field).to_have_value("/ناشناس")
    expect(desktop.locator(".line.staff")).to_have_count(1)


def test_a_page_of_earlier_lines_is_not_told_that_its_conversation_has_changed(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    conversation_id = open_claimed(desktop, console, sqlite_database)
    with sqlite_database.write() as session:
        who_waits(session, name="رضا کریمی")
    desktop.goto(f"{console.url}console/inbox/{conversation_id}?before=3")
    expect(desktop.locator(".areas [data-count=waiting]")).to_be_visible()
    assert desktop.locator("#news").inner_text() == ""  # as soon as it was told, not a while after


def test_the_focus_stays_in_the_inbox_when_its_rows_are_drawn_anew(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        who_waits(session)
    log_in(desktop, console)
    for place in (
        desktop.get_by_role("link", name="مریم رضایی"),
        desktop.get_by_role("link", name="در صف"),
    ):
        place.focus()
        waiting = desktop.locator(".case")
        before = waiting.count()
        with sqlite_database.write() as session:
            who_waits(session, name="رضا کریمی")
        expect(waiting).to_have_count(before + 1)
        expect(place).to_be_focused()


def test_lines_of_whoever_had_the_page_before_are_not_sent_in_the_name_of_who_logged_in_since(
    browser: Browser, desktop: Page, console: Console, sqlite_database: Database
) -> None:
    other = next(watched_page(browser, console, DESKTOP))
    log_in(other, console, "babak")
    theirs = other.context.cookies()
    other.context.close()
    open_claimed(desktop, console, sqlite_database)
    console.kill()
    field = desktop.get_by_label("متن پیام")
    desktop.get_by_text("فقط همکاران").click()
    field.fill("نوشتهٔ نگار")
    field.press("Enter")
    expect(desktop.locator(".line.pending")).to_contain_text("نوشتهٔ نگار")
    desktop.context.add_cookies(theirs)  # type: ignore[arg-type]  # what was given out is taken back
    console.start()
    expect(desktop.locator(".who")).to_contain_text("بابک")
    expect(desktop.locator("html[data-live=open]")).to_be_attached()
    expect(desktop.locator(".line.pending")).to_have_count(0)
    with sqlite_database.read() as session:
        assert session.scalars(select(Message).where(Message.text == "نوشتهٔ نگار")).all() == []


def answer_instead(page: Page, kind: str, *answers: dict[str, object]) -> None:
    """The first frames of a type do not reach the console, these answers come back for them."""
    left = list(answers)

    def stand_between(page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()

        def take(data: str | bytes) -> None:
            frame = json.loads(data)
            if left and frame["type"] == kind:
                page_side.send(
                    json.dumps({"type": "error", "text": "نشد", "key": frame["key"], **left.pop(0)})
                )
            else:
                server_side.send(data)

        page_side.on_message(take)

    page.route_web_socket(re.compile("/console/live"), stand_between)


def test_lines_keep_their_order_when_the_first_must_be_sent_again(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    answer_instead(desktop, "reply", {"code": "unavailable", "retry_after": 1})
    open_claimed(desktop, console, sqlite_database)
    field = desktop.get_by_label("متن پیام")
    for words in ("یکم", "دوم", "سوم"):
        field.fill(words)
        field.press("Enter")
    expect(desktop.locator(".line.staff[data-seq] .words")).to_have_text(["یکم", "دوم", "سوم"])
    expect(desktop.locator(".line.pending")).to_have_count(0)


def test_notes_that_are_refused_come_back_as_notes_and_in_their_order(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    answer_instead(
        desktop, "whisper", {"code": "unavailable", "retry_after": 1}, *[{"code": "forbidden"}] * 2
    )
    open_claimed(desktop, console, sqlite_database)
    field = desktop.get_by_label("متن پیام")
    for words in ("//یکم", "//دوم", "سوم"):
        field.fill(words)
        if words != "سوم":
            field.press("Enter")
    expect(field).to_have_value("یکم\nدوم\nسوم")
    expect(desktop.get_by_label("فقط همکاران")).to_be_checked()


def test_an_edit_that_was_cancelled_before_it_was_sent_is_not_made(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    open_claimed(desktop, console, sqlite_database)
    field = desktop.get_by_label("متن پیام", exact=True)
    field.fill("ساعت سه می‌رسد")
    field.press("Enter")
    desktop.locator(".line.staff[data-seq]").get_by_role("button", name="ویرایش").click()
    console.kill()
    desktop.get_by_label("متن تازهٔ پیام").fill("ساعت چهار می‌رسد")
    desktop.get_by_role("button", name="ثبت ویرایش").click()
    desktop.get_by_role("button", name="انصراف").click()
    field.fill("پس از ویرایش")
    field.press("Enter")
    console.start()
    expect(desktop.locator(".line.staff[data-seq] .words")).to_have_text(["ساعت سه می‌رسد", "پس از ویرایش"])
    with sqlite_database.read() as session:  # where the edit would be before what was written after it
        assert "ساعت سه می‌رسد" in session.scalars(select(Message.text)).all()


def test_text_from_a_word_processor_is_pasted_as_text_and_pictures_are_added_to_what_was_chosen(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    open_claimed(desktop, console, sqlite_database)
    paste = """(field, kinds) => {
        const data = new DataTransfer();
        for (const kind of kinds) data.setData(kind, "متن");
        data.items.add(new File(["x"], `picture-${kinds.length}.png`, { type: "image/png" }));
        return field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true }));
    }"""
    field = desktop.get_by_label("متن پیام")
    chosen = desktop.locator(".chosen")
    assert field.evaluate(paste, ["text/plain", "text/html"])  # the browser goes on
    expect(chosen).to_be_empty()
    assert not field.evaluate(paste, [])
    assert not field.evaluate(paste, ["text/html"])
    expect(chosen).to_have_text(re.compile(r"picture-0\.png .*، picture-1\.png"))


def test_the_colleague_who_was_chosen_stays_chosen_when_the_page_is_drawn_anew(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    answer_instead(desktop, "whisper", {"code": "forbidden"})
    open_claimed(desktop, console, sqlite_database)
    desktop.get_by_text("واگذاری به همکار").click()
    desktop.get_by_label("به چه کسی").select_option(index=1)
    with sqlite_database.write() as session:
        staff = session.scalars(select(StaffMember).where(StaffMember.login == "babak")).one()
        staff.presence = "away"
    chosen = desktop.locator("#to option:checked")
    expect(chosen).to_contain_text("بابک")
    field = desktop.get_by_label("متن پیام")
    field.fill("//نمی‌شود")  # what is refused has the page drawn anew
    field.press("Enter")
    expect(chosen).to_contain_text("کمی بعد")


def test_a_line_that_was_delivered_is_neither_read_out_again_nor_loses_the_focus(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    open_claimed(desktop, console, sqlite_database)
    field = desktop.get_by_label("متن پیام")
    field.fill("ساعت سه می‌رسد")
    field.press("Enter")
    line = desktop.locator(".line.staff[data-seq]")
    expect(line.locator(".fate")).to_be_visible()
    expect(line).to_have_attribute("aria-live", "off")  # whoever wrote it knows it
    button = line.get_by_role("button", name="ویرایش")
    button.focus()
    with sqlite_database.write() as session:
        item = session.scalars(select(OutboxItem).where(OutboxItem.speaker == SPEAKER_STAFF)).one()
        item.state, item.sent_at = SENT, utcnow()
    expect(line.locator(".fate")).to_have_count(0)
    expect(button).to_be_focused()
    expect(line).to_have_attribute("aria-live", "off")


def test_a_page_that_could_not_be_drawn_anew_at_first_is_later(
    desktop: Page, console: Console, sqlite_database: Database
) -> None:
    with sqlite_database.write() as session:
        conversation_id = who_waits(session).conversation_id
    log_in(desktop, console)
    desktop.goto(f"{console.url}console/inbox/{conversation_id}")
    expect(desktop.locator("html[data-live=open]")).to_be_attached()
    desktop.route(f"**/inbox/{conversation_id}", lambda route: route.fulfill(status=503), times=1)
    claim_elsewhere(sqlite_database, conversation_id, "babak")
    expect(desktop.locator("#title")).to_contain_text("با بابک")
