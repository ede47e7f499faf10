"""The stage for scripted conversations: the running product of a business that answers questions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.handoff.canned import save_canned
from crm_store.staff.accounts import add_member
from tests.conversations.group import GROUP
from tests.conversations.runner import Stage
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

BUSINESS = Path(__file__).parent / "business.toml"
#: What is added to it where people take conversations over, which they do at any hour.
GROUP_BUSINESS = Path(__file__).parent / "group_business.toml"
#: Replies that its people keep ready, by their shortcuts.
KEPT = {"/پیگیری": "{name} عزیز، کد پیگیری شما {code} است. {agent} از {business}"}


@pytest.fixture(scope="package")
def answering_product(product: Product) -> Iterator[Product]:
    """The product with a business file in place; the running roles notice it by themselves."""
    before = product.business_file.read_bytes()
    shutil.copyfile(BUSINESS, product.business_file)
    yield product
    product.business_file.write_bytes(before)


@pytest.fixture(scope="package")
def stage(answering_product: Product, telegram: ThreadRunner[FakeBotApi]) -> Stage:
    """Where the scripts are played."""
    return Stage(telegram, answering_product)


@pytest.fixture(scope="package")
def group_telegram() -> Iterator[ThreadRunner[FakeBotApi]]:
    """A fake Bot API with a staff group that has topics."""
    with FakeBotApi.start_in_thread() as runner:
        runner.fake.forum(GROUP)
        runner.fake.state.group_pace.limit = 1000  # what the pace is about has tests of its own
        yield runner


@pytest.fixture(scope="package")
def group_stage(
    tmp_path_factory: pytest.TempPathFactory, group_telegram: ThreadRunner[FakeBotApi], trained_model: Path
) -> Iterator[Stage]:
    """Where the scripts with a staff group are played: a business whose people take conversations over."""
    product = Product(
        tmp_path_factory.mktemp("group_product"),
        {
            "PEYVAND_TELEGRAM_TOKEN": group_telegram.fake.token,
            "PEYVAND_TELEGRAM_BASE_URL": group_telegram.fake.base_url,
            "PEYVAND_TELEGRAM_STAFF_GROUP_ID": str(GROUP),
            "PEYVAND_LIMITS_CHAT_BURST": "100",
            "PEYVAND_LIMITS_GROUP_MESSAGES_PER_MINUTE": "1000",
        },
    )
    always = BUSINESS.read_text(encoding="utf-8").replace("08:00-22:00", "00:00-24:00")
    product.business_file.parent.mkdir(parents=True, exist_ok=True)
    product.business_file.write_text(always + GROUP_BUSINESS.read_text(encoding="utf-8"), encoding="utf-8")
    product.start()
    _keep_replies(product.database())
    # A group is known from the first word that is said in it.
    fake = group_telegram.fake
    group_telegram.run(fake.group_message(GROUP, fake.user(700_999_999, "مدیر"), "سلام به همه"))
    yield Stage(group_telegram, product)
    product.stop()


def _keep_replies(database: Database) -> None:
    """Keep replies ready, as somebody does at the console who has left since."""
    with database.write() as session:
        lead = add_member(session, name="سرپرست", role="supervisor")
        for shortcut, text in KEPT.items():
            save_canned(session, staff=lead, shortcut=shortcut, title="پیگیری", text=text)
        lead.disabled_at = utcnow()
