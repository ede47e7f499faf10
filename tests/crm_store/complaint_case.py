"""A complaint under way, with its customer, for tests of what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.activity import Activity, subject_timeline
from crm_store.complaints import resolution, working
from crm_store.complaints.models import Complaint, ComplaintResolution
from crm_store.outbox import OutboxItem
from crm_store.sla.clocks import open_clock
from crm_store.sla.models import SlaClock
from crm_store.tickets.models import TicketNote
from tests.factories import RULES, a_complaint, a_conversation, an_inbox_id
from tests.factories.notices import notices_to, rendered, told

#: A Saturday morning in Tehran.
NOW = datetime(2026, 11, 28, 6, 30, tzinfo=timezone.utc)
DAY = timedelta(days=1)


class Case:
    """A complaint of one customer, in a store of its own."""

    def __init__(self, session: Session, **told_of: Any) -> None:
        self.session = session
        self.chat = a_conversation(session)
        self.complaint = a_complaint(session, self.chat, now=NOW, **told_of)

    def does(self, service: Callable[..., Complaint], **arguments: Any) -> Complaint:
        """The customer does something, by a new message unless it is given."""
        known: dict[str, Any] = {
            "customer_id": self.complaint.customer_id,
            "code": self.complaint.code,
            "rules": RULES,
            "now": NOW,
        }
        if "inbox_id" not in arguments:
            arguments["inbox_id"] = an_inbox_id(self.session, self.chat)
        return service(self.session, **{**known, **arguments})

    def is_resolved(self, **arguments: Any) -> ComplaintResolution:
        """An agent decides."""
        decided: dict[str, Any] = {
            "decision": "upheld",
            "root_cause": "carrier",
            "explanation": "پیک دیر رسید.",
            "actor": "staff:1",
            "role": "agent",
            "rules": RULES,
            "now": NOW,
        }
        return resolution.resolve(self.session, self.complaint, **{**decided, **arguments})

    def is_asked(self, text: str = "چه رنگی بود؟", now: datetime = NOW) -> TicketNote:
        """The staff ask something."""
        return working.ask_customer(
            self.session, self.complaint, text=text, actor="staff:1", rules=RULES, now=now
        )

    def told(self) -> list[str]:
        """What the customer was told."""
        return told(self.session, self.chat.id)

    def latest(self) -> OutboxItem:
        """The last notice to the customer."""
        return notices_to(self.session, self.chat.id)[-1]

    def read(self, turn: int = 0) -> str:
        """What the customer reads in it."""
        return rendered(self.latest(), turn).text

    def timeline(self) -> list[Activity]:
        """What happened."""
        return subject_timeline(
            self.session,
            customer_id=self.complaint.customer_id,
            subject_type="complaint",
            subject_id=self.complaint.id,
        )

    def notes(self) -> list[TicketNote]:
        """What was said, in order."""
        own = select(TicketNote).where(TicketNote.subject_id == self.complaint.id)
        return list(self.session.scalars(own.order_by(TicketNote.id)))

    def clock(self, metric: str) -> SlaClock | None:
        """An open clock."""
        return open_clock(self.session, subject_type="complaint", subject_id=self.complaint.id, metric=metric)
