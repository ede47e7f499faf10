"""What is said about a ticket after it was registered: notes, questions to the customer, their answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment, Conversation
from crm_store.customers.models import ChannelIdentity
from crm_store.service_requests.models import ServiceRequest
from crm_store.tickets.models import COMPLAINT, QUESTION, SERVICE_REQUEST, TicketNote

MAX_TEXT = 8000
_CUSTOMER = "customer"
_CUSTOMERS = {
    COMPLAINT: (Complaint.id, Complaint.customer_id),
    SERVICE_REQUEST: (ServiceRequest.id, ServiceRequest.customer_id),
}


def add_note(
    session: Session,
    *,
    subject_type: str,
    subject_id: int,
    kind: str,
    author: str,
    text: str,
    attachment_ids: Collection[int] = (),
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> TicketNote:
    """Keep something that was said about a ticket; the same key again gives the first note.

    Args:
        kind: ``note``, ``question``, ``answer`` or ``internal``.
        author: ``customer``, ``staff:<id>`` or ``operator``.
        attachment_ids: what came along; of a customer's only what they sent themselves, and nothing that
            belongs to another ticket already.
        idempotency_key: what it is made by, for example ``inbox:17:note:4``.
    """
    if idempotency_key is not None:
        known = session.scalar(select(TicketNote).where(TicketNote.idempotency_key == idempotency_key))
        if known is not None:
            return known
    note = TicketNote(
        subject_type=subject_type,
        subject_id=subject_id,
        kind=kind,
        author=author,
        text=text.strip()[:MAX_TEXT],
        idempotency_key=idempotency_key,
        created_at=now or utcnow(),
    )
    session.add(note)
    session.flush()
    if attachment_ids:
        _attach(session, note, attachment_ids)
    return note


def notes_told_in(session: Session, *, inbox_id: int) -> list[TicketNote]:
    """What was kept of a customer's message, in order."""
    told_in = TicketNote.idempotency_key.startswith(f"inbox:{inbox_id}:", autoescape=True)
    own = select(TicketNote).where(told_in, TicketNote.author == _CUSTOMER)
    return list(session.scalars(own.order_by(TicketNote.id)))


def correct_note(session: Session, note: TicketNote, *, text: str) -> None:
    """Replace the words of a customer's note; the former ones stay in the timeline."""
    ticket_id, customer_id = _CUSTOMERS[note.subject_type]
    record_activity(
        session,
        customer_id=session.scalars(select(customer_id).where(ticket_id == note.subject_id)).one(),
        kind=f"{note.subject_type}.note_corrected",
        subject_type=note.subject_type,
        subject_id=note.subject_id,
        data={"former": note.text, "note": note.id},
    )
    note.text = text[:MAX_TEXT]


def open_questions(session: Session, *, subject_type: str, subject_id: int) -> list[TicketNote]:
    """The staff's questions that the customer has not answered yet, in order."""
    return list(
        session.scalars(
            select(TicketNote)
            .where(
                TicketNote.subject_type == subject_type,
                TicketNote.subject_id == subject_id,
                TicketNote.kind == QUESTION,
                TicketNote.answered_at.is_(None),
            )
            .order_by(TicketNote.id)
        )
    )


def open_question(session: Session, *, subject_type: str, subject_id: int) -> TicketNote | None:
    """The latest question that the customer has not answered yet."""
    questions = open_questions(session, subject_type=subject_type, subject_id=subject_id)
    return questions[-1] if questions else None


def settle_questions(session: Session, *, subject_type: str, subject_id: int, now: datetime) -> int:
    """Wait for no answer any more, because it came or is not needed; returns how many questions were open."""
    questions = open_questions(session, subject_type=subject_type, subject_id=subject_id)
    for question in questions:
        question.answered_at = now
    return len(questions)


def _attach(session: Session, note: TicketNote, attachment_ids: Collection[int]) -> None:
    """Give a note the files that came with it."""
    wanted = select(Attachment).where(Attachment.id.in_(attachment_ids))
    if note.author == _CUSTOMER:
        ticket_id, customer_id = _CUSTOMERS[note.subject_type]
        owner = select(customer_id).where(ticket_id == note.subject_id).scalar_subquery()
        own = (
            select(Conversation.id)
            .join(ChannelIdentity, Conversation.identity_id == ChannelIdentity.id)
            .where(ChannelIdentity.customer_id == owner)
        )
        wanted = wanted.where(Attachment.conversation_id.in_(own))
    place = "complaint_id" if note.subject_type == COMPLAINT else "service_request_id"
    for attachment in session.scalars(wanted.order_by(Attachment.id)):
        if attachment.complaint_id is None and attachment.service_request_id is None:
            setattr(attachment, place, note.subject_id)
            attachment.note_id = note.id
