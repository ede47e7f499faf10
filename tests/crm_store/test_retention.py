"""What was kept long enough goes; what waits, is open or is still needed stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from crm_store import drafts, inbox, outbox
from crm_store.activity import Activity, record_activity
from crm_store.audit import AuditEntry, record_audit
from crm_store.base import utcnow
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Attachment, Button, Conversation, Message
from crm_store.conversations.service import customer_of
from crm_store.db import Database
from crm_store.drafts import Draft
from crm_store.handoff.models import CallbackRequest, Handoff, RelayedLine, StaffTopic
from crm_store.inbox import InboxItem
from crm_store.jobs import models as jobs
from crm_store.jobs.models import ScheduledJob
from crm_store.learning.models import FALLBACK, LearningSample
from crm_store.learning.service import keep
from crm_store.outbox import OutboxItem
from crm_store.privacy import retention
from crm_store.privacy.service import EXPORT, request_export
from crm_store.privacy.tracker import Tracker
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.staff.models import StaffFocus, StaffNote
from crm_store.tickets.models import TicketNote
from crm_store.transcripts.models import MessageText
from crm_store.transcripts.search import search
from tests.factories import a_complaint, a_conversation, an_inbox_id
from tests.factories.person import MINA, OMID, seed
from tests.factories.tracker import make_tracker, remember

NOW = utcnow()
LONG_AGO, CUTOFF = NOW - timedelta(days=100), NOW - timedelta(days=90)


def age(session: Session, model: Any, moment: datetime = LONG_AGO, *columns: str) -> None:
    """Let all rows of a table be that old."""
    session.flush()
    session.execute(update(model).values(dict.fromkeys(columns, moment)))
    session.expire_all()


def attach(session: Session, chat: Conversation, path: str) -> Attachment:
    return conversations.add_attachment(
        session, conversation_id=chat.id, inbox_id=an_inbox_id(session, chat), kind="photo", path=path
    )


def test_updates_that_are_dealt_with_are_blanked_and_those_that_wait_are_not(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        by_state = {}
        for state in (inbox.DONE, inbox.IGNORED, inbox.PARKED, inbox.PENDING):
            by_state[state] = an_inbox_id(session, chat, text=state)
            inbox.finish(session, inbox_id=by_state[state], state=state)
        age(session, InboxItem, LONG_AGO, "finished_at", "received_at")
        assert retention.forget_updates(session, before=CUTOFF) == 2
        assert retention.forget_updates(session, before=CUTOFF) == 0
        session.expire_all()
        payloads = {state: session.get_one(InboxItem, row).payload for state, row in by_state.items()}
    assert payloads == {
        inbox.DONE: {},
        inbox.IGNORED: {},
        inbox.PARKED: {"text": "parked"},
        inbox.PENDING: {"text": "pending"},
    }


def test_young_updates_are_left_alone(database: Database) -> None:
    with database.write() as session:
        row = an_inbox_id(session, a_conversation(session))
        inbox.finish(session, inbox_id=row)
        assert retention.forget_updates(session, before=CUTOFF) == 0


def test_what_was_sent_is_blanked_but_never_sent_a_second_time(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)

        def notice() -> OutboxItem:
            return outbox.enqueue_notice(
                session, conversation_id=chat.id, response="utter_trouble", idempotency_key="trouble:1"
            )

        sent = notice()
        sent.state = outbox.SENT
        waits = outbox.enqueue_message(session, conversation_id=chat.id, content={"text": "بعداً"})
        age(session, OutboxItem, LONG_AGO, "created_at")
        assert retention.forget_sent(session, before=CUTOFF) == 1
        session.expire_all()
        assert sent.content == {}
        assert waits.content == {"text": "بعداً"}
        assert notice() is sent


def test_expired_buttons_go(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        for lifetime in (timedelta(days=-95), timedelta(days=1)):
            conversations.issue_buttons(
                session,
                conversation_id=chat.id,
                buttons=[{"title": "بله", "payload": "/affirm"}],
                lifetime=lifetime,
            )
        session.flush()
        assert retention.forget_buttons(session, before=CUTOFF) == 1
        assert session.query(Button).count() == 1


def test_forms_that_ended_or_that_nobody_continues_are_blanked(database: Database) -> None:
    with database.write() as session:
        filed = a_complaint(session, a_conversation(session))
        left, young = a_conversation(session), a_conversation(session)
        abandoned = drafts.start_draft(session, conversation_id=left.id, kind="complaint", inbox_id=1)
        drafts.set_field(abandoned, field="description", value="نیمه‌کاره", inbox_id=1)
        age(session, Draft, LONG_AGO, "updated_at")
        current = drafts.start_draft(session, conversation_id=young.id, kind="complaint", inbox_id=2)
        drafts.set_field(current, field="description", value="تازه", inbox_id=2)
        session.flush()
        assert retention.forget_drafts(session, before=CUTOFF, abandoned_before=CUTOFF) == 2
        session.expire_all()
        assert (abandoned.state, abandoned.data) == (drafts.CANCELLED, {})
        assert session.get_one(Draft, filed.draft_id).data == {}
        assert current.data == {"description": "تازه"}


def test_old_lines_of_a_transcript_go_and_the_numbering_goes_on(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        where: dict[str, Any] = {"conversation_id": chat.id, "author": "customer"}
        conversations.add_message(session, text="کهنه", **where)
        age(session, Message, LONG_AGO, "created_at")
        conversations.add_message(session, text="تازه", **where)
        assert retention.forget_transcripts(session, before=CUTOFF) == 1
        assert [(line.seq, line.text) for line in session.query(Message)] == [(2, "تازه")]


def test_files_of_cases_and_of_open_forms_stay_and_others_go(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        attach(session, chat, "of-complaint.jpg").complaint_id = complaint.id
        in_the_making = attach(session, chat, "in-the-making.jpg")
        attach(session, chat, "loose.jpg")
        for_visit = attach(session, chat, "for-a-task.jpg")
        task = drafts.start_draft(session, conversation_id=chat.id, kind="ticket_task", inbox_id=1)
        drafts.set_field(task, field="files", value=[for_visit.id], inbox_id=1)
        draft = drafts.start_draft(session, conversation_id=chat.id, kind="complaint", inbox_id=1)
        drafts.set_field(draft, field="attachments", value=[in_the_making.id], inbox_id=1)
        age(session, Attachment, LONG_AGO, "created_at")
        assert retention.forget_attachments(session, before=CUTOFF) == ["loose.jpg"]
        assert retention.forget_attachments(session, before=CUTOFF) is None
        assert session.query(Attachment).count() == 3


def test_a_photo_of_a_visit_stays_as_long_as_the_request(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        photos = session.query(Attachment).filter(Attachment.service_request_id.is_not(None))
        age(session, Attachment, LONG_AGO, "created_at")
        retention.forget_attachments(session, before=CUTOFF)
        assert photos.count() == 1


def test_of_an_old_complaint_only_what_names_no_one_stays(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        age(session, Complaint, LONG_AGO, "created_at", "updated_at")
        age(session, Activity, LONG_AGO, "at")
        places = retention.forget_complaints(session, before=CUTOFF)
        assert places == [f"2026/11/{MINA.account}0000.txt"]
        assert retention.forget_complaints(session, before=CUTOFF) is None
        session.expire_all()
        complaint = session.query(Complaint).one()
        assert {note.text for note in session.query(TicketNote).filter_by(subject_type="complaint")} == {""}
        assert {one.explanation for one in session.query(ComplaintResolution)} == {""}
        assert complaint.priority_reasons == [{"reason": "category"}, {"reason": "staff"}]
        assert {one.amount for one in session.query(Compensation)} == {250, 5_000_000}
        assert all(request.problem for request in session.query(ServiceRequest)), "they have their own time"
        assert (complaint.description, complaint.order_number, complaint.contact_point_id) == ("", "", None)
        assert (complaint.category, complaint.remedy) == ("delivery", "refund")
        corrections = session.query(Activity).filter_by(kind="complaint.description_corrected")
        assert [entry.data for entry in corrections] == [{}]


def test_an_old_complaint_to_which_something_happened_lately_stays(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        age(session, Complaint, LONG_AGO, "created_at", "updated_at")
        age(session, Activity, LONG_AGO, "at")
        record_activity(
            session,
            customer_id=customer_of(chat),
            kind="complaint.description_corrected",
            subject_type="complaint",
            subject_id=complaint.id,
        )
        session.flush()
        assert retention.forget_complaints(session, before=CUTOFF) is None


def test_a_complaint_that_was_changed_lately_stays(database: Database) -> None:
    with database.write() as session:
        a_complaint(session, a_conversation(session))
        age(session, Complaint, LONG_AGO, "created_at")
        age(session, Activity, LONG_AGO, "at")
        assert retention.forget_complaints(session, before=CUTOFF) is None


def test_of_an_old_service_request_only_what_names_no_one_stays(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        age(session, ServiceRequest, LONG_AGO, "created_at")
        age(session, Activity, LONG_AGO, "at")
        assert retention.forget_requests(session, before=CUTOFF) is None, "they were changed lately"
        age(session, ServiceRequest, LONG_AGO, "updated_at")
        made = session.query(ServiceRequest).filter_by(state="done").one()
        assert retention.forget_requests(session, before=CUTOFF) == [f"2026/12/{made.code}.txt"]
        assert retention.forget_requests(session, before=CUTOFF) is None
        session.expire_all()
        assert (made.kind, made.rating, made.rating_scale) == ("repair", 4, 5)
        for request in session.query(ServiceRequest):
            assert (request.problem, request.product, request.city, request.address) == ("", "", "", "")
            assert (request.answers, request.outcome, request.contact_point_id) == ([], "", None)
            assert session.get_one(Draft, request.draft_id).data == {}
        assert session.query(TicketNote).filter_by(subject_type="service_request").one().text == ""
        told = session.query(Activity).filter_by(kind="service_request.done").one()
        assert told.data == {}
        assert session.query(Complaint).one().description == MINA.story


def test_automatic_work_that_is_over_goes_and_what_waits_stays(database: Database) -> None:
    with database.write() as session:
        for state in (jobs.DONE, jobs.CANCELLED, jobs.FAILED, jobs.PENDING):
            session.add(ScheduledJob(kind="visit_reminder", key=state, due_at=LONG_AGO, state=state))
        age(session, ScheduledJob, LONG_AGO, "finished_at")
        session.add(
            ScheduledJob(kind="visit_reminder", key="new", due_at=NOW, state=jobs.DONE, finished_at=NOW)
        )
        session.flush()
        assert retention.forget_jobs(session, before=CUTOFF) == 3
        assert {job.key for job in session.query(ScheduledJob)} == {jobs.PENDING, "new"}


def test_windows_that_are_over_go_unless_a_request_names_one_as_its_time(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        age(session, BookingWindow, LONG_AGO, "starts_at", "ends_at")
        for hour in range(2):
            began = LONG_AGO + timedelta(hours=hour) if hour else NOW
            session.add(BookingWindow(kind="visit", starts_at=began, ends_at=began + timedelta(hours=2)))
        session.flush()
        assert retention.forget_windows(session, before=CUTOFF) == 1
        assert [window.kind for window in session.query(BookingWindow).order_by(BookingWindow.id)] == [
            "repair",
            "visit",
        ]


def test_calls_that_are_still_to_be_made_are_left_alone(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        age(session, CallbackRequest, LONG_AGO, "created_at")
        assert retention.forget_callbacks(session, before=CUTOFF) == 0
        session.query(CallbackRequest).one().state = "replaced"
        session.flush()
        assert retention.forget_callbacks(session, before=CUTOFF) == 1
        session.expire_all()
        assert session.query(CallbackRequest).one().topic == ""


def test_of_an_old_hand_over_only_what_names_no_one_stays(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        assert retention.forget_handoffs(session, before=CUTOFF) == 0
        age(session, Handoff, LONG_AGO, "ended_at")
        assert retention.forget_handoffs(session, before=CUTOFF) == 1
        assert retention.forget_handoffs(session, before=CUTOFF) == 0
        handoff = session.query(Handoff).one()
        assert (handoff.topic, handoff.agreed, handoff.outcome) == ("", "", "released")


def test_old_notes_go_unless_they_are_pinned(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        seed(session, OMID, tmp_path)
        assert retention.forget_notes(session, before=CUTOFF) == 0
        session.query(StaffNote).order_by(StaffNote.id.desc()).limit(1).one().is_pinned = True
        age(session, StaffNote, LONG_AGO, "created_at")
        assert retention.forget_notes(session, before=CUTOFF) == 1
        assert [note.text for note in session.query(StaffNote)] == [OMID.noted]


def test_what_staff_had_in_mind_once_goes(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        assert retention.forget_focus(session, before=CUTOFF) == 0
        age(session, StaffFocus, LONG_AGO, "updated_at")
        assert retention.forget_focus(session, before=CUTOFF) == 1


def test_with_the_lines_goes_what_stood_for_them_in_the_group_and_what_is_searched(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        seed(session, MINA, tmp_path)
        assert retention.forget_topics(session, before=CUTOFF) == 0
        age(session, Message, LONG_AGO, "created_at")
        age(session, StaffTopic, LONG_AGO, "created_at")
        assert search(session, text=MINA.agreed).rows != []
        assert retention.forget_transcripts(session, before=CUTOFF) > 0
        assert session.query(MessageText).count() == 0
        assert search(session, text=MINA.agreed).rows == []
        assert {line.form for line in session.query(RelayedLine)} == {"sign"}
        assert retention.forget_topics(session, before=CUTOFF) == 1
        assert session.query(RelayedLine).count() == 0


def test_the_audit_trail_goes_after_its_time(database: Database) -> None:
    with database.write() as session:
        record_audit(session, actor="operator", action="inbox.retried")
        age(session, AuditEntry, LONG_AGO, "at")
        record_audit(session, actor="operator", action="inbox.retried")
        session.flush()
        assert retention.forget_audit(session, before=CUTOFF) == 1
        assert session.query(AuditEntry).count() == 1


def test_what_nobody_decided_about_goes_and_of_what_was_decided_the_text(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        waits, accepted, young = (
            keep(
                session,
                conversation_id=chat.id,
                inbox_id=an_inbox_id(session, chat),
                text=text,
                ranking=[("greet", 0.3)],
                reason=FALLBACK,
                by_default=True,
            )
            for text in ("اون چی شد", "کجا موند", "خب بعدش")
        )
        assert waits is not None
        assert accepted is not None
        assert young is not None
        age(session, LearningSample, LONG_AGO, "created_at")
        accepted.state, accepted.assigned, accepted.decided_at = "accepted", "complaint_status", LONG_AGO
        young.state, young.decided_at = "discarded", NOW
        session.flush()
        assert retention.forget_learning(session, before=CUTOFF) == 2
        assert retention.forget_learning(session, before=CUTOFF) == 0
        session.expire_all()
        left = session.query(LearningSample).order_by(LearningSample.id).all()
        assert [(one.text, one.ranking, one.assigned) for one in left] == [
            ("", [], "complaint_status"),
            ("خب بعدش", [["greet", 0.3]], ""),
        ]


def test_a_file_that_was_sent_along_twice_stays_as_long_as_one_of_them_is_needed(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session)
        complaint = a_complaint(session, chat)
        kept, spare = (attach(session, chat, "web/a/b.jpg") for _ in range(2))
        kept.complaint_id, ids = complaint.id, [kept.id, spare.id]
        age(session, Attachment, LONG_AGO, "created_at")
        assert retention.forget_attachments(session, before=CUTOFF) == []
        session.expunge_all()
        assert [session.get(Attachment, one) is None for one in ids] == [False, True]


def test_a_file_of_ones_own_data_is_taken_back_after_a_while(database: Database) -> None:
    with database.write() as session:
        chat = a_conversation(session, channel="web", chat_id="ab" * 32)
        item = request_export(session, conversation_id=chat.id, inbox_id=an_inbox_id(session, chat))
        item.state, item.sent_at = outbox.SENT, LONG_AGO
        line = conversations.add_message(
            session,
            conversation_id=chat.id,
            author="bot",
            text="بفرمایید",
            extra={"document": {"file_name": "my-data.html", "size": 5, "path": "web/ab/1.html"}},
            outbox_id=item.id,
        )
        assert retention.known_places(session, ["web/ab/1.html", "web/ab/2.html"]) == {"web/ab/1.html"}
        assert retention.withdraw_exports(session, before=CUTOFF) == ["web/ab/1.html"]
        session.flush()
        assert retention.withdraw_exports(session, before=CUTOFF) == []
        assert line.extra["document"] == {"file_name": "my-data.html", "size": 5}
        assert item.kind == EXPORT


def test_the_dialogue_forgets_what_it_reads_no_more(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tracker.db'}"
    make_tracker(url)
    old, new = LONG_AGO.timestamp(), NOW.timestamp()
    for conversation_id, at, kind, said in (
        (1, old, "session_started", "-"),
        (1, old, "user", "a conversation that ended long ago"),
        (2, old, "session_started", "-"),
        (2, old, "user", "an older session"),
        (2, new, "session_started", "-"),
        (2, new, "user", "the present session"),
        (3, old, "session_started", "-"),
        (3, old, "user", "a session that still goes on"),
        (3, new, "user", "a session that still goes on"),
    ):
        remember(url, conversation_id=conversation_id, at=at, kind=kind, said=said)
    tracker = Tracker(url)
    assert tracker.forget_before(CUTOFF) == 4
    assert tracker.forget([3]) == 3
    tracker.compact()
    tracker.close()
    left = (tmp_path / "tracker.db").read_bytes()
    assert b"the present session" in left
    for gone in (b"long ago", b"older session", b"goes on"):
        assert gone not in left


def test_a_dialogue_that_never_ran_has_nothing_to_forget(tmp_path: Path) -> None:
    tracker = Tracker(f"sqlite:///{tmp_path / 'tracker.db'}")
    assert tracker.forget([1]) == 0
    tracker.compact()
    tracker.close()
    assert not (tmp_path / "tracker.db").exists()
