"""The clocks of a ticket: what was promised, how much of it is used up, and what a pause gives back.

A clock keeps its due time as it was promised: a policy that changes later is that of new clocks only. Moments
are kept in whole seconds, so that nothing gets lost between them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from crm_store.base import utcnow
from crm_store.rules import Rules
from crm_store.sla.models import (
    CANCELLED,
    FIRST_RESPONSE,
    MET,
    METRICS,
    MISSED,
    NEXT_RESPONSE,
    PAUSED,
    RESOLUTION,
    RUNNING,
    SlaClock,
)
from crm_store.sla.policy import choose, minutes_for, policy_named
from crm_store.sla.record import note_breach

OPEN_STATES = (RUNNING, PAUSED)
_RESPONSES = (FIRST_RESPONSE, NEXT_RESPONSE)


class _Ticket(NamedTuple):
    subject_type: str
    subject_id: int


class ClockTimes(NamedTuple):
    """How a clock stands, in working time.

    ``elapsed + remaining`` is what was promised (``target_seconds``), and ``elapsed + paused`` is all working
    time since the clock began, until now or until it stopped: the latter as long as the business's calendar
    stays as it was, for what was promised is kept where that changes.

    Attributes:
        elapsed: in which the clock ran.
        paused: in which it stood still.
        remaining: until the due time; negative after it.
    """

    elapsed: timedelta
    paused: timedelta
    remaining: timedelta


def start(
    session: Session,
    *,
    rules: Rules,
    subject_type: str,
    subject_id: int,
    priority: str,
    tier: str = "",
    now: datetime | None = None,
) -> list[SlaClock]:
    """Begin the clocks of a new ticket, as the policy says that it comes under; those that are open stay.

    Args:
        priority: one of `crm_store.tickets.models.PRIORITIES`.
        tier: the customer's loyalty tier; empty for none.

    Returns:
        The first-response and resolution clocks that began; none where nothing is promised.
    """
    policy = choose(rules.business.sla, kind=subject_type, priority=priority, tier=tier)
    if policy is None:
        return []
    at, ticket = _whole(now), _Ticket(subject_type, subject_id)
    running = {clock.metric for clock in _open_clocks(session, ticket)}
    return [
        _begin(session, rules, ticket, metric=metric, policy=policy.name, seconds=minutes * 60, now=at)
        for metric in (FIRST_RESPONSE, RESOLUTION)
        if metric not in running and (minutes := minutes_for(policy, metric))
    ]


def responded(
    session: Session, *, rules: Rules, subject_type: str, subject_id: int, now: datetime | None = None
) -> None:
    """The customer was answered: what waited for a response, the first or a later one, is met or missed."""
    at = _whole(now)
    for clock in _open_clocks(session, _Ticket(subject_type, subject_id), _RESPONSES):
        _stop(session, clock, rules, at)


def customer_wrote(
    session: Session, *, rules: Rules, subject_type: str, subject_id: int, now: datetime | None = None
) -> SlaClock | None:
    """The customer waits for a response again, unless they did already or never had one.

    Returns:
        The clock that began; None when there is none to begin.
    """
    ticket = _Ticket(subject_type, subject_id)
    if _open_clocks(session, ticket, _RESPONSES) or _latest(session, ticket, FIRST_RESPONSE) is None:
        return None
    return _begin_again(session, rules, ticket, metric=NEXT_RESPONSE, now=_whole(now))


def pause(
    session: Session,
    *,
    rules: Rules,  # noqa: ARG001  # all that happens to a ticket is told alike
    subject_type: str,
    subject_id: int,
    now: datetime | None = None,
) -> None:
    """Let all clocks of a ticket stand still, because it waits for the customer.

    What was missed by then stays missed, and whoever has to hear of it still does.
    """
    at = _whole(now)
    for clock in _open_clocks(session, _Ticket(subject_type, subject_id)):
        if clock.state == RUNNING:
            if at > clock.due_at:
                note_breach(session, clock, now=at)
            else:
                clock.check_at = None
            clock.state, clock.paused_at = PAUSED, at


def resume(
    session: Session, *, rules: Rules, subject_type: str, subject_id: int, now: datetime | None = None
) -> None:
    """Let all clocks of a ticket go on; the working time of the pause is given back."""
    at = _whole(now)
    for clock in _open_clocks(session, _Ticket(subject_type, subject_id)):
        _resume(clock, rules, at)


def stop(
    session: Session, *, rules: Rules, subject_type: str, subject_id: int, now: datetime | None = None
) -> None:
    """All that was promised about a ticket is done: open clocks are met or missed."""
    at = _whole(now)
    for clock in _open_clocks(session, _Ticket(subject_type, subject_id)):
        _stop(session, clock, rules, at)


def cancel(
    session: Session, *, rules: Rules, subject_type: str, subject_id: int, now: datetime | None = None
) -> None:
    """Nothing is owed about a ticket any more, because it was withdrawn: open clocks count for nothing."""
    at = _whole(now)
    for clock in _open_clocks(session, _Ticket(subject_type, subject_id)):
        _cancel(clock, rules, at)


def restart(
    session: Session,
    *,
    rules: Rules,
    subject_type: str,
    subject_id: int,
    priority: str,
    tier: str = "",
    now: datetime | None = None,
) -> list[SlaClock]:
    """Promise an answer and a decision anew, because the customer was not content.

    What is promised follows from the priority that the ticket has now; where no policy fits it any more, the
    former one holds.

    Args:
        priority: one of `crm_store.tickets.models.PRIORITIES`.
        tier: the customer's loyalty tier; empty for none.

    Returns:
        The next-response and resolution clocks that began; those that were open are cancelled.
    """
    at, ticket, metrics = _whole(now), _Ticket(subject_type, subject_id), (NEXT_RESPONSE, RESOLUTION)
    for clock in _open_clocks(session, ticket, metrics):
        _cancel(clock, rules, at)
    policy = choose(rules.business.sla, kind=subject_type, priority=priority, tier=tier)
    if policy is None:
        again = [_begin_again(session, rules, ticket, metric=metric, now=at) for metric in metrics]
        return [clock for clock in again if clock is not None]
    return [
        _begin(session, rules, ticket, metric=metric, policy=policy.name, seconds=minutes * 60, now=at)
        for metric in metrics
        if (minutes := minutes_for(policy, metric))
    ]


def open_clock(session: Session, *, subject_type: str, subject_id: int, metric: str) -> SlaClock | None:
    """The clock of a metric that runs or is paused, if there is one."""
    chosen = _of(_Ticket(subject_type, subject_id)).where(
        SlaClock.metric == metric, SlaClock.state.in_(OPEN_STATES)
    )
    return session.scalar(chosen.order_by(SlaClock.id.desc()).limit(1))


def times(clock: SlaClock, rules: Rules, now: datetime) -> ClockTimes:
    """How a clock stands at a moment; one that has stopped stands as it did then."""
    working = rules.working_time
    until = clock.stopped_at or now
    stands_at = clock.paused_at or until
    remaining = working.between(stands_at, clock.due_at) - working.between(clock.due_at, stands_at)
    paused = timedelta(seconds=clock.paused_seconds) + working.between(stands_at, until)
    return ClockTimes(timedelta(seconds=clock.target_seconds) - remaining, paused, remaining)


def _begin(
    session: Session,
    rules: Rules,
    ticket: _Ticket,
    *,
    metric: str,
    policy: str,
    seconds: int,
    now: datetime,
) -> SlaClock:
    target = timedelta(seconds=seconds)
    warn_at = rules.working_time.add(now, target * rules.business.sla.warn_percent / 100)
    clock = SlaClock(
        subject_type=ticket.subject_type,
        subject_id=ticket.subject_id,
        metric=metric,
        policy=policy,
        target_seconds=seconds,
        started_at=now,
        due_at=rules.working_time.add(now, target),
        warn_at=warn_at,
        check_at=warn_at,
    )
    session.add(clock)
    session.flush()
    return clock


def _begin_again(
    session: Session, rules: Rules, ticket: _Ticket, *, metric: str, now: datetime
) -> SlaClock | None:
    """A further clock by the policy of the ticket's earlier ones, as it is now; if it is gone, as it was."""
    latest = _latest(session, ticket)
    if latest is None:
        return None
    policy = policy_named(rules.business.sla, latest.policy)
    if policy is not None:
        seconds = (minutes_for(policy, metric) or 0) * 60
    else:
        former = _latest(session, ticket, metric)
        seconds = former.target_seconds if former else 0
    if not seconds:
        return None
    return _begin(session, rules, ticket, metric=metric, policy=latest.policy, seconds=seconds, now=now)


def _resume(clock: SlaClock, rules: Rules, now: datetime) -> None:
    if clock.paused_at is None:
        return
    working, remaining = rules.working_time, times(clock, rules, now).remaining
    notice = working.between(clock.warn_at, clock.due_at)
    clock.paused_seconds += round(working.between(clock.paused_at, now).total_seconds())
    clock.due_at = working.add(now, remaining)
    clock.warn_at = working.add(clock.due_at, -notice)
    clock.state, clock.paused_at = RUNNING, None
    # The sweep finds out what there is to tell, and when it has to look again.
    clock.check_at = now


def _stop(session: Session, clock: SlaClock, rules: Rules, now: datetime) -> None:
    _resume(clock, rules, now)
    if now > clock.due_at:
        note_breach(session, clock, now=now)
    _end(clock, MET if clock.breached_at is None else MISSED, now)


def _cancel(clock: SlaClock, rules: Rules, now: datetime) -> None:
    _resume(clock, rules, now)
    _end(clock, CANCELLED, now)


def _end(clock: SlaClock, state: str, now: datetime) -> None:
    clock.state, clock.stopped_at, clock.check_at = state, now, None


def _open_clocks(session: Session, ticket: _Ticket, metrics: Collection[str] = METRICS) -> list[SlaClock]:
    """Those that run or are paused, in order, locked and as they are in the store now."""
    chosen = _of(ticket).where(SlaClock.metric.in_(metrics), SlaClock.state.in_(OPEN_STATES))
    locked = chosen.order_by(SlaClock.id).with_for_update()
    return list(session.scalars(locked.execution_options(populate_existing=True)))


def _latest(session: Session, ticket: _Ticket, metric: str | None = None) -> SlaClock | None:
    chosen = _of(ticket) if metric is None else _of(ticket).where(SlaClock.metric == metric)
    return session.scalar(chosen.order_by(SlaClock.id.desc()).limit(1))


def _of(ticket: _Ticket) -> Select[tuple[SlaClock]]:
    return select(SlaClock).where(
        SlaClock.subject_type == ticket.subject_type, SlaClock.subject_id == ticket.subject_id
    )


def _whole(now: datetime | None) -> datetime:
    """A moment without fractions of a second."""
    return (now or utcnow()).replace(microsecond=0)
