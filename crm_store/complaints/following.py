"""What customers do with a complaint of theirs: add to it, answer, take it back, appeal, say if it is solved.

Every function takes the message that it was asked by: the same message again changes nothing and gives the
same complaint. A code of somebody else's complaint is answered as one that does not exist.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.complaints import due
from crm_store.complaints.eligible import (
    appealable,
    asked,
    is_within,
    takes_notes,
    withdrawable,
)
from crm_store.complaints.models import (
    APPEALED,
    CLOSED,
    IN_REVIEW,
    OPEN_STATES,
    RESOLVED,
    WAITING,
    WITHDRAWN,
    Complaint,
)
from crm_store.complaints.priority import at_least, give_priority, raised
from crm_store.complaints.service import own_complaint
from crm_store.complaints.states import CUSTOMER, DECIDED, check_move, lock, move
from crm_store.complaints.telling import tell_assignee, tell_roles
from crm_store.complaints.timeline import note_event, was_done
from crm_store.errors import InvalidInput, InvalidTransition, TooLate
from crm_store.rules import Rules
from crm_store.sla import clocks
from crm_store.tickets.models import ANSWER, COMPLAINT, NOTE, TicketNote
from crm_store.tickets.notes import add_note as keep_note
from crm_store.tickets.notes import open_question

__all__ = [
    "add_note",
    "answer_question",
    "appeal",
    "appealable",
    "asked",
    "confirm_solved",
    "reopen",
    "takes_notes",
    "withdraw",
    "withdrawable",
]


def add_note(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    text: str = "",
    attachment_ids: Collection[int] = (),
    now: datetime | None = None,
) -> Complaint:
    """Add words or files to a complaint; its state stays as it is, also when it is resolved.

    Raises:
        NotFound: no complaint of this customer has this code.
        InvalidInput: there is nothing to add.
        InvalidTransition: it was taken back.
        TooLate: it was closed so long ago that nobody looks at it any more.
    """
    now = now or utcnow()
    complaint = _own(session, customer_id, code)
    if was_done(session, complaint, "note_added", inbox_id=inbox_id):
        return complaint
    if complaint.state == WITHDRAWN:
        raise InvalidTransition("the complaint was taken back", state=complaint.state)
    if complaint.state == CLOSED and not is_within(complaint, rules.business.complaints.reopen_days, now):
        raise TooLate("the complaint was closed long ago")
    note = _keep(
        session,
        complaint,
        kind=NOTE,
        text=text,
        attachment_ids=attachment_ids,
        inbox_id=inbox_id,
        now=now,
    )
    data = {"note": note.id, "inbox_id": inbox_id}
    note_event(session, complaint, "note_added", actor=CUSTOMER, now=now, data=data)
    if complaint.state == RESOLVED:
        due.plan_closing(session, complaint, rules=rules, now=now)
    elif complaint.state in OPEN_STATES and complaint.state != WAITING:
        clocks.customer_wrote(session, rules=rules, subject_type=COMPLAINT, subject_id=complaint.id, now=now)
    tell_assignee(
        session, complaint, "utter_staff_complaint_note", key=f"complaint-note:{note.id}", rules=rules
    )
    return complaint


def answer_question(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    text: str = "",
    attachment_ids: Collection[int] = (),
    now: datetime | None = None,
) -> Complaint:
    """Answer what the staff asked, all open questions at once; the complaint goes on.

    Raises:
        NotFound: no complaint of this customer has this code.
        InvalidInput: the answer is empty.
        InvalidTransition: nothing is asked.
    """
    now = now or utcnow()
    complaint = _own(session, customer_id, code)
    if was_done(session, complaint, "answered", inbox_id=inbox_id):
        return complaint
    question = open_question(session, subject_type=COMPLAINT, subject_id=complaint.id)
    if complaint.state != WAITING or question is None:
        raise InvalidTransition("nothing is asked about this complaint", state=complaint.state)
    note = _keep(
        session,
        complaint,
        kind=ANSWER,
        text=text,
        attachment_ids=attachment_ids,
        inbox_id=inbox_id,
        now=now,
    )
    note_event(
        session,
        complaint,
        "answered",
        actor=CUSTOMER,
        now=now,
        data={"note": note.id, "question": question.id, "inbox_id": inbox_id},
    )
    move(
        session,
        complaint,
        to=IN_REVIEW,
        actor=CUSTOMER,
        rules=rules,
        reason="answered",
        now=now,
        inbox_id=inbox_id,
    )
    clocks.customer_wrote(session, rules=rules, subject_type=COMPLAINT, subject_id=complaint.id, now=now)
    tell_assignee(
        session, complaint, "utter_staff_complaint_answered", key=f"complaint-note:{note.id}", rules=rules
    )
    return complaint


def withdraw(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    reason: str = "",
    now: datetime | None = None,
) -> Complaint:
    """Take a complaint back before it is decided.

    Raises:
        NotFound: no complaint of this customer has this code.
        InvalidTransition: it is decided or taken back already.
    """
    now = now or utcnow()
    complaint = _own(session, customer_id, code)
    if was_done(session, complaint, WITHDRAWN, inbox_id=inbox_id):
        return complaint
    move(
        session,
        complaint,
        to=WITHDRAWN,
        actor=CUSTOMER,
        rules=rules,
        reason=reason,
        now=now,
        inbox_id=inbox_id,
    )
    tell_assignee(
        session,
        complaint,
        "utter_staff_complaint_withdrawn",
        key=f"complaint-withdrawn:{complaint.id}",
        rules=rules,
    )
    return complaint


def appeal(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    reason: str,
    now: datetime | None = None,
) -> Complaint:
    """Have a decision looked at again by a supervisor, once.

    Args:
        reason: why the customer does not accept it.

    Raises:
        NotFound: no complaint of this customer has this code.
        InvalidInput: there is no reason.
        InvalidTransition: nothing is decided, or there was an appeal before.
        TooLate: the decision is too old.
    """
    now = now or utcnow()
    complaint = _own(session, customer_id, code)
    if was_done(session, complaint, APPEALED, inbox_id=inbox_id):
        return complaint
    if not reason.strip():
        raise InvalidInput("an appeal needs a reason")
    check_move(complaint, to=APPEALED, actor=CUSTOMER)
    if complaint.appealed_at is not None:
        raise InvalidTransition("an appeal is possible once", state=complaint.state)
    _check_time(complaint, rules.business.complaints.appeal_days, now)
    complaint.appealed_at = now
    give_priority(complaint, at_least(complaint.priority, "high"), {"reason": "appealed"})
    move(
        session,
        complaint,
        to=APPEALED,
        actor=CUSTOMER,
        rules=rules,
        reason=reason.strip(),
        now=now,
        inbox_id=inbox_id,
    )
    tell_roles(
        session,
        complaint,
        ["supervisor"],
        "utter_staff_complaint_appealed",
        key=f"complaint-appeal:{complaint.id}",
        rules=rules,
    )
    return complaint


def confirm_solved(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    now: datetime | None = None,
) -> Complaint:
    """Close a complaint because its customer says that it is solved; one that is closed stays so.

    Raises:
        NotFound: no complaint of this customer has this code.
        InvalidTransition: nothing is decided yet, or it was taken back.
    """
    now = now or utcnow()
    complaint = _own(session, customer_id, code)
    if any(was_done(session, complaint, event, inbox_id=inbox_id) for event in (CLOSED, "solved")):
        return complaint
    if complaint.state == CLOSED:
        note_event(session, complaint, "solved", actor=CUSTOMER, now=now, data={"inbox_id": inbox_id})
        return complaint
    return move(
        session,
        complaint,
        to=CLOSED,
        actor=CUSTOMER,
        rules=rules,
        reason="solved",
        now=now,
        inbox_id=inbox_id,
    )


def reopen(
    session: Session,
    *,
    customer_id: int,
    code: str,
    inbox_id: int,
    rules: Rules,
    reason: str = "",
    now: datetime | None = None,
) -> Complaint:
    """Go on with a complaint that its customer says is not solved; it becomes more urgent.

    Raises:
        NotFound: no complaint of this customer has this code.
        InvalidTransition: nothing is decided, or it is being looked at again already.
        TooLate: the decision is too old.
    """
    now = now or utcnow()
    complaint = _own(session, customer_id, code)
    if was_done(session, complaint, "reopened", inbox_id=inbox_id):
        return complaint
    if complaint.state not in DECIDED:
        raise InvalidTransition("nothing is decided about this complaint", state=complaint.state)
    _check_time(complaint, rules.business.complaints.reopen_days, now)
    give_priority(complaint, raised(complaint.priority), {"reason": "reopened"})
    note_event(
        session,
        complaint,
        "reopened",
        actor=CUSTOMER,
        now=now,
        data={"priority": complaint.priority, "inbox_id": inbox_id},
    )
    move(
        session,
        complaint,
        to=IN_REVIEW,
        actor=CUSTOMER,
        rules=rules,
        reason=reason.strip() or "reopened",
        now=now,
        inbox_id=inbox_id,
    )
    key = f"complaint-reopened:{complaint.id}:{complaint.reopened_count}"
    tell_assignee(session, complaint, "utter_staff_complaint_reopened", key=key, rules=rules)
    return complaint


def _own(session: Session, customer_id: int, code: str) -> Complaint:
    """A customer's complaint, which nobody else changes until the unit of work ends."""
    complaint = own_complaint(session, customer_id=customer_id, code=code)
    lock(session, complaint)
    return complaint


def _keep(
    session: Session,
    complaint: Complaint,
    *,
    kind: str,
    text: str,
    attachment_ids: Collection[int],
    inbox_id: int,
    now: datetime,
) -> TicketNote:
    """Keep what the customer wrote and sent along."""
    if not text.strip() and not attachment_ids:
        raise InvalidInput("there is nothing to add")
    return keep_note(
        session,
        subject_type=COMPLAINT,
        subject_id=complaint.id,
        kind=kind,
        author=CUSTOMER,
        text=text,
        attachment_ids=attachment_ids,
        idempotency_key=f"inbox:{inbox_id}:{kind}:{complaint.id}",
        now=now,
    )


def _check_time(complaint: Complaint, days: int, now: datetime) -> None:
    if not is_within(complaint, days, now):
        raise TooLate(f"the decision was told more than {days} days ago")
