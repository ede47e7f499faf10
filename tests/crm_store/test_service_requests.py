"""A service request is taken down and registered, with its place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import drafts, filling
from crm_store.activity import timeline
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import add_attachment, customer_of
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.errors import DraftIncomplete, FullyBooked, InvalidInput, NotFound
from crm_store.jobs.models import PENDING, ScheduledJob
from crm_store.persian import is_tracking_code, to_persian_digits
from crm_store.service_requests import drafting, service
from crm_store.service_requests.models import BookingWindow
from crm_store.service_requests.summary import summary_lines
from crm_store.sla.models import SlaClock
from tests.factories import a_conversation, an_inbox_id
from tests.factories.services import NOW, REPAIR, a_draft, a_request, at, rules_with

RULES = rules_with()


def where(session: Session, conversation: Conversation) -> dict[str, Any]:
    return {"conversation_id": conversation.id, "inbox_id": an_inbox_id(session, conversation)}


def test_a_confirmed_draft_becomes_a_scheduled_visit_with_a_code_and_a_place(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9), address="خیابان ولیعصر")
        assert is_tracking_code(request.code)
        assert (request.state, request.kind, request.address) == ("scheduled", "repair", "خیابان ولیعصر")
        assert request.window is not None
        assert (request.window.starts_at, request.window.booked) == (at(23, 9), 1)
        entry = timeline(session, customer_id=request.customer_id)[0]
        assert (entry.kind, entry.actor, entry.at) == ("service_request.submitted", "customer", NOW)


def test_a_kind_that_is_not_booked_waits_for_somebody_to_get_in_touch(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, kind="advice", starts_at=at(23, 9))
        assert (request.state, request.window) == ("requested", None)
        assert session.scalars(select(BookingWindow)).all() == []


def test_the_turn_that_confirmed_run_again_takes_no_second_place(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        confirmed = a_draft(session, conversation, starts_at=at(23, 9))
    codes = []
    for _ in range(3):
        with database.write() as session:
            made = service.submit(
                session, conversation_id=conversation.id, inbox_id=confirmed, rules=RULES, now=NOW
            )
            codes.append(made.code)
    assert len(set(codes)) == 1
    with database.read() as session:
        assert session.scalars(select(BookingWindow.booked)).all() == [1]


def test_a_window_that_was_taken_meanwhile_is_asked_for_again(database: Database) -> None:
    with database.write() as session:
        for _ in range(REPAIR.capacity):
            a_request(session, rules=RULES, starts_at=at(23, 9))
        conversation = a_conversation(session)
        confirmed = a_draft(session, conversation, starts_at=at(23, 9))
    with database.write() as session, pytest.raises(FullyBooked):
        service.submit(session, conversation_id=conversation.id, inbox_id=confirmed, rules=RULES, now=NOW)
    with database.read() as session:
        draft = session.scalars(select(Draft).where(Draft.conversation_id == conversation.id)).one()
        assert draft.state == drafts.OPEN
        assert drafting.open_questions(draft.data, REPAIR) == ["window"]
        assert draft.data["problem"]


def test_what_must_be_told_is_missed(database: Database) -> None:
    kind = msgspec.structs.replace(REPAIR, ask=("problem", "city", "address"))
    with database.write() as session:
        conversation = a_conversation(session)
        confirmed = a_draft(session, conversation)
        with pytest.raises(DraftIncomplete) as refused:
            service.submit(
                session,
                conversation_id=conversation.id,
                inbox_id=confirmed,
                rules=rules_with(kind),
                now=NOW,
            )
        assert refused.value.missing == ["city", "address", "window"]


def test_a_kind_that_the_owner_took_away_is_asked_for_again(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        confirmed = a_draft(session, conversation, kind="cleaning", starts_at=at(23, 9))
        with pytest.raises(DraftIncomplete) as refused:
            service.submit(session, conversation_id=conversation.id, inbox_id=confirmed, rules=RULES, now=NOW)
        assert refused.value.missing == ["kind"]


def test_a_kind_is_not_registered_for_a_city_where_it_is_not_offered(database: Database) -> None:
    rules = rules_with(msgspec.structs.replace(REPAIR, areas=("تهران",)))
    with database.write() as session:
        with pytest.raises(InvalidInput):
            a_request(session, rules=rules, starts_at=at(23, 9), city="کرج")
        assert session.scalars(select(BookingWindow)).all() == []
        assert a_request(session, rules=rules, starts_at=at(23, 9), city="تهران").city == "تهران"


def test_there_must_be_something_to_register(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        with pytest.raises(NotFound):
            service.submit(session, **where(session, conversation), rules=RULES, now=NOW)
        a_draft(session, conversation, starts_at=at(23, 9))
        assert drafting.cancel_draft(session, **where(session, conversation))
        with pytest.raises(NotFound):
            service.submit(session, **where(session, conversation), rules=RULES, now=NOW)


@pytest.mark.parametrize(("signals", "priority"), [(["danger", "anger"], "urgent"), (["anger"], "normal")])
def test_danger_makes_a_request_urgent(database: Database, signals: list[str], priority: str) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        confirmed = a_draft(session, conversation, starts_at=at(23, 9))
        draft = drafting.start_request(session, conversation_id=conversation.id, inbox_id=confirmed)
        for signal in signals:
            filling.note_signals(draft, signals=[signal], inbox_id=confirmed)
        made = service.submit(
            session, conversation_id=conversation.id, inbox_id=confirmed, rules=RULES, now=NOW
        )
        assert made.priority == priority


def test_registering_starts_the_clocks_and_plans_a_reminder(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(24, 9))
        clocks = session.scalars(select(SlaClock).order_by(SlaClock.id)).all()
        assert [(clock.subject_type, clock.subject_id, clock.metric) for clock in clocks] == [
            ("service_request", request.id, "first_response"),
            ("service_request", request.id, "resolution"),
        ]
        jobs = session.scalars(select(ScheduledJob).order_by(ScheduledJob.due_at)).all()
        assert [(job.key, job.due_at, job.state) for job in jobs] == [
            (f"visit_reminder:{request.id}", at(23, 18), PENDING),
            (f"visit_missed:{request.id}", at(24, 12), PENDING),
        ]


def test_files_of_the_draft_go_with_the_request_and_those_of_others_do_not(database: Database) -> None:
    with database.write() as session:
        conversation, other = a_conversation(session), a_conversation(session)
        confirmed = a_draft(session, conversation, starts_at=at(23, 9))
        own, foreign = (
            add_attachment(session, conversation_id=one.id, inbox_id=an_inbox_id(session, one), kind="photo")
            for one in (conversation, other)
        )
        ids = [own.id, foreign.id]
        told = where(session, conversation)
        drafting.attach_to_draft(session, **told, attachment_ids=ids)
        drafting.attach_to_draft(session, **told, attachment_ids=ids)
        made = service.submit(
            session, conversation_id=conversation.id, inbox_id=confirmed, rules=RULES, now=NOW
        )
        assert (own.service_request_id, foreign.service_request_id) == (made.id, None)


def test_a_code_of_somebody_else_and_a_code_of_nobody_are_refused_alike(database: Database) -> None:
    with database.write() as session:
        code = a_request(session, rules=RULES, starts_at=at(23, 9)).code
        stranger = customer_of(a_conversation(session))
        answers = []
        for asked in (code, "10000008", "hello", ""):
            with pytest.raises(NotFound) as refused:
                service.own_request(session, customer_id=stranger, code=asked)
            answers.append(str(refused.value))
        assert len(set(answers)) == 1


def test_a_code_is_read_in_persian_digits_too(database: Database) -> None:
    with database.write() as session:
        request = a_request(session, rules=RULES, starts_at=at(23, 9))
        asked = to_persian_digits(request.code)
        assert service.own_request(session, customer_id=request.customer_id, code=asked) is request
        assert service.find_by_code(session, code=asked) is request
        with pytest.raises(NotFound):
            service.find_by_code(session, code="10000008")


def test_ones_own_requests_come_newest_first(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        made = [a_request(session, rules=RULES, conversation=conversation, kind="advice") for _ in range(3)]
        a_request(session, rules=RULES, kind="advice")
        listed = service.requests_of(session, customer_id=customer_of(conversation), limit=2)
        assert listed == made[:0:-1]


# What is asked


def test_the_kind_is_asked_first_and_then_what_belongs_to_it() -> None:
    kind = msgspec.structs.replace(
        REPAIR, ask=("phone", "address", "problem"), areas=("تهران",), questions=("طبقهٔ چندم است؟",)
    )
    assert drafting.open_questions({}, None) == ["kind"]
    told: dict[str, Any] = {"kind": "repair"}
    assert drafting.open_questions(told, kind) == [
        "problem",
        "city",
        "address",
        "answers",
        "window",
        "phone",
    ]
    unbooked = msgspec.structs.replace(kind, is_booked=False, areas=(), questions=())
    assert drafting.open_questions(told, unbooked) == ["problem", "address", "phone"]
    told |= {"problem": "", "address": "", "contact_point_id": 0}
    assert drafting.open_questions(told, unbooked) == ["address"]


def test_own_questions_are_asked_one_by_one_and_may_be_passed_over(database: Database) -> None:
    kind = msgspec.structs.replace(REPAIR, ask=(), is_booked=False, questions=("الف؟", "ب؟"))
    with database.write() as session:
        told = where(session, a_conversation(session))
        draft = drafting.set_draft_field(session, **told, field="kind", value="repair")
        assert drafting.next_own_question(draft.data, kind) == "الف؟"
        drafting.answer_own_question(session, **told, question="الف؟", answer="")
        assert drafting.next_own_question(draft.data, kind) == "ب؟"
        drafting.answer_own_question(session, **told, question="ب؟", answer="دو")
        drafting.answer_own_question(session, **told, question="ب؟", answer="سه")
        assert drafting.open_questions(draft.data, kind) == []
        assert drafting.own_answers(draft.data, kind) == [{"question": "ب؟", "answer": "سه"}]
        drafting.note_summary(draft, inbox_id=told["inbox_id"])
        drafting.ask_again(session, **told, field="answers")
        for question in kind.questions:
            assert drafting.open_questions(draft.data, kind) == ["answers"]
            drafting.answer_own_question(session, **told, question=question, answer="یک")
        assert drafting.open_questions(draft.data, kind) == []


def test_another_kind_asks_for_a_window_of_its_own(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        a_draft(session, conversation, starts_at=at(23, 9))
        told = where(session, conversation)
        draft = drafting.set_draft_field(session, **told, field="kind", value="repair")
        assert drafting.chosen_window(draft.data) == at(23, 9), "the same kind again changes nothing"
        drafting.set_draft_field(session, **told, field="kind", value="pickup")
        assert drafting.chosen_window(draft.data) is None


def test_a_field_opened_for_correction_is_asked_and_keeps_its_value_until_then(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        a_draft(session, conversation, starts_at=at(23, 9))
        told = where(session, conversation)
        draft = drafting.ask_again(session, **told, field="window")
        assert drafting.open_questions(draft.data, REPAIR) == ["window"]
        assert drafting.chosen_window(draft.data) == at(23, 9)
        drafting.set_draft_field(session, **told, field="window", value=at(23, 14).isoformat())
        assert drafting.open_questions(draft.data, REPAIR) == []
        drafting.ask_again(session, **told, field="product")
        assert drafting.open_questions(draft.data, REPAIR) == ["product"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", " "),
        ("address", ""),
        ("window", "tomorrow"),
        ("window", "2026-11-23T09:00"),
        ("phone", "0912"),
        ("answers", "x"),
    ],
)
def test_what_cannot_stand_in_a_request_is_refused(database: Database, field: str, value: str) -> None:
    with database.write() as session:
        told = where(session, a_conversation(session))
        with pytest.raises(InvalidInput):
            drafting.set_draft_field(session, **told, field=field, value=value)


@pytest.mark.parametrize("field", ["kind", "city", "address", "window", "answers", "color"])
def test_what_must_be_told_cannot_be_passed_over(database: Database, field: str) -> None:
    with database.write() as session, pytest.raises(InvalidInput):
        drafting.pass_over(session, **where(session, a_conversation(session)), field=field)


def test_a_phone_that_is_known_is_in_the_draft_and_stays_when_one_begins_anew(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        point = add_phone(session, customer_id=customer_of(conversation), phone="09121234567")
        confirmed = a_draft(session, conversation, starts_at=at(23, 9))
        draft = drafting.start_request(session, conversation_id=conversation.id, inbox_id=confirmed)
        drafting.begin_anew(draft, inbox_id=confirmed)
        assert draft.data == {"contact_point_id": point.id}


def test_the_summary_tells_what_was_told(database: Database) -> None:
    kind = msgspec.structs.replace(REPAIR, questions=("طبقه؟",))
    rules = rules_with(kind)
    with database.write() as session:
        conversation = a_conversation(session)
        a_draft(session, conversation, starts_at=at(23, 9), product="یخچال", city="تهران", address="پلاک ۲")
        told = where(session, conversation)
        drafting.answer_own_question(session, **told, question="طبقه؟", answer="۳")
        drafting.set_draft_phone(session, **told, phone="09121234567")
        draft = drafting.start_request(session, **told)
        lines = summary_lines(session, draft.data, rules, NOW)
        assert [line["response"].removeprefix("utter_service_line_") for line in lines] == [
            "kind",
            "problem",
            "product",
            "city",
            "address",
            "answer",
            "time",
            "phone",
        ]
        assert lines[6]["params"] == {"time": "فردا، ساعت ۹ تا ۱۲"}
        drafting.pass_over(session, **told, field="phone")
        drafting.set_draft_field(session, **told, field="kind", value="advice")
        names = [line["response"] for line in summary_lines(session, draft.data, RULES, NOW)]
        assert names[-2:] == ["utter_service_line_time_open", "utter_service_line_no_phone"]
