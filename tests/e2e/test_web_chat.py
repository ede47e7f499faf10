"""The web chat of the whole product in a real browser: a complaint from the first word to its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import select

from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Conversation
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.product import Product

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(900)]
THEIRS = ".line.bot:not(.typing)"
STORY = "سلام، گلدونی که دیروز آوردین شکسته بود و پیک هم جواب تلفنمو نداد"


def say(page: Page, text: str) -> None:
    """Write a message and send it with Enter."""
    page.locator("#text").fill(text)
    page.keyboard.press("Enter")


def answer(page: Page, number: int) -> str:
    """The bot's line of that number, from 1."""
    line = page.locator(THEIRS).nth(number - 1)
    expect(line).to_be_visible(timeout=90_000)
    return line.inner_text()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_visitor_files_a_complaint_and_a_killed_product_does_not_lose_it(
    browser: Browser, product: Product, size: ViewportSize, tmp_path: Path
) -> None:
    context = browser.new_context(viewport=size, device_scale_factor=2, locale="fa-IR")
    page = context.new_page()
    page.goto(product.url)
    say(page, STORY)
    answer(page, 1)
    page.get_by_role("button", name="تحویل سفارش").click()
    for number, passed_over in enumerate(("شماره ندارم", "فرقی نمی‌کند", "بدون شماره"), start=2):
        answer(page, number)
        page.get_by_role("button", name=passed_over).click()
    assert STORY in answer(page, 5)
    for role in ("console", "gateway"):
        product.kill(role)
    page.get_by_role("button", name="ثبت شکایت").click()
    filed = answer(page, 6)
    code = re.search("[۰-۹]{8}", filed)
    assert code is not None
    page.reload()
    assert code.group() in answer(page, 6)
    page.screenshot(path=tmp_path / "web-chat.png")
    expect(page.locator(THEIRS)).to_have_count(7)  # the due time comes below the code
    database = product.database()
    with database.read() as session:
        in_web = select(Complaint).join(Conversation).where(Conversation.channel == "web")
        latest = session.scalars(in_web.order_by(Complaint.id.desc())).first()
    database.dispose()
    assert latest is not None
    assert latest.description == STORY
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()
