"""What can be done with complaints."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.activity import record_activity
from crm_store.complaints.drafting import (
    CONTACT_POINT,
    MAX_DESCRIPTION,
    REQUIRED_FIELDS,
    complaint_draft,
)
from crm_store.complaints.models import Complaint
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.service import customer_of
from crm_store.drafts import Draft
from crm_store.errors import DraftIncomplete, NotFound
from crm_store.persian import new_tracking_code, parse_tracking_code

_CODE_TRIES = 20


def file_complaint(session: Session, *, conversation_id: int, inbox_id: int) -> Complaint:
    """Register the conversation's complaint draft; the same turn again gives the same complaint.

    Args:
        inbox_id: the message that confirmed it.

    Raises:
        DraftIncomplete: a required field is missing.
        NotFound: there is no draft to register.
    """
    draft = complaint_draft(session, conversation_id=conversation_id, inbox_id=inbox_id)
    if draft is None or draft.state == drafts.CANCELLED:
        raise NotFound("there is no complaint draft")
    known = session.scalar(select(Complaint).where(Complaint.draft_id == draft.id))
    if known is not None:
        return known
    missing = [field for field in REQUIRED_FIELDS if not draft.data.get(field)]
    if missing:
        raise DraftIncomplete(missing)
    conversation = session.get_one(Conversation, draft.conversation_id)
    complaint = _insert_with_new_code(session, draft=draft, customer_id=customer_of(conversation))
    attachments = draft.data.get("attachments", [])
    for attachment in session.scalars(select(Attachment).where(Attachment.id.in_(attachments))):
        attachment.complaint_id = complaint.id
    drafts.close_draft(draft, state=drafts.SUBMITTED, inbox_id=inbox_id)
    record_activity(
        session,
        customer_id=complaint.customer_id,
        kind="complaint.filed",
        subject_type="complaint",
        subject_id=complaint.id,
        data={
            "category": complaint.category,
            "remedy": complaint.remedy,
            "attachments": len(attachments),
        },
    )
    return complaint


def _insert_with_new_code(session: Session, *, draft: Draft, customer_id: int) -> Complaint:
    """Insert under a random code, taking another one in the rare case that it is taken."""
    for _ in range(_CODE_TRIES):
        code = new_tracking_code()
        if session.scalar(select(Complaint.id).where(Complaint.code == code)) is not None:
            continue
        complaint = Complaint(
            code=code,
            customer_id=customer_id,
            conversation_id=draft.conversation_id,
            draft_id=draft.id,
            source_inbox_id=draft.sources.get("description"),
            category=draft.data["category"],
            description=draft.data["description"],
            order_number=draft.data.get("order_number", ""),
            remedy=draft.data.get("remedy", ""),
            contact_point_id=draft.data.get(CONTACT_POINT) or None,
        )
        try:
            with session.begin_nested():
                session.add(complaint)
        except IntegrityError:
            continue
        return complaint
    raise RuntimeError("no free tracking code was found")


def complaint_told_in(session: Session, *, inbox_id: int) -> Complaint | None:
    """The complaint whose story stood in a message, if there is one."""
    return session.scalar(select(Complaint).where(Complaint.source_inbox_id == inbox_id))


def correct_story(session: Session, *, inbox_id: int, text: str) -> Complaint | None:
    """Replace the description of the complaint whose story stood in a message that was edited since.

    The former wording stays in the timeline.
    """
    complaint = complaint_told_in(session, inbox_id=inbox_id)
    if complaint is None or complaint.description == text:
        return complaint
    record_activity(
        session,
        customer_id=complaint.customer_id,
        kind="complaint.description_corrected",
        subject_type="complaint",
        subject_id=complaint.id,
        data={"former": complaint.description},
    )
    complaint.description = text[:MAX_DESCRIPTION]
    return complaint


def complaints_of(session: Session, *, customer_id: int, limit: int = 10) -> list[Complaint]:
    """A customer's complaints, newest first."""
    return list(
        session.scalars(
            select(Complaint)
            .where(Complaint.customer_id == customer_id)
            .order_by(Complaint.id.desc())
            .limit(limit)
        )
    )


def own_complaint(session: Session, *, customer_id: int, code: str) -> Complaint:
    """A customer's complaint by its code, in either script.

    Raises:
        NotFound: no such code, or it is somebody else's; the two cannot be told apart.
    """
    parsed = parse_tracking_code(code)
    complaint = session.scalar(
        select(Complaint).where(Complaint.code == (parsed or ""), Complaint.customer_id == customer_id)
    )
    if complaint is None:
        raise NotFound("no complaint of this customer has this code")
    return complaint
