"""What a customer thinks, as they said in surveys and after visits."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from crm_store.business.surveys import SCALES
from crm_store.overview.parts import Grade, Satisfaction
from crm_store.overview.shortening import shortened
from crm_store.service_requests.models import ServiceRequest
from crm_store.surveys.models import SurveyAnswer, SurveyInvitation, SurveyVersion

#: As many grades are told.
MOST_GRADES = 3
_GRADED = ("csat", "nps", "ces", "scale")
#: Answers that are looked at; older ones say little about today.
_LOOKED_AT = 100
_ANSWERS = (
    select(
        SurveyAnswer.kind,
        SurveyAnswer.value,
        SurveyAnswer.at,
        SurveyAnswer.text,
        SurveyAnswer.question,
        SurveyInvitation.version_id,
    )
    .join(SurveyInvitation, SurveyAnswer.invitation_id == SurveyInvitation.id)
    .where(
        SurveyInvitation.customer_id == bindparam("customer"),
        SurveyAnswer.kind.in_(_GRADED),
        SurveyAnswer.value.is_not(None),
    )
    .order_by(SurveyAnswer.at.desc())
    .limit(_LOOKED_AT)
)
_VISITS = (
    select(
        ServiceRequest.rating,
        ServiceRequest.rating_scale,
        ServiceRequest.done_at,
        ServiceRequest.updated_at,
    )
    .where(ServiceRequest.customer_id == bindparam("customer"), ServiceRequest.rating.is_not(None))
    .order_by(ServiceRequest.id.desc())
    .limit(MOST_GRADES)
)


def satisfaction_of(session: Session, *, customer_id: int) -> Satisfaction:
    """A customer's newest grades, and the means of recommendation and satisfaction."""
    answers = session.execute(_ANSWERS, {"customer": customer_id}).all()
    visits = session.execute(_VISITS, {"customer": customer_id}).all()
    grades = [
        Grade("visit", one.rating or 0, one.rating_scale or 5, one.done_at or one.updated_at, "")
        for one in visits
    ]
    for one in answers[:MOST_GRADES]:
        top = SCALES[one.kind][1] if one.kind in SCALES else _top(session, one.version_id, one.question)
        grades.append(Grade(one.kind, one.value, top, one.at, shortened(one.text)))
    return Satisfaction(
        last=sorted(grades, key=lambda grade: grade.at, reverse=True)[:MOST_GRADES],
        nps=_mean([one.value for one in answers if one.kind == "nps"]),
        csat=_mean([one.value for one in answers if one.kind == "csat"]),
    )


def _top(session: Session, version_id: int, question: str) -> int:
    """The best grade of a scale of the owner's own."""
    version = session.get(SurveyVersion, version_id)
    asked = version.content.get("questions", []) if version is not None else []
    return next((int(one.get("high", 5)) for one in asked if one.get("key") == question), 5)


def _mean(values: list[int]) -> float | None:
    return sum(values) / len(values) if values else None
