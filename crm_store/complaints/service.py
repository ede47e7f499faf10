"""What can be done with complaints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm_store import drafts
from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.complaints.drafting import (
    CONTACT_POINT,
    MAX_DESCRIPTION,
    PRODUCT,
    REQUIRED_FIELDS,
    SIGNALS,
    complaint_draft,
)
from crm_store.complaints.models import Complaint
from crm_store.complaints.priority import assess, same_order
from crm_store.complaints.problems import look_for_problem
from crm_store.complaints.timeline import note_event
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.service import customer_of
from crm_store.customers.models import Customer
from crm_store.drafts import Draft
from crm_store.errors import DraftIncomplete, NotFound
from crm_store.persian import parse_tracking_code
from crm_store.rules import Rules
from crm_store.sla import clocks
from crm_store.tickets.codes import new_ticket_code
from crm_store.tickets.models import COMPLAINT

_CODE_TRIES = 20


def file_complaint(
    session: Session, *, conversation_id: int, inbox_id: int, rules: Rules, now: datetime | None = None
) -> Complaint:
    """Register the conversation's complaint draft; the same turn again gives the same complaint.

    Its priority is assessed, its clocks begin, an earlier complaint about the same order is named, and it
    joins or raises the problem that many customers have.

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
    now = now or utcnow()
    customer_id = customer_of(session.get_one(Conversation, draft.conversation_id))
    complaint = take_in(
        session, draft, told=draft.data, customer_id=customer_id, actor="customer", rules=rules, now=now
    )
    drafts.close_draft(draft, state=drafts.SUBMITTED, inbox_id=inbox_id)
    return complaint


def take_in(
    session: Session,
    draft: Draft,
    *,
    told: Mapping[str, Any],
    customer_id: int,
    actor: str,
    rules: Rules,
    now: datetime,
) -> Complaint:
    """Register what was told, with all that follows; `file_complaint` says what.

    Args:
        draft: what the complaint is made of.
        told: its fields, by the names of a draft's.
        actor: who told it, ``customer`` or ``staff:<id>``.
    """
    complaint = _insert(session, draft, told, customer_id=customer_id, rules=rules, now=now)
    attachments = told.get("attachments", [])
    for attachment in session.scalars(select(Attachment).where(Attachment.id.in_(attachments))):
        attachment.complaint_id = complaint.id
    note_event(
        session,
        complaint,
        "filed",
        actor=actor,
        now=now,
        data={
            "category": complaint.category,
            "remedy": complaint.remedy,
            "attachments": len(attachments),
            "priority": complaint.priority,
        },
    )
    customer = session.get_one(Customer, complaint.customer_id)
    clocks.start(
        session,
        rules=rules,
        subject_type=COMPLAINT,
        subject_id=complaint.id,
        priority=complaint.priority,
        tier=customer.tier,
        now=now,
    )
    look_for_problem(session, complaint, rules=rules, now=now)
    return complaint


def _insert(
    session: Session,
    draft: Draft,
    data: Mapping[str, Any],
    *,
    customer_id: int,
    rules: Rules,
    now: datetime,
) -> Complaint:
    """Insert what was told, with its priority and its place beside earlier complaints."""
    order_number = data.get("order_number", "")
    priority, reasons = assess(
        session,
        customer_id=customer_id,
        category=data["category"],
        text=data["description"],
        signals=data.get(SIGNALS, ()),
        order_number=order_number,
        rules=rules,
        now=now,
    )
    earlier = same_order(session, customer_id=customer_id, order_number=order_number)
    values = {
        "customer_id": customer_id,
        "conversation_id": draft.conversation_id,
        "draft_id": draft.id,
        "source_inbox_id": draft.sources.get("description"),
        "category": data["category"],
        "description": data["description"],
        "order_number": order_number,
        "product": data.get(PRODUCT, ""),
        "remedy": data.get("remedy", ""),
        "contact_point_id": data.get(CONTACT_POINT) or None,
        "priority": priority,
        "priority_reasons": reasons,
        "related_to_id": (earlier[0].related_to_id or earlier[0].id) if earlier else None,
        "created_at": now,
        "updated_at": now,
    }
    return _insert_with_new_code(session, values)


def _insert_with_new_code(session: Session, values: Mapping[str, Any]) -> Complaint:
    """Insert under a random code, taking another one in the rare case that it is taken meanwhile."""
    for _ in range(_CODE_TRIES):
        complaint = Complaint(code=new_ticket_code(session), **values)
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


def find_by_code(session: Session, *, code: str) -> Complaint:
    """Anybody's complaint by its code, in either script, for the staff.

    Raises:
        NotFound: no such code.
    """
    complaint = session.scalar(select(Complaint).where(Complaint.code == (parse_tracking_code(code) or "")))
    if complaint is None:
        raise NotFound("no complaint has this code")
    return complaint
