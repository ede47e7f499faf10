"""What makes up for a mistake: who may grant how much, who is asked for more, how it is paid or booked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.complaints.outcome import MONEY, POINTS, amount_text
from crm_store.complaints.states import SYSTEM, lock
from crm_store.complaints.telling import staff_id_of, tell_member_of, tell_roles
from crm_store.complaints.timeline import note_event
from crm_store.errors import InvalidInput, InvalidTransition
from crm_store.rules import Rules
from crm_store.staff.models import ROLES

WAITING, GRANTED, SETTLED, REFUSED = "waiting", "granted", "settled", "refused"
_OPERATOR = "operator"
_HIGHEST = ROLES[-1]
_RIALS_IN_A_TOMAN = 10


class Offer(NamedTuple):
    """What is offered to make up for a mistake.

    Attributes:
        kind: ``points`` or ``money``.
        amount: points, or rials.
    """

    kind: str
    amount: int

    def check(self) -> None:
        """Look whether it is one.

        Raises:
            InvalidInput: it is not.
        """
        if self.kind not in (POINTS, MONEY) or self.amount <= 0:
            raise InvalidInput("a compensation is a positive number of points, or of rials as money")


class PointsBook(Protocol):
    """Where points are booked: what the loyalty area does for complaints."""

    def grant(self, session: Session, *, customer_id: int, points: int, cause: str, key: str) -> None:
        """Give a customer points.

        Args:
            cause: why, for the customer's statement: ``complaint:<code>``.
            key: names the grant; the same key again gives nothing more.
        """


def rights_of(actor: str, role: str) -> str:
    """The role whose rights somebody has: the operator at the terminal has the admin's."""
    return _HIGHEST if actor == _OPERATOR else role


def may_grant(role: str, offer: Offer, rules: Rules) -> bool:
    """Whether somebody with a role may grant so much alone; an admin without a limit in the file has none.

    Args:
        offer: with all that was granted before (`total_with`): the limit is that of a complaint, not of a
            decision.
    """
    limits = rules.business.complaints.compensation
    limit = next((limit for name, limit in limits.items() if name == role), None)
    if limit is None:
        return role == _HIGHEST
    return offer.amount <= (limit.tomans * _RIALS_IN_A_TOMAN if offer.kind == MONEY else limit.points)


def offer_of(compensation: Compensation) -> Offer:
    """What a compensation offers."""
    return Offer(compensation.kind, compensation.amount)


def total_with(session: Session, complaint_id: int, offer: Offer) -> Offer:
    """What a complaint brings in all with an offer: what was granted before in the same kind comes on top."""
    granted = select(func.sum(Compensation.amount)).where(
        Compensation.complaint_id == complaint_id,
        Compensation.kind == offer.kind,
        Compensation.state.in_((GRANTED, SETTLED)),
    )
    return offer._replace(amount=offer.amount + int(session.scalar(granted) or 0))


def request(
    session: Session, resolution: ComplaintResolution, complaint: Complaint, offer: Offer, *, now: datetime
) -> Compensation:
    """Keep an offer beside the decision that it belongs to, waiting for whoever may grant it."""
    compensation = Compensation(
        complaint_id=complaint.id,
        resolution_id=resolution.id,
        customer_id=complaint.customer_id,
        kind=offer.kind,
        amount=offer.amount,
        state=WAITING,
        requested_by=resolution.decided_by,
        created_at=now,
    )
    session.add(compensation)
    session.flush()
    return compensation


def have_it_approved(
    session: Session,
    complaint: Complaint,
    compensation: Compensation,
    *,
    role: str,
    rules: Rules,
    now: datetime,
) -> None:
    """Tell those above a role who may grant it; the customer hears nothing yet."""
    note_compensation(
        session,
        complaint,
        "compensation_requested",
        compensation,
        actor=compensation.requested_by,
        now=now,
    )
    above = ROLES[ROLES.index(role) + 1 :] if role in ROLES else ROLES
    total = total_with(session, complaint.id, offer_of(compensation))
    tell_roles(
        session,
        complaint,
        [one for one in above if may_grant(one, total, rules)],
        "utter_staff_compensation_waiting",
        key=f"compensation-waiting:{compensation.id}",
        rules=rules,
        amount=amount_text(compensation.kind, compensation.amount),
    )


def tell_requester(
    session: Session,
    complaint: Complaint,
    compensation: Compensation,
    response: str,
    *,
    rules: Rules,
    **params: Any,
) -> None:
    """Tell whoever asked for a compensation what became of it."""
    tell_member_of(
        session,
        complaint,
        staff_id_of(compensation.requested_by),
        response,
        key=f"compensation-decided:{compensation.id}",
        rules=rules,
        amount=amount_text(compensation.kind, compensation.amount),
        **params,
    )


def note_compensation(
    session: Session,
    complaint: Complaint,
    event: str,
    compensation: Compensation,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
) -> None:
    """Add what became of a compensation to the timeline."""
    data = {"kind": compensation.kind, "amount": compensation.amount, "reason": reason}
    note_event(session, complaint, event, actor=actor, now=now, data=data)


def unsettled_compensations(session: Session) -> list[Compensation]:
    """Compensations that are granted and still to be paid or booked, oldest first."""
    granted = select(Compensation).where(Compensation.state == GRANTED)
    return list(session.scalars(granted.order_by(Compensation.id)))


def locked_case(session: Session, compensation: Compensation) -> Complaint:
    """The complaint of a compensation; both as they are now, and changed by nobody else meanwhile."""
    complaint = session.get_one(Complaint, compensation.complaint_id)
    lock(session, complaint)
    session.refresh(compensation)
    return complaint


def settle(
    session: Session, compensation: Compensation, *, actor: str, now: datetime | None = None
) -> Compensation:
    """Note that money was paid, or points were booked.

    Raises:
        InvalidTransition: it is not granted, or settled already.
    """
    now = now or utcnow()
    complaint = locked_case(session, compensation)
    if compensation.state != GRANTED:
        raise InvalidTransition("only what is granted can be settled", state=compensation.state)
    compensation.state, compensation.settled_at = SETTLED, now
    note_compensation(session, complaint, "compensation_settled", compensation, actor=actor, now=now)
    return compensation


def book_points(session: Session, book: PointsBook, *, now: datetime | None = None) -> int:
    """Book all points that were granted and not booked yet; returns how many compensations that were."""
    granted = [one for one in unsettled_compensations(session) if one.kind == POINTS]
    for compensation in granted:
        complaint = session.get_one(Complaint, compensation.complaint_id)
        book.grant(
            session,
            customer_id=compensation.customer_id,
            points=compensation.amount,
            cause=f"complaint:{complaint.code}",
            key=f"compensation:{compensation.id}",
        )
        settle(session, compensation, actor=SYSTEM, now=now)
    return len(granted)
