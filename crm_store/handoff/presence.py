"""Who is there to take conversations over, and how many each of them has."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.business.handoff import Handoff as Limits
from crm_store.errors import InvalidInput
from crm_store.handoff.keeping import actor_of, member_now, require
from crm_store.handoff.models import CLAIMED, Handoff
from crm_store.rules import Rules
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import PERMISSIONS

ONLINE, AWAY, OFFLINE = "online", "away", "offline"
PRESENCES = (ONLINE, AWAY, OFFLINE)
#: Who has said nothing of their presence for so long has gone home and forgotten to say so.
LASTS = timedelta(hours=12)


def set_presence(
    session: Session, *, staff: StaffMember, presence: str, now: datetime | None = None
) -> StaffMember:
    """Note whether somebody takes conversations over; what they have in hand they keep.

    Args:
        presence: ``online``, ``away`` or ``offline``.

    Raises:
        InvalidInput: it is none of these.
        Forbidden: they take none over at all.
    """
    now = now or utcnow()
    if presence not in PRESENCES:
        raise InvalidInput(f"{presence} is no presence")
    member = member_now(session, staff, is_locked=True)
    require(session, member, "handoff.claim", handoff_id="")
    is_news = presence_of(member, now) != presence
    member.presence, member.presence_at = presence, now
    session.flush()
    if is_news:
        entry = record_audit(
            session,
            actor=actor_of(member),
            action="staff.presence",
            target_type="staff",
            target_id=member.id,
            detail={"presence": presence},
        )
        entry.at = now
    return member


def presence_of(staff: StaffMember, now: datetime | None = None) -> str:
    """What holds of somebody's presence at this moment; who said so long ago has gone home."""
    since = (now or utcnow()) - LASTS
    lasts = staff.presence_at is not None and staff.presence_at > since
    return staff.presence if lasts and staff.presence in PRESENCES else OFFLINE


def online(
    session: Session,
    *,
    rules: Rules | None = None,
    team: str = "",
    skill: str = "",
    now: datetime | None = None,
    is_locked: bool = False,
) -> list[StaffMember]:
    """Who takes conversations over at this moment, the one whose turn it is first.

    Args:
        rules: a team that the owner no longer has counts as none.
        team: only members of this team.
        skill: only those who have this skill.
        is_locked: whether to lock them, in the order of their ids.
    """
    now = now or utcnow()
    chosen = select(StaffMember).where(
        StaffMember.presence == ONLINE,
        StaffMember.presence_at > now - LASTS,
        StaffMember.disabled_at.is_(None),
        StaffMember.role.in_(PERMISSIONS["handoff.claim"]),
    )
    if team_in_force(team, rules):
        chosen = chosen.where(StaffMember.team == team)
    if is_locked:
        chosen = chosen.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = session.scalars(chosen.order_by(StaffMember.id)).all()
    fitting = [member for member in found if not skill or skill in member.skills]
    return sorted(fitting, key=lambda one: (one.offered_at is not None, one.offered_at or now, one.id))


def load(session: Session, *, staff_id: int) -> int:
    """How many conversations somebody has in hand."""
    return loads(session).get(staff_id, 0)


def loads(session: Session) -> dict[int, int]:
    """How many conversations each member of staff has in hand; who has none is left out."""
    rows = session.execute(
        select(Handoff.owner_id, func.count()).where(Handoff.state == CLAIMED).group_by(Handoff.owner_id)
    ).tuples()
    return {staff_id: count for staff_id, count in rows if staff_id is not None}


def cap_of(staff: StaffMember, limits: Limits) -> int:
    """How many conversations somebody may have in hand at a time."""
    return staff.max_chats if staff.max_chats is not None else limits.chats_per_agent


def team_in_force(team: str, rules: Rules | None) -> str:
    """A team as it counts now: one that the owner has dissolved is any."""
    return "" if rules is not None and team not in rules.business.handoff.teams else team


def has_room(session: Session, *, staff: StaffMember, rules: Rules) -> bool:
    """Whether somebody may take one more."""
    return load(session, staff_id=staff.id) < cap_of(staff, rules.business.handoff)
