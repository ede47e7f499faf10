"""Points that make up for a mistake: what the complaints area granted is booked here."""

from __future__ import annotations

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.conversations.queries import latest_conversation
from crm_store.loyalty import ledger
from crm_store.loyalty.expiry import expiry_of
from crm_store.loyalty.people import standing_customer
from crm_store.loyalty.versions import rules_version
from crm_store.outbox import enqueue_notice
from crm_store.persian import group_thousands
from crm_store.rules import Rules


class ComplaintPoints:
    """The points book of the complaints area (`crm_store.complaints.compensation.PointsBook`).

    Args:
        rules: by which points lapse.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def grant(self, session: Session, *, customer_id: int, points: int, cause: str, key: str) -> None:
        """Give a customer points and say so; nothing to whoever was forgotten."""
        customer = standing_customer(session, customer_id)
        if customer is None:
            return
        ledger.earn(
            session,
            customer_id=customer.id,
            points=points,
            cause=cause,
            actor="system",
            key=key,
            expires_at=expiry_of(utcnow(), self._rules),
            rules_id=rules_version(session, self._rules.business.loyalty),
        )
        conversation_id = latest_conversation(session, customer_id=customer.id)
        if conversation_id is not None:
            enqueue_notice(
                session,
                conversation_id=conversation_id,
                response="utter_compensation_booked",
                idempotency_key=f"booked:{key}",
                params={"points": group_thousands(points)},
            )
