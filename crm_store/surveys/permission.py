"""May this person be asked now? Never, not yet, or in which chat: every rule about asking stands here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.complaints.models import CLOSED, RESOLVED, Complaint
from crm_store.conversations.models import Conversation
from crm_store.conversations.queries import latest_conversation
from crm_store.conversations.service import latest_message
from crm_store.customers.models import Customer
from crm_store.drafts import OPEN, Draft
from crm_store.outbox import PENDING, OutboxItem
from crm_store.purchases.models import Purchase
from crm_store.rules import Rules
from crm_store.service_requests.models import DONE, ServiceRequest
from crm_store.surveys import quiet
from crm_store.surveys.definitions import definition_of, survey_in_force
from crm_store.surveys.models import SurveyInvitation, SurveyVersion
from crm_store.surveys.people import asked_last, has_opted_out, open_survey_of
from crm_store.surveys.planning import COMPLAINT, PURCHASE, SERVICE_REQUEST, UNDONE, is_stale
from crm_store.tickets.expecting import IF_LEFT, expected_in

#: Why an invitation is dropped, besides UNDONE.
COOLDOWN, CONSENT, NO_CHAT, FORGOTTEN = "cooldown", "consent", "no_chat", "forgotten"
SWITCHED_OFF, LATE = "switched_off", "late"
#: Who cannot be asked at this moment is left alone for so long.
WAIT = timedelta(hours=1)
#: Nobody who is writing right now is asked something else.
WRITING = timedelta(minutes=5)
#: A form untouched for so long is no longer continued (`crm_store.settings.Limits.draft_hours`).
#: A question of ours is not waited for any longer than this.
FORM_STANDS_FOR, QUESTION_STANDS_FOR = timedelta(hours=72), timedelta(hours=24)
#: Questions that do not count as such: the survey's own, and the word that one may always write again.
_NO_QUESTIONS = frozenset({IF_LEFT, "survey"})


class Verdict(NamedTuple):
    """Whether somebody may be asked.

    Attributes:
        conversation_id: where, when they may.
        reason: why they will not be; empty if they may be.
        until: when to look again, when they may not be yet.
    """

    conversation_id: int | None = None
    reason: str = ""
    until: datetime | None = None


def may_ask(
    session: Session, *, customer: Customer | None, invitation: SurveyInvitation, rules: Rules, now: datetime
) -> Verdict:
    """Whether a planned survey is asked now.

    Args:
        customer: the record that stands for the person, locked (`crm_store.surveys.people.lock_person`);
            None for whoever was forgotten.
    """
    if customer is None:
        return Verdict(reason=FORGOTTEN)
    reason = _never(session, invitation, rules, now)
    if reason:
        return Verdict(reason=reason)
    if has_opted_out(session, customer_id=customer.id):
        return Verdict(reason=CONSENT)
    last = asked_last(session, customer_id=customer.id)
    if last is not None and now < last + timedelta(days=rules.business.surveys.cooldown_days):
        return Verdict(reason=COOLDOWN)
    if open_survey_of(session, customer_id=customer.id) is not None:
        return Verdict(until=now + WAIT)
    return may_disturb(session, customer=customer, rules=rules, now=now)


def may_disturb(session: Session, *, customer: Customer, rules: Rules, now: datetime) -> Verdict:
    """Whether somebody has a chat in which they can be written to at this moment."""
    conversation_id = latest_conversation(session, customer_id=customer.id)
    if conversation_id is None:
        return Verdict(reason=NO_CHAT)
    if quiet.is_quiet(now, rules=rules):
        return Verdict(until=quiet.allowed_from(now, rules=rules))
    if _is_busy(session, conversation_id, now):
        return Verdict(until=now + WAIT)
    written = latest_message(session, conversation_id=conversation_id, author="customer")
    if written is not None and written.created_at > now - WRITING:
        return Verdict(until=now + WRITING)
    return Verdict(conversation_id)


def _never(session: Session, invitation: SurveyInvitation, rules: Rules, now: datetime) -> str:
    """Why a survey is asked no more, whoever it would be."""
    in_force = survey_in_force(session, key=invitation.key, rules=rules)
    if in_force is None or not in_force.is_active:
        return SWITCHED_OFF
    planned = definition_of(session.get_one(SurveyVersion, invitation.version_id))
    if is_stale(invitation, planned, now=now):
        return LATE
    return "" if _is_still_so(session, invitation) else UNDONE


def _is_still_so(session: Session, invitation: SurveyInvitation) -> bool:
    """Whether what a survey is about still is as it was when it was planned."""
    if invitation.trigger == COMPLAINT:
        state = select(Complaint.state).where(Complaint.id == invitation.subject_id)
        return session.scalar(state) in (RESOLVED, CLOSED)
    if invitation.trigger == SERVICE_REQUEST:
        request = select(ServiceRequest.state).where(ServiceRequest.id == invitation.subject_id)
        return session.scalar(request) == DONE
    if invitation.trigger == PURCHASE:
        purchase = session.get(Purchase, invitation.subject_id)
        return purchase is None or purchase.total > sum(row.amount for row in purchase.returns)
    return True


def _is_busy(session: Session, conversation_id: int, now: datetime) -> bool:
    """Whether a person has the chat, a form is half-filled, or another question of ours is open."""
    if session.get_one(Conversation, conversation_id).owner != "bot":
        return True
    form = select(Draft.id).where(
        Draft.conversation_id == conversation_id,
        Draft.state == OPEN,
        Draft.updated_at > now - FORM_STANDS_FOR,
    )
    # What is about to leave may ask something.
    leaving = select(OutboxItem.id).where(
        OutboxItem.conversation_id == conversation_id,
        OutboxItem.state == PENDING,
        OutboxItem.due_at <= now + WAIT,
    )
    if any(session.scalar(one.limit(1)) is not None for one in (form, leaving)):
        return True
    expected = expected_in(session, conversation_id=conversation_id)
    if expected is None or expected.what in _NO_QUESTIONS:
        return False
    if not expected.is_latest:
        return True
    said = latest_message(session, conversation_id=conversation_id, author="bot")
    return said is not None and said.created_at > now - QUESTION_STANDS_FOR
