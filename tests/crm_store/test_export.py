"""The file of everything held about a customer."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.db import Database
from crm_store.errors import NotFound
from crm_store.learning.phrases import LearnedPhrases
from crm_store.learning.service import object_to_learning
from crm_store.persian import to_persian_digits
from crm_store.privacy.export import PAGE, ExportFile, Names, make_export
from tests.factories import a_conversation, an_inbox_id
from tests.factories.person import MINA, OMID, seed

NAMES = Names(
    business="فروشگاه آفتاب",
    categories={"delivery": "ارسال و تحویل"},
    remedies={"refund": "برگشت پول"},
    states={"received": "در انتظار بررسی"},
)
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=timezone.utc)


def export(session: Session, chat: Conversation, folder: Path, **limits: Any) -> ExportFile:
    return make_export(
        session,
        customer_id=customer_of(chat),
        names=NAMES,
        folder=folder,
        timezone="Asia/Tehran",
        now=NOW,
        **limits,
    )


def page_of(made: ExportFile) -> str:
    if made.file_name.endswith(".html"):
        return made.content.decode()
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        return archive.read(PAGE).decode()


def data_in(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="everything">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_everything_about_the_customer_stands_on_the_page(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        seed(session, OMID, tmp_path)
        page = page_of(export(session, chat, tmp_path))
    for told in (MINA.name, MINA.username, MINA.street, MINA.story, MINA.topic, MINA.order):
        assert told in page
    for shown in (to_persian_digits(f"+98{MINA.phone}"), "۱ فروردین ۱۳۶۹", "یکشنبه ۱ آذر ۱۴۰۵"):
        assert shown in page
    for named in ("ارسال و تحویل", "برگشت پول", "در انتظار بررسی", "فروشگاه آفتاب", "لغو ۱۱"):
        assert named in page
    assert not [word for word in OMID.words if word in page]
    shown, _, _ = page.partition("<script")
    assert not re.findall(r"(?:customer|complaint|callback|consent|privacy)\.[a-z]\w+", shown)


def test_the_page_is_persian_and_needs_nothing_else(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        made = export(session, a_conversation(session), tmp_path)
    page = page_of(made)
    assert made.file_name == "my-data-1405-09-01.html"
    assert '<html lang="fa" dir="rtl">' in page
    assert 'name="viewport"' in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_what_was_written_is_never_markup(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        said = '</script><script>alert(1)</script> & <b>"سلام"</b>'
        conversations.add_message(session, conversation_id=chat.id, author="customer", text=said)
        page = page_of(export(session, chat, tmp_path))
    assert page.count("<script") == 1
    assert page.count("</script") == 1
    assert data_in(page)["messages"][0]["text"] == said


def test_machines_read_every_row_and_nothing_about_others(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        data = data_in(page_of(export(session, chat, tmp_path)))
    assert data["complaints"][0]["description"] == MINA.story
    assert data["learning"][0]["text"] == f"{MINA.topic} 09120000000"
    assert {one["value"] for one in data["phones"]} >= {f"+98{MINA.phone}", f"+98{MINA.second_phone}"}
    assert any(MINA.story in update["payload"].values() for update in data["updates"])
    assert {"customer.viewed", "customer.merge"} <= {entry["action"] for entry in data["accesses"]}
    assert {entry["actor"] for entry in data["accesses"]} <= {"staff", "customer", "operator"}
    assert "holder_id" not in json.dumps(data)


def test_an_objection_to_learning_is_no_objection_to_advertising(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        learned = LearnedPhrases(tmp_path / "nlu.yml")
        object_to_learning(session, customer_id=customer_of(chat), learned=learned, actor="operator")
        page = page_of(export(session, chat, tmp_path))
    assert "مخالفت با یادگیری از پیام‌ها" in page
    assert "یادگیری از پیام‌ها: <b>خیر</b>" in page
    assert "مخالفت با پیام‌های تبلیغاتی" not in page


def test_files_are_packed_with_the_page_and_linked_from_it(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        made = export(session, seed(session, MINA, tmp_path), tmp_path)
    assert made.file_name.endswith(".zip")
    assert made.left_out == 0
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        name = next(name for name in archive.namelist() if name != PAGE)
        assert archive.read(name).decode() == f"{MINA.name}: {MINA.story}"
    assert f'href="{name}"' in page_of(made)


def test_of_too_many_files_the_oldest_are_left_out_and_the_page_says_so(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        for number in range(3):
            (tmp_path / f"{number}.bin").write_bytes(b"x" * 400)
            conversations.add_attachment(
                session,
                conversation_id=chat.id,
                inbox_id=an_inbox_id(session, chat),
                kind="photo",
                path=f"{number}.bin",
            )
        made = export(session, chat, tmp_path, size_limit=900)
    assert made.left_out == 1
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert len(archive.namelist()) == 3
    assert "۱ فایل قدیمی‌تر" in page_of(made)


def test_a_file_that_is_no_longer_there_breaks_nothing(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        row = an_inbox_id(session, chat)
        conversations.add_attachment(
            session, conversation_id=chat.id, inbox_id=row, kind="photo", path="gone.jpg"
        )
        assert export(session, chat, tmp_path).file_name.endswith(".html")


def test_nobody_has_no_file(database: Database, tmp_path: Path) -> None:
    with database.read() as session, pytest.raises(NotFound):
        make_export(session, customer_id=7, names=NAMES, folder=tmp_path, timezone="Asia/Tehran")
