"""What was agreed with a person: the bot knows it afterwards, and tells it whoever was there."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.handoff.models import ENDED, LEFT, RELEASED, Handoff
from crm_store.staff.models import StaffMember

#: Who asks what came of a talk asks about one of these days.
LASTS = timedelta(days=7)


class Agreement(msgspec.Struct, frozen=True):
    """How the last talk with a person ended.

    Attributes:
        agent: who it was with; empty where nobody of them is known, or their name is not.
        agreed: what was agreed; empty where nothing was written down.
        at: when it ended.
    """

    agent: str
    agreed: str
    at: datetime


def last_agreement(session: Session, *, customer_id: int, now: datetime | None = None) -> Agreement | None:
    """What came of a customer's last talk with a person, in whichever chat; None if none was lately."""
    now = now or utcnow()
    found = session.execute(
        select(Handoff, StaffMember.name)
        .outerjoin(StaffMember, Handoff.owner_id == StaffMember.id)
        .where(
            Handoff.customer_id == customer_id,
            Handoff.state == ENDED,
            Handoff.outcome.in_((RELEASED, LEFT)),
            Handoff.claimed_at.is_not(None),
            Handoff.ended_at > now - LASTS,
        )
        .order_by(Handoff.ended_at.desc(), Handoff.id.desc())
        .limit(1)
    ).first()
    if found is None or found[0].ended_at is None:
        return None
    return Agreement(agent=found[1] or "", agreed=found[0].agreed, at=found[0].ended_at)
