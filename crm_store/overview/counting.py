"""What a report counts, of a period, of everybody's work or of one member's."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from crm_store.activity import Activity
from crm_store.complaints.models import OPEN_STATES, Complaint, ComplaintResolution
from crm_store.handoff.models import STAFF, CallbackRequest, Handoff
from crm_store.loyalty.models import ADJUST, EARN, LedgerPosting
from crm_store.purchases.models import Purchase, PurchaseReturn
from crm_store.service_requests.models import ServiceRequest
from crm_store.sla.models import FIRST_RESPONSE, MET, MISSED, SlaClock
from crm_store.surveys.models import SurveyAnswer, SurveyInvitation
from crm_store.tickets.models import COMPLAINT

#: Of first answers and grades the newest so many are looked at.
_LOOKED_AT = 5000


class Period(NamedTuple):
    """What is asked about.

    Attributes:
        until: the moment after the last one.
        staff_id: whose work; None for everybody's.
    """

    session: Session
    since: datetime
    until: datetime
    staff_id: int | None

    def within(self, column: Any) -> ColumnElement[bool]:
        """Whether a moment lies in it."""
        return and_(column >= self.since, column < self.until)

    def of_staff(self, column: InstrumentedAttribute[Any]) -> list[ColumnElement[bool]]:
        """Whether something is the member's, by their number."""
        return [column == self.staff_id] if self.staff_id is not None else []

    def by_staff(self, column: InstrumentedAttribute[str]) -> list[ColumnElement[bool]]:
        """Whether something was done by the member, by the name under which the store has them."""
        return [column == f"staff:{self.staff_id}"] if self.staff_id is not None else []

    def count(self, *conditions: ColumnElement[bool]) -> int:
        """How many rows there are."""
        return self.session.scalar(select(func.count()).where(*conditions)) or 0


def complaints_opened(period: Period) -> list[datetime]:
    """When complaints were filed."""
    own = period.of_staff(Complaint.assignee_id)
    return list(
        period.session.scalars(select(Complaint.created_at).where(period.within(Complaint.created_at), *own))
    )


def complaints_resolved(period: Period) -> list[datetime]:
    """When decisions were told."""
    told_at = ComplaintResolution.told_at
    own = period.by_staff(ComplaintResolution.decided_by)
    moments = period.session.scalars(
        select(told_at).where(period.within(told_at), ComplaintResolution.state == "told", *own)
    )
    return [moment for moment in moments if moment is not None]


def complaints_breached(period: Period) -> int:
    """How many promises about complaints were broken."""
    # A clock that stopped too late between two looks at it was missed and never noticed before.
    broken_at = func.coalesce(
        SlaClock.breached_at, case((SlaClock.state == MISSED, SlaClock.stopped_at), else_=None)
    )
    chosen = [SlaClock.subject_type == COMPLAINT, period.within(broken_at)]
    if period.staff_id is not None:
        own = select(Complaint.id).where(Complaint.assignee_id == period.staff_id)
        chosen.append(SlaClock.subject_id.in_(own))
    return period.count(*chosen)


def complaints_open(period: Period) -> int:
    """How many complaints somebody still has to work on, now."""
    return period.count(Complaint.state.in_(OPEN_STATES), *period.of_staff(Complaint.assignee_id))


def first_answers(period: Period) -> list[tuple[datetime, datetime, int]]:
    """Beginning and end of the wait for a first answer, and the working time in pauses, in seconds."""
    statement = select(SlaClock.started_at, SlaClock.stopped_at, SlaClock.paused_seconds).where(
        SlaClock.subject_type == COMPLAINT,
        SlaClock.metric == FIRST_RESPONSE,
        SlaClock.state.in_((MET, MISSED)),
        period.within(SlaClock.stopped_at),
    )
    if period.staff_id is not None:
        own = select(Complaint.id).where(Complaint.assignee_id == period.staff_id)
        statement = statement.where(SlaClock.subject_id.in_(own))
    rows = period.session.execute(statement.order_by(SlaClock.id.desc()).limit(_LOOKED_AT))
    return [(started, stopped, paused) for started, stopped, paused in rows if stopped is not None]


def requests_made(period: Period) -> int:
    """How many service requests came in."""
    own = period.of_staff(ServiceRequest.technician_id)
    return period.count(period.within(ServiceRequest.created_at), *own)


def visits_done(period: Period) -> int:
    """How many service requests were done."""
    own = period.of_staff(ServiceRequest.technician_id)
    return period.count(period.within(ServiceRequest.done_at), *own)


def handoff_waits(period: Period) -> list[float | None]:
    """Of conversations that needed a person, how many seconds until one came; None where none did."""
    rows = period.session.execute(
        select(Handoff.requested_at, Handoff.claimed_at).where(
            period.within(Handoff.requested_at), Handoff.reason != STAFF, *period.of_staff(Handoff.owner_id)
        )
    )
    return [(claimed - asked).total_seconds() if claimed is not None else None for asked, claimed in rows]


def callbacks_done(period: Period) -> int:
    """How many calls were made."""
    own = period.of_staff(CallbackRequest.done_by_id)
    return period.count(period.within(CallbackRequest.done_at), *own)


def grades(period: Period) -> dict[str, list[int]]:
    """Grades that were given, by their kind."""
    rows = period.session.execute(
        select(SurveyAnswer.kind, SurveyAnswer.value)
        .join(SurveyInvitation, SurveyAnswer.invitation_id == SurveyInvitation.id)
        .where(
            period.within(SurveyAnswer.at),
            SurveyAnswer.kind.in_(("csat", "nps")),
            SurveyAnswer.value.is_not(None),
            *period.of_staff(SurveyInvitation.staff_id),
        )
    )
    found: dict[str, list[int]] = defaultdict(list)
    for kind, value in rows:
        found[kind].append(value)
    return found


def points_given(period: Period) -> int:
    """Points that came in, by purchases, wishes of the staff and whatever else."""
    total = period.session.scalar(
        select(func.sum(LedgerPosting.points)).where(
            period.within(LedgerPosting.at),
            or_(LedgerPosting.kind == EARN, LedgerPosting.kind == ADJUST),
            LedgerPosting.points > 0,
            *period.by_staff(LedgerPosting.actor),
        )
    )
    return int(total or 0)


def purchases(period: Period) -> tuple[int, int]:
    """How many orders were paid, and what they came to less what went back, in rials."""
    chosen = [period.within(Purchase.paid_at)]
    if period.staff_id is not None:
        registered = (
            select(Activity.id)
            .where(
                Activity.customer_id == Purchase.customer_id,
                Activity.kind == "purchase.recorded",
                Activity.subject_id == Purchase.id,
                Activity.actor == f"staff:{period.staff_id}",
            )
            .exists()
        )
        chosen += [Purchase.source == "staff", registered]
    count, total = period.session.execute(
        select(func.count(), func.coalesce(func.sum(Purchase.total), 0)).where(*chosen)
    ).one()
    back = period.session.scalar(
        select(func.coalesce(func.sum(PurchaseReturn.amount), 0))
        .join(Purchase, PurchaseReturn.purchase_id == Purchase.id)
        .where(*chosen)
    )
    return count, int(total) - int(back or 0)
