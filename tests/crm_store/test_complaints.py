from __future__ import annotations

import pytest

from crm_store import drafts
from crm_store.activity import timeline
from crm_store.complaints import service as complaints
from crm_store.conversations.service import add_attachment, customer_of
from crm_store.db import Database
from crm_store.errors import DraftIncomplete, InvalidInput, NotFound
from crm_store.persian import is_tracking_code, to_persian_digits
from tests.factories import a_complaint, a_conversation, an_inbox_id


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
        complaints.set_draft_field(session, **where, field="description", value="پیک نیامد", inbox_id=told)
        complaints.set_draft_field(session, **where, field="category", value="delivery", inbox_id=told)
    codes = []
    for _ in range(3):
        with database.write() as session:
            codes.append(complaints.file_complaint(session, **where, inbox_id=confirmed).code)
    assert len(set(codes)) == 1
    with database.read() as session:
        assert drafts.open_draft(session, **where, kind="complaint") is None


def test_a_second_confirmation_finds_nothing_to_file(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        a_complaint(session, conversation)
        with pytest.raises(NotFound):
            complaints.file_complaint(
                session, conversation_id=conversation.id, inbox_id=an_inbox_id(session, conversation)
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
            complaints.set_draft_field(session, **where, field=field, value=value)
        complaint = complaints.file_complaint(session, **where)
        assert (complaint.description, complaint.category) == ("ب", "other")


def test_an_incomplete_draft_is_refused_with_what_is_missing(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        where = {"conversation_id": conversation.id, "inbox_id": an_inbox_id(session, conversation)}
        complaints.set_draft_field(session, **where, field="category", value="staff")
        with pytest.raises(DraftIncomplete) as refused:
            complaints.file_complaint(session, **where)
        assert refused.value.missing == ["description"]


def test_an_unknown_category_is_refused(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        with pytest.raises(InvalidInput):
            complaints.set_draft_field(
                session, conversation_id=conversation.id, field="category", value="weather", inbox_id=1
            )


def test_a_cancelled_draft_leaves_no_complaint_and_the_next_one_starts_empty(database: Database) -> None:
    with database.write() as session:
        conversation = a_conversation(session)
        where = {"conversation_id": conversation.id}
        first, second = an_inbox_id(session, conversation), an_inbox_id(session, conversation)
        complaints.set_draft_field(session, **where, field="description", value="الف", inbox_id=first)
        third = an_inbox_id(session, conversation)
        assert complaints.cancel_draft(session, **where, inbox_id=second)
        assert complaints.cancel_draft(session, **where, inbox_id=second), "the same turn again says the same"
        assert not complaints.cancel_draft(session, **where, inbox_id=third)
        draft = complaints.set_draft_field(session, **where, field="category", value="other", inbox_id=third)
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
        complaints.set_draft_field(session, **where, field="description", value="الف")
        complaints.set_draft_field(session, **where, field="category", value="other")
        for _ in range(2):
            complaints.attach_to_draft(session, **where, attachment_ids=[mine.id, theirs.id])
        complaint = complaints.file_complaint(session, **where)
        assert (mine.complaint_id, theirs.complaint_id) == (complaint.id, None)
