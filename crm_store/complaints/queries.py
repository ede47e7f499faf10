"""Reading complaints for those who deal with them."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.activity import Activity, subject_timeline
from crm_store.complaints.models import Compensation, Complaint, Problem
from crm_store.conversations.models import Attachment, Conversation
from crm_store.conversations.queries import TranscriptLine, lines_around
from crm_store.customers.models import ContactPoint, Customer
from crm_store.customers.queries import phones_of_case
from crm_store.errors import NotFound
from crm_store.paging import PAGE_SIZE, Page, find_place


class ComplaintRow(msgspec.Struct, frozen=True):
    """A complaint in a list.

    Attributes:
        attachments: how many files were sent with it.
    """

    complaint: Complaint
    customer: Customer
    attachments: int


class ComplaintCase(msgspec.Struct, frozen=True):
    """A complaint with everything around it.

    Attributes:
        phones: of the customer; the one that was given for this complaint comes first.
        attachments: what was sent with it, in order.
        activities: what happened to it, in order.
        conversation: where it was told.
        lines: what was said there around the time it was filed.
    """

    complaint: Complaint
    customer: Customer
    phones: list[ContactPoint]
    attachments: list[Attachment]
    activities: list[Activity]
    conversation: Conversation
    lines: list[TranscriptLine]


class CompensationRow(msgspec.Struct, frozen=True):
    """A compensation in a list.

    Attributes:
        code: tracking code of the complaint that it makes up for.
    """

    compensation: Compensation
    code: str
    customer: Customer


class ProblemRow(msgspec.Struct, frozen=True):
    """A problem in a list.

    Attributes:
        complaints: how many it links.
    """

    problem: Problem
    complaints: int


def complaints_page(
    session: Session, *, category: str = "", state: str = "", number: int = 1, size: int = PAGE_SIZE
) -> Page[ComplaintRow]:
    """A page of the list of complaints, newest first.

    Args:
        category: only those of this category; empty for all.
        state: only those in this state; empty for all.
        number: which page, from 1.
    """
    wanted = ((Complaint.category, category), (Complaint.state, state))
    chosen = [column == value for column, value in wanted if value]
    total = session.scalar(select(func.count()).select_from(Complaint).where(*chosen)) or 0
    place = find_place(number=number, total=total, size=size)
    files = select(func.count()).where(Attachment.complaint_id == Complaint.id).scalar_subquery()
    rows = session.execute(
        select(Complaint, Customer, files)
        .join(Customer, Complaint.customer_id == Customer.id)
        .where(*chosen)
        .order_by(Complaint.id.desc())
        .offset(place.offset)
        .limit(size)
    )
    return Page([ComplaintRow(*row) for row in rows], place)


def has_complaint(session: Session, *, code: str) -> bool:
    """Whether a tracking code, as it is kept, belongs to a complaint."""
    return session.scalar(select(Complaint.id).where(Complaint.code == code)) is not None


def complaint_case(session: Session, *, code: str, with_lines: bool = True) -> ComplaintCase:
    """A complaint by its tracking code, as it is kept.

    Args:
        with_lines: whether the lines are wanted, which are most of the work.

    Raises:
        NotFound: no complaint has this code.
    """
    found = session.execute(
        select(Complaint, Customer, Conversation)
        .join(Customer, Complaint.customer_id == Customer.id)
        .join(Conversation, Complaint.conversation_id == Conversation.id)
        .where(Complaint.code == code)
    ).one_or_none()
    if found is None:
        raise NotFound("no complaint has this code")
    complaint, customer, conversation = found
    return ComplaintCase(
        complaint=complaint,
        customer=customer,
        phones=phones_of_case(session, customer_id=customer.id, given_id=complaint.contact_point_id),
        attachments=list(
            session.scalars(
                select(Attachment).where(Attachment.complaint_id == complaint.id).order_by(Attachment.id)
            )
        ),
        activities=subject_timeline(
            session, customer_id=customer.id, subject_type="complaint", subject_id=complaint.id
        ),
        conversation=conversation,
        lines=lines_around(session, conversation_id=conversation.id, moment=complaint.created_at)
        if with_lines
        else [],
    )


def compensations_to_deal_with(session: Session) -> list[CompensationRow]:
    """Compensations that wait for approval, for being booked or for being paid, in order."""
    rows = session.execute(
        select(Compensation, Complaint.code, Customer)
        .join(Complaint, Compensation.complaint_id == Complaint.id)
        .join(Customer, Compensation.customer_id == Customer.id)
        .where(Compensation.state.in_(("waiting", "granted")))
        .order_by(Compensation.state.desc(), Compensation.id)
    )
    return [CompensationRow(*row) for row in rows]


def problems_to_deal_with(session: Session) -> list[ProblemRow]:
    """Problems that are not closed, oldest first."""
    linked = select(func.count()).where(Complaint.problem_id == Problem.id).scalar_subquery()
    rows = session.execute(select(Problem, linked).where(Problem.state == "open").order_by(Problem.id))
    return [ProblemRow(*row) for row in rows]
