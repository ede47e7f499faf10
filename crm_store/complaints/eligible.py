"""Which of a customer's complaints something can be done with."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints.models import CLOSED, OPEN_STATES, RESOLVED, WAITING, Complaint
from crm_store.complaints.states import DECIDED
from crm_store.rules import Rules
from crm_store.tickets.models import COMPLAINT, QUESTION, TicketNote


def takes_notes(
    session: Session, *, customer_id: int, rules: Rules, now: datetime | None = None
) -> list[Complaint]:
    """A customer's complaints to which something can be added, newest first.

    What is closed counts only where nothing is open, and as long as it can be reopened.
    """
    going_on = Complaint.state.in_((*OPEN_STATES, RESOLVED))
    return _list(session, customer_id, going_on) or [
        complaint
        for complaint in _list(session, customer_id, Complaint.state == CLOSED)
        if is_within(complaint, rules.business.complaints.reopen_days, now or utcnow())
    ]


def withdrawable(
    session: Session,
    *,
    customer_id: int,
    rules: Rules,  # noqa: ARG001  # all of these are asked alike
    now: datetime | None = None,  # noqa: ARG001  # likewise
) -> list[Complaint]:
    """A customer's complaints that can be taken back, newest first."""
    return _list(session, customer_id, Complaint.state.in_(OPEN_STATES))


def appealable(
    session: Session, *, customer_id: int, rules: Rules, now: datetime | None = None
) -> list[Complaint]:
    """A customer's complaints whose decision can be appealed, newest first."""
    fresh = Complaint.state.in_(DECIDED) & Complaint.appealed_at.is_(None)
    days = rules.business.complaints.appeal_days
    return [one for one in _list(session, customer_id, fresh) if is_within(one, days, now or utcnow())]


def asked(
    session: Session,
    *,
    customer_id: int,
    rules: Rules,  # noqa: ARG001  # all of these are asked alike
    now: datetime | None = None,  # noqa: ARG001  # likewise
) -> list[Complaint]:
    """A customer's complaints about which something is asked, newest first."""
    question = exists().where(
        TicketNote.subject_type == COMPLAINT,
        TicketNote.subject_id == Complaint.id,
        TicketNote.kind == QUESTION,
        TicketNote.answered_at.is_(None),
    )
    return _list(session, customer_id, (Complaint.state == WAITING) & question)


def _list(session: Session, customer_id: int, condition: ColumnElement[bool]) -> list[Complaint]:
    own = select(Complaint).where(Complaint.customer_id == customer_id, condition)
    return list(session.scalars(own.order_by(Complaint.id.desc())))


def is_within(complaint: Complaint, days: int, now: datetime) -> bool:
    """Whether the latest decision was told at most so many days ago."""
    return complaint.resolved_at is not None and now <= complaint.resolved_at + timedelta(days=days)
