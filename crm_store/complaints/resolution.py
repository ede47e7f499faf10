"""Deciding a complaint: what was found, why it happened, and what the customer gets.

A compensation above the decider's limit waits, and the decision with it, until somebody approves who may.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints.compensation import (
    GRANTED,
    REFUSED,
    SETTLED,
    WAITING,
    Offer,
    PointsBook,
    book_points,
    have_it_approved,
    locked_case,
    may_grant,
    note_compensation,
    offer_of,
    request,
    rights_of,
    settle,
    tell_requester,
    total_with,
    unsettled_compensations,
)
from crm_store.complaints.models import (
    DECISIONS,
    REMEDIES,
    RESOLVED,
    Compensation,
    Complaint,
    ComplaintResolution,
)
from crm_store.complaints.outcome import decision_told
from crm_store.complaints.problems import look_for_problem
from crm_store.complaints.states import check_move, lock, move
from crm_store.complaints.working import check_cause
from crm_store.errors import InvalidInput, InvalidTransition, NotAllowed
from crm_store.rules import Rules
from crm_store.staff.models import ROLES

__all__ = [
    "GRANTED",
    "REFUSED",
    "SETTLED",
    "WAITING",
    "Offer",
    "PointsBook",
    "approve",
    "book_points",
    "may_grant",
    "refuse",
    "resolve",
    "settle",
    "unsettled_compensations",
]

#: States of a resolution besides REFUSED.
PROPOSED, TOLD = "proposed", "told"
_OPERATOR = "operator"
#: Who decides after an appeal, besides the operator.
_APPEAL_ROLES = ROLES[ROLES.index("supervisor") :]


def resolve(
    session: Session,
    complaint: Complaint,
    *,
    decision: str,
    root_cause: str,
    explanation: str,
    actor: str,
    role: str,
    rules: Rules,
    remedy: str = "",
    compensation: Offer | None = None,
    now: datetime | None = None,
) -> ComplaintResolution:
    """Decide a complaint and tell its customer.

    With a compensation above the decider's limit nothing is told yet: the resolution is only ``proposed`` and
    the complaint stays in its state.

    Args:
        decision: one of DECISIONS.
        root_cause: one of the business's root causes.
        explanation: what was found and done, in words for the customer.
        actor: ``operator`` or ``staff:<id>``.
        role: of the actor; the operator has the admin's.
        remedy: one of REMEDIES, as far as something is done.
        compensation: what the customer gets besides.

    Raises:
        InvalidInput: something is missing or unknown.
        InvalidTransition: it cannot be decided in its state, or a decision waits for approval already.
        NotAllowed: its customer appealed, and the actor is below a supervisor or decided before.
    """
    now = now or utcnow()
    lock(session, complaint)
    check_move(complaint, to=RESOLVED, actor=actor)
    _check(decision, root_cause, remedy, explanation, rules)
    if compensation is not None:
        compensation.check()
    if _waits_for_approval(session, complaint):
        raise InvalidTransition("a decision about this complaint waits for approval", state=PROPOSED)
    _check_appeal(session, complaint, actor=actor, role=role)
    resolution = ComplaintResolution(
        complaint_id=complaint.id,
        decision=decision,
        root_cause=root_cause,
        remedy=remedy,
        explanation=explanation.strip(),
        decided_by=actor,
        state=PROPOSED,
        created_at=now,
    )
    session.add(resolution)
    session.flush()
    granted = None
    if compensation is not None:
        granted = request(session, resolution, complaint, compensation, now=now)
        rights = rights_of(actor, role)
        if not may_grant(rights, total_with(session, complaint.id, compensation), rules):
            have_it_approved(session, complaint, granted, role=rights, rules=rules, now=now)
            return resolution
        _decide(granted, GRANTED, actor=actor, now=now)
    _carry_out(session, complaint, resolution, granted, actor=actor, rules=rules, now=now)
    return resolution


def approve(
    session: Session,
    compensation: Compensation,
    *,
    actor: str,
    role: str,
    rules: Rules,
    now: datetime | None = None,
) -> Compensation:
    """Grant a compensation that is above its requester's limit; the decision is told to the customer.

    Raises:
        InvalidTransition: it does not wait for approval.
        NotAllowed: it is above this role's limit too, or the actor's own request.
    """
    now = now or utcnow()
    complaint = locked_case(session, compensation)
    _check_waiting(compensation)
    if actor == compensation.requested_by:
        raise NotAllowed("nobody approves their own request")
    _check_limit(session, compensation, actor, role, rules)
    check_move(complaint, to=RESOLVED, actor=actor)
    _decide(compensation, GRANTED, actor=actor, now=now)
    note_compensation(session, complaint, "compensation_approved", compensation, actor=actor, now=now)
    resolution = session.get_one(ComplaintResolution, compensation.resolution_id)
    _carry_out(session, complaint, resolution, compensation, actor=actor, rules=rules, now=now)
    tell_requester(session, complaint, compensation, "utter_staff_compensation_approved", rules=rules)
    return compensation


def refuse(
    session: Session,
    compensation: Compensation,
    *,
    actor: str,
    role: str,
    rules: Rules,
    reason: str,
    now: datetime | None = None,
) -> Compensation:
    """Refuse a compensation, and with it the proposed decision; whoever asked is told and decides anew.

    Whoever asked may take it back themselves.

    Raises:
        InvalidInput: there is no reason.
        InvalidTransition: it does not wait for approval.
        NotAllowed: the role could not grant it either.
    """
    now = now or utcnow()
    complaint = locked_case(session, compensation)
    _check_waiting(compensation)
    is_own = actor == compensation.requested_by
    if not is_own:
        _check_limit(session, compensation, actor, role, rules)
    why = reason.strip()
    if not why:
        raise InvalidInput("a refusal needs a reason")
    _decide(compensation, REFUSED, actor=actor, now=now)
    session.get_one(ComplaintResolution, compensation.resolution_id).state = REFUSED
    note_compensation(
        session, complaint, "compensation_refused", compensation, actor=actor, now=now, reason=why
    )
    if not is_own:
        told = "utter_staff_compensation_refused"
        tell_requester(session, complaint, compensation, told, rules=rules, reason=why)
    return compensation


def _check(decision: str, root_cause: str, remedy: str, explanation: str, rules: Rules) -> None:
    if decision not in DECISIONS:
        raise InvalidInput(f"unknown decision {decision}; known are: {', '.join(DECISIONS)}")
    check_cause(root_cause, rules)
    if remedy and remedy not in REMEDIES:
        raise InvalidInput(f"unknown remedy {remedy}; known are: {', '.join(REMEDIES)}")
    if not explanation.strip():
        raise InvalidInput("a decision needs an explanation for the customer")


def _check_waiting(compensation: Compensation) -> None:
    if compensation.state != WAITING:
        raise InvalidTransition("this compensation does not wait for approval", state=compensation.state)


def _check_appeal(session: Session, complaint: Complaint, *, actor: str, role: str) -> None:
    """An appeal is decided by somebody else, who is a supervisor at least; the operator may always."""
    appealed_at, decided_at = complaint.appealed_at, complaint.resolved_at
    is_over = appealed_at is None or (decided_at is not None and decided_at > appealed_at)
    if is_over or actor == _OPERATOR:
        return
    if role not in _APPEAL_ROLES:
        raise NotAllowed("an appeal is decided by a supervisor")
    told = ComplaintResolution.complaint_id == complaint.id, ComplaintResolution.state == TOLD
    latest = select(ComplaintResolution.decided_by).where(*told).order_by(ComplaintResolution.id.desc())
    if session.scalar(latest.limit(1)) == actor:
        raise NotAllowed("nobody decides an appeal against their own decision")


def _check_limit(session: Session, compensation: Compensation, actor: str, role: str, rules: Rules) -> None:
    total = total_with(session, compensation.complaint_id, offer_of(compensation))
    if not may_grant(rights_of(actor, role), total, rules):
        raise NotAllowed("this is above the limit of the role")


def _waits_for_approval(session: Session, complaint: Complaint) -> bool:
    proposal = select(ComplaintResolution.id).where(
        ComplaintResolution.complaint_id == complaint.id, ComplaintResolution.state == PROPOSED
    )
    return session.scalar(proposal.limit(1)) is not None


def _decide(compensation: Compensation, state: str, *, actor: str, now: datetime) -> None:
    compensation.state, compensation.decided_by, compensation.decided_at = state, actor, now


def _carry_out(
    session: Session,
    complaint: Complaint,
    resolution: ComplaintResolution,
    compensation: Compensation | None,
    *,
    actor: str,
    rules: Rules,
    now: datetime,
) -> None:
    """Make a decision stand, tell it, and see whether its cause is a problem of many."""
    resolution.state, resolution.told_at = TOLD, now
    complaint.root_cause = resolution.root_cause
    move(
        session,
        complaint,
        to=RESOLVED,
        actor=actor,
        rules=rules,
        reason=resolution.decision,
        now=now,
        said=decision_told(complaint, resolution, compensation),
    )
    look_for_problem(session, complaint, rules=rules, now=now)
