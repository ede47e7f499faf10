"""What a survey waits for, as understanding needs to know it to tell an answer from anything else."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business.surveys import SurveyQuestion
from crm_store.surveys.choosing import Choice, choices_of
from crm_store.surveys.definitions import definition_of
from crm_store.surveys.models import COMPLETED, SurveyAnswer, SurveyInvitation, SurveyVersion
from crm_store.surveys.paths import parts
from crm_store.surveys.people import OPEN_STATES

#: Kind of a question for the reason behind a grade.
REASON_KIND = "reason"
#: So long after its end an answer may still be corrected.
CORRECTABLE_FOR = timedelta(hours=1)


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """The question that waits for an answer, or the last one of a survey that has just ended.

    Attributes:
        kind: as in `crm_store.business.surveys`, or REASON_KIND.
        low: the lowest grade.
        high: the highest one.
        choices: of a choice.
        is_over: everything was answered; only a correction is still taken.
    """

    kind: str
    low: int = 0
    high: int = 0
    choices: tuple[Choice, ...] = ()
    is_over: bool = False


def waiting_in(
    session: Session, *, invitation_id: int, customer_id: int, now: datetime | None = None
) -> Waiting | None:
    """What an invitation of a customer's waits for; None where nothing is taken for an answer any more."""
    invitation = session.get(SurveyInvitation, invitation_id)
    if invitation is None or invitation.customer_id != customer_id:
        return None
    if invitation.state in OPEN_STATES:
        key, is_reason = parts(invitation.question)
        question = _question(session, invitation, key)
        return _described(question, is_reason=is_reason) if question is not None else None
    last = last_grade(session, invitation=invitation, now=now)
    return msgspec.structs.replace(_described(last), is_over=True) if last is not None else None


def open_in(session: Session, *, conversation_id: int, customer_id: int) -> int | None:
    """The survey that was asked in a conversation last and waits for answers; its id."""
    return session.scalar(
        select(SurveyInvitation.id)
        .where(
            SurveyInvitation.customer_id == customer_id,
            SurveyInvitation.conversation_id == conversation_id,
            SurveyInvitation.state.in_(OPEN_STATES),
        )
        .order_by(SurveyInvitation.asked_at.desc(), SurveyInvitation.id.desc())
        .limit(1)
    )


def last_grade(
    session: Session, *, invitation: SurveyInvitation, now: datetime | None = None
) -> SurveyQuestion | None:
    """The question whose grade somebody may still correct: that of the latest one, soon after the end."""
    now = now or utcnow()
    ended_at = invitation.finished_at
    is_late = ended_at is not None and now - ended_at > CORRECTABLE_FOR
    if is_late or invitation.state not in (COMPLETED, *OPEN_STATES):
        return None
    latest = (
        select(SurveyAnswer.question)
        .where(SurveyAnswer.invitation_id == invitation.id, SurveyAnswer.value.is_not(None))
        .order_by(SurveyAnswer.at.desc(), SurveyAnswer.id.desc())
        .limit(1)
    )
    key = session.scalar(latest)
    return _question(session, invitation, key) if key else None


def _question(session: Session, invitation: SurveyInvitation, key: str) -> SurveyQuestion | None:
    return definition_of(session.get_one(SurveyVersion, invitation.version_id)).question(key)


def _described(question: SurveyQuestion, *, is_reason: bool = False) -> Waiting:
    if is_reason:
        return Waiting(REASON_KIND)
    low, high = question.ends
    if not question.is_graded:
        return Waiting(question.kind, choices=choices_of(question))
    return Waiting(question.kind, low=low, high=high)
