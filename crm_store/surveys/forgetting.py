"""What stays of the opinions of somebody who was forgotten: grades and choices, to count by."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crm_store.surveys.models import DONE, DROPPED, EXPIRED, OPEN, PLANNED
from crm_store.surveys.models import SurveyAnswer as Answer
from crm_store.surveys.models import SurveyFollowUp as FollowUp
from crm_store.surveys.models import SurveyInvitation as Invitation
from crm_store.surveys.people import OPEN_STATES

_FORGOTTEN = "forgotten"


def forget_opinions(session: Session, *, customer_ids: Collection[int], now: datetime) -> None:
    """Take words and files out of the answers, and end what is planned, open or to be looked after.

    Args:
        customer_ids: all records of the person.
    """
    own = Invitation.customer_id.in_(customer_ids)
    ended = {"question": "", "reason": _FORGOTTEN, "finished_at": now}
    theirs = FollowUp.customer_id.in_(customer_ids)
    of_answers = select(Invitation.id).where(own)
    changes = (
        update(Invitation).where(own, Invitation.state == PLANNED).values(state=DROPPED, **ended),
        update(Invitation).where(own, Invitation.state.in_(OPEN_STATES)).values(state=EXPIRED, **ended),
        update(Answer).where(Answer.invitation_id.in_(of_answers)).values(text="", files=[]),
        update(FollowUp)
        .where(theirs, FollowUp.state == OPEN)
        .values(state=DONE, done_by="system", done_at=now),
        update(FollowUp).where(theirs).values(note=""),
    )
    for change in changes:
        session.execute(change.execution_options(synchronize_session=False))
    session.expire_all()
