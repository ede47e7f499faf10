"""Low grades that a person has to look after, in working time; of what is overdue those above hear once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.business.surveys import SurveyDefinition, SurveyQuestion
from crm_store.errors import InvalidInput, InvalidTransition, NotFound
from crm_store.persian import deadline_text, to_jalali_datetime_text, to_persian_digits
from crm_store.rules import Rules
from crm_store.staff.telling import tell_groups, tell_role
from crm_store.surveys.definitions import definition_of
from crm_store.surveys.models import DONE, OPEN, SurveyFollowUp, SurveyInvitation, SurveyVersion

_LOOKS_AFTER, _ABOVE = "supervisor", "admin"


def open_for(
    session: Session,
    *,
    invitation: SurveyInvitation,
    definition: SurveyDefinition,
    question: SurveyQuestion,
    grade: int | None,
    rules: Rules,
    tells: bool = True,
    now: datetime | None = None,
) -> SurveyFollowUp:
    """Have a person look after a low grade; a survey opens one follow-up, however many of its grades are low.

    Args:
        grade: the low one.
        tells: whether supervisors and groups are told; not where they hear of it in another way.
    """
    now = now or utcnow()
    minutes = rules.business.surveys.follow_up_minutes
    row = {
        "invitation_id": invitation.id,
        "customer_id": invitation.customer_id,
        "state": OPEN,
        "due_at": rules.working_time.add(now, timedelta(minutes=minutes)),
        "note": "",
        "done_by": "",
        "created_at": now,
    }
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(SurveyFollowUp).values(row).on_conflict_do_nothing(index_elements=["invitation_id"])
    made = session.scalar(statement.returning(SurveyFollowUp.id))
    found = select(SurveyFollowUp).where(SurveyFollowUp.invitation_id == invitation.id)
    follow_up = session.scalars(found).one()
    if made is None:
        return follow_up
    _note(session, follow_up, "follow_up_opened", actor="system", now=now)
    if tells:
        low, high = question.ends
        params = {
            "title": definition.title,
            "grade": to_persian_digits(low if grade is None else grade),
            "scale": to_persian_digits(high),
            "number": to_persian_digits(follow_up.id),
            "deadline": deadline_text(follow_up.due_at, now=now, tz=rules.timezone),
        }
        said: dict[str, Any] = {"response": "utter_staff_survey_low", "params": params}
        said["key"] = f"survey-low:{follow_up.id}"
        tell_groups(session, groups=rules.groups, **said)
        tell_role(session, role=_LOOKS_AFTER, **said)
    return follow_up


def open_follow_ups(session: Session, *, limit: int = 100) -> list[SurveyFollowUp]:
    """What is still to be looked after, the most pressing first."""
    waiting = select(SurveyFollowUp).where(SurveyFollowUp.state == OPEN)
    return list(session.scalars(waiting.order_by(SurveyFollowUp.due_at, SurveyFollowUp.id).limit(limit)))


def finish(
    session: Session, *, follow_up_id: int, text: str, actor: str, now: datetime | None = None
) -> SurveyFollowUp:
    """Note that a low grade was looked after.

    Args:
        text: what was done.
        actor: ``operator`` or ``staff:<id>``.

    Raises:
        NotFound: there is no such follow-up.
        InvalidInput: it is not said what was done.
        InvalidTransition: it was looked after already.
    """
    now = now or utcnow()
    follow_up = session.get(SurveyFollowUp, follow_up_id, with_for_update=True, populate_existing=True)
    if follow_up is None:
        raise NotFound(f"there is no follow-up {follow_up_id}")
    if not text.strip():
        raise InvalidInput("say what was done")
    if follow_up.state != OPEN:
        raise InvalidTransition("it was looked after already", state=follow_up.state)
    follow_up.state, follow_up.note = DONE, text.strip()
    follow_up.done_by, follow_up.done_at = actor, now
    session.flush()
    _note(session, follow_up, "follow_up_done", actor=actor, now=now)
    record_audit(
        session,
        actor=actor,
        action="survey.follow_up_done",
        target_type="customer",
        target_id=follow_up.customer_id,
        detail={"follow_up_id": follow_up.id},
    )
    return follow_up


def escalate_due(session: Session, *, rules: Rules, now: datetime, limit: int = 100) -> int:
    """Tell those above of low grades that nobody looked after in time, each once; returns how many."""
    overdue = session.scalars(
        select(SurveyFollowUp)
        .where(
            SurveyFollowUp.state == OPEN,
            SurveyFollowUp.due_at <= now,
            SurveyFollowUp.escalated_at.is_(None),
        )
        .order_by(SurveyFollowUp.due_at, SurveyFollowUp.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for follow_up in overdue:
        follow_up.escalated_at = now
        invitation = session.get_one(SurveyInvitation, follow_up.invitation_id)
        definition = definition_of(session.get_one(SurveyVersion, invitation.version_id))
        params = {
            "title": definition.title,
            "number": to_persian_digits(follow_up.id),
            "deadline": to_jalali_datetime_text(follow_up.due_at, tz=rules.timezone),
        }
        said: dict[str, Any] = {"response": "utter_staff_survey_overdue", "params": params}
        said["key"] = f"survey-overdue:{follow_up.id}"
        if not tell_role(session, role=_ABOVE, **said):
            tell_groups(session, groups=rules.groups, **said)
        _note(session, follow_up, "follow_up_overdue", actor="system", now=now)
    session.flush()
    return len(overdue)


def _note(session: Session, follow_up: SurveyFollowUp, event: str, *, actor: str, now: datetime) -> None:
    entry = record_activity(
        session,
        customer_id=follow_up.customer_id,
        kind=f"survey.{event}",
        actor=actor,
        subject_type="survey",
        subject_id=follow_up.invitation_id,
    )
    entry.at = now
