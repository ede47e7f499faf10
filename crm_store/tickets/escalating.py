"""Raising a ticket: one step more urgent, and those above are told why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints import states as complaint_states
from crm_store.complaints import timeline as complaint_timeline
from crm_store.complaints.models import OPEN_STATES as OPEN_COMPLAINTS
from crm_store.complaints.models import Complaint
from crm_store.complaints.priority import give_priority, raised
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.persian import to_persian_digits
from crm_store.rules import Rules
from crm_store.service_requests import states as request_states
from crm_store.service_requests import timeline as request_timeline
from crm_store.service_requests.models import OPEN_STATES as OPEN_REQUESTS
from crm_store.service_requests.models import ServiceRequest
from crm_store.staff.models import ROLES, StaffMember
from crm_store.staff.phones import said, sees_phones
from crm_store.staff.telling import tell_groups, tell_role
from crm_store.terms import term

_EVENT = "escalated"
_SUPERVISOR = "supervisor"


def escalate(
    session: Session,
    ticket: Complaint | ServiceRequest,
    *,
    reason: str,
    staff: StaffMember,
    inbox_id: int,
    rules: Rules,
    now: datetime | None = None,
) -> None:
    """Raise a ticket's priority by one step and tell the supervisors, or the admins if one of them does it.

    Args:
        reason: why; those above read it.
        inbox_id: the member's message; the same message again changes and tells nothing more.

    Raises:
        InvalidInput: there is no reason.
        InvalidTransition: nobody has to work on the ticket any more.
    """
    now, why, actor = now or utcnow(), reason.strip(), f"staff:{staff.id}"
    if not why:
        raise InvalidInput("who is told wants to know why")
    if isinstance(ticket, Complaint):
        complaint_states.lock(session, ticket)
        if complaint_timeline.was_done(session, ticket, _EVENT, inbox_id=inbox_id):
            return
        _check_open(ticket.state in OPEN_COMPLAINTS, ticket.state)
        former, title = ticket.priority, rules.business.category(ticket.category).title
        give_priority(ticket, raised(former), {"reason": "staff", "by": actor, "why": why})
        data = {"from": former, "to": ticket.priority, "reason": why, "inbox_id": inbox_id}
        complaint_timeline.note_event(session, ticket, _EVENT, actor=actor, now=now, data=data)
    else:
        ticket = request_states.lock(session, ticket)
        if request_timeline.was_done(session, ticket, _EVENT, inbox_id=inbox_id):
            return
        _check_open(ticket.state in OPEN_REQUESTS, ticket.state)
        former, title = ticket.priority, rules.business.service_kind(ticket.kind).title
        ticket.priority = raised(former)
        told = {"from": former, "to": ticket.priority, "reason": why}
        request_timeline.note_event(session, ticket, _EVENT, actor=actor, now=now, inbox_id=inbox_id, **told)
    key = f"escalated:{inbox_id}:{ticket.code}"
    _tell(session, ticket, staff=staff, key=key, rules=rules, title=title, why=why)


def _check_open(is_open: bool, state: str) -> None:
    if not is_open:
        raise InvalidTransition("nobody works on this ticket any more", state=state)


def _tell(
    session: Session,
    ticket: Complaint | ServiceRequest,
    *,
    staff: StaffMember,
    key: str,
    rules: Rules,
    title: str,
    why: str,
) -> None:
    params = {
        "code": to_persian_digits(ticket.code),
        "ticket": ticket.code,
        "name": staff.name or staff.login or "",
        "priority": term("complaints", "priorities", ticket.priority) or ticket.priority,
        "title": title,
    }

    def reasoned(role: str) -> dict[str, Any]:
        return {**params, "reason": said(why, is_whole=sees_phones(rules, role=role))}

    above = ROLES[-1:] if ROLES.index(staff.role) >= ROLES.index(_SUPERVISOR) else (_SUPERVISOR,)
    told = sum(
        tell_role(session, role=role, response="utter_staff_escalated_to_you", key=key, params=reasoned(role))
        for role in above
    )
    if not told:
        # A group is named the ticket and the urgency alone.
        tell_groups(
            session, groups=rules.groups, response="utter_staff_group_escalated", key=key, params=params
        )
