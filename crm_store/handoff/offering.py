"""Offers a waiting hand-over to one after another, and tells to whom one is given; anybody may claim it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.handoff.keeping import Case, name_of, staff_notice_key
from crm_store.handoff.models import Handoff
from crm_store.handoff.presence import cap_of, loads, online, team_in_force
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.staff.phones import said, sees_phones
from crm_store.staff.telling import tell_member

OFFER, GIVEN = "utter_staff_handoff_offer", "utter_staff_handoff_given"
#: Stands for a name or a topic that nobody told.
UNKNOWN = "—"
#: Letters of what it is about that stand in a notice.
_TOPIC = 120


def offer(
    session: Session,
    handoff: Handoff,
    *,
    rules: Rules,
    now: datetime,
    to: StaffMember | None = None,
) -> StaffMember | None:
    """Offer a waiting hand-over, locked already, to whoever's turn it is, and tell them.

    Whose turn came last gets it only if nobody else could; who has as many as they may is passed over.

    Args:
        to: to this one, whoever's turn it is.

    Returns:
        Who it was offered to; None where nobody is there.
    """
    chosen = to or _whose_turn(session, handoff, rules, now)
    handoff.offered_to_id, handoff.offered_at = chosen.id if chosen else None, now
    if chosen is not None:
        chosen.offered_at = now
        tell_member(
            session,
            staff_id=chosen.id,
            response=OFFER,
            key=f"{staff_notice_key(handoff.id)}offer:{int(now.timestamp())}",
            params={
                **_told_of(session, handoff, chosen, rules),
                "reason": handoff.reason,
                "number": handoff.id,
            },
        )
    session.flush()
    return chosen


def tell_given(
    session: Session, case: Case, colleague: StaffMember, *, by: StaffMember, rules: Rules
) -> None:
    """Tell a colleague that a conversation, locked already, is theirs from now on, and by whom."""
    conversation, handoff = case
    if colleague.id != by.id:
        tell_member(
            session,
            staff_id=colleague.id,
            response=GIVEN,
            key=f"{staff_notice_key(handoff.id)}given:{conversation.ownership}",
            params={**_told_of(session, handoff, colleague, rules), "by": by.name or by.login or ""},
        )


def fits(staff: StaffMember, handoff: Handoff, rules: Rules) -> bool:
    """Whether a hand-over is for somebody by team and skill."""
    team = team_in_force(handoff.team, rules)
    is_of_team = not team or staff.team == team
    return is_of_team and (not handoff.skill or handoff.skill in staff.skills)


def _told_of(session: Session, handoff: Handoff, staff: StaffMember, rules: Rules) -> dict[str, Any]:
    """What a notice to somebody of the staff says of a hand-over."""
    topic = said(handoff.topic, is_whole=sees_phones(rules, role=staff.role))
    return {
        "name": name_of(session, customer_id=handoff.customer_id) or UNKNOWN,
        "topic": topic[:_TOPIC] or UNKNOWN,
        "handoff": handoff.id,
    }


def _whose_turn(session: Session, handoff: Handoff, rules: Rules, now: datetime) -> StaffMember | None:
    there = online(session, rules=rules, team=handoff.team, skill=handoff.skill, now=now, is_locked=True)
    taken = loads(session)
    free = [one for one in there if taken.get(one.id, 0) < cap_of(one, rules.business.handoff)]
    others = [one for one in free if one.id != handoff.offered_to_id]
    return next(iter(others or free), None)
