"""Calls that were promised: who called, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from crm_store.activity import record_activity
from crm_store.audit import record_audit
from crm_store.base import utcnow
from crm_store.errors import Forbidden, InvalidInput, InvalidTransition, NotFound
from crm_store.handoff.keeping import actor_of, member_now
from crm_store.handoff.models import CallbackRequest
from crm_store.handoff.service import OPEN
from crm_store.staff.models import StaffMember
from crm_store.staff.permissions import may

SUBJECT = "callback_request"
DONE = "done"
CALLED, TRIED = "callback.done", "callback.tried"
MAX_OUTCOME = 2000


def note_call(
    session: Session,
    *,
    callback_id: int,
    staff: StaffMember,
    reached: bool,
    outcome: str = "",
    now: datetime | None = None,
) -> CallbackRequest:
    """Keep that somebody called a customer who waits for it; who noted it already changes nothing more.

    Args:
        staff: who called.
        reached: whether the customer was spoken to; otherwise the request stays open.
        outcome: what was said, or why nobody was reached.

    Raises:
        Forbidden: they may not; commit all the same, it is in the audit trail.
        NotFound: there is no such request.
        InvalidInput: nobody was reached and nothing is said about it.
        InvalidTransition: the request is not open any more: somebody else called, or it was replaced.
    """
    now = now or utcnow()
    member = member_now(session, staff)
    where: dict[str, Any] = {"target_type": SUBJECT, "target_id": callback_id}
    if not may(session, staff=member, permission="callback.done", **where):
        raise Forbidden("this member of staff makes no calls")
    request = session.get(CallbackRequest, callback_id, with_for_update=True, populate_existing=True)
    if request is None:
        raise NotFound("no call-back request has this number")
    if reached and request.state == DONE and request.done_by_id == member.id:
        return request
    if request.state != OPEN:
        raise InvalidTransition("this request is not open any more", state=request.state)
    told = outcome.replace("\x00", "").strip()[:MAX_OUTCOME]
    if not reached and not told:
        raise InvalidInput("say what happened")
    request.outcome = told
    if reached:
        request.state, request.done_by_id, request.done_at = DONE, member.id, now
    actor, event = actor_of(member), CALLED if reached else TRIED
    entry = record_activity(
        session,
        customer_id=request.customer_id,
        kind=event,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=request.id,
    )
    entry.at = now
    record_audit(session, actor=actor, action=event, **where).at = now
    session.flush()
    return request
