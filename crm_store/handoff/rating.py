"""Asks for an opinion after a talk with a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.handoff.models import Handoff
from crm_store.rules import Rules
from crm_store.surveys.planning import HANDOFF, plan_for


def ask_for_rating(session: Session, handoff: Handoff, *, rules: Rules, now: datetime) -> None:
    """Plan the survey that follows a hand-over in which a person said something."""
    if not rules.business.handoff.asks_rating or handoff.first_reply_at is None:
        return
    plan_for(
        session,
        occasion=HANDOFF,
        subject_id=handoff.id,
        customer_id=handoff.customer_id,
        staff_id=handoff.owner_id,
        rules=rules,
        now=now,
    )
