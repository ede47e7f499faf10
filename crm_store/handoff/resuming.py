"""Offers the form again that was interrupted when a person took over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.complaints import drafting as complaints
from crm_store.drafts import OPEN, Draft
from crm_store.handoff.keeping import tell_customer
from crm_store.handoff.models import Handoff
from crm_store.service_requests import drafting as requests

RESUME = "utter_handoff_resume"
#: The intent by which a form is gone on with, by kind of draft; others are not offered again.
GO_ON = {complaints.DRAFT_KIND: "complaint_file", requests.DRAFT_KIND: "service_request"}


def offer_to_go_on(session: Session, handoff: Handoff, *, now: datetime) -> None:
    """Offer the form that was interrupted, the one that was worked on last, if it is still open."""
    kinds = set(
        session.scalars(
            select(Draft.kind).where(Draft.conversation_id == handoff.conversation_id, Draft.state == OPEN)
        )
    )
    left = next((kind for kind in handoff.interrupted if kind in kinds and kind in GO_ON), None)
    if left is not None:
        tell_customer(session, handoff, RESUME, now=now, params={"kind": left, "go_on": GO_ON[left]})
