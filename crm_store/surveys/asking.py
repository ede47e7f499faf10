"""Asks: the first question of a planned survey, one reminder, and surveys that customers begin themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business.surveys import SurveyDefinition
from crm_store.errors import NotFound
from crm_store.outbox import enqueue_notice
from crm_store.rules import Rules
from crm_store.surveys import answering, quiet
from crm_store.surveys.definitions import active_surveys, definition_of, version_of
from crm_store.surveys.models import (
    ASKED,
    DROPPED,
    EXPIRED,
    PLANNED,
    STARTED,
    SurveyAnswer,
    SurveyInvitation,
    SurveyVersion,
)
from crm_store.surveys.people import OPEN_STATES, has_opted_out, lock_person, open_survey_of
from crm_store.surveys.permission import FORGOTTEN, may_ask, may_disturb
from crm_store.surveys.planning import BY_CUSTOMER
from crm_store.surveys.wording import QUESTIONS, buttons_of, opening, params_of

#: Whoever has just answered is not cut off in the middle.
_STILL_ANSWERING = timedelta(hours=1)
_REMINDER: dict[str, Any] = {"response": "utter_survey_reminder", "params": {}}


def look_at(  # noqa: PLR0911  # one for each thing that may be due
    session: Session, *, invitation_id: int, rules: Rules, now: datetime
) -> str:
    """Do what has become due for an invitation: ask, remind, or end it.

    Returns:
        What was done: ``asked``, ``reminded``, ``expired``, ``completed``, ``dropped`` or ``moved``; empty
        where somebody else has done it.
    """
    seen = session.get(SurveyInvitation, invitation_id)
    if seen is None:
        return ""
    customer = lock_person(session, customer_id=seen.customer_id)
    invitation = answering.lock(session, seen)
    if invitation.due_at > now or invitation.state not in (PLANNED, *OPEN_STATES):
        return ""
    if invitation.state == PLANNED:
        verdict = may_ask(session, customer=customer, invitation=invitation, rules=rules, now=now)
        if verdict.reason:
            return _drop(session, invitation, verdict.reason, now)
        if verdict.conversation_id is None:
            invitation.due_at = verdict.until or now
            session.flush()
            return "moved"
        return _ask(session, invitation, verdict.conversation_id, rules, now)
    if customer is None or now >= _expires_at(session, invitation, rules):
        return _expire(session, invitation, rules, now, is_forgotten=customer is None)
    return _remind(session, invitation, rules, now)


def begin_for(
    session: Session,
    *,
    customer_id: int,
    conversation_id: int,
    inbox_id: int,
    rules: Rules,
    now: datetime | None = None,
) -> SurveyInvitation:
    """The survey of somebody who wishes to speak up: one that waits for their answers, else a new one.

    It needs no pause, and begins one; the first question is asked in the dialogue
    (`crm_store.surveys.answering.waiting_question`).

    Raises:
        NotFound: there is no survey for whoever wishes to speak up, or no such customer.
    """
    now = now or utcnow()
    customer = lock_person(session, customer_id=customer_id)
    if customer is None:
        raise NotFound("no such customer")
    key = f"{BY_CUSTOMER}:inbox:{inbox_id}"
    known = session.scalar(select(SurveyInvitation).where(SurveyInvitation.idempotency_key == key))
    waiting = known or open_survey_of(session, customer_id=customer.id)
    if waiting is not None:
        return waiting
    definition = next((one for one in active_surveys(session, rules=rules) if one.is_open), None)
    if definition is None:
        raise NotFound("there is no survey for whoever wishes to speak up")
    invitation = SurveyInvitation(
        key=definition.key,
        version_id=version_of(session, definition=definition, now=now).id,
        customer_id=customer.id,
        trigger=BY_CUSTOMER,
        tier=customer.tier,
        due_at=now,
        idempotency_key=key,
        created_at=now,
    )
    session.add(invitation)
    _open(session, invitation, definition, conversation_id, now)
    invitation.due_at = _expires_at(session, invitation, rules)
    session.flush()
    return invitation


def _ask(
    session: Session, invitation: SurveyInvitation, conversation_id: int, rules: Rules, now: datetime
) -> str:
    definition = definition_of(session.get_one(SurveyVersion, invitation.version_id))
    _open(session, invitation, definition, conversation_id, now)
    _send(session, invitation, definition, opening(definition), key=f"survey:{invitation.id}", rules=rules)
    hours = rules.business.surveys.reminder_after_hours
    reminder_at = now + timedelta(hours=hours) if hours else None
    invitation.due_at = reminder_at or _expires_at(session, invitation, rules)
    session.flush()
    return "asked"


def _open(
    session: Session,
    invitation: SurveyInvitation,
    definition: SurveyDefinition,
    conversation_id: int,
    now: datetime,
) -> None:
    """From now on the first question waits for an answer."""
    invitation.state, invitation.asked_at, invitation.conversation_id = ASKED, now, conversation_id
    # A visit that was graded in the meantime is not asked about a second time (`crm_store.surveys.service`).
    invitation.question = invitation.question or definition.questions[0].key
    session.flush()
    is_own = invitation.trigger == BY_CUSTOMER
    actor = "customer" if is_own else "system"
    answering.note(session, invitation, "begun" if is_own else "asked", actor=actor, now=now)


def _send(
    session: Session,
    invitation: SurveyInvitation,
    definition: SurveyDefinition,
    before: dict[str, Any] | str,
    *,
    key: str,
    rules: Rules,
) -> None:
    """Put the waiting question into the outbox; it does not leave once quiet hours have begun."""
    question = definition.question(invitation.question) or definition.questions[0]
    assert invitation.conversation_id is not None  # noqa: S101  # whoever is asked is asked somewhere
    assert invitation.asked_at is not None  # noqa: S101  # likewise
    item = enqueue_notice(
        session,
        conversation_id=invitation.conversation_id,
        response=QUESTIONS[question.kind],
        idempotency_key=key,
        due_at=invitation.reminded_at or invitation.asked_at,
        params={
            **params_of(invitation, question, question.key),
            "question": [before, question.text],
            "buttons": buttons_of(invitation, question, question.key),
        },
    )
    quiet_at = quiet.quiet_from(invitation.reminded_at or invitation.asked_at, rules=rules)
    if quiet_at is not None:
        item.content = {**item.content, "leaves_before": quiet_at.isoformat()}
    session.flush()


def _remind(session: Session, invitation: SurveyInvitation, rules: Rules, now: datetime) -> str:
    """Call a survey to mind of which nothing was answered, once; otherwise its end is waited for."""
    expires_at = _expires_at(session, invitation, rules)
    hours = rules.business.surveys.reminder_after_hours
    is_silent = invitation.state == ASKED and invitation.trigger != BY_CUSTOMER
    customer = lock_person(session, customer_id=invitation.customer_id)
    if not hours or not is_silent or invitation.reminded_at is not None or customer is None:
        return _wait(session, invitation, expires_at)
    if has_opted_out(session, customer_id=customer.id):
        return _wait(session, invitation, expires_at)
    verdict = may_disturb(session, customer=customer, rules=rules, now=now)
    if verdict.conversation_id is None:
        return _wait(session, invitation, min(verdict.until or expires_at, expires_at))
    invitation.reminded_at, invitation.conversation_id = now, verdict.conversation_id
    definition = definition_of(session.get_one(SurveyVersion, invitation.version_id))
    _send(session, invitation, definition, _REMINDER, key=f"survey-reminder:{invitation.id}", rules=rules)
    answering.note(session, invitation, "reminded", actor="system", now=now)
    _wait(session, invitation, expires_at)
    return "reminded"


def _wait(session: Session, invitation: SurveyInvitation, until: datetime) -> str:
    invitation.due_at = until
    session.flush()
    return "moved"


def _drop(session: Session, invitation: SurveyInvitation, reason: str, now: datetime) -> str:
    invitation.state, invitation.reason, invitation.finished_at = DROPPED, reason, now
    session.flush()
    return "dropped"


def _expire(
    session: Session, invitation: SurveyInvitation, rules: Rules, now: datetime, *, is_forgotten: bool
) -> str:
    """End a survey; what was answered is kept, and it counts as complete if only what is optional is left."""
    if not is_forgotten and answering.lacks_nothing(session, invitation):
        answering.complete(session, invitation, rules=rules, now=now, actor="system")
        return "completed"
    invitation.state, invitation.question, invitation.finished_at = EXPIRED, "", now
    invitation.reason = FORGOTTEN if is_forgotten else ""
    session.flush()
    if not is_forgotten:
        answering.note(session, invitation, "expired", actor="system", now=now)
    return "expired"


def _expires_at(session: Session, invitation: SurveyInvitation, rules: Rules) -> datetime:
    asked_at = invitation.asked_at or invitation.created_at
    expires_at = asked_at + timedelta(hours=rules.business.surveys.expires_after_hours)
    if invitation.state != STARTED:
        return expires_at
    latest = session.scalar(
        select(func.max(SurveyAnswer.at)).where(SurveyAnswer.invitation_id == invitation.id)
    )
    return max(expires_at, latest + _STILL_ANSWERING) if latest is not None else expires_at
