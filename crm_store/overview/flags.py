"""What to beware of with a customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from crm_store.base import BigId, UtcDateTime
from crm_store.complaints.models import WITHDRAWN, Complaint
from crm_store.customers.models import OPEN, ChannelIdentity, Customer, LinkConflict
from crm_store.overview.parts import Channel, Decision, OpenTicket, Points, Satisfaction
from crm_store.privacy.models import DONE, Erasure
from crm_store.privacy.service import MARKETING
from crm_store.rules import Rules

#: So many complaints within this time are many.
MANY, MANY_WITHIN = 3, timedelta(days=90)
#: How somebody sounded is remembered for so long.
HEARD_WITHIN = timedelta(days=30)
#: A share of the scale up to which a grade is low.
_LOW = 0.5
#: In the order in which they are told; the names stand in data/overview/terms.yml.
FLAGS = (
    "danger",
    "erasure",
    "angry",
    "overdue",
    "many_complaints",
    "reopened",
    "unhappy",
    "vip",
    "disputed_phone",
    "debt",
    "blocked",
    "no_marketing",
)
_own: BindParameter[int] = bindparam("customer", type_=BigId)
_RECENT = select(Complaint.created_at, Complaint.priority_reasons, Complaint.reopened_count).where(
    Complaint.customer_id == _own,
    Complaint.created_at > bindparam("since", type_=UtcDateTime()),
    Complaint.state != WITHDRAWN,
)
_accounts = select(ChannelIdentity.id).where(ChannelIdentity.customer_id == _own)
_DISPUTE = (
    select(LinkConflict.id)
    .where(
        LinkConflict.state == OPEN,
        (LinkConflict.holder_id == _own) | LinkConflict.identity_id.in_(_accounts),
    )
    .limit(1)
)
_ERASURE = select(Erasure.id).where(Erasure.customer_id == _own, Erasure.state != DONE).limit(1)


def flags_of(
    session: Session,
    *,
    customer: Customer,
    tickets: Sequence[OpenTicket],
    channels: Sequence[Channel],
    satisfaction: Satisfaction,
    consents: Sequence[Decision],
    points: Points,
    rules: Rules,
    now: datetime,
) -> list[str]:
    """What to beware of, by keys of FLAGS, in their order."""
    own = {"customer": customer.id}
    recent = session.execute(_RECENT, {**own, "since": now - MANY_WITHIN}).all()
    heard = {
        reason.get("reason")
        for one in recent
        if one.created_at > now - HEARD_WITHIN
        for reason in one.priority_reasons
    }
    last = satisfaction.last[0] if satisfaction.last else None
    raised = {
        "danger": "danger" in heard,
        "erasure": session.scalar(_ERASURE, own) is not None,
        "angry": "anger" in heard,
        "overdue": any(ticket.is_overdue for ticket in tickets),
        "many_complaints": len(recent) >= MANY,
        "reopened": any(one.reopened_count for one in recent),
        "unhappy": last is not None and last.value <= _LOW * last.top,
        "vip": customer.tier != "" and customer.tier in rules.business.handoff.vip_tiers,
        "disputed_phone": session.scalar(_DISPUTE, own) is not None,
        "debt": points.debt > 0,
        "blocked": bool(channels) and all(channel.is_blocked for channel in channels),
        "no_marketing": any(one.purpose == MARKETING and not one.granted for one in consents),
    }
    return [flag for flag in FLAGS if raised[flag]]
