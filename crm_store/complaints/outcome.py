"""How a decision is told: the verdict, an apology that fits, what was found, and what is done about it."""

from __future__ import annotations

from typing import Any

from crm_store.complaints.models import Compensation, Complaint, ComplaintResolution
from crm_store.complaints.states import Said
from crm_store.persian import toman_text
from crm_store.terms import term
from crm_store.tickets.models import URGENT

POINTS, MONEY = "points", "money"
_DECISIONS = {
    "upheld": "utter_complaint_resolved_upheld",
    "partly_upheld": "utter_complaint_resolved_partly_upheld",
    "rejected": "utter_complaint_resolved_rejected",
}
#: After an appeal: no second one is offered.
_FINAL_DECISIONS = {
    "upheld": "utter_complaint_resolved_finally_upheld",
    "partly_upheld": "utter_complaint_resolved_finally_partly_upheld",
    "rejected": "utter_complaint_resolved_finally_rejected",
}
#: All of them ask whether it is solved.
DECISION_RESPONSES = (*_DECISIONS.values(), *_FINAL_DECISIONS.values())
#: By category; the business's own categories get the general one.
_APOLOGIES = {
    "delivery": "utter_apology_delivery",
    "product": "utter_apology_product",
    "wrong_item": "utter_apology_wrong_item",
    "payment": "utter_apology_payment",
    "staff": "utter_apology_staff",
    "service": "utter_apology_service",
    "website": "utter_apology_website",
    "other": "utter_apology_other",
}
_SERIOUS = "utter_apology_serious"
#: A complaint that is not upheld: no guilt is taken, but the trouble was real.
_REGRET = "utter_apology_regret"


def decision_told(
    complaint: Complaint, resolution: ComplaintResolution, compensation: Compensation | None
) -> Said:
    """What the customer is told of a decision."""
    decisions = _DECISIONS if complaint.appealed_at is None else _FINAL_DECISIONS
    lines = _lines(resolution, compensation)
    return Said(
        decisions[resolution.decision],
        {
            "apology": _response(apology_for(complaint, resolution.decision)),
            "explanation": resolution.explanation,
            # An empty line between what was found and what is done, where something is done.
            "lines": _response("utter_complaint_outcome", lines=lines) if lines else "",
        },
    )


def apology_for(complaint: Complaint, decision: str) -> str:
    """Name of the apology that fits a complaint and what was found about it."""
    if decision == "rejected":
        return _REGRET
    reasons = {one.get("reason") for one in complaint.priority_reasons}
    if "danger" in reasons or complaint.priority == URGENT:
        return _SERIOUS
    return _APOLOGIES.get(complaint.category, _APOLOGIES["other"])


def amount_text(kind: str, amount: int) -> str | dict[str, Any]:
    """A compensation as people read it, to be a value of a notice.

    Args:
        kind: ``points`` or ``money``.
        amount: points, or rials.
    """
    return toman_text(amount) if kind == MONEY else _response("utter_points_amount", points=amount)


def _lines(resolution: ComplaintResolution, compensation: Compensation | None) -> list[dict[str, Any]]:
    lines = []
    if resolution.remedy:
        remedy = term("complaints", "remedies_done", resolution.remedy)
        lines.append(_response("utter_complaint_outcome_remedy", remedy=remedy))
    if compensation is not None:
        amount = amount_text(compensation.kind, compensation.amount)
        response = {
            MONEY: "utter_complaint_outcome_money",
            POINTS: "utter_complaint_outcome_points",
        }
        lines.append(_response(response[compensation.kind], amount=amount))
    return lines


def _response(name: str, **params: Any) -> dict[str, Any]:
    return {"response": name, "params": params}
