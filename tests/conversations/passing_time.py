"""Lets time pass for the people of a script: the product's clock goes on, so what it remembers moves back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from crm_store import outbox
from crm_store.activity import Activity
from crm_store.base import Base, UtcDateTime, utcnow
from crm_store.complaints.models import Complaint, ComplaintResolution
from crm_store.conversations.models import Conversation, Message
from crm_store.customers.models import ChannelIdentity
from crm_store.drafts import Draft
from crm_store.jobs.models import PENDING, ScheduledJob
from crm_store.outbox import OutboxItem
from crm_store.service_requests.models import BookingWindow, ServiceRequest
from crm_store.sla.models import SlaClock
from crm_store.surveys.models import SurveyInvitation
from crm_store.tickets.models import COMPLAINT, SERVICE_REQUEST, TicketNote

#: Automatic work that a script has become due, by the kind of job.
JOBS = {"closing": "complaint_close", "question": "complaint_question", "reminder": "visit_reminder"}
_STARTS_AT = "starts_at"


def let_days_pass(session: Session, *, customer_ids: Collection[int], days: int) -> None:
    """Move all that some customers did, and what was planned for them, so many days into the past."""
    back = timedelta(days=days)
    complaints = _of(session, Complaint, customer_ids)
    requests = _of(session, ServiceRequest, customer_ids)
    for request in requests:
        if request.window is not None:
            move_visit(session, request, request.window.starts_at - back)
    rows: list[Base] = [*complaints, *requests, *_of(session, Activity, customer_ids)]
    for ids, kind in ((_ids(complaints), COMPLAINT), (_ids(requests), SERVICE_REQUEST)):
        for model in (TicketNote, SlaClock):
            rows += session.scalars(
                select(model).where(model.subject_type == kind, model.subject_id.in_(ids))
            )
    decided = ComplaintResolution.complaint_id.in_(_ids(complaints))
    rows += session.scalars(select(ComplaintResolution).where(decided))
    rows += _jobs(session, complaints, requests)
    rows += session.scalars(
        select(Draft)
        .join(Conversation)
        .join(Conversation.identity)
        .where(ChannelIdentity.customer_id.in_(customer_ids))
    )
    for row in rows:
        _move(row, back)


def move_visit(session: Session, request: ServiceRequest, starts_at: datetime) -> None:
    """Have a visit at another moment, as long as before, whether anybody offers such a window or not."""
    before = request.window
    assert before is not None, "there is no visit to move"
    named = BookingWindow.kind == request.kind, BookingWindow.starts_at == starts_at
    window = session.scalar(select(BookingWindow).where(*named))
    if window is None:
        ends_at = starts_at + (before.ends_at - before.starts_at)
        window = BookingWindow(kind=request.kind, starts_at=starts_at, ends_at=ends_at, booked=0)
        session.add(window)
    before.booked, window.booked = max(before.booked - 1, 0), window.booked + 1
    request.window = window
    for job in _jobs(session, [], [request]):
        if _STARTS_AT in job.data:
            job.data = {**job.data, _STARTS_AT: starts_at.isoformat()}
    session.flush()


def make_due(session: Session, *, kind: str, ticket_id: int) -> None:
    """Have a planned job of a ticket's done at once.

    Args:
        kind: one of JOBS.

    Raises:
        AssertionError: nothing of this kind is planned.
    """
    waiting = select(ScheduledJob).where(ScheduledJob.kind == JOBS[kind], ScheduledJob.state == PENDING)
    ids = ("complaint_id", "request_id")
    jobs = [job for job in session.scalars(waiting) if ticket_id in [job.data.get(name) for name in ids]]
    assert jobs, f"no {kind} is planned for this ticket"
    for job in jobs:
        job.due_at = utcnow()


def make_survey_due(session: Session, *, channel: str, chat_id: str, step: str) -> None:
    """Have the newest survey of a chat's customer asked, reminded of or ended at once.

    Args:
        step: ``asked``, ``reminded`` or ``expired``.

    Raises:
        AssertionError: no survey is planned or under way.
    """
    customer = select(ChannelIdentity.customer_id).where(
        ChannelIdentity.channel == channel, ChannelIdentity.external_id == chat_id
    )
    found = select(SurveyInvitation).where(SurveyInvitation.customer_id.in_(customer))
    invitation = session.scalars(found.order_by(SurveyInvitation.id.desc())).first()
    assert invitation is not None, "no survey is planned"
    back = {"asked": timedelta(), "reminded": timedelta(hours=25), "expired": timedelta(hours=73)}[step]
    if step == "asked":
        invitation.due_at = utcnow()
    _move(invitation, back)
    # Nobody is asked who is writing right now.
    chat = select(Conversation.id).where(Conversation.channel == channel, Conversation.chat_id == chat_id)
    for message in session.scalars(select(Message).where(Message.conversation_id.in_(chat))):
        message.created_at -= timedelta(minutes=10)
    for job in session.scalars(select(ScheduledJob).where(ScheduledJob.state == PENDING)):
        if job.data.get("invitation_id") == invitation.id:
            job.due_at -= back


def let_it_be_day(session: Session, *, channel: str, chat_ids: Collection[str]) -> None:
    """What waits for the morning leaves now: at which hour scripts are played decides nothing."""
    chats = select(Conversation.id).where(Conversation.channel == channel, Conversation.chat_id.in_(chat_ids))
    waits = OutboxItem.state == outbox.PENDING, OutboxItem.due_at > utcnow()
    for notice in session.scalars(select(OutboxItem).where(OutboxItem.conversation_id.in_(chats), *waits)):
        notice.due_at = utcnow()


def state_of_survey(session: Session, *, channel: str, chat_id: str) -> str:
    """State of the newest survey of a chat's customer."""
    customer = select(ChannelIdentity.customer_id).where(
        ChannelIdentity.channel == channel, ChannelIdentity.external_id == chat_id
    )
    found = select(SurveyInvitation.state).where(SurveyInvitation.customer_id.in_(customer))
    return str(session.scalar(found.order_by(SurveyInvitation.id.desc()).limit(1)))


def _of(session: Session, model: Any, customer_ids: Collection[int]) -> list[Any]:
    return list(session.scalars(select(model).where(model.customer_id.in_(customer_ids))))


def _ids(rows: Iterable[Any]) -> list[int]:
    return [row.id for row in rows]


def _jobs(session: Session, complaints: list[Any], requests: list[Any]) -> list[ScheduledJob]:
    wanted = {("complaint_id", number) for number in _ids(complaints)}
    wanted |= {("request_id", number) for number in _ids(requests)}
    return [job for job in session.scalars(select(ScheduledJob)) if wanted & set(job.data.items())]


def _move(row: Base, back: timedelta) -> None:
    for column in inspect(type(row)).columns:
        value = getattr(row, column.key)
        if isinstance(column.type, UtcDateTime) and value is not None:
            setattr(row, column.key, value - back)
