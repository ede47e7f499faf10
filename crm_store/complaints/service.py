"""What can be done with complaints."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.activity import record_activity
from crm_store.complaints.models import CATEGORIES, Complaint
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.service import customer_of
from crm_store.drafts import Draft
from crm_store.errors import DraftIncomplete, InvalidInput, NotFound
from crm_store.persian import new_tracking_code, parse_tracking_code

DRAFT_KIND = "complaint"
REQUIRED_FIELDS = ("description", "category")
MAX_DESCRIPTION = 8000
_CODE_TRIES = 20


def set_draft_field(
    session: Session, *, conversation_id: int, field: str, value: str | None, inbox_id: int
) -> Draft:
    """Write a field of the conversation's complaint draft, making the draft if there is none.

    Args:
        field: ``description`` or ``category``.
        value: what the customer said last; None clears the field.

    Raises:
        InvalidInput: the field or the category is unknown.
    """
    if field not in REQUIRED_FIELDS:
        raise InvalidInput(f"a complaint has no field {field}")
    if field == "category" and value is not None and value not in CATEGORIES:
        raise InvalidInput(f"unknown category {value}")
    draft = drafts.start_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)
    kept = value[:MAX_DESCRIPTION] if value else value
    drafts.set_field(draft, field=field, value=kept, inbox_id=inbox_id)
    return draft


def attach_to_draft(
    session: Session, *, conversation_id: int, attachment_ids: list[int], inbox_id: int
) -> Draft:
    """Add attachments of this conversation to its complaint draft; known ones are not added twice."""
    draft = drafts.start_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)
    own = session.scalars(
        select(Attachment.id).where(
            Attachment.conversation_id == conversation_id, Attachment.id.in_(attachment_ids)
        )
    )
    known = list(draft.data.get("attachments", []))
    value = known + [attachment_id for attachment_id in own if attachment_id not in known]
    drafts.set_field(draft, field="attachments", value=value, inbox_id=inbox_id)
    return draft


def file_complaint(session: Session, *, conversation_id: int, inbox_id: int) -> Complaint:
    """Register the conversation's complaint draft; the same turn again gives the same complaint.

    Args:
        inbox_id: the message that confirmed it.

    Raises:
        DraftIncomplete: a required field is missing.
        NotFound: there is no draft to register.
    """
    draft = drafts.turn_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)
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
        data={"category": complaint.category, "attachments": len(attachments)},
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
        )
        try:
            with session.begin_nested():
                session.add(complaint)
        except IntegrityError:
            continue
        return complaint
    raise RuntimeError("no free tracking code was found")


def cancel_draft(session: Session, *, conversation_id: int, inbox_id: int) -> bool:
    """Drop the conversation's open complaint draft; False when there is none."""
    return drafts.cancel_draft(session, conversation_id=conversation_id, kind=DRAFT_KIND, inbox_id=inbox_id)


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
