"""What customers do with a complaint of theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity
from crm_store.complaints import following, resolution, working
from crm_store.complaints.jobs import handlers
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.complaints.states import move
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.service import add_attachment
from crm_store.db import Database
from crm_store.errors import InvalidInput, InvalidTransition, NotFound, TooLate
from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import run_due
from crm_store.persian import to_persian_digits
from crm_store.tickets.notes import open_question
from tests.crm_store.complaint_case import DAY, NOW, Case
from tests.factories import RULES, a_complaint, a_conversation, a_group, a_member, an_inbox_id, rules_with
from tests.factories.notices import last_params, notices_to, rendered, told


def a_file(session: Session, conversation: Conversation, kind: str = "photo") -> Attachment:
    inbox_id = an_inbox_id(session, conversation)
    return add_attachment(session, conversation_id=conversation.id, inbox_id=inbox_id, kind=kind, path="a")


# Notes


def test_words_photo_and_voice_are_kept_with_the_complaint_and_change_no_state(database: Database) -> None:
    with database.write() as session:
        case = Case(session)
        files = [a_file(session, case.chat), a_file(session, case.chat, "voice")]
        case.does(following.add_note, text=" این هم فاکتور ", attachment_ids=[one.id for one in files])
        (note,) = case.notes()
        assert (note.kind, note.author, note.text) == ("note", "customer", "این هم فاکتور")
        assert {(one.complaint_id, one.note_id) for one in files} == {(case.complaint.id, note.id)}
        assert case.complaint.state == "received"
        assert case.timeline()[-1].kind == "complaint.note_added"


def test_files_of_others_and_of_another_ticket_stay_where_they_are(database: Database) -> None:
    with database.write() as session:
        case, other = Case(session), Case(session)
        foreign, placed = a_file(session, other.chat), a_file(session, case.chat)
        second = a_complaint(session, case.chat)
        placed.complaint_id = second.id
        case.does(following.add_note, text="ببینید", attachment_ids=[foreign.id, placed.id])
        assert (foreign.complaint_id, foreign.note_id) == (None, None)
        assert (placed.complaint_id, placed.note_id) == (second.id, None)


def test_the_same_message_adds_once(database: Database) -> None:
    with database.write() as session:
        case = Case(session)
        inbox_id = an_inbox_id(session, case.chat)
        for _ in range(2):
            case.does(following.add_note, text="یک چیز دیگر", inbox_id=inbox_id)
        assert len(case.notes()) == 1


def test_nothing_is_no_note(sqlite_database: Database) -> None:
    with sqlite_database.write() as session, pytest.raises(InvalidInput):
        Case(session).does(following.add_note, text="  ")


def test_a_note_waits_for_a_response_once_the_first_one_was_given(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.does(following.add_note, text="الف")
        assert case.clock("next_response") is None
        working.write_to_customer(session, case.complaint, text="ب", actor="staff:1", rules=RULES, now=NOW)
        case.does(following.add_note, text="ج", now=NOW + DAY)
        clock = case.clock("next_response")
        assert clock is not None
        assert clock.started_at == NOW + DAY


def test_a_note_on_a_resolved_complaint_is_kept_puts_off_the_closing_and_does_not_reopen(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        case.does(following.add_note, text="ممنون، این هم رسید", now=NOW + 2 * DAY)
        assert (case.complaint.state, case.complaint.reopened_count) == ("resolved", 0)
        job = session.query(ScheduledJob).one()
        assert (job.kind, job.due_at) == ("complaint_close", NOW + 5 * DAY)


def test_a_complaint_that_is_over_takes_no_notes(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        closed, gone = Case(session), Case(session)
        closed.is_resolved()
        closed.does(following.confirm_solved)
        assert closed.does(following.add_note, text="الف", now=NOW + 14 * DAY).state == "closed"
        with pytest.raises(TooLate):
            closed.does(following.add_note, text="ب", now=NOW + 15 * DAY)
        gone.does(following.withdraw)
        with pytest.raises(InvalidTransition):
            gone.does(following.add_note, text="ب")


# Questions and answers


def test_a_question_goes_out_in_chat_and_stops_the_clocks_until_the_answer(database: Database) -> None:
    with database.write() as session:
        case = Case(session)
        question = case.is_asked("شمارهٔ سریال چیست؟")
        assert case.complaint.state == "waiting_customer"
        assert case.told() == ["utter_complaint_question"]
        shown = rendered(notices_to(session, case.chat.id)[0])
        assert "شمارهٔ سریال چیست؟" in shown.text
        assert shown.buttons[0]["payload"] == f'/answer_staff{{"ticket": "{case.complaint.code}"}}'
        assert case.clock("first_response") is None, "a question is a response"
        clock = case.clock("resolution")
        assert clock is not None
        assert clock.state == "paused"
        photo, later = a_file(session, case.chat), NOW + 2 * DAY
        case.does(following.answer_question, text="۱۲۳۴", attachment_ids=[photo.id], now=later)
        assert case.complaint.state == "in_review"
        answer = case.notes()[-1]
        assert (answer.kind, answer.text, photo.note_id) == ("answer", "۱۲۳۴", answer.id)
        assert question.answered_at == later
        assert clock.state == "running"
        assert clock.due_at > NOW + 3 * DAY, "the pause is given back"
        assert case.clock("next_response") is not None
        assert case.told() == ["utter_complaint_question"], "the dialogue says the rest"


def test_one_answer_answers_all_open_questions(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        questions = [case.is_asked("رنگ؟"), case.is_asked("اندازه؟")]
        assert case.told() == ["utter_complaint_question"] * 2
        about = {"subject_type": "complaint", "subject_id": case.complaint.id}
        assert open_question(session, **about) is questions[1]
        case.does(following.answer_question, text="آبی، بزرگ")
        assert [question.answered_at for question in questions] == [NOW, NOW]
        with pytest.raises(InvalidTransition):
            case.does(following.answer_question, text="سبز")


def test_an_answer_is_told_to_the_assignee_and_to_the_group_if_they_cannot_be_reached(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        group, groups = a_group(session)
        rules, desk = rules_with(groups=groups), a_conversation(session)
        case = Case(session)
        member = a_member(session, chat=desk)
        case.is_asked()
        case.does(following.answer_question, text="آبی", rules=rules)
        assert told(session, group.id) == ["utter_staff_complaint_answered"]
        working.assign(session, case.complaint, staff_id=member.id, actor="operator", rules=rules)
        case.is_asked()
        case.does(following.answer_question, text="سبز", rules=rules)
        assert told(session, desk.id) == ["utter_staff_complaint_assigned", "utter_staff_complaint_answered"]
        assert len(told(session, group.id)) == 1
        assert last_params(session, desk.id)["code"] == to_persian_digits(case.complaint.code)
        assert all("سبز" not in str(item.content) for item in notices_to(session, desk.id))


def test_an_unanswered_question_is_called_to_mind_after_two_days_and_only_once(database: Database) -> None:
    with database.write() as session:
        case = Case(session)
        case.is_asked("رنگ؟")
        case.is_asked("اندازه؟", now=NOW + timedelta(hours=1))
    for hours in (48, 50, 100):
        run_due(database, handlers(lambda: RULES), now=NOW + timedelta(hours=hours))
    with database.read() as session:
        assert told(session, case.chat.id)[2:] == ["utter_complaint_question_reminder"]
        text = rendered(notices_to(session, case.chat.id)[-1]).text
        assert "رنگ؟" in text
        assert "اندازه؟" in text


def test_an_unanswered_question_is_told_to_the_assignee_after_four_days_and_only_once(
    database: Database,
) -> None:
    with database.write() as session:
        desk = a_conversation(session)
        case, answered = Case(session), Case(session)
        member = a_member(session, chat=desk)
        for one in (case, answered):
            working.assign(
                session, one.complaint, staff_id=member.id, actor=f"staff:{member.id}", rules=RULES, now=NOW
            )
            one.is_asked()
        case.is_asked("اندازه؟", now=NOW + timedelta(hours=1))
        answered.does(following.answer_question, text="آبی", now=NOW + 3 * DAY)
        before = told(session, desk.id)
    for hours in (96, 97, 200):
        run_due(database, handlers(lambda: RULES), now=NOW + timedelta(hours=hours))
        with database.read() as session:
            since = ["utter_staff_complaint_unanswered"] * (hours > 96)
            assert told(session, desk.id) == [*before, *since]
    with database.read() as session:
        assert last_params(session, desk.id)["code"] == to_persian_digits(case.complaint.code)
        assert rendered(notices_to(session, desk.id)[-1]).text


def test_an_answered_question_is_not_called_to_mind(database: Database) -> None:
    with database.write() as session:
        case = Case(session)
        case.is_asked()
        case.does(following.answer_question, text="آبی")
    run_due(database, handlers(lambda: RULES), now=NOW + 3 * DAY)
    with database.read() as session:
        assert told(session, case.chat.id) == ["utter_complaint_question"]


def test_what_is_no_longer_true_of_a_question_is_not_said_even_if_its_job_runs(database: Database) -> None:
    with database.write() as session:
        group, groups = a_group(session)
        case = Case(session)
        case.is_asked()
        case.does(following.answer_question, text="آبی")
        for job in session.query(ScheduledJob):
            job.state = "pending"
    run_due(database, handlers(lambda: rules_with(groups=groups)), now=NOW + 5 * DAY)
    with database.read() as session:
        assert told(session, case.chat.id) == ["utter_complaint_question"]
        assert told(session, group.id) == []


# Taking back


def test_a_withdrawal_keeps_its_reason_and_ends_clocks_and_proposals(database: Database) -> None:
    with database.write() as session:
        group, groups = a_group(session)
        case = Case(session)
        case.is_resolved(compensation=resolution.Offer("points", 1000))
        proposal = session.query(ComplaintResolution).one()
        assert proposal.state == "proposed"
        case.does(following.withdraw, reason="خودش رسید", rules=rules_with(groups=groups))
        assert (case.complaint.state, case.complaint.closed_at) == ("withdrawn", NOW)
        entry = case.timeline()[-1]
        assert (entry.kind, entry.actor, entry.at) == ("complaint.withdrawn", "customer", NOW)
        assert entry.data["reason"] == "خودش رسید"
        assert (case.clock("first_response"), case.clock("resolution")) == (None, None)
        assert (proposal.state, session.query(Compensation).one().state) == ("refused", "refused")
        assert told(session, group.id) == ["utter_staff_complaint_withdrawn"]
        assert case.told() == []


def test_what_is_decided_cannot_be_taken_back(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        with pytest.raises(InvalidTransition):
            case.does(following.withdraw)


# Appeal


def test_an_appeal_goes_to_supervisors_with_its_reason_and_new_clocks(database: Database) -> None:
    with database.write() as session:
        desk, bystander = a_conversation(session), a_conversation(session)
        a_member(session, role="supervisor", chat=desk)
        a_member(session, role="agent", chat=bystander)
        case = Case(session)
        case.is_resolved(decision="rejected")
        case.does(following.appeal, reason="فاکتور را ندیدید", now=NOW + DAY)
        assert (case.complaint.state, case.complaint.appealed_at) == ("appealed", NOW + DAY)
        assert (case.complaint.priority, case.complaint.priority_reasons[-1]) == (
            "high",
            {"reason": "appealed"},
        )
        assert told(session, desk.id) == ["utter_staff_complaint_appealed"]
        assert told(session, bystander.id) == []
        assert case.timeline()[-1].data["reason"] == "فاکتور را ندیدید"
        clock = case.clock("resolution")
        assert clock is not None
        assert clock.started_at == NOW + DAY


def test_an_appeal_reaches_the_group_where_there_is_no_supervisor(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        group, groups = a_group(session)
        case = Case(session)
        case.is_resolved()
        case.does(following.appeal, reason="نه", rules=rules_with(groups=groups))
        assert told(session, group.id) == ["utter_staff_complaint_appealed"]


def test_an_urgent_complaint_stays_urgent_when_it_is_appealed(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session, signals=["danger"])
        case.is_resolved()
        assert case.does(following.appeal, reason="نه").priority == "urgent"


def test_an_appeal_is_possible_once_with_a_reason_and_in_time(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case, late = Case(session), Case(session)
        with pytest.raises(InvalidTransition):
            case.does(following.appeal, reason="زود")
        case.is_resolved()
        late.is_resolved()
        with pytest.raises(InvalidInput):
            case.does(following.appeal, reason=" ")
        assert following.appealable(session, customer_id=case.complaint.customer_id, rules=RULES, now=NOW)
        case.does(following.appeal, reason="قبول ندارم", now=NOW + 30 * DAY)
        case.is_resolved(actor="operator", now=NOW + 31 * DAY)
        with pytest.raises(InvalidTransition):
            case.does(following.appeal, reason="باز هم قبول ندارم", now=NOW + 32 * DAY)
        with pytest.raises(TooLate):
            late.does(following.appeal, reason="قبول ندارم", now=NOW + 31 * DAY)


def test_a_closed_complaint_can_be_appealed_too(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        case.does(following.confirm_solved)
        case.does(following.appeal, reason="پشیمان شدم")
        assert (case.complaint.state, case.complaint.closed_at) == ("appealed", None)


# Solved or not


def test_who_says_that_it_is_solved_closes_the_complaint(database: Database) -> None:
    with database.write() as session:
        case = Case(session)
        with pytest.raises(InvalidTransition):
            case.does(following.confirm_solved)
        case.is_resolved()
        for _ in range(2):
            case.does(following.confirm_solved)
        assert (case.complaint.state, case.complaint.closed_at) == ("closed", NOW)
        entries = [one for one in case.timeline() if one.kind == "complaint.closed"]
        assert [(one.actor, one.data["reason"]) for one in entries] == [("customer", "solved")]
        assert case.told() == ["utter_complaint_resolved_upheld"]


def test_a_yes_about_a_closed_complaint_is_noted_once_whatever_comes_after_it(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        move(session, case.complaint, to="closed", actor="system", rules=RULES, reason="x", now=NOW)
        inbox_id = an_inbox_id(session, case.chat)
        case.does(following.confirm_solved, inbox_id=inbox_id)
        case.does(following.reopen)
        case.does(following.confirm_solved, inbox_id=inbox_id)
        assert case.complaint.state == "in_review"
        assert [one.kind for one in case.timeline()].count("complaint.solved") == 1


@pytest.mark.parametrize("closed", [False, True])
def test_a_no_within_the_grace_period_reopens_with_new_clocks_and_more_urgency(
    database: Database, closed: bool
) -> None:
    with database.write() as session:
        group, groups = a_group(session)
        case = Case(session)
        case.is_resolved()
        if closed:
            move(session, case.complaint, to="closed", actor="system", rules=RULES, reason="x", now=NOW)
        later, inbox_id = NOW + 14 * DAY, an_inbox_id(session, case.chat)
        for _ in range(2):
            case.does(
                following.reopen,
                reason="هنوز نیامده",
                now=later,
                inbox_id=inbox_id,
                rules=rules_with(groups=groups),
            )
        assert (case.complaint.state, case.complaint.closed_at) == ("in_review", None)
        assert (case.complaint.reopened_count, case.complaint.priority) == (1, "high")
        assert case.complaint.priority_reasons[-1] == {"reason": "reopened"}
        assert case.timeline()[-1].data["reason"] == "هنوز نیامده"
        clock = case.clock("resolution")
        assert clock is not None
        assert clock.started_at == later
        assert told(session, group.id) == ["utter_staff_complaint_reopened"]


def test_a_no_comes_too_late_after_the_grace_period_and_too_early_before_a_decision(
    sqlite_database: Database,
) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        with pytest.raises(InvalidTransition):
            case.does(following.reopen)
        case.is_resolved()
        with pytest.raises(TooLate):
            case.does(following.reopen, now=NOW + 14 * DAY + timedelta(seconds=1))


def test_a_resolved_complaint_is_closed_by_itself_once_and_its_customer_hears_of_it(
    database: Database,
) -> None:
    with database.write() as session:
        case = Case(session)
        case.is_resolved()
    for days in (2.9, 3, 4):
        run_due(database, handlers(lambda: RULES), now=NOW + days * DAY)
        with database.read() as session:
            state = session.get_one(Complaint, case.complaint.id).state
            assert state == ("resolved" if days < 3 else "closed")
    with database.read() as session:
        assert told(session, case.chat.id) == ["utter_complaint_resolved_upheld", "utter_complaint_closed"]
        entry = session.scalars(select(Activity).where(Activity.kind == "complaint.closed")).one()
        assert (entry.actor, entry.data["reason"]) == ("system", "no_word")


def test_a_closing_after_a_note_does_not_say_that_nobody_wrote(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.does(following.add_note, text="پیش از پاسخ", now=NOW - DAY)
        case.is_resolved()
        case.does(following.add_note, text="این هم عکسش", now=NOW + DAY)
    run_due(sqlite_database, handlers(lambda: RULES), now=NOW + 4 * DAY)
    with sqlite_database.read() as session:
        entry = session.scalars(select(Activity).where(Activity.kind == "complaint.closed")).one()
        assert entry.data["reason"] == "no_answer"


def test_a_reopened_complaint_is_not_closed_by_itself(database: Database) -> None:
    with database.write() as session:
        case = Case(session)
        case.is_resolved()
        case.does(following.reopen)
        for job in session.query(ScheduledJob):
            job.state = "pending"
    run_due(database, handlers(lambda: RULES), now=NOW + 30 * DAY)
    with database.read() as session:
        assert session.get_one(Complaint, case.complaint.id).state == "in_review"


# Whose it is, and which


@pytest.mark.parametrize(
    "service",
    [
        following.add_note,
        following.answer_question,
        following.withdraw,
        following.appeal,
        following.confirm_solved,
        following.reopen,
    ],
)
def test_a_code_of_somebody_else_is_answered_as_one_that_does_not_exist(
    sqlite_database: Database, service: Callable[..., Complaint]
) -> None:
    with sqlite_database.write() as session:
        case, stranger = Case(session), Case(session)
        words = {following.appeal: {"reason": "x"}}.get(service, {})
        answers = []
        for code in (case.complaint.code, "10000008", "hello"):
            with pytest.raises(NotFound) as refused:
                stranger.does(service, code=code, **words)
            answers.append(str(refused.value))
        assert len(set(answers)) == 1
        assert len(case.timeline()) == 1


def test_what_can_be_done_is_listed_newest_first(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        waiting = a_complaint(session, case.chat, now=NOW)
        decided = a_complaint(session, case.chat, now=NOW)
        working.ask_customer(session, waiting, text="رنگ؟", actor="operator", rules=RULES, now=NOW)
        resolved = {"decision": "upheld", "root_cause": "carrier", "explanation": "دیر رسید"}
        by = {"actor": "operator", "role": "admin", "rules": RULES, "now": NOW}
        resolution.resolve(session, decided, **resolved, **by)
        who: dict[str, Any] = {"customer_id": case.complaint.customer_id, "rules": RULES, "now": NOW}
        assert following.takes_notes(session, **who) == [decided, waiting, case.complaint]
        assert following.withdrawable(session, **who) == [waiting, case.complaint]
        assert following.appealable(session, **who) == [decided]
        assert following.asked(session, **who) == [waiting]
        who["now"] = NOW + 31 * DAY
        assert following.appealable(session, **who) == []


def test_a_closed_complaint_takes_notes_only_where_none_is_open(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        case = Case(session)
        case.is_resolved()
        case.does(following.confirm_solved)
        who: dict[str, Any] = {"customer_id": case.complaint.customer_id, "rules": RULES}
        assert following.takes_notes(session, **who, now=NOW + DAY) == [case.complaint]
        assert following.takes_notes(session, **who, now=NOW + 15 * DAY) == []
        fresh = a_complaint(session, case.chat, now=NOW)
        assert following.takes_notes(session, **who, now=NOW + DAY) == [fresh]
