"""What becomes due for a complaint by itself: its closing, and a reminder of a question."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from crm_store.complaints.models import Complaint
from crm_store.jobs.service import cancel, schedule
from crm_store.rules import Rules

#: Kinds of job; `crm_store.complaints.jobs` does them.
CLOSE, REMIND = "complaint_close", "complaint_question"
#: A question that is not answered is called to mind after so long, once.
REMIND_AFTER = timedelta(days=2)


def plan_closing(session: Session, complaint: Complaint, *, rules: Rules, now: datetime) -> None:
    """Close a resolved complaint after the business's days without a word; a later word begins them anew."""
    due_at = now + timedelta(days=rules.business.complaints.close_after_days)
    data = {"complaint_id": complaint.id}
    schedule(session, kind=CLOSE, key=f"{CLOSE}:{complaint.id}", due_at=due_at, data=data)


def drop_closing(session: Session, complaint: Complaint) -> None:
    """Leave a complaint open after all, or closed already."""
    cancel(session, key=f"{CLOSE}:{complaint.id}")


def plan_reminder(session: Session, complaint: Complaint, *, note_id: int, now: datetime) -> None:
    """Call the questions to mind if they are not answered; the newest one counts."""
    data = {"complaint_id": complaint.id, "note_id": note_id}
    schedule(session, kind=REMIND, key=f"{REMIND}:{complaint.id}", due_at=now + REMIND_AFTER, data=data)


def drop_reminder(session: Session, complaint: Complaint) -> None:
    """Nothing is to be called to mind any more."""
    cancel(session, key=f"{REMIND}:{complaint.id}")
