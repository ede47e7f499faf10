"""Grades that are put right after the end, and words that come before their question."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.business.surveys import SurveyQuestion
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.rules import Rules
from crm_store.surveys import answering, follow_ups
from crm_store.surveys.definitions import definition_of
from crm_store.surveys.models import COMPLETED, STARTED, SurveyAnswer, SurveyInvitation, SurveyVersion
from crm_store.surveys.paths import is_low
from crm_store.surveys.people import OPEN_STATES, lock_person
from crm_store.surveys.readings import LONGEST, Reading, fitting
from crm_store.surveys.waiting import last_grade


def correct_after_end(
    session: Session,
    *,
    invitation: SurveyInvitation,
    question: str,
    reading: Reading,
    inbox_id: int | None,
    rules: Rules,
    now: datetime | None = None,
) -> bool:
    """Put the latest grade of a survey right that has just been answered to the end.

    What came of the former grade stays: points are not given twice, and a person who was to look after a low
    one still does.

    Args:
        question: its key.

    Returns:
        Whether it is a low grade now.

    Raises:
        InvalidInput: the answer does not fit the question.
        InvalidTransition: it is too late, or it is not the latest grade.
    """
    now = now or utcnow()
    lock_person(session, customer_id=invitation.customer_id)
    invitation = answering.lock(session, invitation)
    asked = last_grade(session, invitation=invitation, now=now)
    if invitation.state != COMPLETED or asked is None or asked.key != question:
        raise InvalidTransition("this survey is over", state=invitation.state)
    given = _answer_to(session, invitation, asked)
    if given is None:
        raise InvalidInput("there is no answer to correct")
    kept = fitting(session, invitation, asked, reading)
    given.value, given.text, given.inbox_id = kept.value, kept.text or given.text, inbox_id
    session.flush()
    low = is_low(asked, given)
    if low:
        follow_ups.open_for(
            session,
            invitation=invitation,
            definition=definition_of(session.get_one(SurveyVersion, invitation.version_id)),
            question=asked,
            grade=given.value,
            rules=rules,
            now=now,
        )
    return low


def keep_early(
    session: Session,
    *,
    invitation: SurveyInvitation,
    text: str,
    inbox_id: int | None,
    now: datetime | None = None,
) -> bool:
    """Keep what somebody said before it was asked: as the answer to the first open question for words.

    Returns:
        Whether there is such a question that has not come up yet; it is not asked any more then.
    """
    now = now or utcnow()
    lock_person(session, customer_id=invitation.customer_id)
    invitation = answering.lock(session, invitation)
    definition = definition_of(session.get_one(SurveyVersion, invitation.version_id))
    asked = next((one for one in definition.questions if one.kind == "text"), None)
    if asked is None or invitation.state not in OPEN_STATES or invitation.question == asked.key:
        return False
    known = _answer_to(session, invitation, asked)
    if known is not None:
        return known.inbox_id == inbox_id
    words = text.strip()[:LONGEST]
    answer = SurveyAnswer(invitation_id=invitation.id, question=asked.key, kind=asked.kind, text=words)
    answer.inbox_id, answer.at = inbox_id, now
    session.add(answer)
    invitation.state = STARTED
    session.flush()
    return True


def _answer_to(session: Session, invitation: SurveyInvitation, asked: SurveyQuestion) -> SurveyAnswer | None:
    own = select(SurveyAnswer).where(
        SurveyAnswer.invitation_id == invitation.id, SurveyAnswer.question == asked.key
    )
    return session.scalar(own)
