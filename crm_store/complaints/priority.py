"""How urgent a complaint is, and why: category, wording, having to come again, what went wrong before.

A danger makes it urgent at once. Beyond that each of four families of reasons raises it by one step over the
category's own priority: how it sounds, what was lost, having to come again, a history of broken promises.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from crm_store.complaints.models import WITHDRAWN, Complaint
from crm_store.persian import fold
from crm_store.rules import Rules
from crm_store.service_requests.models import ServiceRequest
from crm_store.sla.models import MISSED, SlaClock
from crm_store.terms import terms
from crm_store.tickets.models import COMPLAINT, PRIORITIES, SERVICE_REQUEST, URGENT

#: So many earlier complaints within this time are a customer who has to come again and again.
OFTEN, OFTEN_WITHIN = 2, timedelta(days=30)
#: A promise broken within this time is not forgotten.
BREACH_WITHIN = timedelta(days=90)

Reason = dict[str, Any]


def assess(
    session: Session,
    *,
    customer_id: int,
    category: str,
    text: str,
    signals: Collection[str],
    rules: Rules,
    now: datetime,
    order_number: str = "",
) -> tuple[str, list[Reason]]:
    """The priority of a complaint that is about to be filed.

    Args:
        category: its key.
        text: the story.
        signals: what was heard in it beside its meaning: ``danger``, ``urgency``, ``anger``.
        order_number: as the customer gave it.

    Returns:
        One of `crm_store.tickets.models.PRIORITIES`, and ``{"reason": key, …}`` for each reason; the keys are
        named in data/complaints/terms.yml.
    """
    own = rules.business.category(category).priority
    tone = [{"reason": name} for name in ("urgency", "anger") if name in signals]
    loss = [{"reason": "weighty"}] if is_weighty(text) else []
    again = _contact_reasons(session, customer_id, order_number, now)
    history = _history_reasons(session, customer_id, now)
    families = [family for family in (tone, loss, again, history) if family]
    reasons = [{"reason": "category", "category": category}, *(one for family in families for one in family)]
    if "danger" in signals:
        return URGENT, [{"reason": "danger"}, *reasons]
    return raised(own, steps=len(families)), reasons


def raised(priority: str, *, steps: int = 1) -> str:
    """A priority some steps further up, at most the highest."""
    return PRIORITIES[min(PRIORITIES.index(priority) + steps, len(PRIORITIES) - 1)]


def at_least(priority: str, least: str) -> str:
    """The more urgent of two priorities."""
    return max(priority, least, key=PRIORITIES.index)


def give_priority(complaint: Complaint, priority: str, reason: Reason) -> None:
    """Set a priority and keep the reason beside those before."""
    complaint.priority = priority
    complaint.priority_reasons = [*complaint.priority_reasons, reason]


def is_weighty(text: str) -> bool:
    """Whether a story speaks of a loss or an injury, by whole words."""
    told = f" {' '.join(_words(text))} "
    return any(f" {phrase} " in told for phrase in _weighty())


def order_key(number: str) -> str:
    """An order number as it is compared: however it is written."""
    return "".join(_words(number))


def same_order(session: Session, *, customer_id: int, order_number: str) -> list[Complaint]:
    """A customer's complaints about an order, oldest first, without those taken back."""
    wanted = order_key(order_number)
    if not wanted:
        return []
    named = session.scalars(
        select(Complaint)
        .where(
            Complaint.customer_id == customer_id, Complaint.order_number != "", Complaint.state != WITHDRAWN
        )
        .order_by(Complaint.id)
    )
    return [complaint for complaint in named if order_key(complaint.order_number) == wanted]


def _contact_reasons(session: Session, customer_id: int, order_number: str, now: datetime) -> list[Reason]:
    reasons = []
    earlier = same_order(session, customer_id=customer_id, order_number=order_number)
    if earlier:
        reasons.append({"reason": "same_order", "code": earlier[0].code})
    recent = session.scalars(
        select(Complaint.id)
        .where(
            Complaint.customer_id == customer_id,
            Complaint.state != WITHDRAWN,
            Complaint.created_at > now - OFTEN_WITHIN,
        )
        .limit(OFTEN)
    ).all()
    if len(recent) >= OFTEN:
        reasons.append({"reason": "repeated"})
    return reasons


def _history_reasons(session: Session, customer_id: int, now: datetime) -> list[Reason]:
    reasons = []
    since = now - BREACH_WITHIN
    complaints = select(Complaint.id).where(Complaint.customer_id == customer_id)
    requests = select(ServiceRequest.id).where(ServiceRequest.customer_id == customer_id)
    broken = session.scalar(
        select(SlaClock.id)
        .where(
            or_(
                and_(SlaClock.subject_type == COMPLAINT, SlaClock.subject_id.in_(complaints)),
                and_(SlaClock.subject_type == SERVICE_REQUEST, SlaClock.subject_id.in_(requests)),
            ),
            or_(
                SlaClock.breached_at > since,
                and_(SlaClock.state == MISSED, SlaClock.stopped_at > since),
            ),
        )
        .limit(1)
    )
    if broken is not None:
        reasons.append({"reason": "breached"})
    if session.scalar(complaints.where(Complaint.reopened_count > 0).limit(1)) is not None:
        reasons.append({"reason": "reopened_before"})
    return reasons


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text))


@lru_cache
def _weighty() -> tuple[str, ...]:
    groups: list[list[str]] = terms("complaints")["weighty"]
    return tuple(" ".join(_words(phrase)) for group in groups for phrase in group)
