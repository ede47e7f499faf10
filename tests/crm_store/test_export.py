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

from crm_store.complaints.models import STATES as COMPLAINT_STATES
from crm_store.complaints.models import Complaint
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.errors import NotFound
from crm_store.learning.phrases import LearnedPhrases
from crm_store.learning.service import object_to_learning
from crm_store.persian import to_persian_digits
from crm_store.privacy.export import PAGE, ExportFile, Names, make_export
from crm_store.service_requests.models import STATES as REQUEST_STATES
from crm_store.service_requests.states import EVENTS, RESCHEDULED, UNASSIGNED
from crm_store.settings import PROJECT_ROOT
from crm_store.tickets.models import TicketNote
from tests.factories import a_conversation, an_inbox_id
from tests.factories.person import MINA, OMID, seed
from tests.factories.person_cases import a_technician

NAMES = Names(
    business="فروشگاه آفتاب",
    categories={"delivery": "ارسال و تحویل"},
    remedies={"refund": "برگشت پول"},
    states={"received": "در انتظار بررسی"},
    decisions={"partly_upheld": "تا اندازه‌ای پذیرفته شد"},
    causes={"carrier": "خطای پیک"},
    services={"repair": "تعمیر در محل"},
    service_states={"assigned": "همکار ما تعیین شده است", "done": "انجام شده است"},
)
PRIVACY = PROJECT_ROOT / "crm_store" / "privacy"
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
    assert not re.findall(r"(?:customer|complaint|service_request|callback|consent|privacy)\.[a-z]\w+", shown)


def test_what_became_of_a_complaint_stands_on_the_page(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        page = page_of(export(session, seed(session, MINA, tmp_path), tmp_path))
    shown, _, _ = page.partition("<script")
    for told in (MINA.question, MINA.reply, MINA.finding, "۲۵۰ امتیاز"):
        assert told in shown
    for named in ("پرسش ما", "پاسخ شما", "تا اندازه‌ای پذیرفته شد", "خطای پیک", "نتیجهٔ نهایی"):
        assert named in shown
    assert "gold" in shown


def test_what_staff_wrote_for_each_other_and_what_is_not_decided_yet_is_not_told(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        complaint = session.query(Complaint).one()
        internal = session.query(TicketNote).filter_by(kind="internal", subject_type="complaint").one()
        file = conversations.add_attachment(
            session,
            conversation_id=a_technician(session).id,
            inbox_id=an_inbox_id(session, chat),
            kind="document",
            file_name="for-us-only.txt",
        )
        file.complaint_id, file.note_id = complaint.id, internal.id
        session.flush()
        page = page_of(export(session, chat, tmp_path))
    assert MINA.remark not in page
    assert "for-us-only" not in page
    data = data_in(page)
    assert [one["kind"] for one in data["notes"]] == ["question", "answer", "note"]
    assert [one["amount"] for one in data["compensations"]] == [250]
    assert [one["state"] for one in data["resolutions"]] == ["told"]
    assert {one["author"] for one in data["notes"]} == {"operator", "customer", "staff"}
    assert data["complaints"][0]["priority_reasons"] == [{"reason": "category"}, {"reason": "staff"}]


def test_what_people_talked_about_and_noted_down_stands_on_the_page_and_no_whisper(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        page = page_of(export(session, chat, tmp_path))
    for words in (MINA.wish, MINA.agreed, MINA.noted):
        assert words in page
    assert MINA.whisper not in page
    held = data_in(page)
    assert held["staff_notes"][0].keys().isdisjoint({"staff_id", "is_pinned"})
    assert held["handoffs"][0].keys().isdisjoint({"owner_id", "offered_to_id", "urgency"})


def test_visits_stand_on_the_page_with_the_technicians_photo(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        made = export(session, seed(session, MINA, tmp_path), tmp_path)
    page = page_of(made)
    shown, _, _ = page.partition("<script")
    for told in (MINA.fault, MINA.device, MINA.city, MINA.home, "۴ از ۵"):
        assert told in shown
    assert MINA.outcome not in page, "the technician wrote it for the colleagues"
    for named in ("تعمیر در محل", "همکار ما تعیین شده است", "انجام شده است", "نخستین پاسخ ما"):
        assert named in shown
    assert "شنبه ۲۰ اردیبهشت ۱۴۱۰، ساعت ۱۴:۰۰" in shown
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        files = [archive.read(name).decode() for name in archive.namelist() if name != PAGE]
    assert f"{MINA.home}: {MINA.outcome}" in files
    data = data_in(page)
    assert [one["state"] for one in data["requests"]] == ["assigned", "done"]
    assert not {"technician_id", "assignee_id", "booked", "policy", "requested_by"} & {
        key for rows in data.values() for row in rows for key in row
    }


def test_whoever_works_here_is_told_so_and_gets_no_files_of_other_peoples_cases(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        made = export(session, a_technician(session), tmp_path)
    assert made.file_name.endswith(".html")
    assert "حساب همکار" in page_of(made)
    assert "کاوه مرادی" in page_of(made)
    assert data_in(page_of(made))["attachments"] == []


def test_a_form_that_is_half_filled_is_shown_without_what_only_the_form_needs(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        told = {
            "kind": "repair",
            "problem": "آب نمی‌دهد",
            "answers": [{"question": "طبقه؟", "answer": "سوم"}],
            "window": "2026-11-22T10:30:00+00:00",
            "asking": "address",
        }
        session.add(Draft(conversation_id=chat.id, kind="service_request", data=told))
        session.flush()
        page = page_of(export(session, chat, tmp_path))
    shown, _, _ = page.partition("<script")
    for said in ("درخواست خدمات", "تعمیر در محل", "آب نمی‌دهد", "طبقه؟: سوم"):
        assert said in shown
    assert "2026-11-22" not in shown
    assert ">address<" not in shown


def test_everything_that_happens_to_a_case_has_a_name() -> None:
    template = (PRIVACY / "templates" / "export.html").read_text(encoding="utf-8")
    for area, states in (("complaint", COMPLAINT_STATES), ("service_request", REQUEST_STATES)):
        folder = PRIVACY.parent / f"{area}s"
        code = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))
        noted = re.findall(r'note_?\w*\(\s*session,\s*\w+,\s*"(\w+)"', code)
        happens = {*noted, *states} - {"received", "requested", "on_the_way"}  # these come with another event
        happens |= {*EVENTS.values(), RESCHEDULED, UNASSIGNED} if area == "service_request" else set()
        assert {event for event in happens if f'"{area}.{event}"' not in template} == set()


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
        files = {archive.read(name).decode(): name for name in archive.namelist() if name != PAGE}
    for content in (f"{MINA.name}: {MINA.story}", MINA.agreed):  # from the customer, and from the staff
        assert f'href="{files[content]}"' in page_of(made)


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
