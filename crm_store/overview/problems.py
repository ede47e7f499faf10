"""What went wrong with a customer last, and whether we made up for it."""

from __future__ import annotations

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from crm_store.base import BigId
from crm_store.complaints.models import WITHDRAWN, Compensation, Complaint, ComplaintResolution
from crm_store.overview.parts import LastProblem
from crm_store.overview.shortening import shortened
from crm_store.service_requests.models import NOT_DONE, ServiceRequest
from crm_store.surveys.models import SurveyAnswer, SurveyFollowUp, SurveyInvitation, SurveyVersion

_TOLD, _REJECTED = "told", "rejected"
_GIVEN = ("granted", "settled")
_own: BindParameter[int] = bindparam("customer", type_=BigId)
_COMPLAINT = (
    select(Complaint)
    .where(Complaint.customer_id == _own, Complaint.state != WITHDRAWN)
    .order_by(Complaint.created_at.desc(), Complaint.id.desc())
    .limit(1)
)
_DECIDED = (
    select(ComplaintResolution, Compensation)
    .outerjoin(Compensation, Compensation.resolution_id == ComplaintResolution.id)
    .where(
        ComplaintResolution.complaint_id == bindparam("complaint"),
        ComplaintResolution.state == _TOLD,
    )
    .order_by(ComplaintResolution.id.desc())
    .limit(1)
)
_VISIT = (
    select(ServiceRequest)
    .where(ServiceRequest.customer_id == _own, ServiceRequest.state == NOT_DONE)
    .order_by(ServiceRequest.updated_at.desc())
    .limit(1)
)
_GRADE = (
    select(SurveyFollowUp, SurveyVersion.content, SurveyInvitation.id)
    .join(SurveyInvitation, SurveyFollowUp.invitation_id == SurveyInvitation.id)
    .join(SurveyVersion, SurveyInvitation.version_id == SurveyVersion.id)
    .where(SurveyFollowUp.customer_id == _own)
    .order_by(SurveyFollowUp.id.desc())
    .limit(1)
)


def last_problem(session: Session, *, customer_id: int) -> LastProblem | None:
    """What went wrong last: a complaint, a visit that did not succeed, or a low grade."""
    found = [
        _complaint(session, customer_id),
        _visit(session, customer_id),
        _grade(session, customer_id),
    ]
    return max((one for one in found if one is not None), key=lambda one: one.at, default=None)


def _complaint(session: Session, customer_id: int) -> LastProblem | None:
    complaint = session.scalar(_COMPLAINT, {"customer": customer_id})
    if complaint is None:
        return None
    decided = session.execute(_DECIDED, {"complaint": complaint.id}).one_or_none()
    resolution, compensation = decided if decided is not None else (None, None)
    given = compensation if compensation is not None and compensation.state in _GIVEN else None
    return LastProblem(
        kind="complaint",
        at=complaint.created_at,
        code=complaint.code,
        title=complaint.category,
        words=shortened(complaint.description),
        state=complaint.state,
        decision=resolution.decision if resolution is not None else "",
        remedy=resolution.remedy if resolution is not None else "",
        # A decision is told with an apology, unless the complaint is not upheld (complaints/outcome.py).
        apologised=resolution is not None and (resolution.decision != _REJECTED or given is not None),
        compensation_kind=given.kind if given is not None else "",
        compensation=given.amount if given is not None else 0,
    )


def _visit(session: Session, customer_id: int) -> LastProblem | None:
    request = session.scalar(_VISIT, {"customer": customer_id})
    if request is None:
        return None
    return LastProblem(
        kind="visit",
        at=request.updated_at,
        code=request.code,
        title=request.kind,
        words=shortened(request.outcome or request.problem),
        state=request.state,
    )


def _grade(session: Session, customer_id: int) -> LastProblem | None:
    row = session.execute(_GRADE, {"customer": customer_id}).one_or_none()
    if row is None:
        return None
    follow_up, content, invitation_id = row
    words = session.scalars(
        select(SurveyAnswer.text)
        .where(SurveyAnswer.invitation_id == invitation_id, SurveyAnswer.text != "")
        .order_by(SurveyAnswer.id)
        .limit(1)
    ).first()
    return LastProblem(
        kind="grade",
        at=follow_up.created_at,
        code="",
        title=str(content.get("title", "")),
        words=shortened(words or ""),
        state=follow_up.state,
    )
