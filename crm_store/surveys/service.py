"""The area's front for the others: complaints and service requests tell it what happened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.business.surveys import SurveyDefinition
from crm_store.rules import Rules
from crm_store.surveys import answering, follow_ups
from crm_store.surveys.definitions import definition_of
from crm_store.surveys.models import COMPLETED, PLANNED, SurveyAnswer, SurveyInvitation, SurveyVersion
from crm_store.surveys.people import OPEN_STATES, lock_person
from crm_store.surveys.planning import COMPLAINT, SERVICE_REQUEST, plan_for

#: Kinds of question whose answer is a grade for a visit, if they have its scale.
_GRADES = ("csat", "scale")


def complaint_was_resolved(
    session: Session,
    *,
    complaint_id: int,
    customer_id: int,
    staff_id: int | None,
    rules: Rules,
    now: datetime,
) -> None:
    """Plan the survey that follows a resolved complaint; a second decision moves it."""
    plan_for(
        session,
        occasion=COMPLAINT,
        subject_id=complaint_id,
        customer_id=customer_id,
        staff_id=staff_id,
        rules=rules,
        now=now,
    )


def visit_was_done(
    session: Session,
    *,
    request_id: int,
    customer_id: int,
    staff_id: int | None,
    rules: Rules,
    now: datetime,
) -> bool:
    """Plan the survey that follows a visit.

    Returns:
        Whether there is one: it asks about the visit then, by the rules for all surveys, so the word that the
        visit is done does not ask for a grade.
    """
    planned = plan_for(
        session,
        occasion=SERVICE_REQUEST,
        subject_id=request_id,
        customer_id=customer_id,
        staff_id=staff_id,
        rules=rules,
        now=now,
    )
    return planned is not None


def visit_was_graded(
    session: Session,
    *,
    request_id: int,
    value: int,
    scale: int,
    inbox_id: int | None,
    rules: Rules,
    now: datetime,
) -> bool:
    """Take a grade that a customer gave of their own accord for the answer to the survey about that visit.

    Only what else the survey wants to know is then still asked, at its time; where that is nothing, it is
    complete. A survey without such a question is asked as it is.

    Returns:
        Whether the staff hear of the grade by a follow-up.
    """
    occasion = SurveyInvitation.idempotency_key == f"{SERVICE_REQUEST}:{request_id}"
    invitation = session.scalar(select(SurveyInvitation).where(occasion))
    if invitation is None or lock_person(session, customer_id=invitation.customer_id) is None:
        return False
    invitation = answering.lock(session, invitation)
    definition = definition_of(session.get_one(SurveyVersion, invitation.version_id))
    first = definition.questions[0]
    if first.kind not in _GRADES or first.ends != (1, scale):
        return False
    if invitation.state in OPEN_STATES:
        return answering.answer(
            session,
            invitation=invitation,
            question=first.key,
            reading=answering.Reading(value=value),
            inbox_id=inbox_id,
            rules=rules,
            now=now,
        ).is_low
    if invitation.state not in (PLANNED, COMPLETED):
        return False
    _count(session, invitation, definition, value=value, inbox_id=inbox_id, rules=rules, now=now)
    is_low = value <= first.low_until
    if is_low:
        follow_ups.open_for(
            session,
            invitation=invitation,
            definition=definition,
            question=first,
            grade=value,
            rules=rules,
            now=now,
        )
    return is_low


def _count(
    session: Session,
    invitation: SurveyInvitation,
    definition: SurveyDefinition,
    *,
    value: int,
    inbox_id: int | None,
    rules: Rules,
    now: datetime,
) -> None:
    """Write the grade as the first answer; a survey that wants nothing else is complete with it."""
    first = definition.questions[0]
    known = select(SurveyAnswer).where(
        SurveyAnswer.invitation_id == invitation.id, SurveyAnswer.question == first.key
    )
    given = session.scalar(known) or SurveyAnswer(
        invitation_id=invitation.id, question=first.key, kind=first.kind
    )
    given.value, given.inbox_id, given.at = value, inbox_id, now
    session.add(given)
    session.flush()
    if invitation.state == PLANNED:
        invitation.question = answering.following(session, invitation, first)
        if not invitation.question:
            # The customer spoke up: that needs no pause, and begins one.
            invitation.asked_at = now
            answering.complete(session, invitation, rules=rules, now=now)
    session.flush()
