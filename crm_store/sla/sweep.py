"""Tells the staff of due times: the assignee before one passes, and after it one after another up the chain.

After a stop only the latest step that is due is taken: whoever is higher up hears of it once, and nobody
reads five notices about one clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm_store.persian import deadline_text, to_jalali_datetime_text, to_persian_digits
from crm_store.rules import Rules
from crm_store.sla.models import CANCELLED, RUNNING, SlaClock
from crm_store.sla.record import ESCALATED, WARNED, customers_of, note_breach, record
from crm_store.staff.telling import tell_groups, tell_member, tell_role
from crm_store.terms import term
from crm_store.tickets.models import COMPLAINT
from crm_store.tickets.queries import TicketFacts, ticket_facts

ASSIGNEE, GROUPS = "assignee", "groups"


class _Case(NamedTuple):
    """A clock with what has to be known of its ticket."""

    clock: SlaClock
    ticket: TicketFacts
    customer_id: int


def sweep(session: Session, *, rules: Rules, now: datetime, limit: int = 200) -> int:
    """Look at the clocks of which something may have to be told by now, in the caller's transaction.

    On PostgreSQL clocks that another process looks at are passed over, so that several sweep side by side.

    Args:
        limit: clocks at the most.

    Returns:
        How many were looked at; as many as the limit means that there may be more.
    """
    clocks = session.scalars(
        select(SlaClock)
        .where(SlaClock.check_at <= now)
        .order_by(SlaClock.check_at, SlaClock.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    cases = _cases(session, clocks)
    # What one clock has to tell depends on no other: all of it is written at the end, at once.
    with session.no_autoflush:
        for clock in clocks:
            case = cases.get(clock.id)
            if case is None:
                # Its ticket is gone.
                clock.state, clock.stopped_at, clock.check_at = CANCELLED, now, None
            else:
                _look_at(session, case, rules, now)
    session.flush()
    return len(clocks)


def _cases(session: Session, clocks: Sequence[SlaClock]) -> dict[int, _Case]:
    """By the clocks' numbers."""
    cases = {}
    for kind in {clock.subject_type for clock in clocks}:
        of_kind = [clock for clock in clocks if clock.subject_type == kind]
        ids = {clock.subject_id for clock in of_kind}
        facts, customers = ticket_facts(session, kind, ids), customers_of(session, kind, ids)
        for clock in of_kind:
            if clock.subject_id in facts and clock.subject_id in customers:
                cases[clock.id] = _Case(clock, facts[clock.subject_id], customers[clock.subject_id])
    return cases


def _look_at(session: Session, case: _Case, rules: Rules, now: datetime) -> None:
    clock = case.clock
    at = _stands_at(clock, now)
    if at >= clock.due_at:
        _escalate(session, case, rules, now)
    elif at >= clock.warn_at and clock.warned_at is None:
        _warn(session, case, rules, now)
    clock.check_at = _next_check(clock, rules)


def _warn(session: Session, case: _Case, rules: Rules, now: datetime) -> None:
    clock = case.clock
    clock.warned_at = now
    deadline = deadline_text(clock.due_at, now=now, tz=rules.timezone)
    told = _tell(
        session,
        rules,
        case,
        to=ASSIGNEE,
        response="utter_sla_warning",
        key=f"sla-warning:{clock.id}",
        deadline=deadline,
    )
    record(session, clock, WARNED, customer_id=case.customer_id, now=now, told=told)


def _escalate(session: Session, case: _Case, rules: Rules, now: datetime) -> None:
    """Take the latest step that is due, if it was not taken yet."""
    clock, steps = case.clock, rules.business.sla.escalation
    late = rules.working_time.between(clock.due_at, _stands_at(clock, now))
    due = sum(timedelta(minutes=step.after_minutes) <= late for step in steps)
    if due <= clock.escalated:
        note_breach(session, clock, now=now, customer_id=case.customer_id)
        return
    clock.escalated = due
    told = _tell(
        session,
        rules,
        case,
        to=steps[due - 1].tell,
        response="utter_sla_breach" if due == 1 else "utter_sla_breach_escalated",
        key=f"sla-breach:{clock.id}:{due}",
        deadline=to_jalali_datetime_text(clock.due_at, tz=rules.timezone),
    )
    entry: dict[str, Any] = {"customer_id": case.customer_id, "now": now, "step": due, "told": told}
    if clock.breached_at is None:
        note_breach(session, clock, **entry)
    else:
        record(session, clock, ESCALATED, **entry)


def _stands_at(clock: SlaClock, now: datetime) -> datetime:
    """The moment at which a clock stands: while it is paused no time passes for it."""
    return clock.paused_at or now


def _next_check(clock: SlaClock, rules: Rules) -> datetime | None:
    """When there is something to tell of a clock next; None for never."""
    if clock.state != RUNNING:
        return None
    if clock.breached_at is None:
        return clock.due_at if clock.warned_at else clock.warn_at
    steps = rules.business.sla.escalation[clock.escalated :]
    if not steps:
        return None
    return rules.working_time.add(clock.due_at, timedelta(minutes=steps[0].after_minutes))


def _tell(
    session: Session, rules: Rules, case: _Case, *, to: str, response: str, key: str, deadline: str
) -> str:
    """Queue a notice for the assignee or a role, or for the groups where nobody is reached; says for whom."""
    params = {**_params(case, rules), "deadline": deadline}
    said: dict[str, Any] = {"response": response, "key": key, "params": params}
    if to == ASSIGNEE:
        member = case.ticket.assignee_id
        is_told = member is not None and tell_member(session, staff_id=member, **said)
    else:
        is_told = tell_role(session, role=to, **said) > 0
    if not is_told:
        tell_groups(session, groups=rules.groups, **said)
    return to if is_told else GROUPS


def _params(case: _Case, rules: Rules) -> dict[str, str]:
    business, clock = rules.business, case.clock
    named = business.category if clock.subject_type == COMPLAINT else business.service_kind
    return {
        "code": to_persian_digits(case.ticket.code),
        "title": named(case.ticket.title).title,
        "metric": term("shared", "clocks", clock.metric) or clock.metric,
    }
