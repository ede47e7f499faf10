from __future__ import annotations

import pytest

from crm_store import drafts
from crm_store.activity import timeline
from crm_store.complaints import drafting
from crm_store.complaints import service as complaints
from crm_store.conversations.service import add_attachment, customer_of
from crm_store.customers.models import ContactPoint
from crm_store.customers.service import add_phone
from crm_store.db import Database
from crm_store.errors import DraftIncomplete, InvalidInput, NotFound
from crm_store.persian import is_tracking_code, to_persian_digits
from tests.factories import RULES, a_complaint, a_conversation, an_inbox_id


def test_a_confirmed_draft_becomes_a_complaint_with_a_code_that_checks(database: Database) -> None:
    with database.write() as session:
        complaint = a_complaint(session, a_conversation(session), story="غذا سرد بود", category="delivery")
        assert is_tracking_code(complaint.code)
        assert (complaint.description, complaint.category, complaint.state) == (
            "غذا سرد بود",
            "delivery",
            "received",
        )
        kinds = [entry.kind for entry in timeline(session, customer_id=complaint.customer_id)]
        assert kinds == ["complaint.filed", "customer.first_contact"]


def test_the_turn_that_confirmed_run_again_gives_the_same_complaint(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        told, confirmed = an_inbox_id(session, conversation), an_inbox_id(session, conversation)
        where = {"conversation_id": conversation.id}
        drafting.set_draft_field(session, **where, field="description", value="پیک نیامد", inbox_id=told)
        drafting.set_draft_field(session, **where, field="category", value="delivery", inbox_id=told)
    codes = []
    for _ in range(3):
        with database.write() as session:
            codes.append(complaints.file_complaint(session, **where, inbox_id=confirmed, rules=RULES).code)
    assert len(set(codes)) == 1
    with database.read() as session:
        assert drafts.open_draft(session, **where, kind="complaint") is None


def test_a_second_confirmation_finds_nothing_to_file(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        a_complaint(session, conversation)
        with pytest.raises(NotFound):
            complaints.file_complaint(
                session,
                conversation_id=conversation.id,
                inbox_id=an_inbox_id(session, conversation),
                rules=RULES,
            )


def test_the_last_thing_said_for_a_field_is_what_is_filed(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        where = {"conversation_id": conversation.id, "inbox_id": an_inbox_id(session, conversation)}
        for field, value in [
            ("description", "الف"),
            ("category", "payment"),
            ("description", "ب"),
            ("category", "other"),
        ]:
            drafting.set_draft_field(session, **where, field=field, value=value)
        complaint = complaints.file_complaint(session, **where, rules=RULES)
        assert (complaint.description, complaint.category) == ("ب", "other")


def test_an_incomplete_draft_is_refused_with_what_is_missing(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        where = {"conversation_id": conversation.id, "inbox_id": an_inbox_id(session, conversation)}
        drafting.set_draft_field(session, **where, field="category", value="staff")
        with pytest.raises(DraftIncomplete) as refused:
            complaints.file_complaint(session, **where, rules=RULES)
        assert refused.value.missing == ["description"]


@pytest.mark.parametrize(
    ("field", "value"), [("remedy", "a new car"), ("description", " "), ("category", ""), ("phone", "0912")]
)
def test_what_cannot_stand_in_a_complaint_is_refused(database: Database, field: str, value: str) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        with pytest.raises(InvalidInput):
            drafting.set_draft_field(
                session, conversation_id=conversation.id, field=field, value=value, inbox_id=1
            )


def test_what_must_be_told_cannot_be_passed_over(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        with pytest.raises(InvalidInput):
            drafting.pass_over(session, conversation_id=conversation.id, field="description", inbox_id=1)


def test_only_what_is_missing_and_belongs_to_the_complaint_is_asked() -> None:
    told = {"description": "پیک نیامد", "category": "delivery", "order_number": ""}
    assert drafting.open_questions({}, ()) == ["description", "category"]
    assert drafting.open_questions(told, ("order_number", "remedy", "phone")) == ["remedy", "phone"]
    assert drafting.open_questions(told, ()) == []


def test_a_field_opened_for_correction_is_asked_and_keeps_its_value_until_then(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        where = {"conversation_id": conversation.id, "inbox_id": an_inbox_id(session, conversation)}
        drafting.set_draft_field(session, **where, field="description", value="الف")
        drafting.set_draft_field(session, **where, field="category", value="staff")
        draft = drafting.ask_again(session, **where, field="order_number")
        assert drafting.open_questions(draft.data, ()) == ["order_number"]
        drafting.set_draft_field(session, **where, field="order_number", value="A-12")
        assert drafting.open_questions(draft.data, ()) == []
        drafting.ask_again(session, **where, field="category")
        assert drafting.open_questions(draft.data, ()) == ["category"]
        assert draft.data["category"] == "staff"


def test_a_complaint_keeps_order_number_remedy_and_phone(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        where = {"conversation_id": conversation.id, "inbox_id": an_inbox_id(session, conversation)}
        drafting.set_draft_field(session, **where, field="description", value="الف")
        drafting.set_draft_field(session, **where, field="category", value="product")
        drafting.set_draft_field(session, **where, field="order_number", value="12345")
        drafting.set_draft_field(session, **where, field="remedy", value="refund")
        drafting.set_draft_phone(session, **where, phone="۰۹۱۲ ۱۲۳ ۴۵۶۷")
        complaint = complaints.file_complaint(session, **where, rules=RULES)
        phone = session.get_one(ContactPoint, complaint.contact_point_id)
        assert (complaint.order_number, complaint.remedy) == ("12345", "refund")
        assert (phone.value, phone.proven_at) == ("+989121234567", None)


def test_a_phone_that_is_known_is_in_the_next_draft_from_the_start(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        point = add_phone(session, customer_id=customer_of(conversation), phone="09121234567")
        told = an_inbox_id(session, conversation)
        draft = drafting.start_complaint(session, conversation_id=conversation.id, inbox_id=told)
        assert draft.data == {"contact_point_id": point.id}


def test_a_cancelled_draft_leaves_no_complaint_and_the_next_one_starts_empty(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        where = {"conversation_id": conversation.id}
        first, second = an_inbox_id(session, conversation), an_inbox_id(session, conversation)
        drafting.set_draft_field(session, **where, field="description", value="الف", inbox_id=first)
        third = an_inbox_id(session, conversation)
        assert drafting.cancel_draft(session, **where, inbox_id=second)
        assert drafting.cancel_draft(session, **where, inbox_id=second), "the same turn again says the same"
        assert not drafting.cancel_draft(session, **where, inbox_id=third)
        draft = drafting.set_draft_field(session, **where, field="category", value="other", inbox_id=third)
        assert draft.data == {"category": "other"}
        assert complaints.complaints_of(session, customer_id=customer_of(conversation)) == []


def test_a_code_of_somebody_else_and_a_code_of_nobody_are_refused_alike(database: Database) -> None:
    with database.write() as session:
        owner, stranger = a_conversation(session), a_conversation(session)
        code = a_complaint(session, owner).code
        answers = []
        for asked in (code, "10000008", "hello"):
            with pytest.raises(NotFound) as refused:
                complaints.own_complaint(session, customer_id=customer_of(stranger), code=asked)
            answers.append(str(refused.value))
        assert len(set(answers)) == 1


def test_a_code_is_read_in_persian_digits_too(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        complaint = a_complaint(session, conversation)
        asked = to_persian_digits(complaint.code)
        found = complaints.own_complaint(session, customer_id=customer_of(conversation), code=asked)
        assert found.id == complaint.id


def test_ones_own_complaints_come_newest_first(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        filed = [a_complaint(session, conversation, story=f"داستان {n}").id for n in range(3)]
        listed = [c.id for c in complaints.complaints_of(session, customer_id=customer_of(conversation))]
        assert listed == filed[::-1]


def test_an_edit_of_the_story_corrects_the_complaint_and_keeps_the_former_wording(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        complaint = a_complaint(session, conversation, story="غذا گرم بود")
        told = complaint.source_inbox_id or 0
        assert complaints.correct_story(session, inbox_id=told, text="غذا سرد بود") is complaint
        assert complaint.description == "غذا سرد بود"
        entry = timeline(session, customer_id=complaint.customer_id)[0]
        assert (entry.kind, entry.data) == ("complaint.description_corrected", {"former": "غذا گرم بود"})
        assert complaints.correct_story(session, inbox_id=told + 1000, text="x") is None


def test_attachments_of_the_draft_go_with_the_complaint_and_those_of_others_do_not(
    database: Database,
) -> None:
    with database.write() as session:
        conversation, other = a_conversation(session), a_conversation(session)
        told = an_inbox_id(session, conversation)
        where = {"conversation_id": conversation.id, "inbox_id": told}
        mine = add_attachment(session, **where, kind="photo", path="a.jpg")
        theirs = add_attachment(
            session,
            conversation_id=other.id,
            inbox_id=an_inbox_id(session, other),
            kind="photo",
            path="b.jpg",
        )
        drafting.set_draft_field(session, **where, field="description", value="الف")
        drafting.set_draft_field(session, **where, field="category", value="other")
        for _ in range(2):
            drafting.attach_to_draft(session, **where, attachment_ids=[mine.id, theirs.id])
        complaint = complaints.file_complaint(session, **where, rules=RULES)
        assert (mine.complaint_id, theirs.complaint_id) == (complaint.id, None)
