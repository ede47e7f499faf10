"""Whoever asks to be forgotten is found nowhere afterwards: the whole product, its files byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store.complaints.models import Complaint
from crm_store.persian import to_persian_digits
from crm_store.privacy.models import DONE, Erasure
from tests.conversations.matcher import ResponseMatcher
from tests.e2e.product import Product, eventually
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(600)]

NAME, PHONE, STORY = (
    "گلبهار فرزانه‌مهر",
    "09367418529",
    "بادمجان‌های مرینیت‌شده‌تان بوی نفت می‌داد و پیک هم دیر رسید",
)
OTHER_STORY = "کیک تولدی که آوردید له شده بود و پیک هم دیر رسید"
#: What one customer says, in order, with the response that each message must get.
SAID = (
    ("اسمم گلبهار فرزانه‌مهر هست", "utter_profile_saved"),
    (f"{STORY}، سفارش ۷۷۸۸، پولمو می‌خوام", "utter_ask_complaint_phone"),
    (to_persian_digits(PHONE), "utter_complaint_summary"),
    ("ثبت کنید", "utter_complaint_filed"),
    ("لطفا همه اطلاعات منو پاک کنید", "utter_ask_erasure"),
    ("بله", "utter_erasure_begun"),
)


@pytest.fixture
def own_product(tmp_path: Path, trained_model: Path) -> Iterator[tuple[Product, ThreadRunner[FakeBotApi]]]:
    with FakeBotApi.start_in_thread() as telegram:
        settings = {
            "PEYVAND_TELEGRAM_TOKEN": telegram.fake.token,
            "PEYVAND_TELEGRAM_BASE_URL": telegram.fake.base_url,
        }
        product = Product(tmp_path, settings)
        product.start()
        yield product, telegram
        product.stop()


def files_with(folder: Path, words: str) -> list[str]:
    """Names of the files in which words stand, as they are or as JSON escapes them."""
    needles = (words.encode(), words.encode("unicode_escape"))
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]


def test_a_forgotten_customer_is_found_in_no_file_and_another_one_is(
    own_product: tuple[Product, ThreadRunner[FakeBotApi]], tmp_path: Path
) -> None:
    product, telegram = own_product
    names, fake = ResponseMatcher().names, telegram.fake
    gone, stays = fake.user(7_654_321, NAME), fake.user(8_765_432, "شهربانو")
    telegram.run(fake.send_text(stays, OTHER_STORY))
    telegram.run(fake.wait_for_messages(stays.id, 1, 60))
    for text, response in SAID:
        before = len(fake.messages(gone.id))
        telegram.run(fake.send_text(gone, text))
        # Below a tracking code stands by when an answer is promised.
        count = 2 if response == "utter_complaint_filed" else 1
        answers = telegram.run(fake.wait_for_messages(gone.id, before + count, 60))[before:]
        assert response in names(answers[0].plain), answers[0].plain
        if response == "utter_complaint_filed":
            assert files_with(product.folder, "بوی نفت") != []
    database = product.database()

    def is_done() -> bool:
        with database.read() as session:
            return session.scalars(select(Erasure.state)).all() == [DONE]

    eventually(is_done, within=60, what="the erasure")
    for words in ("گلبهار", "فرزانه", "بوی نفت", PHONE[1:], to_persian_digits(PHONE)[1:], str(gone.id)):
        assert files_with(product.folder, words) == [], words
    assert files_with(product.folder, "کیک تولدی") != []
    with database.read() as session:
        kept = session.scalars(select(Complaint)).one()
        assert (kept.category, kept.remedy, kept.description) == ("delivery", "refund", "")
    database.dispose()
    before = len(fake.messages(gone.id))
    telegram.run(fake.send_text(gone, "سلام"))
    greeting = telegram.run(fake.wait_for_messages(gone.id, before + 1, 60))[-1]
    assert "utter_greet" in names(greeting.plain)
