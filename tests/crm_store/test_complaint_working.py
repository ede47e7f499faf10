"""What members of staff do with a complaint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_store.base import utcnow
from crm_store.complaints import following, working
from crm_store.complaints.service import find_by_code
from crm_store.complaints.states import move
from crm_store.db import Database
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.persian import to_persian_digits
from crm_store.service_requests.models import ServiceRequest
from crm_store.tickets import codes
from tests.crm_store.complaint_case import DAY, NOW, Case
from tests.factories import RULES, a_conversation, a_group, a_member, rules_with
from tests.factories.notices import last_params, told

BY = {"actor": "operator", "rules": RULES, "now": NOW}


def test_being_assigned_acknowledges_a_complaint_and_is_no_response_yet(database: Database) -> None:
    with database.write() as session:
        desk = a_conversation(session)
        case, member = Case(session), a_member(session, chat=desk)
        working.assign(session, case.complaint, staff_id=member.id, **BY)
        assert (case.complaint.state, case.complaint.assignee_id) == ("acknowledged", member.id)
        assert case.told() == ["utter_complaint_acknowledged"]
        assert to_persian_digits(case.complaint.code) in case.read()
        assert case.clock("first_response") is not None
        assert told(session, desk.id) == ["utter_staff_complaint_assigned"]
        kinds = [(one.kind, one.actor, one.at) for one in case.timeline()[-2:]]
        assert kinds == [
            ("complaint.assigned", "operator", NOW),
            ("complaint.acknowledged", "operator", NOW),
        ]


def test_whoever_takes_a_complaint_up_themselves_is_not_told(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        desk = a_conversation(session)
        case, member = Case(session), a_member(session, chat=desk)
        actor = f"staff:{member.id}"
        working.assign(session, case.complaint, staff_id=member.id, actor=actor, rules=RULES)
        assert told(session, desk.id) == []


def test_the_next_assignee_is_told_and_the_customer_is_not_bothered_again(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        first, second = a_member(session), a_member(session)
        for staff_id in (first.id, second.id, second.id):
            working.assign(session, case.complaint, staff_id=staff_id, **BY)
        assert case.told() == ["utter_complaint_acknowledged"]
        data = [one.data for one in case.timeline() if one.kind == "complaint.assigned"]
        assert data == [
            {"staff_id": first.id, "former": None},
            {"staff_id": second.id, "former": first.id},
        ]


def test_only_who_works_here_gets_complaints_and_only_open_ones(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case, gone = Case(session), a_member(session)
        gone.disabled_at = utcnow()
        for staff_id in (gone.id, 4711):
            with pytest.raises(NotFound):
                working.assign(session, case.complaint, staff_id=staff_id, **BY)
        case.is_resolved()
        with pytest.raises(InvalidTransition):
            working.assign(session, case.complaint, staff_id=a_member(session).id, **BY)


def test_a_message_reaches_the_customer_and_is_a_response(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        note = working.write_to_customer(session, case.complaint, text=" پیک فردا می‌آید. ", **BY)
        assert (note.kind, note.author, note.text) == ("note", "operator", "پیک فردا می‌آید.")
        assert case.told() == ["utter_complaint_message"]
        assert "پیک فردا می‌آید." in case.read()
        assert case.clock("first_response") is None
        assert case.complaint.state == "received"


def test_an_internal_note_is_read_by_nobody_else(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        working.note_internally(session, case.complaint, text="سابقهٔ بدقولی پیک", **BY)
        assert case.told() == []
        assert case.clock("first_response") is not None
        assert [note.kind for note in case.notes()] == ["internal"]


def test_what_the_staff_move_by_hand_is_told_with_fitting_words(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        move(session, case.complaint, to="in_review", reason="تحویل گرفتم", **BY)
        case.is_resolved()
        move(session, case.complaint, to="in_review", reason="هنوز کار دارد", **BY)
        move(session, case.complaint, to="withdrawn", reason="مشتری زنگ زد", **BY)
        assert case.told() == [
            "utter_complaint_in_review",
            "utter_complaint_resolved_upheld",
            "utter_complaint_opened_again",
            "utter_complaint_taken_back",
        ]
        assert case.complaint.reopened_count == 1


@pytest.mark.parametrize("to", ["waiting_customer", "resolved"])
def test_a_question_and_a_decision_need_words(sqlite_database: Database, to: str) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        with pytest.raises(InvalidInput):
            move(session, case.complaint, to=to, **BY)
        assert (case.complaint.state, case.told()) == ("received", [])


def test_an_appealed_decision_is_looked_at_again_after_a_question_too(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        case.does(following.appeal, reason="نه")
        case.is_asked()
        case.does(following.answer_question, text="آبی")
        assert case.complaint.state == "in_review"


@pytest.mark.parametrize("text", ["", "  \n"])
@pytest.mark.parametrize(
    "service", [working.ask_customer, working.write_to_customer, working.note_internally]
)
def test_nothing_is_said_without_words(
    sqlite_database: Database, service: Callable[..., Any], text: str
) -> None:
    with sqlite_database.write() as session, pytest.raises(InvalidInput):
        service(session, Case(session).complaint, text=text, **BY)


def test_nobody_writes_about_what_was_taken_back(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.does(following.withdraw)
        for service in (working.ask_customer, working.write_to_customer):
            with pytest.raises(InvalidTransition):
                service(session, case.complaint, text="؟", **BY)


def test_a_priority_needs_to_be_one_and_to_have_a_reason(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        for priority, reason in (("highest", "x"), ("high", " ")):
            with pytest.raises(InvalidInput):
                working.set_priority(session, case.complaint, priority=priority, reason=reason, **BY)
        working.set_priority(session, case.complaint, priority="urgent", reason="مشتری قدیمی", **BY)
        entry = case.timeline()[-1]
        assert entry.data == {"from": "normal", "to": "urgent", "reason": "مشتری قدیمی"}


def test_a_cause_is_one_of_the_businesss(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        with pytest.raises(InvalidInput) as refused:
            working.set_cause(session, case.complaint, cause="bad luck", **BY)
        assert "carrier" in str(refused.value)
        working.set_cause(session, case.complaint, cause="packing", **BY)
        assert case.complaint.root_cause == "packing"
        assert case.timeline()[-1].data == {"from": "", "to": "packing"}


def test_the_staffs_notices_name_the_complaint_and_quote_nothing(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        group, groups = a_group(session)
        case = Case(session, story="رازی که به کسی نگفته‌ام")
        rules = rules_with(groups=groups)
        case.does(following.add_note, text="راز دیگر", rules=rules)
        assert set(last_params(session, group.id)) == {"code", "category"}


def test_later_than_now_is_when_it_was_last_changed(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        assert case.complaint.updated_at == NOW
        case.does(following.add_note, text="الف", now=NOW + DAY)
        assert case.complaint.updated_at == NOW + DAY


def test_the_staff_find_anybodys_complaint_by_its_code(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        code = case.complaint.code
        assert find_by_code(session, code=to_persian_digits(code)) is case.complaint
        for unknown in ("10000008", "hello"):
            with pytest.raises(NotFound):
                find_by_code(session, code=unknown)


def test_a_code_is_free_among_complaints_and_service_requests(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        request = ServiceRequest(
            code="20000004",
            customer_id=case.complaint.customer_id,
            conversation_id=case.chat.id,
            draft_id=case.complaint.draft_id,
            kind="repair",
        )
        session.add(request)
        session.flush()
        drawn = iter([case.complaint.code, "20000004", "30000001"])
        monkeypatch.setattr(codes, "new_tracking_code", lambda: next(drawn))
        assert codes.new_ticket_code(session) == "30000001"
        monkeypatch.setattr(codes, "new_tracking_code", lambda: "20000004")
        with pytest.raises(RuntimeError):
            codes.new_ticket_code(session)
