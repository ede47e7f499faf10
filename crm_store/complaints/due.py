"""What becomes due for a complaint by itself: its closing, and what follows from an unanswered question."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from crm_store.complaints.models import Complaint
from crm_store.jobs.service import cancel, schedule
from crm_store.rules import Rules

#: Kinds of job; `crm_store.complaints.jobs` does them.
CLOSE, REMIND, TELL = "complaint_close", "complaint_question", "complaint_unanswered"
#: A question that is not answered is called to mind after so long, once, and told to whoever deals with the
#: complaint after so long.
REMIND_AFTER, TELL_AFTER = timedelta(days=2), timedelta(days=4)


def plan_closing(session: Session, complaint: Complaint, *, rules: Rules, now: datetime) -> None:
    """Close a resolved complaint after the business's days without a word; a later word begins them anew."""
    due_at = now + timedelta(days=rules.business.complaints.close_after_days)
    data = {"complaint_id": complaint.id}
    schedule(session, kind=CLOSE, key=f"{CLOSE}:{complaint.id}", due_at=due_at, data=data)


def drop_closing(session: Session, complaint: Complaint) -> None:
    """Leave a complaint open after all, or closed already."""
    cancel(session, key=f"{CLOSE}:{complaint.id}")


def plan_reminder(session: Session, complaint: Complaint, *, note_id: int, now: datetime) -> None:
    """Call unanswered questions to mind, and later tell the staff of them; the newest one counts."""
    data = {"complaint_id": complaint.id, "note_id": note_id}
    for kind, after in ((REMIND, REMIND_AFTER), (TELL, TELL_AFTER)):
        schedule(session, kind=kind, key=f"{kind}:{complaint.id}", due_at=now + after, data=data)


def drop_reminder(session: Session, complaint: Complaint) -> None:
    """No answer is waited for any more."""
    for kind in (REMIND, TELL):
        cancel(session, key=f"{kind}:{complaint.id}")
