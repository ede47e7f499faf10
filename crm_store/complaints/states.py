"""The states of a complaint, and the only way from one to another.

docs/complaints.md shows the table and says what it follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints import due
from crm_store.complaints.models import (
    ACKNOWLEDGED,
    APPEALED,
    CLOSED,
    IN_REVIEW,
    OPEN_STATES,
    RECEIVED,
    RESOLVED,
    STATES,
    WAITING,
    WITHDRAWN,
    Compensation,
    Complaint,
    ComplaintResolution,
)
from crm_store.complaints.telling import tell_customer
from crm_store.complaints.timeline import note_event
from crm_store.customers.models import Customer
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.rules import Rules
from crm_store.sla import clocks
from crm_store.surveys.service import complaint_was_resolved
from crm_store.tickets.models import COMPLAINT
from crm_store.tickets.notes import settle_questions

#: Kinds of actor.
CUSTOMER, STAFF, SYSTEM = "customer", "staff", "system"
_BY_STAFF = frozenset({STAFF})
_BY_STAFF_OR_SYSTEM = frozenset({STAFF, SYSTEM})
_BY_CUSTOMER = frozenset({CUSTOMER})
_BY_CUSTOMER_OR_STAFF = frozenset({CUSTOMER, STAFF})
_BY_ALL = frozenset({CUSTOMER, STAFF, SYSTEM})

#: Which kinds of actor may take a complaint from one state to another; what is not here is not possible.
TRANSITIONS: Mapping[tuple[str, str], frozenset[str]] = {
    (RECEIVED, ACKNOWLEDGED): _BY_STAFF_OR_SYSTEM,
    (RECEIVED, IN_REVIEW): _BY_STAFF,
    (RECEIVED, WAITING): _BY_STAFF,
    (RECEIVED, RESOLVED): _BY_STAFF,
    (RECEIVED, WITHDRAWN): _BY_CUSTOMER_OR_STAFF,
    (ACKNOWLEDGED, IN_REVIEW): _BY_STAFF,
    (ACKNOWLEDGED, WAITING): _BY_STAFF,
    (ACKNOWLEDGED, RESOLVED): _BY_STAFF,
    (ACKNOWLEDGED, WITHDRAWN): _BY_CUSTOMER_OR_STAFF,
    (IN_REVIEW, WAITING): _BY_STAFF,
    (IN_REVIEW, RESOLVED): _BY_STAFF,
    (IN_REVIEW, WITHDRAWN): _BY_CUSTOMER_OR_STAFF,
    (WAITING, IN_REVIEW): _BY_CUSTOMER_OR_STAFF,
    (WAITING, RESOLVED): _BY_STAFF,
    (WAITING, WITHDRAWN): _BY_CUSTOMER_OR_STAFF,
    (RESOLVED, IN_REVIEW): _BY_CUSTOMER_OR_STAFF,
    (RESOLVED, APPEALED): _BY_CUSTOMER,
    (RESOLVED, CLOSED): _BY_ALL,
    (CLOSED, IN_REVIEW): _BY_CUSTOMER_OR_STAFF,
    (CLOSED, APPEALED): _BY_CUSTOMER,
    (APPEALED, IN_REVIEW): _BY_STAFF,
    (APPEALED, WAITING): _BY_STAFF,
    (APPEALED, RESOLVED): _BY_STAFF,
    (APPEALED, WITHDRAWN): _BY_CUSTOMER_OR_STAFF,
}
#: A decision has been told.
DECIDED = (RESOLVED, CLOSED)
#: What the customer is told of a change that they did not make themselves. A question and a decision bring
#: words of their own.
_TOLD = {
    ACKNOWLEDGED: "utter_complaint_acknowledged",
    IN_REVIEW: "utter_complaint_in_review",
    CLOSED: "utter_complaint_closed",
    WITHDRAWN: "utter_complaint_taken_back",
}
_REOPENED = "utter_complaint_opened_again"
_NEEDS_WORDS = (WAITING, RESOLVED)


class Said(NamedTuple):
    """What the customer is told of a change.

    Attributes:
        response: its name.
        params: values for its placeholders besides ``code`` and ``ticket``.
    """

    response: str
    params: dict[str, Any]


def kind_of_actor(actor: str) -> str:
    """``customer``, ``staff`` or ``system``.

    Args:
        actor: as in the timeline.
    """
    if actor == CUSTOMER:
        return CUSTOMER
    return SYSTEM if actor in ("system", "bot") else STAFF


def lock(session: Session, complaint: Complaint) -> None:
    """Have a complaint as it is now, and nobody else change it until the unit of work ends."""
    session.flush()  # refreshing forgets what was not written yet
    session.refresh(complaint, with_for_update=True)


def check_move(complaint: Complaint, *, to: str, actor: str) -> None:
    """Look whether an actor may take a complaint to a state.

    Raises:
        InvalidInput: there is no such state.
        InvalidTransition: it does not lead from the present one, or not by this kind of actor.
    """
    if to not in STATES:
        raise InvalidInput(f"a complaint has no state {to}")
    if kind_of_actor(actor) not in TRANSITIONS.get((complaint.state, to), ()):
        raise InvalidTransition(
            f"{actor} cannot take a complaint from {complaint.state} to {to}", state=complaint.state
        )


def move(
    session: Session,
    complaint: Complaint,
    *,
    to: str,
    actor: str,
    rules: Rules,
    reason: str = "",
    now: datetime | None = None,
    said: Said | None = None,
    inbox_id: int | None = None,
) -> Complaint:
    """Take a complaint to another state, with all that follows: timeline, clocks, jobs, word to the customer.

    A customer hears of what others did here; of their own doing they hear in the dialogue.

    Args:
        to: one of STATES.
        actor: ``customer``, ``system``, ``operator`` or ``staff:<id>``.
        reason: why, for the timeline.
        said: what the customer is told instead of the plain words; a question and a decision need it, which
            `crm_store.complaints.working` and `crm_store.complaints.resolution` give.
        inbox_id: the customer's message that it was done by.

    Raises:
        InvalidInput: there is no such state, or a question or decision without words.
        InvalidTransition: it does not lead from the present one, or not by this kind of actor.
    """
    now = now or utcnow()
    lock(session, complaint)
    check_move(complaint, to=to, actor=actor)
    if to in _NEEDS_WORDS and said is None:
        raise InvalidInput(f"to {to} leads only what the customer is told: a question or a decision")
    before, complaint.state = complaint.state, to
    _leave(session, complaint, before, rules, now)
    _arrive(session, complaint, before, rules, now)
    data: dict[str, Any] = {"from": before, "reason": reason}
    if inbox_id is not None:
        data["inbox_id"] = inbox_id
    entry = note_event(session, complaint, to, actor=actor, now=now, data=data)
    if kind_of_actor(actor) != CUSTOMER:
        words = said or Said(_REOPENED if before in DECIDED and to == IN_REVIEW else _TOLD[to], {})
        tell_customer(session, complaint, words.response, key=f"complaint-move:{entry.id}", **words.params)
    return complaint


def _leave(session: Session, complaint: Complaint, before: str, rules: Rules, now: datetime) -> None:
    """What ends with the former state."""
    if before == WAITING:
        settle_questions(session, subject_type=COMPLAINT, subject_id=complaint.id, now=now)
        due.drop_reminder(session, complaint)
        clocks.resume(session, rules=rules, subject_type=COMPLAINT, subject_id=complaint.id, now=now)
    if before in DECIDED:
        due.drop_closing(session, complaint)


def _arrive(session: Session, complaint: Complaint, before: str, rules: Rules, now: datetime) -> None:
    """What begins with the new state."""
    about: dict[str, Any] = {
        "rules": rules,
        "subject_type": COMPLAINT,
        "subject_id": complaint.id,
        "now": now,
    }
    state = complaint.state
    if before in DECIDED and state in OPEN_STATES:
        complaint.closed_at = None
        complaint.reopened_count += state == IN_REVIEW
        tier = session.get_one(Customer, complaint.customer_id).tier
        clocks.restart(session, **about, priority=complaint.priority, tier=tier)
    if state == WAITING:
        clocks.pause(session, **about)
    elif state == RESOLVED:
        complaint.resolved_at = now
        clocks.stop(session, **about)
        due.plan_closing(session, complaint, rules=rules, now=now)
        complaint_was_resolved(
            session,
            complaint_id=complaint.id,
            customer_id=complaint.customer_id,
            staff_id=complaint.assignee_id,
            rules=rules,
            now=now,
        )
    elif state == CLOSED:
        complaint.closed_at = now
    elif state == WITHDRAWN:
        complaint.closed_at = now
        clocks.cancel(session, **about)
        _give_up_proposals(session, complaint, now)


def _give_up_proposals(session: Session, complaint: Complaint, now: datetime) -> None:
    """Refuse what waits for approval: there is nothing to decide any more."""
    proposed = ComplaintResolution.complaint_id == complaint.id, ComplaintResolution.state == "proposed"
    for resolution in session.scalars(select(ComplaintResolution).where(*proposed)):
        resolution.state = "refused"
    waiting = Compensation.complaint_id == complaint.id, Compensation.state == "waiting"
    for compensation in session.scalars(select(Compensation).where(*waiting)):
        compensation.state, compensation.decided_by, compensation.decided_at = "refused", SYSTEM, now
