"""The product as its operator sees it: start, outage, PostgreSQL, clear errors, clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import create_engine, make_url

from crm_store.complaints.models import Complaint
from crm_store.settings import PROJECT_ROOT
from tests.conversations.matcher import ResponseMatcher
from tests.e2e.customers import Customer
from tests.e2e.product import Product
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.thread_runner import ThreadRunner

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(600)]


def peyvand(*arguments: str, settings: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | settings,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_port_in_use_is_one_clear_line(tmp_path: Path, trained_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = peyvand("up", settings={"PEYVAND_DATA_DIR": str(tmp_path), "PEYVAND_HTTP_PORT": port})
    assert ended.returncode == 2
    (line,) = ended.stderr.strip().splitlines()
    assert "PEYVAND_HTTP_PORT" in line
    assert port in line


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PEYVAND_HTTP_PORT", "eighty"),
        ("PEYVAND_TELEGRAM_MODE", "carrier-pigeon"),
        ("PEYVAND_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none"),
        ("PEYVAND_DATA_DIR", "/proc/nowhere"),
        ("PEYVAND_CONFIG", "/nonexistent/peyvand.toml"),
    ],
)
def test_a_wrong_setting_is_one_clear_line_that_names_it(
    tmp_path: Path, trained_model: Path, variable: str, value: str
) -> None:
    ended = peyvand("up", settings={"PEYVAND_DATA_DIR": str(tmp_path), variable: value})
    assert ended.returncode == 2
    (line,) = ended.stderr.strip().splitlines()
    assert variable in line


def test_a_terminal_conversation_with_piped_lines_files_a_complaint(
    tmp_path: Path, trained_model: Path
) -> None:
    lines = "سلام\nپیک شما غذا رو یخ‌زده آورد، سفارش ۱۲۳۴۵، پولمو می‌خوام\n۱\n۱\n"
    settings = {"PEYVAND_DATA_DIR": str(tmp_path), "PEYVAND_LIMITS_NOTICE_AFTER_SECONDS": "60"}
    ended = peyvand("chat", settings=settings, stdin=lines)
    assert ended.returncode == 0, ended.stderr
    names = ResponseMatcher().names
    blocks = ended.stdout.split("\n> ")
    assert len(blocks) == 4
    product = Product(tmp_path)
    with product.database().read() as session:
        complaint = session.scalars(select(Complaint)).one()
    assert complaint.category == "delivery"
    *filed, promised = blocks[-1].strip().split("\n")[1:]
    assert "utter_complaint_filed" in names("\n".join(filed))
    assert "utter_complaint_answer_due" in names(promised)


def test_the_same_conversation_works_on_postgresql(
    tmp_path: Path, trained_model: Path, postgres_url: str
) -> None:
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE product"))
    url = make_url(postgres_url).set(database="product").render_as_string(hide_password=False)
    with FakeBotApi.start_in_thread() as telegram:
        product = Product(
            tmp_path,
            {
                "PEYVAND_DATABASE_URL": url,
                "PEYVAND_TELEGRAM_TOKEN": telegram.fake.token,
                "PEYVAND_TELEGRAM_BASE_URL": telegram.fake.base_url,
            },
        )
        product.start()
        telegram.run(Customer(telegram, number=3).complain(), timeout=120)
        database = product.database()
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(Complaint)) == 1
        database.dispose()
        assert product.stop() == 0
    admin.dispose()


@pytest.fixture
def own_product(tmp_path: Path, trained_model: Path) -> Iterator[tuple[Product, ThreadRunner[FakeBotApi]]]:
    with FakeBotApi.start_in_thread() as telegram:
        settings = {
            "PEYVAND_TELEGRAM_TOKEN": telegram.fake.token,
            "PEYVAND_TELEGRAM_BASE_URL": telegram.fake.base_url,
            "PEYVAND_LIMITS_NOTICE_AFTER_SECONDS": "1",
        }
        product = Product(tmp_path, settings)
        product.start()
        yield product, telegram
        product.stop()


@pytest.mark.parametrize("role", ["rasa", "actions"])
def test_during_an_outage_the_person_is_told_once_and_answered_when_it_is_over(
    own_product: tuple[Product, ThreadRunner[FakeBotApi]], role: str
) -> None:
    product, telegram = own_product
    names = ResponseMatcher().names
    user = telegram.fake.user(42, "سارا")
    os.kill(product.pid(role), signal.SIGSTOP)  # it hangs: worse than being gone
    telegram.run(telegram.fake.send_text(user, "میخوام با یه آدم حرف بزنم"))
    told = telegram.run(telegram.fake.wait_for_messages(42, 1, 60))
    assert "utter_trouble" in names(told[0].plain)
    time.sleep(3)
    assert len(telegram.fake.messages(42)) == 1
    os.kill(product.pid(role), signal.SIGCONT)
    answers = telegram.run(telegram.fake.wait_for_messages(42, 2, 90))
    assert names(answers[1].plain) & {"utter_offer_callback", "utter_handoff_closed"}  # by day, by night


def test_ctrl_c_ends_every_process_and_a_new_start_works(
    own_product: tuple[Product, ThreadRunner[FakeBotApi]],
) -> None:
    product, telegram = own_product
    processes = [product.pid(role) for role in product.roles()]
    assert product.stop() == 0
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    product.start()
    telegram.run(Customer(telegram, number=8).complain(), timeout=120)
