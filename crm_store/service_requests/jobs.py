"""Automatic work of the service requests: a visit is called to mind on the evening before, or was missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from crm_store.jobs.models import ScheduledJob
from crm_store.jobs.service import Handler, cancel, schedule, take, waiting
from crm_store.rules import Rules
from crm_store.service_requests.models import ASSIGNED, SCHEDULED, ServiceRequest
from crm_store.service_requests.telling import tell_customer, tell_of_missed
from crm_store.service_requests.windows import is_missed, reminder_due

REMINDER, MISSED = "visit_reminder", "visit_missed"
#: A visit in these states is still to come, at an agreed time.
COMING = (SCHEDULED, ASSIGNED)


def plan_jobs(session: Session, request: ServiceRequest, *, rules: Rules, now: datetime) -> None:
    """Have the customer reminded on the evening before the visit, and look at its end if anybody went there.

    Nothing is planned once that has passed. What is due by now and was not done, because nobody was at work,
    is left to be caught up with as long as it is about this very time.
    """
    window = request.window
    if window is None or request.state not in COMING:
        drop_jobs(session, request)
        return
    data = {"request_id": request.id, "starts_at": window.starts_at.isoformat()}
    for kind, due_at in ((REMINDER, reminder_due(window, rules)), (MISSED, window.ends_at)):
        key = f"{kind}:{request.id}"
        planned = waiting(session, key=key)
        if due_at > now:
            schedule(session, kind=kind, key=key, due_at=due_at, data=data)
        elif planned is not None and planned.data != data:
            cancel(session, key=key)


def drop_jobs(session: Session, request: ServiceRequest) -> None:
    """Have the customer not reminded after all, and the visit not missed."""
    for kind in (REMINDER, MISSED):
        cancel(session, key=f"{kind}:{request.id}")


def handlers(rules: Callable[[], Rules]) -> dict[str, Handler]:
    """What does the area's jobs, by kind.

    Args:
        rules: gives the rules as they are now.
    """

    def remind(session: Session, job: ScheduledJob, now: datetime) -> None:
        _remind(session, job, now, rules())

    def look_after(session: Session, job: ScheduledJob, now: datetime) -> None:
        _tell_if_missed(session, job, now, rules())

    return {REMINDER: remind, MISSED: look_after}


def _remind(session: Session, job: ScheduledJob, now: datetime, rules: Rules) -> None:
    """Call a visit to mind, if it still stands at the time for which this was planned."""
    request = take(session, ServiceRequest, job.data["request_id"])
    if request is None or request.window is None or request.state not in COMING:
        return
    starts_at = request.window.starts_at
    # Whoever has said that the time suits since it was agreed is not asked again.
    if starts_at.isoformat() != job.data["starts_at"] or starts_at <= now or request.confirmed_at:
        return
    tell_customer(
        session,
        request,
        response="utter_visit_reminder",
        key=f"{REMINDER}:{request.id}:{int(starts_at.timestamp())}",
        rules=rules,
        now=now,
    )


def _tell_if_missed(session: Session, job: ScheduledJob, now: datetime, rules: Rules) -> None:
    """Tell those who send people out, if nobody left for a visit by the end of the time that was agreed."""
    request = take(session, ServiceRequest, job.data["request_id"])
    if request is None or request.window is None or not is_missed(request, now):
        return
    starts_at = request.window.starts_at
    if starts_at.isoformat() == job.data["starts_at"]:
        key = f"{MISSED}:{request.id}:{int(starts_at.timestamp())}"
        tell_of_missed(session, request, key=key, rules=rules, now=now)
