"""The automatic work of surveys: asking, reminding, ending, and telling of what nobody looked after.

Each invitation is dealt with in a unit of work of its own, behind the lock of its customer: with five
processes at it as with one, nobody is asked twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from crm_store.db import Database
from crm_store.logs import place_of
from crm_store.rules import Rules
from crm_store.surveys import follow_ups
from crm_store.surveys.asking import look_at
from crm_store.surveys.models import PLANNED, SurveyInvitation
from crm_store.surveys.people import OPEN_STATES

log = structlog.get_logger(__name__)

#: What fails is tried again after so long.
_AFTER_A_FAILURE = timedelta(hours=1)


def ask_due(database: Database, *, rules: Rules, now: datetime, limit: int = 500) -> dict[str, int]:
    """Do what is due by now, the oldest first.

    Args:
        limit: invitations at the most.

    Returns:
        How often each thing was done, as `crm_store.surveys.asking.look_at` names it.
    """
    done: dict[str, int] = {}
    for invitation_id in due(database, now=now, limit=limit):
        try:
            with database.write() as session:
                outcome = look_at(session, invitation_id=invitation_id, rules=rules, now=now)
        except Exception as error:
            log.error("survey_failed", invitation_id=invitation_id, reason=_named(error))
            _put_off(database, invitation_id, now)
            outcome = "failed"
        if outcome:
            done[outcome] = done.get(outcome, 0) + 1
    return done


def due(database: Database, *, now: datetime, limit: int) -> list[int]:
    """Invitations about which there is something to do."""
    with database.read() as session:
        return list(
            session.scalars(
                select(SurveyInvitation.id)
                .where(
                    SurveyInvitation.state.in_((PLANNED, *OPEN_STATES)),
                    SurveyInvitation.due_at <= now,
                )
                .order_by(SurveyInvitation.due_at, SurveyInvitation.id)
                .limit(limit)
            )
        )


def escalate_overdue(database: Database, *, rules: Rules, now: datetime) -> int:
    """Tell those above of low grades that nobody looked after in time."""
    with database.write() as session:
        return follow_ups.escalate_due(session, rules=rules, now=now)


def _put_off(database: Database, invitation_id: int, now: datetime) -> None:
    with database.write() as session:
        invitation = session.get(SurveyInvitation, invitation_id, with_for_update=True)
        if invitation is not None and invitation.due_at <= now:
            invitation.due_at = now + _AFTER_A_FAILURE


def _named(error: Exception) -> str:
    return f"{type(error).__name__} in {place_of(error)}"  # a message could quote what somebody wrote
