"""Takes answers, one question at a time; what was answered is kept, whatever becomes of the survey."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.base import utcnow
from crm_store.business.surveys import SurveyDefinition, SurveyQuestion
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.loyalty.earning import grant_for_survey
from crm_store.rules import Rules
from crm_store.surveys import follow_ups
from crm_store.surveys.definitions import definition_of
from crm_store.surveys.models import (
    COMPLETED,
    SKIPPED,
    STARTED,
    SurveyAnswer,
    SurveyInvitation,
    SurveyVersion,
)
from crm_store.surveys.paths import is_empty, is_low, next_open, parts
from crm_store.surveys.people import OPEN_STATES, lock_person
from crm_store.surveys.readings import LONGEST, Reading, fitting
from crm_store.surveys.wording import QUESTIONS, REASON, WHY

__all__ = [
    "Next",
    "Reading",
    "answer",
    "complete",
    "find_invitation",
    "following",
    "lacks_nothing",
    "lock",
    "note",
    "open_invitation",
    "pass_over",
    "skip",
    "waiting_question",
]


class Next(NamedTuple):
    """Where a survey stands after an answer.

    Attributes:
        question: what waits for an answer; None when nothing does.
        is_low: the answer just given is a low grade.
        finished: the survey is complete.
        asks_reason: it is the reason for this question's low grade that is waited for.
    """

    question: SurveyQuestion | None
    is_low: bool = False
    finished: bool = False
    asks_reason: bool = False

    @property
    def key(self) -> str:
        """The name under which the waiting question is answered; empty when none waits."""
        if self.question is None:
            return ""
        return self.question.key + (WHY if self.asks_reason else "")

    @property
    def response(self) -> str:
        """The response that asks it; empty when none waits."""
        if self.question is None:
            return ""
        return REASON if self.asks_reason else QUESTIONS[self.question.kind]


def open_invitation(session: Session, *, customer_id: int, conversation_id: int) -> SurveyInvitation | None:
    """The survey that waits for a customer's answers: the one asked in this conversation before any other."""
    waiting = session.scalars(
        select(SurveyInvitation)
        .where(SurveyInvitation.customer_id == customer_id, SurveyInvitation.state.in_(OPEN_STATES))
        .order_by(SurveyInvitation.asked_at.desc(), SurveyInvitation.id.desc())
    ).all()
    here = [one for one in waiting if one.conversation_id == conversation_id]
    return next(iter([*here, *waiting]), None)


def find_invitation(session: Session, *, invitation_id: int, customer_id: int) -> SurveyInvitation:
    """A customer's own invitation, whatever its state.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    invitation = session.get(SurveyInvitation, invitation_id)
    if invitation is None or invitation.customer_id != customer_id:
        raise NotFound("no such survey")
    return invitation


def waiting_question(session: Session, *, invitation: SurveyInvitation) -> Next:
    """Where a survey stands."""
    definition = _definition(session, invitation)
    key, is_reason = parts(invitation.question)
    question = definition.question(key) if key else None
    return Next(question, finished=invitation.state == COMPLETED, asks_reason=is_reason)


def answer(
    session: Session,
    *,
    invitation: SurveyInvitation,
    question: str,
    reading: Reading,
    inbox_id: int | None,
    rules: Rules,
    now: datetime | None = None,
) -> Next:
    """Take an answer; one to an earlier question corrects it. The same message again changes nothing.

    A low grade opens a follow-up for the staff, and its reason is asked unless it was told along with it.

    Args:
        question: its key, or the same with WHY behind it for the reason.
        inbox_id: the message that answers.

    Raises:
        NotFound: the survey has no such question.
        InvalidInput: the answer does not fit the question, or the question has not been asked.
        InvalidTransition: the survey is over.
    """
    now = now or utcnow()
    invitation, definition, asked, is_reason = _begin(session, invitation, question)
    answers = _answers(session, invitation)
    known = answers.get(asked.key)
    if known is not None and inbox_id is not None and known.inbox_id == inbox_id:
        return waiting_question(session, invitation=invitation)._replace(is_low=is_low(asked, known))
    _check_askable(invitation, asked, known, is_reason=is_reason)
    if is_reason:
        was_low = True
        given = _take_reason(known, reading, inbox_id)
    else:
        was_low = known is not None and is_low(asked, known)
        kept = fitting(session, invitation, asked, reading)
        given = _keep(session, invitation, asked, kept, known=known, inbox_id=inbox_id, now=now)
    answers[asked.key] = given
    low = is_low(asked, given)
    if low:
        follow_ups.open_for(
            session,
            invitation=invitation,
            definition=definition,
            question=asked,
            grade=given.value,
            rules=rules,
            now=now,
        )
    waited = invitation.question
    is_new = not was_low or waited in (asked.key, asked.key + WHY)
    if low and asked.asks_reason and not given.text and is_new:
        invitation.question = asked.key + WHY
    else:
        invitation.question = next_open(definition, answers, asked, waited)
    return _settle(session, invitation, low=low, rules=rules, now=now)


def pass_over(
    session: Session,
    *,
    invitation: SurveyInvitation,
    question: str,
    inbox_id: int | None,
    rules: Rules,
    now: datetime | None = None,
) -> Next:
    """Leave out a question that is optional, or the reason for a grade.

    Raises:
        NotFound: the survey has no such question.
        InvalidInput: it must be answered, or has not been asked.
        InvalidTransition: the survey is over.
    """
    now = now or utcnow()
    invitation, definition, asked, is_reason = _begin(session, invitation, question)
    answers = _answers(session, invitation)
    known = answers.get(asked.key)
    is_over = invitation.state == COMPLETED
    if known is not None and (is_over or invitation.question != question):
        return waiting_question(session, invitation=invitation)
    _check_askable(invitation, asked, known, is_reason=is_reason)
    if not is_reason:
        if not asked.is_optional:
            raise InvalidInput(f"{question} must be answered")
        answers[asked.key] = _keep(
            session, invitation, asked, Reading(), known=known, inbox_id=inbox_id, now=now
        )
    invitation.question = next_open(definition, answers, asked, invitation.question)
    return _settle(session, invitation, low=False, rules=rules, now=now)


def skip(session: Session, *, invitation: SurveyInvitation, now: datetime | None = None) -> SurveyInvitation:
    """End a survey because the customer does not want it; what was answered is kept, and the pause begins.

    Raises:
        InvalidTransition: it is over already.
    """
    now = now or utcnow()
    lock_person(session, customer_id=invitation.customer_id)
    invitation = lock(session, invitation)
    if invitation.state == SKIPPED:
        return invitation
    _check_open(invitation)
    invitation.state, invitation.question, invitation.finished_at = SKIPPED, "", now
    session.flush()
    note(session, invitation, "skipped", actor="customer", now=now)
    return invitation


def complete(
    session: Session, invitation: SurveyInvitation, *, rules: Rules, now: datetime, actor: str = "customer"
) -> None:
    """End a survey of which everything was answered; points are given for it."""
    invitation.state, invitation.question, invitation.finished_at = COMPLETED, "", now
    session.flush()
    note(session, invitation, "completed", actor=actor, now=now)
    grant_for_survey(
        session, customer_id=invitation.customer_id, invitation_id=invitation.id, rules=rules, now=now
    )


def lacks_nothing(session: Session, invitation: SurveyInvitation) -> bool:
    """Whether only what may be passed over is left of a survey that was begun."""
    if invitation.state != STARTED:
        return False
    definition, answers = _definition(session, invitation), _answers(session, invitation)
    key, is_reason = parts(invitation.question)
    question = definition.question(key)
    while question is not None:
        if not is_reason and not question.is_optional:
            return False
        following = parts(next_open(definition, answers, question, question.key))
        question, is_reason = definition.question(following[0]), following[1]
    return any(not is_empty(given) for given in answers.values())


def following(session: Session, invitation: SurveyInvitation, asked: SurveyQuestion) -> str:
    """The key of what is asked after a question as it was answered; empty at the end."""
    definition = _definition(session, invitation)
    return next_open(definition, _answers(session, invitation), asked, "")


def lock(session: Session, invitation: SurveyInvitation) -> SurveyInvitation:
    """An invitation as it is now, changed by nobody else until the unit of work ends."""
    session.flush()
    return session.scalars(
        select(SurveyInvitation)
        .where(SurveyInvitation.id == invitation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def note(session: Session, invitation: SurveyInvitation, event: str, *, actor: str, now: datetime) -> None:
    """Write an event of a survey into its customer's timeline."""
    entry = record_activity(
        session,
        customer_id=invitation.customer_id,
        kind=f"survey.{event}",
        actor=actor,
        subject_type="survey",
        subject_id=invitation.id,
        data={"key": invitation.key},
    )
    entry.at = now


def _begin(
    session: Session, invitation: SurveyInvitation, question: str
) -> tuple[SurveyInvitation, SurveyDefinition, SurveyQuestion, bool]:
    """Lock the person and the invitation, and find the question that is answered."""
    lock_person(session, customer_id=invitation.customer_id)
    invitation = lock(session, invitation)
    definition = _definition(session, invitation)
    key, is_reason = parts(question)
    asked = definition.question(key)
    if asked is None:
        raise NotFound(f"the survey has no question {key}")
    return invitation, definition, asked, is_reason


def _settle(
    session: Session, invitation: SurveyInvitation, *, low: bool, rules: Rules, now: datetime
) -> Next:
    """Note that something was answered, and end the survey if nothing is left to ask."""
    invitation.state = STARTED
    session.flush()
    if not invitation.question:
        complete(session, invitation, rules=rules, now=now)
    return waiting_question(session, invitation=invitation)._replace(is_low=low)


def _check_open(invitation: SurveyInvitation) -> None:
    if invitation.state not in OPEN_STATES:
        raise InvalidTransition("this survey is over", state=invitation.state)


def _check_askable(
    invitation: SurveyInvitation, asked: SurveyQuestion, known: SurveyAnswer | None, *, is_reason: bool
) -> None:
    """Only what waits for an answer takes one, and what was answered before a correction."""
    _check_open(invitation)
    waiting = parts(invitation.question)[0]
    if is_reason and (known is None or not is_low(asked, known)):
        raise InvalidInput("there is no low grade to give a reason for")
    if known is None and asked.key != waiting:
        raise InvalidInput(f"{asked.key} has not been asked")


def _keep(
    session: Session,
    invitation: SurveyInvitation,
    asked: SurveyQuestion,
    reading: Reading,
    *,
    known: SurveyAnswer | None,
    inbox_id: int | None,
    now: datetime,
) -> SurveyAnswer:
    """Write an answer, over the former one if there is one; a reason stays until another is given."""
    given = known or SurveyAnswer(invitation_id=invitation.id, question=asked.key, kind=asked.kind)
    given.value, given.choice = reading.value, reading.choice
    given.text = reading.text or (given.text or "" if asked.is_graded else "")
    given.files = list(reading.files)
    given.inbox_id, given.at = inbox_id, now
    session.add(given)
    session.flush()
    return given


def _take_reason(known: SurveyAnswer | None, reading: Reading, inbox_id: int | None) -> SurveyAnswer:
    """Write the reason beside the grade."""
    text = reading.text.strip()[:LONGEST]
    if known is None or not text:
        raise InvalidInput("words are wanted")
    known.text, known.inbox_id = text, inbox_id
    return known


def _answers(session: Session, invitation: SurveyInvitation) -> dict[str, SurveyAnswer]:
    rows = session.scalars(select(SurveyAnswer).where(SurveyAnswer.invitation_id == invitation.id))
    return {row.question: row for row in rows}


def _definition(session: Session, invitation: SurveyInvitation) -> SurveyDefinition:
    return definition_of(session.get_one(SurveyVersion, invitation.version_id))
