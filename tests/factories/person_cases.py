"""What became of a seeded person's cases: talk about a complaint, its outcome, two visits, staff's chats."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store import drafts, inbox, outbox
from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution, Problem
from crm_store.conversations import service as conversations
from crm_store.conversations.models import Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.service import add_phone, identify
from crm_store.drafts import Draft
from crm_store.jobs.models import ScheduledJob
from crm_store.persian import new_tracking_code, phone_text, rich, to_persian_digits
from crm_store.service_requests.models import ASSIGNED, DONE, BookingWindow, ServiceRequest
from crm_store.sla.models import SlaClock
from crm_store.staff.models import StaffAccount, StaffInvitation, StaffMember
from crm_store.tickets.models import ANSWER, COMPLAINT, INTERNAL, NOTE, QUESTION, SERVICE_REQUEST, TicketNote
from tests.factories import an_inbox_id

if TYPE_CHECKING:
    from tests.factories.person import Person

TECHNICIAN = "880011223"
#: Far enough away for every test that lets time pass.
VISIT_AT = datetime(2031, 5, 10, 10, 30, tzinfo=timezone.utc)


def a_technician(session: Session) -> Conversation:
    """The private chat of a technician who has linked the account, one for all seeded persons."""
    identity = identify(session, channel="telegram", external_id=TECHNICIAN, display_name="کاوه")
    if session.get(StaffAccount, identity.id) is None:
        member = StaffMember(name="کاوه مرادی", role="technician", skills=["boiler"])
        session.add(member)
        session.flush()
        session.add(StaffAccount(identity_id=identity.id, staff_id=member.id))
        session.add(
            StaffInvitation(
                staff_id=member.id,
                lookup="ABCD",
                code_hash="0" * 64,
                tries_left=5,
                expires_at=utcnow(),
                used_at=utcnow(),
            )
        )
        session.flush()
    return conversations.open_conversation(session, channel="telegram", chat_id=TECHNICIAN, identity=identity)


def follow_up(session: Session, person: Person, chat: Conversation, complaint: Complaint) -> None:
    """A question and its answer, words of both sides, a decision with a compensation, and promises."""
    asked = _note(session, complaint, kind=QUESTION, author="operator", text=person.question)
    asked.answered_at = utcnow()
    row = _said(session, chat, person.reply)
    answer = _note(
        session,
        complaint,
        kind=ANSWER,
        author="customer",
        text=person.reply,
        idempotency_key=f"inbox:{row}",
    )
    photo = conversations.add_attachment(
        session,
        conversation_id=chat.id,
        inbox_id=row,
        kind="location",
        data={"title": person.home, "latitude": 35.7, "longitude": 51.4},
    )
    photo.complaint_id, photo.note_id = complaint.id, answer.id
    _note(session, complaint, kind=NOTE, author="staff:1", text=f"{person.name}، {person.finding}")
    _note(session, complaint, kind=INTERNAL, author="staff:1", text=person.remark)
    _decide(session, person, complaint)
    _promise(session, COMPLAINT, complaint.id, "resolution")
    complaint.priority_reasons = [
        {"reason": "category", "category": complaint.category},
        {"reason": "staff", "by": "staff:1", "why": person.remark},
    ]
    complaint.problem_id = _problem(session)
    record_activity(
        session,
        customer_id=complaint.customer_id,
        kind="complaint.withdrawn",
        subject_type=COMPLAINT,
        subject_id=complaint.id,
        data={"reason": person.reply, "inbox_id": row},
    )
    record_activity(
        session,
        customer_id=complaint.customer_id,
        kind="complaint.priority_set",
        actor="staff:1",
        subject_type=COMPLAINT,
        subject_id=complaint.id,
        data={"reason": person.remark},
    )
    session.add(
        ScheduledJob(
            kind="complaint_close",
            key=f"complaint_close:{complaint.id}",
            due_at=VISIT_AT,
            data={"complaint_id": complaint.id},
        )
    )
    _tell_group(session, complaint.code, person.remark)


def visits(session: Session, person: Person, chat: Conversation, folder: Path) -> None:
    """A visit that is to come and one that was made, with all that the technician got and sent."""
    coming = _request(session, person, chat, state=ASSIGNED)
    coming.window = _window(session)
    coming.window.booked += 1
    made = _request(session, person, chat, state=DONE)
    made.outcome, made.rating, made.rating_scale, made.done_at = person.outcome, 4, 5, utcnow()
    session.flush()
    _promise(session, SERVICE_REQUEST, coming.id, "first_response")
    session.add(
        ScheduledJob(
            kind="visit_reminder",
            key=f"visit_reminder:{coming.id}",
            due_at=VISIT_AT - timedelta(days=1),
            data={"request_id": coming.id, "starts_at": VISIT_AT.isoformat()},
        )
    )
    technician = a_technician(session)
    _what_the_technician_got(session, person, technician, coming)
    _what_the_technician_sent(session, person, technician, made, folder)


def _note(session: Session, complaint: Complaint, **columns: Any) -> TicketNote:
    note = TicketNote(subject_type=COMPLAINT, subject_id=complaint.id, **columns)
    session.add(note)
    session.flush()
    return note


def _said(session: Session, chat: Conversation, text: str) -> int:
    """A message that was dealt with; its line is in the transcript."""
    row = an_inbox_id(session, chat, text=text)
    conversations.add_message(session, conversation_id=chat.id, author="customer", text=text, inbox_id=row)
    inbox.finish(session, inbox_id=row)
    return row


def _decide(session: Session, person: Person, complaint: Complaint) -> None:
    """A decision that was told, with points, and one whose money waits for approval."""
    for state, kind, given in (("told", "points", "granted"), ("proposed", "money", "waiting")):
        decision = ComplaintResolution(
            complaint_id=complaint.id,
            decision="partly_upheld",
            root_cause="carrier",
            remedy="compensation",
            explanation=person.finding if state == "told" else f"{person.finding} ({person.remark})",
            decided_by="staff:1",
            state=state,
        )
        session.add(decision)
        session.flush()
        session.add(
            Compensation(
                complaint_id=complaint.id,
                resolution_id=decision.id,
                customer_id=complaint.customer_id,
                kind=kind,
                amount=5_000_000 if kind == "money" else 250,
                state=given,
                requested_by="staff:1",
            )
        )


def _promise(session: Session, subject_type: str, subject_id: int, metric: str) -> None:
    moment = utcnow()
    session.add(
        SlaClock(
            subject_type=subject_type,
            subject_id=subject_id,
            metric=metric,
            policy="همه",
            target_seconds=3600,
            started_at=moment,
            due_at=moment + timedelta(hours=1),
            warn_at=moment + timedelta(minutes=45),
            check_at=moment + timedelta(minutes=45),
        )
    )


def _problem(session: Session) -> int:
    """One problem that all seeded persons have."""
    problem = session.scalar(select(Problem)) or Problem(
        cause="category:delivery", answer="پیک‌های ما این هفته دیر رسیدند.", answered_by="staff:1"
    )
    session.add(problem)
    session.flush()
    return problem.id


def _window(session: Session) -> BookingWindow:
    window = session.scalar(select(BookingWindow)) or BookingWindow(
        kind="repair", starts_at=VISIT_AT, ends_at=VISIT_AT + timedelta(hours=3), booked=0
    )
    session.add(window)
    session.flush()
    return window


def _request(session: Session, person: Person, chat: Conversation, *, state: str) -> ServiceRequest:
    told: dict[str, Any] = {
        "problem": person.fault,
        "product": person.device,
        "city": person.city,
        "address": person.home,
        "answers": [{"question": "طبقهٔ چندم؟", "answer": person.reply}],
    }
    draft = Draft(conversation_id=chat.id, kind=SERVICE_REQUEST, data=told, state=drafts.SUBMITTED)
    session.add(draft)
    session.flush()
    phone = add_phone(session, customer_id=customer_of(chat), phone=f"0{person.phone}")
    request = ServiceRequest(
        code=new_tracking_code(),
        customer_id=customer_of(chat),
        conversation_id=chat.id,
        draft_id=draft.id,
        kind="repair",
        contact_point_id=phone.id,
        state=state,
        technician_id=_technician_id(session),
        **told,
    )
    session.add(request)
    session.flush()
    return request


def _technician_id(session: Session) -> int:
    return session.get_one(StaffAccount, a_technician(session).identity_id).staff_id


def _tell_group(session: Session, code: str, remark: str) -> None:
    group = conversations.open_conversation(session, channel="telegram", chat_id="-100200300", identity=None)
    told = outbox.enqueue_notice(
        session,
        conversation_id=group.id,
        response="utter_staff_complaint_note",
        params={"code": to_persian_digits(code), "category": remark},
        idempotency_key=f"complaint-note:{code}",
    )
    session.flush()
    told.state, told.sent_at = outbox.SENT, utcnow()
    text = f"{rich.value(remark)} {rich.value(to_persian_digits(code))}"
    conversations.add_message(session, conversation_id=group.id, author="bot", text=text, outbox_id=told.id)


def _what_the_technician_got(
    session: Session, person: Person, technician: Conversation, request: ServiceRequest
) -> None:
    """A notice of a new visit, another one that has not left yet, and the answer to "my visits of today"."""
    lines = f"{person.home}، {person.fault}، {phone_text(f'+98{person.phone}')}"
    for number, state in enumerate((outbox.SENT, outbox.PENDING)):
        notice = outbox.enqueue_notice(
            session,
            conversation_id=technician.id,
            response="utter_staff_visit_new",
            params={"code": to_persian_digits(request.code), "ticket": request.code, "lines": lines},
            idempotency_key=f"service-move:{request.code}:{number}",
            due_at=VISIT_AT if state == outbox.PENDING else None,
        )
        notice.state = state
    session.flush()
    shown = f"بازدید {rich.value(to_persian_digits(request.code))}\n{rich.value(lines)}"
    buttons = conversations.issue_buttons(
        session,
        conversation_id=technician.id,
        buttons=[{"title": "راه افتادم", "payload": f'/visit_on_the_way{{"ticket": "{request.code}"}}'}],
        lifetime=timedelta(hours=48),
    )
    listed = outbox.enqueue_message(
        session, conversation_id=technician.id, content={"text": shown, "buttons": buttons}
    )
    session.flush()
    listed.state, listed.sent_at = outbox.SENT, utcnow()
    conversations.add_message(
        session, conversation_id=technician.id, author="bot", text=shown, outbox_id=listed.id
    )
    # What follows names the street and not the code.
    conversations.add_message(
        session, conversation_id=technician.id, author="bot", text=f"نشانی: {rich.value(person.home)}"
    )


def _what_the_technician_sent(
    session: Session, person: Person, technician: Conversation, request: ServiceRequest, folder: Path
) -> None:
    """A photo with words, and what the form about it took down."""
    row = _said(session, technician, person.outcome)
    place = f"2026/12/{request.code}.txt"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text(f"{person.home}: {person.outcome}", encoding="utf-8")
    photo = conversations.add_attachment(
        session,
        conversation_id=technician.id,
        inbox_id=row,
        kind="photo",
        file_name=f"{person.name}.txt",
        path=place,
    )
    note = TicketNote(
        subject_type=SERVICE_REQUEST,
        subject_id=request.id,
        kind=INTERNAL,
        author=f"staff:{request.technician_id}",
        text=person.outcome,
        idempotency_key=f"inbox:{row}:service_request:{request.id}",
    )
    session.add(note)
    session.flush()
    photo.service_request_id, photo.note_id = request.id, note.id
    form = Draft(
        conversation_id=technician.id,
        kind="ticket_task",
        state=drafts.SUBMITTED,
        data={"task": "visit_done", "ticket": request.code, "detail": person.outcome, "files": [photo.id]},
        sources={"task": row, "detail": row},
        closed_by_inbox_id=row,
    )
    session.add(form)
    record_activity(
        session,
        customer_id=request.customer_id,
        kind="service_request.done",
        actor=f"staff:{request.technician_id}",
        subject_type=SERVICE_REQUEST,
        subject_id=request.id,
        data={"text": person.outcome, "inbox_id": row},
    )
