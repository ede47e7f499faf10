"""Forgetting a customer in the store; tests/gateway/test_housekeeping.py searches every byte afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import inbox, outbox
from crm_store.activity import Activity
from crm_store.audit import AuditEntry
from crm_store.base import Base, utcnow
from crm_store.complaints.models import (
    CLOSED,
    RESOLVED,
    WITHDRAWN,
    Compensation,
    Complaint,
    ComplaintResolution,
    Problem,
)
from crm_store.conversations.models import HUMAN, Attachment, Button, Conversation, Message
from crm_store.conversations.service import add_message, customer_of
from crm_store.customers.models import ContactPoint, Customer
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.errors import ConfigurationError
from crm_store.handoff.models import ASKED, CLAIMED, Handoff, StaffTopic
from crm_store.handoff.service import open_callbacks
from crm_store.jobs import models as jobs
from crm_store.jobs.models import ScheduledJob
from crm_store.learning.models import LearningSample
from crm_store.loyalty.referral_rewards import OF_CUSTOMER
from crm_store.outbox import OutboxItem, enqueue_message
from crm_store.persian import to_persian_digits
from crm_store.privacy import erasure
from crm_store.privacy.files import remove_files
from crm_store.privacy.service import request_erasure
from crm_store.privacy.tracker import VARIABLE, tracker_url
from crm_store.service_requests.models import CANCELLED, DONE, BookingWindow, ServiceRequest
from crm_store.settings import Settings
from crm_store.sla.models import SlaClock
from crm_store.staff.models import StaffAccount, StaffFocus, StaffMember, StaffNote
from crm_store.tickets.models import TicketNote
from tests.factories import a_conversation, an_inbox_id
from tests.factories.person import MINA, OMID, seed
from tests.factories.person_cases import a_technician
from tests.factories.person_desk import an_agents_chat

SETTLED = timedelta(seconds=40)
#: Tables that hold nothing of customers.
NOT_ABOUT_CUSTOMERS = {
    *("heartbeats", "console_sessions", "api_keys"),
    *("ledger_proofs", "loyalty_rule_versions", "reward_stocks"),
    *("canned_replies", "text_versions"),
}


def wish_of(session: Session, chat: Conversation) -> int:
    """A wish that nothing stands in the way of."""
    row = an_inbox_id(session, chat)
    wish = request_erasure(session, conversation_id=chat.id, inbox_id=row)
    inbox.finish(session, inbox_id=row)
    return wish.id


def forget(session: Session, wish: int) -> list[int] | None:
    return erasure.erase(session, erasure_id=wish, settled_for=SETTLED)


def requests_by_age(session: Session) -> list[ServiceRequest]:
    return session.query(ServiceRequest).order_by(ServiceRequest.id).all()


def groups(session: Session) -> list[int]:
    return list(session.scalars(select(Conversation.id).where(Conversation.identity_id.is_(None))))


def owner_of(session: Session, file: Attachment) -> int:
    return session.get_one(ServiceRequest, file.service_request_id).customer_id


def rows(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table).order_by(*table.primary_key)).mappings():
            yield table.name, dict(row)


def test_what_was_said_goes_and_the_rows_that_others_refer_to_stay(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        chat_id, customer_id = chat.id, customer_of(chat)
        conversation_ids = forget(session, wish_of(session, chat))
    assert conversation_ids is not None
    assert chat_id in conversation_ids
    assert len(conversation_ids) == 2, "the web chat of the same person goes too"
    with database.read() as session:
        assert session.query(Message).count() == session.query(Button).count() == 0
        assert session.query(LearningSample).count() == 0
        assert session.get_one(Conversation, chat_id).chat_id == f"erased-{chat_id}"
        family = session.scalars(select(Customer).where(Customer.erased_at.is_not(None))).all()
        assert {one.merged_into_id for one in family} == {None, customer_id}
        assert not any(one.full_name or one.display_name or one.address or one.birthday for one in family)
        points = session.scalars(select(ContactPoint)).all()
        assert all(point.kind == "erased" and point.proven_at is None for point in points)
        assert open_callbacks(session) == []
        assert all(item.payload == {} for item in session.query(inbox.InboxItem))
        assert not session.query(inbox.InboxItem).filter_by(state=inbox.PARKED).count()


def test_what_is_open_ends_and_the_place_of_a_visit_is_free_again(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        assert session.query(BookingWindow).one().booked == 1
        forget(session, wish_of(session, chat))
    with database.read() as session:
        complaint = session.query(Complaint).one()
        assert complaint.state == WITHDRAWN
        assert complaint.closed_at is not None
        assert [one.state for one in requests_by_age(session)] == [CANCELLED, DONE]
        assert session.query(BookingWindow).one().booked == 0
        # What the club looks at after records were joined finds nobody left.
        about = session.query(ScheduledJob).filter(ScheduledJob.kind != OF_CUSTOMER)
        assert {job.state for job in about} == {jobs.CANCELLED}
        assert {(clock.state, clock.check_at) for clock in session.query(SlaClock)} == {("cancelled", None)}
        granted, waited = session.query(Compensation).order_by(Compensation.id)
        assert (granted.state, granted.amount) == ("granted", 250)
        assert (waited.state, waited.decided_by) == ("refused", "system")
        assert {one.state for one in session.query(ComplaintResolution)} == {"told", "refused"}
        ended = session.query(Activity).filter(Activity.actor == "system")
        assert {entry.kind for entry in ended} >= {"complaint.withdrawn", "service_request.cancelled"}


def test_a_decided_complaint_counts_as_closed_and_what_is_over_stays_as_it_was(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        session.query(Complaint).one().state = RESOLVED
        forget(session, wish_of(session, chat))
    with database.read() as session:
        assert session.query(Complaint).one().state == CLOSED
        done = requests_by_age(session)[1]
        assert (done.state, done.rating, done.kind) == (DONE, 4, "repair")


def test_of_cases_only_what_names_no_one_stays(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        code = session.query(Complaint).one().code
        forget(session, wish_of(session, chat))
    with database.read() as session:
        complaint = session.query(Complaint).one()
        assert (complaint.code, complaint.category, complaint.problem_id) == (code, "delivery", 1)
        assert complaint.priority_reasons == [{"reason": "category"}, {"reason": "staff"}]
        assert not any(note.text for note in session.query(TicketNote))
        assert {note.kind for note in session.query(TicketNote)} == {"question", "answer", "note", "internal"}
        told = session.query(ComplaintResolution).filter_by(state="told").one()
        assert (told.decision, told.root_cause, told.explanation) == ("partly_upheld", "carrier", "")
        for request in session.query(ServiceRequest):
            assert (request.problem, request.product, request.city, request.address) == ("", "", "", "")
            assert (request.answers, request.outcome, request.contact_point_id) == ([], "", None)
        assert session.query(Problem).one().answer, "it names nobody"
        assert session.query(Attachment).count() == 0


def test_the_technician_hears_that_a_visit_is_off_and_keeps_nothing_else_of_it(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        technician = a_technician(session).id
        add_message(session, conversation_id=technician, author="bot", text="صبح بخیر")
        chat = seed(session, MINA, tmp_path)
        code = requests_by_age(session)[0].code
        wish = wish_of(session, chat)
        told = [technician, an_agents_chat(session).id]
        assert erasure.staff_dialogues(session, customer_id=customer_of(chat)) == told
        for _ in range(2):
            forget(session, wish)
    with database.read() as session:
        lines = session.query(Message).filter_by(conversation_id=technician)
        assert [line.text for line in lines] == ["صبح بخیر"]
        rows = session.query(OutboxItem).filter_by(conversation_id=technician).order_by(OutboxItem.id)
        *former, latest = rows
        assert {row.state for row in former} == {outbox.SENT, outbox.CANCELLED}
        assert all(row.content == {} for row in former)
        assert latest.state == outbox.PENDING
        assert latest.content == {
            "response": "utter_staff_visit_forgotten",
            "params": {"code": to_persian_digits(code)},
        }
        assert session.query(Draft).filter_by(conversation_id=technician).one().data == {}


def test_what_the_desk_knew_goes_and_that_there_was_a_hand_over_stays(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        of_omid = seed(session, OMID, tmp_path).id
        chat = seed(session, MINA, tmp_path)
        own = chat.id
        thread = session.query(StaffTopic).filter_by(conversation_id=own).one().thread_id
        forget(session, wish_of(session, chat))
    with database.read() as session:
        mine = session.query(Handoff).filter_by(conversation_id=own).one()
        assert (mine.state, mine.outcome, mine.topic, mine.agreed) == ("ended", "released", "", "")
        others = session.query(Handoff).filter_by(conversation_id=of_omid).one()
        assert (others.topic, others.agreed) == (OMID.wish, OMID.agreed)
        assert [note.text for note in session.query(StaffNote)] == [OMID.noted]
        assert [topic.conversation_id for topic in session.query(StaffTopic)] == [of_omid]
        asked = session.query(OutboxItem).filter_by(state=outbox.PENDING)
        notices = {row.content.get("response"): row.content for row in asked}
        assert notices["utter_topic_forgotten"]["thread"] == str(thread)


def test_the_staffs_own_chats_name_who_was_forgotten_no_more(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        seed(session, OMID, tmp_path)
        chat = seed(session, MINA, tmp_path)
        private = an_agents_chat(session).id
        forget(session, wish_of(session, chat))
    with database.read() as session:
        of_staff = session.query(OutboxItem).filter_by(conversation_id=private).all()
        shown = [str(row.content) for row in of_staff]
        shown += [line.text for line in session.query(Message).filter_by(conversation_id=private)]
        shown += [button.title for button in session.query(Button).filter_by(conversation_id=private)]
        assert not any(MINA.name in one or MINA.wish in one for one in shown)
        assert any(OMID.name in one for one in shown)
        waiting = [row for row in of_staff if row.state == outbox.PENDING]
        assert [row.content["params"]["name"] for row in waiting] == [OMID.name]


def test_what_a_member_of_staff_had_in_mind_a_message_ago_goes_too(database: Database) -> None:
    with database.write() as session:
        chat, other = a_conversation(session), a_conversation(session)
        private = an_agents_chat(session)
        staff_id = session.get_one(StaffAccount, private.identity_id).staff_id
        known = {"customer_id": customer_of(chat), "data": {"reason": {"text": MINA.noted}}}
        focus = StaffFocus(conversation_id=private.id, staff_id=staff_id, customer_id=customer_of(other))
        focus.data = {"before": {"key": "1#1", **known}}
        session.add(focus)
        session.flush()
        forget(session, wish_of(session, chat))
        assert session.query(StaffFocus).count() == 0


def test_a_hand_over_that_is_open_ends_when_its_customer_is_forgotten(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        open_one = Handoff(conversation_id=chat.id, customer_id=customer_of(chat), reason=ASKED)
        open_one.state = CLAIMED
        session.add(open_one)
        chat.owner, chat.ownership = HUMAN, 3
        session.flush()
        forget(session, wish_of(session, chat))
        session.refresh(chat)
        session.refresh(open_one)
        assert (chat.owner, chat.owner_id, chat.ownership) == ("bot", None, 4)
        assert open_one.state == "ended"


def test_what_staff_were_told_of_others_stays(database: Database, tmp_path: Path) -> None:
    def told(session: Session) -> list[str]:
        chats = [a_technician(session).id, *groups(session)]
        lines = session.query(Message).filter(Message.conversation_id.in_(chats)).order_by(Message.id)
        return [line.text for line in lines]

    with database.write() as session:
        seed(session, OMID, tmp_path)
        of_omid = told(session)
        chat = seed(session, MINA, tmp_path)
        forget(session, wish_of(session, chat))
    with database.write() as session:
        assert told(session) == of_omid
        assert session.query(BookingWindow).one().booked == 1


def test_whoever_works_here_and_is_forgotten_is_linked_no_more_and_leaves_the_cases_of_others_whole(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        technician = a_technician(session)
        seed(session, MINA, tmp_path)
        forget(session, wish_of(session, technician))
        former = customer_of(technician)
    with database.read() as session:
        assert [account.staff.role for account in session.query(StaffAccount)] == ["agent"]
        assert session.query(StaffMember).count() == 2
        assert "staff.account_unlinked" in session.scalars(select(AuditEntry.action)).all()
        photo = session.query(Attachment).filter(Attachment.service_request_id.is_not(None)).one()
        assert photo.path in erasure.places_of(session, customer_id=owner_of(session, photo))
        assert photo.path not in erasure.places_of(session, customer_id=former)
        assert requests_by_age(session)[1].outcome == MINA.outcome


def test_forgetting_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        wish = wish_of(session, chat)
        forget(session, wish)
    with database.read() as session:
        before = list(rows(session))
    with database.write() as session:
        assert forget(session, wish)
    with database.read() as session:
        assert list(rows(session)) == before


def test_a_message_that_waits_is_answered_first(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        chat = seed(session, MINA, tmp_path)
        wish = wish_of(session, chat)
        an_inbox_id(session, chat)
        assert forget(session, wish) is None
        assert session.get_one(Customer, customer_of(chat)).full_name == MINA.name


def test_the_last_answer_leaves_first_but_nothing_that_is_due_much_later(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        wish = wish_of(session, chat)
        enqueue_message(session, conversation_id=chat.id, content={"text": "بعداً"}).due_at = (
            utcnow() + timedelta(days=3)
        )
        now = enqueue_message(session, conversation_id=chat.id, content={"text": "پاک می‌شود"})
        session.flush()
        assert forget(session, wish) is None
        now.state = outbox.SENT
        session.flush()
        assert forget(session, wish) == [chat.id]
        states = session.scalars(select(OutboxItem.state).order_by(OutboxItem.id)).all()
        assert states == [outbox.CANCELLED, outbox.SENT]


def test_what_hangs_is_given_up_and_left_alone_until_its_turn_must_have_ended(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        wish = wish_of(session, chat)
        hangs = an_inbox_id(session, chat, text="نمی‌رسد")
        erasure.give_up_waiting(session, customer_id=customer_of(chat))
        assert forget(session, wish) is None
        item = session.get_one(inbox.InboxItem, hangs, populate_existing=True)
        assert (item.state, item.payload) == (inbox.IGNORED, {})
        item.finished_at = utcnow() - SETTLED
        session.flush()
        assert forget(session, wish) == [chat.id]


def test_what_the_account_wrote_in_a_group_goes_and_what_others_wrote_there_stays(
    database: Database,
) -> None:
    def in_group(session: Session, account: int) -> int:
        said = {"message": {"chat": {"id": -100}, "from": {"id": account}, "text": "سلام گروه"}}
        row = inbox.receive(
            session, channel="telegram", update_id=f"g{account}", chat_id="-100", payload=said
        )
        assert row is not None
        inbox.finish(session, inbox_id=row, state=inbox.IGNORED)
        return row

    with database.write() as session:
        chat = a_conversation(session, chat_id="4400")
        own, others = in_group(session, 4400), in_group(session, 44001)
        forget(session, wish_of(session, chat))
    with database.read() as session:
        assert session.get_one(inbox.InboxItem, own).payload == {}
        assert session.get_one(inbox.InboxItem, others).payload["message"]["text"] == "سلام گروه"


def test_the_dialogues_memory_is_where_it_was_said_to_be_or_where_it_usually_is(tmp_path: Path) -> None:
    here = Settings(data_dir=str(tmp_path), rasa_url="http://127.0.0.1:5005")
    assert tracker_url(here, {}) == f"sqlite:///{tmp_path / 'tracker.db'}"
    assert tracker_url(here, {VARIABLE: "postgresql://db/rasa"}) == "postgresql://db/rasa"
    elsewhere = Settings(data_dir=str(tmp_path), rasa_url="http://10.0.0.7:5005")
    with pytest.raises(ConfigurationError, match=VARIABLE):
        tracker_url(elsewhere, {})


def test_files_outside_the_folder_are_never_touched(tmp_path: Path) -> None:
    folder, outside = tmp_path / "attachments", tmp_path / "store.db"
    (folder / "web").mkdir(parents=True)
    for file in (outside, folder / "web" / "a.jpg", folder / "b.jpg"):
        file.write_text("x")
    remove_files(folder, ["../store.db", str(outside), "", ".", "gone.jpg", "web", "b.jpg"])
    assert outside.exists()
    assert list(folder.iterdir()) == []


def test_every_table_that_may_name_a_customer_is_seeded_and_searched(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with sqlite_database.write() as session:
        wish_of(session, seed(session, MINA, tmp_path))
        filled = {name for name, _ in rows(session)}
    assert {table.name for table in Base.metadata.sorted_tables} - NOT_ABOUT_CUSTOMERS == filled
