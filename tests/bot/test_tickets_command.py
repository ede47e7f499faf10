from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from bot.cli import main
from bot.commands import ticket_desk
from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.complaints.models import Compensation, Complaint, Problem
from crm_store.db import Database
from crm_store.migrate import upgrade
from crm_store.outbox import OutboxItem
from crm_store.persian import jalali_numeric, to_ascii_digits, to_persian_digits
from crm_store.service_requests.booking import free_slots
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import StaffMember
from crm_store.tickets.models import TicketNote
from tests.factories import RULES, a_complaint, a_conversation, a_member
from tests.factories.stores import sqlite_store
from tests.factories.tickets import a_clock, a_complaint_row, a_request_row, a_window

TEHRAN = ZoneInfo("Asia/Tehran")
DECIDED = ["--decision", "upheld", "--cause", "carrier", "--remedy", "refund", "--text", "پول شما برگشت."]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("PEYVAND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    with sqlite_store(tmp_path / "peyvand.db") as database:
        yield database


@pytest.fixture
def complaint(store: Database) -> Complaint:
    with store.write() as session:
        return a_complaint(session, a_conversation(session))


@pytest.fixture
def request_made(store: Database) -> ServiceRequest:
    with store.write() as session:
        return a_request_row(session, city="تهران", address="ولیعصر، پلاک ۱۲")


def run(*words: str, typed: str | None = None) -> Result:
    result = CliRunner().invoke(main, ["tickets", *words], input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def done(*words: str, typed: str | None = None) -> str:
    result = run(*words, typed=typed)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 2, result.output
    return result.output


def told(store: Database, response: str) -> list[dict[str, Any]]:
    with store.read() as session:
        notices = session.scalars(select(OutboxItem).order_by(OutboxItem.id)).all()
    return [item.content["params"] for item in notices if item.content["response"] == response]


def a_slot(starts: int = 0) -> datetime:
    kind = RULES.business.service_kind("repair")
    database = Database("sqlite:///:memory:")
    upgrade(database)
    with database.read() as session:
        starts_at = free_slots(session, kind=kind, rules=RULES, now=utcnow())[starts].starts_at
    database.dispose()
    return starts_at


def jalali(moment: datetime) -> str:
    return to_ascii_digits(f"{jalali_numeric(moment)} {moment.astimezone(TEHRAN):%H:%M}")


def test_tickets_are_listed_by_urgency_in_words_that_people_read(store: Database) -> None:
    assert "there is no such ticket" in done("list")
    with store.write() as session:
        mina = a_member(session, name="مینا")
        urgent = a_request_row(session, priority="urgent", technician_id=mina.id, state="assigned")
        plain = a_complaint_row(session)
        a_complaint_row(session, state="closed")
        a_clock(session, plain, datetime(2026, 3, 21, 9, tzinfo=TEHRAN))
    listed = done("list")
    assert listed.index(urgent.code) < listed.index(plain.code)
    for shown in ("تعمیر", "تحویل سفارش", "سارا", "مینا", "nobody", "۱۴۰۵/۰۱/۰۱ ۰۹:۰۰", "2 tickets"):
        assert shown in listed
    assert plain.code not in done("list", "--assignee", str(mina.id))
    assert urgent.code not in done("list", "--overdue")
    assert urgent.code not in done("list", "--unassigned")
    assert urgent.code not in done("list", "--kind", "complaint")
    assert "1 ticket\n" in done("list", "--state", "closed")
    assert "received, acknowledged" in refused("list", "--state", "gone")


def test_a_ticket_is_shown_with_everything_around_it(store: Database) -> None:
    with store.write() as session:
        mina = a_member(session, name="مینا")
        conversation = a_conversation(session)
        complaint = a_complaint(
            session,
            conversation,
            story="پیک [bold]دیر[/] آمد\x1b[31m",
            order_number="۱۲۳۴۵",
            signals=["anger"],
        )
        complaint.assignee_id = mina.id
        for kind, text in (("note", "عکسش را فرستادم"), ("internal", "بررسی شد")):
            note = {"subject_type": "complaint", "subject_id": complaint.id, "kind": kind, "text": text}
            session.add(TicketNote(**note, author=f"staff:{mina.id}"))
        record_activity(
            session,
            customer_id=complaint.customer_id,
            kind="complaint.in_review",
            actor=f"staff:{mina.id}",
            subject_type="complaint",
            subject_id=complaint.id,
            data={"from": "received", "reason": "نوبتش شد", "inbox_id": 7},
        )
    shown = done("show", to_persian_digits(complaint.code))
    for part in (
        f"complaint {complaint.code}  received  high",
        "\u2068پیک [bold]دیر[/] آمد",
        "خشم در گفتار",
        "موضوع شکایت (تحویل سفارش)",
        "۱۲۳۴۵",
        "عکسش را فرستادم",
        "internal",
        "first_response",
        "in review",
        "(from received)",
        "نوبتش شد",
        f"{mina.id} مینا",
    ):
        assert part in shown, part
    assert "\x1b" not in shown
    assert "inbox" not in shown
    assert "no ticket has this code" in refused("show", "12345678")


def test_a_service_request_is_shown_with_its_visit(store: Database) -> None:
    with store.write() as session:
        window = a_window(session, utcnow() + timedelta(days=400))
        request = a_request_row(
            session,
            window_id=window.id,
            state="cancelled",
            reason="price",
            answers=[{"question": "مدل دستگاه؟", "answer": "۲۰۰۳"}],
            rating=4,
            rating_scale=5,
        )
    shown = done("show", request.code)
    for part in ("service request", "cancelled", "مدل دستگاه؟", "۲۰۰۳", "هزینه‌اش زیاد است", "4 of 5", "تا"):
        assert part in shown, part


def test_long_texts_wrap_and_every_line_has_a_direction_of_its_own(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with store.write() as session:
        complaint = a_complaint_row(session, description="پیک شما غذا را یخ‌زده آورد. " * 9)
    lines = done("show", complaint.code).splitlines()
    told_in = [line for line in lines if "یخ‌زده" in line]
    assert len(told_in) > 2
    assert all(line.count("\u2068") == line.count("\u2069") == 1 for line in told_in)
    assert all(len(line.strip("\u2068\u2069 ")) <= 60 for line in lines)


def test_a_complaint_is_given_to_somebody_and_worked_on(store: Database, complaint: Complaint) -> None:
    with store.write() as session:
        mina = a_member(session, name="مینا")
    code, number = complaint.code, str(mina.id)
    assert f"{code}: acknowledged, with {number} مینا" in done("assign", code, number)
    assert "in_review" in done("move", code, "in_review", "--reason", "نوبتش شد", "--as", number)
    assert "waiting_customer" in done("ask", code, "عکس دارید؟", "--as", number)
    done("write", code, "به‌زودی خبر می‌دهیم.", "--as", number)
    done("note", code, "تلفنی هم گفت", "--as", number)
    assert told(store, "utter_complaint_question")[0]["question"] == "عکس دارید؟"
    assert told(store, "utter_complaint_message")[0]["message"] == "به‌زودی خبر می‌دهیم."
    with store.read() as session:
        notes = session.scalars(select(TicketNote).order_by(TicketNote.id)).all()
    assert [(note.kind, note.author) for note in notes] == [
        (kind, f"staff:{number}") for kind in ("question", "note", "internal")
    ]
    shown = done("show", code)
    assert "question (open)" in shown
    assert "نوبتش شد" in shown


def test_giving_a_ticket_to_somebody_who_cannot_be_reached_is_pointed_out(
    store: Database, complaint: Complaint, request_made: ServiceRequest
) -> None:
    with store.write() as session:
        omid = a_member(session, name="امید", role="technician")
        mina = a_member(session, name="مینا", chat=a_conversation(session))
    assert "cannot be reached in chat" in done("assign", request_made.code, str(omid.id))
    assert f"peyvand staff link {omid.id}" in done("assign", complaint.code, str(omid.id))
    assert "cannot be reached" not in done("assign", complaint.code, str(mina.id))


def test_a_request_is_given_to_a_technician_and_worked_on(
    store: Database, request_made: ServiceRequest
) -> None:
    with store.write() as session:
        omid = a_member(session, name="امید", role="technician")
    code, slot = request_made.code, a_slot()
    scheduled = done("schedule", code, "--at", to_persian_digits(jalali(slot)))
    assert f"{code}: scheduled, {to_persian_digits(jalali(slot))}" in scheduled
    assert "assigned" in done("assign", code, str(omid.id))
    done("write", code, "تکنسین ما می‌آید.")
    done("note", code, "زنگ خراب است")
    day = jalali(slot).partition(" ")[0]
    visits = done("visits", "--day", day)
    for part in (code, "assigned", "امید", "تعمیر", "تهران ولیعصر، پلاک ۱۲"):
        assert part in visits, part
    assert code in done("visits", "--day", day, "--technician", str(omid.id))
    assert "no visit" in done("visits", "--day", day, "--technician", str(omid.id + 1))
    assert "from assigned to cancelled" in done("move", code, "cancelled", "--reason", "تکنسین بیمار است")
    assert told(store, "utter_service_message")[0]["message"] == "تکنسین ما می‌آید."
    assert "زنگ خراب است" in done("show", code)


def test_what_is_impossible_is_refused_with_what_is_possible(
    store: Database, complaint: Complaint, request_made: ServiceRequest
) -> None:
    said = refused("move", complaint.code, "closed")
    assert "possible from here: acknowledged, in_review, withdrawn" in said
    for state, command in (("resolved", "resolve"), ("waiting_customer", "ask")):
        assert f"peyvand tickets {command} {complaint.code}" in refused("move", complaint.code, state)
    assert "possible from here: scheduled, assigned, cancelled" in refused("move", request_made.code, "done")
    assert "there are: received" in refused("move", complaint.code, "done")
    assert "there are: requested" in refused("move", request_made.code, "closed")
    with store.read() as session:
        assert session.get_one(Complaint, complaint.id).state == "received"


def test_mistakes_are_explained(store: Database, complaint: Complaint, request_made: ServiceRequest) -> None:
    with store.write() as session:
        former = a_member(session)
        former.disabled_at = utcnow()
    code, service = complaint.code, request_made.code
    assert "is a service request" in refused("ask", service, "کی؟")
    assert "is a complaint" in refused("schedule", code, "--at", "1405/09/10 09:00")
    for moment in ("2026-11-27 09:00", "1405/09/10", "1405/13/10 09:00", "فردا"):
        assert "must be written like" in refused("schedule", service, "--at", moment)
    assert "must be a Jalali date" in refused("visits", "--day", "2026/11/27")
    assert "no member of staff has the number 99" in refused("note", code, "یادداشت", "--as", "99")
    assert "does not work here" in refused("note", code, "یادداشت", "--as", str(former.id))
    assert "no such member of staff" in refused("assign", code, "99")
    assert "no words" in refused("write", code, "  ")
    assert "nothing to keep" in refused("note", service, " ")
    assert "no ticket has this code" in refused("assign", "87654321", "1")


def test_a_priority_and_a_cause_are_corrected(store: Database, complaint: Complaint) -> None:
    assert "urgent" in done("priority", complaint.code, "urgent", "--reason", "بیمار است")
    assert "carrier" in done("cause", complaint.code, "carrier")
    shown = done("show", complaint.code)
    assert "تشخیص همکار (operator, بیمار است)" in shown
    assert "تأخیر یا خطای شرکت ارسال" in shown
    assert "known are: carrier" in refused("cause", complaint.code, "weather")


def test_a_complaint_is_decided_by_options(store: Database, complaint: Complaint) -> None:
    assert "resolved, upheld; the customer is told" in done("resolve", complaint.code, *DECIDED)
    assert len(told(store, "utter_complaint_resolved_upheld")) == 1
    shown = done("show", complaint.code)
    assert "پول شما برگشت." in shown
    assert "پس‌گرفتن پول" in shown
    assert "possible from here: in_review, closed" in refused("resolve", complaint.code, *DECIDED)


def test_what_a_decision_lacks_is_asked_for_at_a_terminal_only(
    store: Database, complaint: Complaint, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "nobody can be asked" in refused("resolve", complaint.code)
    assert "--text" in refused("resolve", complaint.code, *DECIDED[:-2])
    assert "none of upheld" in refused("resolve", complaint.code, "--decision", "maybe")
    assert "not both" in refused("resolve", complaint.code, *DECIDED, "--points", "1", "--tomans", "1")
    monkeypatch.setattr(ticket_desk, "can_ask", lambda: True)
    answers = ("maybe", "partly_upheld", "packing", "none", "بسته‌بندی را عوض کردیم.")
    asked = done("resolve", complaint.code, typed="\n".join(answers) + "\n")
    assert "تأخیر یا خطای شرکت ارسال" in asked
    assert "resolved, partly_upheld" in asked
    with store.read() as session:
        found = session.get_one(Complaint, complaint.id)
        assert (found.state, found.root_cause) == ("resolved", "packing")


def test_more_than_a_role_may_grant_waits_for_approval(store: Database, complaint: Complaint) -> None:
    with store.write() as session:
        agent, supervisor = (str(a_member(session, role=role).id) for role in ("agent", "supervisor"))
    assert "no compensation waits" in done("compensations")
    decided = done("resolve", complaint.code, *DECIDED, "--tomans", "300000", "--as", agent)
    assert "waits for approval: peyvand tickets approve 1" in decided
    assert told(store, "utter_complaint_resolved_upheld") == []
    listed = done("compensations")
    for part in (complaint.code, "waiting", "۳۰۰٬۰۰۰ تومان", f"staff:{agent}"):
        assert part in listed, part
    assert "their own request" in refused("approve", "1", "--as", agent)
    assert "granted" in done("approve", "1", "--as", supervisor)
    assert len(told(store, "utter_complaint_resolved_upheld")) == 1
    assert "settled" in done("compensations", "--settle", "1")
    assert "only what is granted" in refused("compensations", "--settle", "1")
    assert "no compensation has the number 9" in refused("approve", "9")


def test_a_refused_compensation_leaves_the_decision_open(store: Database, complaint: Complaint) -> None:
    with store.write() as session:
        agent = str(a_member(session).id)
    done("resolve", complaint.code, *DECIDED, "--points", "900", "--as", agent)
    assert "waits for approval" in refused("resolve", complaint.code, *DECIDED)
    assert "refused" in done("refuse", "1", "--reason", "زیاد است")
    with store.read() as session:
        assert session.scalars(select(Compensation.state)).all() == ["refused"]
        assert session.get_one(Complaint, complaint.id).state == "received"
    assert "900 points (1, refused)" in done("show", complaint.code)


def test_a_problem_is_answered_once_for_all_and_closed(store: Database) -> None:
    assert "no open problem" in done("problems")
    with store.write() as session:
        problem = Problem(cause="category:delivery")
        session.add(problem)
        session.flush()
        cases = [a_complaint_row(session, problem_id=problem.id) for _ in range(2)]
    assert "on its way to 2 chats" in done("problems", "answer", "1", "همهٔ بسته‌ها فردا می‌رسند.")
    listed = done("problems")
    for part in ("category:delivery", "تحویل سفارش", "2", "همهٔ بسته‌ها فردا می‌رسند."):
        assert part in listed, part
    assert "1 تحویل سفارش (open)" in done("show", cases[0].code)
    assert "closed" in done("problems", "close", "1")
    assert "no open problem" in done("problems")
    assert "closed already" in refused("problems", "close", "1")
    assert "no problem has the number 2" in refused("problems", "answer", "2", "سلام")


def test_who_acts_stands_in_the_timeline(store: Database, complaint: Complaint) -> None:
    with store.write() as session:
        mina = a_member(session, name="مینا")
    done("move", complaint.code, "in_review", "--as", str(mina.id))
    done("move", complaint.code, "withdrawn", "--reason", "خودش گفت")
    with store.read() as session:
        assert session.get_one(StaffMember, mina.id).name in done("show", complaint.code)
    timeline = done("show", complaint.code)
    assert "operator" in timeline
    assert "خودش گفت" in timeline
